//! `nightbell call` as the caller of these tests.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::Value;

use crate::daemon::{Daemon, nightbell};
use crate::wait;

/// The silence that ends an agent's turn: a model that works beside nine others on two cores pauses between sentences.
const QUIET_MS: &str = "1500";

/// A call under way.
pub struct Phone {
    child: Child,
    notices: Receiver<String>,
    seen: Vec<String>,
}

/// What a call came to, as the phone saw it.
#[derive(Debug)]
pub struct Heard {
    pub report: Value,
    pub code: Option<i32>,
    pub notices: Vec<String>,
}

/// Whether this voice is installed; says so when it is not.
pub fn has_voice(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

impl Phone {
    /// Calls `user` at the daemon with these arguments.
    pub fn call(daemon: &Daemon, user: &str, arguments: &[&str]) -> Self {
        let uri = daemon.uri(user);
        let mut command = nightbell(&["call", &uri, "--json", "--timeout", "40", "--quiet", QUIET_MS]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, notices) = sync_channel(256);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| drop(send.try_send(line))));
        Self { child, notices, seen: Vec::new() }
    }

    /// Waits until the phone says that it does this, such as `turn 1 over`.
    pub fn until(&mut self, notice: &str, limit: Duration) {
        let found = wait::within(limit, || {
            self.seen.extend(self.notices.try_iter());
            self.seen.iter().any(|line| line.starts_with(notice)).then_some(())
        });
        assert!(found.is_some(), "the phone never said {notice:?} within {limit:?}: {:?}", self.seen);
    }

    /// Waits for the end of the call.
    pub fn finish(mut self, limit: Duration) -> Heard {
        let status = wait::exit(&mut self.child, limit, "the phone");
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.seen.extend(self.notices.iter());
        let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("no report: {error}: {text:?} {:?}", self.seen));
        Heard { report, code: status.code(), notices: std::mem::take(&mut self.seen) }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Calls and waits for the end.
pub fn call(daemon: &Daemon, user: &str, arguments: &[&str]) -> Heard {
    Phone::call(daemon, user, arguments).finish(Duration::from_mins(4))
}

impl Heard {
    /// A number of the report; fails where there is none.
    pub fn number(&self, name: &str) -> u64 {
        self.report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {:#}", self.report))
    }

    /// Milliseconds of sound that answered turn `place` (from 0).
    pub fn answer_ms(&self, place: usize) -> u64 {
        self.report["turns"][place]["agent_ms"].as_u64().unwrap_or_else(|| panic!("no answer to turn {place} in {:#}", self.report))
    }

    /// Fails unless the call came to its end as written.
    pub fn must_be_whole(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{:#}\n{:#?}", self.report, self.notices);
        self
    }
}
