//! sipp, as a caller and as one who is called: one process for one scenario file of tests/it/sipp.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::daemon::root;
use crate::wait;

/// The longest that a scenario takes: one waits 32 s for the BYE of a call whose ACK never came.
const LONGEST: Duration = Duration::from_mins(1);

/// Where sound ports are taken from: each process has ten.
static SOUND_PORT: AtomicU16 = AtomicU16::new(41_000);

/// Whether this program is installed; says so when it is not.
pub fn installed(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

/// The folder of the scenario files.
pub fn folder() -> PathBuf {
    root().join("tests/it/sipp")
}

/// A port of 127.0.0.1 that nobody has at this moment, for UDP and TCP.
pub fn free_port() -> u16 {
    wait::until(Duration::from_secs(5), "a free port", || {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").ok()?;
        let port = udp.local_addr().ok()?.port();
        std::net::TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    })
}

/// A scenario under way.
pub struct Sipp {
    child: Child,
    folder: TempDir,
    name: String,
}

impl Sipp {
    /// Plays `name` towards `to`, with further arguments of sipp's.
    pub fn call(to: SocketAddr, name: &str, arguments: &[&str]) -> Self {
        // A port of its own: two that look for one at the same time may find the same.
        Self::start(
            name,
            &[to.to_string(), "-p".to_owned(), free_port().to_string()],
            if to.is_ipv6() { "[::1]" } else { "127.0.0.1" },
            arguments,
        )
    }

    /// Waits on `port` to be called, and plays `name` then.
    pub fn answer(port: u16, name: &str, arguments: &[&str]) -> Self {
        Self::start(name, &["-p".to_owned(), port.to_string()], "127.0.0.1", arguments)
    }

    fn start(name: &str, first: &[String], address: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let screen = File::create(folder.path().join("screen.log")).unwrap();
        let sound = SOUND_PORT.fetch_add(10, Ordering::Relaxed).to_string();
        let mut command = Command::new("sipp");
        command.args(first).arg("-sf").arg(self::folder().join(format!("{name}.xml")));
        if !arguments.contains(&"-s") {
            command.args(["-s", "leasing"]);
        }
        if !arguments.contains(&"-m") {
            command.args(["-m", "1"]);
        }
        let own_address = arguments.contains(&"-i");
        if !own_address {
            command.args(["-i", address, "-mi", address]);
        }
        command.args(["-mp", &sound, "-nostdin", "-recv_timeout", "12000", "-timeout", "50", "-timeout_error"]);
        command.args(["-trace_err", "-error_file"]).arg(folder.path().join("errors.log")).args(arguments);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(screen.try_clone().unwrap()).stderr(screen);
        Self { child: command.spawn().unwrap(), folder, name: name.to_owned() }
    }

    /// Waits for its end: nothing when everything was as written, or else what was not.
    pub fn end(mut self) -> Result<(), String> {
        let status = wait::exit(&mut self.child, LONGEST, &self.name);
        if status.success() { Ok(()) } else { Err(format!("{}: {status}\n{}", self.name, told(self.folder.path()))) }
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What sipp says of its own accord.
fn told(folder: &Path) -> String {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default().replace('\r', "");
    let errors = read("errors.log");
    if !errors.trim().is_empty() {
        return errors.lines().take(40).collect::<Vec<_>>().join("\n");
    }
    let screen = read("screen.log");
    let lines: Vec<&str> = screen.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
