//! What an ear reports, and what it may be told.

use super::Answerer;
use crate::base::{Frame, Samples, TurnId};

/// What the ear of one leg heard. Places are on the leg's own sample clock, as in [`crate::base::Captured::at`].
///
/// Every utterance begins with one `VoiceBegan` and ends with one `Ended`; its number is never used twice on the leg.
/// Every `Pause` is followed by one `Resume` or one `Yield` of the same utterance, at the latest when that utterance ends.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "sound travels in place: a box would be an allocation in a real-time tick")]
pub enum Heard {
    /// The caller began to speak at about `at`.
    VoiceBegan {
        /// Its number.
        utterance: u32,
        /// The first voiced sample, to about 16 ms.
        at: Samples,
    },
    /// The caller's voice is over ours: playback must stop now and keep its tail.
    Pause {
        /// Whose voice.
        utterance: u32,
    },
    /// It was no interruption: playback goes on in mid-sentence. The utterance itself goes on until `Ended`.
    Resume {
        /// Whose voice.
        utterance: u32,
        /// What it was instead.
        why: FalseStop,
    },
    /// A real interruption: what is left of the turn is dropped.
    Yield {
        /// Whose voice.
        utterance: u32,
    },
    /// Sound for the recogniser: first the moments before the onset, then every frame until `Ended`, gaps as silence.
    Audio {
        /// Whose voice.
        utterance: u32,
        /// The sound, at the leg's rate.
        frame: Frame,
    },
    /// A first silence: recognition may start early, at its own risk.
    Settling {
        /// Whose voice.
        utterance: u32,
        /// The end of the last voiced hop.
        last_voiced: Samples,
    },
    /// The caller went on after `Settling`: what was recognised early is stale.
    Continued {
        /// Whose voice.
        utterance: u32,
    },
    /// The end of the turn.
    Ended {
        /// Whose voice.
        utterance: u32,
        /// The end of the last voiced hop.
        last_voiced: Samples,
        /// Milliseconds of the leg's clock since then.
        silent_ms: u64,
        /// Milliseconds of voice in it, without its pauses.
        voiced_ms: u64,
        /// Why it ended.
        why: EndReason,
    },
    /// Who answered a call of ours. A person may prove to be a recorder; nothing else is ever taken back.
    Answered {
        /// Who.
        who: Answerer,
    },
}

impl Heard {
    /// The utterance it is about; 0, which no utterance has, where it is about none.
    pub fn utterance(&self) -> u32 {
        match *self {
            Self::VoiceBegan { utterance, .. }
            | Self::Pause { utterance }
            | Self::Resume { utterance, .. }
            | Self::Yield { utterance }
            | Self::Audio { utterance, .. }
            | Self::Settling { utterance, .. }
            | Self::Continued { utterance }
            | Self::Ended { utterance, .. } => utterance,
            Self::Answered { .. } => 0,
        }
    }
}

/// Why an utterance ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller fell silent for as long as the expectation asks.
    Silence,
    /// The early recognition said that the sentence was complete, and the caller stayed silent a little longer.
    Complete,
    /// A short word over our voice, which went on: "uh-huh", or an early "yes". It is worth recognising, and no interruption.
    Backchannel,
    /// It reached [`crate::base::limits::UTTERANCE_MS_MAX`]: the rest begins a new utterance.
    Cut,
    /// Too little voice: a cough, a click, a breath. Nothing of it should be recognised.
    NoSpeech,
}

/// Why a pause of our voice was none of an interruption.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FalseStop {
    /// Too short for an interruption: a cough, an "uh-huh".
    Short,
    /// Our own voice came back from the line.
    Echo,
    /// It turned out not to be a voice.
    Noise,
}

/// What kind of answer we wait for: how long a pause may be before the turn counts as ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Anything: people think in the middle of what they want.
    #[default]
    Open,
    /// Yes or no.
    YesNo,
    /// A number said digit by digit, with pauses between the groups.
    Digits,
    /// A name, perhaps spelt.
    Name,
    /// A day, a time.
    DateTime,
}

/// What early recognition, begun at `Settling`, thinks of the sentence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A whole answer: no need to wait longer than a breath.
    Complete,
    /// It breaks off ("I'd like to book a"): wait longer.
    Incomplete,
}

/// What playback has to do now, whatever became of the reports. The listening thread acts when it changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hold {
    /// Play.
    #[default]
    Open,
    /// Be silent and keep the tail of this turn.
    Paused(TurnId),
    /// Drop what is left of this turn; later ones may play.
    Yielded(TurnId),
}
