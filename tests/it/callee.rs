//! `nightbell call` towards sipp: what a call of ours does with a callee's provisional answers, timers and redirections.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::{nightbell, program};
use crate::sipp::{Sipp, free_port, installed};
use crate::wait;

/// Calls sipp, which plays `name`; what the caller reports at the end, and what it says of a failure.
fn call(name: &str) -> Option<(Value, String)> {
    if !installed("sipp", "-v") || !program().0.is_file() {
        return None;
    }
    let port = free_port();
    let callee = Sipp::answer(port, name, &[]);
    wait::until(Duration::from_secs(5), "sipp listens", || std::net::UdpSocket::bind(("127.0.0.1", port)).err());
    let uri = format!("sip:20@127.0.0.1:{port}");
    let mut command = nightbell(&["call", &uri, "--json", "--timeout", "20"]);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let (text, told) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    callee.end().unwrap_or_else(|wrong| panic!("{wrong}\n{text}\n{told}"));
    Some((serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {told}")), told))
}

/// The call came about, and the callee has ended it.
fn must_come_about(name: &str) {
    if let Some((report, told)) = call(name) {
        assert_eq!(report["ended_by"], "agent", "{report:#} {told}");
    }
}

#[test]
fn wall_sound_before_the_answer_is_acknowledged() {
    must_come_about("callee-reliable");
}

#[test]
fn wall_a_longer_session_timer_is_obeyed() {
    must_come_about("callee-timer");
}

#[test]
fn wall_of_two_phones_that_answer_one_is_kept() {
    must_come_about("callee-forks");
}

#[test]
fn wall_a_callee_that_has_moved_is_not_followed() {
    if let Some((report, told)) = call("callee-moved") {
        assert_eq!(report["ended_by"], "refused", "{report:#}");
        assert!(told.contains("sent elsewhere with 302"), "{told}");
    }
}
