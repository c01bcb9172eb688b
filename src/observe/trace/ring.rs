//! The ring itself: exchanges by Call-ID, each with its messages.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::mask::masked;
use crate::base::limits;

/// How many of a call's first messages stay when it has too many.
const FIRST: usize = 40;

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Towards {
    /// To us.
    Us,
    /// To the peer.
    Them,
}

/// A message that passes, and the way it goes.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Microseconds on the daemon's own clock: for the differences.
    pub at_us: u64,
    /// Which way.
    pub towards: Towards,
    /// `UDP` and the like.
    pub transport: &'static str,
    /// Our address.
    pub local: SocketAddr,
    /// Theirs.
    pub remote: SocketAddr,
    /// As on the wire.
    pub bytes: &'a [u8],
}

/// A message that was kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Microseconds on the daemon's own clock.
    pub at_us: u64,
    /// Which way.
    pub towards: Towards,
    /// `UDP` and the like.
    pub transport: String,
    /// Our address.
    pub local: SocketAddr,
    /// Theirs.
    pub remote: SocketAddr,
    /// Whether the very same message went the same way before.
    pub again: bool,
    /// Octets on the wire.
    pub length: usize,
    /// The message, its secrets masked, cut where it was very long.
    pub text: String,
    /// Tells a repetition from a new message.
    #[serde(skip)]
    digest: u64,
}

impl Line {
    /// The value of a header by its full name, in any spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text.lines().skip(1).take_while(|line| !line.is_empty());
        let mut named = lines.filter_map(|line| line.split_once(':'));
        let (_, value) = named.find(|(found, _)| crate::sip::message::full_name(found.trim()).eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    /// The first line.
    pub fn start(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.start().strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok())
    }

    /// The method: of a request its own, of a response that of its CSeq.
    pub fn method(&self) -> &str {
        let of_cseq = || self.header("CSeq").and_then(|cseq| cseq.split_whitespace().nth(1)).unwrap_or_default();
        if self.status().is_some() { of_cseq() } else { self.start().split(' ').next().unwrap_or_default() }
    }

    /// The number in CSeq.
    pub fn seq(&self) -> &str {
        self.header("CSeq").and_then(|cseq| cseq.split_whitespace().next()).unwrap_or_default()
    }

    /// The values of all lines of the SDP that begin so.
    pub fn sdp<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        let body = self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        body.lines().filter_map(move |line| line.strip_prefix(start))
    }
}

/// Messages with one Call-ID.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// The Call-ID.
    pub call_id: String,
    /// The name of our call, where it is one.
    pub call: Option<String>,
    /// Whether an INVITE is in it.
    pub is_call: bool,
    /// The messages, oldest first.
    pub lines: VecDeque<Line>,
    /// How many were left out in the middle.
    pub left_out: u64,
    #[serde(skip)]
    used: u64,
    #[serde(skip)]
    bytes: usize,
}

/// Which exchanges are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Asked {
    /// The name of a call, or the beginning of a Call-ID; none for the newest.
    pub call: Option<String>,
    /// How many.
    pub last: usize,
    /// Whether registrations, OPTIONS and the like count too.
    pub all: bool,
}

#[derive(Default)]
struct Ring {
    by_call_id: HashMap<String, Exchange>,
    uses: u64,
    bytes: usize,
}

/// The ring; clones share it.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Ring>>);

impl Trace {
    /// Keeps a message; one without a Call-ID is not kept.
    pub fn pass(&self, passing: &Passing<'_>) {
        let Some(call_id) = call_id(passing.bytes) else { return };
        let mut ring = self.lock();
        ring.uses += 1;
        let exchange = ring.entry(&call_id);
        let before = exchange.bytes;
        exchange.take(passing);
        let after = exchange.bytes;
        ring.bytes = (ring.bytes + after).saturating_sub(before);
        while ring.bytes > limits::TRACE_BYTES_MAX && ring.by_call_id.len() > 1 {
            ring.forget_one();
        }
    }

    /// Our name for the call with this Call-ID; its first message may be still to come.
    pub fn name(&self, call_id: &str, call: &str) {
        let mut ring = self.lock();
        ring.uses += 1;
        ring.entry(call_id).call = Some(call.to_owned());
    }

    /// The exchanges that are asked for, oldest first.
    pub fn find(&self, asked: &Asked) -> Vec<Exchange> {
        let ring = self.lock();
        let wanted = |exchange: &&Exchange| match &asked.call {
            Some(name) => exchange.call.as_deref() == Some(name) || exchange.call_id.starts_with(name.as_str()),
            None => exchange.is_call || asked.all,
        };
        let mut found: Vec<&Exchange> = ring.by_call_id.values().filter(|exchange| !exchange.lines.is_empty()).filter(wanted).collect();
        let begun = |exchange: &&Exchange| exchange.lines.front().map_or(0, |line| line.at_us);
        found.sort_by_key(begun);
        let first = if asked.call.is_some() { 0 } else { found.len().saturating_sub(asked.last) };
        found.into_iter().skip(first).cloned().collect()
    }

    /// Exchanges and bytes in the ring.
    pub fn size(&self) -> (usize, usize) {
        let ring = self.lock();
        (ring.by_call_id.len(), ring.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// The exchange with this Call-ID, made where there is none; it counts as used.
    fn entry(&mut self, call_id: &str) -> &mut Exchange {
        if !self.by_call_id.contains_key(call_id) {
            self.make_room();
        }
        let exchange = self.by_call_id.entry(call_id.to_owned()).or_insert_with(|| Exchange {
            call_id: call_id.to_owned(),
            call: None,
            is_call: false,
            lines: VecDeque::new(),
            left_out: 0,
            used: 0,
            bytes: 0,
        });
        exchange.used = self.uses;
        exchange
    }

    fn make_room(&mut self) {
        while self.by_call_id.len() >= limits::TRACE_CALLS_MAX {
            self.forget_one();
        }
    }

    /// The one that was quiet for longest; a call only where nothing else is left, so that a flood of OPTIONS hides no call.
    fn forget_one(&mut self) {
        let oldest =
            self.by_call_id.values().min_by_key(|exchange| (exchange.is_call, exchange.used)).map(|exchange| exchange.call_id.clone());
        if let Some(exchange) = oldest.and_then(|call_id| self.by_call_id.remove(&call_id)) {
            self.bytes = self.bytes.saturating_sub(exchange.bytes);
        }
    }
}

impl Exchange {
    fn take(&mut self, passing: &Passing<'_>) {
        let cut = passing.bytes.get(..limits::TRACE_MESSAGE_BYTES_MAX).unwrap_or(passing.bytes);
        let digest = digest(passing.bytes);
        let again =
            self.lines.iter().any(|line| line.digest == digest && line.towards == passing.towards && line.length == passing.bytes.len());
        // A repetition is kept as its first line: the rest is known.
        let text = if again { first_lines(cut) } else { masked(cut) };
        self.is_call |= passing.bytes.starts_with(b"INVITE ");
        self.bytes += text.len();
        self.lines.push_back(Line {
            at_ms: passing.at_ms,
            at_us: passing.at_us,
            towards: passing.towards,
            transport: passing.transport.to_owned(),
            local: passing.local,
            remote: passing.remote,
            again,
            length: passing.bytes.len(),
            text,
            digest,
        });
        if self.lines.len() > limits::TRACE_MESSAGES_A_CALL_MAX
            && let Some(line) = self.lines.remove(FIRST)
        {
            self.bytes = self.bytes.saturating_sub(line.text.len());
            self.left_out += 1;
        }
    }
}

/// The start line and CSeq alone.
fn first_lines(bytes: &[u8]) -> String {
    let text = masked(bytes);
    let start = text.lines().next().unwrap_or_default();
    let cseq = text.lines().find(|line| line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("cseq:"))).unwrap_or_default();
    format!("{start}\r\n{cseq}\r\n\r\n")
}

/// FNV-1a: tells messages apart, promises nothing against somebody who wants two to look alike.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The Call-ID, in its long or compact form.
fn call_id(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..limits::TRACE_MESSAGE_BYTES_MAX).unwrap_or(bytes);
    let lines = head.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::trim_ascii).take_while(|line| !line.is_empty());
    let mut named = lines.filter_map(|line| line.split_at_checked(line.iter().position(|byte| *byte == b':')?));
    let (_, value) = named.find(|(name, _)| {
        let name = name.trim_ascii();
        name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i")
    })?;
    let value = String::from_utf8_lossy(value.get(1..)?.trim_ascii()).into_owned();
    (!value.is_empty() && value.len() <= 256).then_some(value)
}
