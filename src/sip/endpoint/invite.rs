//! INVITE in: a new call, or other media for one that is up. RFC 3261 §13.3, §14.2.

use super::Endpoint;
use super::abilities::Abilities;
use super::call::{Call, Pending, PendingKind, Phase};
use super::inbound::Received;
use super::reply::Reply;
use super::session::Ask;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::dialog::Dialog;
use crate::sip::message::name;
use crate::sip::{Event, SipCall};

impl Endpoint {
    pub(super) fn on_invite(&mut self, now: Instant, id: TxnId, received: &Received) {
        let replaces = match self.may_begin(received) {
            Ok(replaces) => replaces,
            Err(refusal) => {
                self.reply(now, id, refusal);
                return;
            }
        };
        self.reply(now, id, Reply::new(100));
        let Some(tag) = self.txns.get(&id).and_then(|txn| txn.echo.as_ref()).map(|echo| echo.tag.clone()) else { return };
        let first_seq = self.seed.next_u32() >> 8;
        let dialog = Dialog::of_callee(&received.message, &received.core, tag, first_seq);
        let call = SipCall(self.next_id());
        let mut known = Call::new(received.flow, dialog, Phase::Incoming, received.core.seq);
        known.invite = Some(id);
        known.abilities = Abilities::of(&received.message);
        known.session_ask = Ask::of(&received.message);
        known.was_offered = received.sdp().is_some();
        known.replaces = replaces;
        self.by_dialog.insert(known.dialog_key(), call);
        self.calls.insert(call, known);
        if let Some(txn) = self.txns.get_mut(&id) {
            txn.owner = Owner::Call(call);
        }
        let arrival = self.arrival(call, received, replaces);
        self.tell(Event::Incoming(Box::new(arrival)));
    }

    /// Whether a new call is taken, and the call of ours that it shall take the place of.
    fn may_begin(&self, received: &Received) -> Result<Option<SipCall>, Reply> {
        if let Some(seconds) = self.drain {
            return Err(Reply::refuse(503, "this box takes no new calls for now").with(name::RETRY_AFTER, seconds.to_string()));
        }
        let replaces = self.replaced_by(&received.message)?;
        self.screen_session(received)?;
        if self.calls.len() >= self.settings.calls_max {
            return Err(Reply::refuse(486, "every line is busy"));
        }
        Ok(replaces)
    }

    pub(super) fn on_reinvite(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let too_short = self.screen_session(received).err();
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.phase == Phase::Leaving {
            self.reply(now, id, Reply::refuse(481, "this call is ending"));
        } else if known.phase == Phase::Calling {
            self.reply(now, id, Reply::refuse(491, "RFC 3261 14.2: our own INVITE has no final answer yet"));
        } else if let Some(refusal) = too_short {
            self.reply(now, id, refusal);
        } else if known.phase == Phase::Incoming || known.pending.is_some() {
            self.refuse_for_now(now, id);
        } else if known.has_offer_out() {
            self.reply(now, id, Reply::refuse(491, "RFC 3261 14.2: this offer and ours have crossed"));
        } else if known.ok.is_some() {
            self.reply(now, id, Reply::refuse(491, "RFC 3261 14.2: the 200 before this has no ACK yet"));
        } else {
            known.abilities.note(&received.message);
            self.reply(now, id, Reply::new(100));
            self.raise_offer(id, call, received, PendingKind::Invite);
        }
    }

    /// RFC 3261 §14.2: an earlier offer still waits for its answer.
    pub(super) fn refuse_for_now(&mut self, now: Instant, id: TxnId) {
        let seconds = self.seed.below(10).to_string();
        self.reply(now, id, Reply::refuse(500, "RFC 3261 14.2: the offer before this has no answer yet").with(name::RETRY_AFTER, seconds));
    }

    /// Hands an offer within the call up to the shell.
    pub(super) fn raise_offer(&mut self, id: TxnId, call: SipCall, received: &Received, kind: PendingKind) {
        if let Some(txn) = self.txns.get_mut(&id) {
            txn.owner = Owner::Call(call);
        }
        let Some(known) = self.calls.get_mut(&call) else { return };
        let mut request = Box::new(received.message.clone());
        request.body.clear();
        let from_tag = received.core.from.tag.clone().unwrap_or_default();
        if let Some(early) = known.early_of(&from_tag) {
            early.sdp = received.sdp();
        }
        known.pending = Some(Pending { txn: id, seq: received.core.seq, kind, had_offer: received.sdp().is_some(), from_tag, request });
        self.tell(Event::Reoffer { call, offer: received.sdp() });
    }
}
