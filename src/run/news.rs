//! What the switchboard tells the task that owns a call, the caller's or one that we placed.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::second::Wish;
use crate::base::Pii;
use crate::sip::{Event, Flow, Reason, Replaces, SipCall};

/// What a call that is asked for shall take the place of (RFC 3891).
#[derive(Debug)]
pub enum Aim {
    /// A call between the one who asks and the one to be called.
    Theirs(Box<Replaces>),
    /// A call of ours: whoever was reached there is to be joined here.
    Ours(SipCall),
}

/// News of one SIP call.
#[derive(Debug)]
pub enum SipNews {
    /// Our 200 was acknowledged; with an answer when the offer was ours.
    Acked(Option<Bytes>),
    /// The peer wants other media.
    Reoffer(Option<Bytes>),
    /// The peer has answered an offer of ours within the call.
    OfferAnswered(Option<Bytes>),
    /// It has not taken it.
    OfferRefused,
    /// Our address towards the peer is another one.
    Moved(Flow),
    /// A key, by INFO.
    Digit(char),
    /// A call of ours moves on: with this status.
    Progress(u16),
    /// A call of ours was answered.
    Answered(Option<Bytes>),
    /// A call of ours was not answered: with this status. Nothing follows.
    Failed(u16),
    /// A call of ours was sent elsewhere: the URIs that were named. Nothing follows.
    Redirected(Vec<Pii<String>>),
    /// The peer asks us to call somebody else.
    Referred {
        /// Whom.
        target: Pii<String>,
        /// The call that the new one shall take the place of.
        aim: Option<Aim>,
    },
    /// Another call of ours takes over the leg that this one is joined to.
    Claimed(oneshot::Sender<mpsc::Sender<Wish>>),
    /// Another call takes the place of this one (RFC 3891): it waits for our answer, and its news come here from then on.
    Replacing {
        /// That call.
        by: SipCall,
        /// Its SDP offer.
        offer: Option<Bytes>,
    },
    /// Our REFER was taken.
    ReferAccepted,
    /// A NOTIFY about it.
    ReferProgress(u16),
    /// Our REFER was refused.
    ReferFailed(u16),
    /// The call is over. Nothing follows.
    Gone {
        /// Not by a hang-up.
        failed: bool,
        /// What the peer said of it (RFC 3326).
        reason: Option<Reason>,
    },
}

/// What an event within a call means to its task; nothing for events that end it or belong to no call.
pub fn of_event(event: Event) -> Option<(SipCall, SipNews)> {
    Some(match event {
        Event::Acked { call, sdp } => (call, SipNews::Acked(sdp)),
        Event::Reoffer { call, offer } => (call, SipNews::Reoffer(offer)),
        Event::OfferAnswered { call, sdp } => (call, SipNews::OfferAnswered(sdp)),
        Event::OfferRefused { call, .. } => (call, SipNews::OfferRefused),
        Event::Refreshed { call, sdp } => (call, SipNews::OfferAnswered(Some(sdp))),
        Event::Moved { call, flow } => (call, SipNews::Moved(flow)),
        Event::Digit { call, digit, .. } => (call, SipNews::Digit(digit)),
        Event::Progress { call, status, .. } => (call, SipNews::Progress(status)),
        Event::Answered { call, sdp } => (call, SipNews::Answered(sdp)),
        Event::Referred { call, target, replaces, own } => {
            let aim = own.map(Aim::Ours).or(replaces.map(Aim::Theirs));
            (call, SipNews::Referred { target, aim })
        }
        Event::ReferAccepted { call } => (call, SipNews::ReferAccepted),
        Event::ReferProgress { call, status } => (call, SipNews::ReferProgress(status)),
        Event::ReferFailed { call, status } => (call, SipNews::ReferFailed(status)),
        _ => return None,
    })
}
