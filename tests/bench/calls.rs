//! Whole calls over loopback to the release build of the daemon: what a caller waits, what a call costs, how many there can be.
//! `cargo bench --bench calls [-- starter|scripted|sending]`; `NIGHTBELL_BIN` names another build of the daemon.
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of a bench")]

#[path = "calls/daemon.rs"]
mod daemon;
#[path = "calls/journal.rs"]
mod journal;
#[path = "calls/phone.rs"]
mod phone;
#[path = "calls/scripted.rs"]
mod scripted;
#[path = "calls/sums.rs"]
mod sums;

use std::process::{Child, Command};

use nightbell::base::clock::Clock;

use daemon::{Daemon, Usage, Workers, between, program};
use journal::Split;
use phone::{Heard, NOT_STOPPED_MS, Phone};
use sums::{Others, busy_percent, cores, quantile, spread, spread_of, wait};

/// Callers one after the other with the starter models.
const CALLS_ALONE: usize = 5;

/// What each says; with the starter models over our voice, 1.5 s into it, which also keeps a call short.
const LINES: [&str; 4] =
    ["Are dogs allowed?", "Is there a laundry room?", "What are your office hours?", "Do you have a two bedroom apartment?"];

/// The slowest p95 to the first word of content with which a number of calls counts as carried: with more, callers begin to ask "hello?".
const CONTENT_P95_MS: f64 = 2_000.0;

/// A part of the bench, which prints its rows as it goes.
type Section = fn(Clock) -> Result<(), String>;

/// A part of an answer's time.
type Part = fn(&Split) -> f64;

fn main() {
    if let Some(kind) = scripted::kind() {
        if let Err(error) = scripted::work(kind) {
            eprintln!("{error}");
        }
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let missing = [program()].into_iter().chain(["asr", "llm", "tts"].map(|kind| program().with_file_name(format!("nightbell-{kind}"))));
    if let Some(missing) = missing.into_iter().find(|path| !path.is_file()) {
        println!("calls: skipped: {} is not built: cargo build --release --features engines", missing.display());
        return;
    }
    if !phone::has_voice() {
        println!("calls: skipped: neither espeak-ng nor flite is installed to speak for the caller");
        return;
    }
    let clock = Clock::start();
    println!("calls over loopback; {} cores, {:.0} % busy with other things before we begin\n", cores(), busy_percent(clock, 2.0));
    let sections: [(&str, Section); 3] = [("starter", starter), ("scripted", scripted_calls), ("sending", sending)];
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            if let Err(why) = section(clock) {
                println!("{name}: failed: {why}");
            }
            println!("  ({:.0} s since the start)\n", clock.now().as_millis() as f64 / 1_000.0);
        }
    }
}

/// One line of the report: what, how much, how it was measured.
fn row(what: &str, figure: &str, method: &str) {
    println!("  {what:<36} {figure:<52} {method}");
}

/// A caller with the first `turns` of [`LINES`]; `over` is how far into our sound each is said.
fn caller(daemon: &Daemon, turns: usize, over: Option<&str>) -> std::io::Result<Phone> {
    let mut arguments = vec!["--linger", "1", "--quiet", "700"];
    for line in LINES.iter().take(turns) {
        arguments.extend(over.into_iter().flat_map(|over| ["--interrupt", over]));
        arguments.extend(["--say", line]);
    }
    arguments.extend(["--hang-up", "1200"]);
    Phone::call(daemon, "leasing", &arguments)
}

fn starter(clock: Clock) -> Result<(), String> {
    println!("starter models, calls one after the other");
    let daemon = Daemon::start(Workers::Real)?;
    row("start to ready", &format!("{} ms", daemon.ready_ms), "until all three engines are; calls are answered before that");
    let (before, others) = (daemon.usage(), Others::watch());
    let began = clock.now();
    let mut all = Vec::new();
    for _ in 0..CALLS_ALONE {
        all.push(caller(&daemon, LINES.len(), Some("1500")).map_err(|error| error.to_string())?.finish());
    }
    let seconds = clock.now().since(began).as_secs_f64();
    daemon.wait_quiet();
    let gaps: Vec<u64> = all.iter().flat_map(Heard::gaps).collect();
    let unanswered: usize = all.iter().map(Heard::unanswered).sum();
    row("response gap, first voice", &spread_of(&gaps), "caller's last sound to our first, at the caller's ear");
    row("  turns without an answer", &unanswered.to_string(), &format!("of {}", all.len() * LINES.len()));
    content(&daemon, all.len());
    where_it_went(&daemon, all.len());
    let stops: Vec<u64> = all.iter().flat_map(Heard::barge_ins).collect();
    row("barge-in", &spread_of(&stops), "caller's first sound over ours to our silence, at the caller's ear");
    let missed = stops.iter().filter(|stop| **stop > NOT_STOPPED_MS).count();
    row("  not stopped within a second", &missed.to_string(), "among these: taken for no interruption, and we spoke on");
    let setups: Vec<u64> = all.iter().filter_map(|heard| heard.number("setup_ms")).collect();
    row("INVITE to 200", &spread_of(&setups), "at the caller");
    let used = between(&before, &daemon.usage());
    let others = others.percent(total_ms(&used));
    row("taken by others", &format!("{others:.0} % of all cores"), "/proc/stat: neither idle, nor ours, nor our callers'");
    costs(&used, seconds, all.len() * LINES.len());
    println!("starter models, calls at once");
    carried(&[5, 10, 20], |calls| at_once(&daemon, calls, 2, Some("1500")));
    Ok(())
}

/// The first word of content, fillers left out.
fn content(daemon: &Daemon, calls: usize) {
    let records = daemon.records(calls);
    let gaps: Vec<u64> = records.iter().flat_map(journal::content_gaps).collect();
    let fillers: usize = records.iter().map(journal::fillers).sum();
    row("response gap, first word of content", &spread_of(&gaps), "by the daemon's record, fillers left out; sending included");
    row("  fillers", &fillers.to_string(), "sentences that only ask for a moment");
}

fn splits(daemon: &Daemon, calls: usize) -> Vec<Split> {
    daemon.records(calls).iter().flat_map(|record| journal::splits(&daemon.journal(&record.call_id))).collect()
}

fn where_it_went(daemon: &Daemon, calls: usize) {
    let splits = splits(daemon, calls);
    let parts: [(&str, Part); 5] = [
        ("  of it: end of turn", |split| split.wait),
        ("  of it: recogniser", |split| split.asr),
        ("  of it: language model", |split| split.llm),
        ("  of it: voice", |split| split.tts),
        ("  of it: to the wire", |split| split.play),
    ];
    for (name, part) in parts {
        row(name, &spread(&splits.iter().map(part).collect::<Vec<f64>>()), "by the journal; each counts from the end of the one before");
    }
}

fn costs(used: &Usage, seconds: f64, turns: usize) {
    for (name, used) in used {
        let share = used.cpu_ms / (seconds * 10.0);
        let figure = format!("{share:.1} % of a core, {:.0} ms a turn, {} kB more", used.cpu_ms / turns as f64, used.rss_kb);
        row(&format!("cost of one call: {name}"), &figure, "/proc/PID/stat and VmRSS over these calls");
    }
}

/// What some calls at once came to.
struct Together {
    all: Vec<Heard>,
    content: Vec<f64>,
    used: Usage,
    seconds: f64,
    /// What others took of all cores meanwhile, in parts of 100.
    others: f64,
}

/// So many callers, a new one every 300 ms.
fn at_once(daemon: &Daemon, calls: usize, turns: usize, over: Option<&str>) -> std::io::Result<Together> {
    let clock = Clock::start();
    let (before, others) = (daemon.usage(), Others::watch());
    let mut phones = Vec::new();
    for _ in 0..calls {
        phones.push(caller(daemon, turns, over)?);
        wait(clock, (6.0 / calls as f64).min(0.3));
    }
    let all: Vec<Heard> = phones.into_iter().map(Phone::finish).collect();
    let seconds = clock.now().as_millis() as f64 / 1_000.0;
    daemon.wait_quiet();
    let used = between(&before, &daemon.usage());
    let others = others.percent(total_ms(&used));
    let content = daemon.records(calls).iter().flat_map(journal::content_gaps).map(|gap| gap as f64).collect();
    Ok(Together { all, content, used, seconds, others })
}

/// Processor time of the daemon and its workers together.
fn total_ms(used: &Usage) -> f64 {
    used.iter().map(|(_, used)| used.cpu_ms).sum()
}

/// Tries more and more calls until callers wait too long.
fn carried(steps: &[usize], try_out: impl Fn(usize) -> std::io::Result<Together>) {
    let mut most = 0;
    for &calls in steps {
        let Ok(together) = try_out(calls) else { break };
        let all = &together.all;
        let gaps: Vec<u64> = all.iter().flat_map(Heard::gaps).collect();
        let unanswered: usize = all.iter().map(Heard::unanswered).sum();
        let (lost, received) = ["lost", "received"].map(|name| all.iter().filter_map(|heard| heard.number(name)).sum::<u64>()).into();
        let setups: Vec<u64> = all.iter().filter_map(|heard| heard.number("setup_ms")).collect();
        let cpu: Vec<String> =
            together.used.iter().map(|(name, used)| format!("{name} {:.0} %", used.cpu_ms / together.seconds / 10.0)).collect();
        println!("  {calls} callers, one every {:.0} ms:", (6_000.0 / calls as f64).min(300.0));
        row("    first voice", &spread_of(&gaps), &format!("{unanswered} turns without an answer"));
        row("    first word of content", &spread(&together.content), &format!("INVITE to 200 {}", spread_of(&setups)));
        row("    processor", &cpu.join(", "), &format!("of a core; {lost} of {} packets lost", lost + received));
        row(
            "    taken by others",
            &format!("{:.0} % of all cores", together.others),
            "/proc/stat: neither idle, nor ours, nor our callers'",
        );
        // Lines that were heard as one count once in the record, from the end of the last: the caller's own ear has a say as well.
        let first_voice: Vec<f64> = gaps.iter().map(|gap| *gap as f64).collect();
        let in_time = [&together.content, &first_voice].iter().all(|gaps| quantile(gaps, 95).is_some_and(|p95| p95 <= CONTENT_P95_MS));
        // One turn of 20 may go wrong as a call between people does; more is too much.
        if !in_time || unanswered * 20 > all.len() || setups.len() < calls {
            break;
        }
        most = calls;
    }
    row("calls carried", &most.to_string(), "tried in these steps; the callers run on the same cores");
}

fn scripted_calls(clock: Clock) -> Result<(), String> {
    println!("scripted engines (they answer at once: what remains is our own)");
    let daemon = Daemon::start(Workers::Scripted)?;
    row("start to ready", &format!("{} ms", daemon.ready_ms), "without models to load");
    let all = at_once(&daemon, 4, 2, None).map_err(|error| error.to_string())?.all;
    let gaps: Vec<u64> = all.iter().flat_map(Heard::gaps).collect();
    row("response gap, first voice", &spread_of(&gaps), "caller's last sound to our first, at the caller's ear");
    let splits = splits(&daemon, all.len());
    let waits: Vec<f64> = splits.iter().map(|split| split.wait).collect();
    row("  of it: end of turn", &spread(&waits), "by the journal");
    row(
        "own overhead",
        &spread(&splits.iter().map(Split::after_wait).collect::<Vec<f64>>()),
        "end of turn to our first packet, by the journal",
    );
    let at_ear = quantile(&gaps.iter().map(|gap| *gap as f64).collect::<Vec<f64>>(), 50).zip(quantile(&waits, 50));
    let at_ear = at_ear.map_or("-".to_owned(), |(gap, wait)| format!("p50 {:.0} ms", gap - wait));
    row("own overhead to the caller's ear", &at_ear, "p50 of the gap less p50 of the end of turn; both ways through the network too");
    idle(clock, &daemon)?;
    carried(&[16, 32, 64], |calls| at_once(&daemon, calls, 2, None));
    Ok(())
}

/// What calls cost in which nobody says anything.
fn idle(clock: Clock, daemon: &Daemon) -> Result<(), String> {
    const CALLS: usize = 20;
    let before = daemon.usage();
    let phones: Result<Vec<Phone>, _> = (0..CALLS).map(|_| Phone::call(daemon, "leasing", &["--linger", "5"])).collect();
    let phones = phones.map_err(|error| error.to_string())?;
    // The greeting of these engines lasts three seconds, and after seven of silence we ask whether somebody is there.
    wait(clock, 4.5);
    let (up, middle) = (daemon.calls_up(), daemon.usage());
    wait(clock, 2.5);
    let after = daemon.usage();
    drop(phones);
    let own = |usage: &Usage| usage.iter().find(|used| used.0 == "nightbell").map_or(daemon::Used::default(), |used| used.1);
    let grown = own(&between(&before, &middle)).rss_kb as f64 / up.max(1) as f64;
    let cpu = own(&between(&middle, &after)).cpu_ms / 25.0 / up.max(1) as f64;
    row("memory of a call", &format!("{grown:.0} kB"), &format!("growth of the daemon's VmRSS with {up} calls up"));
    row("processor of a silent call", &format!("{cpu:.2} % of a core"), &format!("the daemon alone, {up} calls up, sound both ways"));
    daemon.wait_quiet();
    Ok(())
}

fn sending(clock: Clock) -> Result<(), String> {
    println!("how late the daemon sends RTP, 8 calls with scripted engines; upper edges of buckets");
    for (name, nice) in
        [("no other work", None), ("every core busy with niced work", Some("19")), ("every core busy with equal work", Some("0"))]
    {
        let daemon = Daemon::start(Workers::Scripted)?;
        let mut busy: Vec<Child> = nice.map_or(Ok(Vec::new()), busy_loops).map_err(|error| error.to_string())?;
        let together = at_once(&daemon, 8, 2, None);
        let (p50, p99) = daemon.deviation_us();
        for child in &mut busy {
            let _ = child.kill();
            let _ = child.wait();
        }
        let gaps: Vec<u64> = together.map_err(|error| error.to_string())?.all.iter().flat_map(Heard::gaps).collect();
        let figure = format!("p50 {p50} p99 {p99} us");
        row(name, &figure, &format!("by the media thread, against each leg's own grid; gap {}", spread_of(&gaps)));
    }
    wait(clock, 0.1);
    Ok(())
}

/// A process for every core that computes without end, as inference does.
fn busy_loops(nice: &str) -> std::io::Result<Vec<Child>> {
    (0..cores()).map(|_| Command::new("nice").args(["-n", nice, "sh", "-c", "while :; do :; done"]).spawn()).collect()
}
