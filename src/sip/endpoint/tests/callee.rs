//! A callee written by hand: what our requests look like to it, and how they take its answers.

use bytes::Bytes;

use super::rig::settings;
use crate::base::{Instant, Seed};
use crate::sip::{Endpoint, Event, Flow, Invite, Output, SipCall};

const THEM: &str = "192.0.2.2:5060";

pub(super) struct Bench {
    pub(super) now: Instant,
    pub(super) endpoint: Endpoint,
    pub(super) sent: Vec<(Flow, String)>,
    pub(super) events: Vec<Event>,
}

pub(super) fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), THEM.parse().unwrap())
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { now: Instant::from_millis(5), endpoint: Endpoint::new(settings(), Seed::new(5)), sent: Vec::new(), events: Vec::new() }
    }

    pub(super) fn invite(&mut self, target: &str, max_forwards: u8) -> SipCall {
        self.place(Invite { from_user: "a b".to_owned(), max_forwards, ..Invite::new(flow(), target, Bytes::from_static(b"v=0")) })
    }

    pub(super) fn place(&mut self, invite: Invite) -> SipCall {
        let call = self.endpoint.invite(Instant::ZERO, invite);
        self.drain();
        call
    }

    /// Lets the time come at which `seconds` have passed.
    pub(super) fn wait(&mut self, seconds: u64) {
        self.sent.clear();
        while let Some(at) = self.endpoint.poll_deadline().filter(|at| at.as_millis() <= 1_000 * seconds) {
            self.now = at;
            self.endpoint.handle_timeout(at);
            self.drain();
        }
    }

    /// The value of a header of the last message.
    pub(super) fn header(&self, name: &str) -> String {
        let line = self.sent.last().and_then(|(_, text)| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))));
        line.unwrap_or_default().to_owned()
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.sent.push((flow, String::from_utf8_lossy(&bytes).into_owned())),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// The callee answers the request `to`, with a tag and more headers.
    pub(super) fn answer(&mut self, to: &str, status: &str, tag: &str, extra: &str) {
        let copied: Vec<String> = ["Via", "From", "To", "Call-ID", "CSeq"]
            .iter()
            .filter_map(|name| to.lines().find(|line| line.starts_with(&format!("{name}: "))))
            .map(|line| if line.starts_with("To:") && !line.contains("tag=") { format!("{line};tag={tag}") } else { line.to_owned() })
            .collect();
        let text = format!("SIP/2.0 {status}\r\n{}\r\n{extra}Content-Length: 0\r\n\r\n", copied.join("\r\n"));
        self.take(&text);
    }

    pub(super) fn take(&mut self, text: &str) {
        self.sent.clear();
        self.endpoint.handle_datagram(self.now, flow(), text.as_bytes());
        self.drain();
    }

    pub(super) fn first_words(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, text)| text.split(" SIP/2.0").next().unwrap()).collect()
    }
}
