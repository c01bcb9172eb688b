//! One running worker: its process, its socket and its log.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::base::limits::WORKER_QUEUE_MAX;
use crate::engine::WorkerKind;
use crate::engine::wire::{Decoder, FromWorker, ToWorker, WireError, encode};

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;

/// Bytes of one line of a worker's log. Longer: cut.
const LOG_LINE_BYTES_MAX: u64 = 4_096;

/// What comes from a worker: a frame, or the reason why no more will come.
pub(super) type Heard = Result<(FromWorker, Vec<i16>), Silence>;

/// Why a worker says no more.
#[derive(Debug)]
pub(super) enum Silence {
    /// It closed its socket, which it does by ending.
    Closed,
    /// It said something that is no frame.
    Nonsense(WireError),
}

/// A running worker. Dropping it kills the process.
pub(super) struct Link {
    /// The process.
    pub(super) child: Child,
    /// What it says.
    pub(super) heard: mpsc::Receiver<Heard>,
    frames: mpsc::Sender<Vec<u8>>,
    tasks: [AbortHandle; 3],
}

impl Link {
    /// Starts `program` with one end of a socket as its standard input.
    pub(super) fn spawn(kind: WorkerKind, program: &Path, arguments: &[OsString]) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A crash is reported by its exit, not by a debugger that ggml would attach; idle threads sleep instead of spinning.
            .env("GGML_NO_BACKTRACE", "1")
            .env("OMP_WAIT_POLICY", "PASSIVE")
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take();
        let (reader, writer) = UnixStream::from_std(ours)?.into_split();
        let (said, heard) = mpsc::channel(WORKER_QUEUE_MAX);
        let (frames, queue) = mpsc::channel(WORKER_QUEUE_MAX);
        let tasks = [
            tokio::spawn(read(reader, said)).abort_handle(),
            tokio::spawn(write(writer, queue)).abort_handle(),
            tokio::spawn(forward_log(kind, stderr)).abort_handle(),
        ];
        Ok(Self { child, heard, frames, tasks })
    }

    /// Queues one frame. `Err(None)` when the queue is full or the socket closed: the worker does not listen.
    pub(super) fn send(&self, message: &ToWorker, sound: &[i16]) -> Result<(), Option<WireError>> {
        let frame = encode(message, sound).map_err(Some)?;
        self.frames.try_send(frame).map_err(|_| None)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The log ends by itself with the process: its last lines are the ones that matter.
        self.tasks[0].abort();
        self.tasks[1].abort();
    }
}

async fn read(mut socket: tokio::net::unix::OwnedReadHalf, said: mpsc::Sender<Heard>) {
    let mut decoder = Decoder::new();
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let count = socket.read(&mut bytes).await.unwrap_or(0);
        if count == 0 {
            let _ = said.send(Err(Silence::Closed)).await;
            return;
        }
        decoder.push(bytes.get(..count).unwrap_or_default());
        loop {
            let heard = match decoder.next_frame() {
                Ok(Some(frame)) => Ok(frame),
                Ok(None) => break,
                Err(error) => Err(Silence::Nonsense(error)),
            };
            let over = heard.is_err();
            if said.send(heard).await.is_err() || over {
                return;
            }
        }
    }
}

async fn write(mut socket: tokio::net::unix::OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = queue.recv().await {
        if socket.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// The worker's standard error, line by line. Workers write no personal content there.
async fn forward_log(kind: WorkerKind, stderr: Option<ChildStderr>) {
    let Some(stderr) = stderr else { return };
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut lines).take(LOG_LINE_BYTES_MAX).read_until(b'\n', &mut line).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        tracing::info!(worker = kind.name(), line = text.trim_end(), "worker log");
    }
}
