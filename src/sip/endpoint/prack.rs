//! PRACK in: the caller has our provisional answer. RFC 3262 §3, §5.

use super::Endpoint;
use super::call::{CallTimer, Media, PendingKind};
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::values::rack;
use crate::sip::{Event, Method, SipCall};

impl Endpoint {
    pub(super) fn on_prack(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let named = received.message.get(name::RACK).and_then(rack);
        let Some(known) = self.calls.get_mut(&call) else { return };
        let expected = known.provisional.as_ref().map(|provisional| (provisional.rseq, known.invite_seq, Method::Invite));
        let Some(acked) = known.provisional.take_if(|_| named.is_some() && named == expected) else {
            self.reply(now, id, Reply::refuse(481, "RFC 3262 3: RAck names no provisional response that waits"));
            return;
        };
        known.timers.stop(CallTimer::ResendProvisional);
        known.timers.stop(CallTimer::NoPrack);
        let was_ours = known.media == Media::Ours;
        if acked.has_sdp {
            known.media = Media::Settled;
        }
        let is_free = known.media == Media::Settled && known.pending.is_none() && !known.has_offer_out();
        self.rearm_call(call);
        match received.sdp() {
            answer if acked.has_sdp && was_ours => {
                self.reply(now, id, Reply::new(200));
                self.tell(Event::OfferAnswered { call, sdp: answer });
            }
            Some(_) if is_free => return self.raise_offer(id, call, received, PendingKind::Prack),
            Some(_) => {
                self.reply(now, id, Reply::refuse(488, "RFC 3262 5: an offer before the one before it has its answer"));
            }
            None => {
                self.reply(now, id, Reply::new(200));
            }
        }
        self.go_on(now, call);
    }
}
