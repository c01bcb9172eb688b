//! What a call is told, and what it asks for. Every input is journalled as it is: feeding the same inputs again repeats every decision.

use serde::{Deserialize, Serialize};

use super::handover::{LegNews, LegNo, Member, Parting, Plan, Tune};
use crate::base::civil::DateTime;
use crate::base::{Pii, TurnId};
use crate::dialogue::{Busy, CommitFailure, Decision, EffectId, Expected, Outcome, Receipt, Record, UnderstandingRequest};
use crate::hear::{Answerer, EndReason};

/// Which engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Speech recognition.
    Asr,
    /// The language model.
    Llm,
    /// Speech synthesis.
    Tts,
}

/// Why an engine gave no result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Its worker died or is not there: it will be back.
    Gone,
    /// It took too long.
    Late,
    /// It will not do this, whenever asked.
    Refused,
}

/// Anything that happens to a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// On the signalling side.
    Line(Line),
    /// To what we play.
    Sound(Sound),
    /// On the caller's side of the sound.
    Hearing(Hearing),
    /// In an engine.
    Engine(Answer),
    /// In the records.
    Filed(Filed),
    /// On a leg that the call placed.
    Leg {
        /// Which.
        leg: LegNo,
        /// What.
        news: LegNews,
    },
    /// The call arrived, and these people are rung before it is answered.
    First(Plan),
}

/// What the signalling side tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Our 200 was sent: sound may flow soon.
    Accepted,
    /// The caller can hear us: ACK or a first packet came.
    Connected,
    /// It is a call of ours, and whoever was called has answered.
    Answered,
    /// A key was pressed.
    Key(char),
    /// The other side took our REFER.
    ReferAccepted,
    /// How the transferred call is going, as a SIP status.
    ReferProgress(u16),
    /// The other side refused our REFER, with this status.
    ReferFailed(u16),
    /// The caller holds the call, or goes on.
    Held(bool),
    /// The caller's side asks us to call somebody else. We do not: who calls decides nothing here.
    Referred,
    /// The call is over on the wire. `failed`: not by a hang-up of either side.
    Gone {
        /// True when the call broke (no ACK, no sound, no answer).
        failed: bool,
    },
}

/// What became of our sound.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// So much of a clip has been sent to the caller.
    Played {
        /// The turn it belongs to.
        turn: TurnId,
        /// The clip, counted within the turn.
        clip: u32,
        /// Samples of the clip at 8 kHz.
        samples: u64,
        /// Nothing more of this clip will be sent.
        finished: bool,
    },
}

/// What the ear of the call's leg heard, without the sound itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hearing {
    /// The caller began to speak.
    Began(u32),
    /// The caller really interrupts: playback has been dropped already.
    Yielded(u32),
    /// Playback had paused for nothing and goes on.
    Resumed(u32),
    /// A first silence: recognition may begin.
    Settling(u32),
    /// The caller went on after it.
    Continued(u32),
    /// The end of the utterance.
    Ended {
        /// Which.
        utterance: u32,
        /// Milliseconds of voice in it.
        voiced_ms: u64,
        /// Milliseconds from the last voiced sample to this report.
        silent_ms: u64,
        /// Why.
        why: EndReason,
    },
    /// Who answered a call of ours.
    Answered(Answerer),
}

/// A recognised utterance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Transcript {
    /// The words; empty when there are none.
    pub text: Pii<String>,
    /// 0 to 1.
    pub confidence: f32,
}

/// What the engines answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Output::Transcribe`].
    Transcribed {
        /// Which utterance.
        utterance: u32,
        /// Which try.
        attempt: u32,
        /// The words.
        result: Result<Transcript, Failure>,
    },
    /// To [`Output::Understand`].
    Understood {
        /// Which request.
        request: u32,
        /// The model's text and its confidence.
        result: Result<(Pii<String>, f32), Failure>,
    },
    /// To [`Output::Speak`]: a clip is ready and on its way to the caller.
    Clip {
        /// The turn.
        turn: TurnId,
        /// Counted within the turn.
        clip: u32,
        /// The bytes of the turn's text that it says: from here,
        start: usize,
        /// to here.
        end: usize,
        /// Its length at 8 kHz.
        samples: u64,
    },
    /// To [`Output::Speak`]: that was all of it.
    Spoken {
        /// The turn.
        turn: TurnId,
    },
    /// To [`Output::Speak`]: from this byte of the text on there is no sound.
    Mute {
        /// The turn.
        turn: TurnId,
        /// Where the unspoken rest begins.
        from: usize,
        /// Why.
        why: Failure,
    },
    /// A worker went or came.
    Health {
        /// Which.
        engine: Engine,
        /// Ready, or not.
        up: bool,
    },
}

/// What the records answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filed {
    /// On disk, with its receipt.
    Committed {
        /// The effect.
        effect: EffectId,
        /// The proof.
        receipt: Receipt,
    },
    /// Not on disk.
    Refused {
        /// The effect.
        effect: EffectId,
        /// Why.
        why: CommitFailure,
    },
    /// [`Output::FileTransfer`] is done with, well or not.
    TransferFiled,
    /// The times that are taken, for [`Output::LookUp`]; none when they could not be found out.
    Busy {
        /// The effect.
        effect: EffectId,
        /// What is taken.
        busy: Option<Vec<Busy>>,
    },
}

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

/// One entry of the journal from which a call can be replayed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Journalled {
    /// When, in microseconds on the call's own clock.
    pub at_us: u64,
    /// What the wall showed at the business.
    pub local: DateTime,
    /// What happened; nothing when only time had passed.
    pub input: Option<Input>,
}
