//! What the endpoint is told to do, and what it tells.

use std::fmt;

use bytes::Bytes;

use super::Flow;
use crate::base::Pii;

/// One call, from the first INVITE to the last answer to BYE. Never used twice while the endpoint lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SipCall(pub u64);

/// One OPTIONS of ours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Probe(pub u64);

/// Who calls or is called, as a From, To or P-Asserted-Identity header says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    /// The name to show, unquoted; empty when there is none.
    pub display: String,
    /// The part before the @, or the number of a `tel:`; percent-escapes resolved. Empty when there is none.
    pub user: String,
    /// The host; empty for a `tel:`.
    pub host: String,
}

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
    /// Our SDP offer.
    pub offer: Bytes,
    /// How many hops are left: 70 for a call of our own, one less than the incoming call's when this one continues it.
    pub max_forwards: u8,
}

/// Why a call of ours ends, for the Reason header of BYE or CANCEL (RFC 3326).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// A cause of ITU-T Q.850, such as 16 for normal clearing.
    pub q850: u8,
    /// A few words for the peer's records; empty for none.
    pub text: String,
}

impl fmt::Debug for Invite {
    /// Whom it calls does not print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite").field("flow", &self.flow).field("max_forwards", &self.max_forwards).finish_non_exhaustive()
    }
}

/// An order to the endpoint. One for a call that is gone, or that does not fit the call's state, is counted and ignored: races are ordinary.
#[derive(Clone)]
pub enum Command {
    /// Answer an incoming call with 180.
    Ring {
        /// The call.
        call: SipCall,
    },
    /// Answer an incoming call with 200.
    Accept {
        /// The call.
        call: SipCall,
        /// Our SDP: the answer, or our offer when the INVITE had none.
        answer: Bytes,
    },
    /// Refuse an incoming call. [`Event::Ended`] follows.
    Reject {
        /// The call.
        call: SipCall,
        /// 300 to 699; anything else becomes 480.
        status: u16,
        /// The text of a Warning 399 header.
        reason: Option<String>,
    },
    /// Accept what [`Event::Reoffer`] brought.
    Answer {
        /// The call.
        call: SipCall,
        /// The answer, or our offer when the re-INVITE had none.
        sdp: Option<Bytes>,
    },
    /// Refuse what [`Event::Reoffer`] brought; the call goes on as it was.
    RejectOffer {
        /// The call.
        call: SipCall,
        /// 400 to 699; anything else becomes 488.
        status: u16,
    },
    /// End a call in whatever state it is. [`Event::Ended`] or [`Event::Cancelled`] follows.
    Hangup {
        /// The call.
        call: SipCall,
        /// Written into the BYE.
        reason: Option<Reason>,
    },
    /// Give up a call of ours that nobody has answered. [`Event::Cancelled`] follows.
    Cancel {
        /// The call.
        call: SipCall,
    },
    /// Offer other media within a call: hold, or its end. [`Event::OfferAnswered`] or [`Event::OfferRefused`] follows.
    Offer {
        /// The call.
        call: SipCall,
        /// Our offer.
        sdp: Bytes,
    },
    /// Ask the peer to call somebody else instead of us (RFC 3515).
    Refer {
        /// The call.
        call: SipCall,
        /// The URI for Refer-To.
        target: String,
    },
    /// Take what [`Event::Referred`] brought: 202, and the first NOTIFY.
    AcceptRefer {
        /// The call.
        call: SipCall,
    },
    /// Refuse what [`Event::Referred`] brought.
    RejectRefer {
        /// The call.
        call: SipCall,
        /// 400 to 699; anything else becomes 603.
        status: u16,
    },
    /// Tell the peer how the call goes that it asked for, once [`Command::AcceptRefer`] was given.
    NotifyRefer {
        /// The call.
        call: SipCall,
        /// The status line in the NOTIFY; from 200 on it is the last one.
        status: u16,
    },
    /// Ask a peer whether it is there. [`Event::Probed`] follows.
    Options {
        /// Comes back in the event.
        probe: Probe,
        /// The way it goes.
        flow: Flow,
        /// The Request-URI.
        target: String,
    },
}

impl fmt::Debug for Command {
    /// The order and its call; numbers, texts and descriptions do not print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, call) = match self {
            Self::Ring { call } => ("Ring", call),
            Self::Accept { call, .. } => ("Accept", call),
            Self::Reject { call, .. } => ("Reject", call),
            Self::Answer { call, .. } => ("Answer", call),
            Self::RejectOffer { call, .. } => ("RejectOffer", call),
            Self::Hangup { call, .. } => ("Hangup", call),
            Self::Cancel { call } => ("Cancel", call),
            Self::Offer { call, .. } => ("Offer", call),
            Self::Refer { call, .. } => ("Refer", call),
            Self::AcceptRefer { call } => ("AcceptRefer", call),
            Self::RejectRefer { call, .. } => ("RejectRefer", call),
            Self::NotifyRefer { call, .. } => ("NotifyRefer", call),
            Self::Options { probe, .. } => return write!(f, "Options({})", probe.0),
        };
        write!(f, "{name}({})", call.0)
    }
}

/// Why a call is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndCause {
    /// The peer hung up.
    Bye {
        /// Its Reason header, when it sent one.
        reason: Option<String>,
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

/// What the endpoint tells. The last event of each call is `Ended`, `Cancelled` or `Failed`, and there is exactly one such.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Somebody calls. 100 was sent; answer with `Ring`, `Accept` or `Reject`.
    Incoming {
        /// The new call.
        call: SipCall,
        /// The way it came.
        flow: Flow,
        /// The caller, as From says.
        from: Pii<Box<Party>>,
        /// The caller, as P-Asserted-Identity says (RFC 3325): trunks put the true number there.
        asserted: Option<Pii<Box<Party>>>,
        /// Whom To names.
        to: Pii<Box<Party>>,
        /// The user part of the Request-URI: the number dialled.
        request_user: Pii<String>,
        /// The SDP offer, when there is one.
        offer: Option<Bytes>,
        /// The Call-ID.
        call_id: String,
        /// Hops left.
        max_forwards: u8,
    },
    /// The caller has acknowledged our 200, or our answer to a re-INVITE.
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
        /// 101 to 199.
        status: u16,
        /// Early media.
        sdp: Option<Bytes>,
    },
    /// A call of ours was answered; the ACK was sent.
    Answered {
        /// The call.
        call: SipCall,
        /// The SDP answer.
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
    },
    /// The peer asks us to call somebody else (RFC 3515): answer with `AcceptRefer` or `RejectRefer`. Only where
    /// [`super::Settings::hears_refer`] says so; elsewhere it is declined.
    Referred {
        /// The call.
        call: SipCall,
        /// The URI of Refer-To.
        target: String,
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
}
