//! What goes in and what comes out, as plain values. The JSON of [`CallRecord`] is what `nightbell calls --json` prints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{CallId, Pii};

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An appointment was made.
    Booked,
    /// An appointment was moved.
    Moved,
    /// An appointment was cancelled.
    Cancelled,
    /// Somebody will call back, by a time.
    Callback,
    /// A message was left.
    Message,
    /// A maintenance request was taken.
    Request,
    /// A person took the call.
    Transferred,
    /// What was asked was answered.
    Informed,
    /// The caller hung up before anything was decided.
    Abandoned,
    /// The call broke.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::Callback,
        Self::Message,
        Self::Request,
        Self::Transferred,
        Self::Informed,
        Self::Abandoned,
        Self::Failed,
    ];

    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::Callback => "callback",
            Self::Message => "message",
            Self::Request => "request",
            Self::Transferred => "transferred",
            Self::Informed => "informed",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
        }
    }

    /// The outcome with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// What a receipt is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// An appointment that was made.
    #[serde(rename = "booked")]
    Booking,
    /// An appointment that took the place of an earlier one.
    #[serde(rename = "moved")]
    Move,
    /// An appointment that was cancelled.
    #[serde(rename = "cancelled")]
    Cancellation,
    /// A maintenance request.
    Request,
    /// A message.
    Message,
    /// A promise to call back.
    Callback,
    /// A call that a person took.
    #[serde(rename = "transferred")]
    Transfer,
}

impl ReceiptKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Booking, Self::Move, Self::Cancellation, Self::Request, Self::Message, Self::Callback, Self::Transfer];

    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booking => "booked",
            Self::Move => "moved",
            Self::Cancellation => "cancelled",
            Self::Request => "request",
            Self::Message => "message",
            Self::Callback => "callback",
            Self::Transfer => "transferred",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    const fn letter(self) -> char {
        match self {
            Self::Booking => 'B',
            Self::Move => 'V',
            Self::Cancellation => 'X',
            Self::Request => 'R',
            Self::Message => 'M',
            Self::Callback => 'C',
            Self::Transfer => 'T',
        }
    }
}

/// The proof that something is on the disk. Only with it may the agent say that it is done.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// What was committed.
    pub kind: ReceiptKind,
    /// A short name that can be read out, such as `B-1007`.
    pub id: String,
}

impl Receipt {
    /// Numbers begin here, so that the first caller is not told that he is number one.
    const FIRST: i64 = 1000;

    pub(super) fn numbered(kind: ReceiptKind, number: i64) -> Self {
        Self { kind, id: format!("{}-{}", kind.letter(), number.saturating_add(Self::FIRST)) }
    }

    /// The row that `id` names.
    pub(super) fn number(id: &str) -> Option<i64> {
        id.get(2..)?.parse::<i64>().ok()?.checked_sub(Self::FIRST)
    }
}

/// A call that begins.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// Its name.
    pub id: CallId,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// Who calls: a number or a SIP URI.
    pub from: Pii<String>,
    /// What was dialled.
    pub to: String,
    /// Which agent answers.
    pub agent: String,
    /// The digest of that agent's files.
    pub agent_version: String,
}

/// Who spoke.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// We did.
    Agent,
    /// The caller did.
    Caller,
}

impl Who {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Caller => "caller",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Agent, Self::Caller].into_iter().find(|who| who.as_str() == word)
    }
}

/// One turn of the conversation, when it is over.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Who spoke.
    pub who: Who,
    /// When it began, in milliseconds on the call's own clock.
    pub at_ms: u64,
    /// What was to be said, or what was recognised.
    pub text: Pii<String>,
    /// What of it reached the other side's ear, where that is known.
    pub heard: Option<Pii<String>>,
    /// The silence before it, in milliseconds.
    pub gap_ms: Option<u64>,
    /// How sure the recogniser was, 0 to 1.
    pub confidence: Option<f32>,
    /// Where the time went, in milliseconds by name.
    pub timings: BTreeMap<String, u64>,
}

/// One turn as told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TurnRecord {
    /// Who spoke.
    pub who: Who,
    /// What was to be said, or what was recognised; none once the caller is erased.
    pub text: Option<String>,
    /// What of it reached the other side's ear, where that is known.
    pub heard: Option<String>,
    /// The silence before it, in milliseconds.
    pub gap_ms: Option<u64>,
    /// How sure the recogniser was, 0 to 1.
    pub confidence: Option<f64>,
}

/// One call as told. It holds personal data: it is for the owner's eyes, not for a log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its name.
    pub call_id: String,
    /// When it began: RFC 3339, UTC.
    pub started_at: String,
    /// Who called; none once the caller is erased.
    pub from: Option<String>,
    /// What was dialled.
    pub to: String,
    /// Which agent answered.
    pub agent: String,
    /// How it ended; none while it goes on.
    pub outcome: Option<Outcome>,
    /// What was said.
    pub turns: Vec<TurnRecord>,
    /// What was committed.
    pub receipts: Vec<Receipt>,
}
