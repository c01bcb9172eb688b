//! CANCEL in: the caller no longer waits. RFC 3261 §9.2.

use super::Endpoint;
use super::call::Phase;
use super::inbound::{Received, server_key};
use super::reply::Reply;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::{Event, Method, Reason};

impl Endpoint {
    pub(super) fn on_cancel(&mut self, now: Instant, id: TxnId, received: &Received) {
        let Some(&invite) = self.by_server_key.get(&server_key(received, &Method::Invite)) else {
            self.reply(now, id, Reply::refuse(481, "RFC 3261 9.2: no INVITE with this branch is here"));
            return;
        };
        // Both answers carry the same tag (RFC 3261 §9.2).
        let tag = self.txns.get(&invite).and_then(|txn| txn.echo.as_ref()).map(|echo| echo.tag.clone());
        if let (Some(tag), Some(echo)) = (tag, self.txns.get_mut(&id).and_then(|txn| txn.echo.as_mut())) {
            echo.tag = tag;
        }
        self.reply(now, id, Reply::new(200));
        let Some(txn) = self.txns.get(&invite) else { return };
        let owner = txn.owner;
        if !txn.is_proceeding() {
            return;
        }
        self.reply(now, invite, Reply::refuse(487, "RFC 3261 9.2: the caller has given up"));
        let Owner::Call(call) = owner else { return };
        let Some(known) = self.calls.get_mut(&call) else { return };
        if known.phase == Phase::Incoming {
            self.forget_call(now, call);
            self.tell(Event::Cancelled { call, reason: Reason::of(&received.message) });
        } else {
            // A re-INVITE was taken back: the call goes on as it was.
            known.pending = None;
        }
    }
}
