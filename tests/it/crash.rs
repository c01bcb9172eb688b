//! Workers that die in the middle of a call.

use std::process::Command;
use std::time::Duration;

use crate::daemon::Daemon;
use crate::phone::Phone;
use crate::wait;

/// Kills the worker of `kind` when the phone says `notice`; the call must go on, and its questions must be answered.
fn survives(kind: &str, notice: &str) {
    let Some(mut daemon) = Daemon::start() else { return };
    let before = daemon.worker(kind);
    let pid = before["pid"].as_u64().unwrap();
    let lines = ["--say", "Are dogs allowed?", "--say", "Is there a laundry room?", "--say", "No, thank you. Goodbye."];
    let mut phone = Phone::call(&daemon, "leasing", &lines);
    phone.until(notice, Duration::from_mins(1));
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    let heard = phone.finish(Duration::from_mins(4));
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    assert!(daemon.is_alive(), "the daemon does not die with a model\n{}", daemon.log());
    on_record.must("agent", "cats and dogs are welcome");
    on_record.must("agent", "laundry room on every floor");
    on_record.must_end("informed");
    assert!(heard.answer_ms(0) > 1_000 && heard.answer_ms(1) > 1_000, "both answers are sound: {:#}", heard.report);
    let after =
        wait::until(Duration::from_mins(1), "the worker is back", || Some(daemon.worker(kind)).filter(|worker| worker["state"] == "ready"));
    assert_eq!(after["restarts"].as_u64(), Some(1), "{after}");
    assert_ne!(after["pid"], before["pid"]);
    for other in ["asr", "llm", "tts"].into_iter().filter(|other| *other != kind) {
        assert_eq!(daemon.worker(other)["restarts"].as_u64(), Some(0), "{other} is not concerned");
    }
}

#[test]
fn wall_a_call_survives_its_recogniser() {
    survives("asr", "turn 1 over");
}

#[test]
fn wall_a_call_survives_its_language_model() {
    survives("llm", "turn 1 over");
}

#[test]
fn wall_a_call_survives_its_voice() {
    survives("tts", "turn 1 over");
}
