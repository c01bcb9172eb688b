//! Orders of the shell. One that comes too late is counted, and nothing else.

use std::time::Duration;

use bytes::Bytes;

use super::Endpoint;
use super::call::{CallTimer, Phase, Refer, UnackedOk};
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::transaction::{LIFE, T1};
use crate::sip::{Command, Method, SipCall, Uri};

/// How often a call that rings says so again (RFC 3261 §13.3.1.1).
pub(super) const RING_AGAIN: Duration = Duration::from_mins(1);

/// How long the peer may take over a REFER.
const REFER_LIFE: Duration = Duration::from_mins(3);

impl Endpoint {
    pub(super) fn obey(&mut self, now: Instant, command: Command) {
        match command {
            Command::Ring { call } => self.ring(now, call),
            Command::Progress { call, status, answer } => self.progress(now, call, status, answer),
            Command::Accept { call, answer } => self.accept(now, call, answer),
            Command::Reject { call, status, reason } => self.refuse_call(now, call, status, reason),
            Command::Answer { call, sdp } => self.answer_offer(now, call, sdp),
            Command::RejectOffer { call, status } => self.refuse_offer(now, call, status),
            Command::Hangup { call, reason } if self.calls.contains_key(&call) => self.hang_up(now, call, reason),
            Command::Cancel { call } => self.cancel(now, call),
            Command::Offer { call, sdp } => self.offer(now, call, sdp),
            Command::Refer { call, target } => self.send_refer(now, call, &target),
            Command::ReferReplacing { call, other } => self.refer_replacing(now, call, other),
            Command::AcceptRefer { call } => self.accept_refer(now, call),
            Command::RejectRefer { call, status } => self.reject_refer(now, call, status),
            Command::NotifyRefer { call, status } => self.notify_refer(now, call, status),
            Command::Register(register) => self.send_register(now, *register),
            Command::Advertise { peer, host } => self.advertise(peer, host),
            Command::Trust { peers } => self.settings.trusted = peers,
            Command::Options { probe, flow, target } => self.probe(now, probe, flow, &target),
            Command::Drain { retry_after_s } => self.drain = Some(retry_after_s),
            Command::Undrain => self.drain = None,
            Command::Hangup { .. } => self.counters.ignored_commands += 1,
        }
    }

    fn waiting_invite(&mut self, call: SipCall) -> Option<TxnId> {
        let invite = self.calls.get(&call).filter(|known| known.phase == Phase::Incoming).and_then(|known| known.invite);
        self.counters.ignored_commands += u64::from(invite.is_none());
        invite
    }

    pub(super) fn ring(&mut self, now: Instant, call: SipCall) {
        let Some(invite) = self.waiting_invite(call) else { return };
        self.reply(now, invite, Reply::new(180).of_dialog());
        if let Some(known) = self.calls.get_mut(&call) {
            known.timers.set(CallTimer::RingAgain, now + RING_AGAIN);
        }
        self.rearm_call(call);
    }

    fn progress(&mut self, now: Instant, call: SipCall, status: u16, answer: Option<Bytes>) {
        let Some(invite) = self.waiting_invite(call) else { return };
        let status = if (101..=199).contains(&status) { status } else { 183 };
        let reply = Reply::new(status).of_dialog();
        let reply = match answer {
            Some(sdp) => reply.with_sdp(sdp),
            None => reply,
        };
        self.reply(now, invite, reply);
    }

    fn accept(&mut self, now: Instant, call: SipCall, answer: Bytes) {
        let Some(invite) = self.waiting_invite(call) else { return };
        if let Some(known) = self.calls.get_mut(&call) {
            known.phase = Phase::Up;
            known.timers.stop(CallTimer::RingAgain);
        }
        let seq = self.calls.get(&call).map_or(0, |known| known.invite_seq);
        self.say_ok(now, call, invite, seq, Some(answer));
    }

    /// Sends a 200 to an INVITE, and keeps sending it until the ACK comes.
    fn say_ok(&mut self, now: Instant, call: SipCall, txn: TxnId, seq: u32, sdp: Option<Bytes>) {
        let Some(flow) = self.txns.get(&txn).map(|txn| txn.flow) else { return };
        let reply = Reply::new(200).of_dialog().with(name::SUPPORTED, "");
        let reply = match sdp {
            Some(sdp) => reply.with_sdp(sdp),
            None => reply,
        };
        let bytes = self.reply(now, txn, reply);
        if let Some(known) = self.calls.get_mut(&call) {
            known.ok = Some(UnackedOk { flow, bytes, seq, resend_after: T1 });
            known.timers.set(CallTimer::ResendOk, now + T1);
            known.timers.set(CallTimer::NoAck, now + LIFE);
        }
        self.rearm_call(call);
    }

    fn answer_offer(&mut self, now: Instant, call: SipCall, sdp: Option<Bytes>) {
        let Some(pending) = self.calls.get_mut(&call).and_then(|known| known.pending.take()) else {
            self.counters.ignored_commands += 1;
            return;
        };
        if let Some(known) = self.calls.get_mut(&call) {
            known.dialog.refresh(&pending.request);
        }
        if pending.is_invite {
            return self.say_ok(now, call, pending.txn, pending.seq, sdp);
        }
        let reply = Reply::new(200).of_dialog();
        let reply = match sdp {
            Some(sdp) => reply.with_sdp(sdp),
            None => reply,
        };
        self.reply(now, pending.txn, reply);
    }

    fn refuse_offer(&mut self, now: Instant, call: SipCall, status: u16) {
        let Some(pending) = self.calls.get_mut(&call).and_then(|known| known.pending.take()) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let status = if (400..=699).contains(&status) { status } else { 488 };
        self.reply(now, pending.txn, Reply::refuse(status, "the call goes on as it was"));
    }

    /// RFC 5589 §7: the peer is sent to the other call's Contact, with that call's name as the other end knows it.
    fn refer_replacing(&mut self, now: Instant, call: SipCall, other: SipCall) {
        let replaced = self.calls.get(&other).filter(|known| known.phase == Phase::Up && other != call);
        let target = replaced.and_then(|known| known.dialog.as_refer_to());
        let Some(target) = target else {
            self.counters.ignored_commands += 1;
            if self.calls.get(&call).is_some_and(|known| known.phase == Phase::Up && known.refer.is_none()) {
                self.tell(crate::sip::Event::ReferFailed { call, status: 481 });
            }
            return;
        };
        self.send_refer(now, call, &target);
    }

    fn send_refer(&mut self, now: Instant, call: SipCall, target: &str) {
        let ready = self.calls.get(&call).is_some_and(|known| known.phase == Phase::Up && known.refer.is_none());
        let sound = Uri::parse(target.as_bytes()).is_some();
        let Some(local) = self.calls.get(&call).filter(|_| ready && sound).map(|known| known.flow) else {
            self.counters.ignored_commands += 1;
            if ready {
                self.tell(crate::sip::Event::ReferFailed { call, status: 416 });
            }
            return;
        };
        let contact = self.contact(local);
        let extra = vec![(name::REFER_TO, format!("<{target}>")), (name::REFERRED_BY, contact.clone()), (name::CONTACT, contact)];
        if let Some(known) = self.calls.get_mut(&call) {
            known.refer = Some(Refer { accepted: false });
            known.timers.set(CallTimer::ReferEnd, now + REFER_LIFE);
        }
        self.request_in_call(now, call, Method::Refer, extra);
        self.rearm_call(call);
    }
}
