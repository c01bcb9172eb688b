//! What the caller's side and we agree on about sound, as often as either asks. RFC 3264.

use bytes::Bytes;

use super::leg;
use super::line::Line;
use crate::call::{Input, Line as Wire};
use crate::media;
use crate::sdp::{Direction, Negotiated};
use crate::sip::{Command, Flow, Reason, SipCall};

impl Line {
    pub(super) async fn agreed(&mut self, answer: &[u8]) {
        self.offer_open = false;
        match self.session.accept_answer(answer) {
            Ok(agreed) => self.agree(&agreed),
            Err(error) => {
                tracing::warn!(call_id = %self.id, %error, "the answer to our offer does not fit");
                self.house.sip(Command::Hangup { call: self.sip, reason: None }).await;
            }
        }
    }

    /// The ACK brought no answer to the offer in our 200 (RFC 3261 §13.2.2.4): nobody can be heard, so the call ends.
    pub(super) async fn end_unanswered(&mut self) {
        tracing::warn!(call_id = %self.id, "the ACK brings no answer to our offer");
        let reason = Some(Reason::sip(488, "the ACK brings no answer to our offer"));
        self.house.sip(Command::Hangup { call: self.sip, reason }).await;
    }

    /// Our SDP for a call that takes the place of this one; none when it was refused.
    pub(super) async fn place_taken(&mut self, by: SipCall, offer: Option<Bytes>) -> Option<(Bytes, Option<Negotiated>)> {
        match leg::answer_or_offer(&mut self.session, offer.as_deref()) {
            Ok(answer) => Some(answer),
            Err(refusal) => {
                self.house.sip(Command::Reject { call: by, status: refusal.status, reason: Some(refusal.why) }).await;
                None
            }
        }
    }

    /// Other media hold from now on. A person whom the caller holds without sending anything hears our music.
    pub(super) fn agree(&mut self, agreed: &Negotiated) {
        self.house.hub.media(media::Order::Renegotiate(self.leg, leg::renegotiation(agreed)));
        let held = agreed.direction == Direction::Inactive;
        if std::mem::replace(&mut self.held, held) != held {
            self.tell(Input::Line(Wire::Held(held)));
        }
    }

    /// The box has another address: the caller is offered the same sound at the new one.
    pub(super) async fn moved(&mut self, flow: Flow) {
        tracing::warn!(call_id = %self.id, "our address is another one; the caller is told");
        self.session.set_address(self.house.ours(flow).shown());
        let sdp = self.session.offer();
        self.house.sip(Command::Offer { call: self.sip, sdp }).await;
    }

    pub(super) async fn reoffered(&mut self, offer: Option<Bytes>) {
        let Some(offer) = offer else {
            let sdp = Some(self.session.offer());
            self.house.sip(Command::Answer { call: self.sip, sdp }).await;
            return;
        };
        match self.session.answer(&offer) {
            Ok((answer, agreed)) => {
                self.agree(&agreed);
                self.house.sip(Command::Answer { call: self.sip, sdp: Some(answer) }).await;
            }
            Err(error) => {
                tracing::warn!(call_id = %self.id, %error, "new offer refused; the call goes on as it was");
                self.house.sip(Command::RejectOffer { call: self.sip, status: error.status() }).await;
            }
        }
    }
}
