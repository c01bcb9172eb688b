//! From a voice's sound to a telephone's: trimmed, at the line's rate, with the pause that follows.

use anyhow::{Context, anyhow};

use nightbell::base::Rate;
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

/// Louder than this is speech, as a share of the loudest sample.
const SPEECH_SHARE: f32 = 0.02;

/// Kept before the first and behind the last speech, so that soft beginnings and ends are not cut: milliseconds.
const MARGIN_MS: u32 = 15;

/// Effective value of speech on a line: 20 dB below overload, a little above the -26 dB at which ITU-T P.56 speech is specified, for noisy rooms.
const SPEECH_LEVEL: f32 = 0.1;

/// No sample is louder.
const PEAK_MAX: f32 = 0.95;

/// Frames a resampler takes at a time.
const RESAMPLE_FRAMES: usize = 1_024;

/// The speech in `sound` at `hertz`: without the silence that voices put around it.
pub fn trimmed(sound: &[f32], hertz: u32) -> &[f32] {
    let loudest = sound.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    let speech = |sample: &f32| loudest > 0.0 && sample.abs() > loudest * SPEECH_SHARE;
    let (Some(first), Some(last)) = (sound.iter().position(speech), sound.iter().rposition(speech)) else { return &[] };
    let margin = usize::try_from(hertz * MARGIN_MS / 1_000).unwrap_or(0);
    let from = first.saturating_sub(margin);
    let until = (last + margin + 1).min(sound.len());
    sound.get(from..until).unwrap_or_default()
}

/// `sound` at another rate.
pub fn resampled(sound: &[f32], from: u32, to: u32) -> anyhow::Result<Vec<f32>> {
    if from == to || sound.is_empty() {
        return Ok(sound.to_vec());
    }
    let rate = |hertz: u32| usize::try_from(hertz).map_err(|_| anyhow!("no such rate"));
    let mut resampler = Fft::<f32>::new(rate(from)?, rate(to)?, RESAMPLE_FRAMES, 1, FixedSync::Both)?;
    let channels = vec![sound.to_vec()];
    let input = SequentialSliceOfVecs::new(&channels, 1, sound.len()).context("no sound")?;
    let output = resampler.process_all(&input, sound.len(), None)?;
    Ok(output.take_data())
}

/// 16-bit samples at the level of a telephone's speech, whatever the voice's own; peaks are never clipped.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "clamped to the range; clauses are short")]
pub fn levelled(sound: &[f32]) -> Vec<i16> {
    let loudest = sound.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    let energy = sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len().max(1) as f32;
    let gain = if energy > 0.0 { (SPEECH_LEVEL / energy.sqrt()).min(PEAK_MAX / loudest) } else { 0.0 };
    sound.iter().map(|sample| (sample * gain * 32_767.0).clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// The pause behind a clause, in samples: speakers breathe where they punctuate.
pub fn pause(clause: &str, rate: Rate) -> usize {
    let millis = match clause.trim_end().chars().next_back() {
        Some('.' | '?' | '!' | '。' | '？' | '！') => 280,
        Some(':' | ';') => 180,
        Some(_) => 120,
        None => 0,
    };
    usize::try_from(rate.hertz() / 1_000 * millis).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "a short tone")]
    fn tone(hertz: f32, rate: f32, samples: usize) -> Vec<f32> {
        (0..samples).map(|place| (std::f32::consts::TAU * hertz * place as f32 / rate).sin() * 0.3).collect()
    }

    #[test]
    fn silence_around_speech_goes_and_speech_stays() {
        let mut sound = vec![0.0; 8_000];
        sound.extend(tone(300.0, 16_000.0, 16_000));
        sound.extend(vec![0.001; 8_000]);
        let left = trimmed(&sound, 16_000).len();
        assert!((16_000..16_600).contains(&left), "{left}");
        assert!(trimmed(&[0.0; 100], 16_000).is_empty());
    }

    #[test]
    fn resampling_keeps_the_length_and_the_tone() {
        let sound = resampled(&tone(500.0, 22_050.0, 22_050), 22_050, 8_000).unwrap();
        assert!((7_950..8_050).contains(&sound.len()), "{}", sound.len());
        let crossings = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((490..=505).contains(&crossings), "{crossings} periods in a second");
    }

    #[test]
    fn loud_and_quiet_voices_come_out_alike_and_nothing_clips() {
        for gain in [0.01, 3.0] {
            let sound: Vec<f32> = tone(500.0, 8_000.0, 8_000).iter().map(|sample| sample * gain).collect();
            let loudest = levelled(&sound).into_iter().max().unwrap();
            assert!((4_000..5_500).contains(&loudest), "{loudest}");
        }
        assert_eq!(levelled(&[0.0; 4]), [0; 4]);
    }
}
