//! Words that differ by a slip of the recogniser. The only file that names `strsim`.

/// Whether `heard` is `word` but for one slip in five letters or two in nine.
pub fn close(word: &str, heard: &str) -> bool {
    if word == heard {
        return true;
    }
    let length = word.chars().count().min(heard.chars().count());
    let slips = match length {
        0..=4 => return false,
        5..=8 => 1,
        _ => 2,
    };
    word.chars().next() == heard.chars().next() && strsim::damerau_levenshtein(word, heard) <= slips
}

/// How alike two names are, 0 to 1 (Jaro-Winkler).
pub fn alike(one: &str, other: &str) -> f64 {
    strsim::jaro_winkler(one, other)
}
