//! A call of ours to place, and what names a dialog to others.

use std::fmt;

use bytes::Bytes;

use super::{Flow, Party};
use crate::base::{Pii, limits};

/// Whose credentials a request of ours may use when it is challenged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct AccountId(pub u16);

/// A call to place.
#[derive(Clone)]
pub struct Invite {
    /// The way the INVITE goes. Its remote address must be a trusted peer's.
    pub flow: Flow,
    /// The Request-URI and To, such as `sip:20@pbx.example`.
    pub target: String,
    /// The user part of From and Contact.
    pub from_user: String,
    /// The name in From; empty for none.
    pub from_display: String,
    /// The host in From; `None` for our own. A registrar knows us by its own domain.
    pub from_host: Option<String>,
    /// Routes that the call takes, such as those of a registrar's Service-Route (RFC 3608).
    pub routes: Vec<String>,
    /// Our SDP offer.
    pub offer: Bytes,
    /// How many hops are left: 70 for a call of our own, one less than the incoming call's when this one continues it.
    pub max_forwards: u8,
    /// Whose credentials answer a challenge; without any, a challenge is a refusal.
    pub account: Option<AccountId>,
    /// More headers. A name that the endpoint writes itself, or a value with control characters, and the call fails with 400.
    pub headers: Vec<(String, Pii<String>)>,
    /// Who calls, for P-Asserted-Identity (RFC 3325). Only for a peer that trusts us with it.
    pub asserted: Option<Pii<Party>>,
    /// Ask the peer to withhold who calls (RFC 3323).
    pub is_private: bool,
    /// The call of the callee's that this one shall take the place of (RFC 3891).
    pub replaces: Option<Replaces>,
    /// How long the session may go on unrefreshed, in seconds (RFC 4028); `None` where the peer does not bear session timers.
    pub session_expires: Option<u32>,
}

impl Invite {
    /// A plain call, with the usual hops and session timer.
    pub fn new(flow: Flow, target: impl Into<String>, offer: Bytes) -> Self {
        Self {
            flow,
            target: target.into(),
            from_user: String::new(),
            from_display: String::new(),
            from_host: None,
            routes: Vec::new(),
            offer,
            max_forwards: 70,
            account: None,
            headers: Vec::new(),
            asserted: None,
            is_private: false,
            replaces: None,
            session_expires: Some(limits::SIP_SESSION_EXPIRES_S),
        }
    }
}

impl fmt::Debug for Invite {
    /// Whom it calls does not print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite").field("flow", &self.flow).field("max_forwards", &self.max_forwards).finish_non_exhaustive()
    }
}

/// A dialog as a Replaces header names it, seen from whoever shall end it (RFC 3891 §6.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: String,
    /// The tag of whoever receives the INVITE.
    pub to_tag: String,
    /// The tag of the one that leaves.
    pub from_tag: String,
    /// Only while nobody has answered.
    pub is_early_only: bool,
}
