//! An utterance as words: lower case, no punctuation, spelling told apart from numbers. What every parser here reads.

use crate::base::limits;

/// One word of an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word in lower case; digits stay digits, "p.m." is "pm", "twenty-first" is two words.
    pub text: String,
    /// Whether the first letter was a capital as it was written.
    pub capital: bool,
    /// Whether punctuation that ends a clause stood right before it.
    pub after_stop: bool,
}

/// The words of `text`, which is first cut at [`limits::UTTERANCE_CHARS_MAX`].
pub fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut stop = true;
    for raw in bounded(text).split(|c: char| c.is_whitespace() || matches!(c, '-' | '\u{2013}' | '\u{2014}' | '(' | ')' | '"' | '+')) {
        let trimmed = raw.trim_matches(|c: char| !c.is_alphanumeric() && c != '$' && c != '#' && c != '*');
        let clean = clean(trimmed);
        if clean.is_empty() {
            continue;
        }
        let capital = trimmed.chars().next().is_some_and(char::is_uppercase);
        found.push(Word { text: clean, capital, after_stop: stop });
        stop = raw.ends_with([',', '.', '?', '!', ';', ':']) && !is_half(&found);
    }
    join_halves(found)
}

/// The plain lower-case words of `text`.
pub fn plain(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

/// `text` cut at the bound, at a character.
pub fn bounded(text: &str) -> &str {
    match text.char_indices().nth(limits::UTTERANCE_CHARS_MAX) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

fn is_half(found: &[Word]) -> bool {
    found.last().is_some_and(|word| matches!(word.text.as_str(), "am" | "pm" | "a" | "p"))
}

/// Lower case; apostrophes as one kind; "1,450" without comma; "p.m." without dots.
fn clean(raw: &str) -> String {
    let lower: String = raw.to_lowercase().replace('\u{2019}', "'");
    let numeric = lower.chars().any(|c| c.is_ascii_digit());
    match lower.as_str() {
        "a.m" | "a.m." | "am" => return "am".to_owned(),
        "p.m" | "p.m." | "pm" => return "pm".to_owned(),
        _ => {}
    }
    if numeric {
        let kept: String = lower.chars().filter(|c| !matches!(c, ',' | '$' | '#')).collect();
        return if kept.contains(':') { kept } else { dotted(&kept) };
    }
    lower.chars().filter(|c| c.is_alphanumeric() || *c == '\'').collect()
}

/// "555.1234" is a number told in groups; "3.30" and "1450.50" stay as they are, without the dot's meaning.
fn dotted(text: &str) -> String {
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() >= 2 && groups.iter().all(|group| group.len() >= 3) { groups.concat() } else { text.to_owned() }
}

/// "p m" as the recogniser writes it, "3pm" as people type it.
fn join_halves(found: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(found.len());
    for mut word in found {
        let previous_is = |text: &str, joined: &[Word]| joined.last().is_some_and(|last| last.text == text);
        if word.text == "m" && (previous_is("a", &joined) || previous_is("p", &joined)) {
            if let Some(last) = joined.last_mut() {
                last.text.push('m');
            }
            continue;
        }
        let split = ["am", "pm"].iter().find_map(|half| {
            let front = word.text.strip_suffix(half)?;
            (front.chars().all(|c| c.is_ascii_digit() || c == ':') && !front.is_empty()).then(|| (front.to_owned(), (*half).to_owned()))
        });
        if let Some((front, half)) = split {
            word.text = front;
            let second = Word { text: half, capital: false, after_stop: false };
            joined.push(word);
            joined.push(second);
            continue;
        }
        joined.push(word);
    }
    joined
}

/// The stem that two forms of one word share: enough for "pets" and "pet", "booking" and "book".
pub fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    for (suffix, keep) in [("ies", 2), ("ing", 4), ("ed", 4), ("es", 4), ("s", 3)] {
        if let Some(front) = word.strip_suffix(suffix)
            && front.len() >= keep
            && !(suffix == "s" && front.ends_with('s'))
        {
            return if suffix == "ies" { format!("{front}y") } else { undouble(front) };
        }
    }
    word.to_owned()
}

fn undouble(front: &str) -> String {
    let mut back = front.chars().rev();
    match (back.next(), back.next()) {
        (Some(a), Some(b)) if a == b && !matches!(a, 'l' | 's' | 'e') => front[..front.len() - a.len_utf8()].to_owned(),
        (Some('e'), _) => front[..front.len() - 1].to_owned(),
        _ => front.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_case_and_halves_of_the_day_are_told_apart() {
        assert_eq!(plain("Hi, I'd like Tuesday at 3:30 P.M., please."), ["hi", "i'd", "like", "tuesday", "at", "3:30", "pm", "please"]);
        assert_eq!(plain("three thirty p m"), ["three", "thirty", "pm"]);
        assert_eq!(plain("555-1234 or 3pm; $1,450"), ["555", "1234", "or", "3", "pm", "1450"]);
        assert_eq!(plain("555.123.4567"), ["5551234567"]);
        assert!(words("okay. Next")[1].after_stop);
    }

    #[test]
    fn stems_join_the_forms_of_a_word() {
        for (one, other) in
            [("pets", "pet"), ("booking", "book"), ("parking", "park"), ("policies", "policy"), ("pet's", "pet"), ("leases", "leased")]
        {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
    }

    #[test]
    fn a_hostile_length_is_cut() {
        assert!(words(&"a ".repeat(100_000)).len() <= limits::UTTERANCE_CHARS_MAX);
    }
}
