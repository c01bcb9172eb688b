//! Which models the workers load, and where the workers are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::engine::WorkerKind;

/// The files of one model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelPaths {
    /// The model: a ggml `.bin`, a `.gguf`, or a Piper `.onnx` whose description lies beside it as `.onnx.json`.
    pub model: PathBuf,
}

/// Threads of each worker; 0 for as many as there are cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Threads {
    /// Of the recogniser.
    pub asr: u16,
    /// Of the language model.
    pub llm: u16,
    /// Of the voice.
    pub tts: u16,
}

/// What the workers need to know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EngineSettings {
    /// The recogniser; without it that worker is absent.
    pub asr: Option<ModelPaths>,
    /// The language model; without it that worker is absent.
    pub llm: Option<ModelPaths>,
    /// The voice; without it espeak-ng speaks.
    pub tts: Option<ModelPaths>,
    /// Their threads.
    pub threads: Threads,
    /// Keep no sound of sentences on disk, not even of those that are the same in every call.
    pub no_phrase_cache: bool,
    /// Where the worker programs lie; otherwise `NIGHTBELL_BIN_DIR`, then beside this program, then the release build of the checkout.
    pub bin_dir: Option<PathBuf>,
}

impl EngineSettings {
    /// The arguments for `kind`, or `None` when it has no model to load.
    pub(super) fn arguments(&self, kind: WorkerKind, data_dir: &Path) -> Option<Vec<OsString>> {
        let (model, threads) = match kind {
            WorkerKind::Asr => (Some(self.asr.as_ref()?), self.threads.asr),
            WorkerKind::Llm => (Some(self.llm.as_ref()?), self.threads.llm),
            WorkerKind::Tts => (self.tts.as_ref(), self.threads.tts),
        };
        let mut arguments: Vec<OsString> = vec!["--threads".into(), threads.to_string().into()];
        if let Some(model) = model {
            arguments.extend(["--model".into(), model.model.clone().into_os_string()]);
        }
        if kind == WorkerKind::Tts && !self.no_phrase_cache {
            arguments.extend(["--cache".into(), data_dir.join("phrases").into_os_string()]);
        }
        Some(arguments)
    }

    /// The program of `kind`, or `None` when it is nowhere.
    pub(super) fn program(&self, kind: WorkerKind) -> Option<PathBuf> {
        self.bin_dirs().into_iter().map(|dir| dir.join(kind.program())).find(|path| path.is_file())
    }

    fn bin_dirs(&self) -> Vec<PathBuf> {
        if let Some(dir) = &self.bin_dir {
            return vec![dir.clone()];
        }
        if let Some(dir) = std::env::var_os("NIGHTBELL_BIN_DIR") {
            return vec![dir.into()];
        }
        let own = std::env::current_exe().unwrap_or_default();
        let above: Vec<&Path> = own.ancestors().skip(1).take(4).collect();
        let release = above.iter().map(|dir| dir.join("release"));
        above.iter().take(1).map(|dir| dir.to_path_buf()).chain(release).collect()
    }
}
