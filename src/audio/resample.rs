//! From one sample rate to another, for example a voice's 22,050 Hz to the telephone's 8,000.
//!
//! A polyphase filter of our own rather than a crate: the ratio is fixed, the quality needed is that of a telephone band, and a piece of
//! sound cut anywhere must give the same samples as the whole.

use std::f32::consts::PI;

/// Zero crossings of the filter on each side: more is steeper.
const CROSSINGS: usize = 16;

/// The shaped part of the band that is kept; the rest is the slope.
const PASS: f32 = 0.92;

/// Longest reduced ratio: 44,100 to 48,000 gives 147 by 160.
const PHASES_MAX: usize = 640;

/// The two rates cannot be brought together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot resample from {from} Hz to {to} Hz: both must be above zero, and their reduced ratio within {PHASES_MAX}")]
pub struct UnfitRates {
    /// The rate that is.
    pub from: u32,
    /// The rate that is wanted.
    pub to: u32,
}

/// A windowed-sinc resampler with state: feed pieces, get pieces; `finish` gives the tail. The filter's delay is taken out, so the first
/// sample out belongs to the first sample in.
#[derive(Clone, Debug)]
pub struct Resampler {
    up: usize,
    down: usize,
    taps: usize,
    bank: Vec<f32>,
    history: Vec<f32>,
    /// Place of the next output sample, in steps of the common rate, relative to `history[0]` as the filter's first tap.
    place: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler from `from` to `to` hertz.
    #[expect(clippy::cast_precision_loss, reason = "filter lengths are far below 2^24")]
    pub fn new(from: u32, to: u32) -> Result<Self, UnfitRates> {
        let unfit = UnfitRates { from, to };
        if from == 0 || to == 0 {
            return Err(unfit);
        }
        let common = gcd(from, to);
        let up = usize::try_from(to / common).map_err(|_| unfit)?;
        let down = usize::try_from(from / common).map_err(|_| unfit)?;
        if up > PHASES_MAX || down > PHASES_MAX {
            return Err(unfit);
        }
        let widening = (down as f32 / up as f32).max(1.0);
        let half = (CROSSINGS as f32 * widening).ceil();
        let (taps, bank) = filter_bank(up, half, PASS / widening);
        // The filter reaches `half` samples back: silence stands before the first sample.
        let history = vec![0.0; taps / 2 - 1];
        Ok(Self { up, down, taps, bank, history, place: 0, taken: 0, given: 0 })
    }

    /// Takes `input` and appends what is ready to `output`.
    pub fn process(&mut self, input: &[i16], output: &mut Vec<i16>) {
        self.taken += input.len() as u64;
        self.history.extend(input.iter().map(|sample| f32::from(*sample)));
        self.drain(output);
    }

    /// The tail: as many samples in all as the input lasted, rounded up. The resampler is ready for another sound.
    pub fn finish(&mut self, output: &mut Vec<i16>) {
        let wanted = (self.taken * self.up as u64).div_ceil(self.down as u64);
        let missing = usize::try_from(wanted.saturating_sub(self.given)).unwrap_or(0);
        let length = output.len() + missing;
        self.history.extend(std::iter::repeat_n(0.0, self.taps + self.down / self.up + 1));
        self.drain(output);
        output.resize(length, 0);
        self.history.clear();
        self.history.resize(self.taps / 2 - 1, 0.0);
        (self.place, self.taken, self.given) = (0, 0, 0);
    }

    fn drain(&mut self, output: &mut Vec<i16>) {
        let mut first = self.place / self.up;
        while first + self.taps <= self.history.len() {
            let phase = self.place % self.up;
            let weights = &self.bank[phase * self.taps..(phase + 1) * self.taps];
            let sum: f32 = self.history[first..first + self.taps].iter().zip(weights).map(|(sample, weight)| sample * weight).sum();
            output.push(to_i16(sum));
            self.given += 1;
            self.place += self.down;
            first = self.place / self.up;
        }
        let spent = first.min(self.history.len());
        self.history.drain(..spent);
        self.place -= spent * self.up;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
fn to_i16(value: f32) -> i16 {
    value.round().clamp(-32_768.0, 32_767.0) as i16
}

/// The filter's weights, phase by phase; `cutoff` is relative to half the input rate. Each phase sums to one.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "filter lengths are far below 2^24"
)]
fn filter_bank(up: usize, half: f32, cutoff: f32) -> (usize, Vec<f32>) {
    let taps = 2 * half as usize;
    let mut bank = Vec::with_capacity(up * taps);
    for phase in 0..up {
        let centre = half - 1.0 + phase as f32 / up as f32;
        let start = bank.len();
        bank.extend((0..taps).map(|tap| {
            let distance = tap as f32 - centre;
            sinc(distance * cutoff) * window(distance / half)
        }));
        let sum: f32 = bank[start..].iter().sum();
        bank[start..].iter_mut().for_each(|weight| *weight /= sum);
    }
    (taps, bank)
}

fn sinc(x: f32) -> f32 {
    if x.abs() < 1e-6 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Blackman's window over -1 to 1.
fn window(x: f32) -> f32 {
    if x.abs() >= 1.0 { 0.0 } else { 0.42 + 0.5 * (PI * x).cos() + 0.08 * (2.0 * PI * x).cos() }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Tone, rms, tone_share};
    use crate::base::{Rate, Seed};

    fn tone(hertz: f32, rate: Rate, samples: usize) -> Vec<i16> {
        let mut sound = vec![0; samples];
        Tone::new(hertz, rate, 10_000).fill(&mut sound);
        sound
    }

    fn resampled(from: u32, to: u32, sound: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        resampler.process(sound, &mut out);
        resampler.finish(&mut out);
        out
    }

    #[test]
    fn a_tone_keeps_its_pitch_level_and_length() {
        for (from, to, low, high) in
            [(8_000, 16_000, Rate::K8, Rate::K16), (16_000, 8_000, Rate::K16, Rate::K8), (48_000, 8_000, Rate::K48, Rate::K8)]
        {
            let sound = tone(1_000.0, low, from as usize / 2);
            let out = resampled(from, to, &sound);
            assert_eq!(out.len(), to as usize / 2);
            assert!(tone_share(&out[400..], high, 1_000.0) > 0.97, "{from} to {to}");
            assert!((i32::from(rms(&out[400..out.len() - 400])) - 7_071).abs() < 150, "{from} to {to}: {}", rms(&out));
        }
    }

    #[test]
    fn a_voices_rate_comes_down_to_the_telephones() {
        let mut sound = vec![0; 22_050];
        // 1,000 Hz at 22,050 is 2,176.87 Hz on the grid of 48,000.
        Tone::new(1_000.0 * 48_000.0 / 22_050.0, Rate::K48, 10_000).fill(&mut sound);
        let out = resampled(22_050, 8_000, &sound);
        assert_eq!(out.len(), 8_000);
        assert!(tone_share(&out[400..], Rate::K8, 1_000.0) > 0.97);
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone_and_not_folded_back() {
        let out = resampled(16_000, 8_000, &tone(5_000.0, Rate::K16, 16_000));
        assert!(rms(&out[100..7_900]) < 30, "{}", rms(&out));
    }

    #[test]
    fn the_first_sample_out_belongs_to_the_first_in() {
        let mut click = vec![0; 200];
        click[100] = 20_000;
        let out = resampled(8_000, 16_000, &click);
        let peak = (0..out.len()).max_by_key(|at| out[*at]).unwrap();
        assert_eq!(peak, 200);
    }

    #[test]
    fn pieces_give_the_same_samples_as_the_whole() {
        let mut seed = Seed::new(4);
        let sound = tone(700.0, Rate::K48, 5_000);
        let whole = resampled(22_050, 8_000, &sound);
        for _ in 0..20 {
            let mut resampler = Resampler::new(22_050, 8_000).unwrap();
            let (mut out, mut at) = (Vec::new(), 0);
            while at < sound.len() {
                let end = (at + 1 + usize::try_from(seed.below(700)).unwrap()).min(sound.len());
                resampler.process(&sound[at..end], &mut out);
                at = end;
            }
            resampler.finish(&mut out);
            assert_eq!(out, whole);
        }
    }

    #[test]
    fn unfit_rates_are_refused() {
        assert!(Resampler::new(0, 8_000).is_err());
        assert!(Resampler::new(44_101, 8_000).is_err());
    }
}
