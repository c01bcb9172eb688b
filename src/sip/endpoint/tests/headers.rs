//! What an INVITE says of who calls, in every spelling, and what ours says.

use bytes::Bytes;

use super::callee;
use super::hand::{Bench, Request, SDP};
use crate::base::{Pii, limits};
use crate::sip::{Command, Event, Invite, Party};

/// The bench after an INVITE with these headers.
fn called(extra: &str) -> Bench {
    let mut bench = Bench::new();
    bench.endpoint.settings.headers_heard = vec!["X-Department".to_owned()];
    bench.take(&Request { extra: extra.to_owned(), body: SDP, ..Request::new("INVITE", "i") });
    bench
}

/// RFC 3261 §7.3.1: case, the space before the colon and a folded line make no other header; all readers read the same.
#[test]
fn a_header_is_the_same_in_every_spelling() {
    for extra in [
        "P-Asserted-Identity: \"Anna\" <sip:+491@trunk.example>\r\n",
        "p-asserted-identity:\"Anna\" <sip:+491@trunk.example>\r\n",
        "P-ASSERTED-IDENTITY \t :  \"Anna\"   <sip:+491@trunk.example>\r\n",
        "P-Asserted-Identity:\r\n \"Anna\"\r\n\t<sip:+491@trunk.example>\r\n",
        "P-Asserted-Identity: \"Anna\" <sip:%2B491@trunk.example>, <tel:+492>\r\n",
    ] {
        let bench = called(extra);
        let asserted = bench.arrival().asserted.clone().unwrap_or_else(|| panic!("{extra}")).into_inner();
        assert_eq!((asserted.display.as_str(), asserted.user.as_str()), ("Anna", "+491"), "{extra}");
    }
    for extra in [
        "X-P-Asserted-Identity: <sip:+491@h>\r\n",
        "P-Asserted-Identity-X: <sip:+491@h>\r\n",
        "Subject: x\r\n P-Asserted-Identity: <sip:+491@h>\r\n",
    ] {
        assert!(called(extra).arrival().asserted.is_none(), "{extra}");
    }
    for broken in
        ["P-Asserted Identity: <sip:+491@h>\r\n", "P-Asserted-Identity\0: <sip:+491@h>\r\n", "P-Asserted-Identity: <sip:\r+491@h>\r\n"]
    {
        let bench = called(broken);
        assert!(bench.answer().starts_with("400 ") && bench.events.is_empty(), "{broken:?}");
    }
    // The compact forms of what leads a call: r is Refer-To, b Referred-By, x Session-Expires, and none of them is an identity.
    let bench = called("b: <sip:evil@h>\r\nk: timer\r\nx: 1000\r\n");
    assert!(bench.arrival().asserted.is_none());
}

/// What reaches routing and prompts holds no control characters, whatever the escapes say, and is cut where it is too long.
#[test]
fn no_control_characters_reach_routing_or_prompts() {
    let mut bench = Bench::new();
    let text = Request { uri: "sip:20%0d%0aX%00@192.0.2.1", body: SDP, ..Request::new("INVITE", "1") }.text();
    let name = format!("\"Ignore\u{1b}[31m\x0b{}\"", "x".repeat(1_000));
    let text = text.replace("From: <sip:10@192.0.2.2>", &format!("From: {name} <sip:1%0a0@192.0.2.2>"));
    bench.take_from(super::hand::THEM, text.as_bytes());
    let arrival = bench.arrival();
    assert_eq!(arrival.request_user.expose(), "20\u{fffd}\u{fffd}X\u{fffd}");
    let from = arrival.from.expose();
    assert!(from.display.starts_with("Ignore\u{fffd}[31m\u{fffd}x") && from.display.chars().count() == limits::SIP_TEXT_LETTERS_MAX);
    assert_eq!(from.user, "1\u{fffd}0");
}

/// RFC 3323 §4.2, RFC 3325 §9.3: whoever asks for privacy is shown as From says.
#[test]
fn privacy_is_respected() {
    let shown = |privacy: &str| {
        let bench = called(&format!("P-Asserted-Identity: <sip:+491@h>\r\n{privacy}"));
        (bench.arrival().is_private, bench.arrival().caller().expose().user.clone())
    };
    assert_eq!(shown(""), (false, "+491".to_owned()));
    assert_eq!(shown("Privacy: none\r\n"), (false, "+491".to_owned()));
    for asked in ["Privacy: id\r\n", "privacy: user; ID ;critical\r\n", "Privacy: header\r\n"] {
        assert_eq!(shown(asked), (true, "10".to_owned()), "{asked}");
    }
}

/// RFC 5806 §6, RFC 7044 §5: who passed the call on, the last first; whom the call has come to is none of them.
#[test]
fn who_passed_the_call_on_is_told_the_last_first() {
    let users = |extra: &str| {
        let bench = called(extra);
        bench.arrival().diverted.iter().map(|party| party.expose().user.clone()).collect::<Vec<_>>()
    };
    let diversion = "Diversion: <sip:+492@h>;reason=no-answer;counter=1\r\nDiversion: \"B\" <tel:+491>;reason=user-busy\r\n";
    assert_eq!(users(diversion), ["+492", "+491"]);
    let history = "History-Info: <sip:+491@h>;index=1, <sip:+492@h?Reason=SIP%3Bcause%3D486>;index=1.1,\r\n <sip:+492@h2>;index=1.1.1\r\nHistory-Info: <sip:20@192.0.2.1>;index=1.1.1.1\r\n";
    assert_eq!(users(history), ["+492", "+491"]);
    let private = "History-Info: <sip:+491@h?Privacy=history>;index=1,<sip:+492@h>;index=2,<sip:20@u>;index=3\r\n";
    assert_eq!(users(private), ["+492"]);
    assert_eq!(users(&format!("{diversion}{history}")), ["+492", "+491"], "Diversion is the plainer one");
    let many = "Diversion: <sip:1@h>, <sip:2@h>\r\n".repeat(20);
    assert_eq!(users(&many).len(), limits::SIP_LISTED_MAX);
    assert!(users("Diversion: \"open <sip:+491@h>\r\nHistory-Info: ,,\r\n").is_empty());
}

/// RFC 7433 §4: handed up as written; so are the headers that the settings ask for, and no others.
#[test]
fn what_the_callers_system_says_is_handed_up() {
    let bench = called("User-to-User: 56a390f3d2b7310023a2;encoding=hex\r\nx-department :  sales\r\nX-Other: y\r\n");
    let arrival = bench.arrival();
    assert_eq!(arrival.user_to_user.as_ref().map(|value| value.expose().as_str()), Some("56a390f3d2b7310023a2;encoding=hex"));
    assert_eq!(arrival.headers, [("X-Department".to_owned(), Pii::new("sales".to_owned()))]);
    let long = format!("User-to-User: {}\r\n", "5".repeat(limits::SIP_HEADER_BYTES_MAX + 1));
    assert!(called(&long).arrival().user_to_user.is_none());
}

fn invite() -> Invite {
    Invite::new(callee::flow(), "sip:20@192.0.2.2", Bytes::from_static(b"v=0"))
}

/// RFC 3325 §9.1, RFC 3323 §4.1: an asserted caller, and one who asks for privacy.
#[test]
fn our_caller_is_asserted_and_may_stay_private() {
    let party = Party { display: "A \"B\"".to_owned(), user: "+49 1".to_owned(), host: "own.example".to_owned() };
    let mut bench = callee::Bench::new();
    bench.place(Invite { asserted: Some(Pii::new(party)), from_user: "+491".to_owned(), is_private: true, ..invite() });
    assert_eq!(bench.header("P-Asserted-Identity"), "\"A \\\"B\\\"\" <sip:+49%201@own.example>");
    assert_eq!(bench.header("Privacy"), "id");
    assert!(bench.header("From").starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
}

/// A call brings headers of its own, and none that would be ours or another's.
#[test]
fn a_call_brings_headers_of_its_own() {
    let with = |name: &str, value: &str| Invite { headers: vec![(name.to_owned(), Pii::new(value.to_owned()))], ..invite() };
    let mut bench = callee::Bench::new();
    bench.place(with("User-to-User", "0012;encoding=hex"));
    assert_eq!(bench.header("User-to-User"), "0012;encoding=hex");
    bench.sent.clear();
    let long = "x".repeat(limits::SIP_HEADER_BYTES_MAX + 1);
    for (name, value) in [
        ("Via", "x"),
        ("route", "<sip:evil>"),
        ("m", "<sip:evil>"),
        ("P-Asserted-IDENTITY", "<sip:evil>"),
        ("X Y", "x"),
        ("X:", "x"),
        ("", "x"),
        ("X", "a\r\nVia: b"),
        ("X", "\0"),
        ("X", long.as_str()),
    ] {
        let call = bench.place(with(name, value));
        assert!(matches!(bench.events.last(), Some(Event::Failed { call: failed, status: 400, .. }) if *failed == call), "{name}");
    }
    assert!(bench.sent.is_empty());
}

/// RFC 3261 §8.1.3.4: where a 3xx sends us is handed up, the one wanted most first; what cannot be called is left out.
#[test]
fn a_redirection_is_handed_up() {
    let mut bench = callee::Bench::new();
    let call = bench.invite("sip:20@pbx.example", 70);
    let sent = bench.sent[0].1.clone();
    let contacts = "Contact: <sip:30@pbx.example>;q=0.2, \"M\" <sip:31@pbx.example>;q=0.9\r\nm: <mailto:a@b>, <sip:32@pbx.example?Route=x>\r\nContact: <tel:+491>, <sip:30@pbx.example>\r\n";
    bench.answer(&sent, "302 Moved Temporarily", "t", contacts);
    let contacts = ["tel:+491", "sip:30@pbx.example", "sip:31@pbx.example"].map(|uri| Pii::new(uri.to_owned())).to_vec();
    assert_eq!(bench.events, [Event::Redirected { call, status: 302, contacts }]);
    let call = bench.invite("sip:20@pbx.example", 70);
    let sent = bench.sent.last().unwrap().1.clone();
    bench.answer(&sent, "305 Use Proxy", "t", "Reason: Q.850;cause=1;text=\"no route\"\r\n");
    let (reason, why) = ("Use Proxy".to_owned(), Some("no route".to_owned()));
    assert_eq!(bench.events.last(), Some(&Event::Failed { call, status: 305, reason, why }));
}

/// RFC 3261 §13.2.2.4: a phone that answers when the call is over already is acknowledged and hung up.
#[test]
fn a_phone_that_answers_too_late_is_hung_up() {
    let mut bench = callee::Bench::new();
    bench.invite("sip:20@pbx.example", 70);
    let invite = bench.sent[0].1.clone();
    bench.answer(&invite, "200 OK", "one", "Contact: <sip:one@192.0.2.2>\r\n");
    let value = |name: &str| invite.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (from, call_id) = (value("From: "), value("Call-ID: "));
    let via = "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKbye;rport";
    bench.take(&format!("BYE sip:x@192.0.2.1 SIP/2.0\r\n{via}\r\nFrom: <sip:20@pbx.example>;tag=one\r\nTo: {from}\r\nCall-ID: {call_id}\r\nCSeq: 1 BYE\r\n\r\n"));
    assert_eq!(bench.endpoint.calls(), 0);
    bench.answer(&invite, "200 OK", "two", "Contact: <sip:two@192.0.2.2>\r\n");
    assert_eq!(bench.first_words(), ["ACK sip:two@192.0.2.2", "BYE sip:two@192.0.2.2"]);
    assert_eq!(bench.header("Reason"), "SIP;cause=200;text=\"the call is answered elsewhere, or over\"");
}

/// 503 and Retry-After are for the whole box: while it drains, and for new calls alone.
#[test]
fn a_box_that_drains_takes_no_new_calls() {
    let mut bench = Bench::new();
    let (_, to_tag) = bench.up();
    bench.command(Command::Drain { retry_after_s: 120 });
    for method in ["INVITE", "OPTIONS"] {
        let text = Request { body: if method == "INVITE" { SDP } else { "" }, ..Request::new(method, method) }
            .text()
            .replace("Call-ID: abc", "Call-ID: new");
        bench.take_from(super::hand::THEM, text.as_bytes());
        assert_eq!((bench.answer().as_str(), bench.header("Retry-After").as_str()), ("503 Service Unavailable", "120"), "{method}");
    }
    assert_eq!(bench.take(&Request { to_tag: to_tag.clone(), seq: 2, ..Request::new("OPTIONS", "in-call") }), "200 OK");
    assert_eq!(bench.take(&Request { to_tag: to_tag.clone(), seq: 3, ..Request::new("BYE", "b") }), "200 OK");
    bench.command(Command::Undrain);
    assert_eq!(bench.take(&Request { from_tag: "next", body: SDP, ..Request::new("INVITE", "again") }), "100 Trying");
}
