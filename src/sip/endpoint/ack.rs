//! ACK in: our 200 has arrived. RFC 3261 §13.3.1.4.

use super::Endpoint;
use super::call::CallTimer;
use super::inbound::Received;
use crate::base::Instant;
use crate::sip::Event;

impl Endpoint {
    pub(super) fn on_ack(&mut self, now: Instant, received: &Received) {
        let Some(call) = self.dialog_of(&received.core) else { return };
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.ok.as_ref().is_none_or(|ok| ok.seq != received.core.seq) {
            return;
        }
        known.ok = None;
        known.timers.stop(CallTimer::ResendOk);
        known.timers.stop(CallTimer::NoAck);
        let (told, bye_waits) = (known.told, known.bye_waits);
        self.rearm_call(call);
        if !told {
            self.tell(Event::Acked { call, sdp: received.sdp() });
        }
        if bye_waits {
            self.send_bye(now, call);
        }
    }
}
