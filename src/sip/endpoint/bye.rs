//! BYE in: the peer has hung up. RFC 3261 §15.1.2.

use super::Endpoint;
use super::call::Phase;
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::{EndCause, Event, Reason, SipCall};

impl Endpoint {
    pub(super) fn on_bye(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        self.reply(now, id, Reply::new(200));
        let Some(known) = self.calls.get(&call) else { return };
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
}
