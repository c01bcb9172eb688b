//! The daemon under test: started on free ports with a data directory of its own, killed when the test is over.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::setup::Setup;
use crate::wait;

/// How long the daemon may take until it answers calls.
const READY: Duration = Duration::from_secs(15);

/// How long the models may take until they are loaded, on a machine that does other things as well.
const WORKERS: Duration = Duration::from_secs(90);

/// One test at a time has the machine: these measure.
static MACHINE: Mutex<()> = Mutex::new(());

/// A running daemon.
pub struct Daemon {
    child: Child,
    config: PathBuf,
    /// Kept for as long as the daemon lives.
    setup: Option<Setup>,
    data: TempDir,
    pub sip: SocketAddr,
    pub http: SocketAddr,
    /// Every SIP listener, as in `tcp:127.0.0.1:5060`.
    pub listen: Vec<String>,
    _machine: MutexGuard<'static, ()>,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The program, and whether it is there.
pub fn program() -> (PathBuf, bool) {
    let program = std::env::var_os("NIGHTBELL_BIN").map_or_else(|| root().join("target/release/nightbell"), PathBuf::from);
    let workers = ["asr", "llm", "tts"].iter().all(|kind| program.with_file_name(format!("nightbell-{kind}")).is_file());
    let there = program.is_file() && workers;
    (program, there)
}

/// The program with the arguments of every command here, in the repository.
pub fn nightbell(arguments: &[&str]) -> Command {
    let mut command = Command::new(program().0);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

impl Daemon {
    /// A daemon with its models loaded; nothing where the programs were not built.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with more arguments.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let anywhere: &[&str] = if arguments.contains(&"--sip") { &[] } else { &["--sip", "127.0.0.1:0"] };
        Self::start_at(root().join("config/demo/nightbell.toml"), &[anywhere, arguments].concat())
    }

    /// The demonstration with these people instead of its own.
    pub fn start_with_people(people: &str) -> Option<Self> {
        Self::start_with_route(people, "to = \"leasing\"")
    }

    /// The same, with this in place of what the first route says.
    pub fn start_with_route(people: &str, route: &str) -> Option<Self> {
        let demo = std::fs::read_to_string(root().join("config/demo/nightbell.toml")).unwrap();
        let (front, rest) = demo.split_once("[people.office]").unwrap();
        let behind =
            rest.split_once("[agents]").unwrap().1.replace("\"agents\"", &format!("\"{}\"", root().join("config/demo/agents").display()));
        let behind = behind.replacen("to = \"leasing\"", route, 1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nightbell.toml");
        std::fs::write(&file, format!("{front}{people}\n[agents]{behind}")).unwrap();
        Self::start_at(file, &["--sip", "127.0.0.1:0"])
    }

    /// A daemon with a setup of the test's own.
    pub fn start_of(setup: Setup, arguments: &[&str]) -> Option<Self> {
        let mut daemon = Self::start_at(setup.config(), arguments)?;
        daemon.setup = Some(setup);
        Some(daemon)
    }

    /// A daemon with a configuration of the test's own.
    pub fn start_at(config: PathBuf, arguments: &[&str]) -> Option<Self> {
        let (program, there) = program();
        if !there {
            assert!(std::env::var_os("NIGHTBELL_IT").is_none(), "{} or a worker beside it is missing: build first", program.display());
            println!("skipped: {} or a worker beside it is not built", program.display());
            return None;
        }
        let machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        let data = tempfile::tempdir().unwrap();
        let log = File::create(data.path().join("stderr.log")).unwrap();
        let mut command = nightbell(&["run", "--http", "127.0.0.1:0", "--config"]);
        command.arg(&config).args(arguments).arg("--data").arg(data.path()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let (send, lines) = sync_channel(64);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        // Reads on to the end, so that the daemon never waits for a reader.
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(send.try_send(line))));
        let ready =
            wait::within(READY, || lines.try_recv().ok().filter(|line| line.starts_with("ready ")).map(Ok).or_else(|| gone(&mut child)));
        let Some(Ok(ready)) = ready else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the daemon was not ready within {READY:?}: {ready:?}\n{}", log_of(&data));
        };
        let said = |name: &str| ready.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let address = |name: &str| {
            said(name).and_then(|text| text.split(',').next()?.parse().ok()).unwrap_or_else(|| panic!("no {name} address in {ready:?}"))
        };
        let (sip, http) = (address("sip"), address("http"));
        let listen = said("listen").unwrap_or_default().split(',').map(str::to_owned).collect();
        let daemon = Self { child, config, setup: None, data, sip, http, listen, _machine: machine };
        wait::until(WORKERS, "all three workers are ready", || {
            let workers = daemon.workers();
            (workers.len() == 3 && workers.iter().all(|worker| worker["state"] == "ready")).then_some(())
        });
        Some(daemon)
    }

    /// `sip:USER@` this daemon.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.sip)
    }

    /// Where it listens for `transport`, on an address that begins so.
    pub fn listens(&self, transport: &str, address: &str) -> SocketAddr {
        let found = self.listen.iter().filter_map(|one| one.strip_prefix(transport)?.strip_prefix(':'));
        found
            .filter(|one| one.starts_with(address))
            .find_map(|one| one.parse().ok())
            .unwrap_or_else(|| panic!("{transport} in {:?}", self.listen))
    }

    /// Sends the process a signal, by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill -s {name}");
    }

    /// What it holds in memory, in KiB (VmRSS).
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().split(' ').next().unwrap().parse().unwrap()
    }

    /// What the program prints when it is asked this about the daemon.
    pub fn say(&self, arguments: &[&str]) -> String {
        let mut command = nightbell(arguments);
        let output = command.arg("--config").arg(&self.config).arg("--data").arg(self.data.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// `nightbell status --json`
    pub fn status(&self) -> Value {
        self.ask("status")
    }

    /// The workers as status shows them.
    pub fn workers(&self) -> Vec<Value> {
        self.status()["workers"].as_array().cloned().unwrap_or_default()
    }

    /// The worker of one kind.
    pub fn worker(&self, kind: &str) -> Value {
        self.workers().into_iter().find(|worker| worker["kind"] == kind).unwrap_or_else(|| panic!("no {kind} worker in status"))
    }

    /// `nightbell calls --json`, newest first.
    pub fn calls(&self) -> Vec<Value> {
        self.ask("calls").as_array().cloned().unwrap_or_default()
    }

    /// The same for as many as `limit`.
    pub fn calls_of(&self, limit: usize) -> Vec<Value> {
        self.ask_more("calls", &["--limit", &limit.to_string()]).as_array().cloned().unwrap_or_default()
    }

    /// The newest call once it has ended.
    pub fn last_call(&self) -> Call {
        let ended = |call: &Value| call["outcome"].is_string();
        let found = wait::within(Duration::from_secs(10), || self.calls().into_iter().next().filter(ended));
        Call(found.unwrap_or_else(|| panic!("no call with an outcome: {:#?}\n{}", self.calls(), self.log())))
    }

    fn ask(&self, what: &str) -> Value {
        self.ask_more(what, &[])
    }

    fn ask_more(&self, what: &str, more: &[&str]) -> Value {
        let mut command = nightbell(&[what, "--json", "--config"]);
        let output = command.arg(&self.config).arg("--data").arg(self.data.path()).args(more).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("`nightbell {what} --json` gave no JSON: {error}\n{}\n{}", String::from_utf8_lossy(&output.stderr), self.log())
        })
    }

    /// Its data directory.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// What the daemon has logged.
    pub fn log(&self) -> String {
        log_of(&self.data)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the daemon's log\n{}", self.log());
        }
        // TERM first, so that it takes its workers along; KILL if it does not.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        if wait::within(Duration::from_secs(8), || self.child.try_wait().ok().flatten()).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn gone(child: &mut Child) -> Option<Result<String, String>> {
    child.try_wait().unwrap().map(|status| Err(format!("ended with {status}")))
}

/// The last part of the log.
fn log_of(data: &TempDir) -> String {
    let text = std::fs::read_to_string(data.path().join("stderr.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// A call as it is on record.
pub struct Call(pub Value);

impl Call {
    pub fn outcome(&self) -> &str {
        self.0["outcome"].as_str().unwrap_or_default()
    }

    pub fn turns(&self) -> &[Value] {
        self.0["turns"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// What `who` said, by turns.
    pub fn said(&self, who: &str) -> Vec<String> {
        let turns = self.turns().iter().filter(|turn| turn["who"] == who);
        turns.map(|turn| turn["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The kinds of the receipts.
    pub fn receipts(&self) -> Vec<String> {
        let receipts = self.0["receipts"].as_array().into_iter().flatten();
        receipts.map(|receipt| receipt["kind"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Fails, showing the whole call, unless `who` said `words` in some turn.
    pub fn must(&self, who: &str, words: &str) {
        let said = self.said(who);
        let wanted = words.to_lowercase();
        assert!(said.iter().any(|text| text.to_lowercase().contains(&wanted)), "{who} never said {words:?}\n{self}");
    }

    /// Fails, showing the whole call, unless it ended so.
    pub fn must_end(&self, outcome: &str) {
        assert_eq!(self.outcome(), outcome, "\n{self}");
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "call {} to {}: {}", self.0["call_id"], self.0["to"], self.outcome())?;
        for turn in self.turns() {
            writeln!(
                f,
                "  {:>6}: {} [heard: {}, gap: {}, confidence: {}]",
                turn["who"], turn["text"], turn["heard"], turn["gap_ms"], turn["confidence"]
            )?;
        }
        writeln!(f, "  receipts: {}", self.0["receipts"])
    }
}
