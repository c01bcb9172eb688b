//! Human voices and where in them somebody speaks.

use std::path::{Path, PathBuf};

/// Samples in 10 ms at 8 kHz: the grid of the reference.
pub const GRID: usize = 80;

/// A clip at 8 kHz.
pub struct Clip {
    pub pcm: Vec<i16>,
    /// Stretches of speech as sample ranges, in order.
    pub runs: Vec<(usize, usize)>,
    /// Mean power of the stretches.
    pub power: f64,
}

/// The folder of the shared test data, when it is there.
pub fn shared() -> Option<PathBuf> {
    let folder =
        std::env::var_os("NIGHTBELL_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let human = folder.join("corpora/human");
    human.is_dir().then_some(human)
}

/// All clips of a folder, by name.
pub fn load(folder: &Path) -> Vec<Clip> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| {
            entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "wav")).collect()
        })
        .unwrap_or_default();
    names.sort();
    names.iter().filter_map(|name| std::fs::read(name).ok()).filter_map(|bytes| mu_law_wav(&bytes)).map(Clip::of).collect()
}

impl Clip {
    /// Marks the speech of a clean recording.
    pub fn of(pcm: Vec<i16>) -> Self {
        let runs = runs(&pcm);
        let voiced: Vec<i16> = runs.iter().flat_map(|&(from, to)| pcm[from..to].iter().copied()).collect();
        let power = power(&voiced);
        Self { pcm, runs, power }
    }

    /// The clip with silence of the recording's own kind before and after it.
    pub fn padded(&self, before: usize, after: usize) -> Self {
        let quiet = |len: usize| std::iter::repeat_n(0_i16, len);
        let pcm = quiet(before).chain(self.pcm.iter().copied()).chain(quiet(after)).collect();
        let runs = self.runs.iter().map(|&(from, to)| (from + before, to + before)).collect();
        Self { pcm, runs, power: self.power }
    }
}

/// Speech by energy with a high threshold, on the clean clip only: a grid frame is voiced when it is at most 28 dB below the clip's loud
/// frames (95th percentile); holes below 120 ms are closed; runs below 80 ms are clicks.
fn runs(pcm: &[i16]) -> Vec<(usize, usize)> {
    let levels: Vec<f64> = pcm.chunks_exact(GRID).map(|frame| decibels(power(frame))).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted.get(sorted.len() * 95 / 100).copied().unwrap_or(0.0);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, _) in levels.iter().enumerate().filter(|(_, level)| **level > loud - 28.0) {
        let (from, to) = (place * GRID, (place + 1) * GRID);
        match runs.last_mut() {
            Some(last) if from - last.1 < 12 * GRID => last.1 = to,
            _ => runs.push((from, to)),
        }
    }
    runs.retain(|(from, to)| to - from >= 8 * GRID);
    runs
}

/// Mean power of samples; full scale is 1.
pub fn power(pcm: &[i16]) -> f64 {
    let sum: f64 = pcm.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
    sum / (pcm.len().max(1) as f64) / (32_768.0 * 32_768.0)
}

/// Decibels of a power.
pub fn decibels(power: f64) -> f64 {
    10.0 * (power + 1e-10).log10()
}

/// G.711 mu-law, expanded and compressed again: what a telephone line does to any sound (ITU-T G.711).
pub fn through_the_line(sample: f64) -> i16 {
    let sign = sample < 0.0;
    let biased = (sample.abs().min(32_635.0) as i32) + 0x84;
    let exponent = (31 - biased.leading_zeros().cast_signed() - 7).clamp(0, 7);
    let mantissa = (biased >> (exponent + 3)) & 0x0f;
    let value = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    (if sign { -value } else { value }) as i16
}

fn mu_law_wav(bytes: &[u8]) -> Option<Vec<i16>> {
    let data = bytes.windows(4).position(|four| four == b"data")?;
    let is_mu_law = bytes.get(20..22)? == [7, 0];
    is_mu_law.then(|| bytes[data + 8..].iter().map(|&code| expand(code)).collect())
}

fn expand(code: u8) -> i16 {
    let code = !code;
    let (exponent, mantissa) = ((code >> 4) & 7, i32::from(code & 0x0f));
    let value = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    (if code & 0x80 != 0 { -value } else { value }) as i16
}
