//! Numbers, money, dates, times, telephone numbers and abbreviations as words, for a voice that reads words only.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// Abbreviation and words. A trailing stop belongs to the abbreviation.
const SHORT: &[(&str, &str)] = &[
    ("mr.", "mister"),
    ("mrs.", "missus"),
    ("ms.", "miss"),
    ("dr.", "doctor"),
    ("st.", "street"),
    ("ave.", "avenue"),
    ("rd.", "road"),
    ("blvd.", "boulevard"),
    ("apt.", "apartment"),
    ("apt", "apartment"),
    ("sq.", "square"),
    ("ft.", "feet"),
    ("ft", "feet"),
    ("vs.", "versus"),
    ("etc.", "et cetera"),
    ("&", "and"),
    ("%", "percent"),
    ("ai", "A I"),
    ("id", "I D"),
    ("ok", "okay"),
    ("tv", "T V"),
    ("ac", "A C"),
    ("wifi", "why fie"),
    ("wi-fi", "why fie"),
    ("a.m.", "a m"),
    ("p.m.", "p m"),
    ("am", "am"),
    ("pm", "p m"),
];

/// `text` with everything that is not a word written as words. Marks of pauses stay where they are.
pub fn to_words(text: &str) -> String {
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let mut spoken: Vec<String> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|index| tokens.get(index)).map_or("", |word| *word);
        let after = tokens.get(at + 1).map_or("", |word| *word);
        spoken.push(token_to_words(token, before, after));
    }
    spoken.retain(|token| !token.is_empty());
    spoken.join(" ")
}

fn token_to_words(token: &str, before: &str, after: &str) -> String {
    let (front, core, tail) = marks(token);
    if core.is_empty() {
        return String::new();
    }
    let lower = token.to_lowercase();
    let bare = core.to_lowercase();
    if bare == "am" && !before_is_clock(before) {
        return token.to_owned();
    }
    if bare == "am" {
        return format!("{front}a m{tail}");
    }
    // The stop of an abbreviation is not the end of the sentence, unless nothing follows.
    if let Some((short, words)) =
        SHORT.iter().find(|(short, _)| *short == lower || *short == bare || lower.trim_end_matches([',', '?', '!']) == *short)
    {
        let rest = if short.ends_with('.') && tail.starts_with('.') { tail.get(1..).unwrap_or("") } else { tail };
        let stop = if after.is_empty() && rest.is_empty() && short.ends_with('.') { "." } else { rest };
        return format!("{front}{words}{stop}");
    }
    if !core.bytes().any(|byte| byte.is_ascii_digit()) {
        return letters_apart(token, core, &front, tail);
    }
    match number_to_words(core, before, after) {
        Some(words) => format!("{front}{words}{tail}"),
        None => format!("{front}{}{tail}", spell(core)),
    }
}

fn before_is_clock(before: &str) -> bool {
    before.bytes().any(|byte| byte.is_ascii_digit())
        || SMALL.contains(&before.to_lowercase().as_str())
        || TENS.contains(&before.to_lowercase().as_str()) && !before.is_empty()
}

/// Opening marks, the core, closing marks.
fn marks(token: &str) -> (String, &str, &str) {
    let opening = |c: char| matches!(c, '(' | '"' | '\u{201c}' | '[');
    let core = token.trim_start_matches(opening);
    let front = &token[..token.len() - core.len()];
    let bare = core.trim_end_matches(['.', ',', '?', '!', ';', ':', ')', '"', '\u{201d}', ']']);
    // A comma is a pause; brackets and quotation marks are not spoken.
    let _ = front;
    let tail = core[bare.len()..].trim_start_matches([')', '"', '\u{201d}', ']']);
    (String::new(), bare, tail)
}

/// "LLC", "HVAC": letter by letter; other words as they are.
fn letters_apart(token: &str, core: &str, front: &str, tail: &str) -> String {
    let shout = core.len() >= 2 && core.len() <= 5 && core.bytes().all(|byte| byte.is_ascii_uppercase());
    let sounded = core.bytes().any(|byte| matches!(byte, b'A' | b'E' | b'I' | b'O' | b'U'));
    if shout && !sounded {
        return format!("{front}{}{tail}", core.chars().map(String::from).collect::<Vec<_>>().join(" "));
    }
    token.trim_start_matches(['(', '"', '\u{201c}', '[']).replace([')', '"', '\u{201d}', ']'], "")
}

fn number_to_words(core: &str, before: &str, after: &str) -> Option<String> {
    if let Some(amount) = core.strip_prefix('$') {
        return money(amount);
    }
    if let Some(amount) = core.strip_suffix('%') {
        return decimal(amount).map(|words| format!("{words} percent"));
    }
    if let Some(number) = core.strip_prefix('#') {
        return whole(number).map(|words| format!("number {words}"));
    }
    if let Some((hour, minute)) = core.split_once(':') {
        return clock(hour, minute);
    }
    if let Some(words) = half_day(core) {
        return Some(words);
    }
    if core.contains('-') {
        return dashed(core);
    }
    if let Some(value) = ordinal_value(core) {
        return Some(ordinal(value));
    }
    let month = MONTHS.contains(&before.to_lowercase().as_str());
    let digits = core.bytes().all(|byte| byte.is_ascii_digit());
    if month && digits && core.len() <= 2 {
        return core.parse().ok().map(ordinal);
    }
    if digits && is_unit(before) {
        return unit(core);
    }
    if digits && core.len() == 4 && (core.starts_with("19") || core.starts_with("20")) && !after.starts_with("square") {
        return year(core);
    }
    if digits
        && (core.len() >= 7
            || core == "911"
            || matches!(before.to_lowercase().as_str(), "call" | "dial")
            || core.len() > 1 && core.starts_with('0'))
    {
        return Some(spell(core));
    }
    decimal(core)
}

fn is_unit(before: &str) -> bool {
    matches!(
        before.trim_end_matches([',', ':']).to_lowercase().as_str(),
        "unit" | "apartment" | "suite" | "room" | "apt" | "apt." | "extension"
    )
}

/// "402" is "four oh two", "12" "twelve", "215" "two fifteen".
fn unit(digits: &str) -> Option<String> {
    match digits.len() {
        3 => {
            let (first, rest) = digits.split_at_checked(1)?;
            Some(format!("{} {}", whole(first)?, two_digits(rest)?))
        }
        4 => {
            let (first, rest) = digits.split_at_checked(2)?;
            Some(format!("{} {}", two_digits(first)?, two_digits(rest)?))
        }
        0..=2 => whole(digits),
        _ => Some(spell(digits)),
    }
}

fn two_digits(digits: &str) -> Option<String> {
    match digits {
        "00" => Some("hundred".to_owned()),
        _ => match digits.strip_prefix('0') {
            Some(unit) => Some(format!("oh {}", whole(unit)?)),
            None => whole(digits),
        },
    }
}

fn year(digits: &str) -> Option<String> {
    let (first, rest) = digits.split_at_checked(2)?;
    match (first, rest) {
        ("20", "00") => Some("two thousand".to_owned()),
        ("20", rest) if rest.starts_with('0') => Some(format!("two thousand {}", whole(rest.trim_start_matches('0'))?)),
        _ => Some(format!("{} {}", whole(first)?, two_digits(rest)?)),
    }
}

fn money(amount: &str) -> Option<String> {
    let (dollars, cents) = amount.split_once('.').unwrap_or((amount, ""));
    let value: u64 = dollars.replace(',', "").parse().ok()?;
    let unit = if value == 1 { "dollar" } else { "dollars" };
    let cents: u64 = if cents.is_empty() { 0 } else { cents.parse().ok()? };
    let words = format!("{} {unit}", cardinal(value));
    Some(if cents == 0 { words } else { format!("{words} and {} {}", cardinal(cents), if cents == 1 { "cent" } else { "cents" }) })
}

fn clock(hour: &str, minute: &str) -> Option<String> {
    let (half_front, half) = match minute.get(2..) {
        Some("") | None => (minute, ""),
        Some("am" | "a.m") => (minute.get(..2)?, " a m"),
        Some("pm" | "p.m") => (minute.get(..2)?, " p m"),
        Some(_) => return None,
    };
    let hour: u64 = hour.parse().ok().filter(|hour| *hour < 25)?;
    let value: u64 = half_front.parse().ok().filter(|minute| *minute < 60)?;
    Some(match value {
        0 => format!("{}{half}", cardinal(hour)),
        1..=9 => format!("{} oh {}{half}", cardinal(hour), cardinal(value)),
        _ => format!("{} {}{half}", cardinal(hour), cardinal(value)),
    })
}

/// "3pm", "10am".
fn half_day(core: &str) -> Option<String> {
    let lower = core.to_lowercase();
    let (digits, half) =
        lower.strip_suffix("am").map(|digits| (digits, "a m")).or_else(|| lower.strip_suffix("pm").map(|digits| (digits, "p m")))?;
    whole(digits).map(|words| format!("{words} {half}"))
}

/// "555-1234" digit by digit with a pause between the groups; "24-7" and "two-bedroom" stay words.
fn dashed(core: &str) -> Option<String> {
    let groups: Vec<&str> = core.trim_start_matches('+').split('-').collect();
    let telephone = groups.iter().all(|group| group.len() >= 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    if telephone && groups.len() > 1 {
        return Some(groups.into_iter().map(spell).collect::<Vec<_>>().join(", "));
    }
    let words: Option<Vec<String>> = groups
        .into_iter()
        .map(|group| if group.bytes().all(|byte| byte.is_ascii_digit()) { whole(group) } else { Some(group.to_owned()) })
        .collect();
    words.map(|words| words.join(" "))
}

fn ordinal_value(core: &str) -> Option<u64> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|suffix| core.strip_suffix(suffix))?;
    digits.parse().ok()
}

fn decimal(core: &str) -> Option<String> {
    match core.split_once('.') {
        Some((front, behind)) if behind.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("{} point {}", whole(front)?, spell(behind)))
        }
        Some(_) => None,
        None => whole(core),
    }
}

fn whole(digits: &str) -> Option<String> {
    digits.replace(',', "").parse().ok().map(cardinal)
}

/// Digit by digit; letters stay letters.
fn spell(text: &str) -> String {
    let spoken = text.chars().filter(|c| c.is_alphanumeric()).map(|c| match c.to_digit(10) {
        Some(digit) => usize::try_from(digit).ok().and_then(|at| SMALL.get(at)).map_or_else(String::new, |word| (*word).to_owned()),
        None => c.to_string(),
    });
    spoken.collect::<Vec<_>>().join(" ")
}

fn small(value: u64) -> &'static str {
    usize::try_from(value).ok().and_then(|at| SMALL.get(at)).copied().unwrap_or("")
}

/// The words of a whole number: 1450 is "one thousand four hundred fifty".
fn cardinal(value: u64) -> String {
    match value {
        0..=19 => small(value).to_owned(),
        20..=99 => {
            let ten = usize::try_from(value / 10).ok().and_then(|at| TENS.get(at)).copied().unwrap_or("");
            if value.is_multiple_of(10) { ten.to_owned() } else { format!("{ten} {}", small(value % 10)) }
        }
        100..=999 => joined(value, 100, "hundred"),
        1_000..=999_999 => joined(value, 1_000, "thousand"),
        1_000_000..=999_999_999 => joined(value, 1_000_000, "million"),
        _ => spell(&value.to_string()),
    }
}

fn joined(value: u64, unit: u64, name: &str) -> String {
    let rest = value % unit;
    let front = format!("{} {name}", cardinal(value / unit));
    if rest == 0 { front } else { format!("{front} {}", cardinal(rest)) }
}

/// "first", "twenty first", "one hundredth".
fn ordinal(value: u64) -> String {
    const IRREGULAR: [(&str, &str); 8] = [
        ("one", "first"),
        ("two", "second"),
        ("three", "third"),
        ("five", "fifth"),
        ("eight", "eighth"),
        ("nine", "ninth"),
        ("twelve", "twelfth"),
        ("zero", "zeroth"),
    ];
    let words = cardinal(value);
    let (front, last) = words.rsplit_once(' ').map_or(("", words.as_str()), |(front, last)| (front, last));
    let last = match IRREGULAR.iter().find(|(cardinal, _)| *cardinal == last) {
        Some((_, ordinal)) => (*ordinal).to_owned(),
        None => last.strip_suffix('y').map_or_else(|| format!("{last}th"), |stem| format!("{stem}ieth")),
    };
    if front.is_empty() { last } else { format!("{front} {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_a_sentence_of_ours_contains_becomes_words() {
        for (written, spoken) in [
            ("The rent is $1,450 a month.", "The rent is one thousand four hundred fifty dollars a month."),
            ("Tuesday, November 24 at 3:30 pm.", "Tuesday, November twenty fourth at three thirty p m."),
            ("Your number is 555-1234, right?", "Your number is five five five, one two three four, right?"),
            ("call 312-555-0188", "call three one two, five five five, zero one eight eight"),
            ("ending in 0 1 8 8,", "ending in zero one eight eight,"),
            ("We open at 9 am.", "We open at nine a m."),
            ("I am here.", "I am here."),
            ("I'm an AI assistant.", "I'm an A I assistant."),
            ("in unit 402.", "in unit four oh two."),
            ("unit 12, unit 1215", "unit twelve, unit twelve fifteen"),
            ("It costs $75.50.", "It costs seventy five dollars and fifty cents."),
            ("January 1, 2027", "January first, twenty twenty seven"),
            ("on the 21st", "on the twenty first"),
            ("650 square feet", "six hundred fifty square feet"),
            ("a two-bedroom apartment", "a two-bedroom apartment"),
            ("200 Lake St.", "two hundred Lake street."),
            ("200 Lake St. in town", "two hundred Lake street in town"),
            ("call 911.", "call nine one one."),
            ("100%", "one hundred percent"),
            ("12:05 pm, 10 a.m. or 3pm", "twelve oh five p m, ten a m or three p m"),
            ("a (new) \"kitchen\"", "a new kitchen"),
        ] {
            assert_eq!(to_words(written), spoken, "{written}");
        }
    }

    #[test]
    fn hostile_text_is_spelt_and_never_panics() {
        for text in [
            "$",
            "$1,,,",
            "::",
            "99:99",
            "1:2:3",
            "-",
            "+",
            "#",
            "%",
            "99999999999999999999999999",
            "1.2.3",
            "\u{0}\u{1F600}",
            "é3é",
            "-5-",
            "0",
            "3\u{e9}:00am",
            "1:\u{20ac}\u{20ac}",
        ] {
            let _ = to_words(text);
        }
    }
}
