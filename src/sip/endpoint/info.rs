//! INFO in: keys pressed, in the two body types that telephones use. RFC 2976, RFC 6086.

use super::Endpoint;
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::{Event, SipCall, lex};

/// What a key press lasts when the message does not say.
const DEFAULT_MS: u32 = 250;

impl Endpoint {
    pub(super) fn on_info(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let content_type = received.content_type();
        let pressed = match (received.body(), content_type.as_str()) {
            (None, _) => Ok(None),
            (Some(body), "application/dtmf-relay") => relay(&body).map(Some).ok_or(400),
            (Some(body), "application/dtmf") => digit(&body).map(|digit| Some((digit, DEFAULT_MS))).ok_or(400),
            (Some(_), _) => Err(415),
        };
        match pressed {
            Ok(pressed) => {
                self.reply(now, id, Reply::new(200));
                let told = self.calls.get(&call).is_none_or(|known| known.told);
                if let Some((digit, duration_ms)) = pressed.filter(|_| !told) {
                    self.tell(Event::Digit { call, digit, duration_ms });
                }
            }
            Err(415) => {
                let refusal = Reply::refuse(415, "INFO brings keys pressed, or nothing");
                self.reply(now, id, refusal.with(name::ACCEPT, "application/dtmf-relay, application/dtmf"));
            }
            Err(status) => {
                self.reply(now, id, Reply::refuse(status, "the body names no key"));
            }
        }
    }
}

/// `Signal=5` and `Duration=160` on lines of their own.
fn relay(body: &[u8]) -> Option<(char, u32)> {
    let field = |name: &str| {
        body.split(|&byte| byte == b'\n').find_map(|line| {
            let at = line.iter().position(|&byte| byte == b'=')?;
            let found = lex::trim(line.get(..at)?);
            found.eq_ignore_ascii_case(name.as_bytes()).then(|| lex::trim(line.get(at + 1..).unwrap_or_default()))
        })
    };
    let duration = field("Duration").and_then(|text| lex::number(text, 60_000)).and_then(|ms| u32::try_from(ms).ok());
    Some((digit(field("Signal")?)?, duration.unwrap_or(DEFAULT_MS)))
}

/// A key by its letter, or by its number as some telephones write `*` and `#`.
fn digit(text: &[u8]) -> Option<char> {
    match lex::trim(text) {
        b"10" => Some('*'),
        b"11" => Some('#'),
        [letter] => Some(char::from(letter.to_ascii_uppercase())).filter(|key| matches!(key, '0'..='9' | 'A'..='D' | '*' | '#')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_every_spelling() {
        assert_eq!(relay(b"Signal=5\r\nDuration=160\r\n"), Some(('5', 160)));
        assert_eq!(relay(b"signal = #\nduration = x"), Some(('#', DEFAULT_MS)));
        assert_eq!(relay(b"Signal=10"), Some(('*', DEFAULT_MS)));
        assert_eq!((digit(b" d\r\n"), digit(b"12"), digit(b"")), (Some('D'), None, None));
    }
}
