//! The real media thread with 64 legs over loopback: how late packets are sent while every core is busy, and what a tick costs.
//! `cargo bench --bench media [-- SECONDS [BUSY_PROCESSES]]`
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use nightbell::audio::{Codec, Tone};
use nightbell::base::clock::Clock;
use nightbell::base::{Frame, LegId, Rate, Seed, TurnId};
use nightbell::media::{Leg, LegEnds, LegSetup, LegStats, Media, MediaHandle, MediaSettings, MediaStats, Order, Playback, Report};
use nightbell::rtp::SourceRule;

const LEGS: u32 = 64;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u64>().ok());
    let (seconds, busy) = (numbers.next().unwrap_or(5), numbers.next().unwrap_or(4));
    println!(
        "{LEGS} legs, {seconds} s each row, {busy} busy processes in the loaded rows; deviation in microseconds, upper edge of its bucket"
    );
    println!("{:<40} {:>6} {:>6} {:>6} {:>8} {:>8} {:>9} {:>6}", "", "p50", "p99", "p99.9", "worst", "tick p99", "overruns", "lost");
    let rows = [("idle", 0, false), ("loaded by niced work", busy, true), ("loaded by equals", busy, false)];
    for (name, busy, nice) in rows {
        for level in [None, Some(10)] {
            measure(&Row { name, level, busy, nice }, seconds);
        }
    }
}

struct Row {
    name: &'static str,
    level: Option<u8>,
    busy: u64,
    nice: bool,
}

fn measure(row: &Row, seconds: u64) {
    let mut burners: Vec<_> = (0..row.busy).map(|_| burner(row.nice)).collect();
    let clock = Clock::start();
    let settings = MediaSettings { real_time_level: row.level, wake: Some(std::thread::current()) };
    let (mut handle, thread) = Media::spawn(settings, clock).unwrap();
    let mut legs: Vec<LegEnds> = (0..LEGS / 2).flat_map(|pair| add_pair(&mut handle, pair * 2)).collect();
    let mut tone = Tone::new(400.0, Rate::K8, 9_000);
    let mut pcm = [0; 160];
    tone.fill(&mut pcm);
    let frame = Frame::new(Rate::K8, &pcm);
    while clock.now().as_millis() < seconds * 1_000 {
        std::thread::park_timeout(Duration::from_millis(100));
        while handle.poll_report().is_some() {}
        for ends in &mut legs {
            while ends.captured.pop().is_some() {}
            while ends.playback.len() < 50 {
                ends.playback.push(Playback { turn: TurnId(1), clip: 0, frame, last: false }).unwrap();
            }
        }
    }
    handle.order(Order::Stop).unwrap();
    thread.join().unwrap();
    for burner in &mut burners {
        burner.kill().unwrap();
        burner.wait().unwrap();
    }
    let lost = lost(&mut handle);
    print(row.name, handle.stats(), lost);
}

fn print(name: &str, stats: &MediaStats, lost: u64) {
    let late = &stats.send_deviation;
    let answer = stats.priority().map_or_else(|| "not asked".to_owned(), |priority| format!("{priority:?}"));
    let name = format!("{name} ({answer})");
    println!(
        "{name:<40} {:>6} {:>6} {:>6} {:>8} {:>8} {:>9} {lost:>6}",
        late.quantile_us(500),
        late.quantile_us(990),
        late.quantile_us(999),
        late.worst_us(),
        stats.tick_time.quantile_us(990),
        stats.tick_overruns.get(),
    );
}

fn lost(handle: &mut MediaHandle) -> u64 {
    let removed = |report: Report| {
        if let Report::Removed { stats: LegStats { receive, .. }, .. } = report { Some(receive.lost + receive.late) } else { None }
    };
    std::iter::from_fn(|| handle.poll_report()).filter_map(removed).sum()
}

/// A process that computes without end, as inference does.
fn burner(nice: bool) -> std::process::Child {
    let level = if nice { "19" } else { "0" };
    Command::new("nice").args(["-n", level, "sh", "-c", "while :; do :; done"]).spawn().unwrap()
}

fn add_pair(handle: &mut MediaHandle, first: u32) -> Vec<LegEnds> {
    let sockets = [(); 2].map(|()| UdpSocket::bind(("127.0.0.1", 0)).unwrap());
    let remotes = [sockets[1].local_addr().unwrap(), sockets[0].local_addr().unwrap()];
    let legs = sockets.into_iter().zip(remotes).zip(first..).map(|((socket, remote), id)| {
        let seed = Seed::new(u64::from(id));
        let setup = LegSetup {
            id: LegId(id),
            socket,
            codec: Codec::Pcmu,
            telephone_event: None,
            remote: Some(remote),
            source_rule: SourceRule::Strict,
            seed,
        };
        let (leg, ends) = Leg::new(setup).unwrap();
        handle.order(Order::Add(leg)).unwrap();
        ends
    });
    legs.collect()
}
