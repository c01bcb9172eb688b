//! What an INVITE says of who calls, by whom it came and what for: the one reader of those headers.
//!
//! It reads what the wire gave: names in full whatever their case or compact form, values unfolded. What a known peer asserts is believed;
//! of anybody else From alone is handed up. RFC 3325, RFC 5806, RFC 7044, RFC 7433.

use super::Endpoint;
use super::inbound::Received;
use crate::base::{Pii, limits};
use crate::sip::message::{Message, name};
use crate::sip::values::NameAddr;
use crate::sip::{Arrival, Party, SipCall, Uri, lex};

impl Endpoint {
    /// The news of a new call.
    pub(super) fn arrival(&self, call: SipCall, received: &Received, replaces: Option<SipCall>) -> Arrival {
        let message = &received.message;
        let is_believed = self.trusts(received.flow);
        let believed = |name| if is_believed { message.list(name).find_map(NameAddr::parse) } else { None };
        let asserted = believed(name::P_ASSERTED_IDENTITY);
        let request = received.request_uri();
        Arrival {
            call,
            flow: received.flow,
            from: Pii::new(Box::new(received.core.from.party())),
            asserted: asserted.map(|address| Pii::new(Box::new(address.party()))),
            is_private: is_private(message),
            to: Pii::new(Box::new(received.core.to.party())),
            request_user: Pii::new(plain(&request.user.unwrap_or_default())),
            request_host: plain(&request.host),
            offer: received.sdp(),
            call_id: lex::text(&received.core.call_id),
            max_forwards: received.core.max_forwards,
            diverted: if is_believed { diverted(message) } else { Vec::new() },
            user_to_user: message.get(name::USER_TO_USER).filter(|_| is_believed).and_then(as_written),
            phone: received.phone.clone(),
            replaces,
            headers: if is_believed { self.heard(message) } else { Vec::new() },
        }
    }

    /// The headers that the settings ask for.
    fn heard(&self, message: &Message) -> Vec<(String, Pii<String>)> {
        let wanted = self.settings.headers_heard.iter();
        wanted.filter_map(|name| Some((name.clone(), message.get(name).and_then(as_written)?))).collect()
    }
}

fn plain(text: &str) -> String {
    lex::plain_text(text.as_bytes(), limits::SIP_TEXT_LETTERS_MAX)
}

fn as_written(value: &[u8]) -> Option<Pii<String>> {
    (value.len() <= limits::SIP_HEADER_BYTES_MAX).then(|| Pii::new(lex::plain_text(value, limits::SIP_HEADER_BYTES_MAX)))
}

/// RFC 3323 §4.2: any of these asks that the caller's identity be withheld; `none` takes it back.
fn is_private(message: &Message) -> bool {
    let words = message.all(name::PRIVACY).flat_map(|line| line.split(|byte| matches!(byte, b';' | b',')));
    let words: Vec<String> = words.map(|word| lex::text(lex::trim(word)).to_ascii_lowercase()).collect();
    let withheld = words.iter().any(|word| matches!(word.as_str(), "id" | "user" | "header"));
    withheld && !words.iter().any(|word| word == "none")
}

/// Who passed the call on, the last first: Diversion says it in that order, History-Info begins with the first (RFC 7044 §5) and ends with
/// whom the call has come to.
fn diverted(message: &Message) -> Vec<Pii<Party>> {
    let said: Vec<NameAddr> = message.list(name::DIVERSION).filter_map(NameAddr::parse).collect();
    let parties: Vec<NameAddr> = if said.is_empty() {
        let mut history: Vec<NameAddr> = message.list(name::HISTORY_INFO).filter_map(NameAddr::parse).collect();
        history.pop();
        history.into_iter().rev().collect()
    } else {
        said
    };
    let withheld = |uri: &Uri| uri.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case(name::PRIVACY) && value != "none");
    let mut found: Vec<Pii<Party>> = Vec::new();
    for party in parties.iter().filter(|address| !withheld(&address.uri())).map(NameAddr::party) {
        // A History-Info names the same user again for each hop of the way.
        let is_new = !party.user.is_empty() && found.last().is_none_or(|last| last.expose().user != party.user);
        if is_new && found.len() < limits::SIP_LISTED_MAX {
            found.push(Pii::new(party));
        }
    }
    found
}
