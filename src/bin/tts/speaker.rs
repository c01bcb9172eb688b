//! Speaks a clause: from the cache, by the voice, or by espeak-ng.

use std::path::Path;

use nightbell::base::Rate;

use super::cache::PhraseCache;
use super::espeak::Espeak;
use super::phonemes::with_punctuation;
use super::voice::Voice;
use super::{sound, worker};

/// Changes when the same voice and text begin to sound different, so that old phrases are not found.
const RECIPE: &[u8] = b"1";

/// The worker's mouth.
pub struct Speaker {
    espeak: Espeak,
    voice: Option<Voice>,
    cache: Option<PhraseCache>,
    name: String,
    digest: String,
    /// Why the voice that was asked for does not speak.
    lost: Option<String>,
}

impl Speaker {
    /// Loads the voice at `path`, or espeak-ng's own in `language` without one. A voice that cannot be loaded is told in the details, and espeak-ng
    /// speaks for it: callers would rather hear a plain voice than none. A cache that cannot be opened is done without.
    pub fn load(path: Option<&Path>, language: &str, cache: Option<&Path>, cache_bytes: u64) -> anyhow::Result<Self> {
        let loaded = path.map(|path| anyhow::Ok((Voice::load(path)?, worker::name_of(path), worker::digest_of(path)?)));
        let (voice, name, digest, lost) = match loaded {
            Some(Ok((voice, name, digest))) => (Some(voice), name, digest, None),
            Some(Err(error)) => {
                eprintln!("the voice does not speak: {error:#}");
                (None, format!("espeak-ng {language}"), String::new(), Some(format!("{error:#}")))
            }
            None => (None, format!("espeak-ng {language}"), String::new(), None),
        };
        let espeak = Espeak::load(voice.as_ref().map_or(language, Voice::espeak_voice))?;
        let cache = cache.and_then(|folder| match PhraseCache::open(folder, cache_bytes) {
            Ok(cache) => Some(cache),
            Err(error) => {
                eprintln!("phrases are not kept: {}: {error}", folder.display());
                None
            }
        });
        Ok(Self { espeak, voice, cache, name, digest, lost })
    }

    /// The voice's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the voice's file; empty for espeak-ng.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A line for people.
    pub fn details(&self) -> String {
        let why = self.lost.as_ref().map(|why| format!(", because {why}")).unwrap_or_default();
        match &self.voice {
            Some(voice) => format!("Piper voice at {} Hz, phonemes by espeak-ng {}", voice.hertz(), voice.espeak_voice()),
            None => format!("the voice of last resort, espeak-ng at {} Hz{why}", self.espeak.hertz()),
        }
    }

    /// The sound of `clause` at `rate`, with the pause that follows it unless it is the last. Only what is
    /// `fixed`, the same in every call, is kept on disk: the sound of a name is as personal as the name.
    pub fn speak(&self, clause: &str, rate: Rate, last: bool, fixed: bool) -> anyhow::Result<Vec<i16>> {
        let parts: &[&[u8]] = &[RECIPE, self.digest.as_bytes(), self.name.as_bytes(), &rate.hertz().to_be_bytes(), clause.as_bytes()];
        let kept = self.cache.as_ref().and_then(|cache| cache.get(parts));
        let mut spoken = if let Some(kept) = kept {
            kept
        } else {
            let spoken = self.synthesise(clause, rate)?;
            if let Some(cache) = self.cache.as_ref().filter(|_| fixed) {
                cache.put(parts, &spoken);
            }
            spoken
        };
        if !last {
            spoken.resize(spoken.len() + sound::pause(clause, rate), 0);
        }
        Ok(spoken)
    }

    fn synthesise(&self, clause: &str, rate: Rate) -> anyhow::Result<Vec<i16>> {
        let (raw, hertz) = if let Some(voice) = &self.voice {
            let phonemes = with_punctuation(&self.espeak.phonemes(clause)?, clause);
            (voice.speak(&phonemes)?, voice.hertz())
        } else {
            let spoken = self.espeak.synthesise(clause)?;
            (spoken.iter().map(|sample| f32::from(*sample) / 32_768.0).collect(), self.espeak.hertz())
        };
        let resampled = sound::resampled(sound::trimmed(&raw, hertz), hertz, rate.hertz())?;
        Ok(sound::levelled(&resampled))
    }
}
