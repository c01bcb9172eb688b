//! SIP as peers speak it, rightly and wrongly.

use std::time::Duration;

use crate::daemon::Daemon;
use crate::ua::{Message, Ua};

const SOON: Duration = Duration::from_secs(2);
const G711: &str = "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n";

#[test]
fn wall_a_malformed_request_is_refused_with_the_rule_it_broke() {
    let Some(daemon) = Daemon::start() else { return };
    let cases: [(&str, &str, &str); 4] = [
        ("Call-ID: ", "X-None: ", "Call-ID"),
        (" INVITE\r\nContact", " OPTIONS\r\nContact", "CSeq"),
        ("Max-Forwards: 70", "Max-Forwards: seventy", "Max-Forwards"),
        ("Content-Length: 0", "Content-Length: 9999", "Content-Length"),
    ];
    for (right, wrong, rule) in cases {
        let mut ua = Ua::new(daemon.sip);
        let invite = ua.request("INVITE", "", "");
        assert!(invite.contains(right), "{right} is in {invite}");
        ua.send(&invite.replacen(right, wrong, 1));
        let refusal = ua.answer();
        assert_eq!(refusal.status(), 400, "{rule}: {}", refusal.text);
        assert!(refusal.text.contains(rule), "the rule is named: {}", refusal.text);
        assert!(refusal.header("Warning").is_some_and(|warning| warning.starts_with("399 ")), "{}", refusal.text);
    }
    assert!(daemon.calls().is_empty(), "nothing of this is a call");
}

#[test]
fn wall_noise_is_no_harm() {
    let Some(mut daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    for noise in ["", "\r\n\r\n", "\0\0\0\0", "INVITE", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:x SIP/2.0\r\n\r\n"]
    {
        ua.send(noise);
    }
    let options = ua.request("OPTIONS", "", "");
    ua.send(&options);
    let answer = ua.answer();
    assert_eq!(answer.status(), 200, "{}", answer.text);
    for method in ["INVITE", "BYE", "CANCEL", "REFER"] {
        assert!(answer.header("Allow").is_some_and(|allow| allow.contains(method)), "{method}: {}", answer.text);
    }
    assert!(daemon.is_alive());
}

#[test]
fn wall_a_repeated_invite_is_one_call() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0 8", G711);
    let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    ua.send(&invite);
    ua.send(&invite);
    let first = ua.answer();
    ua.send(&invite);
    let second = ua.answer();
    assert_eq!((first.status(), second.status()), (200, 200));
    assert_eq!(first.header("To"), second.header("To"), "both belong to one dialog");
    let ack = ua.request("ACK", "", "");
    ua.send(&ack);
    assert!(ua.packet(SOON).is_some(), "sound comes");
    ua.bye();
    daemon.last_call();
    assert_eq!(daemon.calls().len(), 1);
}

/// RFC 3261 §13.3.1.4: again after 0.5 s, then after 1 s more.
#[test]
fn wall_a_200_whose_ack_is_lost_is_sent_again() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    ua.send(&invite);
    let first = ua.answer();
    let begin = crate::wait::now_ms();
    let again: Vec<Message> = (0..2).map(|_| ua.answer()).collect();
    let took = crate::wait::now_ms() - begin;
    assert!(again.iter().all(|message| message.text == first.text), "the very same answer");
    assert!((1_350..=1_900).contains(&took), "twice within 1.5 s, not {took} ms");
    let ack = ua.request("ACK", "", "");
    ua.send(&ack);
    assert!(ua.packet(SOON).is_some());
    assert!(ua.next(Duration::from_millis(2_500)).is_none(), "after the ACK there is no further 200");
    ua.bye();
}

#[test]
fn wall_hold_and_back_are_mirrored() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0 8", G711);
    ua.call(&offer);
    assert!(ua.packet(SOON).is_some());
    let held = ua.call(&(ua.offer("0 8", G711) + "a=sendonly\r\n"));
    assert!(held.text.contains("a=recvonly"), "{}", held.text);
    // What was under way may still arrive; after that nothing may.
    while ua.packet(Duration::from_millis(5)).is_some() {}
    crate::wait::within(Duration::from_millis(200), || ua.packet(Duration::ZERO).map(|_| ()).filter(|()| false));
    assert!(ua.packet(Duration::from_millis(500)).is_none(), "nobody talks to music on hold");
    let back = ua.call(&(ua.offer("0 8", G711) + "a=sendrecv\r\n"));
    assert!(back.text.contains("a=sendrecv"), "{}", back.text);
    assert!(ua.packet(SOON).is_some(), "and is back afterwards");
    ua.bye();
}

#[test]
fn wall_each_codec_alone_is_enough_and_none_in_common_is_488() {
    let Some(daemon) = Daemon::start() else { return };
    for (formats, payload_type) in [("8", 8), ("0", 0), ("18 8", 8)] {
        let mut ua = Ua::new(daemon.sip);
        let offer = ua.offer(formats, "");
        let ok = ua.call(&offer);
        assert!(ok.sdp("m=").is_some_and(|line| line.ends_with(&format!("RTP/AVP {payload_type}"))), "{}", ok.text);
        let (came, _, payload) = ua.packet(SOON).unwrap();
        assert_eq!((came, payload.len()), (payload_type, 160));
        ua.bye();
    }
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("18 97", "a=rtpmap:18 G729/8000\r\na=rtpmap:97 iLBC/8000\r\n");
    let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    ua.send(&invite);
    let refusal = ua.answer();
    assert_eq!(refusal.status(), 488, "{}", refusal.text);
}

#[test]
fn wall_an_invite_without_an_offer_gets_one() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let invite = ua.request("INVITE", "", "");
    ua.send(&invite);
    let ok = ua.answer();
    assert_eq!(ok.status(), 200, "{}", ok.text);
    let line = ok.sdp("m=").unwrap_or_else(|| panic!("an offer is in the 200: {}", ok.text));
    assert!(
        line.contains("RTP/AVP") && line.split(' ').any(|format| format == "0") && line.split(' ').any(|format| format == "8"),
        "{line}"
    );
    let answer = ua.offer("0", "");
    let ack = ua.request("ACK", "Content-Type: application/sdp\r\n", &answer);
    ua.send(&ack);
    assert_eq!(ua.packet(SOON).map(|(payload_type, _, _)| payload_type), Some(0));
    ua.bye();
}

#[test]
fn wall_compact_names_and_folded_lines_are_understood() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0 8", G711);
    let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    let mut compact = invite;
    for (long, short) in [
        ("\r\nVia: ", "\r\nv:  "),
        ("\r\nFrom: ", "\r\nf:\r\n   "),
        ("\r\nTo: ", "\r\nt :"),
        ("\r\nCall-ID: ", "\r\ni: "),
        ("\r\nContact: ", "\r\nM: "),
        ("\r\nContent-Type: ", "\r\nc: "),
        ("\r\nContent-Length: ", "\r\nL: "),
        (" INVITE\r\n", "\r\n\t INVITE\r\n"),
    ] {
        let without_start = compact.find("\r\n").unwrap();
        let (start, rest) = compact.split_at(without_start);
        compact = format!("{start}{}", rest.replacen(long, short, 1));
    }
    ua.send(&compact);
    let ok = ua.answer();
    assert_eq!(ok.status(), 200, "{compact}\n{}", ok.text);
    let ack = ua.request("ACK", "", "");
    ua.send(&ack);
    assert!(ua.packet(SOON).is_some());
    ua.bye();
}

#[test]
fn wall_key_0_may_come_by_info() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    ua.call(&offer);
    assert!(ua.packet(SOON).is_some());
    let info = ua.request("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=0\r\nDuration=160\r\n");
    ua.send(&info);
    assert_eq!(ua.answer().status(), 200);
    let refer =
        crate::wait::within(Duration::from_secs(20), || ua.next(Duration::ZERO).filter(|message| message.line().starts_with("REFER ")));
    let refer = refer.unwrap_or_else(|| panic!("key 0 leads to a person"));
    assert!(refer.header("Refer-To").is_some_and(|target| target.contains("sip:office@")), "{}", refer.text);
}

#[test]
fn wall_a_cancel_after_the_answer_changes_nothing_and_one_for_nothing_is_481() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let stray = ua.request("CANCEL", "", "");
    ua.send(&stray);
    assert_eq!(ua.answer().status(), 481);
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    ua.call(&offer);
    let strange = ua.request("BYE", "", "").replacen("tag=hand", "tag=other", 1);
    ua.send(&strange);
    assert_eq!(ua.answer().status(), 481, "a stranger does not end the call");
    assert!(ua.packet(SOON).is_some());
    ua.bye();
}

/// RFC 3261 §21.5.4: 503 is for a box that takes no calls at all; who is in one stays in it.
#[test]
fn wall_a_box_that_drains_refuses_new_calls_and_keeps_the_old() {
    let Some(daemon) = Daemon::start() else { return };
    let mut old = Ua::new(daemon.sip);
    let offer = old.offer("0", G711);
    assert_eq!(old.call(&offer).status(), 200);
    assert!(daemon.say(&["drain"]).contains("1 in progress"));
    let mut new = Ua::new(daemon.sip);
    let offer = new.offer("0", G711);
    let invite = new.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    new.send(&invite);
    let refused = new.answer();
    assert_eq!((refused.status(), refused.header("Retry-After")), (503, Some("30")), "{}", refused.text);
    assert!(old.packet(SOON).is_some(), "the old call goes on");
    assert!(daemon.say(&["drain", "--off"]).contains("taken again"));
    let mut again = Ua::new(daemon.sip);
    let offer = again.offer("0", G711);
    assert_eq!(again.call(&offer).status(), 200);
    again.bye();
    old.bye();
}
