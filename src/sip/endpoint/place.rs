//! Calls and questions of ours. RFC 3261 §13.2.1, §11.1.

use super::Endpoint;
use super::abilities::{self, Bears};
use super::call::{Call, CallTimer, Phase};
use super::reply::SDP;
use super::table::Owner;
use crate::base::{Instant, limits};
use crate::sip::dialog::{Dialog, Opening};
use crate::sip::message::{Message, full_name, name};
use crate::sip::method::ALLOW;
use crate::sip::values::NameAddr;
use crate::sip::{Event, Flow, Invite, Method, Party, Probe, Replaces, SipCall, Uri, lex};

/// How long a call of ours may ring.
const UNANSWERED: std::time::Duration = std::time::Duration::from_mins(3);

impl Endpoint {
    pub(super) fn place(&mut self, now: Instant, invite: Invite) -> SipCall {
        let call = SipCall(self.next_id());
        let refusal = if !self.may_reach(invite.flow) {
            Some((403, "the address is no trusted peer's"))
        } else if !Uri::parse(invite.target.as_bytes()).is_some_and(|uri| uri.is_callable() && !uri.has_headers) {
            Some((416, "the target is no URI that can be called"))
        } else if invite.from_host.as_deref().is_some_and(|host| crate::sip::uri::host_port(host.as_bytes()).is_none()) {
            Some((400, "the host of From is no host"))
        } else if invite.max_forwards == 0 {
            // A call that continues another one loses a hop each time, and a loop ends here (RFC 7332 §4).
            Some((483, "no hops are left"))
        } else if self.calls.len() >= self.settings.calls_max || !self.has_room(false) {
            Some((486, "every line is busy"))
        } else if !headers_are_sound(&invite) {
            Some((400, "a header is none that a call may bring"))
        } else {
            None
        };
        if let Some((status, reason)) = refusal {
            self.tell(Event::Failed { call, status, reason: reason.to_owned(), why: None });
            return call;
        }
        let flow = invite.flow;
        let seq = self.seed.next_u32() >> 8;
        let opening = Opening {
            call_id: format!("{}@{}", self.fresh(), self.sent_by(flow).host).into_bytes(),
            local_tag: self.fresh().into_bytes(),
            local: self.caller_header(&invite),
            target: invite.target.clone().into_bytes(),
            seq,
            routes: invite.routes.iter().map(|route| route.clone().into_bytes()).filter(|route| NameAddr::parse(route).is_some()).collect(),
        };
        let dialog = Dialog::of_caller(opening);
        let mut request = dialog.request_numbered(Method::Invite, seq);
        if let Some(hops) = request.headers.iter_mut().find(|header| header.name == name::MAX_FORWARDS) {
            hops.value = invite.max_forwards.to_string().into_bytes();
        }
        self.describe(&invite, &mut request);
        let branch = self.sign(flow, &mut request);
        let request = request.with_body(SDP, invite.offer.clone());
        let mut known = Call::new(flow, dialog, Phase::Calling, seq);
        known.session_wanted_s = invite.session_expires;
        known.last_sdp = Some(invite.offer);
        known.account = invite.account;
        known.timers.set(CallTimer::Unanswered, now + UNANSWERED);
        self.by_dialog.insert(known.dialog_key(), call);
        self.calls.insert(call, known);
        let txn = self.open_client(now, flow, Owner::Call(call), request, branch);
        if let Some(known) = self.calls.get_mut(&call) {
            known.invite = Some(txn);
        }
        self.rearm_call(call);
        call
    }

    /// What an INVITE says besides what every request says.
    fn describe(&self, invite: &Invite, request: &mut Message) {
        let flow = invite.flow;
        request.push(name::CONTACT, self.contact(flow));
        request.push(name::ALLOW, ALLOW);
        request.push(name::ACCEPT, SDP);
        if let Some(wanted) = invite.session_expires.filter(|_| self.bears_timers(flow)) {
            let least = self.settings.session_min_s;
            request.push(name::SUPPORTED, self.supported(flow));
            request.push(name::SESSION_EXPIRES, wanted.max(least).to_string());
            if least > limits::SIP_SESSION_MIN_S {
                request.push(name::MIN_SE, least.to_string());
            }
        } else {
            request.push(name::SUPPORTED, abilities::supported(Bears::Badly, self.bears_reliable(flow)));
        }
        if let Some(party) = &invite.asserted {
            request.push(name::P_ASSERTED_IDENTITY, self.address_of(party.expose(), flow));
        }
        if invite.is_private {
            request.push(name::PRIVACY, "id");
        }
        if let Some(replaces) = invite.replaces.as_ref().and_then(Replaces::header) {
            request.push(name::REPLACES, replaces);
            // Where the callee cannot, it shall not ring at somebody else's side instead (RFC 3891 §4).
            request.push(name::REQUIRE, "replaces");
        }
        for (name, value) in &invite.headers {
            request.push(name, value.expose().as_str());
        }
    }

    /// The same INVITE again with a longer session timer: the peer has refused the one before it with 422 (RFC 4028 §7.3).
    pub(super) fn invite_again(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(txn) = known.invite.and_then(|id| self.txns.get(&id)) else { return };
        let (flow, Some(mut request)) = (txn.flow, txn.request.as_deref().cloned()) else { return };
        known.dialog.local_seq = known.dialog.local_seq.saturating_add(1);
        known.invite_seq = known.dialog.local_seq;
        known.early.clear();
        let (seq, session) = (known.invite_seq, self.ask_session(call));
        let replaced = [name::VIA, name::USER_AGENT, name::CSEQ, name::SESSION_EXPIRES, name::MIN_SE];
        request.headers.retain(|header| !replaced.contains(&header.name.as_str()));
        request.push(name::CSEQ, format!("{seq} INVITE"));
        for (name, value) in session {
            request.push(name, value);
        }
        let branch = self.sign(flow, &mut request);
        let txn = self.open_client(now, flow, Owner::Call(call), request, branch);
        if let Some(known) = self.calls.get_mut(&call) {
            known.invite = Some(txn);
        }
    }

    pub(super) fn probe(&mut self, now: Instant, probe: Probe, flow: Flow, target: &str) {
        let sound = Uri::parse(target.as_bytes()).is_some_and(|uri| uri.is_callable());
        if !sound || !self.may_reach(flow) || !self.has_room(false) {
            return self.tell(Event::Probed { probe, status: if sound { 403 } else { 416 } });
        }
        let ours = self.contact(flow);
        let mut request = Message::request(Method::Options, target.as_bytes().to_vec())
            .with(name::MAX_FORWARDS, "70")
            .with(name::FROM, format!("{ours};tag={}", self.fresh()))
            .with(name::TO, format!("<{target}>"))
            .with(name::CALL_ID, format!("{}@{}", self.fresh(), self.sent_by(flow).host))
            .with(name::CSEQ, "1 OPTIONS")
            .with(name::CONTACT, ours)
            .with(name::ACCEPT, SDP);
        let branch = self.sign(flow, &mut request);
        self.open_client(now, flow, Owner::Probe(probe), request, branch);
    }

    fn caller_header(&self, invite: &Invite) -> Vec<u8> {
        if invite.is_private {
            // RFC 3323 §4.1.
            return b"\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_vec();
        }
        let host = invite.from_host.clone().unwrap_or_default();
        let caller = Party { display: invite.from_display.clone(), user: invite.from_user.clone(), host };
        self.address_of(&caller, invite.flow).into_bytes()
    }

    /// An address with its name; ours where it has no host.
    fn address_of(&self, party: &Party, flow: Flow) -> String {
        let user: String = party.user.bytes().map(escaped).collect();
        let sound = |host: &&String| crate::sip::uri::host_port(host.as_bytes()).is_some();
        let host = Some(&party.host).filter(sound).cloned().unwrap_or_else(|| self.sent_by(flow).host_only());
        let uri = if user.is_empty() { format!("<sip:{host}>") } else { format!("<sip:{user}@{host}>") };
        if party.display.is_empty() { uri } else { format!("{} {uri}", lex::quote(&party.display)) }
    }
}

/// Headers that the endpoint writes itself, or that lead a request elsewhere: a call brings none of them.
const OWN_HEADERS: [&str; 28] = [
    "Accept",
    "Allow",
    "Authorization",
    "Call-ID",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "From",
    "Max-Forwards",
    "MIME-Version",
    "Min-SE",
    "P-Asserted-Identity",
    "Privacy",
    "Proxy-Authorization",
    "Proxy-Require",
    "Record-Route",
    "Replaces",
    "Require",
    "Route",
    "Session-Expires",
    "Supported",
    "To",
    "User-Agent",
    "Via",
];

/// Headers that one call may bring.
const HEADERS_MAX: usize = 16;

/// Whether what the shell adds is headers, and nothing more: names in full, values of one line.
fn headers_are_sound(invite: &Invite) -> bool {
    let name_is_sound = |written: &str| {
        let full = full_name(written);
        lex::is_token(written.as_bytes()) && !OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(full))
    };
    let value_is_sound = |value: &str| value.len() <= limits::SIP_HEADER_BYTES_MAX && !value.contains(char::is_control);
    let replaces_is_sound = invite.replaces.as_ref().is_none_or(|replaces| replaces.header().is_some());
    invite.headers.len() <= HEADERS_MAX
        && replaces_is_sound
        && invite.headers.iter().all(|(name, value)| name_is_sound(name) && value_is_sound(value.expose()))
}

/// A byte of the user part of a URI, escaped where the grammar asks for it (RFC 3261 §25.1, unreserved and user-unreserved).
fn escaped(byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte);
    if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}
