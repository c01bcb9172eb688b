//! Session timers, in hours of virtual time. RFC 4028.

use bytes::Bytes;

use super::callee;
use super::hand::{Bench, Request, SDP};
use super::rig::Rig;
use crate::sip::{Command, EndCause, Event, SipCall};

const OFFER: &str = "v=0\r\n";

/// A call that is up, with its two names.
fn up(mut rig: Rig) -> (Rig, SipCall, SipCall) {
    let ours = rig.invite(OFFER);
    rig.pass(50);
    let theirs = rig.incoming();
    rig.command(1, Command::Accept { call: theirs, answer: Bytes::from_static(b"v=0\r\n") });
    rig.pass(50);
    (rig, ours, theirs)
}

fn count(rig: &Rig, start: &str) -> usize {
    rig.wire.iter().filter(|(_, _, text)| text.starts_with(start)).count()
}

/// RFC 4028 §7.2, §9, §10: the caller refreshes at half time, by UPDATE, for as long as the call lasts.
#[test]
fn a_long_call_is_refreshed_at_half_time() {
    let (mut rig, ours, theirs) = up(Rig::new(3));
    let ok = rig.wire.iter().find(|(_, _, text)| text.starts_with("SIP/2.0 200")).unwrap().2.clone();
    assert!(ok.contains("Session-Expires: 1800;refresher=uac\r\n") && ok.contains("Require: timer\r\n"), "{ok}");
    rig.pass(24 * 3_600_000);
    assert_eq!((count(&rig, "UPDATE"), rig.lines(0).iter().filter(|(_, line)| line.starts_with("UPDATE")).count()), (95, 95));
    assert!(rig.ends.iter().all(|end| end.calls() == 1));
    assert!(rig.events.iter().flatten().all(|event| !matches!(event, Event::Reoffer { .. } | Event::Ended { .. })));
    rig.command(1, Command::Hangup { call: theirs, reason: None });
    rig.pass(40_000);
    assert!(matches!(rig.events[0].last(), Some(Event::Ended { call, .. }) if *call == ours));
    rig.assert_empty();
}

/// RFC 4028 §10: where nobody refreshes, the call ends a little before its time; where the refresh finds nobody, after 32 s.
#[test]
fn a_call_whose_other_end_has_vanished_ends() {
    let (mut rig, ours, theirs) = up(Rig::new(3));
    rig.weather.loss = 1;
    rig.pass(900_000 + 33_000);
    assert_eq!(rig.events[0].last(), Some(&Event::Ended { call: ours, cause: EndCause::Timeout }));
    rig.pass(1_767_000 - 933_000);
    assert!(!matches!(rig.events[1].last(), Some(Event::Ended { .. })));
    rig.pass(2_000);
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause: EndCause::Timeout }));
    assert!(rig.wire.last().unwrap().2.contains("Reason: SIP;cause=408;text=\"the session was not refreshed\""));
    rig.pass(80_000);
    rig.assert_empty();
}

/// RFC 4028 §7.3, §9: too short a timer is refused with the shortest that is taken, and asked for again.
#[test]
fn too_short_a_timer_is_raised() {
    let mut rig = Rig::new(3);
    rig.ends[1].settings.session_min_s = 3_600;
    let (rig, ours, _) = up(rig);
    assert!(rig.wire.iter().any(|(_, _, text)| text.starts_with("SIP/2.0 422 ") && text.contains("Min-SE: 3600\r\n")));
    let invites: Vec<&str> = rig.wire.iter().filter(|(_, _, text)| text.starts_with("INVITE")).map(|(_, _, text)| text.as_str()).collect();
    let value = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    assert_eq!(value(invites[1], "Session-Expires: "), "3600");
    assert_eq!(value(invites[1], "Min-SE: "), "3600");
    assert_eq!(value(invites[0], "Call-ID: "), value(invites[1], "Call-ID: "));
    let seq = |text: &str| value(text, "CSeq: ").split(' ').next().unwrap().parse::<u32>().unwrap();
    assert_eq!((seq(invites[1]), invites.len()), (seq(invites[0]) + 1, 2));
    assert_eq!(rig.events[0], [Event::Answered { call: ours, sdp: Some(Bytes::from_static(b"v=0\r\n")) }]);
}

#[test]
fn a_peer_that_bears_no_timers_meets_none() {
    let mut rig = Rig::new(3);
    rig.ends[1].settings.no_session_timers = vec!["192.0.2.1".parse().unwrap()];
    rig.ends[0].settings.no_session_timers = vec!["192.0.2.2".parse().unwrap()];
    let (mut rig, _, _) = up(rig);
    rig.pass(3 * 3_600_000);
    assert!(rig.wire.iter().all(|(_, _, text)| !text.contains("Session-Expires") && !text.contains("timer")));
    assert!(rig.ends.iter().all(|end| end.calls() == 1));
}

/// RFC 4028 §7.4: a peer without UPDATE is refreshed by a re-INVITE with what was described last; a refusal is tried again.
#[test]
fn a_peer_without_update_is_refreshed_by_a_reinvite() {
    let mut bench = callee::Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    let extra = "Contact: <sip:20@192.0.2.2>\r\nSession-Expires: 200;refresher=uac\r\n";
    bench.answer(&invite, "200 OK", "t", extra);
    bench.wait(100);
    assert!(bench.sent.is_empty());
    bench.wait(101);
    assert_eq!(bench.first_words()[0], "INVITE sip:20@192.0.2.2");
    assert!(bench.sent[0].1.ends_with("v=0") && bench.header("Session-Expires") == "200;refresher=uac");
    let refresh = bench.sent[0].1.clone();
    bench.answer(&refresh, "500 Later", "t", "");
    assert_eq!(bench.events.len(), 1, "the shell did not ask, and does not hear: {:?}", bench.events);
    bench.wait(109);
    assert!(bench.sent.is_empty());
    bench.wait(111);
    assert_eq!(bench.first_words()[0], "INVITE sip:20@192.0.2.2");
    bench.wait(300);
    assert!(matches!(bench.events.last(), Some(Event::Ended { call: ended, cause: EndCause::Timeout }) if *ended == call));
}

/// RFC 4028 §9, table 2: the caller may leave the refreshing to us; a short timer of a caller that cannot raise it is taken.
#[test]
fn the_caller_says_who_refreshes() {
    for (extra, granted, requires) in [
        ("Supported: timer\r\nSession-Expires: 200;refresher=uas\r\n", "200;refresher=uas", ""),
        ("Supported: timer\r\nx: 200\r\n", "200;refresher=uac", "timer"),
        ("Session-Expires: 200\r\n", "200;refresher=uas", ""),
        ("Session-Expires: 30\r\n", "90;refresher=uas", ""),
        ("Supported: timer\r\n", "1800;refresher=uac", "timer"),
        ("Supported: timer\r\nSession-Expires: 200\r\nMin-SE: 300\r\n", "300;refresher=uac", "timer"),
        ("", "", ""),
    ] {
        let mut bench = Bench::new();
        bench.take(&Request { extra: extra.to_owned(), body: SDP, ..Request::new("INVITE", "i") });
        let call = bench.incoming();
        bench.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
        assert_eq!((bench.header("Session-Expires").as_str(), bench.header("Require").as_str()), (granted, requires), "{extra}");
    }
    let mut bench = Bench::new();
    let short = Request { extra: "Supported: timer\r\nSession-Expires: 89\r\n".to_owned(), body: SDP, ..Request::new("INVITE", "i") };
    assert_eq!(bench.take(&short), "422 Session Interval Too Small");
    assert_eq!(bench.header("Min-SE"), "90");
}

/// What the shell offers while a refresh is under way goes after it.
#[test]
fn an_offer_waits_for_the_refresh() {
    let (mut rig, ours, theirs) = up(Rig::new(3));
    rig.pass(900_000 - 101);
    rig.weather.delay_ms_max = 20;
    while count(&rig, "UPDATE") == 0 {
        assert!(rig.step(rig.now + std::time::Duration::from_secs(5)));
    }
    rig.command(0, Command::Offer { call: ours, sdp: Bytes::from_static(b"hold") });
    assert!(rig.lines(0).iter().filter(|(_, line)| line.starts_with("INVITE")).count() == 1, "not yet");
    rig.pass(100);
    assert_eq!(rig.events[1].last(), Some(&Event::Reoffer { call: theirs, offer: Some(Bytes::from_static(b"hold")) }));
}
