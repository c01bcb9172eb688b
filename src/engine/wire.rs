//! The protocol between daemon and worker, compiled into both sides. Pure.
//!
//! A connection is a Unix socket that the worker gets as its standard input. Each direction is a row of frames:
//! ```text
//! u32 length of the rest, big endian (at most WORKER_FRAME_BYTES_MAX)
//! u32 length of the header, big endian
//! header: one JSON object, a [`ToWorker`] or a [`FromWorker`]
//! sound:  the rest, 16-bit little-endian samples of one channel; empty where the message has none
//! ```
//! The daemon speaks first with `Hello`, the worker answers `Ready` or `Refused` without an id. Both sides must know the same
//! [`PROTOCOL`]. Then requests flow without waiting for answers; each is answered exactly once (a `Speak` by chunks up to the last one, or
//! by its failure) with `Transcript`, `Understood`, `Chunk`, `Expired`, `Cancelled` or `Refused`, in any order. A `Marker` is echoed
//! when all that came before it is answered. A `Ping` is echoed at once, also in the middle of a step. End of file ends the worker.
//! Deadlines travel as the time that is left, because the two clocks are not the same.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::WorkerKind;
use crate::base::limits::WORKER_FRAME_BYTES_MAX;
use crate::base::{Pii, Rate, StreamId};

/// The version of this protocol. Both sides must have the same one: they are installed together.
pub const PROTOCOL: u32 = 2;

/// A request on one connection; never used twice on it.
pub type RequestId = u64;

/// What the daemon says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ToWorker {
    /// First of all.
    Hello {
        /// [`PROTOCOL`] of the daemon.
        protocol: u32,
        /// Which worker the daemon believes this is.
        worker: WorkerKind,
    },
    /// Recognise the sound of this frame.
    Transcribe {
        /// The request.
        id: RequestId,
        /// Whose.
        stream: StreamId,
        /// Milliseconds until the answer is of no more use.
        left_ms: u32,
        /// Rate of the sound: 8 or 16 kHz.
        rate: Rate,
        /// Words to expect.
        hint: Pii<String>,
        /// The caller still speaks: this may be dropped for something newer or more urgent.
        partial: bool,
    },
    /// Complete a prompt under a grammar.
    Understand {
        /// The request.
        id: RequestId,
        /// Whose.
        stream: StreamId,
        /// Milliseconds until the answer is of no more use.
        left_ms: u32,
        /// The shared beginning.
        prefix: Pii<String>,
        /// The rest.
        prompt: Pii<String>,
        /// GBNF, or empty.
        grammar: String,
        /// Tokens at most.
        max_tokens: u32,
    },
    /// Speak a sentence.
    Speak {
        /// The request.
        id: RequestId,
        /// For whom.
        stream: StreamId,
        /// Milliseconds until the sound is of no more use.
        left_ms: u32,
        /// Rate wanted.
        rate: Rate,
        /// The sentence.
        text: Pii<String>,
        /// Whether its sound may be kept on disk.
        fixed: bool,
    },
    /// Nobody waits for this request any longer.
    Cancel {
        /// The request.
        id: RequestId,
    },
    /// Echo this when everything before it is answered.
    Marker {
        /// To tell markers apart.
        number: u64,
    },
    /// Echo this at once.
    Ping {
        /// To tell pings apart.
        number: u64,
    },
}

/// What a worker says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromWorker {
    /// The model is loaded.
    Ready {
        /// [`PROTOCOL`] of the worker.
        protocol: u32,
        /// Which worker it is.
        worker: WorkerKind,
        /// The model's name.
        model: String,
        /// SHA-256 of the model's file, hexadecimal.
        digest: String,
        /// Whatever people may want to know, in one line.
        details: String,
    },
    /// Not this request; or, without an id, not this daemon.
    Refused {
        /// The request.
        id: Option<RequestId>,
        /// Why, in words.
        why: String,
    },
    /// The answer to `Transcribe`.
    Transcript {
        /// The request.
        id: RequestId,
        /// Whose.
        stream: StreamId,
        /// What was said.
        text: Pii<String>,
        /// Mean token probability.
        confidence: f32,
        /// Probability that nobody spoke.
        no_speech: f32,
    },
    /// The answer to `Understand`.
    Understood {
        /// The request.
        id: RequestId,
        /// Whose.
        stream: StreamId,
        /// The completion.
        text: Pii<String>,
        /// Prompt tokens computed for it.
        prompt_tokens: u32,
        /// Tokens generated.
        generated_tokens: u32,
        /// Mean token probability.
        confidence: f32,
    },
    /// A part of the answer to `Speak`; the frame carries its sound.
    Chunk {
        /// The request.
        id: RequestId,
        /// For whom.
        stream: StreamId,
        /// Counts the clauses from 0.
        clause: u32,
        /// First byte of the text that this sounds.
        start: u32,
        /// The byte after the last.
        end: u32,
        /// Nothing follows.
        last: bool,
    },
    /// The deadline passed.
    Expired {
        /// The request.
        id: RequestId,
    },
    /// The request was cancelled, or something newer took its place.
    Cancelled {
        /// The request.
        id: RequestId,
    },
    /// All before this marker is answered.
    Marker {
        /// The marker's number.
        number: u64,
    },
    /// A sign of life.
    Pong {
        /// The ping's number.
        number: u64,
        /// Milliseconds that the present step has taken so far; 0 when idle.
        busy_ms: u32,
        /// Requests that wait for a step.
        waiting: u32,
    },
}

/// Why bytes are not a frame. After any of these the connection is closed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// The sender announced or built more than [`WORKER_FRAME_BYTES_MAX`].
    #[error("a frame of {bytes} bytes, more than {WORKER_FRAME_BYTES_MAX}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// The header does not fit into its frame.
    #[error("a header of {header} bytes in a frame of {frame}")]
    HeaderOutside {
        /// Length of the header.
        header: usize,
        /// Length of the frame.
        frame: usize,
    },
    /// The header is no message of this protocol.
    #[error("a header that is no message: {why}")]
    NotAMessage {
        /// The parser's words (position and kind of the fault, never the text itself).
        why: String,
    },
    /// The sound ends in half a sample.
    #[error("sound of {bytes} bytes, which is no whole number of samples")]
    HalfASample {
        /// Its length.
        bytes: usize,
    },
}

/// One frame with `message` and `sound`.
pub fn encode<M: Serialize>(message: &M, sound: &[i16]) -> Result<Vec<u8>, WireError> {
    let header = serde_json::to_vec(message).map_err(|error| not_a_message(&error))?;
    let length = 4 + header.len() + 2 * sound.len();
    if length > WORKER_FRAME_BYTES_MAX {
        return Err(WireError::TooLarge { bytes: length });
    }
    let mut frame = Vec::with_capacity(4 + length);
    frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(&u32::try_from(header.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(&header);
    frame.extend(sound.iter().flat_map(|sample| sample.to_le_bytes()));
    Ok(frame)
}

/// Cuts a row of bytes into frames. It never holds more than one frame and what was pushed with its end.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    used: usize,
    broken: Option<WireError>,
}

impl Decoder {
    /// Nothing received yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the connection. Call [`Decoder::next_frame`] until it has nothing before pushing again.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes come. An error stays: the connection has lost its rhythm.
    pub fn next_frame<M: DeserializeOwned>(&mut self) -> Result<Option<(M, Vec<i16>)>, WireError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let frame = self.cut();
        if let Err(error) = &frame {
            self.broken = Some(error.clone());
            self.bytes = Vec::new();
            self.used = 0;
        }
        frame
    }

    fn cut<M: DeserializeOwned>(&mut self) -> Result<Option<(M, Vec<i16>)>, WireError> {
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > WORKER_FRAME_BYTES_MAX {
            return Err(WireError::TooLarge { bytes: length });
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let read = read_frame(frame)?;
        self.used += 4 + length;
        Ok(Some(read))
    }
}

fn read_frame<M: DeserializeOwned>(frame: &[u8]) -> Result<(M, Vec<i16>), WireError> {
    let outside = |header| WireError::HeaderOutside { header, frame: frame.len() };
    let (header, rest) = frame.split_first_chunk::<4>().ok_or_else(|| outside(4))?;
    let header = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
    let (header, sound) = rest.split_at_checked(header).ok_or_else(|| outside(header))?;
    let message = serde_json::from_slice(header).map_err(|error| not_a_message(&error))?;
    let (pairs, half) = sound.as_chunks::<2>();
    if !half.is_empty() {
        return Err(WireError::HalfASample { bytes: sound.len() });
    }
    Ok((message, pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect()))
}

/// Only the place and the kind of the fault: the parser's own words would quote what people said.
fn not_a_message(error: &serde_json::Error) -> WireError {
    WireError::NotAMessage { why: format!("{:?} at column {}", error.classify(), error.column()) }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
