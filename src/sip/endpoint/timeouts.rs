//! Timers that are due. RFC 3261 §13.3.1.4, §17.

use super::Endpoint;
use super::call::{CallTimer, Phase};
use super::table::{Owner, TxnId, Wake};
use crate::base::Instant;
use crate::sip::transaction::T2;
use crate::sip::{EndCause, Event, Method, SipCall};

impl Endpoint {
    pub(super) fn run_timers(&mut self, now: Instant) {
        while let Some(&(at, wake)) = self.wheel.first()
            && at <= now
        {
            match wake {
                Wake::Txn(id) => self.on_txn_wake(now, id),
                Wake::Call(call) => self.on_call_wake(now, call),
                Wake::Registrar => self.on_registrar_wake(now),
            }
        }
        debug_assert!(self.poll_deadline().is_none_or(|at| now < at), "no due timer is left");
    }

    fn on_txn_wake(&mut self, now: Instant, id: TxnId) {
        let Some(txn) = self.txns.get(&id) else { return };
        let (owner, method) = (txn.owner, txn.client_key().map(|(_, method)| method.clone()));
        let gave_up = self.wake_txn(now, id);
        if gave_up {
            self.counters.timeouts += 1;
            self.on_no_answer(now, owner, method.as_ref(), (id, 408));
        }
        self.rearm_txn(id);
    }

    /// A request of ours gets no response: 408 when it was waited for, 503 when it could not be sent (RFC 3261 §8.1.3.1).
    pub(super) fn on_no_answer(&mut self, now: Instant, owner: Owner, method: Option<&Method>, (id, status): (TxnId, u16)) {
        match (owner, method) {
            (Owner::Call(call), Some(Method::Invite)) => self.on_invite_lost(now, call, id, status),
            (Owner::Call(call), Some(Method::Refer)) => self.on_refer_response(call, status),
            (Owner::Call(call), Some(_)) if self.calls.get(&call).is_some_and(|known| known.bye == Some(id)) => self.forget_call(now, call),
            (Owner::Call(call), Some(Method::Update)) => self.on_offer_failed(now, call, id, status),
            (Owner::Probe(probe), _) => self.tell(Event::Probed { probe, status }),
            (Owner::Registration(registration), _) => self.on_register_lost(registration, Some(id), status),
            _ => {}
        }
    }

    fn on_invite_lost(&mut self, now: Instant, call: SipCall, id: TxnId, status: u16) {
        let Some(known) = self.calls.get(&call) else { return };
        if known.invite != Some(id) {
            return self.on_offer_failed(now, call, id, status);
        }
        let told = known.told;
        self.forget_call(now, call);
        if !told {
            let reason = if status == 408 { "nobody answers" } else { "the address cannot be reached" };
            self.tell(Event::Failed { call, status, reason: reason.to_owned(), why: None });
        }
    }

    fn on_call_wake(&mut self, now: Instant, call: SipCall) {
        while let Some(timer) = self.calls.get_mut(&call).and_then(|known| known.timers.pop_due(now)) {
            match timer {
                CallTimer::ResendOk => self.resend_ok(now, call),
                CallTimer::NoAck => self.give_up_ack(now, call),
                CallTimer::RingAgain => self.ring_again(now, call),
                CallTimer::Unanswered => self.give_up_ringing(now, call),
                CallTimer::Cancelled => self.abandon(now, call),
                CallTimer::OfferAgain => self.offer_again(now, call),
                CallTimer::ReferEnd => self.on_refer_response(call, 408),
                CallTimer::ResendProvisional => self.resend_provisional(now, call),
                CallTimer::NoPrack => self.give_up_prack(now, call),
                CallTimer::Refresh => self.refresh_session(now, call),
                CallTimer::SessionEnd => self.end_session(now, call),
            }
        }
        self.rearm_call(call);
    }

    fn resend_ok(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(ok) = &mut known.ok else { return };
        ok.resend_after = (ok.resend_after * 2).min(T2);
        let (flow, bytes, next) = (ok.flow, ok.bytes.clone(), now + ok.resend_after);
        known.timers.set(CallTimer::ResendOk, next);
        self.send(flow, bytes);
    }

    /// The ACK will not come: the call is ended by a BYE (RFC 3261 §13.3.1.4).
    fn give_up_ack(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.ok = None;
        known.timers.stop(CallTimer::ResendOk);
        self.counters.timeouts += 1;
        if known.phase == Phase::Leaving {
            return self.send_bye(now, call);
        }
        self.leave(now, call, EndCause::NoAck);
    }

    fn give_up_ringing(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.told = true;
        known.cancel_wanted = true;
        self.tell(Event::Failed { call, status: 408, reason: "nobody answers".to_owned(), why: None });
        self.send_cancel(now, call);
    }
}
