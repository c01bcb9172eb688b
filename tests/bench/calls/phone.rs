//! `nightbell call` as the caller, one process a call.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::daemon::{Daemon, program, root};

/// An interruption that did not silence us within so many milliseconds was not taken for one.
pub const NOT_STOPPED_MS: u64 = 1_000;

/// A call under way.
pub struct Phone(Child);

/// What a call came to.
pub struct Heard(pub Value);

impl Phone {
    /// Calls `user`.
    pub fn call(daemon: &Daemon, user: &str, arguments: &[&str]) -> std::io::Result<Self> {
        let mut command = Command::new(program());
        command.args(["call", &daemon.uri(user), "--json", "--timeout", "20", "--limit", "60"]).args(arguments);
        command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    /// Waits for the end of the call; an empty report when there is none within 90 seconds.
    pub fn finish(mut self) -> Heard {
        for _ in 0..1_800 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        let ended = matches!(self.0.try_wait(), Ok(Some(_)));
        let mut text = String::new();
        if let Some(stdout) = self.0.stdout.as_mut().filter(|_| ended) {
            let _ = stdout.read_to_string(&mut text);
        }
        Heard(serde_json::from_str(&text).unwrap_or_default())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

impl Heard {
    /// From the caller's last sound to our first, a number a turn that was answered.
    pub fn gaps(&self) -> Vec<u64> {
        self.turns().filter_map(|turn| turn["gap_ms"].as_u64()).collect()
    }

    /// Turns that nothing was said to.
    pub fn unanswered(&self) -> usize {
        self.turns().filter(|turn| turn["said"] != "hangs up" && turn["agent_ms"].is_null()).count()
            + self.number("unsaid").and_then(|count| count.try_into().ok()).unwrap_or(0)
    }

    /// From the caller's first sound over ours to our silence. Left out are those that fell into a pause of ours: the report then gives the end of
    /// our *next* sound, which shows in an answer after a gap although we seem never to have stopped.
    pub fn barge_ins(&self) -> Vec<u64> {
        let stopped = |turn: &&Value| turn["gap_ms"].is_null() || turn["barge_in_ms"].as_u64().is_some_and(|ms| ms <= NOT_STOPPED_MS);
        self.turns().filter(stopped).filter_map(|turn| turn["barge_in_ms"].as_u64()).collect()
    }

    /// A number of the report.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.0[name].as_u64()
    }

    fn turns(&self) -> impl Iterator<Item = &Value> {
        self.0["turns"].as_array().into_iter().flatten()
    }
}

/// Whether anything here can speak for a caller.
pub fn has_voice() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| ["espeak-ng", "flite"].iter().any(|program| Path::new(&folder).join(program).is_file()))
}
