//! What the endpoint knows of one call.

use std::time::Duration;

use bytes::Bytes;

use super::table::TxnId;
use crate::base::Instant;
use crate::sip::dialog::Dialog;
use crate::sip::timer::{TimerKind, TimerTable};
use crate::sip::{AccountId, Flow, Reason};

/// Why a call wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CallTimer {
    /// When to send our 200 again (RFC 3261 §13.3.1.4).
    ResendOk,
    /// When to give up waiting for its ACK.
    NoAck,
    /// When to ring again, so that no proxy gives up (RFC 3261 §13.3.1.1).
    RingAgain,
    /// When to give up a call of ours that only rings.
    Unanswered,
    /// When to forget a call of ours that we cancelled and that nobody ended (RFC 3261 §9.1).
    Cancelled,
    /// When to give up waiting for the last NOTIFY of a REFER.
    ReferEnd,
    /// When to offer again after our offer and the peer's have crossed (RFC 3261 §14.1).
    OfferAgain,
}

impl TimerKind for CallTimer {
    const ALL: &'static [Self] =
        &[Self::ResendOk, Self::NoAck, Self::RingAgain, Self::Unanswered, Self::Cancelled, Self::ReferEnd, Self::OfferAgain];

    fn index(self) -> usize {
        self as usize
    }
}

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// The peer calls, and has no final answer.
    Incoming,
    /// We call, and have no final answer.
    Calling,
    /// Answered.
    Up,
    /// Our BYE waits for its answer, or for the ACK that must come before it.
    Leaving,
}

/// A 200 of ours that waits for its ACK.
#[derive(Clone, Debug)]
pub(super) struct UnackedOk {
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
    pub(super) seq: u32,
    pub(super) resend_after: Duration,
}

/// A re-INVITE or an UPDATE that waits for the shell.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) txn: TxnId,
    pub(super) seq: u32,
    pub(super) is_invite: bool,
    /// The request without its body: its Contact counts once we accept.
    pub(super) request: Box<crate::sip::message::Message>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) flow: Flow,
    pub(super) dialog: Dialog,
    pub(super) phase: Phase,
    pub(super) timers: TimerTable<CallTimer, 7>,
    pub(super) wake: Option<Instant>,
    /// The transaction of the INVITE, theirs or ours.
    pub(super) invite: Option<TxnId>,
    pub(super) invite_seq: u32,
    pub(super) ok: Option<UnackedOk>,
    pub(super) pending: Option<Pending>,
    /// The ACK of the 200 to our last INVITE, for when the 200 comes again.
    pub(super) ack: Option<SentAck>,
    /// Our re-INVITE, until its final response.
    pub(super) offer: Option<Offer>,
    /// Whether the Call-ID is of our making.
    pub(super) is_caller: bool,
    /// Our BYE, held back until the ACK.
    pub(super) bye_waits: bool,
    pub(super) reason: Option<Reason>,
    pub(super) bye: Option<TxnId>,
    pub(super) cancel_wanted: bool,
    pub(super) cancel_sent: bool,
    /// Our REFER, until its last NOTIFY.
    pub(super) refer: Option<Refer>,
    /// The peer's REFER: its transaction, until it is refused or its last NOTIFY is sent.
    pub(super) referred: Option<TxnId>,
    /// The last event of this call was given out.
    pub(super) told: bool,
    /// Whose credentials a challenge within this call gets.
    pub(super) account: Option<AccountId>,
}

/// An ACK of ours, and the INVITE it belongs to.
#[derive(Clone, Debug)]
pub(super) struct SentAck {
    pub(super) invite: TxnId,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
}

/// A re-INVITE of ours.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// The transaction; `None` while it waits to be sent again.
    pub(super) txn: Option<TxnId>,
    pub(super) seq: u32,
    pub(super) sdp: Bytes,
    pub(super) crossings: u8,
}

/// A REFER of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refer {
    pub(super) accepted: bool,
}

impl Call {
    pub(super) fn new(flow: Flow, dialog: Dialog, phase: Phase, invite_seq: u32) -> Self {
        Self {
            flow,
            dialog,
            phase,
            timers: TimerTable::default(),
            wake: None,
            invite: None,
            invite_seq,
            ok: None,
            pending: None,
            ack: None,
            offer: None,
            is_caller: phase == Phase::Calling,
            bye_waits: false,
            reason: None,
            bye: None,
            cancel_wanted: false,
            cancel_sent: false,
            refer: None,
            referred: None,
            told: false,
            account: None,
        }
    }

    pub(super) fn dialog_key(&self) -> (Vec<u8>, Vec<u8>) {
        (self.dialog.call_id.clone(), self.dialog.local_tag.clone())
    }

    pub(super) fn check_invariants(&self) {
        debug_assert_eq!(self.ok.is_some(), self.timers.is_set(CallTimer::NoAck), "a 200 without ACK is waited for");
        debug_assert!(self.phase != Phase::Leaving || self.told, "a call that leaves was told of");
        debug_assert!(self.phase != Phase::Leaving || self.bye.is_some() || self.bye_waits, "a call that leaves has its BYE");
        debug_assert!(self.phase != Phase::Incoming || !self.told, "a call that waits for us was not told of as over");
    }
}
