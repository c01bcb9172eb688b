//! Times of day as callers say them: "half past three", "3:30 p.m.", "three", "in the afternoon".

use std::ops::Range;

use super::numbers::{ordinal, small, tens};
use super::when::{Half, Part, TimeSaid};
use super::words::Word;

/// The last time said in `words`, with the words it took. `bare`: a lone number counts, because a time was asked for.
pub fn find_time(words: &[Word], bare: bool) -> Option<(TimeSaid, Range<usize>)> {
    let mut found: Option<(TimeSaid, Range<usize>)> = None;
    let mut at = 0;
    while at < words.len() {
        match time_at(words, at, bare) {
            Some((time, used)) => {
                let weaker = matches!(time, TimeSaid::Part(_)) && matches!(found, Some((TimeSaid::Clock { .. }, _)));
                if !weaker {
                    found = Some((time, at..at + used));
                }
                at += used;
            }
            None => at += 1,
        }
    }
    found
}

fn time_at(words: &[Word], at: usize, bare: bool) -> Option<(TimeSaid, usize)> {
    let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    match (text(0), text(1)) {
        ("noon" | "midday", _) => return Some((TimeSaid::Clock { hour: 12, minute: 0, half: Some(Half::Pm) }, 1)),
        ("half", "past") => return small(text(2)).and_then(|hour| clock(hour, 30, words, at + 3)).map(|(time, used)| (time, used + 3)),
        ("quarter", "past" | "after") => {
            return small(text(2)).and_then(|hour| clock(hour, 15, words, at + 3)).map(|(time, used)| (time, used + 3));
        }
        ("quarter", "to" | "of") => {
            let hour = small(text(2))?;
            return clock(if hour <= 1 { 12 } else { hour - 1 }, 45, words, at + 3).map(|(time, used)| (time, used + 3));
        }
        ("good", "morning" | "afternoon" | "evening" | "night") => return None,
        ("morning" | "afternoon" | "evening", clock) if clock.bytes().any(|byte| byte.is_ascii_digit()) || small(clock).is_some() => {
            let half = if text(0) == "morning" { Half::Am } else { Half::Pm };
            let plain = Some((TimeSaid::Part(if half == Half::Am { Part::Morning } else { Part::Afternoon }), 1));
            return half_then_clock(words, at + 1, half).or(plain);
        }
        ("morning", _) if at == 0 || text_before(words, at) != "good" => return Some((TimeSaid::Part(Part::Morning), 1)),
        ("afternoon", _) if text_before(words, at) != "good" => return Some((TimeSaid::Part(Part::Afternoon), 1)),
        ("after", "lunch") => return Some((TimeSaid::Part(Part::Afternoon), 2)),
        ("after", "work") => return Some((TimeSaid::Part(Part::Evening), 2)),
        ("evening", _) if text_before(words, at) != "good" => return Some((TimeSaid::Part(Part::Evening), 1)),
        _ => {}
    }
    clock_at(words, at, bare)
}

/// "Afternoon 3", "morning 9:45": the half stands first.
fn half_then_clock(words: &[Word], at: usize, half: Half) -> Option<(TimeSaid, usize)> {
    let word = words.get(at)?.text.as_str();
    if let Some((hour, minute)) = word.split_once(':') {
        let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
        return (hour <= 12 && minute < 60).then_some((TimeSaid::Clock { hour, minute, half: Some(half) }, 2));
    }
    let hour = word.parse().ok().or_else(|| small(word)).filter(|hour| (1..=12).contains(hour))?;
    let (minute, used) = minutes(words, at + 1);
    let counted = used == 0 && unit_of_something(words, at + 1);
    let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
    (!counted).then_some((TimeSaid::Clock { hour, minute, half: Some(half) }, 2 + used))
}

pub(super) fn text_before(words: &[Word], at: usize) -> &str {
    at.checked_sub(1).and_then(|before| words.get(before)).map_or("", |word| word.text.as_str())
}

/// A clock time at `at`: "3:30", "three thirty", "three", each with or without its half of the day.
fn clock_at(words: &[Word], at: usize, bare: bool) -> Option<(TimeSaid, usize)> {
    let word = words.get(at)?.text.as_str();
    if let Some((hour, minute)) = word.split_once(':') {
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        return clock(hour, minute, words, at + 1).map(|(time, used)| (time, used + 1));
    }
    let numeral = word.parse::<u32>().ok();
    if let Some(value) = numeral.filter(|value| (100..=1259).contains(value) && (3..=4).contains(&word.len())) {
        // "1030", as some recognisers write "ten thirty".
        if led(words, at) || halved(words, at + 1) || bare && words.len() <= 4 {
            return clock(value / 100, value % 100, words, at + 1).map(|(time, used)| (time, used + 1));
        }
        return None;
    }
    let hour = numeral.or_else(|| small(word)).filter(|hour| (1..=24).contains(hour))?;
    if word == "one" && one_of_several(words, at) {
        return None;
    }
    let (minute, used) = minutes(words, at + 1);
    let lead = led(words, at);
    let half = halved(words, at + 1 + used);
    let alone = bare && words.len() <= 5 && !unit_of_something(words, at + 1);
    let sure =
        half || (used > 0 && hour <= 12 && !run_of_digits(words, at, 1 + used)) || (lead && !unit_of_something(words, at + 1)) || alone;
    if !sure || run_of_digits(words, at, 1 + used) && !half {
        return None;
    }
    clock(hour, minute, words, at + 1 + used).map(|(time, more)| (time, 1 + used + more))
}

/// The minutes after an hour: "thirty", "forty-five", "oh five", "fifteen", "o'clock".
fn minutes(words: &[Word], at: usize) -> (u32, usize) {
    let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    if matches!(text(0), "o'clock" | "oclock") {
        return (0, 1);
    }
    if matches!(text(0), "oh" | "o")
        && let Some(unit) = small(text(1)).filter(|unit| (1..10).contains(unit))
    {
        return (unit, 2);
    }
    if let Some(ten) = tens(text(0)).filter(|ten| *ten < 60) {
        return match small(text(1)).filter(|unit| (1..10).contains(unit)) {
            Some(unit) => (ten + unit, 2),
            None => (ten, 1),
        };
    }
    match small(text(0)).filter(|value| (10..20).contains(value)) {
        Some(value) => (value, 1),
        None => text(0).parse().ok().filter(|value| (10..60).contains(value) && text(0).len() == 2).map_or((0, 0), |value| (value, 1)),
    }
}

/// "The second one", "that one": no hour.
fn one_of_several(words: &[Word], at: usize) -> bool {
    let before = text_before(words, at);
    ordinal(words, at.saturating_sub(1)).is_some_and(|_| at > 0)
        || matches!(
            before,
            "last"
                | "earlier"
                | "later"
                | "other"
                | "that"
                | "this"
                | "which"
                | "either"
                | "any"
                | "the"
                | "latest"
                | "earliest"
                | "good"
                | "another"
        )
}

/// Whether a word right before says that a time follows.
fn led(words: &[Word], at: usize) -> bool {
    matches!(
        text_before(words, at),
        "at" | "around" | "about" | "after" | "before" | "by" | "until" | "till" | "that" | "it" | "say" | "from" | "to"
    )
}

fn halved(words: &[Word], at: usize) -> bool {
    let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    matches!(text(0), "am" | "pm" | "o'clock" | "oclock")
        || (matches!(text(0), "in" | "at" | "tomorrow") && half_after(words, at).is_some())
}

fn half_after(words: &[Word], at: usize) -> Option<(Half, usize)> {
    let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    match (text(0), text(1), text(2)) {
        ("am", ..) => Some((Half::Am, 1)),
        ("pm", ..) => Some((Half::Pm, 1)),
        ("in", "the", "morning") => Some((Half::Am, 3)),
        ("in", "the", "afternoon" | "evening") => Some((Half::Pm, 3)),
        ("tomorrow", "morning", _) => Some((Half::Am, 2)),
        ("at", "night", _) | ("tomorrow", "afternoon" | "evening", _) => Some((Half::Pm, 2)),
        _ => None,
    }
}

/// Whether what follows makes the number a count: "two people", "three bedroom", "five hundred".
fn unit_of_something(words: &[Word], at: usize) -> bool {
    words.get(at).is_some_and(|word| {
        let counted = [
            "bed",
            "bedroom",
            "bedrooms",
            "beds",
            "bath",
            "bathroom",
            "bathrooms",
            "people",
            "person",
            "persons",
            "adults",
            "kids",
            "children",
            "dog",
            "dogs",
            "cat",
            "cats",
            "pets",
            "hundred",
            "thousand",
            "dollars",
            "day",
            "days",
            "week",
            "weeks",
            "month",
            "months",
            "year",
            "years",
            "minutes",
            "minute",
            "hour",
            "hours",
            "of",
            "and",
            "or",
            "percent",
            "blocks",
            "miles",
            "times",
            "cars",
            "more",
        ];
        counted.contains(&word.text.as_str()) || small(&word.text).is_some_and(|value| value < 10)
    })
}

/// Whether the numbers around `at` are more than a time can have: then it is a telephone or a unit number.
fn run_of_digits(words: &[Word], at: usize, used: usize) -> bool {
    let number =
        |word: &Word| small(&word.text).is_some() || tens(&word.text).is_some() || word.text.bytes().all(|byte| byte.is_ascii_digit());
    let before = at.checked_sub(1).and_then(|index| words.get(index)).is_some_and(number);
    before || words.get(at + used).is_some_and(number)
}

fn clock(hour: u32, minute: u32, words: &[Word], after: usize) -> Option<(TimeSaid, usize)> {
    if hour > 24 || minute > 59 {
        return None;
    }
    let (hour, minute) = (i8::try_from(hour % 24).ok()?, i8::try_from(minute).ok()?);
    let skip = usize::from(words.get(after).is_some_and(|word| matches!(word.text.as_str(), "o'clock" | "oclock")));
    let (half, used) = match half_after(words, after + skip) {
        Some((half, used)) => (Some(half), used + skip),
        None => (None, skip),
    };
    // "Tomorrow" belongs to the day as well: it is left for the day's parser, which reads the same words.
    Some((TimeSaid::Clock { hour, minute, half: if hour > 12 { Some(Half::Pm) } else { half } }, used))
}
