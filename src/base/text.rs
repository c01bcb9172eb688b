//! Sentences of a text.

/// The sentences of `text`, each with its mark. "a.m.", "Dr.", "St." and "3.5" do not end one.
pub fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut begin = 0;
    for (at, mark) in text.char_indices() {
        let end = at + mark.len_utf8();
        let ends = match mark {
            '\n' => text[end..].starts_with('\n'),
            '.' | '!' | '?' => {
                text[end..].chars().next().is_none_or(char::is_whitespace) && !(mark == '.' && abbreviated(&text[begin..at]))
            }
            _ => false,
        };
        if ends {
            push(&mut found, &text[begin..end]);
            begin = end;
        }
    }
    push(&mut found, &text[begin..]);
    found
}

fn push(found: &mut Vec<String>, piece: &str) {
    let joined = piece.split_whitespace().collect::<Vec<_>>().join(" ");
    if !joined.is_empty() {
        found.push(joined);
    }
}

/// Whether the word before a full stop is one that carries a stop of its own.
fn abbreviated(front: &str) -> bool {
    let last = front.rsplit(char::is_whitespace).next().unwrap_or("").to_lowercase();
    matches!(last.as_str(), "a.m" | "p.m" | "mr" | "mrs" | "ms" | "dr" | "st" | "ave" | "rd" | "apt" | "no" | "vs" | "e.g" | "i.e")
        && last != "no"
        || last.chars().count() == 1 && last.chars().all(char::is_alphabetic) && last != "i"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_inside_a_number_or_an_abbreviation_does_not_end_a_sentence() {
        assert_eq!(
            sentences("We open at 9 a.m. on Main St. today. Rent is 3.5 times.  Ask Dr. Bell! No. Why?"),
            ["We open at 9 a.m. on Main St. today.", "Rent is 3.5 times.", "Ask Dr. Bell!", "No.", "Why?"]
        );
        assert!(sentences("  \n ").is_empty());
    }
}
