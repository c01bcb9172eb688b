//! A stream of bytes to messages: where one ends and the next begins, and the line breaks that keep a connection alive. RFC 3261 §18.3, RFC 5626 §4.4.1.

use bytes::{Buf as _, Bytes, BytesMut};

use super::wire::{Malformed, stated_length};
use crate::base::limits;

/// The question whether the other end is there: two line breaks (RFC 5626 §3.5.1).
pub const PING: &[u8] = b"\r\n\r\n";

/// The answer to it.
pub const PONG: &[u8] = b"\r\n";

/// What was found in the stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// A whole message.
    Message(Bytes),
    /// The peer asks whether we are there: it gets [`PONG`].
    Ping,
    /// A line break alone: the answer to our [`PING`], or nothing of importance.
    Pong,
}

/// The stream cannot be read any further: nobody knows where the next message begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The head of the message, as far as it was read: enough to refuse a request.
    pub head: Bytes,
    /// The rule broken, and the status for it.
    pub rule: Malformed,
}

/// Finds the messages in a stream, however its bytes are cut.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How far the head was searched for its end.
    searched: usize,
    /// The head and the whole of the message under way, once the head is complete.
    known: Option<usize>,
    /// A line break was seen, and nothing after it.
    one_break: bool,
    /// Our own question is open: the next line break answers it.
    asked: bool,
}

impl Framer {
    /// Takes what has arrived. The caller asks for [`Framer::next_piece`] until there is none before it takes more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Our [`PING`] was sent: the next line break is its answer.
    pub const fn expect_pong(&mut self) {
        self.asked = true;
    }

    /// Whether a message has begun and not ended.
    pub fn is_inside(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next piece; none until more arrives.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Broken> {
        if self.known.is_none() && self.searched == 0 {
            match self.line_break() {
                Between::Found(piece) => return Ok(Some(piece)),
                Between::Incomplete => return Ok(None),
                Between::Message => {}
            }
        }
        let whole = match self.known {
            Some(whole) => whole,
            None => match self.find_whole()? {
                Some(whole) => whole,
                None => return Ok(None),
            },
        };
        if self.buffer.len() < whole {
            self.known = Some(whole);
            return Ok(None);
        }
        (self.known, self.searched, self.one_break) = (None, 0, false);
        Ok(Some(Piece::Message(self.buffer.split_to(whole).freeze())))
    }

    /// What stands between messages.
    fn line_break(&mut self) -> Between {
        loop {
            match (self.buffer.first(), self.buffer.get(1)) {
                (None, _) | (Some(b'\r'), None) => return Between::Incomplete,
                (Some(b'\r'), Some(b'\n')) => {
                    self.buffer.advance(2);
                    return Between::Found(self.count_break());
                }
                // Whoever ends its lines with less ends its messages so as well.
                (Some(b'\r' | b'\n' | 0), _) => self.buffer.advance(1),
                (Some(_), _) => return Between::Message,
            }
        }
    }

    fn count_break(&mut self) -> Piece {
        if std::mem::take(&mut self.asked) {
            self.one_break = false;
            return Piece::Pong;
        }
        self.one_break = !self.one_break;
        if self.one_break { Piece::Pong } else { Piece::Ping }
    }

    /// The length of head and body, once the head is complete.
    fn find_whole(&mut self) -> Result<Option<usize>, Broken> {
        let from = self.searched.saturating_sub(3);
        let end = head_end(self.buffer.get(from..).unwrap_or_default()).map(|end| from + end);
        let length = end.unwrap_or(self.buffer.len());
        if length > limits::SIP_HEAD_BYTES_MAX {
            return Err(self.broken(length, Malformed::new("a head of more than 32 KiB", limits::SIP_HEAD_BYTES_MAX)));
        }
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let head = self.buffer.get(..end).unwrap_or_default();
        match stated_length(head) {
            Err(rule) => Err(self.broken(end, rule)),
            Ok(body) if end.saturating_add(body) > limits::SIP_STREAM_MESSAGE_BYTES_MAX => {
                Err(self.broken(end, Malformed { status: 413, ..Malformed::new("a message of more than 64 KiB", end) }))
            }
            Ok(body) => Ok(Some(end + body)),
        }
    }

    fn broken(&mut self, head: usize, rule: Malformed) -> Broken {
        let head = self.buffer.split_to(head.min(limits::SIP_HEAD_BYTES_MAX)).freeze();
        self.buffer.clear();
        Broken { head, rule }
    }
}

enum Between {
    Found(Piece),
    Incomplete,
    Message,
}

/// Where the empty line ends that ends the headers. A lone LF ends a line as well.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut rest = 0;
    while let Some(at) = bytes.get(rest..)?.iter().position(|&byte| byte == b'\n') {
        let after = rest + at + 1;
        match (bytes.get(after), bytes.get(after + 1)) {
            (Some(b'\n'), _) => return Some(after + 1),
            (Some(b'\r'), Some(b'\n')) => return Some(after + 2),
            _ => rest = after,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that `pieces` of a stream hold, and how it ends.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Piece>, Option<Malformed>) {
        let (mut framer, mut found) = (Framer::default(), Vec::new());
        for piece in pieces {
            framer.push(piece);
            loop {
                match framer.next_piece() {
                    Ok(Some(piece)) => found.push(piece),
                    Ok(None) => break,
                    Err(broken) => return (found, Some(broken.rule)),
                }
            }
        }
        (found, None)
    }

    fn message(body: &str, length: &str) -> String {
        format!("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\n{length}\r\n\r\n{body}")
    }

    #[test]
    fn several_messages_in_one_segment_are_several() {
        let (one, two) = (message("", "l : 0"), message("v=0\r\n\r\n", "Content-Length:\r\n  7"));
        let both = format!("{one}{two}");
        let messages = [one, two].map(|text| Piece::Message(Bytes::from(text)));
        assert_eq!(read([both.as_bytes()]), (messages.to_vec(), None));
    }

    /// RFC 5626 §4.4.1: two line breaks ask, one answers.
    #[test]
    fn line_breaks_between_messages_keep_the_connection_alive() {
        let one = message("", "Content-Length: 0");
        let stream = format!("\r\n\r\n{one}\r\n{one}");
        let wanted = vec![Piece::Pong, Piece::Ping, Piece::Message(one.clone().into()), Piece::Pong, Piece::Message(one.into())];
        assert_eq!(read([stream.as_bytes()]), (wanted, None));
        let mut framer = Framer::default();
        for _ in 0..3 {
            framer.expect_pong();
            framer.push(PONG);
            assert_eq!(framer.next_piece(), Ok(Some(Piece::Pong)), "an answer to our question is no question");
        }
    }

    #[test]
    fn a_stream_that_cannot_be_cut_is_broken() {
        let cases = [
            (message("", "X: 0"), 400),
            (message("", "Content-Length: 0\r\nl: 0"), 400),
            (message("", "Content-Length: -1"), 400),
            (message("", "Content-Length: 70000"), 413),
            (format!("OPTIONS sip:a@b SIP/2.0\r\nX: {}\r\n", "x".repeat(limits::SIP_HEAD_BYTES_MAX)), 400),
        ];
        for (text, status) in cases {
            let (found, rule) = read([text.as_bytes()]);
            assert_eq!((found.len(), rule.map(|rule| rule.status)), (0, Some(status)), "{text:.80}");
        }
    }

    #[test]
    fn the_head_of_a_broken_message_serves_to_refuse_it() {
        let mut framer = Framer::default();
        framer.push(message("", "X: 0").as_bytes());
        let broken = framer.next_piece().unwrap_err();
        assert!(broken.head.ends_with(b"X: 0\r\n\r\n") && broken.rule.rule.contains("Content-Length"));
    }

    proptest! {
        /// However the network cuts the stream, the messages are the same.
        #[test]
        fn any_split_gives_the_same_messages(
            bodies in proptest::collection::vec(("[ -~\r\n]{0,40}", 0..4_u8), 1..6),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..30),
        ) {
            let mut stream = Vec::new();
            for (body, breaks) in &bodies {
                stream.extend(b"\r\n".repeat(usize::from(*breaks)));
                stream.extend(message(body, &format!("Content-Length: {}", body.len())).into_bytes());
            }
            let whole = read([stream.as_slice()]);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).chain([0, stream.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&read(pieces), &whole);
            prop_assert_eq!(&read(stream.chunks(1)), &whole);
            let messages = whole.0.iter().filter(|piece| matches!(piece, Piece::Message(_))).count();
            prop_assert_eq!((messages, whole.1), (bodies.len(), None));
        }

        /// Noise is read without a panic, and never kept beyond the bound.
        #[test]
        fn noise_is_bounded(noise in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let mut framer = Framer::default();
            for chunk in noise.chunks(97) {
                framer.push(chunk);
                while let Ok(Some(_)) = framer.next_piece() {}
                prop_assert!(framer.buffer.len() <= limits::SIP_STREAM_MESSAGE_BYTES_MAX);
            }
        }
    }
}
