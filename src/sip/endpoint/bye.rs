//! BYE in: the peer has hung up. RFC 3261 §15.1.2.

use super::Endpoint;
use super::call::{CallTimer, Phase};
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::{EndCause, Event, Reason, SipCall};

impl Endpoint {
    pub(super) fn on_bye(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        self.reply(now, id, Reply::new(200));
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.phase == Phase::Calling {
            return self.on_early_bye(now, call, received);
        }
        let (told, invite) = (known.told, known.invite.filter(|_| known.phase == Phase::Incoming));
        if let Some(invite) = invite {
            self.reply(now, invite, Reply::refuse(487, "RFC 3261 15.1.2: the caller has hung up"));
        }
        self.forget_call(now, call);
        if !told {
            let reason = Reason::of(&received.message);
            self.tell(Event::Ended { call, cause: EndCause::Bye { reason } });
        }
    }

    /// A phone that rang has answered, waited in vain for our ACK, and hung up: its 200 never came. When no other rings, nobody will answer.
    fn on_early_bye(&mut self, now: Instant, call: SipCall, received: &Received) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        let gone = received.core.from.tag.clone();
        known.early.retain(|early| early.dialog.remote_tag != gone);
        if !known.early.is_empty() || known.told {
            return;
        }
        known.told = true;
        known.cancel_wanted = true;
        known.timers.stop(CallTimer::Unanswered);
        let reason = "the callee has hung up before its answer arrived".to_owned();
        self.tell(Event::Failed { call, status: 480, reason, why: None });
        self.send_cancel(now, call);
    }
}
