//! Connections: answers over their own, other ways when it is gone, large requests.

use bytes::Bytes;

use super::rig::settings;
use crate::base::{Instant, Seed};
use crate::sip::message::name;
use crate::sip::stream::{Framer, Piece};
use crate::sip::{Command, Endpoint, Event, Flow, Invite, Output, Probe, Settings, Transport};

fn tcp(remote: &str) -> Flow {
    Flow { transport: Transport::Tcp, ..udp(remote) }
}

fn udp(remote: &str) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), remote.parse().unwrap())
}

struct Bench {
    endpoint: Endpoint,
    sent: Vec<(Flow, String)>,
    events: Vec<Event>,
}

impl Bench {
    fn new() -> Self {
        let listens = vec![(Transport::Udp, 5060), (Transport::Tcp, 5060), (Transport::Tls, 5061)];
        let endpoint = Endpoint::new(Settings { listens, ..settings() }, Seed::new(9));
        Self { endpoint, sent: Vec::new(), events: Vec::new() }
    }

    fn drain(&mut self) {
        self.sent.clear();
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.sent.push((flow, String::from_utf8_lossy(&bytes).into_owned())),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn take(&mut self, flow: Flow, method: &str, seq: u32, to_tag: &str) {
        let contact = "<sip:10@192.0.2.2:5070;transport=tcp>";
        let text = format!(
            "{method} sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2:5070;branch=z9hG4bK{method}{seq};rport\r\nMax-Forwards: 70\r\nFrom: <sip:10@192.0.2.2>;tag=them\r\nTo: <sip:20@192.0.2.1>{to_tag}\r\nCall-ID: abc\r\nCSeq: {seq} {method}\r\nContact: {contact}\r\nContent-Length: 0\r\n\r\n"
        );
        self.endpoint.handle_datagram(Instant::from_millis(1), flow, text.as_bytes());
        self.drain();
    }

    /// A call of the peer's that is up, and our tag in it.
    fn up(&mut self, flow: Flow) -> (crate::sip::SipCall, String) {
        self.take(flow, "INVITE", 1, "");
        let Some(Event::Incoming(arrival)) = self.events.last() else { panic!("{:?}", self.events) };
        let call = arrival.call;
        self.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
        let tag = format!(";tag={}", self.header(name::TO).split("tag=").nth(1).unwrap());
        self.take(flow, "ACK", 1, &tag);
        (call, tag)
    }

    fn command(&mut self, command: Command) {
        self.endpoint.handle_command(Instant::from_millis(2), command);
        self.drain();
    }

    fn line(&self) -> (Flow, &str) {
        self.sent.last().map(|(flow, text)| (*flow, text.lines().next().unwrap_or_default())).unwrap()
    }

    fn header(&self, name: &str) -> String {
        let text = &self.sent.last().unwrap().1;
        text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
    }

    fn invite(&mut self, offer: usize) {
        let offer = Bytes::from("v".repeat(offer));
        let invite = Invite { from_user: "10".to_owned(), ..Invite::new(udp("192.0.2.2:5060"), "sip:20@192.0.2.2", offer) };
        self.endpoint.invite(Instant::ZERO, invite);
        self.drain();
    }
}

/// RFC 3261 §18.2.2: over a stream the answer goes over the connection of its request, whatever Via says.
#[test]
fn an_answer_takes_the_connection_of_its_request() {
    let mut bench = Bench::new();
    let flow = tcp("192.0.2.2:40000");
    bench.take(flow, "INVITE", 1, "");
    let Some(Event::Incoming(arrival)) = bench.events.last() else { panic!("{:?}", bench.events) };
    let call = arrival.call;
    bench.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
    assert_eq!(bench.line(), (flow, "SIP/2.0 200 OK"));
    assert_eq!(bench.header(name::CONTACT), "<sip:nightbell@192.0.2.1:5060;transport=tcp>");
    let tag = format!(";tag={}", bench.header(name::TO).split("tag=").nth(1).unwrap());
    bench.take(flow, "ACK", 1, &tag);
    bench.command(Command::Hangup { call, reason: None });
    assert_eq!(bench.line().0, flow, "the connection is there already, so the BYE goes over it");
    assert!(bench.header(name::VIA).starts_with("SIP/2.0/TCP 192.0.2.1:5060;"), "{}", bench.header(name::VIA));
}

/// RFC 3261 §18.2.2: if that connection is gone, to where the Via says that its sender listens.
#[test]
fn an_answer_whose_connection_is_gone_opens_one_to_its_asker() {
    let mut bench = Bench::new();
    let flow = tcp("192.0.2.2:40000");
    bench.take(flow, "INVITE", 1, "");
    let Some(Event::Incoming(arrival)) = bench.events.last() else { panic!("{:?}", bench.events) };
    let call = arrival.call;
    bench.endpoint.handle_closed(Instant::from_millis(2), flow);
    bench.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
    assert_eq!(bench.line(), (tcp("192.0.2.2:5070"), "SIP/2.0 200 OK"));
    bench.endpoint.handle_timeout(Instant::from_millis(600));
    bench.drain();
    assert_eq!(bench.line(), (tcp("192.0.2.2:5070"), "SIP/2.0 200 OK"), "the repeats as well");

    let mut bench = Bench::new();
    bench.take(flow, "OPTIONS", 1, "");
    bench.endpoint.handle_timeout(Instant::from_millis(1));
    bench.drain();
    bench.endpoint.handle_unreachable(Instant::from_millis(2), flow);
    bench.drain();
    assert!(bench.sent.is_empty(), "a transaction that is over sends nothing more");
}

#[test]
fn an_answer_that_could_not_be_sent_is_sent_again_elsewhere() {
    let mut bench = Bench::new();
    let flow = tcp("192.0.2.2:40000");
    bench.take(flow, "INVITE", 1, "");
    bench.endpoint.handle_unreachable(Instant::from_millis(2), flow);
    bench.drain();
    assert_eq!(bench.line(), (tcp("192.0.2.2:5070"), "SIP/2.0 100 Trying"));
}

/// RFC 3261 §8.1.3.1: what cannot be sent ends as if 503 had come, at once.
#[test]
fn a_request_that_cannot_be_sent_ends_with_503() {
    let mut bench = Bench::new();
    let flow = tcp("192.0.2.9:5060");
    bench.command(Command::Options { probe: Probe(4), flow, target: "sip:192.0.2.9".to_owned() });
    bench.endpoint.handle_unreachable(Instant::from_millis(3), udp("192.0.2.9:5060"));
    bench.drain();
    assert!(bench.events.is_empty(), "another way is not this one");
    bench.endpoint.handle_unreachable(Instant::from_millis(3), flow);
    bench.drain();
    assert_eq!(bench.events, [Event::Probed { probe: Probe(4), status: 503 }]);
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.counters().unreachable), (0, 1));
}

/// RFC 3261 §18.1.1: a request of more than 1,300 octets goes by TCP; where the peer has none, as a datagram all the same.
#[test]
fn a_large_request_goes_by_tcp_where_there_is_tcp() {
    let mut bench = Bench::new();
    bench.invite(300);
    assert_eq!(bench.line().0.transport, Transport::Udp);
    bench.invite(1_200);
    assert_eq!(bench.line().0, tcp("192.0.2.2:5060"));
    let wide = bench.header(name::VIA);
    assert!(wide.starts_with("SIP/2.0/TCP "), "{wide}");
    bench.endpoint.handle_unreachable(Instant::from_millis(1), tcp("192.0.2.2:5060"));
    bench.drain();
    assert_eq!(bench.line().0, udp("192.0.2.2:5060"));
    assert_eq!(bench.header(name::VIA), wide.replace("TCP", "UDP"), "the same transaction");
    assert!(bench.events.is_empty());
    bench.invite(1_200);
    assert_eq!(bench.line().0.transport, Transport::Udp, "what has no TCP is not asked again");
}

#[test]
fn an_advertised_address_may_be_one_peers_alone() {
    let mut bench = Bench::new();
    let host = crate::sip::HostPort { host: "203.0.113.5".to_owned(), port: 6060 };
    bench.endpoint.advertise("192.0.2.2".parse().unwrap(), Some(host));
    let options = |flow| Command::Options { probe: Probe(1), flow, target: "sip:192.0.2.2".to_owned() };
    bench.command(options(udp("192.0.2.2:5060")));
    assert!(bench.header(name::VIA).contains(" 203.0.113.5:6060;"), "{}", bench.header(name::VIA));
    bench.command(options(udp("192.0.2.3:5060")));
    assert!(bench.header(name::VIA).contains(" 192.0.2.1:5060;"), "{}", bench.header(name::VIA));
    bench.endpoint.advertise("192.0.2.2".parse().unwrap(), None);
    bench.command(options(udp("192.0.2.2:5060")));
    assert!(bench.header(name::VIA).contains(" 192.0.2.1:5060;"), "{}", bench.header(name::VIA));
}

/// RFC 3261 §20.14: without Content-Length nobody knows where a message ends; its sender is told.
#[test]
fn a_stream_without_lengths_is_refused_with_the_rule() {
    let mut bench = Bench::new();
    let mut framer = Framer::default();
    let head = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";
    framer.push(head.as_bytes());
    let broken = framer.next_piece().unwrap_err();
    bench.endpoint.handle_broken(Instant::ZERO, tcp("192.0.2.2:40000"), &broken);
    bench.drain();
    assert_eq!(bench.line().0, tcp("192.0.2.2:40000"));
    assert!(bench.line().1.starts_with("SIP/2.0 400 ") && bench.line().1.contains("Content-Length"), "{}", bench.line().1);
    framer.push(b"x");
    assert_eq!(framer.next_piece(), Ok(None::<Piece>));
}

/// RFC 3581 §4 and RFC 3261 §18.2.1 on IPv6: the address is told as it is, and compared as an address.
#[test]
fn ipv6_peers_are_told_where_they_came_from() {
    let settings = Settings { trusted: vec!["2001:db8::/32".parse().unwrap()], ..Settings::default() };
    let mut endpoint = Endpoint::new(settings, Seed::new(1));
    let flow = Flow::udp("[2001:db8::1]:5060".parse().unwrap(), "[2001:db8::2]:5999".parse().unwrap());
    for (sent_by, rport, stamp, port) in [
        ("[2001:0DB8::2]:5070", "", "", 5070),
        ("[2001:db8::2]:5070", ";rport", ";received=2001:db8::2;rport=5999", 5999),
        ("phone.example", "", ";received=2001:db8::2", 5060),
    ] {
        let branch = format!(";branch=z9hG4bK{port}");
        let text = format!(
            "OPTIONS sip:[2001:db8::1] SIP/2.0\r\nVia: SIP/2.0/UDP {sent_by}{branch}{rport}\r\nMax-Forwards: 70\r\nFrom: <sip:10@[2001:db8::2]>;tag=t{port}\r\nTo: <sip:20@[2001:db8::1]>\r\nCall-ID: abc{port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        endpoint.handle_datagram(Instant::ZERO, flow, text.as_bytes());
        let Some(Output::Send { flow: way, bytes }) = endpoint.poll_output() else { panic!("no answer") };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains(&format!("Via: SIP/2.0/UDP {sent_by}{branch}{stamp}\r\n")), "{text}");
        assert_eq!(way.remote, format!("[2001:db8::2]:{port}").parse().unwrap());
    }
}

/// RFC 3261 §12.2.1.1: a call whose address has changed says so with its next request, and its sound is offered anew.
#[test]
fn a_call_outlives_a_change_of_our_address() {
    let mut bench = Bench::new();
    let (call, tag) = bench.up(udp("192.0.2.2:5070"));
    bench.endpoint.handle_moved(Instant::from_millis(5), "192.0.2.9:5060".parse().unwrap(), "192.0.2.55".parse().unwrap());
    bench.drain();
    assert!(bench.events.iter().all(|event| !matches!(event, Event::Moved { .. })), "another peer's way");
    bench.endpoint.handle_moved(Instant::from_millis(5), "192.0.2.2:5060".parse().unwrap(), "192.0.2.55".parse().unwrap());
    bench.drain();
    let flow = Flow { local: "192.0.2.55:5060".parse().unwrap(), ..udp("192.0.2.2:5070") };
    assert_eq!(bench.events.last(), Some(&Event::Moved { call, flow }));
    bench.command(Command::Offer { call, sdp: Bytes::from_static(b"v=0") });
    assert!(bench.line().1.starts_with("INVITE "), "{}", bench.line().1);
    assert!(bench.header(name::VIA).contains(" 192.0.2.55:5060;") && bench.header(name::CONTACT).contains("@192.0.2.55:5060"));
    assert!(bench.header(name::FROM).ends_with(&tag), "the same dialog");

    let mut bench = Bench::new();
    let (call, _) = bench.up(udp("192.0.2.2:5070"));
    for public in ["203.0.113.5:6060", "203.0.113.5:6060"] {
        let public: std::net::SocketAddr = public.parse().unwrap();
        bench.endpoint.advertise("192.0.2.2".parse().unwrap(), Some(public.into()));
        bench.drain();
    }
    let moved = bench.events.iter().filter(|event| matches!(event, Event::Moved { .. })).count();
    assert_eq!(moved, 1, "told once");
    bench.command(Command::Hangup { call, reason: None });
    assert!(bench.header(name::VIA).contains(" 203.0.113.5:"), "{}", bench.header(name::VIA));
}
