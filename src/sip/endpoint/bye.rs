//! BYE in: the peer has hung up. RFC 3261 §15.1.2.

use super::Endpoint;
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::{EndCause, Event, Reason, SipCall};

impl Endpoint {
    pub(super) fn on_bye(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        self.reply(now, id, Reply::new(200));
        let Some(known) = self.calls.get(&call) else { return };
        // Whatever INVITE or UPDATE still waits for an answer gets one (RFC 3261 §15.1.2).
        let waiting = [known.invite, known.pending.as_ref().map(|pending| pending.txn)];
        let told = known.told;
        for waiting in waiting.into_iter().flatten() {
            if self.txns.get(&waiting).is_some_and(|txn| txn.echo.is_some() && txn.is_proceeding()) {
                self.reply(now, waiting, Reply::new(487));
            }
        }
        self.forget_call(call);
        if !told {
            let reason = Reason::of(&received.message);
            self.tell(Event::Ended { call, cause: EndCause::Bye { reason } });
        }
    }
}
