//! The three workers without any model: this program under their names. They answer at once, so that all the time in a gap is the daemon's own.

use std::f64::consts::TAU;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nightbell::base::Rate;
use nightbell::engine::wire::{Decoder, FromWorker, PROTOCOL, ToWorker, encode};
use nightbell::engine::{WorkerKind, clauses};

/// What the recogniser always hears.
pub const HEARD: &str = "Are dogs allowed?";

/// Sound for each character of text: about a quarter of what people take, so that turns come often.
const SPEECH_MS_PER_CHAR: usize = 18;

/// A directory below `data` in which this program has the workers' names.
pub fn lay_out(data: &Path) -> std::io::Result<PathBuf> {
    let folder = data.join("workers");
    std::fs::create_dir_all(&folder)?;
    for kind in WorkerKind::ALL {
        std::os::unix::fs::symlink(std::env::current_exe()?, folder.join(kind.program()))?;
    }
    Ok(folder)
}

/// The worker that this process was started as, if it was.
pub fn kind() -> Option<WorkerKind> {
    let name = PathBuf::from(std::env::args_os().next()?);
    let name = name.file_name()?.to_str()?.to_owned();
    WorkerKind::ALL.into_iter().find(|kind| kind.program() == name)
}

/// The whole life of a worker.
pub fn work(kind: WorkerKind) -> std::io::Result<()> {
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut decoder = Decoder::new();
    let mut bytes = vec![0; 64 << 10];
    loop {
        while let Ok(Some((message, _))) = decoder.next_frame::<ToWorker>() {
            for (message, sound) in answers(kind, message) {
                let frame = encode(&message, &sound).map_err(std::io::Error::other)?;
                socket.write_all(&frame)?;
            }
        }
        match socket.read(&mut bytes)? {
            0 => return Ok(()),
            count => decoder.push(&bytes[..count]),
        }
    }
}

fn answers(kind: WorkerKind, message: ToWorker) -> Vec<(FromWorker, Vec<i16>)> {
    let alone = |message| vec![(message, Vec::new())];
    match message {
        ToWorker::Hello { .. } => {
            let (model, digest) = ("scripted".to_owned(), "0".repeat(64));
            alone(FromWorker::Ready { protocol: PROTOCOL, worker: kind, model, digest, details: "no model".to_owned() })
        }
        ToWorker::Transcribe { id, stream, .. } => {
            let text = nightbell::base::Pii::new(HEARD.to_owned());
            alone(FromWorker::Transcript { id, stream, text, confidence: 0.95, no_speech: 0.01 })
        }
        ToWorker::Understand { id, stream, .. } => {
            let text = nightbell::base::Pii::new(r#"{"intent":"question","slots":{}}"#.to_owned());
            alone(FromWorker::Understood { id, stream, text, prompt_tokens: 0, generated_tokens: 8, confidence: 0.9 })
        }
        ToWorker::Speak { id, stream, rate, text, .. } => {
            let ranges = clauses(text.expose());
            let count = ranges.len();
            let place = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
            let chunk = |(clause, range): (usize, std::ops::Range<usize>)| {
                let (start, end) = (place(range.start), place(range.end));
                (FromWorker::Chunk { id, stream, clause: place(clause), start, end, last: clause + 1 == count }, tone(range.len(), rate))
            };
            ranges.into_iter().enumerate().map(chunk).collect()
        }
        ToWorker::Marker { number } => alone(FromWorker::Marker { number }),
        ToWorker::Ping { number } => alone(FromWorker::Pong { number, busy_ms: 0, waiting: 0 }),
        // What it would cancel is answered already.
        ToWorker::Cancel { .. } => Vec::new(),
    }
}

fn tone(chars: usize, rate: Rate) -> Vec<i16> {
    let hertz = f64::from(rate.hertz());
    let samples = chars * SPEECH_MS_PER_CHAR * usize::try_from(rate.hertz()).unwrap_or(8_000) / 1_000;
    (0..samples).map(|at| ((at as f64 * 400.0 / hertz * TAU).sin() * 6_000.0) as i16).collect()
}
