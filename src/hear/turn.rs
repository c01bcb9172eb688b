//! One utterance of the caller, and when it ends.

use crate::base::Samples;
use crate::base::limits::UTTERANCE_MS_MAX;

use super::vad::HOP_MS;
use super::{EndReason, Expectation, Verdict};

/// How an ear judges. The defaults were tuned on human voices over a telephone line: see `docs/hearing.md`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    /// Detector score from which a hop inside an utterance counts as voiced (0 to 1).
    pub voiced_score: f32,
    /// Detector score at which a hop speaks neither for nor against a beginning voice.
    pub onset_score: f32,
    /// The same while we are playing.
    pub onset_score_playing: f32,
    /// Evidence that makes an onset: about the number of clearly voiced hops of 16 ms.
    pub onset_evidence: f32,
    /// The same while we are playing.
    pub onset_evidence_playing: f32,
    /// Decibels above the noise floor below which nothing is voice.
    pub floor_margin_db: f32,
    /// Decibels above the expected echo of our own voice below which nothing is a caller's voice.
    pub echo_margin_db: f32,
    /// Decibels below the caller's mean loudness below which no voice begins: somebody behind the caller.
    pub behind_onset_db: f32,
    /// The same inside an utterance.
    pub behind_voiced_db: f32,
    /// Silence after which recognition may start early.
    pub settle_ms: u64,
    /// Voice over ours that makes an interruption.
    pub yield_voiced_ms: u64,
    /// Silence after a short voice over ours after which we go on.
    pub resume_silence_ms: u64,
    /// A pause of ours is decided after this at the latest.
    pub decide_ms_max: u64,
    /// Voice below which an utterance was no speech.
    pub speech_ms_min: u64,
    /// Sound before the onset that the recogniser gets.
    pub preroll_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            voiced_score: 0.5,
            onset_score: 0.5,
            onset_score_playing: 0.5,
            onset_evidence: 1.6,
            onset_evidence_playing: 1.6,
            floor_margin_db: 4.0,
            echo_margin_db: 4.0,
            behind_onset_db: 14.0,
            behind_voiced_db: 20.0,
            settle_ms: 224,
            yield_voiced_ms: 448,
            resume_silence_ms: 224,
            decide_ms_max: 1_000,
            speech_ms_min: 96,
            preroll_ms: 300,
        }
    }
}

/// An utterance shorter than this is a word or two.
const SHORT_MS: u64 = 450;

/// However patient, a turn ends after this much silence.
const HANGOVER_MS_MAX: u64 = 1_800;

/// The silence that ends a turn.
pub(super) fn hangover_ms(expectation: Expectation, voiced_ms: u64, verdict: Option<Verdict>, patience_ms: u64) -> u64 {
    let short = voiced_ms < SHORT_MS;
    let base = match (expectation, short) {
        (Expectation::Open | Expectation::DateTime, true) => 600,
        (Expectation::Open | Expectation::DateTime, false) => 700,
        (Expectation::YesNo, true) => 400,
        (Expectation::YesNo, false) => 550,
        (Expectation::Digits, _) => 900,
        (Expectation::Name, _) => 800,
    };
    match verdict {
        Some(Verdict::Complete) => base / 2,
        Some(Verdict::Incomplete) => (base * 2 + patience_ms).min(HANGOVER_MS_MAX),
        None => (base + patience_ms).min(HANGOVER_MS_MAX),
    }
}

/// What a hop did to an utterance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Nothing to tell.
    Goes,
    /// The first silence.
    Settled,
    /// Voice again after it.
    Continued,
    /// The end.
    Ends(EndReason),
}

/// An utterance under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Utterance {
    pub(super) number: u32,
    pub(super) last_voiced: Samples,
    pub(super) voiced_hops: u32,
    pub(super) verdict: Option<Verdict>,
    hops: u64,
    silent_hops: u32,
    voiced_run: u32,
    settled: bool,
}

/// Voiced hops in a row that end a pause: one alone may be a click.
const CONTINUE_HOPS: u32 = 2;

impl Utterance {
    pub(super) fn begin(number: u32, last_voiced: Samples, voiced_hops: u32) -> Self {
        Self {
            number,
            last_voiced,
            voiced_hops,
            verdict: None,
            hops: u64::from(voiced_hops),
            silent_hops: 0,
            voiced_run: 0,
            settled: false,
        }
    }

    pub(super) fn voiced_ms(&self) -> u64 {
        u64::from(self.voiced_hops) * HOP_MS
    }

    pub(super) fn silent_ms(&self) -> u64 {
        u64::from(self.silent_hops) * HOP_MS
    }

    /// Takes the next hop; `end` is where it ends, when it is voiced.
    pub(super) fn step(&mut self, voiced: Option<Samples>, settle_ms: u64, hangover_ms: u64) -> Step {
        self.hops += 1;
        let step = match voiced {
            Some(end) => self.speak(end),
            None => self.rest(settle_ms, hangover_ms),
        };
        if step != Step::Goes {
            return step;
        }
        if self.hops * HOP_MS >= UTTERANCE_MS_MAX { Step::Ends(EndReason::Cut) } else { Step::Goes }
    }

    fn speak(&mut self, end: Samples) -> Step {
        self.voiced_run += 1;
        if self.silent_hops > 0 && self.voiced_run < CONTINUE_HOPS {
            self.silent_hops += 1;
            return Step::Goes;
        }
        self.voiced_hops += if self.silent_hops > 0 { CONTINUE_HOPS } else { 1 };
        self.silent_hops = 0;
        self.last_voiced = end;
        self.verdict = None;
        if std::mem::take(&mut self.settled) { Step::Continued } else { Step::Goes }
    }

    fn rest(&mut self, settle_ms: u64, hangover_ms: u64) -> Step {
        self.voiced_run = 0;
        self.silent_hops += 1;
        if self.silent_ms() >= hangover_ms {
            let why = if self.verdict == Some(Verdict::Complete) { EndReason::Complete } else { EndReason::Silence };
            return Step::Ends(why);
        }
        if !self.settled && self.silent_ms() >= settle_ms {
            self.settled = true;
            return Step::Settled;
        }
        Step::Goes
    }
}
