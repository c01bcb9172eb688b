//! What a waiting caller hears: another telephone ringing, or a few soft notes. Made as it is played; nothing is stored.

use super::tone::Tone;
use crate::base::Rate;

/// Which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tune {
    /// 440 and 480 Hz, two seconds of six, as telephones ring in North America (ITU-T E.180, supplement 2).
    Ringing,
    /// Soft falling notes for somebody on hold.
    Hold,
}

/// Notes of the tune for holding, in hertz; 0 is a rest.
const NOTES: [f32; 12] = [523.25, 659.25, 783.99, 659.25, 587.33, 698.46, 880.0, 0.0, 523.25, 587.33, 659.25, 0.0];

/// How long a note lasts.
const NOTE_MS: u64 = 700;

/// Peak of one ringing tone: about -25 dBFS for the two.
const RINGING_PEAK: u16 = 1_300;

/// Peak of a note as it is struck.
const NOTE_PEAK: u16 = 2_000;

/// A tune that goes on where it stopped.
#[derive(Clone, Debug)]
pub struct Cadence {
    tune: Tune,
    rate: Rate,
    at: u64,
    tones: [Tone; 2],
}

impl Cadence {
    /// `tune` from its beginning.
    pub fn new(tune: Tune, rate: Rate) -> Self {
        let tones = match tune {
            Tune::Ringing => [Tone::new(440.0, rate, RINGING_PEAK), Tone::new(480.0, rate, RINGING_PEAK)],
            Tune::Hold => [note(0, rate), Tone::new(0.0, rate, 0)],
        };
        Self { tune, rate, at: 0, tones }
    }

    /// Adds the next samples to `samples`.
    pub fn mix_into(&mut self, samples: &mut [i16]) {
        match self.tune {
            Tune::Ringing => self.ring(samples),
            Tune::Hold => self.play(samples),
        }
        self.at = self.at.wrapping_add(samples.len() as u64);
    }

    fn ring(&mut self, samples: &mut [i16]) {
        let second = u64::from(self.rate.hertz());
        for (place, sample) in (0_u64..).zip(samples) {
            if (self.at + place) % (6 * second) < 2 * second {
                for tone in &mut self.tones {
                    let mut one = [0];
                    tone.fill(&mut one);
                    *sample = sample.saturating_add(one[0]);
                }
            }
        }
    }

    fn play(&mut self, samples: &mut [i16]) {
        let length = u64::from(self.rate.hertz()) * NOTE_MS / 1_000;
        for (place, sample) in (0_u64..).zip(samples) {
            let at = self.at + place;
            if at.is_multiple_of(length) {
                self.tones[0] = note(at / length, self.rate);
            }
            let mut one = [0];
            self.tones[0].fill(&mut one);
            let left = i64::try_from(length - at % length).unwrap_or(0);
            let faded = i64::from(one[0]) * left / i64::try_from(length).unwrap_or(i64::MAX);
            *sample = sample.saturating_add(i16::try_from(faded).unwrap_or(0));
        }
    }
}

fn note(number: u64, rate: Rate) -> Tone {
    let hertz = NOTES[usize::try_from(number % NOTES.len() as u64).unwrap_or(0)];
    Tone::new(hertz, rate, if hertz > 0.0 { NOTE_PEAK } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{rms, tone_share};

    fn seconds(cadence: &mut Cadence, seconds: usize) -> Vec<i16> {
        let mut sound = vec![0; seconds * 8_000];
        sound.chunks_mut(160).for_each(|frame| cadence.mix_into(frame));
        sound
    }

    #[test]
    fn it_rings_two_seconds_of_six() {
        let sound = seconds(&mut Cadence::new(Tune::Ringing, Rate::K8), 12);
        for (second, piece) in sound.chunks(8_000).enumerate() {
            let rings = second % 6 < 2;
            assert_eq!(rms(piece) > 500, rings, "second {second}");
            assert!(!rings || tone_share(piece, Rate::K8, 440.0) > 0.4 && tone_share(piece, Rate::K8, 480.0) > 0.4);
        }
    }

    #[test]
    fn holding_is_never_silent_for_long_and_never_loud() {
        let sound = seconds(&mut Cadence::new(Tune::Hold, Rate::K8), 20);
        assert!(sound.chunks(12_000).all(|piece| rms(piece) > 50), "a second and a half without a note");
        assert!(sound.iter().all(|sample| sample.unsigned_abs() < 4_000));
    }
}
