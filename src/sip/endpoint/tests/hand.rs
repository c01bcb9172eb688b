//! A peer written by hand: one request at a time, and what comes back.

use bytes::Bytes;

use super::rig::settings;
use crate::base::{Instant, Seed};
use crate::sip::{Arrival, Command, Endpoint, Event, Flow, Output, SipCall};

pub(super) const US: &str = "192.0.2.1:5060";
pub(super) const THEM: &str = "192.0.2.2:5070";
pub(super) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\n";

/// An endpoint, and a peer that is this test.
pub(super) struct Bench {
    pub(super) now: Instant,
    pub(super) endpoint: Endpoint,
    pub(super) sent: Vec<(Flow, String)>,
    pub(super) events: Vec<Event>,
}

/// A request of the peer's: what differs from an ordinary one.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) uri: &'static str,
    pub(super) branch: String,
    pub(super) to_tag: String,
    pub(super) from_tag: &'static str,
    pub(super) seq: u32,
    pub(super) extra: String,
    pub(super) body: &'static str,
}

impl Request {
    pub(super) fn new(method: &'static str, branch: &str) -> Self {
        let (to_tag, from_tag, extra) = (String::new(), "them", String::new());
        Self { method, uri: "sip:20@192.0.2.1", branch: branch.to_owned(), to_tag, from_tag, seq: 1, extra, body: "" }
    }

    pub(super) fn text(&self) -> String {
        let Self { method, uri, branch, to_tag, from_tag, seq, extra, body } = self;
        let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let kind = if body.is_empty() || extra.contains("Content-Type") { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\nFrom: <sip:10@192.0.2.2>;tag={from_tag}\r\nTo: <sip:20@192.0.2.1>{tag}\r\nCall-ID: abc\r\nCSeq: {seq} {method}\r\nContact: <sip:10@192.0.2.2:5070>\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let endpoint = Endpoint::new(settings(), Seed::new(3));
        Self { now: Instant::from_millis(1), endpoint, sent: Vec::new(), events: Vec::new() }
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.sent.push((flow, String::from_utf8_lossy(&bytes).into_owned())),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub(super) fn take_from(&mut self, remote: &str, text: &[u8]) {
        let flow = Flow::udp(US.parse().unwrap(), remote.parse().unwrap());
        self.endpoint.handle_datagram(self.now, flow, text);
        self.drain();
    }

    /// Takes a request and gives the last first line that went back.
    pub(super) fn take(&mut self, request: &Request) -> String {
        self.sent.clear();
        self.take_from(THEM, request.text().as_bytes());
        self.answer()
    }

    pub(super) fn answer(&self) -> String {
        self.sent.last().map(|(_, text)| text.lines().next().unwrap_or_default().replace("SIP/2.0 ", "")).unwrap_or_default()
    }

    pub(super) fn last(&self) -> &str {
        self.sent.last().map_or("", |(_, text)| text)
    }

    pub(super) fn command(&mut self, command: Command) {
        self.endpoint.handle_command(self.now, command);
        self.drain();
    }

    pub(super) fn header(&self, name: &str) -> String {
        let line = self.last().lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default().to_owned()
    }

    /// The call that has just come in.
    pub(super) fn arrival(&self) -> &Arrival {
        let Some(Event::Incoming(arrival)) = self.events.last() else { panic!("{:?}", self.events) };
        arrival
    }

    /// Its name.
    pub(super) fn incoming(&self) -> SipCall {
        self.arrival().call
    }

    /// A call of the peer's that is up; its requests carry the tag.
    pub(super) fn up(&mut self) -> (SipCall, String) {
        let invite = Request { body: SDP, ..Request::new("INVITE", "i") };
        self.take(&invite);
        let call = self.incoming();
        self.command(Command::Accept { call, answer: Bytes::from_static(b"v=0") });
        let tag = self.header("To").split("tag=").nth(1).unwrap().to_owned();
        self.take(&Request { to_tag: tag.clone(), ..Request::new("ACK", "a") });
        assert_eq!(self.events.last(), Some(&Event::Acked { call, sdp: None }));
        (call, tag)
    }
}
