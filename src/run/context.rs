//! What is known of a caller, in a line for the telephone system that gets them. RFC 7433, or a header that it is configured to read.

use crate::base::{CallId, Pii};
use crate::call::Context;
use crate::config::Context as Travels;

/// Octets of the line before it is written in hex: what RFC 7433 §3 says that ISDN bears.
const OCTETS_MAX: usize = 128;

/// The headers of an INVITE that carry it; none where nothing was asked for.
pub fn headers(travels: &Travels, id: &CallId, context: &Context) -> Vec<(String, Pii<String>)> {
    header(travels, id, context).into_iter().collect()
}

/// The same as one header, for a REFER as well.
pub fn header(travels: &Travels, id: &CallId, context: &Context) -> Option<(String, Pii<String>)> {
    let line = line(id, context);
    match travels {
        Travels::None => None,
        Travels::UserToUser => {
            let mut hex = String::with_capacity(2 * line.len() + 16);
            for byte in line.bytes() {
                for digit in [byte >> 4, byte & 15] {
                    hex.extend(char::from_digit(u32::from(digit), 16));
                }
            }
            Some(("User-to-User".to_owned(), Pii::new(hex + ";encoding=hex")))
        }
        Travels::Header(name) => Some((name.clone(), Pii::new(line))),
    }
}

/// `call=..;name=..;phone=..;about=..;done=..`: what does not fit is left out from the end.
fn line(id: &CallId, context: &Context) -> String {
    let text = |value: &Option<Pii<String>>| value.as_ref().map(|value| value.expose().clone()).unwrap_or_default();
    let parts = [
        ("call", id.to_string()),
        ("name", text(&context.name)),
        ("phone", text(&context.phone)),
        ("about", text(&context.about)),
        ("done", context.done.join(", ")),
    ];
    let mut line = String::new();
    for (key, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
        let plain: String = value.chars().map(|letter| if letter.is_control() || letter == ';' { ' ' } else { letter }).collect();
        if !line.is_empty() {
            line.push(';');
        }
        line.push_str(key);
        line.push('=');
        line.push_str(&plain);
    }
    while line.len() > OCTETS_MAX {
        line.pop();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let text = |text: &str| Some(Pii::new(text.to_owned()));
        let about = text("the sink; it is leaking\r\nX-Evil: yes");
        Context { name: text("Anna Smith"), phone: text("3125550188"), about, done: vec!["a request is on record".to_owned(); 9] }
    }

    #[test]
    fn the_line_is_one_line_and_short() {
        let id = CallId::parse("abc-1").unwrap();
        let (name, value) = header(&Travels::Header("X-Caller".to_owned()), &id, &context()).unwrap();
        assert_eq!(name, "X-Caller");
        assert!(value.expose().starts_with("call=abc-1;name=Anna Smith;phone=3125550188;about=the sink  it is leaking  X-Evil: yes;done="));
        assert!(value.expose().len() <= OCTETS_MAX && !value.expose().contains(['\r', '\n']));
        assert!(headers(&Travels::None, &id, &context()).is_empty());
    }

    /// RFC 7433 §4.1: the data in hexadecimal digits, and how they are encoded.
    #[test]
    fn user_to_user_is_written_in_hex() {
        let id = CallId::parse("abc-1").unwrap();
        let (name, value) = header(&Travels::UserToUser, &id, &Context::default()).unwrap();
        assert_eq!((name.as_str(), value.expose().as_str()), ("User-to-User", "63616c6c3d6162632d31;encoding=hex"));
    }
}
