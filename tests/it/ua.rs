//! A user agent of a few lines that writes its messages by hand: it shares no code with the daemon, and may be as wrong as a test wants.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::wait;

/// One caller with a socket for SIP and one for RTP.
pub struct Ua {
    pub sip: UdpSocket,
    pub rtp: UdpSocket,
    pub daemon: SocketAddr,
    pub call_id: String,
    seq: u32,
    to: String,
}

/// A message as received.
#[derive(Clone, Debug)]
pub struct Message {
    pub text: String,
}

impl Message {
    /// The status of a response, 0 for a request.
    pub fn status(&self) -> u16 {
        self.text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
    }

    /// The first line.
    pub fn line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The value of a header, by its long name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split(':').next().is_some_and(|found| found.trim().eq_ignore_ascii_case(name));
        self.text
            .lines()
            .skip(1)
            .take_while(|line| !line.is_empty())
            .find(named)
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim())
    }

    /// The value of an SDP line, such as `m=`.
    pub fn sdp(&self, start: &str) -> Option<&str> {
        self.text.split("\r\n\r\n").nth(1)?.lines().find_map(|line| line.strip_prefix(start))
    }
}

impl Ua {
    pub fn new(daemon: SocketAddr) -> Self {
        Self::at(if daemon.is_ipv6() { "[::1]" } else { "127.0.0.1" }, daemon)
    }

    /// One that calls from this address of the machine's own.
    pub fn at(address: &str, daemon: SocketAddr) -> Self {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let bind = || {
            let socket = UdpSocket::bind(format!("{address}:0")).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let call_id = format!("by-hand-{}-{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
        Self { sip: bind(), rtp: bind(), daemon, call_id, seq: 0, to: "<sip:leasing@127.0.0.1>".to_owned() }
    }

    /// An SDP offer with these formats and attributes.
    pub fn offer(&self, formats: &str, attributes: &str) -> String {
        let us = self.rtp.local_addr().unwrap();
        let (at, port) = (format!("IN {} {}", if us.is_ipv6() { "IP6" } else { "IP4" }, us.ip()), us.port());
        format!("v=0\r\no=- 1 1 {at}\r\ns=-\r\nc={at}\r\nt=0 0\r\nm=audio {port} RTP/AVP {formats}\r\n{attributes}")
    }

    /// A request with the next number and a branch of its own. `extra` are whole header lines.
    pub fn request(&mut self, method: &str, extra: &str, body: &str) -> String {
        if method != "ACK" && method != "CANCEL" {
            self.seq += 1;
        }
        let branch = if method == "CANCEL" { "INVITE" } else { method };
        let (us, seq) = (self.sip.local_addr().unwrap(), self.seq);
        let (to, call_id) = (&self.to, &self.call_id);
        format!(
            "{method} sip:leasing@{} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK-{call_id}-{seq}-{branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:3125550188@127.0.0.1>;tag=hand\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {seq} {method}\r\nContact: <sip:hand@{us}>\r\n\
             {extra}Content-Length: {}\r\n\r\n{body}",
            self.daemon,
            body.len()
        )
    }

    /// Sends these bytes to the daemon.
    pub fn send(&self, text: &str) {
        self.sip.send_to(text.as_bytes(), self.daemon).unwrap();
    }

    /// The next message within `limit`.
    pub fn next(&self, limit: Duration) -> Option<Message> {
        let mut buffer = vec![0; 65_536];
        wait::within(limit, || {
            let (length, _) = self.sip.recv_from(&mut buffer).ok()?;
            Some(Message { text: String::from_utf8_lossy(&buffer[..length]).into_owned() })
        })
    }

    /// The final answer, whose To tag is kept.
    pub fn answer(&mut self) -> Message {
        loop {
            let message = self.next(Duration::from_secs(5)).unwrap_or_else(|| panic!("no final answer within 5 s"));
            if message.status() >= 200 {
                self.keep_tag(&message);
                return message;
            }
        }
    }

    /// Later requests go to whom this answer came from.
    pub fn keep_tag(&mut self, answer: &Message) {
        if let Some(to) = answer.header("To").filter(|to| to.contains("tag=")) {
            to.clone_into(&mut self.to);
        }
    }

    /// Keeps the To tag of a final answer.
    pub fn take_tag(&mut self, answer: &Message) {
        if let Some(to) = answer.header("To").filter(|to| to.contains("tag=")) {
            to.clone_into(&mut self.to);
        }
    }

    /// BYE, sent again until it is answered; other messages on the way are passed over.
    pub fn bye_again(&mut self) {
        let bye = self.request("BYE", "", "");
        wait::until(Duration::from_secs(10), "the BYE is answered", || {
            self.send(&bye);
            let mut answers = std::iter::from_fn(|| self.next(Duration::from_millis(500)));
            answers.find(|message| message.header("CSeq").is_some_and(|cseq| cseq.ends_with("BYE")))
        });
    }

    /// INVITE with `body`, answered with 200 and acknowledged.
    pub fn call(&mut self, body: &str) -> Message {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let invite = self.request("INVITE", kind, body);
        self.send(&invite);
        let ok = self.answer();
        assert_eq!(ok.status(), 200, "{}", ok.text);
        let ack = self.request("ACK", "", "");
        self.send(&ack);
        ok
    }

    /// BYE, answered with 200.
    pub fn bye(&mut self) {
        let bye = self.request("BYE", "", "");
        self.send(&bye);
        let ok = self.answer();
        assert_eq!(ok.status(), 200, "{}", ok.text);
    }

    /// The next RTP packet within `limit`: payload type, sequence, payload.
    pub fn packet(&self, limit: Duration) -> Option<(u8, u16, Vec<u8>)> {
        packet(&self.rtp, limit)
    }
}

/// The next RTP packet at `socket`.
pub fn packet(socket: &UdpSocket, limit: Duration) -> Option<(u8, u16, Vec<u8>)> {
    let mut buffer = [0; 2_048];
    wait::within(limit, || {
        let (length, _) = socket.recv_from(&mut buffer).ok()?;
        (length > 12 && buffer[0] == 0x80)
            .then(|| (buffer[1] & 0x7f, u16::from_be_bytes([buffer[2], buffer[3]]), buffer[12..length].to_vec()))
    })
}

/// An RTP packet with 20 ms of mu-law silence.
pub fn silence(sequence: u16, source: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(source.to_be_bytes());
    packet.extend([0xff; 160]);
    packet
}
