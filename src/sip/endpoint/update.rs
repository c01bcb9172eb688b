//! UPDATE in: a new offer, a new Contact or a longer life, without the three-way handshake. RFC 3311 §5.2, RFC 4028 §9.

use super::Endpoint;
use super::call::{Call, Media, PendingKind, Phase};
use super::inbound::Received;
use super::reply::Reply;
use super::session::Ask;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::SipCall;

/// What becomes of an offer in an UPDATE.
enum Turn {
    Take,
    /// One of the peer's has no answer yet: 500.
    Later,
    /// One of ours has no answer yet: 491.
    Crossed,
}

impl Call {
    /// RFC 3311 §5.2.
    fn turn_of(&mut self, from_tag: &[u8]) -> Turn {
        if self.has_offer_out() {
            return Turn::Crossed;
        }
        if self.pending.is_some() {
            return Turn::Later;
        }
        match self.phase {
            Phase::Incoming if self.media == Media::Settled => Turn::Take,
            Phase::Incoming if self.media == Media::Ours => Turn::Crossed,
            Phase::Incoming | Phase::Leaving => Turn::Later,
            Phase::Calling => match self.early_of(from_tag) {
                Some(early) if early.is_settled => Turn::Take,
                _ => Turn::Crossed,
            },
            // Its answer comes with the ACK.
            Phase::Up if self.ok.as_ref().is_some_and(|ok| ok.is_offer) => Turn::Crossed,
            Phase::Up => Turn::Take,
        }
    }
}

impl Endpoint {
    pub(super) fn on_update(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let too_short = self.screen_session(received).err();
        let from_tag = received.core.from.tag.clone().unwrap_or_default();
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.phase == Phase::Leaving {
            self.reply(now, id, Reply::refuse(481, "this call is ending"));
            return;
        }
        if let Some(refusal) = too_short {
            self.reply(now, id, refusal);
            return;
        }
        if let Some(early) = known.early_of(&from_tag) {
            early.abilities.note(&received.message);
        } else {
            known.abilities.note(&received.message);
        }
        if received.sdp().is_none() {
            if let Some(dialog) = known.dialog_for(Some(&from_tag)) {
                dialog.refresh(&received.message);
            }
            let is_up = known.phase == Phase::Up;
            let headers = if is_up { self.grant_session(now, call, Ask::of(&received.message)) } else { Vec::new() };
            let mut reply = Reply::new(200).of_dialog();
            reply.headers.extend(headers);
            self.reply(now, id, reply);
            return;
        }
        match known.turn_of(&from_tag) {
            Turn::Take => self.raise_offer(id, call, received, PendingKind::Update),
            Turn::Later => self.refuse_for_now(now, id),
            Turn::Crossed => {
                self.reply(now, id, Reply::refuse(491, "RFC 3311 5.2: this offer and ours have crossed"));
            }
        }
    }
}
