//! REFER in: we call nobody because a peer says so. RFC 3515 §2.4.2.

use super::Endpoint;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;

impl Endpoint {
    pub(super) fn on_refer(&mut self, now: Instant, id: TxnId) {
        self.reply(now, id, Reply::refuse(603, "this endpoint places no calls on request"));
    }
}
