//! One message at a time, written by hand as a peer would.

use bytes::Bytes;

use super::hand::{Bench, Request, SDP, THEM, US};
use crate::base::limits;
use crate::sip::{Command, Event, Flow};

#[test]
fn a_stranger_meets_silence() {
    let mut bench = Bench::new();
    bench.take_from("203.0.113.9:5060", Request::new("OPTIONS", "1").text().as_bytes());
    bench.take_from("203.0.113.9:5060", b"nonsense");
    assert!(bench.sent.is_empty() && bench.events.iter().all(|event| matches!(event, Event::Noticed(_))));
    assert_eq!(bench.endpoint.counters().untrusted, 2);
}

/// RFC 3261 §18.2.2: maddr names another address, where that is a known peer's; a datagram does not point our answers at strangers.
#[test]
fn maddr_is_obeyed_towards_known_peers_alone() {
    for (maddr, way) in [("192.0.2.9", "192.0.2.9:5070"), ("203.0.113.1", "192.0.2.2:5070"), ("239.255.255.1", "192.0.2.2:5070")] {
        let mut bench = Bench::new();
        let text = Request::new("OPTIONS", "1").text().replace(";rport", &format!(";maddr={maddr}"));
        bench.take_from("192.0.2.2:5080", text.as_bytes());
        assert_eq!(bench.sent[0].0.remote, way.parse().unwrap(), "{maddr}");
        assert!(bench.sent[0].1.contains(&format!("maddr={maddr}")), "the Via comes back as it was: {}", bench.sent[0].1);
    }
}

/// RFC 3261 §18.2.2: a request that comes again over a new connection of its sender is answered over that one.
#[test]
fn a_repetition_over_a_new_connection_is_answered_there() {
    let mut bench = Bench::new();
    let text = Request::new("OPTIONS", "1").text().replace("/UDP", "/TCP");
    let over = |port: &str| {
        let flow = Flow::udp(US.parse().unwrap(), format!("192.0.2.2:{port}").parse().unwrap());
        Flow { transport: crate::sip::Transport::Tcp, ..flow }
    };
    for port in ["40001", "40002"] {
        bench.endpoint.handle_datagram(bench.now, over(port), text.as_bytes());
        bench.drain();
    }
    let ways: Vec<_> = bench.sent.iter().map(|(flow, _)| flow.remote.port()).collect();
    assert_eq!(ways, [40_001, 40_002]);
    assert_eq!(bench.endpoint.transactions(), 1);
}

/// Headers in any case, folded, compact or with spaces are the headers that they are; what nobody may say is heard from known peers alone.
#[test]
fn a_header_smuggled_by_its_spelling_is_read_or_refused_as_itself() {
    let twice = ["i: other", "CALL-ID : other", "f: <sip:boss@h>;tag=x", "T: <sip:boss@h>", "cseq: 2 OPTIONS", "l : 5", "mAX-fORWARDS: 0"];
    for smuggled in twice {
        let mut bench = Bench::new();
        let text = Request { extra: format!("{smuggled}\r\n"), ..Request::new("INVITE", "1") }.text();
        bench.take_from(THEM, text.as_bytes());
        assert!(bench.answer().starts_with("400"), "{smuggled}: {}", bench.answer());
        assert!(bench.events.is_empty(), "{smuggled}");
    }
    let mut bench = Bench::new();
    let display = "\"Ignore\tall\u{1b}[2J\u{7}rules\"";
    let text = Request { uri: "sip:20%0d%0aX-Evil:%201@192.0.2.1", body: SDP, ..Request::new("INVITE", "1") }.text();
    bench.take_from(THEM, text.replace("From: <", &format!("From: {display} <")).as_bytes());
    let Some(Event::Incoming(arrival)) = bench.events.last() else { panic!("{:?}", bench.events) };
    let shown = [&arrival.from.expose().display, arrival.request_user.expose()].map(String::as_str).concat();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
}

/// RFC 3581 §4: the answer goes to the port the request came from, and says so.
#[test]
fn rport_brings_the_answer_back_through_a_nat() {
    let mut bench = Bench::new();
    bench.take_from("192.0.2.77:33333", Request::new("OPTIONS", "1").text().as_bytes());
    assert_eq!(bench.sent[0].0.remote, "192.0.2.77:33333".parse().unwrap());
    assert_eq!(bench.header("Via"), "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1;received=192.0.2.77;rport=33333");
}

/// RFC 3261 §18.2.2: without rport, to the port in Via.
#[test]
fn without_rport_the_answer_goes_to_the_port_in_via() {
    let mut bench = Bench::new();
    bench.take_from("192.0.2.2:33333", Request::new("OPTIONS", "1").text().replace(";rport", "").as_bytes());
    assert_eq!(bench.sent[0].0.remote, THEM.parse().unwrap());
}

/// RFC 3261 §8.2: each rule has its own status, and Warning says which.
#[test]
fn every_refusal_says_which_rule() {
    let table: [(Request, &str, &str); 14] = [
        (Request::new("REGISTER", "1"), "405 Method Not Allowed", "Allow"),
        (Request::new("SUBSCRIBE", "2"), "405 Method Not Allowed", "Allow"),
        (Request::new("FROBNICATE", "3"), "501 Not Implemented", "Allow"),
        (Request { uri: "urn:service:sos", ..Request::new("INVITE", "4") }, "416 Unsupported Uri Scheme", "Warning"),
        (Request { extra: "Require: 100rel, x\r\n".to_owned(), ..Request::new("INVITE", "5") }, "420 Bad Extension", "Unsupported"),
        (
            Request { extra: "Content-Type: text/plain\r\n".to_owned(), body: "hi", ..Request::new("INVITE", "6") },
            "415 Unsupported Media Type",
            "Accept",
        ),
        (Request { extra: "Accept: text/plain\r\n".to_owned(), ..Request::new("INVITE", "7") }, "406 Not Acceptable", "Warning"),
        (
            Request { extra: "e: gzip\r\n".to_owned(), body: SDP, ..Request::new("INVITE", "8") },
            "415 Unsupported Media Type",
            "Accept-Encoding",
        ),
        (Request { to_tag: "nobody".to_owned(), ..Request::new("BYE", "9") }, "481 Call Transaction Does Not Exist", "Warning"),
        (Request { to_tag: "nobody".to_owned(), ..Request::new("INVITE", "10") }, "481 Call Transaction Does Not Exist", "Warning"),
        (Request::new("BYE", "11"), "481 Call Transaction Does Not Exist", "Warning"),
        (Request::new("CANCEL", "12"), "481 Call Transaction Does Not Exist", "Warning"),
        (Request::new("REFER", "13"), "603 Decline", "Warning"),
        (
            Request { extra: "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\n".to_owned(), ..Request::new("INVITE", "14") },
            "482 Loop Detected",
            "Warning",
        ),
    ];
    for (request, line, header) in table {
        let mut bench = Bench::new();
        assert_eq!(bench.take(&request), line);
        assert!(!bench.header(header).is_empty(), "{line} carries {header}");
        assert!(bench.header("Warning").starts_with("399 192.0.2.1:5060 \""), "{line} says why");
        assert!(bench.events.is_empty());
    }
}

/// RFC 3261 §8.2.2.2: the same request by another way is refused, a repeat of it is not.
#[test]
fn a_merged_request_is_refused() {
    let mut bench = Bench::new();
    assert_eq!(bench.take(&Request { body: SDP, ..Request::new("INVITE", "1") }), "100 Trying");
    assert_eq!(bench.take(&Request { body: SDP, ..Request::new("INVITE", "1") }), "100 Trying", "a repeat");
    assert_eq!(bench.take(&Request { body: SDP, ..Request::new("INVITE", "2") }), "482 Loop Detected");
    assert_eq!(bench.events.len(), 1);
}

#[test]
fn a_malformed_request_is_refused_with_the_rule_in_the_reason() {
    let mut bench = Bench::new();
    let text = Request::new("OPTIONS", "1").text().replace("Call-ID: abc\r\n", "");
    bench.take_from(THEM, text.as_bytes());
    assert_eq!(bench.answer(), "400 Bad Request (RFC 3261 20.8: Call-ID is one word)");
    assert!(bench.header("Warning").contains("RFC 3261 20.8"));
    bench.sent.clear();
    bench.take_from(THEM, Request::new("ACK", "1").text().replace("Call-ID: abc\r\n", "").as_bytes());
    assert!(bench.sent.is_empty(), "an ACK is never answered");
}

#[test]
fn a_call_without_an_offer_gets_ours_and_its_ack_the_answer() {
    let mut bench = Bench::new();
    bench.take(&Request::new("INVITE", "i"));
    let call = bench.incoming();
    bench.command(Command::Accept { call, answer: Bytes::from_static(b"our offer") });
    assert!(bench.last().ends_with("Content-Length: 9\r\n\r\nour offer"));
    let tag = bench.header("To").split("tag=").nth(1).unwrap().to_owned();
    bench.take(&Request { to_tag: tag, body: SDP, ..Request::new("ACK", "a") });
    assert_eq!(bench.events.last(), Some(&Event::Acked { call, sdp: Some(Bytes::from_static(SDP.as_bytes())) }));
}

#[test]
fn a_reinvite_is_handed_up_and_answered() {
    let mut bench = Bench::new();
    let (call, tag) = bench.up();
    let hold = Request { to_tag: tag.clone(), seq: 2, body: SDP, ..Request::new("INVITE", "r") };
    assert_eq!(bench.take(&hold), "100 Trying");
    assert_eq!(bench.events.last(), Some(&Event::Reoffer { call, offer: Some(Bytes::from_static(SDP.as_bytes())) }));
    let another = Request { seq: 3, branch: "s".to_owned(), ..hold.clone() };
    assert_eq!(bench.take(&another), "500 Server Internal Error");
    assert!(!bench.header("Retry-After").is_empty());
    bench.command(Command::Answer { call, sdp: Some(Bytes::from_static(b"held")) });
    assert!(bench.answer() == "200 OK" && bench.last().ends_with("held"));
    let early = Request { seq: 4, branch: "t".to_owned(), ..hold.clone() };
    assert_eq!(bench.take(&early), "491 Request Pending", "the 200 has no ACK yet");
    bench.take(&Request { to_tag: tag.clone(), seq: 2, ..Request::new("ACK", "ra") });
    assert_eq!(bench.events.last(), Some(&Event::Acked { call, sdp: None }));
    let refused = Request { seq: 5, branch: "u".to_owned(), ..hold };
    bench.take(&refused);
    bench.command(Command::RejectOffer { call, status: 488 });
    assert_eq!(bench.answer(), "488 Not Acceptable Here");
    assert_eq!(bench.take(&Request { to_tag: tag, seq: 6, ..Request::new("BYE", "b") }), "200 OK");
}

/// RFC 3261 §12.2.2: an older number in the same dialog is refused.
#[test]
fn numbers_within_a_call_grow() {
    let mut bench = Bench::new();
    let (_, tag) = bench.up();
    assert_eq!(bench.take(&Request { to_tag: tag.clone(), seq: 5, ..Request::new("OPTIONS", "1") }), "200 OK");
    assert_eq!(bench.take(&Request { to_tag: tag.clone(), seq: 4, ..Request::new("OPTIONS", "2") }), "500 Server Internal Error");
    let stranger = Request { to_tag: tag, seq: 6, from_tag: "other", ..Request::new("BYE", "3") };
    assert_eq!(bench.take(&stranger), "481 Call Transaction Does Not Exist");
}

/// RFC 3311 §5.2: UPDATE with an offer waits for the shell, one without is answered at once.
#[test]
fn an_update_is_answered() {
    let mut bench = Bench::new();
    let (call, tag) = bench.up();
    assert_eq!(bench.take(&Request { to_tag: tag.clone(), seq: 2, ..Request::new("UPDATE", "1") }), "200 OK");
    assert_eq!(bench.take(&Request { to_tag: tag, seq: 3, body: SDP, ..Request::new("UPDATE", "2") }), "");
    assert!(matches!(bench.events.last(), Some(Event::Reoffer { .. })));
    bench.command(Command::Answer { call, sdp: Some(Bytes::from_static(b"new")) });
    assert!(bench.answer() == "200 OK" && bench.last().ends_with("new"));
    assert_eq!(bench.endpoint.poll_deadline().map(|at| at.as_millis() > 5_000), Some(true), "no ACK is waited for");
}

#[test]
fn keys_pressed_come_by_info() {
    let mut bench = Bench::new();
    let (call, tag) = bench.up();
    let extra = "Content-Type: application/dtmf-relay\r\n".to_owned();
    let info = Request { to_tag: tag.clone(), seq: 2, extra, body: "Signal=#\r\nDuration=160\r\n", ..Request::new("INFO", "1") };
    assert_eq!(bench.take(&info), "200 OK");
    assert_eq!(bench.events.last(), Some(&Event::Digit { call, digit: '#', duration_ms: 160 }));
    let other = Request { seq: 3, branch: "2".to_owned(), extra: "Content-Type: text/plain\r\n".to_owned(), ..info };
    assert_eq!(bench.take(&other), "415 Unsupported Media Type");
}

/// RFC 3515 §2.4: the REFER is accepted, NOTIFYs tell the progress, the last one ends the subscription.
#[test]
fn a_refer_is_followed_through_its_notifies() {
    let mut bench = Bench::new();
    let (call, tag) = bench.up();
    bench.sent.clear();
    bench.command(Command::Refer { call, target: "sip:30@192.0.2.9".to_owned() });
    let refer = bench.last().to_owned();
    assert!(refer.starts_with("REFER sip:10@192.0.2.2:5070 SIP/2.0\r\n"));
    let copied: Vec<&str> = refer
        .lines()
        .filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(&format!("{name}:"))))
        .collect();
    bench.take_from(THEM, format!("SIP/2.0 202 Accepted\r\n{}\r\nContent-Length: 0\r\n\r\n", copied.join("\r\n")).as_bytes());
    assert_eq!(bench.events.last(), Some(&Event::ReferAccepted { call }));
    for (seq, status, state) in [(2, "100 Trying", "active"), (3, "200 OK", "terminated;reason=noresource")] {
        let extra = format!("Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n");
        let body = if seq == 2 { "SIP/2.0 100 Trying\r\n" } else { "SIP/2.0 200 OK\r\n" };
        let notify = Request { to_tag: tag.clone(), seq, extra, body, ..Request::new("NOTIFY", status.split(' ').next().unwrap()) };
        assert_eq!(bench.take(&notify), "200 OK");
        assert_eq!(bench.events.last(), Some(&Event::ReferProgress { call, status: status[..3].parse().unwrap() }));
    }
    let extra = "Event: refer\r\nSubscription-State: active\r\n".to_owned();
    let late = Request { to_tag: tag, seq: 4, extra, ..Request::new("NOTIFY", "late") };
    assert_eq!(bench.take(&late), "481 Call Transaction Does Not Exist");
}

/// RFC 3261 §15.1.2: a BYE before the answer ends the INVITE with 487.
#[test]
fn a_bye_before_the_answer_ends_the_invite() {
    let mut bench = Bench::new();
    bench.take(&Request { body: SDP, ..Request::new("INVITE", "i") });
    let call = bench.incoming();
    bench.command(Command::Ring { call });
    let tag = bench.header("To").split("tag=").nth(1).unwrap().to_owned();
    assert_eq!(bench.take(&Request { to_tag: tag, seq: 2, ..Request::new("BYE", "b") }), "487 Request Terminated");
    assert!(matches!(bench.events.last(), Some(Event::Ended { .. })));
    assert_eq!(bench.endpoint.calls(), 0);
}

/// RFC 3261 §9.2: a CANCEL after the final response changes nothing.
#[test]
fn a_cancel_after_the_answer_changes_nothing() {
    let mut bench = Bench::new();
    let (call, _) = bench.up();
    assert_eq!(bench.take(&Request::new("CANCEL", "i")), "200 OK");
    assert_eq!((bench.events.last(), bench.endpoint.calls()), (Some(&Event::Acked { call, sdp: None }), 1));
}

/// RFC 3261 §15: a caller may hang up before its ACK arrives.
#[test]
fn a_bye_that_overtakes_the_ack_ends_the_call() {
    let mut bench = Bench::new();
    bench.take(&Request { body: SDP, ..Request::new("INVITE", "i") });
    let call = bench.incoming();
    bench.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
    let tag = bench.header("To").split("tag=").nth(1).unwrap().to_owned();
    assert_eq!(bench.take(&Request { to_tag: tag.clone(), seq: 2, ..Request::new("BYE", "b") }), "200 OK");
    assert_eq!(bench.take(&Request { to_tag: tag, ..Request::new("ACK", "a") }), "");
    assert!(matches!(bench.events.last(), Some(Event::Ended { .. })));
}

/// RFC 3261 §12.2.1.1: the recorded route is followed, in order, and a strict first router takes the Request-URI.
#[test]
fn requests_follow_the_recorded_route() {
    let table = [
        (
            "<sip:192.0.2.5;lr>, <sip:p2.example;lr>",
            "BYE sip:10@192.0.2.2:5070 SIP/2.0",
            "Route: <sip:192.0.2.5;lr>\r\nRoute: <sip:p2.example;lr>\r\n",
            "192.0.2.5:5060",
        ),
        (
            "<sip:192.0.2.5>, <sip:p2.example;lr>",
            "BYE sip:192.0.2.5 SIP/2.0",
            "Route: <sip:p2.example;lr>\r\nRoute: <sip:10@192.0.2.2:5070>\r\n",
            "192.0.2.5:5060",
        ),
        ("<sip:10.0.0.1;lr>", "BYE sip:10@192.0.2.2:5070 SIP/2.0", "Route: <sip:10.0.0.1;lr>\r\n", THEM),
    ];
    for (recorded, line, routes, way) in table {
        let mut bench = Bench::new();
        let extra = format!("Record-Route: {recorded}\r\n");
        bench.take(&Request { extra, body: SDP, ..Request::new("INVITE", "i") });
        let call = bench.incoming();
        bench.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
        assert_eq!(bench.header("Record-Route"), recorded);
        let tag = bench.header("To").split("tag=").nth(1).unwrap().to_owned();
        bench.take(&Request { to_tag: tag, ..Request::new("ACK", "a") });
        bench.command(Command::Hangup { call, reason: None });
        assert!(bench.last().starts_with(line) && bench.last().contains(routes), "{}", bench.last());
        assert_eq!(bench.sent.last().unwrap().0.remote, way.parse().unwrap(), "{recorded}");
    }
}

#[test]
fn every_line_busy_is_486_and_a_peer_beyond_its_share_gets_480() {
    let mut bench = Bench::new();
    for number in 0..limits::SIP_CALLS_MAX {
        let request = Request { body: SDP, ..Request::new("INVITE", &format!("c{number}")) };
        bench.take_from(THEM, request.text().replace("Call-ID: abc", &format!("Call-ID: {number}")).as_bytes());
    }
    assert_eq!(bench.take(&Request { body: SDP, ..Request::new("INVITE", "one-more") }), "486 Busy Here");
    for number in 0..limits::SIP_TRANSACTIONS_A_PEER_MAX {
        let request = Request::new("OPTIONS", &format!("o{number}"));
        // As fast as a known peer may.
        bench.now += std::time::Duration::from_millis(1);
        bench.take_from(THEM, request.text().replace("Call-ID: abc", &format!("Call-ID: o{number}")).as_bytes());
    }
    let before = bench.endpoint.transactions();
    bench.now += std::time::Duration::from_millis(1);
    assert_eq!(bench.take(&Request::new("OPTIONS", "last")), "480 Temporarily Unavailable");
    assert_eq!((bench.endpoint.transactions(), bench.header("Retry-After").as_str()), (before, "5"));
    assert_eq!(before, limits::SIP_TRANSACTIONS_A_PEER_MAX, "one peer has half of the table");
    bench.take_from("192.0.2.3:5060", Request::new("OPTIONS", "other").text().replace("Call-ID: abc", "Call-ID: other").as_bytes());
    assert_eq!(bench.answer(), "200 OK", "the others go on");
}

#[test]
fn a_number_in_latin_1_and_a_tel_uri_are_understood() {
    let mut bench = Bench::new();
    let text = Request { uri: "tel:+12015550123", body: SDP, ..Request::new("INVITE", "1") }.text();
    let (head, tail) = text.split_once("From: ").unwrap();
    let bytes = [head.as_bytes(), b"From: \"J\xf6rg\" ", tail.as_bytes()].concat();
    bench.take_from(THEM, &bytes);
    let Some(Event::Incoming(arrival)) = bench.events.last() else { panic!("{:?}", bench.events) };
    assert_eq!((arrival.from.expose().display.as_str(), arrival.request_user.expose().as_str()), ("J\u{f6}rg", "+12015550123"));
    let shown = format!("{:?}", bench.events);
    assert!(!shown.contains("2015550123") && shown.contains("[pii]"), "an event prints nothing personal");
}

#[test]
fn a_keep_alive_is_counted_and_not_answered() {
    let mut bench = Bench::new();
    bench.take_from(THEM, b"\r\n\r\n");
    bench.take_from(THEM, b"");
    bench.take_from(THEM, b"\0\0\0\0");
    assert_eq!((bench.endpoint.counters().keep_alives, bench.sent.len()), (3, 0));
}

/// RFC 3261 timer J, RFC 6026 timer L: what 150 calls a second leave behind over UDP fits into the table, for as long as they come.
#[test]
fn a_hundred_and_fifty_calls_a_second_fit() {
    let mut bench = Bench::new();
    let mut most = 0;
    for number in 0..150 * 40 {
        bench.sent.clear();
        bench.events.clear();
        let invite = Request { body: SDP, ..Request::new("INVITE", &format!("i{number}")) };
        let say = |bench: &mut Bench, request: &Request| {
            bench.take_from(THEM, request.text().replace("Call-ID: abc", &format!("Call-ID: {number}")).as_bytes());
        };
        say(&mut bench, &invite);
        let call = bench.incoming();
        bench.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
        let to_tag = bench.header("To").split("tag=").nth(1).unwrap().to_owned();
        say(&mut bench, &Request { to_tag: to_tag.clone(), ..Request::new("ACK", &format!("a{number}")) });
        say(&mut bench, &Request { to_tag, seq: 2, ..Request::new("BYE", &format!("b{number}")) });
        assert_eq!(bench.answer(), "200 OK", "call {number}");
        most = most.max(bench.endpoint.transactions());
        bench.now += std::time::Duration::from_micros(6_667);
        bench.endpoint.handle_timeout(bench.now);
    }
    assert!((9_500..limits::SIP_TRANSACTIONS_MAX * 3 / 4).contains(&most), "{most} at most");
    assert_eq!((bench.endpoint.calls(), bench.endpoint.counters().overload), (0, 0));
}
