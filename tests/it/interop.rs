//! Behaviours of the signalling, each as a scenario that sipp plays against the daemon: tests/it/sipp/*.xml. docs/interop.md says which is which.

use std::sync::Mutex;
use std::time::Duration;

use crate::cases::{CALLS_IN, Case};
use crate::daemon::Daemon;
use crate::sipp::{self, Sipp, installed};
use crate::wait;

/// How many scenarios are played at once.
const AT_ONCE: usize = 6;

/// Plays `cases`, some at once; what went wrong comes back.
fn play(daemon: &Daemon, cases: &'static [Case]) -> Vec<String> {
    let waiting = Mutex::new(cases.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(case) = next else { return };
                    if let Err(told) = Sipp::call(daemon.sip, case.file, case.arguments).end() {
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

/// Plays and compares, and fails with everything that went wrong.
fn must_hold(daemon: &mut Daemon, cases: &'static [Case]) {
    let mut wrong = play(daemon, cases);
    assert!(daemon.is_alive());
    wait::until(Duration::from_secs(10), "no call is left over", || {
        daemon.status()["calls"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
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

#[test]
fn every_scenario_is_played_and_is_in_the_book() {
    let book = std::fs::read_to_string(crate::daemon::root().join("docs/interop.md")).unwrap();
    let sources =
        ["cases.rs", "interop.rs"].map(|file| std::fs::read_to_string(crate::daemon::root().join("tests/it").join(file)).unwrap());
    let source = sources.concat();
    for entry in std::fs::read_dir(sipp::folder()).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(source.contains(&format!("\"{name}\"")), "tests/it/sipp/{name}.xml is played by no test");
        assert!(book.contains(&format!("`{name}`")), "docs/interop.md does not say what {name} is");
    }
}
