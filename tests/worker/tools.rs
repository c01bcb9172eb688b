//! A worker on the end of a socket, and the three engines on the starter models.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nightbell::base::clock::Clock;
use nightbell::base::{Instant, StreamId};
use nightbell::engine::WorkerKind;
use nightbell::engine::wire::{Decoder, FromWorker, PROTOCOL, ToWorker, encode};
use nightbell::run::workers::{EngineSettings, Engines, ModelPaths, Threads};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The folder of the worker programs.
pub fn bin_dir() -> PathBuf {
    let dir =
        std::env::var_os("NIGHTBELL_BIN_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release"), PathBuf::from);
    for kind in WorkerKind::ALL {
        let program = dir.join(kind.program());
        assert!(program.is_file(), "{} is missing: cargo build --release --features engines", program.display());
    }
    dir
}

/// A starter model of this repository.
pub fn model(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter").join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// The starter model of `kind`.
pub fn model_of(kind: WorkerKind) -> PathBuf {
    model(match kind {
        WorkerKind::Asr => "starter-whisper.en-q5_0.bin",
        WorkerKind::Llm => "starter-llm-q8_0.gguf",
        WorkerKind::Tts => "starter-slt.onnx",
    })
}

/// All three on the starter models, with one thread each.
pub fn settings() -> EngineSettings {
    let paths = |kind| Some(ModelPaths { model: model_of(kind) });
    EngineSettings {
        asr: paths(WorkerKind::Asr),
        llm: paths(WorkerKind::Llm),
        tts: paths(WorkerKind::Tts),
        threads: Threads { asr: 2, llm: 2, tts: 2 },
        bin_dir: Some(bin_dir()),
        no_phrase_cache: false,
    }
}

/// Running engines, with the folder that must outlive them.
pub struct Running {
    pub engines: Engines,
    pub clock: Clock,
    pub folder: tempfile::TempDir,
}

impl Running {
    /// Starts them and waits until they are ready.
    pub async fn start(settings: EngineSettings) -> Self {
        let (clock, folder) = (Clock::start(), tempfile::tempdir().unwrap());
        let engines = Engines::start(settings, clock, folder.path().to_owned()).await;
        assert!(engines.wait_ready(PATIENCE).await, "{:?}", engines.status());
        Self { engines, clock, folder }
    }

    /// A deadline that is not the point of the test.
    pub fn patience(&self) -> Instant {
        self.clock.now() + PATIENCE
    }
}

/// The `number`th stream.
pub fn stream(number: u16) -> StreamId {
    StreamId { slot: number, generation: 1 }
}

/// A worker without a daemon.
pub struct Worker {
    pub child: Child,
    pub socket: UnixStream,
    decoder: Decoder,
}

impl Worker {
    /// Starts the program of `kind` on its starter model.
    pub fn start(kind: WorkerKind) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        let child = Command::new(bin_dir().join(kind.program()))
            .args(["--threads", "1", "--model"])
            .arg(model_of(kind))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, socket: ours, decoder: Decoder::new() }
    }

    /// Starts it and says hello; what it answered.
    pub fn ready(kind: WorkerKind) -> (Self, FromWorker) {
        let mut worker = Self::start(kind);
        worker.send(&ToWorker::Hello { protocol: PROTOCOL, worker: kind }, &[]);
        let answer = worker.next().expect("an answer to hello").0;
        (worker, answer)
    }

    pub fn send(&mut self, message: &ToWorker, sound: &[i16]) {
        self.socket.write_all(&encode(message, sound).unwrap()).unwrap();
    }

    /// The next message; `None` at the end.
    pub fn next(&mut self) -> Option<(FromWorker, Vec<i16>)> {
        let mut bytes = vec![0; 65_536];
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(frame);
            }
            match self.socket.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.decoder.push(&bytes[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the worker says nothing: {error}"),
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a telephone line leaves of `pcm`: G.711 mu-law there and back.
pub fn telephoned(pcm: &[i16]) -> Vec<i16> {
    pcm.iter().map(|sample| decode_mu_law(encode_mu_law(*sample))).collect()
}

/// ITU-T G.711, table 2a, by its arithmetic.
fn encode_mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80_u8 } else { 0 };
    let magnitude = i32::from(sample).abs().min(32_635) + 132;
    let exponent = (magnitude >> 7).ilog2();
    let mantissa = u8::try_from((magnitude >> (exponent + 3)) & 0x0f).unwrap();
    !(sign | (u8::try_from(exponent).unwrap() << 4) | mantissa)
}

fn decode_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((i32::from(byte & 0x0f) << 3) + 132) << ((byte >> 4) & 7);
    let value = i16::try_from(magnitude - 132).unwrap();
    if byte & 0x80 == 0 { value } else { -value }
}
