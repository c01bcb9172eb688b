//! What a person hears where sound is missing. The recogniser never gets this: it gets typed gaps.

use super::scale;

/// How many missing frames are filled with a fading repetition before there is silence.
const REPEATS_MAX: u16 = 3;

/// Repeats the last frame, softer each time, then is silent: after G.711 Appendix I's idea, without its pitch search.
#[derive(Clone, Debug)]
pub struct Concealer<const N: usize> {
    last: [i16; N],
    missing: u16,
}

impl<const N: usize> Default for Concealer<N> {
    fn default() -> Self {
        Self { last: [0; N], missing: 0 }
    }
}

impl<const N: usize> Concealer<N> {
    /// Remembers a frame that did arrive.
    pub fn heard(&mut self, frame: &[i16; N]) {
        self.last = *frame;
        self.missing = 0;
    }

    /// A frame for one that did not.
    pub fn fill(&mut self) -> [i16; N] {
        self.missing = self.missing.saturating_add(1);
        if self.missing > REPEATS_MAX {
            return [0; N];
        }
        scale(&mut self.last, 128);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_frame_fades_to_silence() {
        let mut concealer = Concealer::<2>::default();
        concealer.heard(&[800, -800]);
        let filled: Vec<_> = (0..5).map(|_| concealer.fill()[0]).collect();
        assert_eq!(filled, [400, 200, 100, 0, 0]);
    }
}
