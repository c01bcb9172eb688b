//! What a call leaves behind: records that somebody keeps or sees to, and the outcome.

use serde::{Deserialize, Serialize};

use crate::base::Pii;
use crate::base::civil::DateTime;

/// Something to keep, and in most cases to see to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A time that is the caller's.
    Booking {
        /// What is booked, as the agent file names it: "tour".
        resource: String,
        /// The beginning, in the business's civil time.
        start: DateTime,
        /// The length.
        minutes: u16,
        /// How many may hold the same time.
        capacity: u16,
        /// Who comes.
        name: Option<Pii<String>>,
        /// How to reach them, digits.
        phone: Option<Pii<String>>,
        /// What else is known: "beds 2".
        note: String,
        /// The receipt id of the booking that this one takes the place of, in one step.
        replaces: Option<String>,
    },
    /// A booking given up.
    Cancellation {
        /// The receipt id of the booking.
        booking: String,
    },
    /// A request that somebody sees to, by a time.
    Request {
        /// What is wrong, in the caller's words.
        problem: Pii<String>,
        /// Where.
        unit: Option<Pii<String>>,
        /// Whether it cannot wait for the next working day.
        urgent: bool,
        /// Who asks.
        name: Option<Pii<String>>,
        /// How to reach them, digits.
        phone: Option<Pii<String>>,
        /// Seen to by then, in the business's civil time.
        due: DateTime,
        /// Who owns it.
        owner: String,
    },
    /// A message for somebody, to be passed on and seen to by a time.
    Message {
        /// The caller's words.
        text: Pii<String>,
        /// Who left it.
        name: Option<Pii<String>>,
        /// How to reach them, digits.
        phone: Option<Pii<String>>,
        /// Seen to by then, in the business's civil time.
        due: DateTime,
        /// Who owns it.
        owner: String,
    },
    /// A promise to call back by a time.
    Callback {
        /// What it is about.
        reason: Pii<String>,
        /// Whom to ask for.
        name: Option<Pii<String>>,
        /// The number, digits.
        phone: Pii<String>,
        /// Called back by then, in the business's civil time.
        due: DateTime,
        /// Who owns it.
        owner: String,
    },
}

impl Record {
    /// The receipt's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Booking { .. } => "booking",
            Self::Cancellation { .. } => "cancellation",
            Self::Request { .. } => "request",
            Self::Message { .. } => "message",
            Self::Callback { .. } => "callback",
        }
    }
}

/// How a call ended, or would end now. The names are those of the call's record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Outcome {
    Booked,
    Moved,
    Cancelled,
    Callback,
    Message,
    Request,
    Transferred,
    /// The caller got what they asked for in words.
    Informed,
    /// The caller hung up, or never spoke.
    Abandoned,
    Failed,
}

impl Outcome {
    /// The name in the call's record.
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
}
