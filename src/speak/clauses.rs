//! Cutting a sentence into clauses: the first one is synthesised while the others wait, so that speech begins early.

use std::ops::Range;

/// A part of a sentence that can be spoken on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The text with its mark.
    pub text: String,
    /// Its bytes in the sentence.
    pub range: Range<usize>,
}

/// Words of a clause at least: shorter ones sound clipped and join their neighbour.
const WORDS_MIN: usize = 3;
/// Characters of a clause beyond which it is cut at a word even without a mark.
const CHARS_MAX: usize = 160;

/// The clauses of `sentence`, in order, without anything left out but spaces.
pub fn clauses(sentence: &str) -> Vec<Clause> {
    let mut cuts = Vec::new();
    let mut begin = 0;
    for (at, mark) in sentence.char_indices() {
        let end = at + mark.len_utf8();
        let pause = matches!(mark, ',' | ';' | ':' | '\u{2014}' | '.' | '!' | '?')
            && sentence[end..].chars().next().is_none_or(char::is_whitespace);
        let long = mark.is_whitespace() && end - begin > CHARS_MAX;
        let enough = sentence[begin..end].split_whitespace().count() >= WORDS_MIN;
        let enough_left = sentence[end..].split_whitespace().count() >= WORDS_MIN;
        if (pause && enough && enough_left) || long {
            cuts.push(begin..end);
            begin = end;
        }
    }
    cuts.push(begin..sentence.len());
    cuts.into_iter().filter_map(|range| trimmed(sentence, range)).collect()
}

fn trimmed(sentence: &str, range: Range<usize>) -> Option<Clause> {
    let piece = sentence.get(range.clone())?;
    let text = piece.trim();
    if text.is_empty() {
        return None;
    }
    let start = range.start + (piece.len() - piece.trim_start().len());
    Some(Clause { text: text.to_owned(), range: start..start + text.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_cover_the_sentence_and_are_long_enough_to_speak() {
        let sentence = "So that is a tour Tuesday, November 24 at 3:30 pm, for Anna Smith, and the number is 555-1234.";
        let cut = clauses(sentence);
        let texts: Vec<&str> = cut.iter().map(|clause| clause.text.as_str()).collect();
        assert_eq!(texts, ["So that is a tour Tuesday,", "November 24 at 3:30 pm,", "for Anna Smith,", "and the number is 555-1234."]);
        assert!(cut.iter().all(|clause| sentence[clause.range.clone()] == clause.text));
        assert_eq!(clauses("Yes, of course.").len(), 1);
        assert!(clauses("   ").is_empty());
    }

    #[test]
    fn a_text_without_marks_is_cut_at_words() {
        let long = "word ".repeat(200);
        assert!(clauses(&long).iter().all(|clause| clause.text.len() <= CHARS_MAX + 8));
    }
}
