//! When does a voice begin? Evidence is summed over hops, so that a clear voice is believed after three and a doubtful one after more.

use crate::base::Samples;

use super::sense::Hop;

/// How much evidence is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    /// Score at which a hop speaks neither for nor against a voice.
    pub pivot: f32,
    /// Evidence that is enough: one for each hop of full score.
    pub enough: f32,
}

/// A hop without voice takes this much away: a click is forgotten after two.
const LOSS_MAX: f32 = 0.7;

/// A voice that stands out from the line by more than this many decibels counts more than once...
const CLEAR_DB: f32 = 10.0;

/// ... by one more for each so many decibels...
const CLEAR_STEP_DB: f32 = 20.0;

/// ... and so many times at most.
const CLEAR_MAX: f32 = 2.0;

/// The running evidence (a one-sided cumulative sum, Page 1954).
#[derive(Debug, Default)]
pub(super) struct Onset {
    evidence: f32,
    began: Samples,
    voiced_hops: u32,
}

/// A voice that was believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Begun {
    /// Where its evidence began.
    pub at: Samples,
    /// Voiced hops among the evidence.
    pub voiced_hops: u32,
}

impl Onset {
    /// Weighs `hop`; `loud` when it exceeds the line's noise, our echo and what is behind the caller. A gap says nothing.
    pub(super) fn weigh(&mut self, hop: &Hop, loud: bool, bar: Bar) -> Option<Begun> {
        if hop.gap {
            return None;
        }
        let for_voice = (hop.score - bar.pivot) / (1.0 - bar.pivot);
        let clear = (1.0 + (hop.above_floor - CLEAR_DB) / CLEAR_STEP_DB).clamp(1.0, CLEAR_MAX);
        let gain = match loud && !hop.steady {
            true if for_voice > 0.0 => for_voice * clear,
            true => for_voice.max(-LOSS_MAX),
            false => -LOSS_MAX,
        };
        if self.evidence <= 0.0 {
            self.began = hop.begin;
            self.voiced_hops = 0;
        }
        self.evidence = (self.evidence + gain).max(0.0);
        self.voiced_hops += u32::from(gain > 0.0);
        (self.evidence >= bar.enough).then(|| self.take())
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self) -> Begun {
        let begun = Begun { at: self.began, voiced_hops: self.voiced_hops };
        self.clear();
        begun
    }
}
