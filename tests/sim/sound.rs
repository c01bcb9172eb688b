//! What is played to the caller, clip by clip in virtual time: held by the gate, dropped below the floor, as the media thread does it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use nightbell::base::{Instant, TurnId};
use nightbell::call::Sound;

/// Samples of a millisecond at 8 kHz.
const MS: u64 = 8;

#[derive(Clone, Copy, Debug)]
struct Clip {
    turn: TurnId,
    number: u32,
    samples: u64,
    played: u64,
    /// When it last began to move; none while it waits or is held.
    moves_since: Option<Instant>,
}

/// The playing side of the leg.
#[derive(Default)]
pub struct Loudspeaker {
    waiting: VecDeque<Clip>,
    counts: BTreeMap<TurnId, u32>,
    held: bool,
    /// Turns below are dropped.
    pub floor: TurnId,
    /// What truly left, by turn and clip.
    pub truth: BTreeMap<(TurnId, u32), u64>,
    /// When something was last audible.
    pub audible_at: Instant,
}

impl Loudspeaker {
    /// Takes a clip; its number within the turn.
    pub fn add(&mut self, now: Instant, turn: TurnId, samples: u64) -> (u32, Vec<Sound>) {
        let count = self.counts.entry(turn).or_default();
        let number = *count;
        *count += 1;
        self.waiting.push_back(Clip { turn, number, samples, played: 0, moves_since: None });
        let mut told = self.drop_below();
        told.extend(self.go_on(now));
        (number, told)
    }

    /// Whether the caller hears us, or would if the gate were open.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The turn that is being played.
    pub fn turn(&self) -> Option<TurnId> {
        self.waiting.front().map(|clip| clip.turn)
    }

    /// When the clip being played ends.
    pub fn deadline(&self) -> Option<Instant> {
        let clip = self.waiting.front()?;
        Some(clip.moves_since? + Duration::from_millis((clip.samples - clip.played).div_ceil(MS)))
    }

    /// Lets time pass.
    pub fn pass(&mut self, now: Instant) -> Vec<Sound> {
        self.settle(now);
        let mut told = Vec::new();
        if let Some(clip) = self.waiting.front().copied().filter(|clip| clip.played >= clip.samples) {
            self.waiting.pop_front();
            told.push(report(&clip, true));
            told.extend(self.go_on(now));
        }
        told
    }

    /// Holds playback.
    pub fn hold(&mut self, now: Instant) {
        self.settle(now);
        self.held = true;
        if let Some(clip) = self.waiting.front_mut() {
            clip.moves_since = None;
        }
    }

    /// Lets it go on.
    pub fn release(&mut self, now: Instant) -> Vec<Sound> {
        self.held = false;
        self.go_on(now)
    }

    /// Raises the floor.
    pub fn flush_below(&mut self, now: Instant, floor: TurnId) -> Vec<Sound> {
        self.settle(now);
        self.floor = self.floor.max(floor);
        let mut told = self.drop_below();
        told.extend(self.go_on(now));
        told
    }

    fn drop_below(&mut self) -> Vec<Sound> {
        let floor = self.floor;
        let told = self.waiting.iter().filter(|clip| clip.turn < floor).map(|clip| report(clip, false)).collect();
        self.waiting.retain(|clip| clip.turn >= floor);
        told
    }

    fn go_on(&mut self, now: Instant) -> Vec<Sound> {
        let held = self.held;
        let Some(clip) = self.waiting.front_mut().filter(|clip| clip.moves_since.is_none() && !held) else { return Vec::new() };
        assert!(clip.turn >= self.floor, "no turn is played below its floor");
        clip.moves_since = Some(now);
        if clip.played > 0 {
            return Vec::new();
        }
        vec![Sound::Played { turn: clip.turn, clip: clip.number, samples: 1, finished: false }]
    }

    fn settle(&mut self, now: Instant) {
        if let Some(clip) = self.waiting.front_mut()
            && let Some(since) = clip.moves_since.replace(now)
        {
            let passed = u64::try_from((now - since).as_micros()).unwrap() * MS / 1_000;
            clip.played = (clip.played + passed).min(clip.samples);
            self.truth.insert((clip.turn, clip.number), clip.played);
            self.audible_at = now;
        }
    }
}

fn report(clip: &Clip, finished: bool) -> Sound {
    Sound::Played { turn: clip.turn, clip: clip.number, samples: clip.played, finished }
}
