//! OPTIONS in: what we can do. RFC 3261 §11.2.

use super::Endpoint;
use super::reply::{Reply, SDP};
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::method::ALLOW;

impl Endpoint {
    pub(super) fn on_options(&mut self, now: Instant, id: TxnId) {
        if let Some(seconds) = self.drain {
            // A trunk that asks whether we are there sends its calls elsewhere, and asks again.
            let refusal = Reply::refuse(503, "this box takes no new calls for now").with(name::RETRY_AFTER, seconds.to_string());
            self.reply(now, id, refusal);
            return;
        }
        let reply = Reply::new(200)
            .with(name::ALLOW, ALLOW)
            .with(name::ACCEPT, format!("{SDP}, application/dtmf-relay, application/dtmf, message/sipfrag"))
            .with("Accept-Encoding", "identity")
            .with("Accept-Language", "en")
            .with(name::SUPPORTED, "");
        self.reply(now, id, reply);
    }
}
