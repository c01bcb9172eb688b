//! Cutting a sentence into the clauses that a voice speaks one by one, so that the first sounds while the next is made. Pure.

use std::ops::Range;

/// Clauses with fewer letters and digits than this are spoken together with what follows: "Yes, we do." has one breath.
const CLAUSE_LETTERS_MIN: usize = 10;

/// The byte ranges of the clauses of `text`, in order, without the white space between them. A clause ends behind `, ; : . ? !` before white
/// space, so that "3:30", "1,500" and "a.m." stay whole; every letter and digit of `text` is in exactly one clause.
pub fn clauses(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut letters = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        letters += usize::from(c.is_alphanumeric());
        let before_space = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        let ends = chars.peek().is_none() || (before_space && is_stop(c) && letters >= CLAUSE_LETTERS_MIN);
        if !ends {
            continue;
        }
        let range = trimmed(text, start..end);
        start = end;
        if letters > 0 {
            found.push(range);
        } else if let Some(last) = found.last_mut() {
            last.end = range.end.max(last.end);
        }
        letters = 0;
    }
    join_short_tail(text, found)
}

/// Whether a clause may end behind this character.
pub fn is_stop(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '.' | '?' | '!' | '。' | '，' | '？' | '！')
}

/// A last clause of one short word belongs to the one before it.
fn join_short_tail(text: &str, mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    if let [.., before, last] = found.as_mut_slice() {
        let letters = text.get(last.clone()).unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).count();
        if letters < CLAUSE_LETTERS_MIN / 2 {
            before.end = last.end;
            found.pop();
        }
    }
    found
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        clauses(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn clauses_end_at_their_punctuation_and_short_ones_join() {
        assert_eq!(cut("Thank you for calling, how can I help you?"), ["Thank you for calling,", "how can I help you?"]);
        assert_eq!(cut("Yes, we do. Anything else?"), ["Yes, we do. Anything else?"]);
        assert_eq!(cut("You are booked for Tuesday at 3:30, okay?"), ["You are booked for Tuesday at 3:30, okay?"]);
        assert_eq!(cut("It is 1,500 a month at ten a.m. sharp today"), ["It is 1,500 a month at ten a.m.", "sharp today"]);
        assert_eq!(cut("  "), Vec::<&str>::new());
        assert_eq!(cut("..."), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn every_letter_is_in_exactly_one_clause_and_ranges_are_cut_at_characters(text in "[a-z0-9é ,.?!:;]{0,200}") {
            let ranges = clauses(&text);
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
            let joined: String = ranges.iter().map(|range| text.get(range.clone()).unwrap()).collect();
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(letters(&joined), letters(&text));
        }
    }
}
