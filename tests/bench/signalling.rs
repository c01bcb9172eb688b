//! What signalling costs: a call answered and hung up by the endpoint alone in virtual time, by the whole daemon over loopback with sipp as the caller,
//! and by another stack's benchmark server beside it. `cargo bench --bench signalling [-- endpoint|daemon|rsipstack]`
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a bench")]

#[path = "calls/daemon.rs"]
#[allow(dead_code, reason = "the bench of calls uses the rest of it")]
mod daemon;
#[path = "signalling/endpoint.rs"]
mod endpoint;
#[path = "signalling/memory.rs"]
mod memory;
#[path = "calls/scripted.rs"]
mod scripted;
#[path = "signalling/sipp.rs"]
mod sipp;
#[path = "calls/sums.rs"]
#[allow(dead_code, reason = "the bench of calls uses the rest of it")]
mod sums;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nightbell::base::clock::Clock;

use daemon::{Daemon, Workers, program, root};
use sipp::{Answered, Load, Peer};
use sums::{Others, busy_percent, cores, quantile, wait};

/// Steps of calls a second, each for [`STEP_S`] seconds, until one is not carried.
const RATES: [u32; 5] = [25, 50, 100, 200, 400];
const STEP_S: u32 = 4;

/// A step is carried when every call succeeds and the slowest hundredth waits no longer for its 200.
const CARRIED_P99_MS: f64 = 1_000.0;

/// Calls that are up at once when memory is looked at; fewer than any of the servers takes.
const UP: u32 = 200;

/// Records that are asked for: more than calls are made.
const LISTED: usize = 9_999;

/// How long the records may lag behind.
const RECORDS: Duration = Duration::from_mins(1);

/// A part of the bench, which prints its rows as it goes.
type Section = fn(Clock) -> Result<(), String>;

fn main() {
    if let Some(kind) = scripted::kind() {
        if let Err(error) = scripted::work(kind) {
            eprintln!("{error}");
        }
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let clock = Clock::start();
    println!("signalling; {} cores, {:.0} % busy with other things before we begin\n", cores(), busy_percent(clock, 2.0));
    let sections: [(&str, Section); 3] = [("endpoint", endpoint::bench), ("daemon", daemon_answers), ("rsipstack", rsipstack_answers)];
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            if let Err(why) = section(clock) {
                println!("  {name}: {why}");
            }
            println!("  ({:.0} s since the start)\n", clock.now().as_millis() as f64 / 1_000.0);
        }
    }
}

/// One line of the report: what, how much, how it was measured.
pub fn row(what: &str, figure: &str, method: &str) {
    println!("  {what:<34} {figure:<56} {method}");
}

fn daemon_answers(clock: Clock) -> Result<(), String> {
    println!("the whole daemon (scripted engines: record, sound and dialogue of each call are its own), sipp calls over loopback");
    if !program().is_file() {
        return Err(format!("skipped: {} is not built: cargo build --release --features engines", program().display()));
    }
    let daemon = Daemon::start(Workers::Scripted)?;
    let address = daemon.uri("leasing").trim_start_matches("sip:leasing@").to_owned();
    let called = measure(clock, &Peer { address, process: daemon.process() })?;
    let ended = clock.now();
    let on_record = || daemon.records(LISTED).iter().filter(|record| record.outcome.is_some()).count();
    let mut kept = on_record();
    while kept < called as usize && clock.now().since(ended) < RECORDS {
        wait(clock, 1.0);
        kept = on_record();
    }
    let seconds = clock.now().since(ended).as_secs();
    row(
        "calls on record",
        &format!("{kept} of {called}, {seconds} s after the last"),
        "in the database with their outcome: the disk is what lags",
    );
    Ok(())
}

/// Ended with this value.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn rsipstack_answers(clock: Clock) -> Result<(), String> {
    println!("rsipstack's own benchmark server (`bench_ua`: signalling alone, a 200 without SDP), the same sipp scenario");
    let default = root().join("target/peers/bin/bench_ua");
    let server = std::env::var_os("NIGHTBELL_RSIPSTACK").map_or(default, PathBuf::from);
    if !server.is_file() {
        return Err(format!(
            "skipped: {} is not there: cargo install rsipstack --version 0.7.14 --locked --features bench --bin bench_ua --root target/peers",
            server.display()
        ));
    }
    let port = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(|error| error.to_string())?.port();
    let mut command = Command::new(server);
    command.args(["--mode", "server", "--port", &port.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Stopped(command.spawn().map_err(|error| error.to_string())?);
    wait(clock, 1.0);
    measure(clock, &Peer { address: format!("127.0.0.1:{port}"), process: child.0.id() }).map(drop)
}

/// Everything that sipp can tell of one server; how many calls were made.
fn measure(clock: Clock, peer: &Peer) -> Result<u32, String> {
    let alone = sipp::call(peer, &Load { calls: 30, rate: 10, per_ms: 1_000, hold_ms: 300 })?;
    row("INVITE to 200, 10 calls a second", &spread(&alone), "at sipp, whose clock has steps of a few ms; holding 0.3 s");
    let burst = sipp::call(peer, &Load { calls: 50, rate: 50, per_ms: 1_000, hold_ms: 1_500 })?;
    row("burst of 50 within a second", &in_a_second(&burst, 50), "50 INVITEs, one every 20 ms, holding 1.5 s");
    let burst = sipp::call(peer, &Load { calls: 50, rate: 50, per_ms: 20, hold_ms: 1_500 })?;
    row("burst of 50 at once", &in_a_second(&burst, 50), "50 INVITEs within 20 ms");
    let (mut most, mut called) = (0, alone.succeeded + 100 + UP);
    for rate in RATES {
        let others = Others::watch();
        let load = Load { calls: rate * STEP_S, rate, per_ms: 1_000, hold_ms: 0 };
        let step = sipp::call(peer, &load)?;
        called += step.succeeded;
        let calls = f64::from(load.calls);
        let cost = format!("{} of {} answered; {}", step.succeeded, load.calls, spread(&step));
        let others = others.percent(step.peer_cpu_ms);
        let each = format!(
            "{:.2} ms of processor a call there, {:.2} ms at sipp; others took {others:.0} % of all cores",
            step.peer_cpu_ms / calls,
            step.sipp_cpu_ms / calls
        );
        row(&format!("{rate} calls a second"), &cost, &each);
        let in_time = quantile(&step.setup_ms, 99).is_some_and(|p99| p99 <= CARRIED_P99_MS);
        if step.succeeded < load.calls || !in_time {
            break;
        }
        most = rate;
    }
    row("calls a second, carried", &most.to_string(), "answered and hung up at once; all of them, p99 of INVITE to 200 within 1 s");
    let before = daemon::used(peer.process).rss_kb;
    let held = sipp::held(clock, peer, &Load { calls: UP, rate: UP, per_ms: 1_000, hold_ms: 4_000 }, 2.5)?;
    let grown = held.saturating_sub(before) as f64 / f64::from(UP);
    row("memory of a call that is up", &format!("{grown:.1} kB"), &format!("growth of VmRSS with {UP} calls up, after the steps above"));
    Ok(called)
}

fn spread(answered: &Answered) -> String {
    let told = |per_cent| quantile(&answered.setup_ms, per_cent).map_or("-".to_owned(), |value| format!("{value:.0}"));
    format!("p50 {} p99 {} worst {} ms", told(50), told(99), told(100))
}

fn in_a_second(answered: &Answered, of: usize) -> String {
    let in_time = answered.setup_ms.iter().filter(|ms| **ms <= 1_000.0).count();
    let slowest = quantile(&answered.setup_ms, 100).map_or("-".to_owned(), |ms| format!("{ms:.0}"));
    format!("{in_time} of {of} answered within a second, slowest {slowest} ms")
}
