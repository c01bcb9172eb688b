//! How much of our own voice comes back from the line, measured on the line itself.

use super::level::Level;

/// Frames of 20 ms remembered: an echo later than this is not known.
const LAGS: usize = 20;

/// What is believed of a line before anything was heard of it: an echo 20 dB below what we play.
const COUPLING_PRIOR_DB: f32 = -20.0;

/// A line never returns more than this.
const COUPLING_MAX_DB: f32 = -3.0;

/// No line is believed to be better than this.
const COUPLING_MIN_DB: f32 = -50.0;

/// Played sound below this teaches nothing.
const PLAYED_MIN: Level = Level(-50.0);

/// The echo of one leg.
pub(super) struct Echo {
    played: [Level; LAGS],
    newest: usize,
    coupling_db: f32,
}

impl Echo {
    pub(super) fn new() -> Self {
        Self { played: [Level::SILENCE; LAGS], newest: 0, coupling_db: COUPLING_PRIOR_DB }
    }

    /// Notes what we played during this frame.
    pub(super) fn note_played(&mut self, level: Level) {
        self.newest = (self.newest + 1) % LAGS;
        self.played[self.newest] = level;
    }

    /// The loudest of what may be on its way back now.
    pub(super) fn loudest(&self) -> Level {
        Level(self.played.iter().fold(Level::SILENCE.0, |loudest, level| loudest.max(level.0)))
    }

    /// The echo to expect now.
    pub(super) fn expected(&self) -> Level {
        self.loudest().plus(self.coupling_db)
    }

    /// Learns from a hop in which the caller is not believed to speak: whatever came back is no louder than this.
    pub(super) fn learn(&mut self, heard: Level) {
        let loudest = self.loudest();
        if loudest.0 < PLAYED_MIN.0 {
            return;
        }
        let seen = heard.above(loudest).clamp(COUPLING_MIN_DB, COUPLING_MAX_DB);
        let pace = if seen > self.coupling_db { 0.2 } else { 0.01 };
        self.coupling_db += pace * (seen - self.coupling_db);
    }

    /// What was taken for the caller turned out to be nobody, twice: it was our own voice, this loud.
    pub(super) fn learn_false_stop(&mut self, over_played_db: f32) {
        self.coupling_db = self.coupling_db.max(over_played_db.min(COUPLING_MAX_DB));
    }
}
