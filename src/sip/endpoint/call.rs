//! What the endpoint knows of one call.

use std::time::Duration;

use bytes::Bytes;

use super::abilities::Abilities;
use super::early::Early;
use super::session::{Ask, Session};
use super::table::TxnId;
use crate::base::{Instant, limits};
use crate::sip::dialog::Dialog;
use crate::sip::timer::{TimerKind, TimerTable};
use crate::sip::{AccountId, Flow, Reason, SipCall};

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
    /// When to send a provisional answer again that has no PRACK (RFC 3262 §3).
    ResendProvisional,
    /// When to give up waiting for that PRACK.
    NoPrack,
    /// When to refresh the session (RFC 4028 §10).
    Refresh,
    /// When a session that nobody has refreshed ends.
    SessionEnd,
}

impl TimerKind for CallTimer {
    const ALL: &'static [Self] = &[
        Self::ResendOk,
        Self::NoAck,
        Self::RingAgain,
        Self::Unanswered,
        Self::Cancelled,
        Self::ReferEnd,
        Self::OfferAgain,
        Self::ResendProvisional,
        Self::NoPrack,
        Self::Refresh,
        Self::SessionEnd,
    ];

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
    /// Whether it carries our offer: the ACK brings the answer.
    pub(super) is_offer: bool,
    pub(super) resend_after: Duration,
}

/// A provisional answer of ours that waits for its PRACK.
#[derive(Clone, Debug)]
pub(super) struct Provisional {
    pub(super) rseq: u32,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
    pub(super) has_sdp: bool,
    pub(super) resend_after: Duration,
}

/// How far the first offer of an incoming call and its answer are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Media {
    /// The 200 settles them, or the ACK after it.
    Open,
    /// Our offer went with a provisional answer, and its PRACK brings the answer (RFC 3262 §5).
    Ours,
    /// Settled before the call is answered.
    Settled,
}

/// What brought an offer of the peer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PendingKind {
    Invite,
    Update,
    Prack,
}

/// A re-INVITE, an UPDATE or a PRACK that waits for the shell.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) txn: TxnId,
    pub(super) seq: u32,
    pub(super) kind: PendingKind,
    /// Whether it brought an offer, and does not ask for ours.
    pub(super) had_offer: bool,
    /// Whose it is: a call of ours may ring at several phones.
    pub(super) from_tag: Vec<u8>,
    /// The request without its body: its Contact counts once we accept.
    pub(super) request: Box<crate::sip::message::Message>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) flow: Flow,
    pub(super) dialog: Dialog,
    pub(super) phase: Phase,
    pub(super) timers: TimerTable<CallTimer, 11>,
    pub(super) wake: Option<Instant>,
    /// The transaction of the INVITE, theirs or ours.
    pub(super) invite: Option<TxnId>,
    pub(super) invite_seq: u32,
    pub(super) ok: Option<UnackedOk>,
    pub(super) pending: Option<Pending>,
    /// The ACK of the 200 to our last INVITE, for when the 200 comes again.
    pub(super) ack: Option<SentAck>,
    /// Our re-INVITE or UPDATE, until its final response.
    pub(super) offer: Option<Offer>,
    /// What the shell offers while a refresh of ours is under way.
    pub(super) offer_waits: Option<Bytes>,
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
    pub(super) referred: Option<Referred>,
    /// The last event of this call was given out.
    pub(super) told: bool,
    /// Whose credentials a challenge within this call gets.
    pub(super) account: Option<AccountId>,
    pub(super) abilities: Abilities,
    /// The phones that ring for a call of ours.
    pub(super) early: Vec<Early>,
    /// Callees that came too late: their 200 is acknowledged, and their BYE was sent.
    pub(super) turned_away: Vec<Vec<u8>>,
    pub(super) media: Media,
    /// Whether the INVITE brought an offer.
    pub(super) was_offered: bool,
    /// Our description that holds, or that we offer first.
    pub(super) last_sdp: Option<Bytes>,
    pub(super) provisional: Option<Provisional>,
    /// The number of our last acknowledged provisional answer; 0 before the first.
    pub(super) rseq: u32,
    /// The status that our ringing repeats.
    pub(super) ringing: u16,
    /// What is held back until the PRACK: the next provisional answer, and the answer.
    pub(super) progress_waits: Option<(u16, Option<Bytes>)>,
    pub(super) accept_waits: Option<Bytes>,
    pub(super) session: Option<Session>,
    /// What our INVITE asks for.
    pub(super) session_wanted_s: Option<u32>,
    /// What the peer's INVITE asks for.
    pub(super) session_ask: Ask,
    /// The shortest interval that somebody on the way bears.
    pub(super) min_se_s: u32,
    /// The call that ends when this one is answered.
    pub(super) replaces: Option<SipCall>,
}

/// An ACK of ours, and the INVITE it belongs to.
#[derive(Clone, Debug)]
pub(super) struct SentAck {
    pub(super) invite: TxnId,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
}

/// How an offer of ours goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Means {
    Invite,
    Update,
}

/// Who wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// The shell.
    Ask,
    /// The session timer.
    Refresh,
}

/// A re-INVITE or UPDATE of ours.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// The transaction; `None` while it waits to be sent again.
    pub(super) txn: Option<TxnId>,
    pub(super) seq: u32,
    pub(super) sdp: Option<Bytes>,
    pub(super) crossings: u8,
    pub(super) by: Means,
    pub(super) purpose: Purpose,
    /// The tag of the phone it goes to, before the call is answered.
    pub(super) fork: Option<Vec<u8>>,
}

/// A REFER of the peer's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Referred {
    pub(super) txn: TxnId,
    /// The shell has taken it.
    pub(super) is_taken: bool,
    /// It wants no NOTIFY (RFC 4488).
    pub(super) is_silent: bool,
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
            offer_waits: None,
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
            abilities: Abilities::default(),
            early: Vec::new(),
            turned_away: Vec::new(),
            media: Media::Open,
            was_offered: false,
            last_sdp: None,
            provisional: None,
            rseq: 0,
            ringing: 180,
            progress_waits: None,
            accept_waits: None,
            session: None,
            session_wanted_s: None,
            session_ask: Ask::default(),
            min_se_s: 0,
            replaces: None,
        }
    }

    pub(super) fn dialog_key(&self) -> (Vec<u8>, Vec<u8>) {
        (self.dialog.call_id.clone(), self.dialog.local_tag.clone())
    }

    /// Whether an offer of ours is on its way: one of the peer's has crossed it.
    pub(super) fn has_offer_out(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.txn.is_some() && (offer.sdp.is_some() || offer.by == Means::Invite))
    }

    /// Whether an exchange of descriptions is under way, in either direction.
    pub(super) fn is_exchanging(&self) -> bool {
        self.offer.is_some() || self.pending.is_some() || self.ok.is_some() || self.provisional.as_ref().is_some_and(|sent| sent.has_sdp)
    }

    /// Whether the answer to an incoming call must wait: for the PRACK of a description (RFC 3262 §3), or for what an UPDATE offers.
    pub(super) fn holds_answer(&self) -> bool {
        self.pending.is_some() || self.provisional.as_ref().is_some_and(|sent| sent.has_sdp)
    }

    pub(super) fn check_invariants(&self) {
        let is_set = |timer| self.timers.is_set(timer);
        let waits = self.phase == Phase::Incoming && self.provisional.is_some();
        debug_assert_eq!(waits, is_set(CallTimer::NoPrack), "a provisional answer without PRACK is waited for");
        debug_assert_eq!(waits, is_set(CallTimer::ResendProvisional), "a provisional answer without PRACK is sent again");
        debug_assert!(self.early.is_empty() || self.phase == Phase::Calling, "phones ring before the answer");
        debug_assert!(self.early.len() <= limits::SIP_EARLY_DIALOGS_MAX, "early dialogs are bounded");
        debug_assert!(self.accept_waits.is_none() || self.phase == Phase::Incoming, "an answer is held back before the answer");
        debug_assert!(self.accept_waits.is_none() || self.holds_answer(), "an answer is held back for a reason");
        let keeps_time = self.phase == Phase::Up && self.session.is_some();
        debug_assert_eq!(keeps_time, is_set(CallTimer::SessionEnd), "a session has its end");
        debug_assert!(keeps_time || !is_set(CallTimer::Refresh), "a session is refreshed while it lasts");
        debug_assert_eq!(self.ok.is_some(), self.timers.is_set(CallTimer::NoAck), "a 200 without ACK is waited for");
        debug_assert!(self.phase != Phase::Leaving || self.told, "a call that leaves was told of");
        debug_assert!(self.phase != Phase::Leaving || self.bye.is_some() || self.bye_waits, "a call that leaves has its BYE");
        debug_assert!(self.phase != Phase::Incoming || !self.told, "a call that waits for us was not told of as over");
    }
}
