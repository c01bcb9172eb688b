//! Calls and questions of ours. RFC 3261 §13.2.1, §11.1.

use super::Endpoint;
use super::call::{Call, CallTimer, Phase};
use super::reply::SDP;
use super::table::Owner;
use crate::base::Instant;
use crate::sip::dialog::{Dialog, Opening};
use crate::sip::message::{Message, name};
use crate::sip::method::ALLOW;
use crate::sip::{Event, Flow, Invite, Method, Probe, SipCall, Uri, lex};

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
        };
        let dialog = Dialog::of_caller(opening);
        let mut request = dialog.request_numbered(Method::Invite, seq);
        if let Some(hops) = request.headers.iter_mut().find(|header| header.name == name::MAX_FORWARDS) {
            hops.value = invite.max_forwards.to_string().into_bytes();
        }
        request.push(name::CONTACT, self.contact(flow));
        request.push(name::ALLOW, ALLOW);
        request.push(name::ACCEPT, SDP);
        let branch = self.sign(flow, &mut request);
        let request = request.with_body(SDP, invite.offer);
        let mut known = Call::new(flow, dialog, Phase::Calling, seq);
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
        let user: String = invite.from_user.bytes().map(escaped).collect();
        let host = invite.from_host.clone().unwrap_or_else(|| self.sent_by(invite.flow).host_only());
        let uri = if user.is_empty() { format!("<sip:{host}>") } else { format!("<sip:{user}@{host}>") };
        let named = if invite.from_display.is_empty() { uri } else { format!("{} {uri}", lex::quote(&invite.from_display)) };
        named.into_bytes()
    }
}

/// A byte of the user part of a URI, escaped where the grammar asks for it (RFC 3261 §25.1, unreserved and user-unreserved).
fn escaped(byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte);
    if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}
