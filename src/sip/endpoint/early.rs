//! Provisional answers in: phones that ring, each in an early dialog of its own, and PRACK for what must be acknowledged.
//! RFC 3261 §12.1, §13.2.2.1, RFC 3262 §4.

use bytes::Bytes;

use super::Endpoint;
use super::abilities::{Abilities, has_option};
use super::call::{Call, Phase};
use super::inbound::Received;
use super::table::Owner;
use crate::base::{Instant, limits};
use crate::sip::dialog::Dialog;
use crate::sip::message::name;
use crate::sip::{Event, Method, SipCall, lex};

/// One phone that rings.
#[derive(Clone, Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The number of its last reliable response.
    rseq: Option<u32>,
    pub(super) abilities: Abilities,
    /// The sound description of the peer's that holds in this dialog.
    pub(super) sdp: Option<Bytes>,
    /// Whether our offer has its answer here, in a response that was acknowledged: from then on UPDATE may offer more.
    pub(super) is_settled: bool,
}

/// What to do about one provisional response.
enum Step {
    Tell,
    Acknowledge(u32),
    /// It has come before, or one before it is missing.
    Drop,
}

impl Call {
    /// The early dialog that has this tag.
    pub(super) fn early_of(&mut self, tag: &[u8]) -> Option<&mut Early> {
        self.early.iter_mut().find(|early| early.dialog.remote_tag.as_deref() == Some(tag))
    }

    /// The dialog with this tag of the peer's, confirmed or early; the call's own when none is named.
    pub(super) fn dialog_for(&mut self, tag: Option<&[u8]>) -> Option<&mut Dialog> {
        match tag {
            Some(tag) if self.dialog.remote_tag.as_deref() != Some(tag) => self.early_of(tag).map(|early| &mut early.dialog),
            _ => Some(&mut self.dialog),
        }
    }

    /// Notes what a provisional response says of the phone that sent it.
    fn note_early(&mut self, status: u16, received: &Received) -> Step {
        let Some(tag) = received.core.to.tag.as_deref() else { return Step::Tell };
        if status == 199 {
            // RFC 6228 §6: this phone will not answer any more.
            self.early.retain(|early| early.dialog.remote_tag.as_deref() != Some(tag));
            return Step::Drop;
        }
        if self.early_of(tag).is_none() {
            if self.early.len() >= limits::SIP_EARLY_DIALOGS_MAX {
                return Step::Tell;
            }
            let mut dialog = self.dialog.clone();
            dialog.confirm(&received.message, &received.core);
            let abilities = Abilities::of(&received.message);
            self.early.push(Early { dialog, rseq: None, abilities, sdp: None, is_settled: false });
        }
        let Some(early) = self.early_of(tag) else { return Step::Tell };
        let number = received.message.get(name::RSEQ).and_then(|rseq| lex::number(rseq, u64::from(u32::MAX)));
        let number = number.and_then(|rseq| u32::try_from(rseq).ok()).filter(|_| has_option(&received.message, name::REQUIRE, "100rel"));
        // RFC 3262 §4: in order, each once; what leaves a gap comes again after the one that is missing.
        if number.is_some_and(|rseq| early.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq))) {
            return Step::Drop;
        }
        early.dialog.refresh(&received.message);
        early.abilities.note(&received.message);
        if !early.is_settled {
            early.sdp = received.sdp().or(early.sdp.take());
        }
        let Some(rseq) = number else { return Step::Tell };
        early.rseq = Some(rseq);
        early.is_settled |= received.sdp().is_some();
        Step::Acknowledge(rseq)
    }
}

impl Endpoint {
    pub(super) fn on_provisional(&mut self, now: Instant, call: SipCall, status: u16, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.cancel_wanted {
            return self.send_cancel(now, call);
        }
        if status == 100 || known.phase != Phase::Calling {
            return;
        }
        match known.note_early(status, received) {
            Step::Drop => {}
            Step::Tell => self.tell(Event::Progress { call, status, sdp: received.sdp() }),
            Step::Acknowledge(rseq) => {
                self.send_prack(now, call, rseq, received);
                self.tell(Event::Progress { call, status, sdp: received.sdp() });
            }
        }
    }

    /// RFC 3262 §4, §7.2.
    fn send_prack(&mut self, now: Instant, call: SipCall, rseq: u32, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let (flow, seq) = (known.flow, known.invite_seq);
        let Some(dialog) = known.dialog_for(received.core.to.tag.as_deref()) else { return };
        let mut request = dialog.request(Method::Prack);
        let dialog = dialog.clone();
        let way = self.way_of(flow, &dialog);
        request.push(name::RACK, format!("{rseq} {seq} INVITE"));
        let branch = self.sign(way, &mut request);
        self.open_client(now, way, Owner::Call(call), request, branch);
    }
}
