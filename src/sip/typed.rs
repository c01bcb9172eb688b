//! The only file that names `rsip`: the register of status codes and their words.

/// The words that RFC 3261 §21 and its successors give a status; "Status" and its class where they give none.
pub fn reason_phrase(status: u16) -> String {
    match rsip::StatusCode::from(status) {
        rsip::StatusCode::Other(..) => fallback(status).to_owned(),
        // rsip knows the codes by the names of its variants: `BusyHere`.
        known => spaced(known.to_string().trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ' ')),
    }
}

const fn fallback(status: u16) -> &'static str {
    match status {
        202 => "Accepted",
        100..=199 => "Progress",
        200..=299 => "OK",
        300..=399 => "Redirect",
        400..=499 => "Request Failure",
        500..=599 => "Server Failure",
        _ => "Global Failure",
    }
}

fn spaced(camel: &str) -> String {
    let mut words = String::with_capacity(camel.len() + 4);
    let mut after_small = false;
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && after_small {
            words.push(' ');
        }
        after_small = letter.is_ascii_lowercase();
        words.push(letter);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_their_words() {
        let phrases = [100, 200, 404, 486, 487, 699].map(reason_phrase);
        assert_eq!(phrases, ["Trying", "OK", "Not Found", "Busy Here", "Request Terminated", "Global Failure"]);
    }
}
