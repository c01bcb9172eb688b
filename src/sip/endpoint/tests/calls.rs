//! Calls from beginning to end.

use bytes::Bytes;

use super::rig::{Rig, Weather, address};
use crate::sip::{Command, EndCause, Event, Flow, Probe, Reason};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";
const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 192.0.2.2\r\n";

fn sdp(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// A call that is up, with its two names.
fn up() -> (Rig, crate::sip::SipCall, crate::sip::SipCall) {
    let mut rig = Rig::new(7);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Ring { call: theirs });
    rig.pass(20);
    rig.command(1, Command::Accept { call: theirs, answer: sdp(ANSWER) });
    rig.pass(20);
    (rig, ours, theirs)
}

#[test]
fn a_call_rings_is_answered_and_is_hung_up_by_the_caller() {
    let (mut rig, ours, theirs) = up();
    assert_eq!(
        rig.events[0],
        [Event::Progress { call: ours, status: 180, sdp: None }, Event::Answered { call: ours, sdp: Some(sdp(ANSWER)) }]
    );
    let Event::Incoming(arrival) = &rig.events[1][0] else { panic!("{:?}", rig.events[1]) };
    let from = arrival.from.expose();
    assert_eq!((from.display.as_str(), from.user.as_str(), arrival.request_user.expose().as_str()), ("Anna \"A\"", "10", "20"));
    assert_eq!((arrival.offer.as_deref(), arrival.max_forwards, arrival.asserted.is_none()), (Some(OFFER.as_bytes()), 70, true));
    assert_eq!(rig.events[1][1], Event::Acked { call: theirs, sdp: None });
    rig.command(0, Command::Hangup { call: ours, reason: Some(Reason::q850(16, "bye")) });
    rig.pass(20);
    assert_eq!(rig.events[0].last(), Some(&Event::Ended { call: ours, cause: EndCause::Hangup }));
    let cause = EndCause::Bye { reason: Some(Reason::q850(16, "bye")) };
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause }));
    rig.pass(40_000);
    rig.assert_empty();
    let methods: Vec<String> = rig.lines(0).into_iter().map(|(_, line)| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["INVITE", "ACK", "BYE"]);
}

#[test]
fn the_callee_may_hang_up_as_well() {
    let (mut rig, ours, theirs) = up();
    rig.command(1, Command::Hangup { call: theirs, reason: None });
    rig.pass(40_000);
    assert_eq!(rig.events[0].last(), Some(&Event::Ended { call: ours, cause: EndCause::Bye { reason: None } }));
    rig.assert_empty();
}

/// RFC 3261 §13.3.1.4: the 200 again after .5, 1, 2 and then every 4 s; after 32 s without ACK, BYE.
#[test]
fn a_200_is_repeated_until_its_ack_and_given_up_after_32_s() {
    let mut rig = Rig::new(1);
    rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.weather = Weather { loss: 1, ..Weather::default() };
    rig.wire.clear();
    let start = rig.now.as_millis();
    rig.command(1, Command::Accept { call: theirs, answer: sdp(ANSWER) });
    rig.pass(31_990);
    let times: Vec<u64> = rig.lines(1).into_iter().filter(|(_, line)| line == "200 OK").map(|(at, _)| at - start).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert!(!rig.events[1].contains(&Event::Ended { call: theirs, cause: EndCause::NoAck }));
    rig.pass(20);
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause: EndCause::NoAck }));
    assert!(rig.lines(1).iter().any(|(at, line)| line.starts_with("BYE") && *at == start + 32_000));
    rig.pass(400_000);
    rig.assert_empty();
}

/// RFC 3261 §13.2.2.4: a 200 that comes again gets the ACK again.
#[test]
fn a_lost_ack_is_sent_again_when_the_200_comes_again() {
    let mut rig = Rig::new(1);
    rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Accept { call: theirs, answer: sdp(ANSWER) });
    rig.weather.loss = 1;
    rig.pass(10);
    rig.weather.loss = 0;
    rig.pass(1_000);
    assert_eq!(rig.lines(0).iter().filter(|(_, line)| line.starts_with("ACK")).count(), 2);
    assert!(rig.events[1].contains(&Event::Acked { call: theirs, sdp: None }));
}

#[test]
fn a_refused_call_ends_on_both_sides() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Reject { call: theirs, status: 486, reason: Some("everybody talks".to_owned()) });
    rig.pass(20);
    assert_eq!(
        rig.events[0],
        [Event::Failed { call: ours, status: 486, reason: "Busy Here".to_owned(), why: Some("everybody talks".to_owned()) }]
    );
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause: EndCause::Rejected { status: 486 } }));
    assert!(rig.wire.iter().any(|(_, _, text)| text.contains("Warning: 399 192.0.2.2:5060 \"everybody talks\"")));
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §9: CANCEL is answered 200, the INVITE 487.
#[test]
fn a_cancelled_call_ends_with_487() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Ring { call: theirs });
    rig.command(0, Command::Cancel { call: ours });
    rig.pass(20);
    assert_eq!(rig.events[0], [Event::Cancelled { call: ours, reason: None }]);
    assert_eq!(rig.events[1].last(), Some(&Event::Cancelled { call: theirs, reason: None }));
    let answers: Vec<String> = rig.lines(1).into_iter().map(|(_, line)| line).collect();
    assert_eq!(answers, ["100 Trying", "180 Ringing", "200 OK", "487 Request Terminated"]);
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §9.1: no CANCEL before a provisional response.
#[test]
fn a_cancel_waits_for_the_first_answer() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.command(0, Command::Cancel { call: ours });
    assert!(rig.lines(0).iter().all(|(_, line)| !line.starts_with("CANCEL")));
    rig.pass(20);
    assert!(rig.lines(0).iter().any(|(_, line)| line.starts_with("CANCEL")));
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §9.1, §15: where the CANCEL and the 200 cross, the call is acknowledged and hung up.
#[test]
fn a_cancel_that_crosses_the_200_becomes_a_bye() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Accept { call: theirs, answer: sdp(ANSWER) });
    rig.command(0, Command::Cancel { call: ours });
    rig.pass(60);
    assert_eq!(rig.events[0], [Event::Cancelled { call: ours, reason: None }]);
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause: EndCause::Bye { reason: None } }));
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §15: a callee keeps its BYE back until the ACK.
#[test]
fn a_callee_that_hangs_up_at_once_waits_for_the_ack() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Accept { call: theirs, answer: sdp(ANSWER) });
    rig.command(1, Command::Hangup { call: theirs, reason: None });
    assert!(rig.lines(1).iter().all(|(_, line)| !line.starts_with("BYE")));
    assert_eq!(rig.events[1].last(), Some(&Event::Ended { call: theirs, cause: EndCause::Hangup }));
    rig.pass(60);
    assert_eq!(rig.events[0].last(), Some(&Event::Ended { call: ours, cause: EndCause::Bye { reason: None } }));
    rig.pass(40_000);
    rig.assert_empty();
}

#[test]
fn a_peer_that_never_answers_fails_after_32_s() {
    let mut rig = Rig::new(1);
    rig.weather.loss = 1;
    let ours = rig.invite(OFFER);
    rig.pass(31_999);
    assert!(rig.events[0].is_empty());
    rig.pass(2);
    assert_eq!(rig.events[0], [Event::Failed { call: ours, status: 408, reason: "nobody answers".to_owned(), why: None }]);
    let times: Vec<u64> = rig.lines(0).into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    rig.assert_empty();
}

#[test]
fn a_call_that_only_rings_is_given_up_after_three_minutes_and_rings_each_minute() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Ring { call: theirs });
    rig.pass(179_900);
    assert_eq!(rig.lines(1).iter().filter(|(_, line)| line == "180 Ringing").count(), 3);
    rig.pass(1_000);
    assert_eq!(rig.events[0].last(), Some(&Event::Failed { call: ours, status: 408, reason: "nobody answers".to_owned(), why: None }));
    assert_eq!(rig.events[1].last(), Some(&Event::Cancelled { call: theirs, reason: None }));
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3515 §2.4: the REFER is accepted, and NOTIFYs tell how the call goes. Ours declines one.
#[test]
fn a_refer_is_declined_and_the_call_goes_on() {
    let (mut rig, ours, _) = up();
    rig.command(0, Command::Refer { call: ours, target: "sip:30@192.0.2.9".to_owned() });
    rig.pass(50);
    assert_eq!(rig.events[0].last(), Some(&Event::ReferFailed { call: ours, status: 603 }));
    assert!(
        rig.wire.iter().any(|(_, _, text)| text.contains("Refer-To: <sip:30@192.0.2.9>\r\nReferred-By: <sip:nightbell@192.0.2.1:5060>"))
    );
    rig.command(0, Command::Hangup { call: ours, reason: None });
    rig.pass(40_000);
    rig.assert_empty();
}

#[test]
fn a_peer_answers_the_question_whether_it_is_there() {
    let mut rig = Rig::new(1);
    let ask = |probe, target: &str| Command::Options { probe: Probe(probe), flow: Rig::flow(0), target: target.to_owned() };
    rig.command(0, ask(1, "sip:192.0.2.2"));
    rig.pass(20);
    assert_eq!(rig.events[0], [Event::Probed { probe: Probe(1), status: 200 }]);
    assert!(
        rig.wire[1].2.contains("\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS") && rig.wire[1].2.contains("\r\nAccept: application/sdp")
    );
    rig.weather.loss = 1;
    rig.command(0, ask(2, "sip:192.0.2.2"));
    rig.pass(32_001);
    assert_eq!(rig.events[0].last(), Some(&Event::Probed { probe: Probe(2), status: 408 }));
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §14.1: an offer within the call is answered, and its 200 acknowledged.
#[test]
fn an_offer_within_the_call_is_answered_or_refused() {
    let (mut rig, ours, theirs) = up();
    rig.command(0, Command::Offer { call: ours, sdp: sdp("hold") });
    rig.pass(10);
    assert_eq!(rig.events[1].last(), Some(&Event::Reoffer { call: theirs, offer: Some(sdp("hold")) }));
    rig.command(1, Command::Answer { call: theirs, sdp: Some(sdp("held")) });
    rig.pass(10);
    assert_eq!(rig.events[0].last(), Some(&Event::OfferAnswered { call: ours, sdp: Some(sdp("held")) }));
    assert_eq!(rig.events[1].last(), Some(&Event::Acked { call: theirs, sdp: None }));
    rig.command(1, Command::Offer { call: theirs, sdp: sdp("back") });
    rig.pass(10);
    rig.command(0, Command::RejectOffer { call: ours, status: 488 });
    rig.pass(10);
    assert_eq!(rig.events[1].last(), Some(&Event::OfferRefused { call: theirs, status: 488 }));
    rig.command(0, Command::Hangup { call: ours, reason: None });
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §14.1: two offers that cross are both refused with 491, and come again at different times.
#[test]
fn two_offers_that_cross_come_again_apart() {
    let (mut rig, ours, theirs) = up();
    rig.command(0, Command::Offer { call: ours, sdp: sdp("one") });
    rig.command(1, Command::Offer { call: theirs, sdp: sdp("two") });
    rig.pass(10);
    assert_eq!(rig.wire.iter().filter(|(_, _, text)| text.starts_with("SIP/2.0 491")).count(), 2);
    rig.pass(2_050);
    assert_eq!(rig.events[0].last(), Some(&Event::Reoffer { call: ours, offer: Some(sdp("two")) }), "the callee is the first, within 2 s");
    rig.command(0, Command::Answer { call: ours, sdp: Some(sdp("three")) });
    rig.pass(4_000);
    assert_eq!(rig.events[1].last(), Some(&Event::Reoffer { call: theirs, offer: Some(sdp("one")) }));
    rig.command(1, Command::Answer { call: theirs, sdp: Some(sdp("four")) });
    rig.pass(10);
    assert_eq!(rig.events[0].last(), Some(&Event::OfferAnswered { call: ours, sdp: Some(sdp("four")) }));
}

/// RFC 3261 §12.2.1.2, §14.1: an offer that nobody answers ends the call.
#[test]
fn an_offer_without_an_answer_ends_the_call() {
    let (mut rig, ours, _) = up();
    rig.command(0, Command::Offer { call: ours, sdp: sdp("hold") });
    rig.pass(32_100);
    assert_eq!(rig.events[0].last(), Some(&Event::Ended { call: ours, cause: EndCause::Timeout }));
    rig.pass(80_000);
    rig.assert_empty();
}

#[test]
fn nothing_personal_prints() {
    let refer = Command::Refer { call: crate::sip::SipCall(4), target: "sip:12015550123@h".to_owned() };
    let send = crate::sip::Output::Send { flow: Rig::flow(0), bytes: sdp("INVITE sip:12015550123@h") };
    assert_eq!(format!("{refer:?} {send:?}"), "Refer(4) Send(24 octets to 192.0.2.2:5060)");
}

#[test]
fn nobody_who_is_not_trusted_is_called() {
    let mut rig = Rig::new(1);
    let invite = crate::sip::Invite {
        from_user: "10".to_owned(),
        ..crate::sip::Invite::new(Flow::udp(address(0), "203.0.113.1:5060".parse().unwrap()), "sip:1@203.0.113.1", sdp(OFFER))
    };
    let call = rig.ends[0].invite(rig.now, invite);
    rig.drain();
    assert!(matches!(rig.events[0].as_slice(), [Event::Failed { call: failed, status: 403, .. }] if *failed == call));
    assert!(rig.wire.is_empty());
}

/// RFC 3515 §2.4: 202, a NOTIFY that says what happens, and a last one that says how it came out.
#[test]
fn a_refer_that_the_shell_takes_is_followed_to_its_end() {
    let (mut rig, ours, theirs) = up();
    rig.ends[1].settings.hears_refer = true;
    rig.command(0, Command::Refer { call: ours, target: "sip:30@192.0.2.9".to_owned() });
    rig.pass(20);
    assert_eq!(
        rig.events[1].last(),
        Some(&Event::Referred { call: theirs, target: crate::base::Pii::new("sip:30@192.0.2.9".to_owned()), replaces: None, own: None })
    );
    rig.command(1, Command::AcceptRefer { call: theirs });
    rig.pass(20);
    rig.command(1, Command::NotifyRefer { call: theirs, status: 200 });
    rig.pass(20);
    let told = rig.events[0].split_off(rig.events[0].len() - 3);
    let progress = |status| Event::ReferProgress { call: ours, status };
    assert_eq!(told, [Event::ReferAccepted { call: ours }, progress(100), progress(200)]);
    rig.command(1, Command::NotifyRefer { call: theirs, status: 200 });
    assert_eq!(rig.ends[1].counters().ignored_commands, 1, "the subscription is over");
    rig.command(0, Command::Hangup { call: ours, reason: None });
    rig.pass(40_000);
    rig.assert_empty();
}

#[test]
fn a_refer_that_the_shell_refuses_leaves_the_call_as_it_was() {
    let (mut rig, ours, theirs) = up();
    rig.ends[1].settings.hears_refer = true;
    rig.command(0, Command::Refer { call: ours, target: "sip:30@192.0.2.9".to_owned() });
    rig.pass(20);
    rig.command(1, Command::RejectRefer { call: theirs, status: 486 });
    rig.pass(20);
    assert_eq!(rig.events[0].last(), Some(&Event::ReferFailed { call: ours, status: 486 }));
    rig.command(1, Command::Hangup { call: theirs, reason: None });
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3326 §2: a CANCEL says that another has answered, so that no phone shows a missed call.
#[test]
fn a_cancel_says_why() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    let reason = Reason::sip(200, "Call completed elsewhere");
    rig.command(0, Command::Hangup { call: ours, reason: Some(reason.clone()) });
    rig.pass(20);
    assert_eq!(rig.events[1].last(), Some(&Event::Cancelled { call: theirs, reason: Some(reason) }));
    rig.pass(40_000);
    rig.assert_empty();
}

/// RFC 3261 §13.3.1.4, §15: a callee whose 200 never arrives hangs up, and the caller hears that nobody is there.
#[test]
fn a_callee_whose_answer_is_lost_hangs_up() {
    let mut rig = Rig::new(1);
    let ours = rig.invite(OFFER);
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Ring { call: theirs });
    rig.pass(20);
    rig.weather.loss = 1;
    rig.command(1, Command::Accept { call: theirs, answer: sdp(ANSWER) });
    rig.pass(31_900);
    rig.weather.loss = 0;
    rig.pass(1_000);
    assert!(matches!(rig.events[0].last(), Some(Event::Failed { call, status: 480, .. }) if *call == ours), "{:?}", rig.events[0]);
    rig.pass(80_000);
    rig.assert_empty();
}
