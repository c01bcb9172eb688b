//! Re-INVITE out: other media for a call that is up. RFC 3261 §14.1.

use std::time::Duration;

use bytes::Bytes;

use super::Endpoint;
use super::call::{CallTimer, Offer, Phase, SentAck};
use super::inbound::Received;
use super::reply::SDP;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::method::ALLOW;
use crate::sip::{EndCause, Event, Method, SipCall};

/// How often an offer may cross one of the peer's before it counts as refused.
const CROSSINGS_MAX: u8 = 5;

impl Endpoint {
    /// Offers other media, unless an offer is under way in either direction.
    pub(super) fn offer(&mut self, now: Instant, call: SipCall, sdp: Bytes) {
        let Some(known) = self.calls.get(&call).filter(|known| known.phase == Phase::Up) else {
            self.counters.ignored_commands += 1;
            return;
        };
        if known.offer.is_some() || known.pending.is_some() || known.ok.is_some() {
            return self.tell(Event::OfferRefused { call, status: 491 });
        }
        self.send_offer(now, call, sdp, 0);
    }

    fn send_offer(&mut self, now: Instant, call: SipCall, sdp: Bytes, crossings: u8) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let flow = known.flow;
        let mut request = known.dialog.request(Method::Invite);
        let seq = known.dialog.local_seq;
        let Some(way) = self.calls.get(&call).map(|known| self.way_of(flow, &known.dialog)) else { return };
        request.push(name::CONTACT, self.contact(way));
        request.push(name::ALLOW, ALLOW);
        let branch = self.sign(way, &mut request);
        let request = request.with_body(SDP, sdp.clone());
        let txn = self.open_client(now, way, Owner::Call(call), request, branch);
        self.hurry(txn);
        if let Some(known) = self.calls.get_mut(&call) {
            known.offer = Some(Offer { txn: Some(txn), seq, sdp, crossings });
        }
    }

    pub(super) fn on_offer_response(&mut self, now: Instant, call: SipCall, id: TxnId, status: u16, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(offer) = known.offer.clone().filter(|offer| offer.txn == Some(id)) else { return };
        match status {
            100..=199 => {}
            200..=299 => {
                known.offer = None;
                known.dialog.refresh(&received.message);
                let (flow, dialog, told) = (known.flow, known.dialog.clone(), known.told);
                let (way, ack) = self.ack_of(flow, &dialog, offer.seq);
                self.send(way, ack.clone());
                if let Some(known) = self.calls.get_mut(&call) {
                    known.ack = Some(SentAck { invite: id, flow: way, bytes: ack });
                }
                if !told {
                    self.tell(Event::OfferAnswered { call, sdp: received.sdp() });
                }
            }
            491 if offer.crossings < CROSSINGS_MAX && known.phase == Phase::Up => {
                known.offer = Some(Offer { txn: None, crossings: offer.crossings + 1, ..offer });
                // Who made the Call-ID waits longer, in steps of 10 ms, so that the two do not cross again.
                let (least, span) = if known.is_caller { (210, 190) } else { (0, 200) };
                let wait = Duration::from_millis(10 * (least + self.seed.below(span)));
                if let Some(known) = self.calls.get_mut(&call) {
                    known.timers.set(CallTimer::OfferAgain, now + wait);
                }
                self.rearm_call(call);
            }
            _ => self.on_offer_failed(now, call, id, status),
        }
    }

    /// A refusal leaves the call as it was; no answer at all, or a peer that knows no such call, ends it (RFC 3261 §12.2.1.2).
    pub(super) fn on_offer_failed(&mut self, now: Instant, call: SipCall, id: TxnId, status: u16) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.offer.as_ref().is_none_or(|offer| offer.txn != Some(id)) {
            return;
        }
        known.offer = None;
        match (known.phase, status) {
            (Phase::Up, 408 | 481) => self.leave(now, call, EndCause::Timeout),
            (Phase::Up, _) => self.tell(Event::OfferRefused { call, status }),
            _ => {}
        }
    }

    /// The pause after a crossing is over.
    pub(super) fn offer_again(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(offer) = known.offer.take() else { return };
        if known.pending.is_some() || known.ok.is_some() {
            return self.tell(Event::OfferRefused { call, status: 491 });
        }
        self.send_offer(now, call, offer.sdp, offer.crossings);
    }
}
