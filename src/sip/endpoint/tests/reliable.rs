//! Provisional answers that are acknowledged, phones that ring at once, and offers before the answer. RFC 3262, RFC 3311.

use bytes::Bytes;

use super::callee;
use super::hand::{Bench, Request, SDP};
use super::rig::{Rig, Weather};
use crate::sip::{Command, EndCause, Event, SipCall};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";
const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 192.0.2.2\r\n";

fn sdp(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// A call that has come in and not rung yet, with its two names.
fn begun() -> (Rig, SipCall, SipCall) {
    let mut rig = Rig::new(11);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.wire.clear();
    (rig, ours, theirs)
}

/// The same with sound before the answer, acknowledged.
fn sounding() -> (Rig, SipCall, SipCall) {
    let (mut rig, ours, theirs) = begun();
    rig.command(1, Command::Progress { call: theirs, status: 183, answer: Some(sdp(ANSWER)) });
    rig.pass(20);
    (rig, ours, theirs)
}

/// RFC 3262 §3, §4, §5: sound before the answer is acknowledged, and the 200 does not say it again.
#[test]
fn sound_before_the_answer_is_acknowledged() {
    let (mut rig, ours, theirs) = sounding();
    assert_eq!(rig.events[0], [Event::Progress { call: ours, status: 183, sdp: Some(sdp(ANSWER)) }]);
    let text = |rig: &Rig, start: &str| rig.wire.iter().find(|(_, _, text)| text.starts_with(start)).unwrap().2.clone();
    let line = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    let early = text(&rig, "SIP/2.0 183 ");
    assert_eq!(line(&early, "Require: "), "100rel");
    let prack = text(&rig, "PRACK ");
    let (number, seq) = (line(&early, "RSeq: "), line(&early, "CSeq: "));
    assert_eq!(line(&prack, "RAck: "), format!("{number} {seq}"));
    rig.wire.clear();
    rig.command(1, Command::Accept { call: theirs, answer: sdp("not said again") });
    rig.pass(20);
    assert!(text(&rig, "SIP/2.0 200 ").ends_with("Content-Length: 0\r\n\r\n"));
    assert_eq!(rig.events[0].last(), Some(&Event::Answered { call: ours, sdp: Some(sdp(ANSWER)) }), "what holds is said with the answer");
    rig.command(0, Command::Hangup { call: ours, reason: None });
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3262 §3: again after .5, 1, 2, 4, 8 and 16 s without a limit to the pause; refused with 504 after 32 s.
#[test]
fn a_provisional_answer_is_repeated_until_its_prack_and_given_up_after_32_s() {
    let (mut rig, ours, theirs) = begun();
    rig.weather.loss = 1;
    let start = rig.now.as_millis();
    rig.command(1, Command::Progress { call: theirs, status: 183, answer: Some(sdp(ANSWER)) });
    rig.pass(31_990);
    let times: Vec<u64> = rig.lines(1).into_iter().filter(|(_, line)| line.starts_with("183 ")).map(|(at, _)| at - start).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert!(rig.events[1].iter().all(|event| !matches!(event, Event::Ended { .. })));
    rig.weather.loss = 0;
    rig.pass(20);
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause: EndCause::Timeout }));
    rig.pass(60_000);
    assert!(
        matches!(rig.events[0].last(), Some(Event::Failed { call, status: 504, why: Some(why), .. }) if *call == ours && why.contains("PRACK"))
    );
    rig.assert_empty();
}

/// RFC 3262 §3: no 200 before the PRACK of a description; what was ordered meanwhile follows.
#[test]
fn the_answer_waits_for_the_prack() {
    let (mut rig, ours, theirs) = begun();
    rig.command(1, Command::Progress { call: theirs, status: 183, answer: Some(sdp(ANSWER)) });
    rig.command(1, Command::Ring { call: theirs });
    rig.command(1, Command::Accept { call: theirs, answer: sdp("x") });
    assert!(rig.lines(1).iter().all(|(_, line)| line.starts_with("183 ")));
    rig.pass(30);
    let said: Vec<String> = rig.lines(1).into_iter().map(|(_, line)| line).collect();
    assert_eq!(said, ["183 Session Progress", "200 OK", "200 OK"], "the PRACK's answer, and the call's");
    assert!(matches!(rig.events[0].last(), Some(Event::Answered { call, .. }) if *call == ours));
    let (mut rig, _, theirs) = begun();
    rig.command(1, Command::Progress { call: theirs, status: 183, answer: Some(sdp(ANSWER)) });
    rig.command(1, Command::Ring { call: theirs });
    rig.pass(30);
    let said: Vec<String> = rig.lines(1).into_iter().map(|(_, line)| line).collect();
    assert_eq!(said, ["183 Session Progress", "200 OK", "180 Ringing"], "one at a time");
}

/// RFC 3262 §3, §5: an INVITE without an offer gets ours early, and the PRACK brings the answer; another RAck is 481.
#[test]
fn an_offer_of_ours_is_answered_by_the_prack() {
    let mut bench = Bench::new();
    bench.take(&Request { extra: "Require: 100rel\r\n".to_owned(), ..Request::new("INVITE", "i") });
    let call = bench.incoming();
    bench.command(Command::Progress { call, status: 180, answer: Some(sdp("our offer")) });
    assert_eq!((bench.answer().as_str(), bench.header("Require").as_str()), ("180 Ringing", "100rel"));
    let rseq = bench.header("RSeq");
    let to_tag = bench.header("To").split("tag=").nth(1).unwrap().to_owned();
    let prack = |branch: &str, seq, rack: String, body| Request {
        to_tag: to_tag.clone(),
        seq,
        extra: format!("RAck: {rack}\r\n"),
        body,
        ..Request::new("PRACK", branch)
    };
    let update = Request { to_tag: to_tag.clone(), seq: 2, body: SDP, ..Request::new("UPDATE", "u") };
    assert_eq!(bench.take(&update), "491 Request Pending", "RFC 3311 5.2: our offer has no answer yet");
    for (branch, seq, rack) in [("p1", 3, "1 1 INVITE".to_owned()), ("p2", 4, format!("{rseq} 2 INVITE")), ("p3", 5, "x".to_owned())] {
        assert_eq!(bench.take(&prack(branch, seq, rack, SDP)), "481 Call Transaction Does Not Exist");
    }
    assert_eq!(bench.take(&prack("p4", 6, format!("{rseq} 1 INVITE"), SDP)), "200 OK");
    assert_eq!(bench.events.last(), Some(&Event::OfferAnswered { call, sdp: Some(sdp(SDP)) }));
    assert_eq!(bench.take(&prack("p5", 7, format!("{rseq} 1 INVITE"), SDP)), "481 Call Transaction Does Not Exist", "acknowledged once");
    bench.command(Command::Accept { call, answer: sdp("x") });
    assert!(bench.answer() == "200 OK" && bench.last().ends_with("Content-Length: 0\r\n\r\n"));
}

/// RFC 3262 §5: once the first exchange is over, a PRACK may offer more; its 200 answers, and the call's 200 comes after it.
#[test]
fn a_prack_may_bring_an_offer() {
    let mut bench = Bench::new();
    bench.take(&Request { extra: "Supported: 100rel\r\n".to_owned(), body: SDP, ..Request::new("INVITE", "i") });
    let call = bench.incoming();
    bench.command(Command::Progress { call, status: 183, answer: Some(sdp("answer")) });
    let (rseq, to_tag) = (bench.header("RSeq"), bench.header("To").split("tag=").nth(1).unwrap().to_owned());
    let early = Request { to_tag: to_tag.clone(), seq: 2, body: SDP, ..Request::new("UPDATE", "u") };
    assert_eq!(bench.take(&early), "500 Server Internal Error", "RFC 3311 5.2: the INVITE's offer has no answer that the peer has");
    let extra = format!("RAck: {rseq} 1 INVITE\r\n");
    assert_eq!(bench.take(&Request { to_tag, seq: 3, extra, body: SDP, ..Request::new("PRACK", "p") }), "");
    assert_eq!(bench.events.last(), Some(&Event::Reoffer { call, offer: Some(sdp(SDP)) }));
    bench.command(Command::Accept { call, answer: sdp("x") });
    assert!(bench.sent.is_empty());
    bench.command(Command::Answer { call, sdp: Some(sdp("second")) });
    let said: Vec<&str> = bench.sent.iter().map(|(_, text)| text.lines().find(|line| line.starts_with("CSeq")).unwrap()).collect();
    assert_eq!(said, ["CSeq: 3 PRACK", "CSeq: 1 INVITE"]);
    assert!(bench.sent[0].1.ends_with("second"));
}

/// RFC 3261 §12.1.2, RFC 3262 §4: each phone has a dialog of its own; its answers are acknowledged in order, and each once.
#[test]
fn phones_that_ring_at_once_are_acknowledged_each_in_its_order() {
    let mut bench = callee::Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    let ring = |bench: &mut callee::Bench, tag: &str, rseq: u32| {
        let extra = format!("Require: 100rel\r\nRSeq: {rseq}\r\nContact: <sip:{tag}@192.0.2.2>\r\n");
        bench.answer(&invite, "180 Ringing", tag, &extra);
        bench.first_words().join(" ")
    };
    assert_eq!(ring(&mut bench, "one", 5), "PRACK sip:one@192.0.2.2");
    let first: u32 = bench.header("CSeq").split(' ').next().unwrap().parse().unwrap();
    assert!(bench.header("RAck").starts_with("5 ") && bench.header("To").ends_with(";tag=one"));
    assert_eq!(ring(&mut bench, "one", 5), "", "a repeat");
    assert_eq!(ring(&mut bench, "one", 7), "", "6 is missing");
    assert_eq!(ring(&mut bench, "one", 6), "PRACK sip:one@192.0.2.2");
    assert_eq!(bench.header("CSeq"), format!("{} PRACK", first + 1));
    assert_eq!(ring(&mut bench, "two", 99), "PRACK sip:two@192.0.2.2");
    assert_eq!(bench.header("CSeq"), format!("{first} PRACK"), "each dialog counts for itself");
    assert_eq!(bench.events.len(), 3);
    bench.answer(&invite, "199 Early Dialog Terminated", "one", "");
    assert_eq!(bench.events.len(), 3, "RFC 6228: nobody needs to hear of it");
    bench.answer(&invite, "200 OK", "two", "Contact: <sip:two@192.0.2.2>\r\nRecord-Route: <sip:192.0.2.9;lr>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:two@192.0.2.2"]);
    bench.endpoint.handle_command(crate::base::Instant::from_millis(9), Command::Hangup { call, reason: None });
    bench.drain();
    assert_eq!(bench.header("CSeq"), format!("{} BYE", first + 1), "it counts on after its PRACK");
    assert_eq!(bench.header("Route"), "<sip:192.0.2.9;lr>");
}

#[test]
fn more_phones_than_there_is_room_for_are_heard_and_not_acknowledged() {
    let mut bench = callee::Bench::new();
    bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    for phone in 0..20 {
        bench.answer(&invite, "180 Ringing", &format!("t{phone}"), "Require: 100rel\r\nRSeq: 1\r\n");
        assert_eq!(bench.sent.len(), usize::from(phone < crate::base::limits::SIP_EARLY_DIALOGS_MAX));
    }
    assert_eq!(bench.events.len(), 20);
}

/// RFC 3311 §5.1, §5.2: before the answer other media are offered by UPDATE, from either end.
#[test]
fn media_change_before_the_answer_by_update() {
    let (mut rig, ours, theirs) = sounding();
    rig.command(1, Command::Offer { call: theirs, sdp: sdp("second") });
    rig.pass(10);
    assert_eq!(rig.events[0].last(), Some(&Event::Reoffer { call: ours, offer: Some(sdp("second")) }));
    rig.command(0, Command::Answer { call: ours, sdp: Some(sdp("third")) });
    rig.pass(10);
    assert_eq!(rig.events[1].last(), Some(&Event::OfferAnswered { call: theirs, sdp: Some(sdp("third")) }));
    rig.command(0, Command::Offer { call: ours, sdp: sdp("fourth") });
    rig.pass(10);
    rig.command(1, Command::Accept { call: theirs, answer: sdp("x") });
    assert!(
        rig.lines(1).iter().all(|(_, line)| line != "200 OK" || !rig.events[0].iter().any(|event| matches!(event, Event::Answered { .. })))
    );
    rig.command(1, Command::Answer { call: theirs, sdp: Some(sdp("fifth")) });
    rig.pass(20);
    let told = rig.events[0].split_off(rig.events[0].len() - 2);
    let answered = Event::Answered { call: ours, sdp: Some(sdp("fifth")) };
    assert!(told.contains(&Event::OfferAnswered { call: ours, sdp: Some(sdp("fifth")) }) && told.contains(&answered), "{told:?}");
    assert_eq!(rig.lines(0).iter().chain(&rig.lines(1)).filter(|(_, line)| line.starts_with("UPDATE")).count(), 2);
    rig.command(1, Command::Hangup { call: theirs, reason: None });
    rig.pass(80_000);
    rig.assert_empty();
}

/// RFC 3311 §5.1: no UPDATE with an offer before the first one is answered and acknowledged.
#[test]
fn nothing_is_offered_before_the_first_answer() {
    let (mut rig, ours, theirs) = begun();
    rig.command(1, Command::Ring { call: theirs });
    rig.pass(10);
    for (side, call) in [(0, ours), (1, theirs)] {
        rig.command(side, Command::Offer { call, sdp: sdp("x") });
        assert_eq!(rig.events[side].last(), Some(&Event::OfferRefused { call, status: 491 }));
    }
    assert!(rig.wire.iter().all(|(_, _, text)| !text.starts_with("UPDATE")));
}

/// RFC 3311 §5.2: two offers by UPDATE that cross are refused with 491, and come again apart.
#[test]
fn updates_that_cross_come_again_apart() {
    let (mut rig, ours, theirs) = sounding();
    rig.command(0, Command::Offer { call: ours, sdp: sdp("one") });
    rig.command(1, Command::Offer { call: theirs, sdp: sdp("two") });
    rig.pass(10);
    assert_eq!(rig.wire.iter().filter(|(_, _, text)| text.starts_with("SIP/2.0 491")).count(), 2);
    rig.pass(2_050);
    assert_eq!(rig.events[0].last(), Some(&Event::Reoffer { call: ours, offer: Some(sdp("two")) }));
    rig.command(0, Command::Answer { call: ours, sdp: Some(sdp("three")) });
    rig.pass(4_000);
    assert_eq!(rig.events[1].last(), Some(&Event::Reoffer { call: theirs, offer: Some(sdp("one")) }));
    rig.command(0, Command::Cancel { call: ours });
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §9: a call that is cancelled while an UPDATE or a PRACK is under way leaves nothing behind.
#[test]
fn a_cancel_ends_what_is_under_way() {
    for millis in [0, 1, 2, 3, 600] {
        let (mut rig, ours, theirs) = begun();
        rig.weather = Weather { delay_ms_max: 3, ..Weather::default() };
        rig.command(1, Command::Progress { call: theirs, status: 183, answer: Some(sdp(ANSWER)) });
        rig.pass(millis);
        rig.command(0, Command::Offer { call: ours, sdp: sdp("one") });
        rig.command(0, Command::Cancel { call: ours });
        rig.pass(100_000);
        let ended = rig.events[1].iter().filter(|event| matches!(event, Event::Cancelled { .. } | Event::Ended { .. })).count();
        assert_eq!(ended, 1);
        rig.assert_empty();
    }
}

/// RFC 3261 §14.2, RFC 3311 §5.2: a re-INVITE without an offer gets ours, its ACK the answer, and no UPDATE crosses in between.
#[test]
fn a_reinvite_without_an_offer_gets_ours() {
    let mut bench = Bench::new();
    let (call, to_tag) = bench.up();
    bench.take(&Request { to_tag: to_tag.clone(), seq: 2, ..Request::new("INVITE", "r") });
    assert_eq!(bench.events.last(), Some(&Event::Reoffer { call, offer: None }));
    bench.command(Command::Answer { call, sdp: Some(sdp("ours")) });
    assert!(bench.answer() == "200 OK" && bench.last().ends_with("ours"));
    let update = Request { to_tag: to_tag.clone(), seq: 3, body: SDP, ..Request::new("UPDATE", "u") };
    assert_eq!(bench.take(&update), "491 Request Pending");
    bench.take(&Request { to_tag, seq: 2, body: SDP, ..Request::new("ACK", "a") });
    assert_eq!(bench.events.last(), Some(&Event::Acked { call, sdp: Some(sdp(SDP)) }));
}
