//! Calls of ours against a callee written by hand.

use super::callee::{Bench, flow};
use crate::base::Instant;
use crate::sip::{Command, Event};

/// RFC 3261 §12.1.2: a caller follows the recorded route in reverse, to the callee's Contact.
#[test]
fn a_caller_follows_the_route_in_reverse() {
    let mut bench = Bench::new();
    bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    assert!(invite.starts_with("INVITE sip:20@pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"));
    assert!(invite.contains("From: <sip:a%20b@192.0.2.1>;tag="), "{invite}");
    let extra = "Record-Route: <sip:192.0.2.8;lr>\r\nRecord-Route: <sip:192.0.2.9:5070;lr>\r\nContact: <sip:20@10.0.0.1>\r\n";
    bench.answer(&invite, "200 OK", "t", extra);
    assert_eq!(bench.first_words(), ["ACK sip:20@10.0.0.1"]);
    assert!(bench.sent[0].1.contains("Route: <sip:192.0.2.9:5070;lr>\r\nRoute: <sip:192.0.2.8;lr>\r\n"));
    assert_eq!(bench.sent[0].0.remote, "192.0.2.9:5070".parse().unwrap());
}

/// RFC 3261 §13.2.2.4: of two phones that answer, the second is acknowledged and hung up.
#[test]
fn the_second_phone_that_answers_is_hung_up() {
    let mut bench = Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "180 Ringing", "one", "");
    bench.answer(&invite, "180 Ringing", "two", "");
    bench.answer(&invite, "200 OK", "one", "Contact: <sip:one@192.0.2.2>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:one@192.0.2.2"]);
    bench.answer(&invite, "200 OK", "two", "Contact: <sip:two@192.0.2.2>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:two@192.0.2.2", "BYE sip:two@192.0.2.2"]);
    assert!(bench.sent.iter().all(|(_, text)| text.contains(";tag=two\r\n")));
    bench.answer(&invite, "200 OK", "one", "Contact: <sip:one@192.0.2.2>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:one@192.0.2.2"], "a repeat of the first gets its ACK again, and no second event");
    assert_eq!(bench.events.iter().filter(|event| **event == Event::Answered { call, sdp: None }).count(), 1);
}

/// RFC 3261 §17.1.1.3: the ACK of a refusal has the INVITE's branch and number, and the To of the response.
#[test]
fn the_ack_of_a_refusal_belongs_to_its_invite() {
    let mut bench = Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    let line = |name: &str| invite.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    bench.answer(&invite, "404 Niemand da", "t", "");
    let ack = bench.sent[0].1.clone();
    assert!(
        ack.starts_with("ACK sip:20@pbx.example SIP/2.0\r\n")
            && ack.contains(&line("Via"))
            && ack.contains("To: <sip:20@pbx.example>;tag=t\r\n")
    );
    assert!(ack.contains(&line("CSeq").replace("INVITE", "ACK")));
    assert_eq!(bench.events, [Event::Failed { call, status: 404, reason: "Niemand da".to_owned(), why: None }]);
}

/// RFC 3261 §8.1.3.3: a response with a second Via was meant for somebody else.
#[test]
fn a_response_for_somebody_else_is_dropped() {
    let mut bench = Bench::new();
    bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "200 OK", "t", "Via: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKother\r\n");
    bench.answer(&invite.replace("branch=z9hG4bK", "branch=z9hG4bKx"), "200 OK", "t", "");
    assert_eq!((bench.events.len(), bench.endpoint.counters().stray_responses), (0, 2));
}

#[test]
fn a_call_that_cannot_be_placed_fails_at_once() {
    let mut bench = Bench::new();
    for (target, hops, expected) in [("urn:service:sos", 70, 416), ("sip:a@b\r\nEvil: 1", 70, 416), ("sip:20@pbx", 0, 483)] {
        let call = bench.invite(target, hops);
        let Some(Event::Failed { call: failed, status, .. }) = bench.events.last() else { panic!("{:?}", bench.events) };
        assert_eq!((*failed, *status), (call, expected));
    }
    assert!(bench.sent.is_empty() && bench.endpoint.calls() == 0);
}

/// RFC 3261 §12.2.2: what the peer sends within a call from a new address tells where it is now.
#[test]
fn a_peer_that_moves_is_followed() {
    let mut bench = Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "200 OK", "t", "Contact: <sip:20@10.0.0.1>\r\n");
    let value = |name: &str| invite.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (from, call_id) = (value("From: "), value("Call-ID: "));
    let text = format!(
        "OPTIONS sip:nightbell@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKm;rport\r\nFrom: <sip:20@pbx.example>;tag=t\r\nTo: {from}\r\nCall-ID: {call_id}\r\nCSeq: 9 OPTIONS\r\n\r\n"
    );
    bench.endpoint.handle_datagram(Instant::from_millis(9), flow().towards("192.0.2.2:40000".parse().unwrap()), text.as_bytes());
    bench.drain();
    bench.endpoint.handle_command(Instant::from_millis(9), Command::Hangup { call, reason: None });
    bench.drain();
    let (way, bye) = bench.sent.last().unwrap();
    assert!(bye.starts_with("BYE sip:20@10.0.0.1 SIP/2.0"));
    assert_eq!(way.remote, "192.0.2.2:40000".parse().unwrap());
}

/// RFC 3261 §9.1: where the 200 has come first, the 487 to a CANCEL that crossed it changes nothing.
#[test]
fn a_487_after_the_200_changes_nothing() {
    let mut bench = Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "180 Ringing", "t", "");
    bench.endpoint.handle_command(Instant::from_millis(6), Command::Cancel { call });
    bench.drain();
    assert!(bench.first_words()[0].starts_with("CANCEL "));
    bench.answer(&invite, "200 OK", "t", "Contact: <sip:20@192.0.2.2>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:20@192.0.2.2", "BYE sip:20@192.0.2.2"]);
    let bye = bench.sent[1].1.clone();
    bench.answer(&invite, "487 Request Terminated", "t", "");
    assert!(bench.sent.is_empty());
    bench.answer(&bye, "200 OK", "t", "");
    assert_eq!(bench.events.last(), Some(&Event::Cancelled { call, reason: None }));
    assert_eq!(bench.endpoint.calls(), 0);
}

/// RFC 3261 §12.2.1.2, §12.2.2, RFC 3311 §5.2: a re-INVITE and an UPDATE move the peer, in either direction.
#[test]
fn the_peers_contact_is_followed() {
    let mut bench = Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "200 OK", "t", "Contact: <sip:first@192.0.2.2>\r\nAllow: UPDATE\r\n");
    let offer = |bench: &mut Bench| {
        bench.sent.clear();
        bench.endpoint.handle_command(bench.now, Command::Offer { call, sdp: bytes::Bytes::from_static(b"v=0") });
        bench.drain();
        bench.sent.last().unwrap().1.clone()
    };
    let reinvite = offer(&mut bench);
    assert!(reinvite.starts_with("INVITE sip:first@192.0.2.2 SIP/2.0"));
    bench.answer(&reinvite, "200 OK", "t", "Contact: <sip:second@192.0.2.2>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:second@192.0.2.2"]);
    let value = |name: &str| invite.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (from, call_id) = (value("From: "), value("Call-ID: "));
    bench.take(&format!(
        "UPDATE sip:nightbell@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKu;rport\r\nFrom: <sip:20@pbx.example>;tag=t\r\nTo: {from}\r\nCall-ID: {call_id}\r\nCSeq: 9 UPDATE\r\nContact: <sip:third@192.0.2.2>\r\n\r\n"
    ));
    assert!(bench.sent[0].1.starts_with("SIP/2.0 200 "));
    assert!(offer(&mut bench).starts_with("INVITE sip:third@192.0.2.2 SIP/2.0"));
}

/// RFC 3261 §14.2: an offer that comes too early for the peer goes again when the peer says so, and not for ever.
#[test]
fn an_offer_comes_again_when_the_peer_says_so() {
    let mut bench = Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "200 OK", "t", "Contact: <sip:20@192.0.2.2>\r\n");
    bench.endpoint.handle_command(bench.now, Command::Offer { call, sdp: bytes::Bytes::from_static(b"hold") });
    bench.drain();
    for after in 1..=5 {
        let offer = bench.sent.iter().rev().find(|(_, text)| text.starts_with("INVITE")).unwrap().1.clone();
        bench.answer(&offer, "500 Server Internal Error", "t", "Retry-After: 3 (soon)\r\n");
        assert_eq!(bench.events.len(), 1);
        bench.wait(3 * after + 1);
        assert!(bench.first_words().contains(&"INVITE sip:20@192.0.2.2"), "{after}");
    }
    let offer = bench.sent.iter().rev().find(|(_, text)| text.starts_with("INVITE")).unwrap().1.clone();
    bench.answer(&offer, "500 Server Internal Error", "t", "Retry-After: 3\r\n");
    assert_eq!(bench.events.last(), Some(&Event::OfferRefused { call, status: 500 }));
}
