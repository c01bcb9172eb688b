//! Values in the caller's words: numbers first, then units and rooms, days, times, names. Words that one value took are not read again.

use std::collections::BTreeSet;

use super::super::event::Expected;
use super::super::proposal::Proposal;
use super::super::slots::{SlotKey, SlotValues};
use super::super::words::{Word, plain, words};
use super::super::{clock, fuzzy, numbers, when};
use crate::base::Pii;

/// Digits of a telephone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Everything that `words` say after `expected` was asked.
pub fn find(words: &[Word], expected: Expected) -> SlotValues {
    let mut values = SlotValues::new();
    let mut set = |key: SlotKey, value: String| {
        values.insert(key, Pii::new(value));
    };
    let mut left = words.to_vec();
    let phone = phone(&left, expected);
    if let Some((digits, at)) = phone {
        set(SlotKey::Phone, digits);
        left.drain(at);
    }
    if let Some((value, at)) = unit(&left, expected) {
        set(SlotKey::Unit, value);
        left.drain(at);
    }
    if let Some((value, at)) = beds(&left, expected) {
        set(SlotKey::Beds, value);
        left.drain(at);
    }
    let bare = matches!(expected, Expected::Time | Expected::Day | Expected::YesNo | Expected::Confirm);
    let day = when::find_day(&left);
    if let Some((time, _)) = clock::find_time(&left, bare && day.as_ref().is_none_or(|(_, at)| at.len() < left.len())) {
        set(SlotKey::Time, time.canonical());
    }
    if let Some((day, at)) = day {
        set(SlotKey::Day, day.canonical());
        left.drain(at);
    }
    if let Some(month) = left
        .iter()
        .find(|word| when::month(&word.text).is_some() && (word.text != "may" || word.capital && !word.after_stop))
        .and_then(|word| when::month(&word.text))
    {
        set(SlotKey::Month, when::month_name(month).to_lowercase());
    }
    if let Some(name) = name(&left, expected) {
        set(SlotKey::Name, name);
    }
    if let Some(utility) = utility(&left) {
        set(SlotKey::Utility, utility.to_owned());
    }
    values
}

/// A telephone number; where one was asked for, also the half of one.
fn phone(words: &[Word], expected: Expected) -> Option<(String, std::ops::Range<usize>)> {
    let longest = numbers::digit_runs(words).into_iter().max_by_key(|run| run.digits.len())?;
    let enough = PHONE_DIGITS.contains(&longest.digits.len()) || expected == Expected::Phone && (2..7).contains(&longest.digits.len());
    enough.then_some((longest.digits, longest.at))
}

fn unit(words: &[Word], expected: Expected) -> Option<(String, std::ops::Range<usize>)> {
    for (at, word) in words.iter().enumerate() {
        if !matches!(word.text.as_str(), "unit" | "apartment" | "apt" | "suite" | "flat") {
            continue;
        }
        let skip = words
            .get(at + 1..)
            .unwrap_or_default()
            .iter()
            .take_while(|word| matches!(word.text.as_str(), "number" | "is" | "it's"))
            .count();
        if let Some((unit, used)) = numbers::unit(words, at + 1 + skip) {
            return Some((unit, at..at + 1 + skip + used));
        }
    }
    if expected != Expected::Unit {
        return None;
    }
    (0..words.len()).find_map(|at| numbers::unit(words, at).map(|(unit, used)| (unit, at..at + used)))
}

fn beds(words: &[Word], expected: Expected) -> Option<(String, std::ops::Range<usize>)> {
    for (at, word) in words.iter().enumerate() {
        if word.text == "studio" || word.text == "studios" {
            return Some(("0".to_owned(), at..at + 1));
        }
        let noun = words.get(at + 1).is_some_and(|next| matches!(next.text.as_str(), "bedroom" | "bedrooms" | "bed" | "beds" | "br"));
        if noun && let Some(count) = numbers::small(&word.text).or_else(|| word.text.parse().ok()).filter(|count| (1..=4).contains(count)) {
            return Some((count.to_string(), at..at + 2));
        }
    }
    if expected != Expected::Beds || words.len() > 5 {
        return None;
    }
    let count = |word: &Word| numbers::small(&word.text).or_else(|| word.text.parse().ok()).filter(|count| (0..=4).contains(count));
    words.iter().enumerate().find_map(|(at, word)| count(word).map(|count| (count.to_string(), at..at + 1)))
}

fn utility(words: &[Word]) -> Option<&'static str> {
    let named = |word: &str| match word {
        "power" | "electricity" | "lights" => Some("power"),
        "internet" | "wifi" | "connection" => Some("internet"),
        "water" => Some("water"),
        "gas" => Some("gas"),
        "heat" | "heating" => Some("heat"),
        "cable" | "television" => Some("cable"),
        _ => None,
    };
    words.iter().find_map(|word| named(&word.text))
}

/// Words that are no names, however they are capitalised.
const NO_NAMES: &str = "a an the and or but so if in on at for to of with from by not no yes yeah yep okay ok sure hi hello hey thanks thank you please sorry i i'm i'd i've \
    i'll my me we our us it it's is are am was be this that there here what when where who how which why looking calling interested wondering trying hoping going \
    wanting just still also about really very good fine great right correct wrong done ready new old free available able afraid tenant resident customer one two \
    three four five six seven eight nine ten monday tuesday wednesday thursday friday saturday sunday today tomorrow morning afternoon evening noon pm am o'clock \
    apartment unit bedroom studio tour appointment name number phone call back office manager person human robot machine maintenance leak locked out outside home \
    running late on don't do does did can can't could would will want need have has had get got like know think maybe actually well um uh oh hmm ah let see \
    goodbye bye nothing anything something everything someone somebody nobody all day week month time help question rent pets dogs cats parking deposit urgent \
    emergency broken leaking clogged problem issue water power heat gas happening moving living having speaking that's what's let's who's where's here's they they're you're go ahead course sounds works allow whatever never mind nevermind cancel repeat again under put down it'll been because";

/// A name: after "my name is" and the like, or bare when a name was asked for.
fn name(words: &[Word], expected: Expected) -> Option<String> {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    for at in 0..words.len() {
        let (sure, from) = match (text(at), text(at + 1), text(at + 2)) {
            ("name", "is" | "was", _) => (true, at + 2),
            ("name's" | "named", ..) => (true, at + 1),
            ("under", "the", "name") => (true, at + 3),
            ("under" | "call", word, _) if text(at) == "under" || word == "me" => (false, if word == "me" { at + 2 } else { at + 1 }),
            ("this" | "it" | "that" | "here", "is", _) => (false, at + 2),
            ("i" | "i'm" | "it's", ..) => (false, if text(at + 1) == "am" { at + 2 } else { at + 1 }),
            _ => continue,
        };
        if let Some(name) = name_from(words, from, sure || expected == Expected::Name) {
            return Some(name);
        }
    }
    if let Some(at) = words.iter().position(|word| word.text == "speaking").filter(|at| (1..=3).contains(at))
        && let Some(name) = name_from(words, 0, false).filter(|name| name.split(' ').count() == at)
    {
        return Some(name);
    }
    None
}

/// A name by itself, as an answer: nothing but a few courtesies stands before it, and nothing that is no name after it.
pub fn bare_name(words: &[Word]) -> Option<String> {
    const BEFORE: [&str; 17] =
        ["yes", "yeah", "yep", "sure", "okay", "ok", "um", "uh", "oh", "well", "so", "hi", "hello", "it's", "the", "name", "is"];
    let from = words.iter().take_while(|word| BEFORE.contains(&word.text.as_str())).count();
    let rest = words.get(from..).unwrap_or_default();
    let after = rest.iter().take_while(|word| word.text != "please").count();
    let spelt = rest.iter().filter(|word| word.text.chars().count() == 1).count();
    let alone =
        after - spelt.min(after) <= 4 && rest.iter().take(after).all(|word| !is_no_name(&word.text) || word.text.chars().count() == 1);
    if alone { name_from(words, from, true) } else { None }
}

/// Up to four words of a name. `sure`: it was introduced as one, so small letters will do.
fn name_from(words: &[Word], from: usize, sure: bool) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut letters = String::new();
    for word in words.get(from..)?.iter().take(14) {
        let alphabetic = word.text.chars().all(|c| c.is_alphabetic() || c == '\'');
        if word.text.chars().count() == 1 && alphabetic && (!letters.is_empty() || word.text != "i" && word.text != "a") {
            // Spelt letter by letter.
            letters.push_str(&word.text);
            continue;
        }
        let stop = !alphabetic || is_no_name(&word.text) || !(sure || word.capital) || (word.after_stop && !parts.is_empty());
        if stop || parts.len() == 4 || !letters.is_empty() {
            break;
        }
        parts.push(capitalised(&word.text));
    }
    if letters.chars().count() >= 3 {
        spell(&mut parts, &letters);
    } else if letters.chars().count() == 1 && !parts.is_empty() {
        parts.push(letters.to_uppercase());
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// "Smith, S M I T H": the spelling stands for the word that it spells.
fn spell(parts: &mut Vec<String>, letters: &str) {
    let spelt = capitalised(letters);
    match parts.iter_mut().rev().find(|part| fuzzy::alike(part, &spelt) > 0.75) {
        Some(part) => *part = spelt,
        None => parts.push(spelt),
    }
}

fn is_no_name(word: &str) -> bool {
    static NONE: std::sync::OnceLock<BTreeSet<&'static str>> = std::sync::OnceLock::new();
    NONE.get_or_init(|| NO_NAMES.split_whitespace().collect()).contains(word)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A name as a model wrote it: letters only, capitals, at most four words; none when it can be no name.
pub fn tidy_name(value: &str) -> Option<String> {
    let parts: Vec<String> = plain(value)
        .into_iter()
        .filter(|word| word.chars().all(|c| c.is_alphabetic() || c == '\''))
        .take(4)
        .map(|word| capitalised(&word))
        .collect();
    let real = parts.iter().any(|part| !is_no_name(&part.to_lowercase()));
    real.then(|| parts.join(" "))
}

/// The slots of a model's proposal whose values the caller did not say.
pub fn ungrounded(values: &SlotValues, heard: &str) -> BTreeSet<SlotKey> {
    let said = words(heard);
    let mut digits: String = numbers::digit_runs(&said).into_iter().map(|run| run.digits).collect();
    digits.push(' ');
    digits.extend(plain(heard).concat().chars().filter(char::is_ascii_digit));
    let grounded = |key: SlotKey, value: &str| -> bool {
        plain(value).iter().all(|word| {
            if word.bytes().any(|byte| byte.is_ascii_digit()) {
                let bare: String = word.chars().filter(char::is_ascii_digit).collect();
                return match key {
                    SlotKey::Time => true,
                    SlotKey::Beds => heard.to_lowercase().contains("studio") || digits.contains(&bare),
                    SlotKey::Day => when::find_day(&said).is_some(),
                    _ => digits.contains(&bare) || numbers_said(&said).contains(&bare),
                };
            }
            matches!(key, SlotKey::Topic | SlotKey::Service | SlotKey::Utility | SlotKey::Beds)
                || matches!(word.as_str(), "am" | "pm" | "is" | "the")
                || said.iter().any(|said| said.text == *word || fuzzy::close(word, &said.text))
        })
    };
    // A time is grounded when the caller said one at all: the rules read it from the words again anyway.
    let time_said = clock::find_time(&said, true).is_some();
    let fails = |key: SlotKey, value: &str| if key == SlotKey::Time { !time_said } else { !grounded(key, value) };
    values.iter().filter(|(key, value)| fails(**key, value.expose())).map(|(key, _)| *key).collect()
}

fn numbers_said(said: &[Word]) -> BTreeSet<String> {
    (0..said.len()).filter_map(|at| numbers::cardinal(said, at)).map(|(value, _)| value.to_string()).collect()
}

/// What is wrong, in the caller's words, without greeting, name, number and unit; none when they only said that something is
/// ("I have a maintenance request").
pub fn problem(heard: &str, proposal: &Proposal) -> Option<String> {
    const HOLLOW: &str = "maintenance request problem issue repair report need want like would calling about have has is a an the my i i'm i'd to in with some please help \
        make put for it's its there there's apartment unit yes can could you send someone fix something wrong got me and";
    const LEADING: &str = "hi hello hey yes yeah um uh so well okay ok please i i'm i'd i've my the a an we have has there is there's it's calling because about to report that like need";
    let hollow: BTreeSet<&str> = HOLLOW.split_whitespace().collect();
    let leading: BTreeSet<&str> = LEADING.split_whitespace().collect();
    let mut left = words(heard);
    while let Some((_, at)) = unit(&left, Expected::Open) {
        let from = if at.start > 0 && left.get(at.start - 1).is_some_and(|word| matches!(word.text.as_str(), "in" | "at" | "for" | "from"))
        {
            at.start - 1
        } else {
            at.start
        };
        left.drain(from..at.end);
    }
    let mut clauses: Vec<Vec<String>> = Vec::new();
    for word in left {
        match clauses.last_mut() {
            Some(clause) if !word.after_stop => clause.push(word.text),
            _ => clauses.push(vec![word.text]),
        }
    }
    let told: Vec<String> = clauses
        .into_iter()
        .filter(|clause| !about_the_caller(clause))
        .filter_map(|clause| {
            let from = clause.iter().take_while(|word| leading.contains(word.as_str())).count();
            let rest = clause.get(from..).unwrap_or_default();
            rest.iter().any(|word| !hollow.contains(word.as_str())).then(|| rest.join(" "))
        })
        .collect();
    if told.is_empty() {
        return proposal.slots.get(&SlotKey::Problem).map(|problem| problem.expose().clone());
    }
    Some(told.join(", "))
}

/// "My name is ..", "my number is ..", "I live here": not the problem.
fn about_the_caller(clause: &[String]) -> bool {
    let has = |word: &str| clause.iter().any(|said| said == word);
    has("name")
        || has("number") && has("my")
        || clause.first().is_some_and(|word| word == "this") && clause.len() <= 4
        || has("thanks")
        || has("thank")
        || (clause.len() <= 6 && (has("live") || has("tenant") || has("resident")))
}
