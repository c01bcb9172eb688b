//! Answers to requests. RFC 3261 §8.2.6, §18.2.2; RFC 3581.

use std::net::SocketAddr;

use bytes::Bytes;

use super::Endpoint;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::dialog::with_tag;
use crate::sip::message::{Message, name};
use crate::sip::typed::reason_phrase;
use crate::sip::values::{NameAddr, Via};
use crate::sip::{Flow, lex};

/// The type of an SDP body.
pub(super) const SDP: &str = "application/sdp";

/// What a response repeats of its request.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    /// The tag this response gives to To, unless the request had one.
    pub(super) tag: Vec<u8>,
    to_has_tag: bool,
    vias: Vec<Vec<u8>>,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    call_id: Option<Vec<u8>>,
    cseq: Option<Vec<u8>>,
    record_routes: Vec<Vec<u8>>,
}

impl Echo {
    /// What to repeat of `request`, which came over `flow`; it may be malformed.
    pub(super) fn of(request: &Message, flow: Flow, tag: String) -> Self {
        let keep = |name| request.get(name).map(<[u8]>::to_vec);
        let mut vias: Vec<Vec<u8>> = Vec::new();
        for line in request.all(name::VIA) {
            match lex::split(line, b',') {
                Ok(elements) => vias.extend(elements.into_iter().map(<[u8]>::to_vec)),
                Err(lex::Unbalanced) => vias.push(line.to_vec()),
            }
        }
        if let Some(top) = vias.first_mut() {
            *top = stamped(top, flow.remote);
        }
        Self {
            tag: tag.into_bytes(),
            to_has_tag: request.get(name::TO).and_then(NameAddr::parse).is_some_and(|to| to.tag.is_some()),
            vias,
            from: keep(name::FROM),
            to: keep(name::TO),
            call_id: keep(name::CALL_ID),
            cseq: keep(name::CSEQ),
            record_routes: request.all(name::RECORD_ROUTE).map(<[u8]>::to_vec).collect(),
        }
    }

    /// The response as far as every response goes.
    pub(super) fn response(&self, status: u16, phrase: &str) -> Message {
        let mut response = Message::response(status, phrase.as_bytes().to_vec());
        for via in &self.vias {
            response.push(name::VIA, via.clone());
        }
        if let Some(from) = &self.from {
            response.push(name::FROM, from.clone());
        }
        if let Some(to) = &self.to {
            let plain = status == 100 || self.to_has_tag;
            response.push(name::TO, if plain { to.clone() } else { with_tag(to, &self.tag) });
        }
        for (name, value) in [(name::CALL_ID, &self.call_id), (name::CSEQ, &self.cseq)] {
            if let Some(value) = value {
                response.push(name, value.clone());
            }
        }
        response
    }
}

/// The top Via with what we saw of the sender (RFC 3261 §18.2.1, RFC 3581 §4).
fn stamped(via: &[u8], source: SocketAddr) -> Vec<u8> {
    let Some(parsed) = Via::parse(via) else { return via.to_vec() };
    let mut parts = lex::split(via, b';').unwrap_or_default().into_iter();
    let mut stamped = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let name = lex::trim(part.split(|&byte| byte == b'=').next().unwrap_or_default());
        if !name.eq_ignore_ascii_case(b"rport") && !name.eq_ignore_ascii_case(b"received") {
            stamped.push(b';');
            stamped.extend_from_slice(part);
        }
    }
    let ip = source.ip().to_canonical();
    if parsed.rport || parsed.host.parse() != Ok(ip) {
        stamped.extend_from_slice(format!(";received={ip}").as_bytes());
    }
    if parsed.rport {
        stamped.extend_from_slice(format!(";rport={}", source.port()).as_bytes());
    }
    stamped
}

/// Where responses go when the connection is gone that the request came over: to where its sender says it listens (RFC 3261 §18.2.2).
pub(super) fn fallback_flow(flow: Flow, via: &Via) -> Flow {
    flow.towards(SocketAddr::new(flow.remote.ip(), via.port.unwrap_or(flow.transport.default_port())))
}

/// What is particular to one response.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Why it is refused: the text of Warning 399.
    pub(super) why: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<(&'static str, Bytes)>,
    /// It opens or refreshes a dialog: it carries Contact, Allow and the recorded route.
    pub(super) in_dialog: bool,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A refusal that says which rule.
    pub(super) fn refuse(status: u16, why: impl Into<String>) -> Self {
        Self { status, why: Some(why.into()), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn of_dialog(mut self) -> Self {
        self.in_dialog = true;
        self
    }

    pub(super) fn with_sdp(mut self, sdp: Bytes) -> Self {
        self.body = Some((SDP, sdp));
        self
    }
}

impl Endpoint {
    /// Where responses to this request go: over its own connection, or back to the address it came from, at the port RFC 3581 or the Via
    /// says. maddr is obeyed where it names a known peer; elsewhere we do not, because it lets a datagram point our answers at anybody.
    pub(super) fn response_flow(&self, flow: Flow, via: Option<&Via>) -> Flow {
        let Some(via) = via.filter(|_| !flow.transport.is_reliable()) else { return flow };
        let port = via.port.unwrap_or(5060);
        let elsewhere = via.maddr.map(|address| flow.towards(SocketAddr::new(address, port))).filter(|way| self.trusts(*way));
        let back = if via.rport { flow } else { flow.towards(SocketAddr::new(flow.remote.ip(), port)) };
        elsewhere.filter(|way| way.remote.is_ipv4() == flow.local.is_ipv4()).unwrap_or(back)
    }

    /// Answers a request in its transaction; what was sent comes back.
    pub(super) fn reply(&mut self, now: Instant, id: TxnId, reply: Reply) -> Bytes {
        let Some((echo, flow)) = self.txns.get(&id).and_then(|txn| txn.echo.clone().map(|echo| (echo, txn.flow))) else {
            return Bytes::new();
        };
        let status = reply.status;
        let bytes = self.compose(&echo, flow, reply).encode();
        self.respond(now, id, status, bytes.clone());
        bytes
    }

    /// The response that `reply` describes.
    pub(super) fn compose(&self, echo: &Echo, flow: Flow, reply: Reply) -> Message {
        let mut response = echo.response(reply.status, &reason_phrase(reply.status));
        if reply.in_dialog {
            for route in &echo.record_routes {
                response.push(name::RECORD_ROUTE, route.clone());
            }
            response.push(name::CONTACT, self.contact(flow));
            response.push(name::ALLOW, crate::sip::method::ALLOW);
            response.push(name::SUPPORTED, self.supported(flow));
        }
        for (name, value) in reply.headers {
            response.push(name, value);
        }
        if let Some(why) = reply.why {
            response.push(name::WARNING, format!("399 {} {}", self.sent_by(flow), lex::quote(&why)));
        }
        response.push(name::SERVER, self.settings.user_agent.clone());
        match reply.body {
            Some((content_type, body)) => response.with_body(content_type, body),
            None => response,
        }
    }
}
