//! What every message must have and how often: the strict half of reading. RFC 3261 §8.1.1, §20.

use super::message::{Message, Start, name};
use super::values::{NameAddr, Via, cseq};
use super::wire::Malformed;
use super::{Method, Uri, lex};

/// The headers that every message has, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Core {
    /// The last hop before us.
    pub via: Via,
    /// How many Vias there are.
    pub hops: usize,
    /// Who asks.
    pub from: NameAddr,
    /// Who is asked.
    pub to: NameAddr,
    /// As written.
    pub call_id: Vec<u8>,
    /// The number in CSeq.
    pub seq: u32,
    /// The method in CSeq.
    pub method: Method,
    /// Hops left; 70 when not said.
    pub max_forwards: u8,
}

/// Headers of which there may be one only, among those this program reads.
const SINGLE: [&str; 11] = [
    name::TO,
    name::FROM,
    name::CALL_ID,
    name::CSEQ,
    name::MAX_FORWARDS,
    name::CONTENT_TYPE,
    name::REPLACES,
    name::SESSION_EXPIRES,
    name::MIN_SE,
    name::RSEQ,
    name::RACK,
];

/// Takes the headers apart that every message must have.
pub fn check(message: &Message) -> Result<Core, Malformed> {
    let breach = |rule| Malformed::new(rule, 0);
    if SINGLE.iter().any(|name| message.all(name).nth(1).is_some()) {
        return Err(breach(
            "RFC 3261 7.3.1: one To, From, Call-ID, CSeq, Max-Forwards, Content-Type, Replaces, Session-Expires, Min-SE, RSeq and RAck",
        ));
    }
    let vias = vias(message).ok_or(breach("RFC 3261 20.42: every Via is sound"))?;
    let hops = vias.len();
    let via = vias.into_iter().next().ok_or(breach("RFC 3261 8.1.1: there is a Via"))?;
    let address = |name, rule| message.get(name).and_then(NameAddr::parse).ok_or(breach(rule));
    let from = address(name::FROM, "RFC 3261 20.20: From is an address")?;
    let to = address(name::TO, "RFC 3261 20.39: To is an address")?;
    let call_id = message.get(name::CALL_ID).filter(|id| !id.is_empty() && !id.iter().any(u8::is_ascii_whitespace));
    let call_id = call_id.ok_or(breach("RFC 3261 20.8: Call-ID is one word"))?.to_vec();
    let (seq, method) = message.get(name::CSEQ).and_then(cseq).ok_or(breach("RFC 3261 20.16: CSeq is a number below 2^31 and a method"))?;
    let max_forwards = match message.get(name::MAX_FORWARDS) {
        Some(written) => lex::number(written, 255).and_then(|hops| u8::try_from(hops).ok()),
        None => Some(70),
    };
    let max_forwards = max_forwards.ok_or(breach("RFC 3261 20.22: Max-Forwards is 0 to 255"))?;
    let core = Core { via, hops, from, to, call_id, seq, method, max_forwards };
    check_start(message, &core)?;
    Ok(core)
}

fn check_start(message: &Message, core: &Core) -> Result<(), Malformed> {
    let breach = |rule| Err(Malformed::new(rule, 0));
    let Start::Request { method, uri } = &message.start else { return Ok(()) };
    if *method != core.method {
        return breach("RFC 3261 8.1.1.5: CSeq names the method of the request");
    }
    match Uri::parse(uri) {
        None => return breach("RFC 3261 25.1: the Request-URI is a URI"),
        Some(uri) if uri.has_headers => return breach("RFC 3261 19.1.1: a Request-URI has no headers"),
        Some(_) => {}
    }
    let contacts_are_sound = message.all(name::CONTACT).all(|line| {
        lex::split(line, b',')
            .is_ok_and(|contacts| contacts.into_iter().all(|contact| contact == b"*" || NameAddr::parse(contact).is_some()))
    });
    if !contacts_are_sound {
        return breach("RFC 3261 20.10: every Contact is an address");
    }
    Ok(())
}

fn vias(message: &Message) -> Option<Vec<Via>> {
    let mut vias = Vec::new();
    for line in message.all(name::VIA) {
        for element in lex::split(line, b',').ok()? {
            vias.push(Via::parse(element)?);
        }
    }
    Some(vias)
}
