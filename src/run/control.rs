//! The control socket: how the command line reaches a running daemon. A Unix socket in the data directory, for its owner alone; a line of JSON asks, a line answers.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream as Blocking;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::base::{CallId, limits};
use crate::store::ConsentRow;

/// The socket's name in the data directory.
pub const SOCKET: &str = "control.sock";
/// How long the other side may take for its line.
const LINE_WITHIN: Duration = Duration::from_secs(10);

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What the daemon does: any JSON object.
    Status,
    /// The newest calls: an array of [`crate::store::CallRecord`].
    Calls {
        /// How many.
        limit: usize,
    },
    /// The messages of calls: an array of [`crate::observe::trace::Exchange`].
    SipTrace(crate::observe::trace::Asked),
    /// One call: a [`crate::store::CallRecord`], or null.
    Call {
        /// Which.
        id: CallId,
    },
    /// Take no new calls, or take them again: an object with `calls`, those that go on.
    Drain {
        /// True to take them again.
        #[serde(default)]
        off: bool,
    },
    /// Let an agent call somebody: an object with `call_id`, or with `refused` and `why`.
    Dial(super::Dial),
    /// Put a consent on record, or replace one.
    AddConsent(ConsentRow),
    /// Take every consent of a number back: how many there were.
    WithdrawConsents {
        /// In full form.
        number: String,
    },
    /// The consents of a number, or all: an array of [`ConsentRow`].
    Consents {
        /// In full form.
        number: Option<String>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Ok(Value),
    Error(String),
}

/// What answers: the daemon.
pub trait Control: Send + Sync + 'static {
    /// The answer, or in words why there is none.
    fn answer(&self, request: Request) -> impl Future<Output = Result<Value, String>> + Send;
}

/// Opens the socket in `data`, over one that a daemon left behind. Only for the holder of the database's lock.
pub fn bind(data: &Path) -> io::Result<UnixListener> {
    let path = data.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until it is dropped.
pub async fn serve<C: Control>(listener: UnixListener, control: Arc<C>) {
    let places = Arc::new(Semaphore::new(limits::CONTROL_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let control = Arc::clone(&control);
                connections.spawn(async move {
                    // A client that goes away is its own affair.
                    let _ = converse(stream, &*control).await;
                    drop(place);
                });
            }
            // Out of descriptors, most likely: a moment's rest instead of a hot loop.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn converse<C: Control>(stream: UnixStream, control: &C) -> io::Result<()> {
    let mut stream = tokio::io::BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut stream).take(limits::CONTROL_LINE_BYTES_MAX as u64);
        timeout(LINE_WITHIN, bounded.read_until(b'\n', &mut line)).await??;
        if line.last() != Some(&b'\n') {
            return Ok(());
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => control.answer(request).await.map_or_else(Answer::Error, Answer::Ok),
            Err(error) => Answer::Error(format!("not understood: {error}")),
        };
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        timeout(LINE_WITHIN, stream.write_all(&line)).await??;
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No daemon listens there.
    #[error("not running")]
    NotRunning,
    /// The connection failed.
    #[error("the running daemon cannot be asked: {0}")]
    Io(io::Error),
    /// The daemon refused.
    #[error("{0}")]
    Refused(String),
    /// The answer is not one.
    #[error("the running daemon's answer is not understood; is it of another version?")]
    NotUnderstood,
}

/// Asks the daemon whose data directory is `data`. Blocks, for at most some seconds.
pub fn ask(data: &Path, request: &Request) -> Result<Value, AskError> {
    let mut stream = match Blocking::connect(data.join(SOCKET)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(AskError::NotRunning);
        }
        Err(error) => return Err(AskError::Io(error)),
    };
    let mut exchange = || {
        stream.set_read_timeout(Some(LINE_WITHIN))?;
        stream.set_write_timeout(Some(LINE_WITHIN))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = Vec::new();
        BufReader::new(&stream).take(limits::CONTROL_ANSWER_BYTES_MAX as u64).read_until(b'\n', &mut answer)?;
        Ok(answer)
    };
    let answer: Vec<u8> = exchange().map_err(AskError::Io)?;
    match serde_json::from_slice(&answer) {
        Ok(Answer::Ok(value)) => Ok(value),
        Ok(Answer::Error(why)) => Err(AskError::Refused(why)),
        Err(_) => Err(AskError::NotUnderstood),
    }
}

#[cfg(test)]
mod tests;
