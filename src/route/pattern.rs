//! What a number or a name has to be like.

use std::collections::BTreeMap;

use super::{Country, Dialled, Number};

/// What people withhold their number as (RFC 3323 §4.1.1.3 and what PBXs write).
const WITHHELD: &[&str] = &["", "anonymous", "restricted", "private", "unknown", "unavailable", "withheld", "asserted-anonymous"];

/// What a number or a name has to be like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// Anything, withheld numbers too: `*`.
    Any,
    /// A withheld number: `anonymous`.
    Withheld,
    /// This number, however it is spelt, or this name: `+13125550142`, `leasing`.
    Is(Dialled),
    /// Numbers that begin so, in full form: `+1312*`. Without a `+` it is what was dialled as it stands: `2*`, `front*`.
    Begins(String),
    /// Numbers or extensions from one to another, both included: `200-299`.
    Between(Dialled, Dialled),
    /// A list under `[lists]`: `@vip`.
    List(String),
}

/// A name or a number that a rule looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Party {
    read: Dialled,
    withheld: bool,
}

impl Party {
    pub(super) fn new(text: &str, country: &Country) -> Self {
        let read = country.read(text);
        let withheld = matches!(&read, Dialled::Name(name) if WITHHELD.contains(&name.as_str()) || name.ends_with("anonymous.invalid"));
        Self { read, withheld }
    }

    /// For an explanation.
    pub(super) fn told(&self) -> &str {
        match &self.read {
            _ if self.withheld => "a withheld number",
            Dialled::Number(number) => number.as_str(),
            Dialled::Short(digits) => digits,
            Dialled::Name(name) => name,
        }
    }
}

impl Pattern {
    /// Reads one pattern; in words what to write instead.
    pub fn parse(text: &str, country: &Country) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |what: &str| Err(format!("{text:?} {what}"));
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.eq_ignore_ascii_case("anonymous") {
            return Ok(Self::Withheld);
        }
        if let Some(list) = text.strip_prefix('@') {
            return if list.is_empty() {
                wrong("names no list: write \"@vip\" for [lists] vip = [...]")
            } else {
                Ok(Self::List(list.to_owned()))
            };
        }
        if let Some(front) = text.strip_suffix('*') {
            let front = super::number::plain(front).unwrap_or_else(|| front.to_lowercase());
            let right = !front.contains('*') && front != "+" && !front.is_empty();
            return if right { Ok(Self::Begins(front)) } else { wrong("is no beginning: write \"+1312*\" or \"2*\"") };
        }
        if let Some(range) = range(text, country) {
            return range;
        }
        if text.is_empty() || text.contains(['*', '?', '@', '<', '>']) {
            return wrong(
                "is no number or name: write \"+13125550142\", \"201\", \"leasing\", \"+1312*\", \"200-299\", \"anonymous\" or \"*\"",
            );
        }
        Ok(Self::Is(country.read(text)))
    }

    /// Whether `party` is like it. A list that is not there is empty.
    pub(super) fn fits(&self, party: &Party, lists: &BTreeMap<String, Vec<Self>>) -> bool {
        match self {
            Self::Any => true,
            Self::Withheld => party.withheld,
            Self::Is(wanted) => party.read == *wanted,
            Self::Begins(front) => match &party.read {
                Dialled::Number(number) => {
                    number.as_str().starts_with(front.as_str()) || !front.starts_with('+') && number.digits().starts_with(front.as_str())
                }
                Dialled::Short(digits) => digits.starts_with(front.as_str()),
                Dialled::Name(name) => !party.withheld && name.starts_with(front.as_str()),
            },
            Self::Between(from, to) => between(&party.read, from, to),
            // A list inside a list is refused when it is read, so this goes one step deep.
            Self::List(name) => lists.get(name).into_iter().flatten().any(|one| !matches!(one, Self::List(_)) && one.fits(party, lists)),
        }
    }

    /// As it may be written.
    pub(super) fn told(&self) -> String {
        let plain = |dialled: &Dialled| match dialled {
            Dialled::Number(number) => number.as_str().to_owned(),
            Dialled::Short(text) | Dialled::Name(text) => text.clone(),
        };
        match self {
            Self::Any => "*".to_owned(),
            Self::Withheld => "a withheld number".to_owned(),
            Self::Is(dialled) => plain(dialled),
            Self::Begins(front) => format!("{front}*"),
            Self::Between(from, to) => format!("{} to {}", plain(from), plain(to)),
            Self::List(name) => format!("the list {name:?}"),
        }
    }
}

/// Two numbers, or two extensions of the same length, with `-` or `..` between them; none when it is not meant as a range.
fn range(text: &str, country: &Country) -> Option<Result<Pattern, String>> {
    let (from, to) = text.split_once("..").or_else(|| {
        // "312-555-0142" is one number: a range has one hyphen and two halves that stand for themselves.
        let (from, to) = text.split_once('-').filter(|(_, to)| !to.contains('-'))?;
        let same = from.trim().len() == to.trim().len() || from.trim().starts_with('+') && to.trim().starts_with('+');
        same.then_some((from, to))
    })?;
    let digits = |text: &str| text.trim().bytes().all(|byte| byte.is_ascii_digit() || byte == b'+') && !text.trim().is_empty();
    if !digits(from) || !digits(to) {
        return None;
    }
    let (from, to) = (country.read(from), country.read(to));
    let right = match (&from, &to) {
        (Dialled::Number(from), Dialled::Number(to)) => from.as_str().len() == to.as_str().len() && from <= to,
        (Dialled::Short(from), Dialled::Short(to)) => from.len() == to.len() && from <= to,
        _ => false,
    };
    let told = || format!("{text:?} is no range: both ends have the same length, the smaller first: \"200-299\"");
    Some(if right { Ok(Pattern::Between(from, to)) } else { Err(told()) })
}

/// Digits of one length compare as the numbers that they are.
fn between(read: &Dialled, from: &Dialled, to: &Dialled) -> bool {
    let inside = |one: &str, from: &str, to: &str| one.len() == from.len() && (from..=to).contains(&one);
    match (read, from, to) {
        (Dialled::Number(one), Dialled::Number(from), Dialled::Number(to)) => inside(one.as_str(), from.as_str(), to.as_str()),
        (Dialled::Short(one), Dialled::Short(from), Dialled::Short(to)) => inside(one, from, to),
        _ => false,
    }
}

/// Whether `number` begins with one of `prefixes`; the longest that it begins with.
pub(super) fn longest<'a>(number: &Number, prefixes: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    prefixes.into_iter().filter(|prefix| number.as_str().starts_with(prefix)).max_by_key(|prefix| prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        let country = Country::named("US").unwrap();
        Pattern::parse(pattern, country).unwrap().fits(&Party::new(text, country), &BTreeMap::new())
    }

    #[test]
    fn a_pattern_fits_every_spelling_of_its_number() {
        for spelt in ["+13125550142", "13125550142", "(312) 555-0142"] {
            assert!(fits("+13125550142", spelt) && fits("312-555-0142", spelt) && fits("+1312*", spelt) && fits("1312*", spelt), "{spelt}");
            assert!(!fits("+1313*", spelt) && !fits("201", spelt) && !fits("anonymous", spelt) && fits("*", spelt));
        }
        assert!(fits("leasing", "LEASING") && !fits("leasing", "leasing2") && fits("front*", "frontdesk"));
        assert!(fits("200-299", "200") && fits("200-299", "299") && !fits("200-299", "2500") && !fits("200-299", "300"));
        assert!(fits("+13125550100..+13125550199", "3125550142") && !fits("+13125550100-+13125550141", "3125550142"));
        assert!(fits("2*", "201") && !fits("2*", "+13125550142"));
    }

    #[test]
    fn a_withheld_number_is_known_by_many_names() {
        for withheld in ["", "anonymous", "Anonymous", "Restricted", "unknown", "anonymous@anonymous.invalid"] {
            assert!(fits("anonymous", withheld) && fits("*", withheld) && !fits("+1*", withheld) && !fits("a*", withheld), "{withheld}");
        }
        assert!(!fits("anonymous", "+13125550142"));
    }

    #[test]
    fn wrong_patterns_are_told_in_words() {
        let country = Country::named("US").unwrap();
        for wrong in ["", "**", "1*2", "+*", "@", "299-200", "a?", "<201>"] {
            assert!(Pattern::parse(wrong, country).unwrap_err().contains("is no") || wrong == "@", "{wrong}");
        }
    }
}
