//! What a call is told, and what it asks for. Every input is journalled as it is: feeding the same inputs again repeats every decision.

use serde::{Deserialize, Serialize};

use super::handover::{LegNews, LegNo, Plan};
pub use super::output::{Context, Output, Stock, TurnRecord, Who};
use crate::base::civil::DateTime;
use crate::base::{Pii, TurnId};
use crate::dialogue::{Busy, CommitFailure, EffectId, Receipt};
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
