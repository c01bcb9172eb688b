//! Provisional answers out: ringing, sound before the answer, and those that the caller acknowledges. RFC 3261 §13.3.1.1, RFC 3262 §3.

use std::time::Duration;

use bytes::Bytes;

use super::Endpoint;
use super::abilities::Bears;
use super::call::{CallTimer, Media, Phase, Provisional};
use super::reply::Reply;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::transaction::{LIFE, T1};
use crate::sip::{EndCause, Event, SipCall};

/// How often a call that rings says so again (RFC 3261 §13.3.1.1).
const RING_AGAIN: Duration = Duration::from_mins(1);

impl Endpoint {
    /// Answers provisionally. One that is acknowledged holds back those after it until its PRACK; of these the last one counts.
    pub(super) fn progress(&mut self, now: Instant, call: SipCall, status: u16, sdp: Option<Bytes>) {
        let Some(invite) = self.waiting_invite(call) else { return };
        let first_rseq = (self.seed.next_u32() >> 2).max(1);
        let bears = self.calls.get(&call).map_or(Bears::Badly, |known| self.bears_reliable(known.flow));
        let Some(known) = self.calls.get_mut(&call) else { return };
        let status = if (101..=199).contains(&status) { status } else { 183 };
        if known.provisional.is_some() {
            known.progress_waits = Some((status, sdp));
            return;
        }
        // What is settled is changed by UPDATE alone (RFC 6337 §2.2).
        let sdp = sdp.filter(|_| known.media == Media::Open);
        let peer = known.abilities;
        let is_reliable = peer.wants_reliable || (peer.acks_provisional && bears == Bears::Well && sdp.is_some());
        let mut reply = Reply::new(status).of_dialog();
        if let Some(sdp) = sdp.clone() {
            reply = reply.with_sdp(sdp);
        }
        if is_reliable {
            known.rseq = if known.rseq == 0 { first_rseq } else { known.rseq + 1 };
            reply = reply.with(name::REQUIRE, "100rel").with(name::RSEQ, known.rseq.to_string());
        }
        known.ringing = status;
        known.timers.set(CallTimer::RingAgain, now + RING_AGAIN);
        let bytes = self.reply(now, invite, reply);
        let flow = self.txns.get(&invite).map(|txn| txn.flow);
        if let (Some(known), Some(flow)) = (self.calls.get_mut(&call), flow.filter(|_| is_reliable)) {
            if sdp.is_some() && !known.was_offered {
                known.media = Media::Ours;
            }
            known.last_sdp = sdp.clone().or(known.last_sdp.take());
            known.provisional = Some(Provisional { rseq: known.rseq, flow, bytes, has_sdp: sdp.is_some(), resend_after: T1 });
            known.timers.set(CallTimer::ResendProvisional, now + T1);
            known.timers.set(CallTimer::NoPrack, now + LIFE);
        }
        self.rearm_call(call);
    }

    /// Says again that it rings, so that no proxy gives up.
    pub(super) fn ring_again(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Incoming) else { return };
        known.timers.set(CallTimer::RingAgain, now + RING_AGAIN);
        let status = known.ringing;
        if known.provisional.is_none() {
            self.progress(now, call, status, None);
        }
    }

    /// RFC 3262 §3: again after T1, and each time after twice as long.
    pub(super) fn resend_provisional(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(provisional) = &mut known.provisional else { return };
        provisional.resend_after *= 2;
        let (flow, bytes, next) = (provisional.flow, provisional.bytes.clone(), now + provisional.resend_after);
        known.timers.set(CallTimer::ResendProvisional, next);
        self.send(flow, bytes);
    }

    /// RFC 3262 §3: the caller does not acknowledge, and the call is refused with a 5xx.
    pub(super) fn give_up_prack(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get(&call).filter(|known| known.phase == Phase::Incoming) else { return };
        self.counters.timeouts += 1;
        if let Some(invite) = known.invite {
            self.reply(now, invite, Reply::refuse(504, "RFC 3262 3: no PRACK has come for 32 s"));
        }
        self.forget_call(now, call);
        self.tell(Event::Ended { call, cause: EndCause::Timeout });
    }

    /// What was held back may go now: the answer, or the next provisional one.
    pub(super) fn go_on(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Incoming && !known.holds_answer()) else { return };
        if let Some(answer) = known.accept_waits.take() {
            known.progress_waits = None;
            self.accept(now, call, answer);
        } else if let Some((status, sdp)) = known.progress_waits.take() {
            self.progress(now, call, status, sdp);
        }
    }
}
