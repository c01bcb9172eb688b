//! The neural voice detector: the one file that names `earshot`.
//!
//! It wants 16 kHz in pieces of 16 ms. Telephone sound is brought to 16 kHz by straight lines between the samples, not by a clean filter:
//! the network was trained on full-band voices, and the faint mirror image that straight lines leave above 4 kHz stands in for the missing
//! sibilance. Measured in `docs/hearing.md`.

use earshot::Detector;

use crate::base::{Frame, Rate};

/// Samples of one piece at 16 kHz.
pub(super) const PIECE: usize = 256;

/// Milliseconds of one piece.
pub(super) const HOP_MS: u64 = 16;

/// 16 ms of sound at 16 kHz.
pub(super) type Piece = [i16; PIECE];

/// A voice detector of one stream of sound.
pub(super) struct Vad(Box<Detector>);

impl Vad {
    pub(super) fn new() -> Self {
        Self(Detector::default_boxed())
    }

    /// The chance that the next piece holds voice, 0 to 1, when the sound is made louder by this factor.
    pub(super) fn score(&mut self, piece: &Piece, gain: f32) -> f32 {
        let mut louder = *piece;
        for sample in &mut louder {
            #[expect(clippy::cast_possible_truncation, reason = "clamped, and rounding towards zero is fine")]
            let scaled = (f32::from(*sample) * gain).clamp(-32_768.0, 32_767.0) as i16;
            *sample = scaled;
        }
        self.0.predict_i16(&louder).clamp(0.0, 1.0)
    }
}

/// Cuts frames of any rate into pieces.
pub(super) struct Pieces {
    piece: Piece,
    filled: usize,
    last: i16,
    thirds: [i32; 3],
    third: usize,
}

impl Pieces {
    pub(super) fn new() -> Self {
        Self { piece: [0; PIECE], filled: 0, last: 0, thirds: [0; 3], third: 0 }
    }

    /// Forgets the unfinished piece: the next sample begins a new one.
    pub(super) fn realign(&mut self) {
        (self.filled, self.third) = (0, 0);
    }

    /// Takes `frame`; calls `done` with each piece that it completed.
    pub(super) fn cut(&mut self, frame: &Frame, mut done: impl FnMut(&Piece)) {
        for &sample in frame.samples() {
            match frame.rate() {
                Rate::K16 => self.push(sample, &mut done),
                Rate::K8 => {
                    self.push(i16::midpoint(self.last, sample), &mut done);
                    self.push(sample, &mut done);
                }
                Rate::K48 => self.push_third(sample, &mut done),
            }
            self.last = sample;
        }
    }

    /// Three samples at 48 kHz become one: their mean is filter enough for a detector.
    fn push_third(&mut self, sample: i16, done: &mut impl FnMut(&Piece)) {
        self.thirds[self.third] = i32::from(sample);
        self.third += 1;
        if self.third == self.thirds.len() {
            self.third = 0;
            let mean = self.thirds.iter().sum::<i32>() / 3;
            self.push(i16::try_from(mean).unwrap_or(0), done);
        }
    }

    fn push(&mut self, sample: i16, done: &mut impl FnMut(&Piece)) {
        self.piece[self.filled] = sample;
        self.filled += 1;
        if self.filled == PIECE {
            self.filled = 0;
            done(&self.piece);
        }
    }
}

/// Mean power of the piece, 1 for a full-scale square wave.
pub(super) fn power(piece: &Piece) -> f32 {
    let sum: i64 = piece.iter().map(|&sample| i64::from(sample) * i64::from(sample)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a level in decibels needs few digits")]
    let mean = sum as f32 / PIECE as f32;
    mean / (32_768.0 * 32_768.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(rate: Rate, len: usize) -> usize {
        let (mut pieces, mut vad, mut count) = (Pieces::new(), Vad::new(), 0);
        for _ in 0..48 {
            pieces.cut(&Frame::new(rate, &vec![100; len]), |piece| {
                assert!((0.0..=1.0).contains(&vad.score(piece, 2.0)) && power(piece) < 1e-4);
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
