//! A call that comes in, as the shell hears of it.

use bytes::Bytes;

use super::{Flow, SipCall};
use crate::base::Pii;

/// Who calls or is called, as a From, To or P-Asserted-Identity header says. Control characters are gone: these texts reach prompts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    /// The name to show, unquoted; empty when there is none.
    pub display: String,
    /// The part before the @, or the number of a `tel:`; percent-escapes resolved. Empty when there is none.
    pub user: String,
    /// The host; empty for a `tel:`.
    pub host: String,
}

/// A new call of somebody's, with what its INVITE says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// The new call.
    pub call: SipCall,
    /// The way it came.
    pub flow: Flow,
    /// The caller, as From says.
    pub from: Pii<Box<Party>>,
    /// The caller, as P-Asserted-Identity says (RFC 3325): trunks put the true number there. Read from known peers alone.
    pub asserted: Option<Pii<Box<Party>>>,
    /// The caller asks that its identity be withheld (RFC 3323, RFC 3325 §9.3): show nobody what was asserted.
    pub is_private: bool,
    /// Whom To names.
    pub to: Pii<Box<Party>>,
    /// The user part of the Request-URI: the number dialled.
    pub request_user: Pii<String>,
    /// The host of the Request-URI; empty for a `tel:`.
    pub request_host: String,
    /// The SDP offer, when there is one.
    pub offer: Option<Bytes>,
    /// The Call-ID.
    pub call_id: String,
    /// Hops left.
    pub max_forwards: u8,
    /// Who was called before us and passed the call on, the last first (RFC 5806, RFC 7044). Read from known peers alone.
    pub diverted: Vec<Pii<Party>>,
    /// What the caller's system wants ours to know, as written in User-to-User (RFC 7433). Read from known peers alone.
    pub user_to_user: Option<Pii<String>>,
    /// The desk phone that calls, registered and authenticated.
    pub phone: Option<String>,
    /// The call of ours that this one shall take the place of (RFC 3891): on `Accept` the endpoint ends that one.
    pub replaces: Option<SipCall>,
    /// The headers that [`super::Settings::headers_heard`] names, in its spelling. Read from known peers alone.
    pub headers: Vec<(String, Pii<String>)>,
}

impl Arrival {
    /// Who may be shown as the caller: what was asserted, or From where nothing was or where the caller asks for privacy.
    pub fn caller(&self) -> &Pii<Box<Party>> {
        self.asserted.as_ref().filter(|_| !self.is_private).unwrap_or(&self.from)
    }
}
