//! What is asked of the engines, and what they answer. Debug output of these types shows sizes, never words: callers are people.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Fault, Instant, Rate, Retry, StreamId};

/// Which engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerKind {
    /// Speech recognition (Whisper).
    Asr,
    /// Language model (llama.cpp).
    Llm,
    /// Voice (Piper).
    Tts,
}

impl WorkerKind {
    /// All of them, in the order of every table about them.
    pub const ALL: [Self; 3] = [Self::Asr, Self::Llm, Self::Tts];

    /// Place in [`WorkerKind::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Asr => 0,
            Self::Llm => 1,
            Self::Tts => 2,
        }
    }

    /// The short name, as in records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asr => "asr",
            Self::Llm => "llm",
            Self::Tts => "tts",
        }
    }

    /// The program's file name.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Asr => "nightbell-asr",
            Self::Llm => "nightbell-llm",
            Self::Tts => "nightbell-tts",
        }
    }
}

impl fmt::Display for WorkerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an engine gave no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EngineError {
    /// The worker is not running, or died while it held the request.
    #[error("the engine is not running")]
    Gone,
    /// The deadline passed first.
    #[error("the deadline passed before the engine answered")]
    Expired,
    /// The worker will not do it, and says why.
    #[error("the engine refused: {0}")]
    Refused(String),
    /// Too many requests wait already.
    #[error("too many requests wait for the engine")]
    Busy,
}

impl EngineError {
    /// Whose fault it is.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Gone | Self::Expired | Self::Busy => Fault::Engine,
            Self::Refused(_) => Fault::Ours,
        }
    }

    /// Whether asking again can help.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Gone | Self::Expired | Self::Busy => Retry::Later,
            Self::Refused(_) => Retry::Never,
        }
    }
}

/// One whole utterance to recognise.
#[derive(Clone)]
pub struct Transcribe {
    /// Whose utterance.
    pub stream: StreamId,
    /// One channel, 16-bit linear.
    pub pcm: Vec<i16>,
    /// 8 or 16 kHz.
    pub rate: Rate,
    /// Words to expect (names, streets, services) as a plain sentence; may be empty.
    pub hint: String,
    /// When the answer is of no more use.
    pub deadline: Instant,
}

/// What was heard.
#[derive(Clone, PartialEq)]
pub struct Transcript {
    /// The words; empty when nothing was said.
    pub text: String,
    /// Mean probability of the words' tokens, 0 to 1; 0 for no words.
    pub confidence: f32,
    /// Probability that there was no speech, 0 to 1.
    pub no_speech: f32,
    /// From request to answer.
    pub took: Duration,
}

/// One completion under a grammar.
#[derive(Clone)]
pub struct Understand {
    /// Whose turn.
    pub stream: StreamId,
    /// The agent's prompt, the same for all its calls: computed once and shared. It ends where a token surely ends (a line, a control token).
    pub prefix: Arc<str>,
    /// What follows the prefix in this request.
    pub prompt: String,
    /// What may be answered, as GBNF whose start is `root`; empty for free text.
    pub grammar: Arc<str>,
    /// Tokens at most; what is not finished then is refused when a grammar was given.
    pub max_tokens: u32,
    /// When the answer is of no more use.
    pub deadline: Instant,
}

/// A completion.
#[derive(Clone, PartialEq)]
pub struct Understood {
    /// The text, complete under the grammar.
    pub text: String,
    /// Tokens of the prompt that were computed for this request (without a prefix that was there already).
    pub prompt_tokens: u32,
    /// Tokens generated.
    pub generated_tokens: u32,
    /// Mean probability of the generated tokens, 0 to 1.
    pub confidence: f32,
    /// From request to answer.
    pub took: Duration,
}

/// One sentence to speak.
#[derive(Clone)]
pub struct Speak {
    /// For whom.
    pub stream: StreamId,
    /// Words as spoken: numbers and prices already written out.
    pub text: String,
    /// The same words in every call: their sound may be kept on disk. What has a caller's name or number in it may not.
    pub fixed: bool,
    /// The rate of the sound wanted.
    pub rate: Rate,
    /// When the sound is of no more use.
    pub deadline: Instant,
}

/// The sound of one clause.
#[derive(Clone, PartialEq)]
pub struct SpeechChunk {
    /// Counts the clauses of the request from 0.
    pub clause: u32,
    /// The bytes of the request's text that this sounds.
    pub text_range: Range<usize>,
    /// The sound at the rate asked for, with the pause that follows the clause.
    pub pcm: Vec<i16>,
    /// Nothing follows.
    pub last: bool,
}

/// What a worker is doing, as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// No model or no program for it is installed.
    Absent,
    /// Started, and loading its model.
    Starting,
    /// Takes requests.
    Ready,
    /// Gave no sign of life, and was killed for it.
    Stalled,
    /// Gone; waiting a moment before it is started again.
    BackingOff,
    /// The daemon is stopping.
    Stopped,
}

/// One worker, for the console and for records.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Which.
    pub kind: WorkerKind,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// What it does.
    pub state: WorkerState,
    /// Times it was started after the first.
    pub restarts: u32,
    /// The model's name, once it said it.
    pub model: String,
    /// SHA-256 of the model's file in hexadecimal, once it said it.
    pub digest: String,
    /// A line for people: what the model is, or why the worker is down.
    pub detail: String,
}

/// A worker came or went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineEvent {
    /// It takes requests from now on.
    Up {
        /// Which.
        kind: WorkerKind,
    },
    /// It takes none until it is up again; what it held has failed.
    Down {
        /// Which.
        kind: WorkerKind,
        /// Why, in words.
        why: String,
    },
}

impl fmt::Debug for Transcribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transcribe({:?}, {} samples at {} Hz)", self.stream, self.pcm.len(), self.rate.hertz())
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, confidence, no_speech, took } = self;
        write!(f, "Transcript({} bytes, confidence {confidence}, no speech {no_speech}, took {took:?})", text.len())
    }
}

impl fmt::Debug for Understand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Understand({:?}, prefix {} bytes, prompt {} bytes)", self.stream, self.prefix.len(), self.prompt.len())
    }
}

impl fmt::Debug for Understood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, prompt_tokens, generated_tokens, confidence, took } = self;
        write!(f, "Understood({} bytes, {prompt_tokens}+{generated_tokens} tokens, confidence {confidence}, took {took:?})", text.len())
    }
}

impl fmt::Debug for Speak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Speak({:?}, {} bytes at {} Hz)", self.stream, self.text.len(), self.rate.hertz())
    }
}

impl fmt::Debug for SpeechChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpeechChunk({}, {:?}, {} samples, last {})", self.clause, self.text_range, self.pcm.len(), self.last)
    }
}
