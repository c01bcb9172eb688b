//! From a voice's sound to a telephone's: trimmed, at the line's rate, with the pause that follows.

use anyhow::{Context, anyhow};

use nightbell::base::Rate;
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

/// Louder than this is speech, as a share of the loudest sample.
const SPEECH_SHARE: f32 = 0.02;

/// Kept before the first and behind the last speech, so that soft beginnings and ends are not cut: milliseconds.
const MARGIN_MS: u32 = 15;

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

/// 16-bit samples, the loudest at three quarters: a voice is neither lost on a bad line nor clipped.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
pub fn levelled(sound: &[f32]) -> Vec<i16> {
    let loudest = sound.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    let gain = if loudest > 0.0 { (0.75 / loudest).min(4.0) } else { 0.0 };
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
