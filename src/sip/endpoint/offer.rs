//! Offers of ours within a call: re-INVITE once it is answered, UPDATE before, and either to keep a session alive.
//! RFC 3261 §14.1, RFC 3311 §5.1, RFC 4028 §7.4.

use std::time::Duration;

use bytes::Bytes;

use super::Endpoint;
use super::call::{CallTimer, Means, Media, Offer, Phase, Purpose, SentAck};
use super::inbound::Received;
use super::reply::SDP;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::message::{Message, name};
use crate::sip::method::ALLOW;
use crate::sip::{EndCause, Event, Method, SipCall, lex};

/// How often an offer may cross one of the peer's before it counts as refused.
const CROSSINGS_MAX: u8 = 5;

impl Endpoint {
    /// Offers other media, unless an offer is under way in either direction.
    pub(super) fn offer(&mut self, now: Instant, call: SipCall, sdp: Bytes) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| !known.told && known.phase != Phase::Leaving) else {
            self.counters.ignored_commands += 1;
            return;
        };
        if known.offer.as_ref().is_some_and(|offer| offer.purpose == Purpose::Refresh) && known.offer_waits.is_none() {
            known.offer_waits = Some(sdp);
            return;
        }
        if known.is_exchanging() {
            return self.tell(Event::OfferRefused { call, status: 491 });
        }
        let settled = known.early.iter().rev().find(|early| early.is_settled && early.abilities.takes_update);
        let (by, fork) = match known.phase {
            Phase::Up => (Some(Means::Invite), None),
            Phase::Incoming => (Some(Means::Update).filter(|_| known.media == Media::Settled && known.abilities.takes_update), None),
            _ => (settled.map(|_| Means::Update), settled.and_then(|early| early.dialog.remote_tag.clone())),
        };
        let Some(by) = by else { return self.tell(Event::OfferRefused { call, status: 491 }) };
        self.send_offer(now, call, Offer { txn: None, seq: 0, sdp: Some(sdp), crossings: 0, by, purpose: Purpose::Ask, fork });
    }

    pub(super) fn send_offer(&mut self, now: Instant, call: SipCall, mut offer: Offer) {
        let session = self.ask_session(call);
        let Some(known) = self.calls.get_mut(&call) else { return };
        let (flow, is_up) = (known.flow, known.phase == Phase::Up);
        let Some(dialog) = known.dialog_for(offer.fork.as_deref()) else {
            return self.tell(Event::OfferRefused { call, status: 481 });
        };
        let mut request = dialog.request(if offer.by == Means::Invite { Method::Invite } else { Method::Update });
        offer.seq = dialog.local_seq;
        let dialog = dialog.clone();
        let way = self.way_of(flow, &dialog);
        request.push(name::CONTACT, self.contact(way));
        request.push(name::ALLOW, ALLOW);
        request.push(name::SUPPORTED, self.supported(way));
        for (name, value) in session.into_iter().filter(|_| is_up) {
            request.push(name, value);
        }
        let branch = self.sign(way, &mut request);
        let request = match offer.sdp.clone() {
            Some(sdp) => request.with_body(SDP, sdp),
            None => request,
        };
        let txn = self.open_client(now, way, Owner::Call(call), request, branch);
        if offer.by == Means::Invite {
            self.hurry(txn);
        }
        offer.txn = Some(txn);
        if let Some(known) = self.calls.get_mut(&call) {
            known.offer = Some(offer);
        }
    }

    pub(super) fn on_offer_response(&mut self, now: Instant, call: SipCall, id: TxnId, status: u16, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(offer) = known.offer.clone().filter(|offer| offer.txn == Some(id)) else { return };
        match status {
            100..=199 => {}
            200..=299 => self.on_offer_taken(now, call, offer, received),
            491 if offer.crossings < CROSSINGS_MAX && known.phase != Phase::Leaving => {
                known.offer = Some(Offer { txn: None, crossings: offer.crossings + 1, ..offer });
                // Who made the Call-ID waits longer, in steps of 10 ms, so that the two do not cross again.
                let (least, span) = if known.is_caller { (210, 190) } else { (0, 200) };
                let wait = Duration::from_millis(10 * (least + self.seed.below(span)));
                self.wait_to_offer(now + wait, call);
            }
            // RFC 3261 §14.2, RFC 3311 §5.3: an offer before ours has no answer yet, and the peer says when to come again.
            500 if offer.crossings < CROSSINGS_MAX && known.phase != Phase::Leaving && retry_after(&received.message).is_some() => {
                let wait = retry_after(&received.message).unwrap_or_default();
                known.offer = Some(Offer { txn: None, crossings: offer.crossings + 1, ..offer });
                self.wait_to_offer(now + wait, call);
            }
            422 if offer.crossings < CROSSINGS_MAX && self.raise_interval(call, &received.message) => {
                self.send_offer(now, call, Offer { crossings: offer.crossings + 1, ..offer });
            }
            405 | 501 if offer.by == Means::Update && offer.purpose == Purpose::Refresh => {
                // It said that it takes UPDATE, and does not.
                let Some(known) = self.calls.get_mut(&call) else { return };
                known.abilities.takes_update = false;
                let sdp = known.last_sdp.clone();
                self.send_offer(now, call, Offer { by: Means::Invite, sdp, ..offer });
            }
            _ => self.on_offer_failed(now, call, id, status),
        }
    }

    fn wait_to_offer(&mut self, until: Instant, call: SipCall) {
        if let Some(known) = self.calls.get_mut(&call) {
            known.timers.set(CallTimer::OfferAgain, until);
        }
        self.rearm_call(call);
    }

    fn on_offer_taken(&mut self, now: Instant, call: SipCall, offer: Offer, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.offer = None;
        if let Some(early) = offer.fork.as_ref().and_then(|tag| known.early_of(tag)) {
            early.abilities.note(&received.message);
            early.sdp = received.sdp();
        } else {
            known.abilities.note(&received.message);
        }
        if let Some(dialog) = known.dialog_for(offer.fork.as_deref()) {
            dialog.refresh(&received.message);
        }
        known.last_sdp = offer.sdp.or(known.last_sdp.take());
        let (flow, told, is_up) = (known.flow, known.told, known.phase == Phase::Up);
        if offer.by == Means::Invite {
            let dialog = known.dialog.clone();
            let (way, ack) = self.ack_of(flow, &dialog, offer.seq);
            self.send(way, ack.clone());
            if let Some((known, invite)) = self.calls.get_mut(&call).zip(offer.txn) {
                known.ack = Some(SentAck { invite, flow: way, bytes: ack });
            }
        }
        if is_up {
            self.learn_session(now, call, &received.message);
        }
        match (offer.purpose, received.sdp()) {
            (Purpose::Ask, sdp) if !told => self.tell(Event::OfferAnswered { call, sdp }),
            (Purpose::Refresh, Some(sdp)) if !told => self.tell(Event::Refreshed { call, sdp }),
            _ => {}
        }
        self.offer_next(now, call);
    }

    /// A refusal leaves the call as it was; no answer at all, or a peer that knows no such call, ends it (RFC 3261 §12.2.1.2).
    pub(super) fn on_offer_failed(&mut self, now: Instant, call: SipCall, id: TxnId, status: u16) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(offer) = known.offer.take_if(|offer| offer.txn == Some(id)) else { return };
        match (known.phase, status, offer.purpose) {
            (Phase::Up, 408 | 481, _) => return self.leave(now, call, EndCause::Timeout),
            (_, _, Purpose::Refresh) => self.refresh_later(now, call),
            (Phase::Leaving, ..) => {}
            (_, _, Purpose::Ask) if known.told => {}
            (_, _, Purpose::Ask) => self.tell(Event::OfferRefused { call, status }),
        }
        self.offer_next(now, call);
    }

    /// What the shell offered during a refresh goes now.
    fn offer_next(&mut self, now: Instant, call: SipCall) {
        let known = self.calls.get_mut(&call).filter(|known| known.phase != Phase::Leaving && known.offer.is_none());
        if let Some(sdp) = known.and_then(|known| known.offer_waits.take()) {
            self.offer(now, call, sdp);
        }
    }

    /// The pause after a crossing is over.
    pub(super) fn offer_again(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let Some(offer) = known.offer.take() else { return };
        if !known.is_exchanging() {
            return self.send_offer(now, call, offer);
        }
        match offer.purpose {
            Purpose::Ask => self.tell(Event::OfferRefused { call, status: 491 }),
            Purpose::Refresh => self.refresh_later(now, call),
        }
        self.offer_next(now, call);
    }
}

/// Retry-After, where it is short enough to wait for (RFC 3261 §20.33): those of RFC 3261 §14.2 are 10 s at most.
fn retry_after(response: &Message) -> Option<Duration> {
    let value = response.get(name::RETRY_AFTER)?;
    let digits = value.split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default();
    lex::number(digits, 10).map(|seconds| Duration::from_secs(seconds.max(1)))
}
