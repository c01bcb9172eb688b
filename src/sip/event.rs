//! What the endpoint tells.

use std::fmt;

use bytes::Bytes;

use super::digest::AuthTrouble;
use super::register::RegisterAnswer;
use super::{AccountId, Arrival, Flow, PhoneContact, Reason, Replaces};
use crate::base::Pii;

/// One call, from the first INVITE to the last answer to BYE. Never used twice while the endpoint lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SipCall(pub u64);

/// One OPTIONS of ours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Probe(pub u64);

/// Why a call is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndCause {
    /// The peer hung up.
    Bye {
        /// Its Reason header, when it sent one.
        reason: Option<Reason>,
    },
    /// Another call has taken its place (RFC 3891).
    Replaced {
        /// That call.
        by: SipCall,
    },
    /// We hung up.
    Hangup,
    /// We refused the call.
    Rejected {
        /// The status we sent.
        status: u16,
    },
    /// Our 200 was never acknowledged (RFC 3261 §13.3.1.4).
    NoAck,
    /// The peer no longer answers.
    Timeout,
}

/// What the endpoint tells. The last event of each call is `Ended`, `Cancelled`, `Failed` or
/// `Redirected`, and there is exactly one such.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Somebody calls. 100 was sent; answer with `Ring`, `Progress`, `Accept` or `Reject`.
    Incoming(Box<Arrival>),
    /// The caller has acknowledged our 200, or our answer to a re-INVITE. (What a PRACK brings comes as `OfferAnswered`.)
    Acked {
        /// The call.
        call: SipCall,
        /// The SDP answer, when the offer was ours.
        sdp: Option<Bytes>,
    },
    /// The peer wants other media, or asks for our offer: answer with `Answer` or `RejectOffer`.
    Reoffer {
        /// The call.
        call: SipCall,
        /// The offer; none asks for ours.
        offer: Option<Bytes>,
    },
    /// Nobody waits any more: the caller gave up before we answered, or our own call was given up.
    Cancelled {
        /// The call.
        call: SipCall,
        /// The peer's Reason header, when it sent one: `SIP` with cause 200 says that another phone has answered.
        reason: Option<Reason>,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: SipCall,
        /// Why.
        cause: EndCause,
    },
    /// A call of ours moves on.
    Progress {
        /// The call.
        call: SipCall,
        /// 101 to 198.
        status: u16,
        /// Sound before the answer; several phones may ring, and each may bring its own.
        sdp: Option<Bytes>,
    },
    /// A call of ours was answered; the ACK was sent.
    Answered {
        /// The call.
        call: SipCall,
        /// The peer's description that holds: that of the 200, or one from before that was acknowledged.
        sdp: Option<Bytes>,
    },
    /// A call of ours was not answered.
    Failed {
        /// The call.
        call: SipCall,
        /// The final status; 408 when nobody answered at all.
        status: u16,
        /// The reason phrase as received.
        reason: String,
        /// What the peer adds in words, in Warning or in Reason.
        why: Option<String>,
    },
    /// A call of ours was sent elsewhere by a 3xx: the shell may place another there, after it has asked its own rules. A last event.
    Redirected {
        /// The call.
        call: SipCall,
        /// 300 to 399.
        status: u16,
        /// URIs that can be called, the one wanted most first; five at most.
        contacts: Vec<Pii<String>>,
    },
    /// The peer asks us to call somebody else (RFC 3515): answer with `AcceptRefer` or `RejectRefer`. Only where
    /// [`super::Settings::hears_refer`] says so; elsewhere it is declined.
    Referred {
        /// The call.
        call: SipCall,
        /// The URI of Refer-To, without its headers.
        target: Pii<String>,
        /// The call that the new one shall replace at the target's, when the URI says so (RFC 3891).
        replaces: Option<Box<Replaces>>,
        /// That call, where it is one of ours: then the two peers shall be joined here.
        own: Option<SipCall>,
    },
    /// The re-INVITE by which we kept the session alive (RFC 4028) has brought this answer to our last description.
    Refreshed {
        /// The call.
        call: SipCall,
        /// The SDP answer.
        sdp: Bytes,
    },
    /// The peer has taken our offer within the call.
    OfferAnswered {
        /// The call.
        call: SipCall,
        /// The SDP answer.
        sdp: Option<Bytes>,
    },
    /// The peer has not taken our offer: the call goes on as it was.
    OfferRefused {
        /// The call.
        call: SipCall,
        /// The final status; 491 when our offers kept crossing, or when one of the peer's waits for us.
        status: u16,
    },
    /// The peer has taken our REFER.
    ReferAccepted {
        /// The call.
        call: SipCall,
    },
    /// How the call that the peer places for us is going.
    ReferProgress {
        /// The call.
        call: SipCall,
        /// The status line in the NOTIFY.
        status: u16,
    },
    /// The peer has refused our REFER, or its subscription ended without a final status.
    ReferFailed {
        /// The call.
        call: SipCall,
        /// The final status.
        status: u16,
    },
    /// A key was pressed, told by INFO.
    Digit {
        /// The call.
        call: SipCall,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long; 250 when not said.
        duration_ms: u32,
    },
    /// What came of a REGISTER of ours.
    Registered(Box<RegisterAnswer>),
    /// A challenge has no answer, so the request that it was for has failed: the owner should read why.
    Unauthorised {
        /// Whose credentials were wanted.
        account: Option<AccountId>,
        /// Why there is no answer, and what to change.
        trouble: AuthTrouble,
    },
    /// A telephone of ours has registered, or has done so again.
    PhoneRegistered {
        /// Which one: its name in the settings.
        phone: String,
        /// Where it is reached.
        contact: PhoneContact,
    },
    /// A telephone of ours is no longer reached there.
    PhoneGone {
        /// Which one.
        phone: String,
        /// Where it was.
        contact: PhoneContact,
    },
    /// Our address towards the peer of a call that is up is another one: its sound wants a new offer.
    Moved {
        /// The call.
        call: SipCall,
        /// Its way from now on.
        flow: Flow,
    },
    /// Somebody was kept out, or silenced: a line for the log.
    Noticed(super::Notice),
    /// The answer to an OPTIONS of ours.
    Probed {
        /// As in the command.
        probe: Probe,
        /// The status; 408 when nobody answered.
        status: u16,
    },
}

/// What the shell does for the endpoint.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes: one message, and one datagram where the transport has such.
    Send {
        /// The way.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// Hear this.
    Event(Event),
}

impl fmt::Debug for Output {
    /// A message is full of numbers and names: it prints as its way and its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { flow, bytes } => write!(f, "Send({} octets to {})", bytes.len(), flow.remote),
            Self::Event(event) => event.fmt(f),
        }
    }
}

/// Whom a datagram came from, and what became of it, in counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Datagrams of strangers, dropped in silence.
    pub untrusted: u64,
    /// Datagrams that could not be read and could not be answered.
    pub unreadable: u64,
    /// Requests answered 400 or 505 for their form.
    pub malformed: u64,
    /// Keep-alives (RFC 5626 §3.5.1) and other empty datagrams.
    pub keep_alives: u64,
    /// Requests as received, repeats included.
    pub requests: u64,
    /// Requests that were repeats.
    pub repeats: u64,
    /// Responses that no transaction waited for.
    pub stray_responses: u64,
    /// Requests answered 480 because the table of transactions was full, or its sender's share of it.
    pub overload: u64,
    /// Commands for a call that was gone, or that did not fit its state.
    pub ignored_commands: u64,
    /// Transactions that ended without an answer.
    pub timeouts: u64,
    /// Requests of ours that could not be sent.
    pub unreachable: u64,
    /// Requests that were asked for a password: they had none, or a wrong one.
    pub challenged: u64,
    /// Those among them whose password was wrong.
    pub denied: u64,
}
