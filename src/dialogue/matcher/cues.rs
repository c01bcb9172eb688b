//! Phrases that tell an intent. `a|b` is either, `..` is up to four words between, `^` and `$` are the ends.

use std::sync::OnceLock;

use super::super::event::Expected;
use super::super::fuzzy;
use super::super::proposal::Intent;
use super::super::words::Word;
use super::agreement::{NO, NO_PHRASES, SHORT, YES, YES_PHRASES};
use super::phrases::CUES;

#[derive(Debug)]
enum Piece {
    Any(Vec<String>),
    Gap,
    Start,
    End,
}

struct Cue {
    intent: Intent,
    confidence: f32,
    pieces: Vec<Piece>,
}

fn compile(pattern: &str) -> Vec<Piece> {
    pattern
        .split_whitespace()
        .map(|piece| match piece {
            ".." => Piece::Gap,
            "^" => Piece::Start,
            "$" => Piece::End,
            words => Piece::Any(words.split('|').map(str::to_owned).collect()),
        })
        .collect()
}

fn cues() -> &'static [Cue] {
    static COMPILED: OnceLock<Vec<Cue>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let phrases =
            CUES.iter().flat_map(|(intent, confidence, patterns)| patterns.iter().map(move |pattern| (*intent, *confidence, *pattern)));
        phrases.map(|(intent, confidence, pattern)| Cue { intent, confidence, pieces: compile(pattern) }).collect()
    })
}

/// What agrees and what refuses.
struct YesNo {
    yes: Vec<Vec<Piece>>,
    no: Vec<Vec<Piece>>,
}

fn yes_no_phrases() -> &'static YesNo {
    static COMPILED: OnceLock<YesNo> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let compiled = |phrases: &[&str]| phrases.iter().map(|phrase| compile(phrase)).collect();
        YesNo { yes: compiled(YES_PHRASES), no: compiled(NO_PHRASES) }
    })
}

/// Words that a `..` stands for at most.
const GAP_MAX: usize = 4;

fn matches(words: &[Word], pieces: &[Piece], at: usize) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return true };
    match first {
        Piece::Start => at == 0 && matches(words, rest, at),
        Piece::End => at == words.len(),
        Piece::Gap => (0..=GAP_MAX).any(|skip| at + skip <= words.len() && matches(words, rest, at + skip)),
        Piece::Any(choices) => {
            if at == words.len() {
                return choices.iter().any(|choice| choice == "$") && matches(words, rest, at);
            }
            words.get(at).is_some_and(|word| choices.iter().any(|choice| same(choice, &word.text))) && matches(words, rest, at + 1)
        }
    }
}

/// A slip is forgiven only in long words: short ones are one slip away from each other.
fn same(choice: &str, word: &str) -> bool {
    choice == word || choice.len() >= 7 && fuzzy::close(choice, word)
}

fn found(words: &[Word], pieces: &[Piece]) -> bool {
    (0..=words.len()).any(|at| matches(words, pieces, at))
}

fn shortened(words: &[Word]) -> Vec<Word> {
    let mut short: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        let joined =
            short.last().and_then(|last| SHORT.iter().find(|(one, other, _)| last.text == *one && word.text == *other && !word.after_stop));
        match (joined, short.last_mut()) {
            (Some((.., joined)), Some(last)) => (*joined).clone_into(&mut last.text),
            _ => short.push(Word { text: if word.text == "cannot" { "can't".to_owned() } else { word.text.clone() }, ..word.clone() }),
        }
    }
    short
}

/// The intent whose phrases fit best, and how sure that is.
pub fn best(words: &[Word], expected: Expected) -> (Intent, f32) {
    if words.is_empty() {
        return (Intent::Other, 0.0);
    }
    let words = &shortened(words)[..];
    let mut best = (Intent::Other, 0.2_f32);
    let denied =
        words.windows(3).any(|at| matches!(at[0].text.as_str(), "not" | "no" | "isn't") && at.iter().any(|word| word.text == "emergency"));
    for cue in cues().iter().filter(|cue| !(denied && cue.intent == Intent::Emergency)) {
        if cue.confidence > best.1 && found(words, &cue.pieces) {
            best = (cue.intent, cue.confidence);
        }
    }
    if best.0 == Intent::Goodbye && matches!(expected, Expected::Message) && words.len() > 6 {
        best.1 = 0.5;
    }
    yes_or_no(words, expected, best)
}

/// Agreement and refusal. They are certain when asked for; a wish that follows them wins.
fn yes_or_no(words: &[Word], expected: Expected, best: (Intent, f32)) -> (Intent, f32) {
    let asked = !matches!(expected, Expected::Open | Expected::Message | Expected::Problem);
    let first = words.iter().find(|word| {
        !matches!(word.text.as_str(), "um" | "uh" | "oh" | "well" | "so" | "hmm" | "ah" | "actually" | "i" | "think" | "guess")
    });
    let first = first.map_or("", |word| word.text.as_str());
    let thanks = words.iter().any(|word| matches!(word.text.as_str(), "thanks" | "thank"));
    // "That won't work" after an offer is about the offer, not about a broken thing.
    let best = if expected != Expected::Problem
        && best.0 == Intent::Maintenance
        && words.len() <= 8
        && matches!(first, "that" | "this" | "no" | "nope" | "sorry")
    {
        (Intent::Other, 0.2)
    } else {
        best
    };
    let refusing =
        NO.contains(&first) || words.len() <= 8 && yes_no_phrases().no.iter().any(|phrase| found(words, phrase)) && !YES.contains(&first);
    let agreeing = YES.contains(&first) || words.len() <= 8 && yes_no_phrases().yes.iter().any(|phrase| found(words, phrase));
    let leaving = words.iter().any(|word| matches!(word.text.as_str(), "goodbye" | "bye")) && best.0 == Intent::Goodbye;
    let door = leaving
        || matches!(
            best.0,
            Intent::Emergency | Intent::Human | Intent::Robot | Intent::Repeat | Intent::Callback | Intent::Message | Intent::Cancel
        ) && best.1 >= 0.9;
    if door && !(best.0 == Intent::Cancel && expected == Expected::Confirm) {
        return best;
    }
    if expected == Expected::Anything && refusing && (words.len() <= 6 || thanks || best.0 == Intent::Goodbye) && !wish(best) {
        return (Intent::Goodbye, 0.95);
    }
    if refusing && (asked || words.len() <= 3) {
        return if wish(best) && best.0 != Intent::Reschedule { best } else { (Intent::No, 0.93) };
    }
    if thanks && !asked && words.len() <= 10 && !wish(best) && best.0 != Intent::Question && !words.iter().any(|word| word.text == "please")
    {
        return (Intent::Goodbye, 0.88);
    }
    if agreeing
        && (asked || YES.contains(&first) && best.0 != Intent::Question || words.len() <= 3)
        && !(best.0 == Intent::Goodbye && expected == Expected::Anything)
    {
        return if wish(best) && !matches!(expected, Expected::YesNo | Expected::Confirm)
            || wish(best) && words.len() > 6 && best.0 != Intent::Book
        {
            best
        } else {
            (Intent::Yes, 0.93)
        };
    }
    if thanks && best.1 < 0.9 && words.len() <= 6 && matches!(expected, Expected::Anything | Expected::Open) {
        return (Intent::Goodbye, 0.88);
    }
    best
}

/// Whether the phrases tell a wish of its own.
fn wish(best: (Intent, f32)) -> bool {
    best.1 >= 0.85 && !matches!(best.0, Intent::Goodbye | Intent::Wait | Intent::Greeting)
}
