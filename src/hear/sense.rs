//! From frames to hops: what each 16 ms of the line holds.

use crate::base::{CapturedKind, Frame, Samples};

use super::clock::LegClock;
use super::level::{Floor, Gain, Level};
use super::tone::Tones;
use super::vad::{HOP_MS, Pieces, Vad, power};

/// What 16 ms of the line hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    /// Where it begins on the leg's clock.
    pub begin: Samples,
    /// Where it ends.
    pub end: Samples,
    /// The detector's score: voice rather than not, 0 to 1.
    pub score: f32,
    /// How loud it is.
    pub level: Level,
    /// Decibels above the noise floor.
    pub above_floor: f32,
    /// Whether the sound has been as loud as now for a while, as hum and noise are and a beginning voice is not.
    pub steady: bool,
    /// The frequency of a single tone, where tones are asked for and this is one.
    pub pure_hz: Option<u16>,
    /// Whether its last samples are a gap: nothing arrived, so nothing is known.
    pub gap: bool,
}

/// Hops that one frame of 20 ms can complete: two, rarely; four bounds it.
pub(super) const HOPS_MAX: usize = 4;

/// The hops one frame completed.
#[derive(Clone, Copy, Default)]
pub(super) struct Hops {
    items: [Option<Hop>; HOPS_MAX],
    len: usize,
}

impl Hops {
    fn push(&mut self, hop: Hop) {
        if let Some(place) = self.items.get_mut(self.len) {
            *place = Some(hop);
            self.len += 1;
        }
    }

    /// In order of time.
    pub(super) fn iter(&self) -> impl Iterator<Item = Hop> {
        self.items.into_iter().flatten()
    }
}

/// The senses of one leg: voice, level, floor.
pub(super) struct Sense {
    pieces: Pieces,
    vad: Vad,
    floor: Floor,
    gain: Gain,
    tones: Tones,
    latest: [Level; SETTLED_HOPS],
    /// Whether single tones are looked for.
    pub(super) names_tones: bool,
}

/// A tone this quiet is none that anybody sends on purpose.
const TONE_LEVEL: Level = Level(-45.0);

/// A piece whose two highest peaks stand this far above the rest is no voice.
const TONE_DB: f32 = 30.0;

/// The score of such a piece at most.
const TONE_SCORE: f32 = 0.3;

/// Below this score nobody asks whether it is a tone.
const SCORE_ASKED: f32 = 0.4;

/// Hops in which a steady sound keeps its loudness: about 100 ms...
const STEADY_HOPS: usize = 6;

/// ... within this many decibels, because 16 ms are no whole period of a hum...
const STEADY_DB: f32 = 3.0;

/// ... and hops in which it did not begin: about 250 ms.
const SETTLED_HOPS: usize = 16;

/// A sound that rose by more than this is beginning, however steady it is now.
const SETTLED_DB: f32 = 8.0;

fn is_steady(latest: &[Level; SETTLED_HOPS]) -> bool {
    spread(&latest[SETTLED_HOPS - STEADY_HOPS..]) < STEADY_DB && spread(latest) < SETTLED_DB
}

/// From the quietest to the loudest.
fn spread(levels: &[Level]) -> f32 {
    let (least, most) = levels.iter().fold((f32::MAX, f32::MIN), |(least, most), level| (least.min(level.0), most.max(level.0)));
    most - least
}

impl Sense {
    pub(super) fn new() -> Self {
        Self {
            pieces: Pieces::new(),
            vad: Vad::new(),
            floor: Floor::new(),
            gain: Gain::new(),
            tones: Tones::new(),
            latest: [Level::SILENCE; SETTLED_HOPS],
            names_tones: false,
        }
    }

    /// The next sample begins a new hop.
    pub(super) fn realign(&mut self) {
        self.pieces.realign();
    }

    /// Hears the next frame.
    pub(super) fn hear(&mut self, frame: &Frame, kind: CapturedKind, clock: &mut LegClock) -> Hops {
        let mut hops = Hops::default();
        let gap = kind == CapturedKind::Gap;
        let Self { pieces, vad, floor, gain, tones, latest, names_tones } = self;
        pieces.cut(frame, |piece| {
            let (begin, end) = clock.hop(HOP_MS);
            let power = power(piece);
            let level = Level::of_power(power);
            let under = if gap { floor.level() } else { floor.learn(power) };
            let score = vad.score(piece, gain.factor(level, under));
            let tonal = score > SCORE_ASKED && tones.purity_db(piece) > TONE_DB;
            latest.rotate_left(1);
            latest[SETTLED_HOPS - 1] = level;
            let steady = is_steady(latest);
            hops.push(Hop {
                begin,
                end,
                score: if tonal { score.min(TONE_SCORE) } else { score },
                level,
                above_floor: level.above(under),
                steady,
                pure_hz: if *names_tones && !gap && level >= TONE_LEVEL { tones.pure_hz(piece) } else { None },
                gap,
            });
        });
        hops
    }
}
