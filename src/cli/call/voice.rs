//! What the caller says, as sound for the telephone: spoken by a synthesiser that is installed beside us, or read from a WAV file.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use clap::ValueEnum;

use crate::audio::{Resampler, UnfitRates};

/// A recording longer than this is not played: an hour at 8 kHz.
const SAMPLES_MAX: usize = 3_600 * 8_000;

/// Silence that stays at the end of a synthesised sentence: 60 ms at 8 kHz.
const TAIL: usize = 480;

/// Below this, a sample of a synthesised sentence is silence.
const SILENT: u16 = 100;

/// The program that speaks `--say`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Voice {
    /// espeak-ng, a formant synthesiser.
    EspeakNg,
    /// Flite, a unit-selection synthesiser.
    Flite,
}

/// Sound for a turn could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum VoiceError {
    /// No synthesiser.
    #[error("--say needs espeak-ng or flite: neither is installed (or use --wav)")]
    NotInstalled,
    /// It did not do its work.
    #[error("{program} could not say {text:?}: {why}")]
    Failed { program: &'static str, text: String, why: String },
    /// The file is not what we read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: hound::Error },
    /// The file is of a kind that we do not play.
    #[error("{}: {what}; wanted is 16-bit PCM with one channel", path.display())]
    Unfit { path: PathBuf, what: String },
    /// The rate is strange.
    #[error("{}: {source}", path.display())]
    Rate { path: PathBuf, source: UnfitRates },
}

impl Voice {
    const ALL: [Self; 2] = [Self::EspeakNg, Self::Flite];

    fn program(self) -> &'static str {
        match self {
            Self::EspeakNg => "espeak-ng",
            Self::Flite => "flite",
        }
    }

    fn is_installed(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(self.program()).is_file())
    }

    fn command(self, text: &str, file: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            // A little slower than its default, as people speak to machines.
            Self::EspeakNg => command.args(["-v", "en-us", "-s", "150", "-w"]).arg(file).arg("--").arg(text),
            Self::Flite => command.arg("-t").arg(text).arg("-o").arg(file),
        };
        command
    }
}

/// `text` in `voice` (or in whichever is installed), 8 kHz, its trailing silence cut.
pub(super) fn say(text: &str, voice: Option<Voice>) -> Result<Vec<i16>, VoiceError> {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let voice = voice.or_else(|| Voice::ALL.into_iter().find(|voice| voice.is_installed())).ok_or(VoiceError::NotInstalled)?;
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let file = std::env::temp_dir().join(format!("nightbell-say-{}-{number}.wav", std::process::id()));
    let spoken = speak(text, voice, &file);
    // Nothing is left of what was said, whether it worked or not.
    let _ = std::fs::remove_file(&file);
    let mut pcm = spoken?;
    let voiced = pcm.iter().rposition(|sample| sample.unsigned_abs() > SILENT).map_or(0, |last| last + 1);
    pcm.truncate((voiced + TAIL).min(pcm.len()));
    Ok(pcm)
}

fn speak(text: &str, voice: Voice, file: &Path) -> Result<Vec<i16>, VoiceError> {
    let failed = |why: String| VoiceError::Failed { program: voice.program(), text: text.to_owned(), why };
    let output = voice.command(text, file).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("{}; {}", output.status, String::from_utf8_lossy(&output.stderr).trim())));
    }
    read_wav(file)
}

/// The sound of a WAV file, at 8 kHz.
pub(super) fn read_wav(path: &Path) -> Result<Vec<i16>, VoiceError> {
    let unreadable = |source| VoiceError::Unreadable { path: path.to_owned(), source };
    let unfit = |what: String| VoiceError::Unfit { path: path.to_owned(), what };
    let mut file = hound::WavReader::open(path).map_err(unreadable)?;
    let spec = file.spec();
    if spec.channels != 1 || spec.bits_per_sample != 16 || spec.sample_format != hound::SampleFormat::Int {
        return Err(unfit(format!("{} channels of {} bits, {:?}", spec.channels, spec.bits_per_sample, spec.sample_format)));
    }
    let samples = file.samples::<i16>().take(SAMPLES_MAX * 6).collect::<Result<Vec<i16>, _>>().map_err(unreadable)?;
    if spec.sample_rate == 8_000 {
        return Ok(samples);
    }
    let mut resampler = Resampler::new(spec.sample_rate, 8_000).map_err(|source| VoiceError::Rate { path: path.to_owned(), source })?;
    let mut pcm = Vec::new();
    resampler.process(&samples, &mut pcm);
    resampler.finish(&mut pcm);
    pcm.truncate(SAMPLES_MAX);
    Ok(pcm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Tone, rms, tone_share};
    use crate::base::Rate;

    #[test]
    fn a_wav_of_another_rate_keeps_its_pitch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let spec = hound::WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut file = hound::WavWriter::create(&path, spec).unwrap();
        let mut pcm = vec![0; 16_000];
        Tone::new(440.0, Rate::K16, 8_000).fill(&mut pcm);
        for sample in &pcm {
            file.write_sample(*sample).unwrap();
        }
        file.finalize().unwrap();
        let read = read_wav(&path).unwrap();
        assert_eq!(read.len(), 8_000);
        assert!(tone_share(&read[400..7_600], Rate::K8, 440.0) > 0.9);
    }

    #[test]
    fn a_stereo_file_and_a_missing_one_are_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stereo.wav");
        let spec = hound::WavSpec { channels: 2, sample_rate: 8_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        hound::WavWriter::create(&path, spec).unwrap().finalize().unwrap();
        assert!(read_wav(&path).unwrap_err().to_string().contains("2 channels of 16 bits"));
        assert!(read_wav(&folder.path().join("none.wav")).unwrap_err().to_string().contains("cannot read"));
    }

    #[test]
    fn whatever_synthesiser_is_installed_speaks_without_a_silent_tail() {
        for voice in Voice::ALL.into_iter().filter(|voice| voice.is_installed()) {
            let pcm = say("good morning", Some(voice)).unwrap();
            assert!(pcm.len() > 4_000 && rms(&pcm) > 200, "{voice:?}: {} samples", pcm.len());
            assert!(pcm[pcm.len() - TAIL - 80..].iter().any(|sample| sample.unsigned_abs() > SILENT));
        }
    }
}
