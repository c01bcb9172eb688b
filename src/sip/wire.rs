//! Bytes to messages: framing, unfolding, compact names, the length of the body. RFC 3261 §7, §18.3, §25.

use bytes::Bytes;

use super::message::{Header, Message, Start, full_name, name};
use super::{Method, lex};
use crate::base::limits;

/// Which rule a message breaks, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{rule} (octet {at})")]
pub struct Malformed {
    /// The rule, beginning with its section; plain ASCII, so that it can stand in a reason phrase.
    pub rule: &'static str,
    /// The octet of the datagram near which it is broken.
    pub at: usize,
    /// What a request is answered: 400, or 505 for the version.
    pub status: u16,
}

impl Malformed {
    /// A breach of `rule` near octet `at`.
    pub const fn new(rule: &'static str, at: usize) -> Self {
        Self { rule, at, status: 400 }
    }
}

/// What a datagram holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Framed {
    /// Line breaks alone, or nothing: a keep-alive.
    KeepAlive,
    /// A message, and the first rule it breaks: what could be read of a broken request serves to refuse it.
    Message {
        /// What could be read.
        message: Message,
        /// The first rule broken.
        broken: Option<Malformed>,
    },
}

/// Reads one datagram. `Err` where not even the first line tells what it is.
pub fn frame(datagram: &Bytes) -> Result<Framed, Malformed> {
    let skipped = datagram.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
    if skipped == datagram.len() {
        return Ok(Framed::KeepAlive);
    }
    let mut lines = Lines { bytes: datagram, at: skipped };
    let first = lines.next_line().ok_or(Malformed::new("RFC 3261 7: the first line ends", skipped))?;
    let (start, mut broken) = start_line(first, skipped)?;
    let mut reader = Reader { headers: Vec::new(), lengths: Vec::new(), broken: &mut broken };
    let ended = reader.read(&mut lines);
    if !ended {
        reader.note(Malformed::new("RFC 3261 7: an empty line ends the headers", datagram.len()));
    }
    let lengths = std::mem::take(&mut reader.lengths);
    let headers = std::mem::take(&mut reader.headers);
    let rest = datagram.slice(lines.at.min(datagram.len())..);
    let body = match body_length(&lengths, rest.len()) {
        Ok(length) => rest.slice(..length),
        Err(rule) => {
            broken.get_or_insert(Malformed::new(rule, lines.at));
            Bytes::new()
        }
    };
    Ok(Framed::Message { message: Message { start, headers, body }, broken })
}

/// How long the body is that follows `head`, a start line and headers with the empty line: over a stream Content-Length alone says
/// where the next message begins (RFC 3261 §18.3, §20.14).
pub fn stated_length(head: &[u8]) -> Result<usize, Malformed> {
    let mut lines = Lines { bytes: head, at: 0 };
    lines.next_line();
    let mut broken = None;
    let mut reader = Reader { headers: Vec::new(), lengths: Vec::new(), broken: &mut broken };
    reader.read(&mut lines);
    let fail = |rule| Malformed::new(rule, 0);
    match reader.lengths.as_slice() {
        [] => Err(fail("RFC 3261 20.14: over a stream every message has a Content-Length")),
        [length] => {
            let length = lex::number(length, u64::from(u32::MAX)).ok_or(fail("RFC 3261 20.14: Content-Length is a number"))?;
            usize::try_from(length).map_err(|_| fail("RFC 3261 20.14: Content-Length is a number"))
        }
        _ => Err(fail("RFC 3261 7.3.1: one Content-Length")),
    }
}

struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its CRLF; a lone LF ends one as well. `None` at the end of the datagram.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        self.at += end + 1;
        let line = rest.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn start_line(line: &[u8], at: usize) -> Result<(Start, Option<Malformed>), Malformed> {
    if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(line, at).map(|start| (start, None));
    }
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let (method, uri, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !lex::is_token(method) {
        return Err(Malformed::new("RFC 3261 7.1: a request begins with its method", at));
    }
    let start = Start::Request { method: Method::named(&lex::text(method)), uri: uri.to_vec() };
    let broken = if uri.is_empty() || version.contains(&b' ') {
        Some(Malformed::new("RFC 3261 7.1: method, Request-URI and version stand apart by one space each", at))
    } else if version.eq_ignore_ascii_case(b"SIP/2.0") {
        None
    } else if is_version(version) {
        Some(Malformed { status: 505, ..Malformed::new("RFC 3261 7.1: the version is SIP/2.0", at) })
    } else {
        Some(Malformed::new("RFC 3261 7.1: a request line ends with SIP/2.0", at))
    };
    Ok((start, broken))
}

fn is_version(word: &[u8]) -> bool {
    let Some((head, numbers)) = word.split_first_chunk::<4>() else { return false };
    let mut parts = numbers.split(|&byte| byte == b'.');
    let mut digits = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    head.eq_ignore_ascii_case(b"SIP/") && digits() && digits() && parts.next().is_none()
}

fn status_line(line: &[u8], at: usize) -> Result<Start, Malformed> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let version = words.next().unwrap_or_default();
    let code = words.next().unwrap_or_default();
    let reason = words.next().unwrap_or_default().to_vec();
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Malformed::new("RFC 3261 7.2: a response begins with SIP/2.0", at));
    }
    let status = lex::number(code, 699).filter(|&status| code.len() == 3 && status >= 100).and_then(|status| u16::try_from(status).ok());
    status
        .map(|status| Start::Response { status, reason })
        .ok_or(Malformed::new("RFC 3261 7.2: a status code is three digits, 100 to 699", at))
}

struct Reader<'a> {
    headers: Vec<Header>,
    lengths: Vec<Vec<u8>>,
    broken: &'a mut Option<Malformed>,
}

impl Reader<'_> {
    fn note(&mut self, malformed: Malformed) {
        self.broken.get_or_insert(malformed);
    }

    /// Reads up to and with the empty line; false when there is none.
    fn read(&mut self, lines: &mut Lines<'_>) -> bool {
        let mut unfolded: Vec<u8> = Vec::new();
        let mut began = lines.at;
        loop {
            let at = lines.at;
            let line = lines.next_line();
            let continues = line.is_some_and(|line| matches!(line.first(), Some(b' ' | b'\t')));
            if !continues {
                if !unfolded.is_empty() {
                    self.header(&unfolded, began);
                }
                unfolded.clear();
                began = at;
            }
            let Some(line) = line else { return false };
            if line.is_empty() {
                return true;
            }
            if continues {
                if unfolded.is_empty() {
                    self.note(Malformed::new("RFC 3261 7.3.1: a folded line continues a header", at));
                }
                unfolded.push(b' ');
                unfolded.extend_from_slice(lex::trim(line));
            } else {
                unfolded.extend_from_slice(line);
            }
        }
    }

    fn header(&mut self, line: &[u8], at: usize) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return self.note(Malformed::new("RFC 3261 7.3.1: a header has a colon after its name", at));
        };
        let (written, value) = (lex::trim(line.get(..colon).unwrap_or_default()), lex::trim(line.get(colon + 1..).unwrap_or_default()));
        if !lex::is_token(written) {
            return self.note(Malformed::new("RFC 3261 25.1: a header's name is a token", at));
        }
        if value.contains(&b'\r') {
            return self.note(Malformed::new("RFC 3261 25.1: no lone carriage return in a header", at));
        }
        let written = lex::text(written);
        let full = full_name(&written);
        if full.eq_ignore_ascii_case(name::CONTENT_LENGTH) {
            self.lengths.push(value.to_vec());
        } else if self.headers.len() < limits::SIP_HEADERS_MAX {
            self.headers.push(Header { name: full.to_owned(), value: value.to_vec() });
        } else {
            self.note(Malformed::new("more than 256 headers", at));
        }
    }
}

/// RFC 3261 §18.3: over UDP the body is the rest of the datagram, or as much of it as Content-Length says, which cannot be more.
fn body_length(lengths: &[Vec<u8>], rest: usize) -> Result<usize, &'static str> {
    let [length] = lengths else {
        return if lengths.is_empty() { Ok(rest) } else { Err("RFC 3261 7.3.1: one Content-Length") };
    };
    let length = lex::number(length, u64::from(u32::MAX)).ok_or("RFC 3261 20.14: Content-Length is a number")?;
    usize::try_from(length).ok().filter(|&length| length <= rest).ok_or("RFC 3261 18.3: Content-Length is not more than there is")
}
