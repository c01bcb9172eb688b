//! A call's voice: sentences go to the synthesis one after another, and their sound into the playback ring as it has room.

use std::collections::{BTreeMap, HashSet, VecDeque};
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

use super::house::House;
use super::workers::Engines;

/// Samples of a frame in the playback ring: 20 ms at 8 kHz.
const FRAME: usize = 160;

/// How long a clause may take to become sound.
const CLAUSE: Duration = Duration::from_secs(3);

/// Clauses that count for the patience with a turn.
const TURNS_CLAUSES_MAX: u32 = 4;

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
    pub fn open(house: &House, stream: StreamId, agent: &str, made: mpsc::Sender<Made>) -> Self {
        let (turns, mut queue) = mpsc::channel::<(TurnId, Pii<String>)>(TURNS_MAX);
        let floor = Arc::new(AtomicU32::new(0));
        let fixed = house.fixed.get(agent).cloned().unwrap_or_default();
        let (engines, clock) = (house.engines.clone(), house.clock);
        let speaker = Speaker { engines, clock, stream, made, fixed, floor: Arc::clone(&floor) };
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
    fixed: Arc<HashSet<String>>,
    floor: Arc<AtomicU32>,
}

impl Speaker {
    /// One request a turn, so that clauses keep their pauses and the first one sounds while the others are made.
    async fn speak(&self, turn: TurnId, text: &str) {
        let told = match self.made_of(turn, text).await {
            Ok(()) => Answer::Spoken { turn },
            Err((from, why)) => Answer::Mute { turn, from, why },
        };
        let _ = self.made.send(Made::Told(told)).await;
    }

    /// On failure: the byte of the turn's text from which on there is no sound.
    async fn made_of(&self, turn: TurnId, text: &str) -> Result<(), (usize, Failure)> {
        let script = Script::of(text);
        if script.spoken.is_empty() || self.is_flushed(turn) {
            return Ok(());
        }
        let fixed = script.pieces.iter().all(|(_, spoken)| self.fixed.contains(&script.spoken[spoken.clone()]));
        let deadline = self.clock.now() + CLAUSE * u32::try_from(script.pieces.len()).unwrap_or(u32::MAX).min(TURNS_CLAUSES_MAX);
        let work = Speak { stream: self.stream, text: script.spoken.clone(), fixed, rate: Rate::K8, deadline };
        let mut chunks = self.engines.speak(work);
        let mut from = 0;
        while let Some(chunk) = chunks.recv().await {
            let chunk = chunk.map_err(|error| (from, failure(&error)))?;
            let end = if chunk.last { text.len() } else { script.written_until(chunk.text_range.end).max(from) };
            let made = Made::Sound { turn, range: from..end, pcm: chunk.pcm };
            from = end;
            if self.made.send(made).await.is_err() || self.is_flushed(turn) || chunk.last {
                return Ok(());
            }
        }
        Err((from, Failure::Gone))
    }

    fn is_flushed(&self, turn: TurnId) -> bool {
        turn.0 < self.floor.load(Ordering::Relaxed)
    }
}

/// A turn as it is written and as it is spoken ("$35" and "thirty-five dollars"), clause by clause.
struct Script {
    spoken: String,
    /// Where each clause stands in the written text, and where in the spoken one.
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl Script {
    fn of(text: &str) -> Self {
        let mut spoken = String::new();
        let mut pieces = Vec::new();
        for clause in speak::clauses(text) {
            if !spoken.is_empty() {
                spoken.push(' ');
            }
            let begin = spoken.len();
            spoken.push_str(&speak::to_words(&clause.text));
            pieces.push((clause.range, begin..spoken.len()));
        }
        Self { spoken, pieces }
    }

    /// The byte of the written text that byte `spoken` of the spoken one comes from, as if a clause's characters took the same room.
    fn written_until(&self, spoken: usize) -> usize {
        let reached = self.pieces.iter().take_while(|(_, at)| at.start < spoken).last();
        reached.map_or(0, |(written, at)| {
            let share = (spoken.min(at.end) - at.start) * written.len() / at.len().max(1);
            written.start + share
        })
    }
}

/// The clauses, as spoken, that are the same in every call of an agent.
pub fn fixed_clauses(sentences: &[String]) -> HashSet<String> {
    let clauses = sentences.iter().flat_map(|sentence| speak::clauses(sentence));
    clauses.map(|clause| speak::to_words(&clause.text)).collect()
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
