//! A line with an ear on it, and sounds to put on the line.

use crate::base::{Captured, CapturedKind, Frame, Instant, Rate, Samples, Seed, TurnId};
use crate::hear::{Ear, Expectation, Heard, Hold, Settings};

/// An ear, fed frame by frame, and everything it said with the milliseconds at which it said it.
pub(super) struct Line {
    pub(super) ear: Ear,
    pub(super) at: u64,
    pub(super) playing: Option<TurnId>,
    pub(super) level: u16,
    pub(super) said: Vec<(u64, Heard)>,
    pub(super) sound: Vec<i16>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { ear: Ear::new(Settings::default()), at: 0, playing: None, level: 0, said: Vec::new(), sound: Vec::new() }
    }

    pub(super) fn expecting(expectation: Expectation) -> Self {
        let mut line = Self::new();
        line.ear.expect(expectation);
        line
    }

    pub(super) fn ms(&self) -> u64 {
        self.at / 8
    }

    /// Puts `pcm` at 8 kHz on the line; our own sound stops while the ear holds it, and a turn given up is gone.
    pub(super) fn hear(&mut self, pcm: &[i16]) -> &mut Self {
        for frame in pcm.chunks(160) {
            self.frame(CapturedKind::Sound, frame);
        }
        self
    }

    pub(super) fn quiet(&mut self, ms: usize) -> &mut Self {
        let hiss = noise(ms, 6.0, 99);
        self.hear(&hiss)
    }

    pub(super) fn frame(&mut self, kind: CapturedKind, pcm: &[i16]) {
        let captured = Captured { at: Samples(self.at), kind, frame: Frame::new(Rate::K8, pcm) };
        self.at += pcm.len() as u64;
        let level = if matches!(self.ear.hold(), Hold::Paused(_)) { 0 } else { self.level };
        self.ear.handle_frame(Instant::from_millis(self.ms()), &captured, self.playing, level);
        if let Hold::Yielded(given_up) = self.ear.hold() {
            self.playing = self.playing.filter(|turn| *turn > given_up);
        }
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(heard) = self.ear.poll_output() {
            if let Heard::Audio { frame, .. } = heard {
                self.sound.extend(frame.samples());
            }
            self.said.push((self.ms(), heard));
        }
    }

    /// The names of what was said, without sound.
    pub(super) fn story(&self) -> Vec<&'static str> {
        self.said.iter().filter_map(|(_, heard)| name(heard)).collect()
    }

    /// When this was first said.
    pub(super) fn when(&self, wanted: &str) -> Option<u64> {
        self.said.iter().find(|(_, heard)| name(heard) == Some(wanted)).map(|(at, _)| *at)
    }
}

fn name(heard: &Heard) -> Option<&'static str> {
    match heard {
        Heard::VoiceBegan { .. } => Some("began"),
        Heard::Pause { .. } => Some("pause"),
        Heard::Resume { .. } => Some("resume"),
        Heard::Yield { .. } => Some("yield"),
        Heard::Settling { .. } => Some("settling"),
        Heard::Continued { .. } => Some("continued"),
        Heard::Ended { .. } => Some("ended"),
        Heard::Audio { .. } => None,
        Heard::Answered { .. } => Some("answered"),
    }
}

/// Noise with this root mean square.
#[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
pub(super) fn noise(ms: usize, rms: f64, seed: u64) -> Vec<i16> {
    let mut seed = Seed::new(seed);
    let mut bell = || (0..12).map(|_| f64::from(seed.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0;
    (0..ms * 8).map(|_| (bell() * rms) as i16).collect()
}

/// A made-up voice: glottal pulses at a falling pitch through three formants that wander, in syllables, at about -20 dBov.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "far below full scale")]
pub(super) fn voice(ms: usize, seed: u64) -> Vec<i16> {
    let mut seed = Seed::new(seed);
    let mut formants = [Formant::default(), Formant::default(), Formant::default()];
    let mut phase = 0.0;
    let sound: Vec<f64> = (0..ms * 8)
        .map(|at| {
            let seconds = at as f64 / 8_000.0;
            let syllable = (seconds * 4.3) as usize;
            let vowel =
                [[730.0, 1_090.0, 2_440.0], [270.0, 2_290.0, 3_010.0], [570.0, 840.0, 2_410.0], [530.0, 1_840.0, 2_480.0]][syllable % 4];
            phase += (125.0 + 15.0 * (seconds * 3.0).sin() - 5.0 * seconds.min(3.0)) / 8_000.0;
            let breath = f64::from(seed.next_u32()) / f64::from(u32::MAX) - 0.5;
            let source = if phase >= 1.0 { 1.0 } else { 0.0 } + 0.02 * breath;
            phase %= 1.0;
            let open = 0.25 + 0.75 * (seconds * 4.3 * std::f64::consts::PI).sin().abs();
            let voiced: f64 =
                formants.iter_mut().zip(vowel).zip([1.0, 0.6, 0.3]).map(|((f, hertz), share)| share * f.pass(source, hertz)).sum();
            voiced * open
        })
        .collect();
    let power = sound.iter().map(|x| x * x).sum::<f64>() / sound.len().max(1) as f64;
    let gain = 3_300.0 / power.sqrt().max(1e-9);
    sound.iter().map(|x| (x * gain).clamp(-32_000.0, 32_000.0) as i16).collect()
}

/// A resonance of 90 Hz bandwidth.
#[derive(Default)]
struct Formant([f64; 2]);

impl Formant {
    fn pass(&mut self, source: f64, hertz: f64) -> f64 {
        let radius = (-std::f64::consts::PI * 90.0 / 8_000.0).exp();
        let turn = 2.0 * radius * (std::f64::consts::TAU * hertz / 8_000.0).cos();
        let next = source + turn * self.0[0] - radius * radius * self.0[1];
        self.0 = [next, self.0[0]];
        next
    }
}

/// Sines at these frequencies, rising over half a second as a hum does, or at once.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "far below full scale")]
pub(super) fn tones(ms: usize, parts: &[(f64, f64)], rise_ms: f64) -> Vec<i16> {
    (0..ms * 8)
        .map(|at| {
            let seconds = at as f64 / 8_000.0;
            let open = if rise_ms > 0.0 { (seconds * 1_000.0 / rise_ms).min(1.0) } else { 1.0 };
            let sum: f64 = parts.iter().map(|(hertz, size)| size * (std::f64::consts::TAU * hertz * seconds).sin()).sum();
            (sum * open) as i16
        })
        .collect()
}
