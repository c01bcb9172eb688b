//! Responses to requests of ours. RFC 3261 §13.2.2, §17.1, §18.1.2.

use super::Endpoint;
use super::call::{CallTimer, Phase, SentAck};
use super::inbound::Received;
use super::outbound::companion;
use super::table::{Machine, Owner, TxnId};
use crate::base::{Instant, Pii, limits};
use crate::sip::dialog::Dialog;
use crate::sip::message::{Message, Start, name};
use crate::sip::transaction::{Sends, Verdict};
use crate::sip::values::NameAddr;
use crate::sip::{Event, Flow, Method, Reason, SipCall, Uri, lex};

impl Endpoint {
    pub(super) fn on_response(&mut self, now: Instant, status: u16, received: &Received) {
        let branch = received.core.via.branch.clone().unwrap_or_default();
        let key = (branch, received.core.method.clone());
        // A second Via means that it was meant for somebody before us (RFC 3261 §8.1.3.3).
        let Some(&id) = self.by_client_key.get(&key).filter(|_| received.core.hops == 1) else {
            self.counters.stray_responses += 1;
            return;
        };
        let Some(txn) = self.txns.get_mut(&id) else { return };
        let (mut sends, flow, owner) = (Sends::new(), txn.flow, txn.owner);
        let to = received.message.get(name::TO);
        let verdict = match &mut txn.machine {
            Machine::InviteClient(machine) => {
                let request = txn.request.as_deref();
                let ack = || request.map(|invite| companion(invite, &Method::Ack, to).encode()).unwrap_or_default();
                machine.on_response(now, status, ack, &mut sends)
            }
            Machine::Client(machine) => machine.on_response(now, status),
            Machine::InviteServer(_) | Machine::Server(_) => Verdict::Absorb,
        };
        self.flush(flow, sends);
        self.rearm_txn(id);
        if verdict == Verdict::Absorb {
            return;
        }
        if self.answer_challenge(now, id, status, received) {
            return;
        }
        match (owner, &key.1) {
            (Owner::Registration(registration), _) => self.on_register_response(registration, id, status, received),
            (Owner::Call(call), Method::Invite) => self.on_invite_response(now, call, id, status, received),
            (Owner::Call(call), _) => self.on_other_response(now, call, (id, status), received),
            (Owner::Probe(probe), _) if status >= 200 => self.tell(Event::Probed { probe, status }),
            _ => {}
        }
    }

    fn on_invite_response(&mut self, now: Instant, call: SipCall, id: TxnId, status: u16, received: &Received) {
        let Some(known) = self.calls.get(&call) else { return self.on_late_ok(now, id, status, received) };
        if let Some(ack) = known.ack.clone().filter(|ack| ack.invite == id && status / 100 == 2) {
            let is_repeat = known.dialog.remote_tag == Some(received.core.to.tag.clone().unwrap_or_default());
            if is_repeat {
                return self.send(ack.flow, ack.bytes);
            }
        }
        if known.invite != Some(id) {
            return self.on_offer_response(now, call, id, status, received);
        }
        match status {
            100..=199 => self.on_provisional(now, call, status, received),
            200..=299 => self.on_ok(now, call, received),
            422 if !known.told && self.raise_interval(call, &received.message) => self.invite_again(now, call),
            _ => self.on_refusal(now, call, status, received),
        }
    }

    fn on_refusal(&mut self, now: Instant, call: SipCall, status: u16, received: &Received) {
        let Some(known) = self.calls.get(&call) else { return };
        let told = known.told;
        self.forget_call(now, call);
        if told {
            return;
        }
        let contacts = if status / 100 == 3 { contacts(&received.message) } else { Vec::new() };
        if !contacts.is_empty() {
            return self.tell(Event::Redirected { call, status, contacts });
        }
        let reason = match &received.message.start {
            Start::Response { reason, .. } => lex::plain_text(reason, limits::SIP_TEXT_LETTERS_MAX),
            Start::Request { .. } => String::new(),
        };
        self.tell(Event::Failed { call, status, reason, why: words(&received.message) });
    }

    /// RFC 3261 §13.2.2.4: each 200 gets its ACK, each time it comes; a second callee is thanked and sent away.
    fn on_ok(&mut self, now: Instant, call: SipCall, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let (flow, seq) = (known.flow, known.invite_seq);
        let tag = received.core.to.tag.clone().unwrap_or_default();
        if known.phase == Phase::Calling {
            // What the phone that answers has said while it rang goes on: its numbers, and its description where that was settled.
            let early = known.early_of(&tag).cloned();
            let settled = early.as_ref().filter(|early| early.is_settled).and_then(|early| early.sdp.clone());
            let sdp = settled.or_else(|| received.sdp()).or_else(|| early.as_ref().and_then(|early| early.sdp.clone()));
            if let Some(early) = early {
                (known.dialog, known.abilities) = (early.dialog, early.abilities);
            }
            known.early.clear();
            known.dialog.confirm(&received.message, &received.core);
            known.abilities.note(&received.message);
            known.timers.stop(CallTimer::Unanswered);
            known.timers.stop(CallTimer::Cancelled);
            let dialog = known.dialog.clone();
            let (way, ack) = self.ack_of(flow, &dialog, seq);
            self.send(way, ack.clone());
            let Some(known) = self.calls.get_mut(&call) else { return };
            known.ack = known.invite.map(|invite| SentAck { invite, flow: way, bytes: ack });
            if known.cancel_wanted {
                // The 200 and our CANCEL have crossed.
                self.close_open(now, call);
                self.send_bye(now, call);
            } else {
                known.phase = Phase::Up;
                self.learn_session(now, call, &received.message);
                self.tell(Event::Answered { call, sdp });
            }
            return self.rearm_call(call);
        }
        if known.dialog.remote_tag.as_ref() == Some(&tag) {
            // A repeat from before a re-INVITE of ours, whose 200 would not have come without this one's ACK.
            return;
        }
        let is_new = !known.turned_away.contains(&tag);
        if is_new && known.turned_away.len() < limits::SIP_EARLY_DIALOGS_MAX {
            known.turned_away.push(tag);
        }
        let mut other = known.dialog.clone();
        other.local_seq = seq;
        self.turn_away(now, flow, other, received, is_new);
    }

    /// A callee that answers a call that another has taken, or that is gone: thanked, and hung up.
    fn turn_away(&mut self, now: Instant, flow: Flow, mut dialog: Dialog, received: &Received, is_new: bool) {
        dialog.confirm(&received.message, &received.core);
        let (way, ack) = self.ack_of(flow, &dialog, dialog.local_seq);
        self.send(way, ack);
        if is_new {
            let mut bye = dialog.request(Method::Bye);
            bye.push(name::REASON, Reason::sip(200, "the call is answered elsewhere, or over").header());
            let branch = self.sign(way, &mut bye);
            self.open_client(now, way, Owner::Nobody, bye, branch);
        }
    }

    /// A 200 for a call that is gone (RFC 3261 §13.2.2.4: every one is acknowledged while the transaction lasts).
    fn on_late_ok(&mut self, now: Instant, id: TxnId, status: u16, received: &Received) {
        let Some(txn) = self.txns.get(&id).filter(|_| status / 100 == 2) else { return };
        let Some(dialog) = txn.request.as_deref().and_then(Dialog::of_invite) else { return };
        let flow = txn.flow;
        self.turn_away(now, flow, dialog, received, true);
    }

    fn on_other_response(&mut self, now: Instant, call: SipCall, (id, status): (TxnId, u16), received: &Received) {
        if status < 200 {
            return;
        }
        let Some(known) = self.calls.get(&call) else { return };
        if known.bye == Some(id) {
            return self.forget_call(now, call);
        }
        match self.txns.get(&id).and_then(|txn| txn.client_key()).map(|(_, method)| method.clone()) {
            Some(Method::Refer) => self.on_refer_response(call, status),
            Some(Method::Update) => self.on_offer_response(now, call, id, status, received),
            _ => {}
        }
    }

    /// The REFER was taken or refused; a NOTIFY may have come before this.
    pub(super) fn on_refer_response(&mut self, call: SipCall, status: u16) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let told = known.told;
        let event = if status < 300 {
            if let Some(refer) = &mut known.refer {
                refer.accepted = true;
            }
            Event::ReferAccepted { call }
        } else {
            known.refer = None;
            known.timers.stop(CallTimer::ReferEnd);
            Event::ReferFailed { call, status }
        };
        self.rearm_call(call);
        if !told {
            self.tell(event);
        }
    }
}

/// What the peer says in words about a refusal: the text of its first Warning, or that of its Reason.
fn words(message: &Message) -> Option<String> {
    let warning = message.list(name::WARNING).next().and_then(|warning| {
        let quoted = warning.iter().position(|&byte| byte == b'"').and_then(|at| warning.get(at..))?;
        Some(lex::plain_text(&lex::unquote(quoted), limits::SIP_TEXT_LETTERS_MAX))
    });
    warning.or_else(|| Reason::of(message).map(|reason| reason.text)).filter(|text| !text.is_empty())
}

/// Where a 3xx sends us, the one wanted most first (RFC 3261 §8.1.3.4, §20.10); what cannot be called is left out.
fn contacts(message: &Message) -> Vec<Pii<String>> {
    let mut named: Vec<NameAddr> = message.list(name::CONTACT).filter_map(NameAddr::parse).collect();
    named.sort_by_key(|contact| std::cmp::Reverse(contact.q));
    let mut found: Vec<Pii<String>> = Vec::new();
    for contact in named {
        let is_callable = Uri::parse(&contact.uri).is_some_and(|uri| uri.is_callable() && !uri.has_headers);
        let uri = Pii::new(lex::text(&contact.uri));
        if is_callable && found.len() < limits::SIP_LISTED_MAX && !found.contains(&uri) {
            found.push(uri);
        }
    }
    found
}
