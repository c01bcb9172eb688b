//! One call in the place of another, asked for and asking. RFC 3891, RFC 5589.

use bytes::Bytes;

use super::hand::{Bench, Request, SDP};
use super::rig::Rig;
use crate::base::Pii;
use crate::sip::{Command, EndCause, Event, Invite, Replaces, SipCall};

fn sdp() -> Bytes {
    Bytes::from_static(b"v=0\r\n")
}

/// Another call that is up, with its two names.
fn another(rig: &mut Rig) -> (SipCall, SipCall) {
    let ours = rig.invite("v=0\r\n");
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Accept { call: theirs, answer: sdp() });
    rig.pass(20);
    (ours, theirs)
}

/// The dialog of the caller's `call`, as the callee shall find it.
fn named(rig: &Rig, call: SipCall) -> Replaces {
    let dialog = &rig.ends[0].calls[&call].dialog;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Replaces {
        call_id: text(&dialog.call_id),
        to_tag: text(dialog.remote_tag.as_ref().unwrap()),
        from_tag: text(&dialog.local_tag),
        is_early_only: false,
    }
}

fn replacing(rig: &mut Rig, replaces: Replaces) -> SipCall {
    let ours = rig.place(Invite { replaces: Some(replaces), ..Invite::new(Rig::flow(0), "sip:20@192.0.2.2", sdp()) });
    rig.pass(20);
    ours
}

/// RFC 3891 §3: the new call is answered, and the one it names gets its BYE.
#[test]
fn a_call_takes_the_place_of_another() {
    let mut rig = Rig::new(5);
    let (old, their_old) = another(&mut rig);
    let replaces = named(&rig, old);
    let new = replacing(&mut rig, replaces);
    let Some(Event::Incoming(arrival)) = rig.events[1].last() else { panic!("{:?}", rig.events[1]) };
    assert_eq!(arrival.replaces, Some(their_old));
    let their_new = arrival.call;
    assert!(rig.ends[1].calls() == 2, "until the new one is answered both are up");
    rig.command(1, Command::Accept { call: their_new, answer: sdp() });
    rig.pass(20);
    assert!(rig.events[1].contains(&Event::Ended { call: their_old, cause: EndCause::Replaced { by: their_new } }));
    assert!(rig.events[0].contains(&Event::Ended { call: old, cause: EndCause::Bye { reason: None } }));
    assert!(rig.events[0].iter().any(|event| matches!(event, Event::Answered { call, .. } if *call == new)));
    rig.pass(40_000);
    assert_eq!(rig.ends.each_ref().map(crate::sip::Endpoint::calls), [1, 1]);
}

/// RFC 3891 §3: each reason not to do so has its status.
#[test]
fn what_cannot_be_replaced_is_refused() {
    let mut rig = Rig::new(5);
    let (old, their_old) = another(&mut rig);
    let good = named(&rig, old);
    let mut status_of = |replaces: Replaces| {
        let call = replacing(&mut rig, replaces);
        rig.events[0].iter().find_map(|event| match event {
            Event::Failed { call: failed, status, .. } if *failed == call => Some(*status),
            _ => None,
        })
    };
    assert_eq!(status_of(Replaces { to_tag: "nobody".to_owned(), ..good.clone() }), Some(481));
    assert_eq!(status_of(Replaces { from_tag: "nobody".to_owned(), ..good.clone() }), Some(481));
    assert_eq!(status_of(Replaces { is_early_only: true, ..good.clone() }), Some(486), "it is answered already");
    assert_eq!(status_of(Replaces { call_id: "a;b".to_owned(), ..good.clone() }), Some(400), "no header of ours is written from this");
    rig.weather.loss = 1;
    rig.command(1, Command::Hangup { call: their_old, reason: None });
    rig.weather.loss = 0;
    let call = replacing(&mut rig, good);
    assert!(matches!(rig.events[0].last(), Some(Event::Failed { call: failed, status: 603, .. }) if *failed == call));
    let mut bench = Bench::new();
    let broken = Request { extra: "Replaces: abc;to-tag=1\r\n".to_owned(), body: SDP, ..Request::new("INVITE", "1") };
    assert_eq!(bench.take(&broken), "400 Bad Request");
    let twice = Request { extra: "Replaces: a;to-tag=1;from-tag=2\r\nReplaces: b;to-tag=1;from-tag=2\r\n".to_owned(), ..broken };
    assert!(bench.take(&twice).starts_with("400 "), "RFC 3891 3: one at most");
}

/// RFC 3891 §3: a call that rings here, and that somebody else began, is not replaced; one that we began is cancelled.
#[test]
fn a_call_that_rings_is_replaced_by_who_began_it() {
    let mut rig = Rig::new(5);
    rig.invite("v=0\r\n");
    rig.pass(20);
    let theirs = rig.incoming();
    rig.command(1, Command::Ring { call: theirs });
    rig.pass(20);
    let early = &rig.ends[0].calls.values().next().unwrap().early[0].dialog;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (call_id, ours, other) = (text(&early.call_id), text(&early.local_tag), text(early.remote_tag.as_ref().unwrap()));
    let to_callee = Replaces { call_id: call_id.clone(), to_tag: other.clone(), from_tag: ours.clone(), is_early_only: true };
    replacing(&mut rig, to_callee);
    assert!(matches!(rig.events[0].last(), Some(Event::Failed { status: 481, .. })));
    // The caller is asked by a third party to let another call take the place of the one that rings.
    let extra = format!("Replaces: {call_id};to-tag={ours};from-tag={other};early-only\r\n");
    let invite = Request { uri: "sip:10@192.0.2.1", extra, body: SDP, ..Request::new("INVITE", "third") };
    rig.ends[0].handle_datagram(rig.now, Rig::flow(0), invite.text().as_bytes());
    rig.drain_to_hand();
    let Some(Event::Incoming(arrival)) = rig.events[0].last() else { panic!("{:?}", rig.events[0]) };
    let (new, replaced) = (arrival.call, arrival.replaces);
    assert!(replaced.is_some());
    rig.ends[0].handle_command(rig.now, Command::Accept { call: new, answer: sdp() });
    rig.drain_to_hand();
    assert_eq!(rig.events[0].last(), Some(&Event::Cancelled { call: replaced.unwrap(), reason: None }));
    assert!(rig.wire.iter().any(|(_, _, text)| text.starts_with("CANCEL ")));
}

/// RFC 5589 §7: of two calls that are up, the peer of one is sent to the peer of the other, which ours leave.
#[test]
fn two_peers_are_put_through_to_each_other() {
    let mut rig = Rig::new(5);
    rig.ends[1].settings.hears_refer = true;
    let (first, their_first) = another(&mut rig);
    let (second, their_second) = another(&mut rig);
    rig.command(0, Command::ReferReplacing { call: first, other: second });
    rig.pass(20);
    let expected = named(&rig, second);
    let event = Event::Referred {
        call: their_first,
        target: Pii::new("sip:nightbell@192.0.2.2:5060".to_owned()),
        replaces: Some(Box::new(expected)),
        own: Some(their_second),
    };
    assert_eq!(rig.events[1].last(), Some(&event), "the peer finds the very call, and here it is one of its own");
    rig.command(1, Command::AcceptRefer { call: their_first });
    rig.command(1, Command::NotifyRefer { call: their_first, status: 200 });
    rig.pass(20);
    assert!(rig.events[0].contains(&Event::ReferProgress { call: first, status: 200 }));
    rig.command(0, Command::ReferReplacing { call: first, other: first });
    assert_eq!(rig.events[0].last(), Some(&Event::ReferFailed { call: first, status: 481 }));
}

/// RFC 4488 §4: a peer that wants no NOTIFY gets none, and is told so.
#[test]
fn a_refer_without_notifies_is_taken() {
    let mut bench = Bench::new();
    bench.endpoint.settings.hears_refer = true;
    let (call, to_tag) = bench.up();
    let extra = "Refer-To: <sip:30@192.0.2.9?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2&Route=%3Csip:evil%3E>\r\nRefer-Sub: false\r\nRequire: norefersub\r\n";
    bench.take(&Request { to_tag: to_tag.clone(), seq: 2, extra: extra.to_owned(), ..Request::new("REFER", "r") });
    let replaces = Replaces { call_id: "x@y".to_owned(), to_tag: "1".to_owned(), from_tag: "2".to_owned(), is_early_only: false };
    let target = Pii::new("sip:30@192.0.2.9".to_owned());
    assert_eq!(bench.events.last(), Some(&Event::Referred { call, target, replaces: Some(Box::new(replaces)), own: None }));
    bench.command(Command::AcceptRefer { call });
    assert_eq!((bench.answer().as_str(), bench.header("Refer-Sub").as_str()), ("202 Accepted", "false"));
    bench.sent.clear();
    bench.command(Command::NotifyRefer { call, status: 200 });
    assert!(bench.sent.is_empty());
    let extra = "Refer-To: <sip:30@192.0.2.9?Replaces=nothing>\r\n".to_owned();
    assert_eq!(bench.take(&Request { to_tag, seq: 3, extra, ..Request::new("REFER", "s") }), "400 Bad Request");
}
