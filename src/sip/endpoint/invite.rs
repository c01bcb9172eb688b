//! INVITE in: a new call, or other media for one that is up. RFC 3261 §13.3, §14.2.

use super::Endpoint;
use super::call::{Call, Pending, Phase};
use super::inbound::Received;
use super::reply::Reply;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::dialog::Dialog;
use crate::sip::message::name;
use crate::sip::{Event, SipCall};

impl Endpoint {
    pub(super) fn on_invite(&mut self, now: Instant, id: TxnId, received: &Received) {
        if self.calls.len() >= self.settings.calls_max {
            self.reply(now, id, Reply::refuse(486, "every line is busy"));
            return;
        }
        if let Some(seconds) = self.drain {
            self.reply(now, id, Reply::refuse(503, "this box takes no new calls for now").with(name::RETRY_AFTER, seconds.to_string()));
            return;
        }
        self.reply(now, id, Reply::new(100));
        let Some(tag) = self.txns.get(&id).and_then(|txn| txn.echo.as_ref()).map(|echo| echo.tag.clone()) else { return };
        let first_seq = self.seed.next_u32() >> 8;
        let dialog = Dialog::of_callee(&received.message, &received.core, tag, first_seq);
        let call = SipCall(self.next_id());
        let mut known = Call::new(received.flow, dialog, Phase::Incoming, received.core.seq);
        known.invite = Some(id);
        self.by_dialog.insert(known.dialog_key(), call);
        self.calls.insert(call, known);
        if let Some(txn) = self.txns.get_mut(&id) {
            txn.owner = Owner::Call(call);
        }
        let arrival = self.arrival(call, received, None);
        self.tell(Event::Incoming(Box::new(arrival)));
    }

    pub(super) fn on_reinvite(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let Some(known) = self.calls.get(&call) else { return };
        if known.phase == Phase::Leaving {
            self.reply(now, id, Reply::refuse(481, "this call is ending"));
        } else if known.phase == Phase::Incoming || known.pending.is_some() {
            self.refuse_for_now(now, id);
        } else if known.offer.as_ref().is_some_and(|offer| offer.txn.is_some()) {
            self.reply(now, id, Reply::refuse(491, "RFC 3261 14.2: this offer and ours have crossed"));
        } else if known.ok.is_some() {
            self.reply(now, id, Reply::refuse(491, "RFC 3261 14.2: the 200 before this has no ACK yet"));
        } else {
            self.reply(now, id, Reply::new(100));
            self.raise_offer(id, call, received, true);
        }
    }

    /// RFC 3261 §14.2: an earlier offer still waits for its answer.
    pub(super) fn refuse_for_now(&mut self, now: Instant, id: TxnId) {
        let seconds = self.seed.below(10).to_string();
        self.reply(now, id, Reply::refuse(500, "RFC 3261 14.2: the offer before this has no answer yet").with(name::RETRY_AFTER, seconds));
    }

    /// Hands an offer within the call up to the shell.
    pub(super) fn raise_offer(&mut self, id: TxnId, call: SipCall, received: &Received, is_invite: bool) {
        if let Some(txn) = self.txns.get_mut(&id) {
            txn.owner = Owner::Call(call);
        }
        let Some(known) = self.calls.get_mut(&call) else { return };
        let mut request = Box::new(received.message.clone());
        request.body.clear();
        known.pending = Some(Pending { txn: id, seq: received.core.seq, is_invite, request });
        self.tell(Event::Reoffer { call, offer: received.sdp() });
    }
}
