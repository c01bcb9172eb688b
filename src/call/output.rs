//! What a call asks for.

use serde::{Deserialize, Serialize};

use super::handover::{LegNo, Member, Parting, Tune};
use crate::base::civil::DateTime;
use crate::base::{Pii, TurnId};
use crate::dialogue::{Decision, EffectId, Expected, Outcome, Record, UnderstandingRequest};

/// Who said a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The box.
    Agent,
    /// The person who called.
    Caller,
}

/// One turn as it stands in the records, when it is over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TurnRecord {
    /// When it began, on the call's own clock.
    pub at_ms: u64,
    /// Who.
    pub who: Who,
    /// What was to be said, or what was understood.
    pub text: Pii<String>,
    /// The part of it that was played; for a caller's turn the same as `text`.
    pub heard: Pii<String>,
    /// From the caller's last voiced sample to our first; only for our answers.
    pub gap_ms: Option<u64>,
    /// Of the recogniser; only for the caller's turns.
    pub confidence: Option<f32>,
}

/// A sentence that is kept as sound in memory, so that it can be said with every engine dead.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    /// An engine is being restarted.
    Moment,
    /// It takes longer than it should.
    StillHere,
    /// Nothing more can be said: a person will call back.
    Broken,
    /// For a person who is rung, when nothing more can be told of the caller.
    TakeCall,
}

impl Stock {
    /// All of them, to be made ready at start.
    pub const ALL: [Self; 4] = [Self::Moment, Self::StillHere, Self::Broken, Self::TakeCall];

    /// The words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Moment => "One moment please.",
            Self::StillHere => "Sorry, this is taking a little longer. Please hold on.",
            Self::Broken => "I am sorry, I cannot go on right now. Please call again.",
            Self::TakeCall => "This is the assistant, with a caller for you. Press 1 to take the call, or 2 to decline.",
        }
    }
}

/// What travels with a caller who is put through: the least that a person or a queue needs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Context {
    /// The caller's name.
    pub name: Option<Pii<String>>,
    /// The caller's number.
    pub phone: Option<Pii<String>>,
    /// What it is about.
    pub about: Option<Pii<String>>,
    /// What was done.
    pub done: Vec<String>,
}

/// What a call asks the shell to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Recognise what was heard of this utterance so far.
    Transcribe {
        /// Which.
        utterance: u32,
        /// Which try; answers to earlier ones are stale.
        attempt: u32,
        /// Words that are likely.
        hint: String,
    },
    /// The sound of this utterance is no longer needed.
    Forget {
        /// Which.
        utterance: u32,
    },
    /// Ask the language model.
    Understand {
        /// Comes back with the answer.
        request: u32,
        /// What to ask.
        ask: UnderstandingRequest,
        /// After so many milliseconds nobody waits any more.
        within_ms: u64,
    },
    /// Say this, after what is being said already.
    Speak {
        /// The turn.
        turn: TurnId,
        /// The words as written.
        text: Pii<String>,
    },
    /// Say this from memory.
    SpeakStock {
        /// The turn.
        turn: TurnId,
        /// Which sentence.
        stock: Stock,
    },
    /// Drop every turn below this one, wherever it is.
    FlushBelow(TurnId),
    /// Tell the ear what kind of answer is awaited.
    Expect(Expected),
    /// Put this on disk, then tell with what receipt.
    Commit {
        /// The effect.
        effect: EffectId,
        /// What.
        record: Record,
    },
    /// Find out what is taken.
    LookUp {
        /// The effect.
        effect: EffectId,
        /// What is booked.
        resource: String,
        /// From.
        from: DateTime,
        /// To (exclusive).
        to: DateTime,
    },
    /// Ask the other side to call somebody else instead of us.
    Refer {
        /// The name under `[people]`: "office".
        who: Pii<String>,
        /// What they should know, in a line; see [`Output::Ring`].
        context: Context,
    },
    /// Tell the caller's side that it rings.
    Alert,
    /// Answer the call.
    Accept,
    /// Call somebody on a new leg.
    Ring {
        /// The leg's name from now on.
        leg: LegNo,
        /// Whom.
        member: Member,
        /// What a telephone system should know, beside the spoken brief.
        context: Context,
    },
    /// Say this on a leg that the call placed; [`LegNews::Told`] follows.
    Tell {
        /// The leg.
        leg: LegNo,
        /// The words as written.
        text: Pii<String>,
    },
    /// Say nothing more there.
    Hush {
        /// The leg.
        leg: LegNo,
    },
    /// Let the caller and this leg hear each other, and nobody else: our own ear is shut.
    Bridge {
        /// The leg.
        leg: LegNo,
    },
    /// Open our ear for the caller again.
    Attend,
    /// Play this to a leg.
    Tune {
        /// The leg; 0 is the caller's.
        leg: LegNo,
        /// What.
        tune: Tune,
    },
    /// Press a key towards a leg.
    Press {
        /// The leg; 0 is the caller's.
        leg: LegNo,
        /// The key.
        key: char,
    },
    /// Give a leg up.
    Drop {
        /// The leg.
        leg: LegNo,
        /// Why.
        why: Parting,
    },
    /// Take the REFER that came on a leg, or refuse it with a status.
    AnswerRefer {
        /// The leg; 0 is the caller's.
        leg: LegNo,
        /// Whether.
        answer: Result<(), u16>,
    },
    /// Tell how the call goes that it asked for.
    NotifyRefer {
        /// The leg.
        leg: LegNo,
        /// The status.
        status: u16,
    },
    /// Take that back, when it is still possible.
    CancelRefer,
    /// A person has the caller: put that on disk.
    FileTransfer {
        /// The transfer.
        effect: EffectId,
    },
    /// Hang up.
    Hangup,
    /// Write this turn into the records.
    Turn(TurnRecord),
    /// Write this decision into the journal.
    Decision(Decision),
    /// The call is over and nothing of it is outstanding.
    Over {
        /// What it ended with.
        outcome: Outcome,
    },
}
