//! Who is heard at all, before anything is parsed, and what the others get. RFC 3261 §26.3.2.4.

use bytes::Bytes;

use super::Endpoint;
use super::reply::{Echo, Reply};
use crate::base::Instant;
use crate::sip::check::check;
use crate::sip::message::{Start, name};
use crate::sip::wire::{Framed, frame};
use crate::sip::{Event, Flow, Method, Offence, ShieldReport, Standing, Verdict};

impl Endpoint {
    /// Who this peer is to us.
    pub(super) fn standing(&self, flow: Flow) -> Standing {
        if self.trusts(flow) {
            Standing::Known
        } else if self.registrar.as_ref().is_some_and(|registrar| registrar.serves(flow.remote.ip())) {
            Standing::Phone
        } else {
            Standing::Stranger
        }
    }

    /// Asks the shield; a stranger that gets an answer has got it here.
    pub(super) fn lets_in(&mut self, now: Instant, flow: Flow, datagram: &Bytes) -> bool {
        let standing = self.standing(flow);
        let verdict = self.shield.handle_datagram(now, flow, standing, datagram);
        self.tell_notices();
        match verdict {
            Verdict::Pass => return true,
            Verdict::Silence => {}
            Verdict::Refuse => self.refuse_stranger(flow, datagram),
        }
        self.counters.untrusted += u64::from(standing != Standing::Known);
        false
    }

    /// Counts an offence that was found in what a source sent.
    pub fn handle_offence(&mut self, now: Instant, flow: Flow, offence: Offence) {
        let standing = self.standing(flow);
        self.shield.handle_offence(now, flow, standing, offence);
        self.tell_notices();
    }

    /// What was kept out, and the sources that tried most.
    pub fn shield_report(&self, now: Instant, worst: usize) -> ShieldReport {
        self.shield.report(now, worst)
    }

    /// How many messages and connections were not let in.
    pub const fn kept_out(&self) -> u64 {
        self.shield.dropped()
    }

    fn tell_notices(&mut self) {
        while let Some(notice) = self.shield.poll_notice() {
            self.tell(Event::Noticed(notice));
        }
    }

    /// The one refusal: it has the same words for every method and every number, names no program, and is never longer than the question.
    fn refuse_stranger(&mut self, flow: Flow, datagram: &Bytes) {
        let Ok(Framed::Message { message, broken: None }) = frame(datagram) else { return };
        let Start::Request { method, .. } = &message.start else { return };
        let Ok(core) = check(&message) else { return };
        if *method == Method::Ack {
            return;
        }
        let way = self.response_flow(flow, Some(&core.via));
        let response = Echo::of(&message, flow, self.fresh()).response(403, "Forbidden").encode();
        if response.len() <= datagram.len() {
            self.send(way, response);
        }
    }

    /// No room for a transaction: 480, because 503 would make a PBX give up the whole trunk. It is answered without state; what comes again is asked again.
    pub(super) fn refuse_without_room(&mut self, echo: &Echo, flow: Flow) {
        self.counters.overload += 1;
        let reply = Reply::refuse(480, "too many requests at once; try again").with(name::RETRY_AFTER, "5");
        let response = self.compose(echo, flow, reply).encode();
        self.send(flow, response);
    }
}
