//! Orders of the shell. One that comes too late is counted, and nothing else.

use std::time::Duration;

use bytes::Bytes;

use super::Endpoint;
use super::call::{CallTimer, Media, PendingKind, Phase, Refer, UnackedOk};
use super::reply::Reply;
use super::session::{Ask, Headers};
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::transaction::{LIFE, T1};
use crate::sip::{Command, Method, SipCall, Uri};

/// How long the peer may take over a REFER.
const REFER_LIFE: Duration = Duration::from_mins(3);

/// A 200 to an INVITE.
struct Ok200 {
    txn: TxnId,
    seq: u32,
    sdp: Option<Bytes>,
    is_offer: bool,
    headers: Headers,
}

impl Endpoint {
    pub(super) fn obey(&mut self, now: Instant, command: Command) {
        match command {
            Command::Ring { call } => self.progress(now, call, 180, None),
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
            Command::Trust { peers, without_timers, without_reliable } => {
                let settings = &mut self.settings;
                (settings.trusted, settings.no_session_timers, settings.no_reliable) = (peers, without_timers, without_reliable);
            }
            Command::Options { probe, flow, target } => self.probe(now, probe, flow, &target),
            Command::Drain { retry_after_s } => self.drain = Some(retry_after_s),
            Command::Undrain => self.drain = None,
            Command::Hangup { .. } => self.counters.ignored_commands += 1,
        }
    }

    pub(super) fn waiting_invite(&mut self, call: SipCall) -> Option<TxnId> {
        let invite = self.calls.get(&call).filter(|known| known.phase == Phase::Incoming).and_then(|known| known.invite);
        self.counters.ignored_commands += u64::from(invite.is_none());
        invite
    }

    pub(super) fn accept(&mut self, now: Instant, call: SipCall, answer: Bytes) {
        let Some(invite) = self.waiting_invite(call) else { return };
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.holds_answer() {
            known.accept_waits = Some(answer);
            return;
        }
        known.phase = Phase::Up;
        for timer in [CallTimer::RingAgain, CallTimer::ResendProvisional, CallTimer::NoPrack] {
            known.timers.stop(timer);
        }
        known.progress_waits = None;
        let (seq, was_offered, ask, replaced) = (known.invite_seq, known.was_offered, known.session_ask, known.replaces.take());
        // What a PRACK has settled is not said again (RFC 6337 §3.1.1).
        let sdp = Some(answer).filter(|_| known.media == Media::Open);
        let headers = self.grant_session(now, call, ask);
        let is_offer = sdp.is_some() && !was_offered;
        self.say_ok(now, call, Ok200 { txn: invite, seq, sdp, is_offer, headers });
        if let Some(old) = replaced {
            self.give_way(now, old, call);
        }
    }

    /// Sends a 200 to an INVITE, and keeps sending it until the ACK comes.
    fn say_ok(&mut self, now: Instant, call: SipCall, ok: Ok200) {
        let Ok200 { txn, seq, sdp, is_offer, headers } = ok;
        let Some(flow) = self.txns.get(&txn).map(|txn| txn.flow) else { return };
        let mut reply = Reply::new(200).of_dialog();
        reply.headers.extend(headers);
        if let Some(sdp) = sdp.clone() {
            reply = reply.with_sdp(sdp);
        }
        let bytes = self.reply(now, txn, reply);
        if let Some(known) = self.calls.get_mut(&call) {
            known.last_sdp = sdp.or(known.last_sdp.take());
            known.ok = Some(UnackedOk { flow, bytes, seq, is_offer, resend_after: T1 });
            known.timers.set(CallTimer::ResendOk, now + T1);
            known.timers.set(CallTimer::NoAck, now + LIFE);
        }
        self.rearm_call(call);
    }

    fn answer_offer(&mut self, now: Instant, call: SipCall, sdp: Option<Bytes>) {
        let Some(known) = self.calls.get_mut(&call) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let Some(pending) = known.pending.take() else {
            self.counters.ignored_commands += 1;
            return;
        };
        if pending.kind != PendingKind::Prack
            && let Some(dialog) = known.dialog_for(Some(&pending.from_tag))
        {
            dialog.refresh(&pending.request);
        }
        let is_timed = known.phase == Phase::Up && pending.kind != PendingKind::Prack;
        let headers = if is_timed { self.grant_session(now, call, Ask::of(&pending.request)) } else { Vec::new() };
        if pending.kind == PendingKind::Invite {
            return self.say_ok(now, call, Ok200 { txn: pending.txn, seq: pending.seq, sdp, is_offer: !pending.had_offer, headers });
        }
        if let Some(known) = self.calls.get_mut(&call) {
            known.last_sdp = sdp.clone().or(known.last_sdp.take());
        }
        let mut reply = Reply::new(200).of_dialog();
        reply.headers.extend(headers);
        if let Some(sdp) = sdp {
            reply = reply.with_sdp(sdp);
        }
        self.reply(now, pending.txn, reply);
        self.go_on(now, call);
    }

    fn refuse_offer(&mut self, now: Instant, call: SipCall, status: u16) {
        let Some(pending) = self.calls.get_mut(&call).and_then(|known| known.pending.take()) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let status = if (400..=699).contains(&status) { status } else { 488 };
        self.reply(now, pending.txn, Reply::refuse(status, "the call goes on as it was"));
        self.go_on(now, call);
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
        let referred_by = (name::REFERRED_BY, contact.clone());
        let extra = vec![
            (name::REFER_TO, format!("<{target}>")),
            referred_by,
            (name::CONTACT, contact),
            (name::SUPPORTED, self.supported(local).to_owned()),
        ];
        if let Some(known) = self.calls.get_mut(&call) {
            known.refer = Some(Refer { accepted: false });
            known.timers.set(CallTimer::ReferEnd, now + REFER_LIFE);
        }
        self.request_in_call(now, call, Method::Refer, extra);
        self.rearm_call(call);
    }
}
