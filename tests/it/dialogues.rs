//! Whole calls by voice: what was understood, what was said, what was decided, what is on record.

use std::time::Duration;

use crate::daemon::Daemon;
use crate::phone::{Phone, call, has_voice};

/// A weekday that is neither today nor tomorrow, so that an appointment on it is never too soon.
fn weekday() -> &'static str {
    let days_since_1970 = nightbell::base::clock::unix_millis() / 86_400_000;
    // 1 January 1970 was a Thursday: 0 is Thursday here.
    if matches!(days_since_1970 % 7, 5 | 6 | 0) { "Tuesday" } else { "Thursday" }
}

#[test]
fn wall_a_caller_asks_a_question_and_books_a_tour() {
    if !has_voice("espeak-ng") {
        return;
    }
    let Some(daemon) = Daemon::start() else { return };
    let tour = format!("I'd like to book a tour on {} at two p m.", weekday());
    let lines = [
        "Are dogs allowed?",
        &tour,
        "I'm looking for a two-bedroom apartment.",
        "My name is James Wilson.",
        "Yes.",
        "Yes, that's correct.",
        "No, thank you. Goodbye.",
    ];
    let mut arguments = vec!["--from", "3125550188", "--voice", "espeak-ng"];
    for line in lines {
        arguments.extend(["--say", line]);
    }
    let heard = call(&daemon, "leasing", &arguments);
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    let greeting = &on_record.said("agent")[0];
    assert!(greeting.contains("AI assistant"), "the greeting says what answers: {greeting}");
    on_record.must("caller", "dogs");
    on_record.must("agent", "cats and dogs are welcome");
    on_record.must("caller", weekday());
    on_record.must("agent", "You're booked");
    on_record.must("agent", &format!("{}, ", weekday()));
    on_record.must_end("booked");
    assert_eq!(on_record.receipts(), ["booked"], "{on_record}");
    assert_eq!(on_record.0["from"].as_str().map(|from| from.contains("3125550188")), Some(true), "{on_record}");
    heard.must_be_whole();
    assert_eq!(heard.report["ended_by"], "agent", "{:#}", heard.report);
    assert!(heard.number("setup_ms") < 500, "{:#}", heard.report);
    assert_eq!(heard.number("lost"), 0);
}

#[test]
fn wall_a_tenant_reports_a_repair() {
    if !has_voice("flite") {
        return;
    }
    let Some(daemon) = Daemon::start() else { return };
    let lines = [
        "My kitchen sink is leaking.",
        "I'm in unit four oh two.",
        "My name is Mary Lee.",
        "Yes.",
        "Yes, that's correct.",
        "No, thank you. Goodbye.",
    ];
    let mut arguments = vec!["--from", "3125550188", "--voice", "flite"];
    for line in lines {
        arguments.extend(["--say", line]);
    }
    let heard = call(&daemon, "tenants", &arguments);
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    on_record.must("agent", "AI assistant");
    on_record.must("caller", "sink");
    on_record.must("agent", "maintenance request is on record");
    on_record.must_end("request");
    assert_eq!(on_record.receipts(), ["request"], "{on_record}");
    heard.must_be_whole();
}

#[test]
fn wall_a_caller_who_hangs_up_in_the_middle_leaves_an_abandoned_call_with_what_was_heard() {
    let Some(daemon) = Daemon::start() else { return };
    let heard = call(&daemon, "leasing", &["--hang-up", "1500"]);
    assert_eq!((heard.code, heard.report["ended_by"].as_str()), (Some(0), Some("caller")), "{:#}", heard.report);
    let on_record = daemon.last_call();
    on_record.must_end("abandoned");
    let greeting = &on_record.turns()[0];
    let (text, heard) = (greeting["text"].as_str().unwrap(), greeting["heard"].as_str().unwrap_or_default());
    assert!(!heard.is_empty() && heard.len() < text.len(), "of {text:?} only the beginning was heard, not {heard:?}");
}

#[test]
fn wall_the_caller_hears_a_greeting_at_once() {
    let Some(daemon) = Daemon::start() else { return };
    for user in ["leasing", "tenants"] {
        let mut phone = Phone::call(&daemon, user, &["--linger", "1", "--codec", "pcma"]);
        phone.until("answered", Duration::from_secs(5));
        let heard = phone.finish(Duration::from_mins(1));
        heard.must_be_whole();
        assert!(heard.number("first_sound_ms") < 1_500, "{:#}", heard.report);
        assert!(heard.number("greeting_ms") > 3_000, "{:#}", heard.report);
        assert_eq!(heard.report["codec"], "PCMA");
        daemon.last_call().must("agent", "AI assistant");
    }
}
