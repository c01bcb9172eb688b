//! Numbers as callers say them: "five five five", "oh", "twelve thirty-four", "two hundred and fifteen", "555-1234".

use std::ops::Range;

use super::words::Word;

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
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

/// The number below twenty that `word` says ("oh" is not among them).
pub fn small(word: &str) -> Option<u32> {
    SMALL.iter().position(|name| *name == word).and_then(|at| u32::try_from(at).ok())
}

/// Twenty, thirty, .. ninety.
pub fn tens(word: &str) -> Option<u32> {
    TENS.iter().position(|name| *name == word).and_then(|at| u32::try_from((at + 2) * 10).ok())
}

/// The ordinal of `words` from `at` on ("third", "twenty first", "21st"), and how many words it took.
pub fn ordinal(words: &[Word], at: usize) -> Option<(u32, usize)> {
    let word = words.get(at)?.text.as_str();
    if let Some(value) = ORDINALS.iter().position(|name| *name == word).and_then(|value| u32::try_from(value).ok()) {
        return Some((value, 1));
    }
    match word {
        "twentieth" => return Some((20, 1)),
        "thirtieth" => return Some((30, 1)),
        _ => {}
    }
    if let Some(ten) = tens(word)
        && let Some(second) = words.get(at + 1)
        && let Some(value) = ORDINALS.iter().position(|name| *name == second.text).and_then(|value| u32::try_from(value).ok())
        && (1..10).contains(&value)
    {
        return Some((ten + value, 2));
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|suffix| word.strip_suffix(suffix))?;
    digits.parse().ok().filter(|value| *value <= 31).map(|value| (value, 1))
}

/// The whole number that `words` say from `at` on ("two hundred and fifteen", "1450", "forty-five"), and how many words it took.
/// Digits said one after the other are not a whole number: only the first is taken.
pub fn cardinal(words: &[Word], at: usize) -> Option<(u32, usize)> {
    let first = words.get(at)?;
    if first.text.bytes().all(|byte| byte.is_ascii_digit()) && first.text.len() <= 6 {
        return first.text.parse().ok().map(|value| (value, 1));
    }
    let (mut value, mut used) = below_hundred(words, at)?;
    if words.get(at + used).is_some_and(|word| word.text == "hundred") {
        used += 1;
        value *= 100;
        let and = usize::from(words.get(at + used).is_some_and(|word| word.text == "and"));
        if let Some((rest, more)) = below_hundred(words, at + used + and) {
            value += rest;
            used += and + more;
        }
    }
    if words.get(at + used).is_some_and(|word| word.text == "thousand") {
        used += 1;
        value *= 1_000;
        if let Some((rest, more)) = cardinal_below_thousand(words, at + used) {
            value += rest;
            used += more;
        }
    }
    Some((value, used))
}

fn cardinal_below_thousand(words: &[Word], at: usize) -> Option<(u32, usize)> {
    let and = usize::from(words.get(at).is_some_and(|word| word.text == "and"));
    let (value, used) = below_hundred(words, at + and)?;
    if words.get(at + and + used).is_some_and(|word| word.text == "hundred") {
        let tail = below_hundred(words, at + and + used + 1);
        return Some((value * 100 + tail.map_or(0, |(rest, _)| rest), and + used + 1 + tail.map_or(0, |(_, more)| more)));
    }
    Some((value, and + used))
}

fn below_hundred(words: &[Word], at: usize) -> Option<(u32, usize)> {
    let word = words.get(at)?.text.as_str();
    if let Some(value) = small(word) {
        return Some((value, 1));
    }
    let ten = tens(word)?;
    match words.get(at + 1).and_then(|next| small(&next.text)).filter(|unit| (1..10).contains(unit)) {
        Some(unit) => Some((ten + unit, 2)),
        None => Some((ten, 1)),
    }
}

/// A run of digits however they were said, and the words it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitRun {
    /// The digits.
    pub digits: String,
    /// The words.
    pub at: Range<usize>,
}

/// Every run of digits in `words`: "five five five, one two three four", "double two", "twelve thirty-four", "eight hundred".
pub fn digit_runs(words: &[Word]) -> Vec<DigitRun> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match run_from(words, at) {
            Some(run) => {
                at = run.at.end;
                runs.push(run);
            }
            None => at += 1,
        }
    }
    runs
}

fn run_from(words: &[Word], start: usize) -> Option<DigitRun> {
    let (mut digits, mut at) = (String::new(), start);
    let mut end = start;
    while at < words.len() && digits.len() < 40 {
        let Some((piece, used)) = piece(words, at, !digits.is_empty()) else {
            let filler = matches!(words[at].text.as_str(), "dash" | "and" | "then" | "uh" | "um" | "area" | "code");
            if filler && !digits.is_empty() && at - end < 2 {
                at += 1;
                continue;
            }
            break;
        };
        digits.push_str(&piece);
        at += used;
        end = at;
    }
    (!digits.is_empty()).then_some(DigitRun { digits, at: start..end })
}

/// One piece of a run: what one or a few words add to the digits.
fn piece(words: &[Word], at: usize, inside: bool) -> Option<(String, usize)> {
    let word = words.get(at)?.text.as_str();
    if word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 15 {
        return Some((word.to_owned(), 1));
    }
    match word {
        "oh" | "o" if inside || words.get(at + 1).is_some_and(|next| digit(&next.text).is_some()) => return Some(("0".to_owned(), 1)),
        "double" | "triple" => {
            let times = if word == "double" { 2 } else { 3 };
            return digit(&words.get(at + 1)?.text).map(|value| (value.repeat(times), 2));
        }
        _ => {}
    }
    if let Some((value, used)) = below_hundred(words, at) {
        return Some(match words.get(at + used).map(|next| next.text.as_str()) {
            Some("hundred") => hundreds(words, at, value, used),
            Some("thousand") => (format!("{value}000"), used + 1),
            _ => (value.to_string(), used),
        });
    }
    None
}

/// "eight hundred" is 800; "one hundred and two" is 102.
fn hundreds(words: &[Word], at: usize, value: u32, used: usize) -> (String, usize) {
    let after = at + used + 1;
    if words.get(after).is_some_and(|word| word.text == "and")
        && let Some((rest, more)) = below_hundred(words, after + 1)
    {
        return ((value * 100 + rest).to_string(), used + 2 + more);
    }
    (format!("{value}00"), used + 1)
}

fn digit(word: &str) -> Option<String> {
    match word {
        "oh" | "o" => Some("0".to_owned()),
        _ if word.len() == 1 && word.as_bytes()[0].is_ascii_digit() => Some(word.to_owned()),
        _ => small(word).filter(|value| *value < 10).map(|value| value.to_string()),
    }
}

/// The digits of a unit's number as said: "four oh two" is 402, "four twelve" 412, "fourteen" 14.
pub fn unit(words: &[Word], at: usize) -> Option<(String, usize)> {
    let run = run_from(words, at)?;
    if run.digits.len() > 6 {
        return None;
    }
    let mut unit = run.digits;
    let mut used = run.at.len();
    if let Some(next) = words.get(at + used)
        && next.text.len() == 1
        && next.text.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !matches!(next.text.as_str(), "i" | "a" | "o")
    {
        unit.push_str(&next.text.to_uppercase());
        used += 1;
    }
    Some((unit, used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::words::words;

    #[test]
    fn telephone_numbers_come_in_every_fashion() {
        for (said, digits) in [
            ("five five five one two three four", "5551234"),
            ("My number is 555-1234", "5551234"),
            ("five five five, oh one two, three four five six", "5550123456"),
            ("(312) 555 0188", "3125550188"),
            ("eight hundred five five five twelve thirty-four", "8005551234"),
            ("double five five triple two one", "5552221"),
            ("area code three one two, and then five five five one two one two", "3125551212"),
        ] {
            let longest = digit_runs(&words(said)).into_iter().max_by_key(|run| run.digits.len()).unwrap();
            assert_eq!(longest.digits, digits, "{said}");
        }
    }

    #[test]
    fn whole_numbers_and_ordinals_are_understood() {
        for (said, value) in [
            ("forty-five", 45),
            ("two hundred and fifteen", 215),
            ("one thousand four hundred fifty", 1450),
            ("1,450", 1450),
            ("fourteen hundred and fifty", 1450),
        ] {
            assert_eq!(cardinal(&words(said), 0).unwrap().0, value, "{said}");
        }
        for (said, value) in [("third", 3), ("twenty-first", 21), ("21st", 21), ("thirtieth", 30)] {
            assert_eq!(ordinal(&words(said), 0).unwrap().0, value, "{said}");
        }
    }

    #[test]
    fn unit_numbers_are_understood() {
        for (said, value) in [
            ("four oh two", "402"),
            ("four twelve", "412"),
            ("fourteen", "14"),
            ("12", "12"),
            ("four b", "4B"),
            ("one hundred and two", "102"),
        ] {
            assert_eq!(unit(&words(said), 0).unwrap().0, value, "{said}");
        }
    }
}
