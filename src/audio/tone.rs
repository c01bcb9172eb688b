//! Tones: made, and found again. Goertzel's algorithm; the keypad's pairs are of ITU-T Q.23.

use std::f32::consts::TAU;

use crate::base::Rate;

const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYPAD: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// A sine that goes on where it stopped.
#[derive(Clone, Debug)]
pub struct Tone {
    phase: f32,
    step: f32,
    amplitude: f32,
}

impl Tone {
    /// `hertz` at `rate`, with this peak (0 to 32767).
    #[expect(clippy::cast_precision_loss, reason = "rates are far below 2^24")]
    pub fn new(hertz: f32, rate: Rate, peak: u16) -> Self {
        Self { phase: 0.0, step: TAU * hertz / rate.hertz() as f32, amplitude: f32::from(peak.min(32_767)) }
    }

    /// Writes the next samples.
    #[expect(clippy::cast_possible_truncation, reason = "the peak is 16-bit")]
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            *sample = (self.phase.sin() * self.amplitude) as i16;
            self.phase = (self.phase + self.step) % TAU;
        }
    }
}

/// How much of the energy of `samples` lies at `hertz`: 0 none, about 1 for that sine alone. 0 for silence and for nothing.
#[expect(clippy::cast_precision_loss, reason = "windows are far below 2^24 samples")]
pub fn tone_share(samples: &[i16], rate: Rate, hertz: f32) -> f32 {
    let energy: f32 = samples.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    if energy < 1.0 {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hertz / rate.hertz() as f32).cos();
    let (mut before, mut last) = (0.0_f32, 0.0_f32);
    for sample in samples {
        let next = f32::from(*sample) + coefficient * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / (energy * samples.len() as f32)
}

/// The two frequencies of a key, low one first.
pub fn dtmf_pair(key: char) -> Option<(f32, f32)> {
    let key = key.to_ascii_uppercase();
    KEYPAD.iter().zip(ROWS).find_map(|(row, low)| row.iter().position(|one| *one == key).map(|column| (low, COLUMNS[column])))
}

/// The key whose pair fills `samples`, if one does (each tone a fifth of the energy at least, four fifths together).
pub fn find_dtmf(samples: &[i16], rate: Rate) -> Option<char> {
    let (row, low) = strongest(samples, rate, ROWS);
    let (column, high) = strongest(samples, rate, COLUMNS);
    (low > 0.2 && high > 0.2 && low + high > 0.8).then(|| KEYPAD[row][column])
}

fn strongest(samples: &[i16], rate: Rate, hertz: [f32; 4]) -> (usize, f32) {
    let shares = hertz.map(|one| tone_share(samples, rate, one));
    shares.into_iter().enumerate().fold((0, 0.0), |best, one| if one.1 > best.1 { one } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::mix_into;

    #[test]
    fn a_tone_is_found_where_it_was_made_and_nowhere_else() {
        let mut sound = [0; 800];
        Tone::new(440.0, Rate::K8, 8_000).fill(&mut sound);
        assert!(tone_share(&sound, Rate::K8, 440.0) > 0.98);
        assert!(tone_share(&sound, Rate::K8, 1_000.0) < 0.01);
        assert!(tone_share(&[0; 100], Rate::K8, 440.0) == 0.0);
        assert!(tone_share(&[], Rate::K8, 440.0) == 0.0);
    }

    #[test]
    fn every_key_is_found_by_its_pair() {
        for key in "0123456789*#ABCD".chars() {
            let (low, high) = dtmf_pair(key).unwrap();
            let (mut sound, mut other) = ([0; 400], [0; 400]);
            Tone::new(low, Rate::K8, 6_000).fill(&mut sound);
            Tone::new(high, Rate::K8, 6_000).fill(&mut other);
            mix_into(&mut sound, &other);
            assert_eq!(find_dtmf(&sound, Rate::K8), Some(key));
        }
        assert_eq!(dtmf_pair('x'), None);
        let mut hum = [0; 400];
        Tone::new(697.0, Rate::K8, 6_000).fill(&mut hum);
        assert_eq!(find_dtmf(&hum, Rate::K8), None);
    }

    #[test]
    fn a_tone_in_two_pieces_is_the_tone_in_one() {
        let (mut whole, mut pieces) = ([0; 320], [0; 320]);
        Tone::new(523.0, Rate::K16, 9_000).fill(&mut whole);
        let mut tone = Tone::new(523.0, Rate::K16, 9_000);
        let (first, second) = pieces.split_at_mut(111);
        tone.fill(first);
        tone.fill(second);
        assert_eq!(whole, pieces);
    }
}
