//! What goes into the kernel and what comes out. Everything here can be written to the journal and read back: replay feeds the same events again.

use serde::{Deserialize, Serialize};

use super::proposal::{Intent, Proposal, Source};
use super::record::Record;
use crate::base::civil::DateTime;
use crate::base::{Pii, TurnId};

/// One effect of one call: the idempotency key is the call's id and this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct EffectId(pub u32);

/// What was asked last: the recogniser's hint, the prompt's `asked:` line and the end-of-turn patience depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of the prompt")]
pub enum Expected {
    #[default]
    Open,
    YesNo,
    Name,
    Phone,
    Day,
    Time,
    Unit,
    Problem,
    Service,
    Beds,
    Confirm,
    /// "Is there anything else?"
    Anything,
    /// Free words for a message: they are taken as they are.
    Message,
}

impl Expected {
    /// The word after `asked:` in the prompt.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open | Self::Message => "open",
            Self::YesNo => "yes_no",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Day => "day",
            Self::Time => "time",
            Self::Unit => "unit",
            Self::Problem => "problem",
            Self::Service => "service",
            Self::Beds => "beds",
            Self::Confirm => "confirm",
            Self::Anything => "anything",
        }
    }
}

/// Which engine an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Organ {
    /// The recogniser.
    Ears,
    /// The language model.
    Mind,
    /// The voice.
    Voice,
}

/// Proof that an effect took place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// What took place: "booking", "request", "message", "callback", "cancellation", as the store names it.
    pub kind: String,
    /// The store's id.
    pub id: String,
}

/// Why a commit failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitFailure {
    /// Somebody else has that time.
    Taken,
    /// The store or the integration cannot do it now.
    Unavailable,
    /// No answer came in time. It may still take place: a receipt that comes after this is honoured.
    Late,
}

/// How a transfer goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferProgress {
    /// The other telephone rings.
    Started,
    /// A person has the call.
    Succeeded {
        /// What proves it, such as the 200 of the other leg.
        evidence: String,
    },
    /// It was refused with this SIP status.
    Declined {
        /// The SIP status.
        status: u16,
    },
    /// Nobody answered in time.
    TimedOut,
}

/// A time that is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Busy {
    /// Its beginning, in the business's civil time.
    pub start: DateTime,
    /// Its length.
    pub minutes: u16,
}

/// What the kernel is told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The caller can hear us.
    Began,
    /// We called, and a recorder records from now on.
    Recorder,
    /// The caller said something.
    Said {
        /// The recogniser's words.
        text: Pii<String>,
        /// The recogniser's confidence, 0 to 1.
        confidence: f32,
        /// What others made of it. The kernel adds its own matcher's when none is here.
        proposals: Vec<Proposal>,
    },
    /// A key was pressed.
    Digit(char),
    /// The caller has been silent for the patience of the moment, the nth time running (from 1).
    Silence {
        /// 1, 2, 3, ..
        nth: u32,
    },
    /// Everything of this turn was played.
    Spoke {
        /// The turn of [`Effect::Say`].
        turn: TurnId,
    },
    /// The caller spoke into this turn.
    Interrupted {
        /// The turn of [`Effect::Say`].
        turn: TurnId,
        /// What of it was heard.
        heard: Pii<String>,
    },
    /// The answer to [`Effect::LookUp`].
    LookedUp {
        /// The look-up.
        effect: EffectId,
        /// What is taken in the span asked for.
        busy: Vec<Busy>,
    },
    /// No answer to [`Effect::LookUp`] will come.
    LookUpFailed {
        /// The look-up.
        effect: EffectId,
    },
    /// A commit took place and is on disk.
    Committed {
        /// The commit.
        effect: EffectId,
        /// The proof.
        receipt: Receipt,
    },
    /// A commit did not take place.
    CommitFailed {
        /// The commit.
        effect: EffectId,
        /// Why.
        why: CommitFailure,
    },
    /// News of a transfer.
    Transfer {
        /// The transfer.
        effect: EffectId,
        /// The news.
        progress: TransferProgress,
    },
    /// People were rung before the call was answered, and this came of it.
    RangFirst {
        /// The news.
        progress: TransferProgress,
    },
    /// The person who had the call passed it on, nobody took it there, and the person has hung up.
    CameBack,
    /// An engine is gone.
    EngineGone(Organ),
    /// It is back.
    EngineBack(Organ),
    /// The owner published something that every caller must hear, in these words.
    Bulletin {
        /// The owner's words.
        text: String,
    },
    /// The bulletin no longer holds.
    BulletinWithdrawn {
        /// The words to withdraw.
        text: String,
    },
    /// The caller hung up.
    HungUp,
}

/// What a sentence does. A claim needs its receipt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeechAct {
    /// The opening, with the disclosure.
    Greet,
    /// A fact from the knowledge.
    Inform,
    /// A question.
    Ask,
    /// Something said back for confirmation.
    ReadBack,
    /// "I'm putting you through": an intention, not yet an effect.
    Announce,
    /// Something took place: the receipt of that effect must be held.
    Claim {
        /// The effect whose receipt proves it.
        effect: EffectId,
    },
    /// Courtesy, apology, goodbye.
    Courtesy,
    /// The written fallback, in place of a sentence that the guard refused.
    Fallback,
}

/// One sentence to speak.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sentence {
    /// As it is written: "Tuesday, November 24 at 3:30 pm". [`crate::speak`] makes it words.
    pub text: Pii<String>,
    /// What it does.
    pub act: SpeechAct,
}

/// A decision, for whoever inspects the call afterwards.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// The rule that decided, a stable name.
    pub rule: String,
    /// In words, without personal content.
    pub why: String,
    /// The intent acted upon.
    pub intent: Option<Intent>,
    /// Who proposed it.
    pub source: Option<Source>,
    /// How sure that one was.
    pub confidence: Option<f32>,
}

/// What the kernel wants done, in this order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Speak. Answered by [`Event::Spoke`] or [`Event::Interrupted`]. A later turn is spoken after an earlier one.
    Say {
        /// Counts up from 1.
        turn: TurnId,
        /// In this order.
        sentences: Vec<Sentence>,
        /// What is expected of the caller afterwards.
        expected: Expected,
    },
    /// Ask the store what is taken. Answered by [`Event::LookedUp`] or [`Event::LookUpFailed`].
    LookUp {
        /// The look-up.
        id: EffectId,
        /// What is booked: "tour".
        resource: String,
        /// From, in the business's civil time.
        from: DateTime,
        /// To (exclusive).
        to: DateTime,
    },
    /// Keep a record. Answered by [`Event::Committed`] or [`Event::CommitFailed`].
    Commit {
        /// The commit.
        id: EffectId,
        /// What to keep.
        record: Record,
    },
    /// Put the caller through; the words that announce it have been played. Answered by [`Event::Transfer`].
    Transfer {
        /// The transfer.
        id: EffectId,
        /// The door's name in the agent file: "office".
        target: String,
    },
    /// Stop ringing there: the caller wants to stay.
    CancelTransfer {
        /// The transfer.
        id: EffectId,
    },
    /// End the call; the goodbye has been played.
    HangUp,
    /// For the journal.
    Journal(Decision),
}

impl Effect {
    /// Whether the effect stands when the caller interrupts: a booking does, a sentence does not.
    pub const fn survives_interruption(&self) -> bool {
        !matches!(self, Self::Say { .. })
    }
}
