//! A call's voice: sentences go to the synthesis one after another, and their sound into the playback ring as it has room.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::clock::Clock;
use crate::base::{Frame, Pii, Rate, StreamId, TurnId};
use crate::call::{Answer, Failure};
use crate::engine::{EngineError, Speak};
use crate::media::Playback;
use crate::rt::Producer;
use crate::speak;

use super::workers::Engines;

/// Samples of a frame in the playback ring: 20 ms at 8 kHz.
const FRAME: usize = 160;

/// How long a clause may take to become sound.
const CLAUSE: Duration = Duration::from_secs(4);

/// Turns that wait for synthesis at once.
const TURNS_MAX: usize = 64;

/// How often the ring is filled up while sound waits.
pub const FEED: Duration = Duration::from_millis(100);

/// What synthesis has made of a turn.
#[derive(Debug)]
pub enum Made {
    /// Sound of this part of the turn's text.
    Sound {
        /// The turn.
        turn: TurnId,
        /// The bytes of its text.
        range: Range<usize>,
        /// One channel, 8 kHz.
        pcm: Vec<i16>,
    },
    /// All or nothing more: what the call is to be told.
    Told(Answer),
}

/// The queue of one call to the synthesis.
pub struct Mouth {
    turns: mpsc::Sender<(TurnId, Pii<String>)>,
    floor: Arc<AtomicU32>,
}

impl Mouth {
    /// A queue whose sound comes out of `made`.
    pub fn open(engines: Engines, clock: Clock, stream: StreamId, made: mpsc::Sender<Made>) -> Self {
        let (turns, mut queue) = mpsc::channel::<(TurnId, Pii<String>)>(TURNS_MAX);
        let floor = Arc::new(AtomicU32::new(0));
        let speaker = Speaker { engines, clock, stream, made, floor: Arc::clone(&floor) };
        tokio::spawn(async move {
            while let Some((turn, text)) = queue.recv().await {
                speaker.speak(turn, text.expose()).await;
            }
        });
        Self { turns, floor }
    }

    /// Speaks `text` after what waits already. False when too much waits.
    pub fn speak(&self, turn: TurnId, text: Pii<String>) -> bool {
        self.turns.try_send((turn, text)).is_ok()
    }

    /// What belongs to turns below `turn` is not wanted any more.
    pub fn flush_below(&self, turn: TurnId) {
        self.floor.fetch_max(turn.0, Ordering::Relaxed);
    }
}

struct Speaker {
    engines: Engines,
    clock: Clock,
    stream: StreamId,
    made: mpsc::Sender<Made>,
    floor: Arc<AtomicU32>,
}

impl Speaker {
    async fn speak(&self, turn: TurnId, text: &str) {
        for clause in speak::clauses(text) {
            if self.is_flushed(turn) {
                break;
            }
            if let Err((from, why)) = self.clause(turn, text, clause.range).await {
                let _ = self.made.send(Made::Told(Answer::Mute { turn, from, why })).await;
                return;
            }
        }
        let _ = self.made.send(Made::Told(Answer::Spoken { turn })).await;
    }

    /// One clause; on failure, the byte of the turn's text from which on there is no sound.
    async fn clause(&self, turn: TurnId, text: &str, range: Range<usize>) -> Result<(), (usize, Failure)> {
        let written = &text[range.clone()];
        let spoken = speak::to_words(written);
        let length = spoken.len().max(1);
        let deadline = self.clock.now() + CLAUSE;
        let mut chunks = self.engines.speak(Speak { stream: self.stream, text: spoken, rate: Rate::K8, deadline });
        let mut from = range.start;
        while let Some(chunk) = chunks.recv().await {
            let chunk = chunk.map_err(|error| (from, failure(&error)))?;
            let end = if chunk.last { range.end } else { range.start + written.len() * chunk.text_range.end.min(length) / length };
            let made = Made::Sound { turn, range: from..end.max(from), pcm: chunk.pcm };
            from = end.max(from);
            if self.made.send(made).await.is_err() || self.is_flushed(turn) {
                return Ok(());
            }
            if chunk.last {
                return Ok(());
            }
        }
        Err((from, Failure::Gone))
    }

    fn is_flushed(&self, turn: TurnId) -> bool {
        turn.0 < self.floor.load(Ordering::Relaxed)
    }
}

/// What an engine's error means to a call.
pub fn failure(error: &EngineError) -> Failure {
    match error {
        EngineError::Gone => Failure::Gone,
        EngineError::Expired | EngineError::Busy => Failure::Late,
        EngineError::Refused(_) => Failure::Refused,
    }
}

/// Sound on its way into the playback ring.
pub struct Feeder {
    ring: Producer<Playback>,
    waiting: VecDeque<Playback>,
    clips: BTreeMap<TurnId, u32>,
}

impl Feeder {
    /// Feeds `ring`.
    pub fn new(ring: Producer<Playback>) -> Self {
        Self { ring, waiting: VecDeque::new(), clips: BTreeMap::new() }
    }

    /// Takes a clip; its number within the turn.
    pub fn clip(&mut self, turn: TurnId, pcm: &[i16]) -> u32 {
        let next = self.clips.entry(turn).or_default();
        let clip = *next;
        *next += 1;
        let frames = pcm.len().div_ceil(FRAME);
        for (at, samples) in pcm.chunks(FRAME).enumerate() {
            self.waiting.push_back(Playback { turn, clip, frame: Frame::new(Rate::K8, samples), last: at + 1 == frames });
        }
        self.feed();
        clip
    }

    /// Puts into the ring what it has room for.
    pub fn feed(&mut self) {
        while self.ring.vacant() > 0 {
            let Some(frame) = self.waiting.pop_front() else { return };
            if let Err(frame) = self.ring.push(frame) {
                self.waiting.push_front(frame);
                return;
            }
        }
    }

    /// Whether sound waits for room.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Forgets what belongs to turns below `turn`.
    pub fn flush_below(&mut self, turn: TurnId) {
        self.waiting.retain(|frame| frame.turn >= turn);
        self.clips.retain(|of, _| *of >= turn);
    }
}
