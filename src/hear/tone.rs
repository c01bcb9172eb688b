//! Is this a tone or two (a key of the telephone, ringing, a whistle) rather than a voice?
//!
//! Of two tones nearly all power lies around two peaks of the spectrum; a voice has harmonics or breath besides.

use super::vad::Piece;

/// Samples at 8 kHz.
const LEN: usize = 128;

/// Bins of 62.5 Hz, up to 4 kHz.
const BINS: usize = LEN / 2;

/// Bins on either side of a peak that the window smears it over.
const SKIRT: usize = 2;

/// Twice the width of a bin.
const HERTZ_OF_TWO_BINS: usize = 125;

/// The share of all power that one tone alone has around its peak: 15 dB above the rest.
const PURE_SHARE: f32 = 0.97;

/// Tells tones from voices.
pub(super) struct Tones {
    window: [f32; LEN],
    turn: [f32; BINS],
}

impl Tones {
    pub(super) fn new() -> Self {
        let part = |place: usize| f32::from(u16::try_from(place).unwrap_or(0)) / 128.0 * std::f32::consts::TAU;
        Self { window: std::array::from_fn(|place| 0.5 - 0.5 * part(place).cos()), turn: std::array::from_fn(|bin| 2.0 * part(bin).cos()) }
    }

    /// How far the rest of the spectrum lies below its two highest peaks together, in decibels. Every second sample is taken: what lies above
    /// 4 kHz in our 16 kHz is only a mirror image of the telephone's band.
    pub(super) fn purity_db(&self, piece: &Piece) -> f32 {
        let mut power = self.spectrum(piece);
        let whole: f32 = power.iter().sum();
        let peaks = take_peak(&mut power) + take_peak(&mut power);
        let rest = (whole - peaks).max(whole * 1e-7);
        if whole > 0.0 { 10.0 * (peaks / rest).log10() } else { 0.0 }
    }

    /// The frequency of a piece that is one tone and nothing else, in hertz, to a bin.
    pub(super) fn pure_hz(&self, piece: &Piece) -> Option<u16> {
        let mut power = self.spectrum(piece);
        let whole: f32 = power.iter().sum();
        let top = power.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(bin, _)| bin);
        let peak = take_peak(&mut power);
        let alone = whole > 0.0 && peak > whole * PURE_SHARE;
        u16::try_from(top * HERTZ_OF_TWO_BINS / 2).ok().filter(|_| alone)
    }

    /// Power by bin: Goertzel's recurrence for all bins at once.
    fn spectrum(&self, piece: &Piece) -> [f32; BINS] {
        let (mut one, mut two) = ([0.0_f32; BINS], [0.0_f32; BINS]);
        for (pair, window) in piece.chunks_exact(2).zip(&self.window) {
            let sample = f32::from(pair[1]) * window;
            for bin in 0..BINS {
                let next = sample + self.turn[bin] * one[bin] - two[bin];
                two[bin] = one[bin];
                one[bin] = next;
            }
        }
        std::array::from_fn(|bin| one[bin] * one[bin] + two[bin] * two[bin] - self.turn[bin] * one[bin] * two[bin])
    }
}

/// Takes the highest peak with its skirt out of the spectrum; says its power.
fn take_peak(power: &mut [f32; BINS]) -> f32 {
    let top = power.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(bin, _)| bin);
    power[top.saturating_sub(SKIRT)..(top + SKIRT + 1).min(BINS)].iter_mut().map(std::mem::take).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    fn sound(make: impl FnMut(f64) -> f64) -> Piece {
        let mut moments = (0..256).map(|at| f64::from(at) / 16_000.0).map(make);
        #[expect(clippy::cast_possible_truncation, reason = "within range by its making")]
        std::array::from_fn(|_| moments.next().unwrap().round() as i16)
    }

    fn tone(hertz: f64, at: f64) -> f64 {
        (std::f64::consts::TAU * hertz * at).sin()
    }

    #[test]
    fn a_key_of_the_telephone_is_pure_and_noise_and_a_voice_are_not() {
        let tones = Tones::new();
        assert!(tones.purity_db(&sound(|t| 4_000.0 * (tone(697.0, t) + tone(1_209.0, t)))) > 20.0);
        let mut seed = Seed::new(5);
        assert!(tones.purity_db(&sound(|_| f64::from(seed.next_u32() % 8_000) - 4_000.0)) < 5.0);
        let voice = |t: f64| (1..20).map(|h| 900.0 * tone(130.0 * f64::from(h), t + f64::from(h * h) * 1e-4) / f64::from(h).sqrt()).sum();
        assert!(tones.purity_db(&sound(voice)) < 10.0);
        assert!(tones.purity_db(&[0; 256]).abs() < 0.1);
    }
}
