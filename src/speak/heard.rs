//! What was heard of what was said: from samples played back to words.

/// The words of `text` whose end lies within `played` of `length` samples, as if every character took the same time.
pub fn share(text: &str, played: u64, length: u64) -> &str {
    if played == 0 || length == 0 {
        return "";
    }
    let characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let reached = usize::try_from(characters.saturating_mul(played.min(length)) / length).unwrap_or(usize::MAX);
    let at = text.char_indices().nth(reached).map_or(text.len(), |(at, _)| at);
    let front = &text[..at];
    let ends_word = text[at..].chars().next().is_none_or(char::is_whitespace);
    let cut = if ends_word { front.len() } else { front.rfind(char::is_whitespace).unwrap_or(0) };
    front[..cut].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_as_heard_when_it_was_played_whole() {
        let text = "You are booked for Tuesday";
        assert_eq!(share(text, 0, 1_000), "");
        assert_eq!(share(text, 1_000, 1_000), text);
        assert_eq!(share(text, 500, 1_000), "You are");
        assert_eq!(share(text, 5_000, 1_000), text);
        assert_eq!(share("é è", 500, 1_000), "é");
    }
}
