//! Behaviours of the signalling, each as a scenario that sipp plays against the daemon: tests/it/sipp/*.xml. docs/interop.md says which is which.

use std::sync::Mutex;
use std::time::Duration;

use crate::cases::{ASKED_BY_KEY, CALLS_IN, Case, Pair};
use crate::daemon::Daemon;
use crate::setup::Setup;
use crate::sipp::{self, Sipp, free_port, installed};
use crate::wait;

/// How many scenarios are played at once.
const AT_ONCE: usize = 6;

/// Does `work` with each of `all`, some at once; what went wrong comes back.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) -> Vec<String> {
    let waiting = Mutex::new(all.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(one) = next else { return };
                    if let Err(told) = work(one) {
                        wrong.lock().unwrap().push(told);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Compares what is on record with what `cases` say.
fn compare(daemon: &Daemon, cases: &[Case]) -> Vec<String> {
    let recorded = daemon.calls_of(500);
    let mut wrong = Vec::new();
    for case in cases {
        let Some((number, outcome)) = case.record else { continue };
        let outcomes: Vec<_> = recorded.iter().filter(|call| call["from"] == number).map(|call| call["outcome"].as_str()).collect();
        let wanted: Vec<_> = outcome.iter().map(|outcome| Some(*outcome)).collect();
        if outcomes != wanted {
            wrong.push(format!("{}: on record {outcomes:?}, wanted {wanted:?}", case.file));
        }
    }
    wrong
}

/// The daemon lives, and no call is left over in it.
fn must_be_empty(daemon: &mut Daemon) {
    assert!(daemon.is_alive());
    wait::until(Duration::from_secs(10), "no call is left over", || {
        daemon.status()["calls"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
}

/// Plays and compares, and fails with everything that went wrong.
fn must_hold(daemon: &mut Daemon, cases: &[Case]) {
    let to = daemon.sip;
    let mut wrong = each(cases, |case| Sipp::call(to, case.file, case.arguments).end());
    must_be_empty(daemon);
    wrong.extend(compare(daemon, cases));
    assert!(wrong.is_empty(), "{} of {} scenarios:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[test]
fn wall_sipp_calls_in_all_its_ways() {
    if !installed("sipp", "-v") {
        return;
    }
    let Some(mut daemon) = Daemon::start() else { return };
    must_hold(&mut daemon, CALLS_IN);
}

/// A configuration in which every pair has a number, an agent and a person of its own; and where each person is.
fn house_of(pairs: &[Pair]) -> (Setup, Vec<u16>) {
    let ports: Vec<u16> = pairs.iter().map(|_| free_port()).collect();
    let mut text = "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\ntrusted = [\"127.0.0.0/8\"]\n".to_owned();
    for (index, (pair, port)) in pairs.iter().zip(&ports).enumerate() {
        let name = number_of(index);
        let person = format!("[people.{name}]\nname = \"the office\"\nuri = \"sip:{name}@127.0.0.1:{port}\"\n{}\n", pair.person);
        text.push_str(&format!("{person}[[route]]\nto = \"{name}\"\nagent = \"{name}\"\n"));
    }
    let setup = Setup::new(&text);
    (0..pairs.len()).map(number_of).for_each(|name| setup.agent(&name, &name));
    (setup, ports)
}

/// What is dialled to play the pair at `index`.
fn number_of(index: usize) -> String {
    format!("pair{index}")
}

/// Plays both sides of each pair, and compares how the calls ended.
fn must_hold_together(pairs: &[Pair]) {
    let (setup, ports) = house_of(pairs);
    let Some(mut daemon) = Daemon::start_of(setup, &[]) else { return };
    let to = daemon.sip;
    let all: Vec<_> = pairs.iter().zip(ports).enumerate().collect();
    let mut wrong = each(&all, |(index, (pair, port))| {
        let called = Sipp::answer(*port, pair.called, &[]);
        let caller = Sipp::call(to, pair.caller, &["-s", &number_of(*index)]).end();
        let called = called.end();
        caller.and(called).map_err(|told| format!("{} with {}: {told}", pair.caller, pair.called))
    });
    must_be_empty(&mut daemon);
    let recorded = daemon.calls_of(500);
    for (index, pair) in pairs.iter().enumerate() {
        let outcomes: Vec<_> = recorded.iter().filter(|call| call["to"] == number_of(index)).map(|call| call["outcome"].as_str()).collect();
        if outcomes != [Some(pair.outcome)] {
            wrong.push(format!("{} with {}: on record {outcomes:?}, wanted {:?}", pair.caller, pair.called, pair.outcome));
        }
    }
    assert!(wrong.is_empty(), "{} of {} pairs:\n\n{}", wrong.len(), pairs.len(), wrong.join("\n\n"));
}

#[test]
fn wall_sipp_asks_for_people_who_take_it_or_do_not() {
    if installed("sipp", "-v") {
        must_hold_together(ASKED_BY_KEY);
    }
}

#[test]
fn every_scenario_is_played_and_is_in_the_book() {
    let book = std::fs::read_to_string(crate::daemon::root().join("docs/interop.md")).unwrap();
    let sources = ["cases.rs", "interop.rs"].map(|file| std::fs::read_to_string(crate::daemon::root().join("tests/it").join(file)).unwrap());
    let source = sources.concat();
    for entry in std::fs::read_dir(sipp::folder()).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(source.contains(&format!("\"{name}\"")), "tests/it/sipp/{name}.xml is played by no test");
        assert!(book.contains(&format!("`{name}`")), "docs/interop.md does not say what {name} is");
    }
}
