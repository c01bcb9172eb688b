//! Requests of ours: what they say of us, and where they go. RFC 3261 §8.1, §12.2.1.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::Endpoint;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Header, Message, name};
use crate::sip::{Flow, HostPort, Method, SipCall, Transport};

impl Endpoint {
    /// What Via and Contact say of us on this flow.
    pub(super) fn sent_by(&self, flow: Flow) -> HostPort {
        let special = self.settings.advertised_to.iter().find(|(peer, _)| peer.contains(flow.remote.ip())).map(|(_, host)| host);
        // An IPv4 address is no address of ours on an IPv6 flow.
        let fits = |host: &&HostPort| host.host.parse::<IpAddr>().map_or(true, |ip| ip.is_ipv4() == flow.local.is_ipv4());
        let Some(advertised) = special.or(self.settings.advertised.as_ref()).filter(fits) else { return flow.local.into() };
        // The advertised port is that of datagrams; connections arrive where we listen for them.
        let port = if flow.transport.is_reliable() { flow.local.port() } else { advertised.port };
        HostPort { host: advertised.host.clone(), port }
    }

    /// Our Contact on this flow.
    pub(super) fn contact(&self, flow: Flow) -> String {
        format!("<sip:{}@{}{}>", self.settings.contact_user, self.sent_by(flow), flow.transport.uri_param())
    }

    /// The Via of a request of ours on this flow.
    pub(super) fn via(&self, flow: Flow, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", flow.transport.via_name(), self.sent_by(flow))
    }

    /// Puts a Via with a fresh branch on top, and our name at the end; the branch comes back.
    pub(super) fn sign(&mut self, flow: Flow, request: &mut Message) -> Vec<u8> {
        let branch = format!("z9hG4bK{}", self.fresh());
        let via = self.via(flow, &branch);
        request.headers.insert(0, Header { name: name::VIA.to_owned(), value: via.into_bytes() });
        request.push(name::USER_AGENT, self.settings.user_agent.clone());
        branch.into_bytes()
    }

    /// Where a request within a dialog goes: where the book says, if that is an address of a trusted peer; else to where the signalling
    /// came from. A Contact behind a NAT names an address that nobody reaches, and an ACK sent there ends the call after 32 s.
    pub(super) fn way_of(&self, flow: Flow, dialog: &Dialog) -> Flow {
        let Some(way) = self.by_the_book(flow, dialog) else { return flow };
        // A connection to the same host is there already, and may be the only way through a NAT (RFC 5923 §1).
        if flow.transport.is_reliable() && way.remote.ip() == flow.remote.ip() { flow } else { way }
    }

    /// Where the first route or the peer's Contact points, when that is an address of a trusted peer (RFC 3263 §4.1, without names).
    pub(super) fn by_the_book(&self, flow: Flow, dialog: &Dialog) -> Option<Flow> {
        let hop = dialog.next_hop();
        let ip = hop.host.parse::<IpAddr>().ok()?;
        let named = hop.params.iter().find(|(name, _)| name == "transport").and_then(|(_, value)| Transport::named(value.as_deref()?));
        let secure = (hop.scheme == "sips").then_some(Transport::Tls);
        let transport = secure.or(named).filter(|transport| self.listens_for(*transport).is_some()).unwrap_or(flow.transport);
        let local = match self.listens_for(transport) {
            Some(port) if transport != flow.transport => SocketAddr::new(flow.local.ip(), port),
            _ => flow.local,
        };
        let way = Flow { transport, local, remote: SocketAddr::new(ip, hop.port.unwrap_or(transport.default_port())) };
        (self.may_reach(way) && way.remote.is_ipv4() == local.is_ipv4()).then_some(way)
    }

    /// The port where we listen for this transport.
    pub(super) fn listens_for(&self, transport: Transport) -> Option<u16> {
        self.settings.listens.iter().find(|(found, _)| *found == transport).map(|(_, port)| *port)
    }

    /// Sends a request within a call, in a transaction of its own.
    pub(super) fn request_in_call(&mut self, now: Instant, call: SipCall, method: Method, extra: Vec<(&str, String)>) -> Option<TxnId> {
        let known = self.calls.get_mut(&call)?;
        let flow = known.flow;
        let mut request = known.dialog.request(method);
        let way = self.calls.get(&call).map(|known| self.way_of(flow, &known.dialog))?;
        for (name, value) in extra {
            request.push(name, value);
        }
        let branch = self.sign(way, &mut request);
        Some(self.open_client(now, way, Owner::Call(call), request, branch))
    }

    /// The ACK for a 200, in this dialog; it has no transaction, and the credentials of its INVITE (RFC 3261 §13.2.2.4).
    pub(super) fn ack_of(&mut self, flow: Flow, dialog: &Dialog, seq: u32) -> (Flow, Bytes) {
        let way = self.way_of(flow, dialog);
        let mut ack = dialog.request_numbered(Method::Ack, seq);
        ack.headers.extend(dialog.passes.iter().cloned());
        self.sign(way, &mut ack);
        (way, ack.encode())
    }
}

/// The ACK for a refusal (RFC 3261 §17.1.1.3) or the CANCEL (§9.1) of this INVITE: same Request-URI, top Via and Route.
pub(super) fn companion(invite: &Message, method: &Method, to: Option<&[u8]>) -> Message {
    let uri = match &invite.start {
        crate::sip::message::Start::Request { uri, .. } => uri.clone(),
        crate::sip::message::Start::Response { .. } => Vec::new(),
    };
    let mut message = Message::request(method.clone(), uri);
    if let Some(via) = invite.get(name::VIA) {
        message.push(name::VIA, via);
    }
    for route in invite.all(name::ROUTE) {
        message.push(name::ROUTE, route);
    }
    message.push(name::MAX_FORWARDS, "70");
    for copied in [name::FROM, name::TO, name::CALL_ID] {
        let value = if copied == name::TO { to.or_else(|| invite.get(name::TO)) } else { invite.get(copied) };
        message.push(copied, value.unwrap_or_default());
    }
    let cseq = invite.get(name::CSEQ).unwrap_or_default();
    let number = cseq.split(|&byte| byte == b' ').next().unwrap_or_default();
    message.push(name::CSEQ, [number, b" ", method.as_str().as_bytes()].concat());
    message
}
