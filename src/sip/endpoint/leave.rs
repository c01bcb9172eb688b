//! Ending a call from our side: BYE, CANCEL, refusal. RFC 3261 §9.1, §15.1.1.

use super::Endpoint;
use super::call::{CallTimer, Phase};
use super::outbound::companion;
use super::reply::Reply;
use super::table::{Machine, Owner};
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::transaction::LIFE;
use crate::sip::{EndCause, Event, Method, Reason, SipCall};

impl Endpoint {
    /// Ends a call in whatever state it is.
    pub(super) fn hang_up(&mut self, now: Instant, call: SipCall, reason: Option<Reason>) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.reason = reason;
        match known.phase {
            Phase::Incoming => self.refuse_call(now, call, 480, None),
            Phase::Calling => self.cancel(now, call),
            Phase::Up => self.leave(now, call, EndCause::Hangup),
            Phase::Leaving => self.counters.ignored_commands += 1,
        }
    }

    /// Says that the call is over, and sends the BYE as soon as it may go.
    pub(super) fn leave(&mut self, now: Instant, call: SipCall, cause: EndCause) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let told = std::mem::replace(&mut known.told, true);
        known.refer = None;
        for timer in [CallTimer::ReferEnd, CallTimer::OfferAgain, CallTimer::Refresh, CallTimer::SessionEnd] {
            known.timers.stop(timer);
        }
        known.session = None;
        let must_wait = known.ok.is_some();
        self.close_open(now, call);
        if must_wait {
            // A callee sends no BYE before the ACK has come or will come no more (RFC 3261 §15).
            if let Some(known) = self.calls.get_mut(&call) {
                known.phase = Phase::Leaving;
                known.bye_waits = true;
            }
            self.rearm_call(call);
        } else {
            self.send_bye(now, call);
        }
        if !told {
            self.tell(Event::Ended { call, cause });
        }
    }

    /// Answers what the peer has asked within a call that goes: a request that is never answered would stay for ever.
    pub(super) fn close_open(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let (pending, referred) = (known.pending.take(), known.referred.take());
        if let Some(pending) = pending {
            self.reply(now, pending.txn, Reply::refuse(487, "this call is ending"));
        }
        if let Some(referred) = referred {
            self.reply(now, referred.txn, Reply::refuse(603, "this call is ending"));
        }
    }

    pub(super) fn send_bye(&mut self, now: Instant, call: SipCall) {
        let reason = self.calls.get(&call).and_then(|known| known.reason.as_ref()).map(Reason::header);
        let extra = reason.map(|reason| (name::REASON, reason)).into_iter().collect();
        let bye = self.request_in_call(now, call, Method::Bye, extra);
        if let Some(known) = self.calls.get_mut(&call) {
            known.phase = Phase::Leaving;
            known.bye_waits = false;
            known.bye = bye;
        }
        self.rearm_call(call);
    }

    /// Refuses a call that waits for us.
    pub(super) fn refuse_call(&mut self, now: Instant, call: SipCall, status: u16, why: Option<String>) {
        let Some(invite) = self.calls.get(&call).filter(|known| known.phase == Phase::Incoming).and_then(|known| known.invite) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let status = if (300..=699).contains(&status) { status } else { 480 };
        let why = why.unwrap_or_else(|| "the call was not taken".to_owned());
        self.reply(now, invite, Reply::refuse(status, why));
        self.forget_call(now, call);
        self.tell(Event::Ended { call, cause: EndCause::Rejected { status } });
    }

    /// Gives up a call of ours; the CANCEL goes once the callee is known to have the INVITE (RFC 3261 §9.1).
    pub(super) fn cancel(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Calling && !known.cancel_wanted) else {
            self.counters.ignored_commands += 1;
            return;
        };
        known.cancel_wanted = true;
        known.told = true;
        known.timers.stop(CallTimer::Unanswered);
        let proceeding = known.invite.and_then(|id| self.txns.get(&id)).is_some_and(super::table::Txn::is_proceeding);
        if proceeding {
            self.send_cancel(now, call);
        }
        self.rearm_call(call);
        self.tell(Event::Cancelled { call, reason: None });
    }

    pub(super) fn send_cancel(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| !known.cancel_sent) else { return };
        known.cancel_sent = true;
        known.timers.set(CallTimer::Cancelled, now + LIFE);
        let reason = known.reason.as_ref().map(Reason::header);
        let Some(txn) = known.invite.and_then(|id| self.txns.get(&id)) else { return };
        let (flow, Some(invite)) = (txn.flow, txn.request.as_deref()) else { return };
        let mut cancel = companion(invite, &Method::Cancel, None);
        if let Some(reason) = reason {
            cancel.push(name::REASON, reason);
        }
        let branch = invite.list(name::VIA).next().and_then(crate::sip::values::Via::parse).and_then(|via| via.branch);
        self.open_client(now, flow, Owner::Nobody, cancel, branch.unwrap_or_default());
        self.rearm_call(call);
    }

    /// Forgets an INVITE of ours that nobody ended after our CANCEL.
    pub(super) fn abandon(&mut self, now: Instant, call: SipCall) {
        let Some(invite) = self.calls.get(&call).and_then(|known| known.invite) else { return };
        if let Some(Machine::InviteClient(machine)) = self.txns.get_mut(&invite).map(|txn| &mut txn.machine) {
            machine.abandon();
        }
        self.rearm_txn(invite);
        self.forget_call(now, call);
    }
}
