//! The way to a person: by words or by key, put through or called back.

use crate::daemon::{Call, Daemon};
use crate::phone::{Heard, call};

/// The way to the office, from the request to the REFER, in this order on record.
fn must_have_been_told_before(on_record: &Call, heard: &Heard) {
    let target = heard.report["refer_to"].as_str().unwrap_or_else(|| panic!("nobody was named: {:#}\n{on_record}", heard.report));
    assert!(target.starts_with("sip:office@"), "{target}");
    on_record.must("agent", "putting you through");
    let turn = &heard.report["turns"][0];
    assert!(turn["agent_ms"].as_u64().unwrap_or(0) > 400, "the caller hears words before the transfer: {turn}");
}

#[test]
fn wall_who_asks_for_a_person_is_put_through() {
    let Some(daemon) = Daemon::start() else { return };
    let heard = call(&daemon, "leasing", &["--say", "I want to talk to a real person please.", "--on-refer", "accept"]);
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    must_have_been_told_before(&on_record, &heard);
    on_record.must_end("transferred");
    heard.must_be_whole();
    assert_eq!(heard.report["ended_by"], "agent", "the daemon leaves the call once the person has it");
}

/// Where the caller's side alone may put through: what the box does itself where a REFER is declined is tried in handover.rs.
const BY_REFER: &str = "[people.office]\nname = \"the office\"\nuri = \"sip:office@127.0.0.1:5070\"\ntransfer = \"refer\"\n";

#[test]
fn wall_a_person_who_cannot_be_reached_calls_back() {
    let Some(daemon) = Daemon::start_with_people(BY_REFER) else { return };
    for answer in ["decline", "busy"] {
        let arguments = [
            "--from",
            "3125550188",
            "--say",
            "I want to talk to a real person please.",
            "--say",
            "No, thank you. Goodbye.",
            "--on-refer",
            answer,
        ];
        let heard = call(&daemon, "leasing", &arguments);
        let on_record = daemon.last_call();
        println!("{on_record}\n{:#}", heard.report);
        must_have_been_told_before(&on_record, &heard);
        on_record.must_end("callback");
        assert_eq!(on_record.receipts(), ["callback"], "{on_record}");
    }
}

#[test]
fn wall_key_0_is_a_way_to_a_person() {
    let Some(daemon) = Daemon::start() else { return };
    let heard = call(&daemon, "tenants", &["--interrupt", "1000", "--digits", "0", "--on-refer", "accept"]);
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    must_have_been_told_before(&on_record, &heard);
    on_record.must_end("transferred");
}
