//! What the three worker programs share: their arguments, their place in the system, their socket and the desk where requests wait.
//!
//! The first thread stays at normal priority and only listens, so that a sign of life does not wait behind a step. Everything that computes
//! runs on polite threads.

mod args;
mod desk;
mod line;
mod process;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::Context;
use nightbell::base::StreamId;
use nightbell::base::clock::Clock;
use nightbell::engine::wire::{FromWorker, PROTOCOL, RequestId, ToWorker};
use nightbell::engine::{BatchSettings, Urgency, WorkerKind};
use sha2::Digest;

pub use args::{Args, Flag};
pub use desk::{Desk, Task};
use line::{Heard, Line};

/// How long the listening thread sleeps at most, so that nothing depends on a deadline being right.
const LISTEN: Duration = Duration::from_secs(1);

/// One request, as an engine reads it from a message.
pub struct Request<W> {
    /// Which.
    pub id: RequestId,
    /// Whose.
    pub stream: StreamId,
    /// Milliseconds until it is of no more use.
    pub left_ms: u32,
    /// How much it matters.
    pub urgency: Urgency,
    /// What it takes of the budget.
    pub cost: u64,
    /// The work itself.
    pub work: W,
}

/// Reads a request of the engine's own kind; the error says why it is not one.
pub type ReadRequest<W> = Box<dyn Fn(ToWorker, Vec<i16>) -> Result<Request<W>, String> + Send>;

/// A thread of the engine: takes work from the desk for ever.
pub type EngineThread<W> = Box<dyn FnOnce(Arc<Desk<W>>, usize) + Send>;

/// An engine that has loaded its model.
pub struct Loaded<W> {
    /// The model's name.
    pub model: String,
    /// SHA-256 of its file.
    pub digest: String,
    /// A line for people.
    pub details: String,
    /// What it can do at once.
    pub batch: BatchSettings,
    /// How it reads requests.
    pub read: ReadRequest<W>,
    /// Its threads.
    pub threads: Vec<EngineThread<W>>,
}

/// The whole life of a worker.
pub fn main<W: Send + 'static>(kind: WorkerKind, flags: &'static [Flag], load: fn(&Args) -> anyhow::Result<Loaded<W>>) -> ExitCode {
    let args = match Args::read(kind.program(), flags) {
        Ok(Some(args)) => args,
        Ok(None) => return ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{}: {why}", kind.program());
            return ExitCode::from(2);
        }
    };
    process::end_with_parent();
    process::end_on_panic();
    match run(kind, args, load) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", kind.program());
            ExitCode::FAILURE
        }
    }
}

fn run<W: Send + 'static>(kind: WorkerKind, args: Args, load: fn(&Args) -> anyhow::Result<Loaded<W>>) -> anyhow::Result<()> {
    let mut line = Line::from_stdin().context("standard input is not the daemon's socket: this program is started by nightbell")?;
    if let Err(why) = greet(kind, &mut line)? {
        line.say(&FromWorker::Refused { id: None, why: why.clone() }, &[]);
        anyhow::bail!(why);
    }
    let (send, loaded) = sync_channel(1);
    std::thread::Builder::new().name("load".to_owned()).spawn(move || {
        process::be_polite();
        // The receiver waits for exactly this.
        let _ = send.send(load(&args));
    })?;
    let loaded = match loaded.recv()? {
        Ok(loaded) => loaded,
        Err(error) => {
            line.say(&FromWorker::Refused { id: None, why: format!("{error:#}") }, &[]);
            return Err(error);
        }
    };
    let Loaded { model, digest, details, batch, read, threads } = loaded;
    let desk = Arc::new(Desk::new(batch, threads.len(), line.voice()?, Clock::start()));
    for (index, thread) in threads.into_iter().enumerate() {
        let desk = Arc::clone(&desk);
        let work = move || {
            process::be_polite();
            thread(desk, index);
        };
        std::thread::Builder::new().name(format!("{kind} {index}")).spawn(work)?;
    }
    line.say(&FromWorker::Ready { protocol: PROTOCOL, worker: kind, model, digest, details }, &[]);
    listen(&mut line, &desk, &read)
}

/// The daemon says hello first; the inner error is why we do not work for it.
fn greet(kind: WorkerKind, line: &mut Line) -> anyhow::Result<Result<(), String>> {
    loop {
        match line.listen(LISTEN)? {
            Heard::Nothing => {}
            Heard::End => anyhow::bail!("the daemon went away before it said hello"),
            Heard::Message(ToWorker::Hello { protocol, worker }, _) if protocol == PROTOCOL && worker == kind => return Ok(Ok(())),
            Heard::Message(ToWorker::Hello { protocol, worker }, _) => {
                return Ok(Err(format!(
                    "this is {kind} of protocol {PROTOCOL}, the daemon wants {worker} of protocol {protocol}: install both from one release"
                )));
            }
            Heard::Message(..) => return Ok(Err("the first message was no hello".to_owned())),
        }
    }
}

fn listen<W: Send>(line: &mut Line, desk: &Desk<W>, read: &ReadRequest<W>) -> anyhow::Result<()> {
    loop {
        let heard = line.listen(desk.until_deadline().min(LISTEN));
        match heard {
            Ok(Heard::Nothing) => desk.pass_time(),
            Ok(Heard::End) => return Ok(()),
            Ok(Heard::Message(message, sound)) => handle(message, sound, desk, read)?,
            Err(error) => {
                line.say(&FromWorker::Refused { id: None, why: error.to_string() }, &[]);
                return Err(error);
            }
        }
    }
}

fn handle<W: Send>(message: ToWorker, sound: Vec<i16>, desk: &Desk<W>, read: &ReadRequest<W>) -> anyhow::Result<()> {
    match message {
        ToWorker::Hello { .. } => anyhow::bail!("a second hello"),
        ToWorker::Cancel { id } => desk.cancel(id),
        ToWorker::Marker { number } => desk.mark(number),
        ToWorker::Ping { number } => desk.pong(number),
        ToWorker::Transcribe { id, .. } | ToWorker::Understand { id, .. } | ToWorker::Speak { id, .. } => match read(message, sound) {
            Ok(request) => desk.request(request),
            Err(why) => desk.refuse(id, why),
        },
    }
    Ok(())
}

/// SHA-256 of the file at `path`, hexadecimal.
pub fn digest_of(path: &Path) -> anyhow::Result<String> {
    let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut hash = sha2::Sha256::new();
    let mut bytes = vec![0; 1 << 20];
    loop {
        let count = std::io::Read::read(&mut file, &mut bytes)?;
        if count == 0 {
            break;
        }
        hash.update(bytes.get(..count).unwrap_or_default());
    }
    Ok(hex(&hash.finalize()))
}

/// `bytes` in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The file's name without its ending, as the model's name.
pub fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The number asked for, or the number of cores when it is 0.
pub fn threads_of(args: &Args) -> Result<usize, String> {
    let asked = args.number("threads", 0)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(if asked == 0 { cores } else { usize::try_from(asked).unwrap_or(cores) })
}
