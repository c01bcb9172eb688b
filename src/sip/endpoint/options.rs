//! OPTIONS in: what we can do. RFC 3261 §11.2.

use super::Endpoint;
use super::abilities::SUPPORTED;
use super::reply::{Reply, SDP};
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::SipCall;
use crate::sip::message::name;
use crate::sip::method::ALLOW;

impl Endpoint {
    pub(super) fn on_options(&mut self, now: Instant, id: TxnId, call: Option<SipCall>) {
        if let Some(seconds) = self.drain.filter(|_| call.is_none()) {
            // RFC 3261 §11.2: what an INVITE would be answered. We do not say 486 when every line is busy, because monitors take it for a box
            // that is gone.
            self.reply(now, id, Reply::refuse(503, "this box takes no new calls for now").with(name::RETRY_AFTER, seconds.to_string()));
            return;
        }
        let reply = Reply::new(200)
            .with(name::ALLOW, ALLOW)
            .with(name::ACCEPT, format!("{SDP}, application/dtmf-relay, application/dtmf, message/sipfrag"))
            .with("Accept-Encoding", "identity")
            .with("Accept-Language", "en")
            .with(name::SUPPORTED, SUPPORTED);
        self.reply(now, id, reply);
    }
}
