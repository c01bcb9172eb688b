//! Why a call ends, in the words of a Reason header. RFC 3326, RFC 6432.

use super::lex;
use super::message::{Message, name};

/// Whose numbers a cause is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Causes {
    /// ITU-T Q.850, such as 16 for normal clearing.
    Q850,
    /// SIP status codes.
    Sip,
}

/// One Reason header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// Whose numbers.
    pub causes: Causes,
    /// The number.
    pub cause: u16,
    /// A few words for the peer's records; empty for none.
    pub text: String,
}

/// Letters of a peer's text that are kept.
const TEXT_MAX: usize = 128;

impl Reason {
    /// A cause of ITU-T Q.850.
    pub fn q850(cause: u16, text: impl Into<String>) -> Self {
        Self { causes: Causes::Q850, cause, text: text.into() }
    }

    /// A SIP status; 200 in a CANCEL says that the call was answered elsewhere, so that no phone shows it as missed.
    pub fn sip(status: u16, text: impl Into<String>) -> Self {
        Self { causes: Causes::Sip, cause: status, text: text.into() }
    }

    /// The header's value (RFC 3326 §2).
    pub(super) fn header(&self) -> String {
        let causes = match self.causes {
            Causes::Q850 => "Q.850",
            Causes::Sip => "SIP",
        };
        if self.text.is_empty() {
            format!("{causes};cause={}", self.cause)
        } else {
            format!("{causes};cause={};text={}", self.cause, lex::quote(&self.text))
        }
    }

    /// The first Reason of a message that says something we know, that of Q.850 before that of SIP.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let mut found: Vec<Self> = message.list(name::REASON).filter_map(Self::parse).collect();
        found.sort_by_key(|reason| reason.causes == Causes::Sip);
        found.into_iter().next()
    }

    fn parse(element: &[u8]) -> Option<Self> {
        let end = lex::find(element, b';').ok()?.unwrap_or(element.len());
        let causes = match lex::text(lex::trim(element.get(..end)?)).to_ascii_uppercase().as_str() {
            "Q.850" => Causes::Q850,
            "SIP" => Causes::Sip,
            _ => return None,
        };
        let params = lex::params(element.get(end..)?)?;
        let cause = u16::try_from(lex::number(lex::param_value(&params, "cause")?, 699)?).ok()?;
        let text = lex::param_value(&params, "text").map(|text| lex::plain_text(&lex::unquote(text), TEXT_MAX));
        Some(Self { causes, cause, text: text.unwrap_or_default() })
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.header())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Method;

    /// RFC 3326 §2: one value a protocol; the cause and the text are parameters.
    #[test]
    fn a_reason_is_read_as_it_is_written() {
        let read = |text: &str| Reason::of(&Message::request(Method::Bye, Vec::new()).with(name::REASON, text));
        for reason in [Reason::q850(16, ""), Reason::sip(200, "Call completed \"elsewhere\"")] {
            assert_eq!(read(&reason.header()), Some(reason));
        }
        let both = "SIP ;cause=486 ;text=\"Busy\", q.850;cause=17";
        assert_eq!(read(both), Some(Reason::q850(17, "")));
        for broken in ["", "SIP", "Q.850;cause=x", "preemption;cause=1", "SIP;cause=99999", "SIP;cause=1;text=\"open"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
