//! How much of our own voice comes back from the line, measured on the line itself.
//!
//! Two ways to learn, because two things can be known. While we play and nobody is believed to speak, whatever came back is no louder than what
//! was heard: the loudest heard against the loudest played bounds the echo. And when we fell silent for a voice and it died with ours, the two
//! loudnesses over the last 1.6 s tell whether it followed ours (an echo) or stood by itself (a cough).

use super::level::Level;

/// Frames of 20 ms remembered: 1.6 s.
const FRAMES: usize = 80;

/// An echo comes back within this many frames: 400 ms.
const LAGS: usize = 20;

/// Frames between two looks at the line: 400 ms, so that the loudest played has come back within them and the 400 ms before.
const LOOK_FRAMES: u32 = 20;

/// What is believed of a line before anything was heard of it.
const COUPLING_PRIOR_DB: f32 = -15.0;

/// No line returns more than this.
const COUPLING_MAX_DB: f32 = -3.0;

/// No line is believed to be better than this.
const COUPLING_MIN_DB: f32 = -45.0;

/// Played sound below this teaches nothing.
const PLAYED_MIN: Level = Level(-45.0);

/// Heard sound below this is as good as silence when two loudnesses are compared.
const HEARD_MIN: f32 = -60.0;

/// Two loudnesses that go together this much are one voice.
const SAME_VOICE: f32 = 0.7;

/// The echo of one leg.
pub(super) struct Echo {
    played: [f32; FRAMES],
    heard: [f32; FRAMES],
    newest: usize,
    coupling_db: f32,
    alone_frames: u32,
}

impl Echo {
    pub(super) fn new() -> Self {
        Self {
            played: [Level::SILENCE.0; FRAMES],
            heard: [Level::SILENCE.0; FRAMES],
            newest: 0,
            coupling_db: COUPLING_PRIOR_DB,
            alone_frames: 0,
        }
    }

    /// Notes what we played and what was heard during a frame; `alone` while nobody is believed to speak.
    pub(super) fn note(&mut self, played: Level, heard: Level, alone: bool) {
        self.newest = (self.newest + 1) % FRAMES;
        self.played[self.newest] = played.0;
        self.heard[self.newest] = heard.0;
        self.alone_frames = if alone { self.alone_frames + 1 } else { 0 };
        if self.alone_frames >= 2 * LOOK_FRAMES && self.alone_frames.is_multiple_of(LOOK_FRAMES) {
            self.look();
        }
    }

    /// The echo to expect now.
    pub(super) fn expected(&self) -> Level {
        self.loudest().plus(self.coupling_db)
    }

    /// The loudest of what may be on its way back now.
    fn loudest(&self) -> Level {
        Level(self.latest(&self.played).take(LAGS).fold(Level::SILENCE.0, f32::max))
    }

    /// Newest first.
    fn latest<'a>(&self, levels: &'a [f32; FRAMES]) -> impl Iterator<Item = f32> + use<'a> {
        let newest = self.newest;
        (0..FRAMES).map(move |age| levels[(newest + FRAMES - age) % FRAMES])
    }

    /// Nobody spoke for a while: what came back bounds the echo.
    fn look(&mut self) {
        let looked = LOOK_FRAMES as usize;
        let played = self.latest(&self.played).take(looked + LAGS).fold(Level::SILENCE.0, f32::max);
        if played < PLAYED_MIN.0 {
            return;
        }
        let heard = self.latest(&self.heard).take(looked).fold(Level::SILENCE.0, f32::max);
        let seen = (heard - played).clamp(COUPLING_MIN_DB, COUPLING_MAX_DB);
        let pace = if seen > self.coupling_db { 0.7 } else { 0.3 };
        self.coupling_db += pace * (seen - self.coupling_db);
    }

    /// A voice stopped us and died: was it ours? If so, its strength is learnt.
    pub(super) fn blame(&mut self) -> bool {
        let mut best: Option<(f32, f32)> = None;
        for lag in 0..LAGS {
            if let Some((alike, coupling_db)) = self.compare(lag)
                && best.is_none_or(|(most, _)| alike > most)
            {
                best = Some((alike, coupling_db));
            }
        }
        let Some((_, coupling_db)) = best.filter(|(alike, _)| *alike >= SAME_VOICE) else { return false };
        self.coupling_db = self.coupling_db.max(coupling_db.min(COUPLING_MAX_DB));
        true
    }

    /// Correlation of what was heard with what was played `lag` frames earlier, and by how much it was louder where we were loud.
    fn compare(&self, lag: usize) -> Option<(f32, f32)> {
        let pairs = || {
            self.latest(&self.heard)
                .zip(self.latest(&self.played).skip(lag))
                .map(|(heard, played)| (heard.max(HEARD_MIN), played.max(HEARD_MIN)))
        };
        let (mut count, mut heard_sum, mut played_sum) = (0.0_f32, 0.0, 0.0);
        let (mut loud, mut above, mut most) = (0_u32, 0.0_f32, COUPLING_MIN_DB);
        for (heard, played) in pairs() {
            count += 1.0;
            heard_sum += heard;
            played_sum += played;
            if played > PLAYED_MIN.0 + 10.0 {
                loud += 1;
                above += heard - played;
                most = most.max(heard - played);
            }
        }
        let (heard_mean, played_mean) = (heard_sum / count, played_sum / count);
        let (mut both, mut heard_var, mut played_var) = (0.0, 0.0, 0.0);
        for (heard, played) in pairs() {
            both += (heard - heard_mean) * (played - played_mean);
            heard_var += (heard - heard_mean).powi(2);
            played_var += (played - played_mean).powi(2);
        }
        let spread = (heard_var * played_var).sqrt();
        #[expect(clippy::cast_precision_loss, reason = "80 at most")]
        let mean = above / loud.max(1) as f32;
        (loud >= 5 && spread > 1.0).then(|| (both / spread, mean.midpoint(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_possible_truncation, reason = "a level needs few digits")]
    fn ours(frame: u32) -> f32 {
        -20.0 - 15.0 * (f64::from(frame) * 0.37).sin().abs() as f32
    }

    #[test]
    fn a_quiet_line_is_learnt_within_two_seconds() {
        let mut echo = Echo::new();
        (0..100).for_each(|frame| echo.note(Level(ours(frame)), Level(-70.0), true));
        assert!(echo.expected().0 < -50.0, "{:?}", echo.expected());
    }

    #[test]
    fn an_echo_is_blamed_and_learnt_and_a_cough_is_not() {
        let mut echo = Echo::new();
        for frame in 0..40 {
            let late = if frame < 6 { -70.0 } else { ours(frame - 6) - 10.0 };
            echo.note(Level(ours(frame)), Level(late), false);
        }
        for frame in 40..52 {
            let late = if frame < 46 { ours(frame - 6) - 10.0 } else { -70.0 };
            echo.note(Level::SILENCE, Level(late), false);
        }
        assert!(echo.blame());
        assert!((echo.coupling_db + 10.0).abs() < 2.0, "{}", echo.coupling_db);

        let mut coughed = Echo::new();
        for frame in 0..80 {
            let cough = if (60..68).contains(&frame) { -20.0 } else { -70.0 };
            coughed.note(if frame < 64 { Level(ours(frame)) } else { Level::SILENCE }, Level(cough), false);
        }
        assert!(!coughed.blame());
    }
}
