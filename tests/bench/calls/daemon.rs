//! The daemon that is measured, its processes, and what they have used.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nightbell::base::CallId;
use nightbell::base::clock::Clock;
use nightbell::store::{CallRecord, JournalEntry, MasterKey, Reader};
use serde_json::Value;
use tempfile::TempDir;

use crate::scripted;

/// How long the daemon may take until its engines are ready.
const READY: Duration = Duration::from_mins(1);

/// Which workers it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// The release builds with the installed models.
    Real,
    /// This program in their place.
    Scripted,
}

/// A running daemon with a data directory of its own, ended with this value.
pub struct Daemon {
    child: Child,
    data: TempDir,
    sip: String,
    /// From its start until it said that its engines are ready, in milliseconds.
    pub ready_ms: u64,
}

/// What a process has used.
#[derive(Clone, Copy, Default)]
pub struct Used {
    /// Processor time in milliseconds.
    pub cpu_ms: f64,
    /// Resident memory in kB.
    pub rss_kb: u64,
}

/// The daemon and its workers, by name.
pub type Usage = Vec<(String, Used)>;

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The release build of the daemon, or what `NIGHTBELL_BIN` names.
pub fn program() -> PathBuf {
    std::env::var_os("NIGHTBELL_BIN").map_or_else(|| root().join("target/release/nightbell"), PathBuf::from)
}

impl Daemon {
    /// Starts it and waits for its engines; the error says why it is not there.
    pub fn start(workers: Workers) -> Result<Self, String> {
        let data = tempfile::tempdir().map_err(|error| error.to_string())?;
        let log = File::create(data.path().join("stderr.log")).map_err(|error| error.to_string())?;
        let mut command = Command::new(program());
        command.args(["run", "--config", "config/demo/nightbell.toml", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"]);
        command.arg(data.path()).current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        if workers == Workers::Scripted {
            command.env("NIGHTBELL_BIN_DIR", scripted::lay_out(data.path()).map_err(|error| error.to_string())?);
        }
        let clock = Clock::start();
        let child = command.spawn().map_err(|error| format!("{}: {error}", program().display()))?;
        let mut daemon = Self { child, data, sip: String::new(), ready_ms: 0 };
        daemon.sip = daemon.wait_ready()?;
        daemon.ready_ms = clock.now().as_millis();
        Ok(daemon)
    }

    fn wait_ready(&mut self) -> Result<String, String> {
        let stdout = self.child.stdout.take().ok_or("no output")?;
        let (send, lines) = std::sync::mpsc::sync_channel(16);
        // Reads on to the end, so that the daemon never waits for a reader.
        std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(send.try_send(line))));
        let line = lines.recv_timeout(READY).map_err(|_| format!("the daemon was not ready\n{}", self.log()))?;
        let sip = line.split(' ').find_map(|word| word.strip_prefix("sip="));
        sip.map(|sip| sip.split(',').next().unwrap_or(sip).to_owned()).ok_or(format!("unexpected words of the daemon: {line}"))
    }

    /// `sip:USER@` this daemon.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.sip)
    }

    /// `nightbell status --json`
    pub fn status(&self) -> Value {
        let mut command = Command::new(program());
        command.args(["status", "--json", "--config", "config/demo/nightbell.toml", "--data"]).arg(self.data.path()).current_dir(root());
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
        output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default()
    }

    /// Its process.
    #[allow(dead_code, reason = "the bench of signalling asks for it")]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Calls that are up.
    pub fn calls_up(&self) -> usize {
        self.status()["calls"].as_array().map_or(0, Vec::len)
    }

    /// Waits until no call is up and its records are written; ten seconds at most.
    pub fn wait_quiet(&self) {
        for _ in 0..50 {
            let quiet = self.calls_up() == 0;
            // The answer came from the daemon; what it still writes takes less than this.
            std::thread::park_timeout(Duration::from_millis(200));
            if quiet {
                return;
            }
        }
    }

    /// p50 and p99 of how late RTP was sent since the start, in microseconds.
    pub fn deviation_us(&self) -> (u64, u64) {
        let sound = &self.status()["sound"];
        let level = |name: &str| sound[name].as_u64().unwrap_or(0);
        (level("send_deviation_p50_us"), level("send_deviation_p99_us"))
    }

    /// The records of the newest `limit` calls, newest first.
    pub fn records(&self, limit: usize) -> Vec<CallRecord> {
        self.reader().and_then(|reader| reader.calls(limit).ok()).unwrap_or_default()
    }

    /// The journal of one call.
    pub fn journal(&self, call: &str) -> Vec<JournalEntry> {
        let read = || self.reader()?.journal(&CallId::parse(call)?).ok();
        read().unwrap_or_default()
    }

    fn reader(&self) -> Option<Reader> {
        let key = MasterKey::find(self.data.path(), None).ok()?;
        Reader::open(self.data.path(), &key).ok()
    }

    /// What the daemon and its workers have used since their start.
    pub fn usage(&self) -> Usage {
        let mut usage = vec![("nightbell".to_owned(), used(self.child.id()))];
        for child in children(self.child.id()) {
            let name = std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            usage.push((name.trim().to_owned(), used(child)));
        }
        usage.sort_by(|one, other| one.0.cmp(&other.0));
        usage
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.data.path().join("stderr.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // TERM first, so that it takes its workers along; KILL if it does not.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was used between two looks.
pub fn between(before: &Usage, after: &Usage) -> Usage {
    let earlier = |name: &str| before.iter().find(|used| used.0 == name).map_or(Used::default(), |used| used.1);
    let difference = |(name, used): &(String, Used)| {
        let cpu_ms = used.cpu_ms - earlier(name).cpu_ms;
        (name.clone(), Used { cpu_ms, rss_kb: used.rss_kb.saturating_sub(earlier(name).rss_kb) })
    };
    after.iter().map(difference).collect()
}

/// What a process has used so far.
pub fn used(pid: u32) -> Used {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold anything: the fields are counted after it.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    // Linux counts these in hundredths of a second (USER_HZ).
    Used { cpu_ms: (ticks(11) + ticks(12)) * 10.0, rss_kb: rss.unwrap_or(0) }
}

/// The processes that any thread of `pid` has started.
fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")) else { return Vec::new() };
    let of_task = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: Vec<String> = tasks.flatten().map(of_task).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|text| text.parse().ok()).collect()
}
