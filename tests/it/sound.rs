//! Sound for foreign telephones: a tone to send, and the same tone found again in what the other one kept.

use std::path::{Path, PathBuf};

use nightbell::audio::tone_share;
use nightbell::base::Rate;

/// Writes `seconds` of a sine, or of silence for 0 hertz.
pub fn tone_file(folder: &Path, hertz: u32, seconds: u32) -> PathBuf {
    let path = folder.join(format!("tone-{hertz}.wav"));
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(&path, spec).unwrap();
    for at in 0..8_000 * seconds {
        let angle = f64::from(at) * f64::from(hertz) * std::f64::consts::TAU / 8_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "far below the limits")]
        file.write_sample((angle.sin() * 8_000.0) as i16).unwrap();
    }
    file.finalize().unwrap();
    path
}

/// The samples of a recording at 8 kHz, also of one that is still being written: its header may promise more than there is.
pub fn samples(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.get(44..).unwrap_or_default().chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// For how many milliseconds of `samples` this tone is what is heard.
pub fn heard_ms(samples: &[i16], hertz: u16) -> usize {
    samples.chunks_exact(400).filter(|window| tone_share(window, Rate::K8, f32::from(hertz)) > 0.6).count() * 50
}

/// For how many milliseconds there is any sound.
pub fn loud_ms(samples: &[i16]) -> usize {
    samples.chunks_exact(400).filter(|window| window.iter().any(|sample| sample.unsigned_abs() > 500)).count() * 50
}
