//! Telephone numbers as people, telephones and trunks write them, brought to one form (ITU-T E.164) and back to a trunk's own.

use std::fmt;

use super::{Country, Format};

/// The most digits a number has (ITU-T E.164 §6.2.1).
const DIGITS_MAX: usize = 15;

/// The fewest that we take for a number of the public network.
const DIGITS_MIN: usize = 7;

/// A number of the public network: `+` and up to 15 digits. It is personal, so it does not print.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(String);

impl Number {
    /// `+` and its digits; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = plain(text)?;
        let digits = plain.strip_prefix('+')?;
        Self::of_digits(digits)
    }

    fn of_digits(digits: &str) -> Option<Self> {
        let right = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) && !digits.starts_with('0');
        right.then(|| Self(format!("+{digits}")))
    }

    /// `+13125550142`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits without the `+`.
    pub fn digits(&self) -> &str {
        self.0.get(1..).unwrap_or_default()
    }

    /// As a trunk wants it.
    pub fn written(&self, format: Format, country: &Country) -> String {
        match format {
            Format::Plus => self.0.clone(),
            Format::Digits => self.digits().to_owned(),
            Format::National => match self.digits().strip_prefix(country.calling) {
                Some(national) => format!("{}{national}", country.spoken_prefix),
                None => format!("{}{}", country.international, self.digits()),
            },
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[pii]")
    }
}

/// What was dialled, or who calls, as it is understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dialled {
    /// A number of the public network.
    Number(Number),
    /// Digits that are none: an extension, a service.
    Short(String),
    /// A name, in lower case.
    Name(String),
}

/// `text` without what people write between digits: digits, perhaps with a `+` in front. None for anything else.
pub(super) fn plain(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '0'..='9' => plain.push(letter),
            '+' if plain.is_empty() => plain.push(letter),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' => {}
            _ => return None,
        }
    }
    plain.bytes().any(|byte| byte.is_ascii_digit()).then_some(plain)
}

impl Country {
    /// Understands what was dialled here, or who calls: `+1 312 555 0142`, `13125550142` and `312-555-0142` are one number in the United States.
    pub fn read(&self, text: &str) -> Dialled {
        let text = text.trim();
        let Some(plain) = plain(text) else { return Dialled::Name(text.to_lowercase()) };
        let number = match plain.strip_prefix('+') {
            Some(digits) => Number::of_digits(digits),
            None => self.number_of(&plain),
        };
        // Of our own numbering we know the shape; what has another one reaches nobody.
        let number = number.filter(|number| number.digits().strip_prefix(self.calling).is_none_or(|national| self.is_national(national)));
        number.map_or_else(|| Dialled::Short(plain.trim_start_matches('+').to_owned()), Dialled::Number)
    }

    /// The number that `text` is, when it is one.
    pub fn number(&self, text: &str) -> Option<Number> {
        match self.read(text) {
            Dialled::Number(number) => Some(number),
            Dialled::Short(_) | Dialled::Name(_) => None,
        }
    }

    fn number_of(&self, digits: &str) -> Option<Number> {
        let home = |national: &str| self.is_national(national).then(|| Number::of_digits(&format!("{}{national}", self.calling))).flatten();
        let abroad = digits.strip_prefix(self.international).and_then(Number::of_digits);
        let trunk = || self.trunk.and_then(|trunk| digits.strip_prefix(trunk)).and_then(home);
        let no_plus = || digits.strip_prefix(self.calling).and_then(home);
        let bare = || if self.bare { home(digits) } else { None };
        abroad.or_else(trunk).or_else(no_plus).or_else(bare)
    }

    /// Whether `digits` have the shape of a number within the country, without any prefix.
    fn is_national(&self, digits: &str) -> bool {
        let (least, most) = self.national;
        let begins = digits.bytes().next().is_some_and(|first| first >= self.first_digit);
        (least..=most).contains(&digits.len()) && begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_many_spellings_in_each_country() {
        for (country, spelt, number) in [
            ("US", "+1 (312) 555-0142", "+13125550142"),
            ("US", "13125550142", "+13125550142"),
            ("US", "312.555.0142", "+13125550142"),
            ("US", "0113125550142", "+3125550142"),
            ("US", "011442071234567", "+442071234567"),
            ("GB", "020 7123 4567", "+442071234567"),
            ("GB", "442071234567", "+442071234567"),
            ("GB", "0044 20 7123 4567", "+442071234567"),
            ("DE", "030 123456", "+4930123456"),
            ("ES", "912 345 678", "+34912345678"),
        ] {
            let country = Country::named(country).unwrap();
            assert_eq!(country.number(spelt).unwrap().as_str(), number, "{spelt}");
        }
    }

    #[test]
    fn what_is_no_number_stays_what_it_is() {
        let home = Country::named("US").unwrap();
        assert_eq!(home.read("201"), Dialled::Short("201".to_owned()));
        assert_eq!(home.read(" Leasing "), Dialled::Name("leasing".to_owned()));
        assert_eq!(home.read("911"), Dialled::Short("911".to_owned()));
        assert_eq!(home.read("0125550142"), Dialled::Short("0125550142".to_owned()));
        assert_eq!(home.read("+12345678901234567"), Dialled::Short("12345678901234567".to_owned()));
        assert_eq!(home.read("3125550142;ext=1"), Dialled::Name("3125550142;ext=1".to_owned()));
        assert_eq!(home.read(""), Dialled::Name(String::new()));
    }

    #[test]
    fn a_number_is_written_as_the_trunk_wants_it_and_does_not_print() {
        let (us, gb) = (Country::named("US").unwrap(), Country::named("GB").unwrap());
        let number = us.number("3125550142").unwrap();
        assert_eq!(number.written(Format::Plus, us), "+13125550142");
        assert_eq!(number.written(Format::Digits, us), "13125550142");
        assert_eq!(number.written(Format::National, us), "3125550142");
        assert_eq!(number.written(Format::National, gb), "0013125550142");
        assert_eq!(gb.number("02071234567").unwrap().written(Format::National, gb), "02071234567");
        assert_eq!(format!("{number:?}"), "[pii]");
    }
}
