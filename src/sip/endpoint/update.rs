//! UPDATE in: a new offer or a new Contact, without the three-way handshake. RFC 3311 §5.2.

use super::Endpoint;
use super::call::Phase;
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::SipCall;

impl Endpoint {
    pub(super) fn on_update(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.phase == Phase::Leaving {
            self.reply(now, id, Reply::refuse(481, "this call is ending"));
        } else if received.sdp().is_none() {
            known.dialog.refresh(&received.message);
            self.reply(now, id, Reply::new(200).of_dialog());
        } else if known.phase == Phase::Incoming || known.pending.is_some() {
            self.refuse_for_now(now, id);
        } else if known.offer.as_ref().is_some_and(|offer| offer.txn.is_some()) {
            self.reply(now, id, Reply::refuse(491, "RFC 3311 5.2: this offer and ours have crossed"));
        } else {
            self.raise_offer(id, call, received, false);
        }
    }
}
