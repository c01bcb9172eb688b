//! sipp as the caller of a server on loopback.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use nightbell::base::clock::Clock;

use crate::daemon::{root, used};
use crate::sums::wait;

/// Who is called.
pub struct Peer {
    /// Where, `ADDRESS:PORT`.
    pub address: String,
    /// Its process.
    pub process: u32,
}

/// How it is called.
pub struct Load {
    /// Calls in all.
    pub calls: u32,
    /// So many begin in ..
    pub rate: u32,
    /// .. so many milliseconds.
    pub per_ms: u32,
    /// How long each is held before it is hung up.
    pub hold_ms: u32,
}

/// What came of it.
pub struct Answered {
    /// Calls that went as the scenario says.
    pub succeeded: u32,
    /// From INVITE to 200, of each that was answered.
    pub setup_ms: Vec<f64>,
    /// Processor time of the server meanwhile.
    pub peer_cpu_ms: f64,
    /// Processor time of sipp.
    pub sipp_cpu_ms: f64,
}

/// Calls a second that one address begins at most: the daemon holds a peer to 60 (`CAPS_CALLS_A_SECOND_MAX`), so more of them come from several.
const CALLER_A_SECOND_MAX: u32 = 50;

/// One sipp for every address that calls, each in a folder of its own.
fn start(peer: &Peer, load: &Load, folder: &Path) -> Result<Vec<Child>, String> {
    let callers = load.rate.div_ceil(CALLER_A_SECOND_MAX);
    let mut children = Vec::new();
    for caller in 1..=callers {
        let folder = folder.join(caller.to_string());
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let address = format!("127.0.0.{caller}");
        let mut command = Command::new("sipp");
        command.arg(&peer.address).arg("-sf").arg(root().join("tests/bench/signalling/uac.xml"));
        command.args(["-s", "leasing", "-i", &address, "-mi", &address, "-nostdin"]);
        command.args(["-trace_rtt", "-rtt_freq", "1", "-trace_stat", "-fd", "60", "-timeout", "30"]);
        let share = load.calls / callers;
        for (option, value) in [("-m", share), ("-l", share), ("-r", load.rate / callers), ("-rp", load.per_ms), ("-d", load.hold_ms)] {
            command.args([option, &value.to_string()]);
        }
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        children.push(command.spawn().map_err(|error| format!("skipped: sipp: {error} (Debian package sip-tester)"))?);
    }
    Ok(children)
}

fn wait_all(children: Vec<Child>) -> Result<(), String> {
    for mut child in children {
        child.wait().map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Calls, and waits for the end of it.
pub fn call(peer: &Peer, load: &Load) -> Result<Answered, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (before, children) = (used(peer.process).cpu_ms, ended_children_ms());
    wait_all(start(peer, load, folder.path())?)?;
    let peer_cpu_ms = used(peer.process).cpu_ms - before;
    let sipp_cpu_ms = ended_children_ms() - children;
    let (mut setup_ms, mut succeeded) = (Vec::new(), 0);
    for caller in std::fs::read_dir(folder.path()).into_iter().flatten().flatten().map(|entry| entry.path()) {
        setup_ms.extend(column(&caller, "_rtt.csv", "response_time_ms"));
        succeeded += column(&caller, "_.csv", "SuccessfulCall(C)").last().copied().unwrap_or(0.0) as u32;
    }
    Ok(Answered { succeeded, setup_ms, peer_cpu_ms, sipp_cpu_ms })
}

/// Calls, and looks at the server's memory after `seconds`, while the calls are up.
pub fn held(clock: Clock, peer: &Peer, load: &Load, seconds: f64) -> Result<u64, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let callers = start(peer, load, folder.path())?;
    wait(clock, seconds);
    let rss_kb = used(peer.process).rss_kb;
    wait_all(callers)?;
    Ok(rss_kb)
}

/// The numbers below `title` in the file of `folder` whose name ends so.
fn column(folder: &Path, end: &str, title: &str) -> Vec<f64> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let text = names.filter(|path| path.to_string_lossy().ends_with(end)).find_map(|path| std::fs::read_to_string(path).ok());
    let text = text.unwrap_or_default();
    let mut lines = text.lines();
    let Some(place) = lines.next().and_then(|titles| titles.split(';').position(|other| other == title)) else { return Vec::new() };
    lines.filter_map(|line| line.split(';').nth(place)?.parse().ok()).collect()
}

/// Processor time of our children that have ended, in milliseconds.
fn ended_children_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold anything: the fields are counted after it. cutime, cstime, in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(13).take(2);
    fields.filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() * 10.0
}
