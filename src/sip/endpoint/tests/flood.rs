//! Floods of every method, of known peers and of strangers: the tables keep their bounds, and an honest call still gets through.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, Seed, limits};
use crate::sip::{Command, Endpoint, Event, Flow, Output, Peer, Settings, SipCall, Strangers};

const METHODS: [&str; 15] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "INFO",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "REGISTER",
    "SUBSCRIBE",
    "MESSAGE",
    "PRACK",
    "PUBLISH",
    "WHATEVER",
];
const FLOOD: u32 = 100_000;

/// An endpoint in the storm, and what it gave.
struct Storm {
    now: Instant,
    endpoint: Endpoint,
    seed: Seed,
    sent: u64,
    sent_bytes: u64,
    calls: Vec<SipCall>,
    notices: u64,
    last: String,
}

impl Storm {
    fn new(strangers: Strangers) -> Self {
        let trusted: Vec<Peer> = vec!["192.0.2.0/24".parse().unwrap()];
        let settings = Settings { trusted, strangers, ..Settings::default() };
        let (now, endpoint, seed) = (Instant::from_millis(1), Endpoint::new(settings, Seed::new(5)), Seed::new(6));
        Self { now, endpoint, seed, sent: 0, sent_bytes: 0, calls: Vec::new(), notices: 0, last: String::new() }
    }

    fn take(&mut self, remote: SocketAddr, text: &str) {
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), remote);
        self.endpoint.handle_datagram(self.now, flow, text.as_bytes());
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    self.sent += 1;
                    self.sent_bytes += bytes.len() as u64;
                    self.last = String::from_utf8_lossy(&bytes).into_owned();
                }
                Output::Event(Event::Incoming(arrival)) => self.calls.push(arrival.call),
                Output::Event(Event::Noticed(_)) => self.notices += 1,
                Output::Event(_) => {}
            }
        }
    }

    /// Lets time pass, with every timer in it.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.endpoint.poll_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn request(&mut self, remote: SocketAddr, method: &str) -> String {
        let (one, two) = (self.seed.next_u32(), self.seed.next_u32());
        let to_tag = if self.seed.one_in(3) { ";tag=none" } else { "" };
        request(remote, method, &format!("{one:x}{two:x}"), to_tag)
    }

    /// Sends a flood of one method, a thousand a second, and looks at the tables all the while.
    fn flood(&mut self, method: &str, count: u32, mut from: impl FnMut(&mut Seed) -> SocketAddr) {
        for number in 0..count {
            let remote = from(&mut self.seed);
            let text = self.request(remote, method);
            self.take(remote, &text);
            if number % 10 == 0 {
                self.pass(Duration::from_millis(10));
            }
            assert!(self.endpoint.transactions() <= limits::SIP_TRANSACTIONS_MAX, "{method}");
            assert!(self.endpoint.calls() <= limits::SIP_CALLS_MAX, "{method}");
        }
    }

    /// A call of an honest peer, from INVITE to BYE.
    fn honest_call(&mut self) {
        let remote: SocketAddr = "192.0.2.2:5060".parse().unwrap();
        let name = format!("honest{:x}", self.seed.next_u64());
        let before = self.calls.len();
        self.take(remote, &request(remote, "INVITE", &name, ""));
        assert_eq!(self.calls.len(), before + 1, "an honest call comes in: {}", self.last);
        let call = *self.calls.last().unwrap();
        self.endpoint.handle_command(self.now, Command::Accept { call, answer: Bytes::from_static(b"v=0\r\n") });
        self.drain();
        assert!(self.last.starts_with("SIP/2.0 200 "), "{}", self.last);
        let tag = self.last.split("To: ").nth(1).unwrap().split("tag=").nth(1).unwrap().split(['\r', ';']).next().unwrap().to_owned();
        let in_call =
            |method, number: u32| request(remote, method, &name, &format!(";tag={tag}")).replace("CSeq: 1 ", &format!("CSeq: {number} "));
        self.take(remote, &in_call("ACK", 1));
        self.take(remote, &in_call("BYE", 2));
        assert!(self.last.starts_with("SIP/2.0 200 ") && self.last.contains("CSeq: 2 BYE"), "{}", self.last);
    }
}

fn request(remote: SocketAddr, method: &str, name: &str, to_tag: &str) -> String {
    format!(
        "{method} sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {remote};branch=z9hG4bK{name}{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:10@{remote}>;tag={name}\r\nTo: <sip:20@192.0.2.1>{to_tag}\r\nCall-ID: {name}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:10@{remote}>\r\nUser-Agent: a telephone of some make\r\nContent-Length: 0\r\n\r\n"
    )
}

fn anywhere(seed: &mut Seed) -> SocketAddr {
    // Benchmarking and documentation networks stand for the internet.
    let ip = Ipv4Addr::from(0xc612_0000 | (seed.next_u32() & 0x1_ffff));
    SocketAddr::V4(SocketAddrV4::new(ip, 1_024 + (seed.next_u32() & 0x7fff) as u16))
}

#[test]
fn a_hundred_thousand_requests_of_strangers_leave_nothing_and_get_nothing() {
    let mut storm = Storm::new(Strangers::Silence);
    for method in METHODS {
        storm.flood(method, FLOOD / 15, anywhere);
        assert_eq!((storm.endpoint.transactions(), storm.endpoint.calls(), storm.sent), (0, 0, 0), "{method}");
    }
    let report = storm.endpoint.shield_report(storm.now, 5);
    assert!(report.sources <= limits::SHIELD_STRANGERS_MAX + limits::SHIELD_KNOWN_MAX, "{report:?}");
    assert!(report.bans <= limits::SHIELD_BANS_MAX, "{report:?}");
    assert!(storm.notices <= 60 + u64::from(limits::SHIELD_LINES_AT_ONCE_MAX) + storm.now.as_millis() / 1_000, "lines for the log are few");
    storm.honest_call();
}

#[test]
fn strangers_that_are_refused_get_less_than_they_send() {
    let mut storm = Storm::new(Strangers::Refuse);
    storm.flood("OPTIONS", FLOOD / 10, anywhere);
    let seconds = storm.now.as_millis() / 1_000 + 1;
    assert!(storm.sent > 0 && storm.sent <= seconds * u64::from(limits::SHIELD_REFUSALS_A_SECOND_MAX) * 2, "{} in {seconds} s", storm.sent);
    assert!(
        storm.last.starts_with("SIP/2.0 403 Forbidden") && !storm.last.contains("Nightbell") && !storm.last.contains("Warning"),
        "{}",
        storm.last
    );
    assert_eq!((storm.endpoint.transactions(), storm.endpoint.calls()), (0, 0));
    storm.honest_call();
}

#[test]
fn a_hundred_thousand_requests_of_one_known_peer_leave_room_for_the_others() {
    let mut storm = Storm::new(Strangers::Silence);
    let mad: SocketAddr = "192.0.2.66:5060".parse().unwrap();
    for method in METHODS {
        storm.flood(method, FLOOD / 15, |_| mad);
        if method == "INVITE" {
            // The shell's cap on calls that nobody acknowledges belongs to the doorman; here they are refused.
            for call in std::mem::take(&mut storm.calls) {
                storm.endpoint.handle_command(storm.now, Command::Reject { call, status: 486, reason: None });
                storm.drain();
            }
        }
        storm.honest_call();
    }
    storm.pass(Duration::from_mins(2));
    assert_eq!(
        (storm.endpoint.transactions(), storm.endpoint.calls(), storm.endpoint.poll_deadline()),
        (0, 0, None),
        "nothing is left over"
    );
}

#[test]
fn a_flood_with_the_address_of_a_known_peer_does_not_ban_it() {
    let mut storm = Storm::new(Strangers::Silence);
    let peer: SocketAddr = "192.0.2.2:5060".parse().unwrap();
    for number in 0..50_000_u32 {
        let text = request(peer, "REGISTER", &format!("{number}"), "").replace("a telephone of some make", "friendly-scanner");
        storm.take(peer, &text);
    }
    assert_eq!(storm.endpoint.shield_report(storm.now, 5).bans, 0);
    storm.pass(Duration::from_secs(40));
    storm.honest_call();
}

/// A guesser in the phones' network: REGISTER again and again, each time with an answer to the last challenge and a wrong password.
#[test]
fn a_guesser_of_passwords_is_silenced_and_one_that_forges_addresses_silences_nobody() {
    let phones = crate::sip::Phones {
        networks: vec!["10.0.0.0/24".parse().unwrap()],
        realm: "nightbell".to_owned(),
        digest: crate::sip::digest::Offered::Both,
        key: crate::base::Secret::new([9; 32]),
        accounts: Vec::new(),
        expires_min_s: 60,
        expires_max_s: 600,
    };
    let settings = Settings { phones: Some(phones), ..Settings::default() };
    let mut storm = Storm::new(Strangers::Silence);
    storm.endpoint = Endpoint::new(settings, Seed::new(8));
    let (guesser, victim): (SocketAddr, SocketAddr) = ("10.0.0.66:5060".parse().unwrap(), "10.0.0.7:5060".parse().unwrap());
    let (mut answers, mut nonce) = (0, "none".to_owned());
    for number in 0..20 {
        let before = storm.sent;
        let credentials = format!(
            "Authorization: Digest username=\"100\", realm=\"nightbell\", nonce=\"{nonce}\", uri=\"sip:20@192.0.2.1\", response=\"{number:032x}\", \
             qop=auth, nc=00000001, cnonce=\"c\"\r\nContent-Length"
        );
        let text = request(guesser, "REGISTER", &format!("guess{number}"), "").replace("Content-Length", &credentials);
        storm.take(guesser, &text);
        if storm.sent == before {
            // Silence: there is no further challenge to answer.
            storm.take(victim, &text);
            storm.pass(Duration::from_secs(1));
            continue;
        }
        answers += storm.sent - before;
        nonce = storm.last.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("none").to_owned();
        // The same words with the victim's address on them: the nonce was never given to it.
        storm.take(victim, &text);
        storm.pass(Duration::from_secs(1));
    }
    assert!(answers <= 6, "silence after a few guesses: {answers} answers");
    let report = storm.endpoint.shield_report(storm.now, 5);
    assert_eq!(report.bans, 1, "{report:?}");
    let before = storm.sent;
    storm.take(victim, &request(victim, "REGISTER", "honest", ""));
    assert_eq!(storm.sent, before + 1, "the victim is still asked for its password");
    assert!(storm.last.starts_with("SIP/2.0 401 "), "{}", storm.last);
    assert_eq!((storm.endpoint.transactions(), storm.endpoint.calls()), (0, 0), "and nobody has left anything");
}
