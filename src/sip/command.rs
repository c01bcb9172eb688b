//! What the endpoint is told to do.

use std::fmt;

use bytes::Bytes;

use super::register::Register;
use super::{Flow, HostPort, Peer, Probe, Reason, SipCall};

/// An order to the endpoint. One for a call that is gone, or that does not fit the call's state, is counted and ignored: races are ordinary.
#[derive(Clone)]
pub enum Command {
    /// Answer an incoming call with 180.
    Ring {
        /// The call.
        call: SipCall,
    },
    /// Answer an incoming call provisionally, with sound before the answer or without it.
    Progress {
        /// The call.
        call: SipCall,
        /// 101 to 199; anything else becomes 183.
        status: u16,
        /// Our SDP: the answer, or our offer when the INVITE had none.
        answer: Option<Bytes>,
    },
    /// Answer an incoming call with 200.
    Accept {
        /// The call.
        call: SipCall,
        /// Our SDP: the answer, or our offer when the INVITE had none.
        answer: Bytes,
    },
    /// Refuse an incoming call. [`super::Event::Ended`] follows.
    Reject {
        /// The call.
        call: SipCall,
        /// 300 to 699; anything else becomes 480.
        status: u16,
        /// The text of a Warning 399 header.
        reason: Option<String>,
    },
    /// Accept what [`super::Event::Reoffer`] brought.
    Answer {
        /// The call.
        call: SipCall,
        /// The answer, or our offer when the re-INVITE had none.
        sdp: Option<Bytes>,
    },
    /// Refuse what [`super::Event::Reoffer`] brought; the call goes on as it was.
    RejectOffer {
        /// The call.
        call: SipCall,
        /// 400 to 699; anything else becomes 488.
        status: u16,
    },
    /// End a call in whatever state it is. [`super::Event::Ended`] or [`super::Event::Cancelled`] follows.
    Hangup {
        /// The call.
        call: SipCall,
        /// Written into the BYE.
        reason: Option<Reason>,
    },
    /// Give up a call of ours that nobody has answered. [`super::Event::Cancelled`] follows.
    Cancel {
        /// The call.
        call: SipCall,
    },
    /// Offer other media within a call: hold, or its end. [`super::Event::OfferAnswered`] or [`super::Event::OfferRefused`] follows. Before the answer it
    /// goes by UPDATE, and only where the peer knows that and the first offer has its answer.
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
    /// Ask the peer of `call` to take our place in `other` (RFC 3891, RFC 5589 §7): both are up. What follows is as for `Refer`.
    ReferReplacing {
        /// The call whose peer shall move.
        call: SipCall,
        /// The call whose peer it shall talk to.
        other: SipCall,
    },
    /// Take what [`super::Event::Referred`] brought: 202, and the first NOTIFY.
    AcceptRefer {
        /// The call.
        call: SipCall,
    },
    /// Refuse what [`super::Event::Referred`] brought.
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
    /// Send a registration's REGISTER, of which one at a time is under way. [`super::Event::Registered`] follows.
    Register(Box<Register>),
    /// What Via and Contact tell the peers of one block from now on; `None` for our own address again.
    Advertise {
        /// The block.
        peer: Peer,
        /// The address.
        host: Option<HostPort>,
    },
    /// Who is believed without a password from now on, instead of those before.
    Trust {
        /// All of them.
        peers: Vec<Peer>,
        /// Those among them that do not bear session timers (RFC 4028).
        without_timers: Vec<Peer>,
        /// Those among them that do not acknowledge provisional responses (RFC 3262), whatever they say.
        without_reliable: Vec<Peer>,
    },
    /// Ask a peer whether it is there. [`super::Event::Probed`] follows.
    Options {
        /// Comes back in the event.
        probe: Probe,
        /// The way it goes.
        flow: Flow,
        /// The Request-URI.
        target: String,
    },
    /// Take no new calls: each gets 503 with this Retry-After. Calls that are up go on.
    Drain {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// Take calls again.
    Undrain,
}

impl fmt::Debug for Command {
    /// The order and its call; numbers, texts and descriptions do not print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, call) = match self {
            Self::Ring { call } => ("Ring", call),
            Self::Progress { call, .. } => ("Progress", call),
            Self::Accept { call, .. } => ("Accept", call),
            Self::Reject { call, .. } => ("Reject", call),
            Self::Answer { call, .. } => ("Answer", call),
            Self::RejectOffer { call, .. } => ("RejectOffer", call),
            Self::Hangup { call, .. } => ("Hangup", call),
            Self::Cancel { call } => ("Cancel", call),
            Self::Offer { call, .. } => ("Offer", call),
            Self::Refer { call, .. } => ("Refer", call),
            Self::ReferReplacing { call, .. } => ("ReferReplacing", call),
            Self::AcceptRefer { call } => ("AcceptRefer", call),
            Self::RejectRefer { call, .. } => ("RejectRefer", call),
            Self::NotifyRefer { call, .. } => ("NotifyRefer", call),
            Self::Drain { retry_after_s } => return write!(f, "Drain({retry_after_s} s)"),
            Self::Undrain => return f.write_str("Undrain"),
            Self::Register(register) => return write!(f, "Register({})", register.id.0),
            Self::Advertise { peer, .. } => return write!(f, "Advertise({peer:?})"),
            Self::Trust { peers, .. } => return write!(f, "Trust({})", peers.len()),
            Self::Options { probe, .. } => return write!(f, "Options({})", probe.0),
        };
        write!(f, "{name}({})", call.0)
    }
}
