//! The manifest: every pack, every file, with its address, size, licence and digest.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::base::sha256;
use crate::dialogue::PromptStyle;

const TEXT: &str = include_str!("../../../models/manifest.toml");

/// Every pack by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The packs.
    pub packs: BTreeMap<String, PackEntry>,
}

/// Models that belong together.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// What is in it, in a line.
    pub summary: String,
    /// How its language model wants to be asked.
    pub prompt: PromptStyle,
    /// The languages it speaks (ISO 639-1).
    pub languages: Vec<String>,
    /// What it runs on.
    pub needs: Needs,
    /// What is in use, and what it can and cannot hear, in a line.
    pub notice: String,
    /// The recogniser.
    pub asr: ModelFile,
    /// The language model.
    pub llm: ModelFile,
    /// The voice.
    pub voice: ModelFile,
    /// The voice's settings.
    pub voice_config: ModelFile,
}

impl PackEntry {
    /// Its files, each with its part.
    pub fn files(&self) -> [(Part, &ModelFile); 4] {
        [(Part::Asr, &self.asr), (Part::Llm, &self.llm), (Part::Voice, &self.voice), (Part::VoiceConfig, &self.voice_config)]
    }
}

/// What a pack runs on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Any machine.
    Cpu,
    /// A GPU.
    Gpu,
}

/// The place of a file in its pack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// The recogniser.
    Asr,
    /// The language model.
    Llm,
    /// The voice.
    Voice,
    /// The voice's settings.
    VoiceConfig,
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name in the pack's folder.
    pub file: String,
    /// Where to fetch it; none for what comes with Nightbell.
    pub address: Option<String>,
    /// Its length, where it is known.
    pub bytes: Option<u64>,
    /// The digest of its content, where it is known.
    pub sha256: Option<String>,
    /// Under which terms.
    pub licence: String,
}

impl ModelFile {
    /// The digest as bytes.
    pub fn sum(&self) -> Option<sha256::Sum> {
        self.sha256.as_deref().and_then(sha256::from_hex)
    }
}

impl Manifest {
    /// The manifest that comes with the program.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<Manifest> = OnceLock::new();
        // A test holds the text to its form; were it broken all the same, there would be no packs, and that is said plainly.
        BUILT_IN.get_or_init(|| Self::parse(TEXT).unwrap_or_default())
    }

    /// The manifest in `text`; the error is in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        super::super::raw::parse_toml(text)
    }
}
