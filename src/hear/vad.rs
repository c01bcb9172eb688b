//! The neural voice detector: the one file that names `earshot`.
//!
//! It wants 16 kHz in pieces of 16 ms. Telephone sound is brought to 16 kHz by straight lines between the samples, not by a clean filter:
//! the network was trained on full-band voices, and the faint mirror image that straight lines leave above 4 kHz stands in for the missing
//! sibilance. Measured in `docs/hearing.md`.

use earshot::Detector;

use crate::base::{Frame, Rate};

/// Samples of one piece at 16 kHz.
const PIECE: usize = 256;

/// Milliseconds of one piece.
pub(super) const HOP_MS: u64 = 16;

/// A voice detector of one stream of sound. Changing the rate in mid-stream is allowed.
pub(super) struct Vad {
    detector: Box<Detector>,
    piece: [i16; PIECE],
    filled: usize,
    last: i16,
    thirds: [i32; 3],
    third: usize,
}

impl Vad {
    pub(super) fn new() -> Self {
        Self { detector: Detector::default_boxed(), piece: [0; PIECE], filled: 0, last: 0, thirds: [0; 3], third: 0 }
    }

    /// Forgets the unfinished piece: the next sample begins a new one.
    pub(super) fn realign(&mut self) {
        (self.filled, self.third) = (0, 0);
    }

    /// Hears `frame`; calls `scored` once for each piece that it completed, with the chance that it holds voice (0 to 1) and its power
    /// relative to a full-scale square wave (0 to 1).
    pub(super) fn hear(&mut self, frame: &Frame, mut scored: impl FnMut(f32, f32)) {
        for &sample in frame.samples() {
            match frame.rate() {
                Rate::K16 => self.push(sample, &mut scored),
                Rate::K8 => {
                    self.push(midpoint(self.last, sample), &mut scored);
                    self.push(sample, &mut scored);
                }
                Rate::K48 => self.push_third(sample, &mut scored),
            }
            self.last = sample;
        }
    }

    /// Three samples at 48 kHz become one: their mean is filter enough for a detector.
    fn push_third(&mut self, sample: i16, scored: &mut impl FnMut(f32, f32)) {
        self.thirds[self.third] = i32::from(sample);
        self.third += 1;
        if self.third == self.thirds.len() {
            self.third = 0;
            let mean = self.thirds.iter().sum::<i32>() / 3;
            self.push(i16::try_from(mean).unwrap_or(0), scored);
        }
    }

    fn push(&mut self, sample: i16, scored: &mut impl FnMut(f32, f32)) {
        self.piece[self.filled] = sample;
        self.filled += 1;
        if self.filled == PIECE {
            self.filled = 0;
            let score = self.detector.predict_i16(&self.piece).clamp(0.0, 1.0);
            scored(score, power(&self.piece));
        }
    }
}

fn midpoint(a: i16, b: i16) -> i16 {
    i16::midpoint(a, b)
}

/// Mean power of the piece, 1 for a full-scale square wave.
fn power(piece: &[i16; PIECE]) -> f32 {
    let sum: i64 = piece.iter().map(|&sample| i64::from(sample) * i64::from(sample)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a level in decibels needs few digits")]
    let mean = sum as f32 / PIECE as f32;
    mean / (32_768.0 * 32_768.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(rate: Rate, len: usize) -> usize {
        let mut vad = Vad::new();
        let mut count = 0;
        for _ in 0..48 {
            vad.hear(&Frame::new(rate, &vec![100; len]), |score, power| {
                assert!((0.0..=1.0).contains(&score) && power < 1e-4);
                count += 1;
            });
        }
        count
    }

    #[test]
    fn every_rate_makes_one_piece_of_every_16_ms() {
        assert_eq!(pieces(Rate::K8, 160), 60);
        assert_eq!(pieces(Rate::K16, 320), 60);
        assert_eq!(pieces(Rate::K48, 960), 60);
    }
}
