//! How long a connection is waited for: its first message, the rest of a message, its answer to our question. RFC 5626 §4.4.1.

use std::time::Duration;

use crate::base::{Instant, limits};

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing yet.
    Nothing,
    /// Ask the peer whether it is there.
    Ping,
    /// Close, for this reason.
    Close(&'static str),
}

/// The clocks of one connection.
#[derive(Debug)]
pub(super) struct Patience {
    /// The last octet, either way.
    last: Instant,
    /// Since when a message is under way.
    message: Option<Instant>,
    /// Since when nothing sound has come at all.
    silent: Option<Instant>,
    /// When we last asked, and whether the answer is still to come.
    asked: Instant,
    open_question: bool,
    /// Whether the peer has ever answered: who never does is not closed for it.
    answers: bool,
    kept: bool,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Patience {
    /// A connection that a peer has just opened to us.
    pub(super) const fn accepted(now: Instant) -> Self {
        Self { last: now, message: None, silent: Some(now), asked: now, open_question: false, answers: false, kept: false }
    }

    /// One that we have opened: we speak first.
    pub(super) const fn opened(now: Instant) -> Self {
        Self { silent: None, ..Self::accepted(now) }
    }

    /// Something has come; `inside` when it ends within a message.
    pub(super) fn heard(&mut self, now: Instant, inside: bool) {
        self.last = now;
        self.message = if inside { self.message.or(Some(now)) } else { None };
    }

    /// A whole message has come, and perhaps the beginning of another.
    pub(super) const fn whole(&mut self) {
        self.message = None;
        self.silent = None;
    }

    /// A line break has come.
    pub(super) const fn line_break(&mut self) {
        self.answers |= self.open_question;
        self.open_question = false;
        self.silent = None;
    }

    /// Our question was sent.
    pub(super) const fn pinged(&mut self, now: Instant) {
        self.asked = now;
        self.open_question = true;
    }

    /// Something depends on this connection, or nothing does any more.
    pub(super) const fn keep(&mut self, kept: Kept) {
        self.kept = matches!(kept, Kept::Yes);
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Instant {
        let mut next = if self.kept { self.asked + ms(limits::STREAM_PING_EVERY_MS) } else { self.last + ms(limits::STREAM_IDLE_MS_MAX) };
        if self.kept && self.open_question && self.answers {
            next = next.min(self.asked + ms(limits::STREAM_PONG_MS_MAX));
        }
        if let Some(since) = self.message {
            next = next.min(since + ms(limits::STREAM_MESSAGE_MS_MAX));
        }
        if let Some(since) = self.silent {
            next = next.min(since + ms(limits::STREAM_FIRST_MS_MAX));
        }
        next
    }

    /// What is due now.
    pub(super) fn due(&self, now: Instant) -> Due {
        let passed = |since: Instant, limit: u64| now >= since + ms(limit);
        if self.message.is_some_and(|since| passed(since, limits::STREAM_MESSAGE_MS_MAX)) {
            Due::Close("a message did not end in time")
        } else if self.silent.is_some_and(|since| passed(since, limits::STREAM_FIRST_MS_MAX)) {
            Due::Close("nothing was said in time")
        } else if self.kept && self.open_question && self.answers && passed(self.asked, limits::STREAM_PONG_MS_MAX) {
            Due::Close("no answer to our keep-alive")
        } else if self.kept && passed(self.asked, limits::STREAM_PING_EVERY_MS) {
            Due::Ping
        } else if !self.kept && passed(self.last, limits::STREAM_IDLE_MS_MAX) {
            Due::Close("idle")
        } else {
            Due::Nothing
        }
    }
}

/// Whether something depends on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kept {
    /// A registration or a trunk.
    Yes,
    /// Nothing.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn who_opens_a_connection_and_says_nothing_is_closed() {
        let mut patience = Patience::accepted(at(0));
        patience.heard(at(9_000), true);
        assert_eq!((patience.deadline(), patience.due(at(9_999))), (at(10_000), Due::Nothing));
        assert_eq!(patience.due(at(10_000)), Due::Close("nothing was said in time"), "a few octets are no message");
    }

    #[test]
    fn a_message_must_end_however_slowly_its_octets_come() {
        let mut patience = Patience::opened(at(0));
        for millis in (1_000..11_000).step_by(1_000) {
            patience.heard(at(millis), true);
            assert_eq!(patience.due(at(millis)), Due::Nothing);
        }
        assert_eq!(patience.due(at(11_000)), Due::Close("a message did not end in time"));
        patience.whole();
        patience.heard(at(11_000), false);
        assert_eq!(patience.due(at(11_000)), Due::Nothing);
    }

    #[test]
    fn an_idle_connection_is_closed_unless_it_is_kept() {
        let mut patience = Patience::opened(at(0));
        assert_eq!(patience.due(at(limits::STREAM_IDLE_MS_MAX)), Due::Close("idle"));
        patience.keep(Kept::Yes);
        assert_eq!(patience.due(at(limits::STREAM_IDLE_MS_MAX)), Due::Ping);
    }

    /// RFC 5626 §4.4.1: a pong within 10 s, of whoever gives pongs at all.
    #[test]
    fn a_kept_connection_is_asked_and_given_up_when_it_stops_answering() {
        let mut patience = Patience::opened(at(0));
        patience.keep(Kept::Yes);
        assert_eq!((patience.deadline(), patience.due(at(95_000))), (at(95_000), Due::Ping));
        patience.pinged(at(95_000));
        assert_eq!(patience.due(at(110_000)), Due::Nothing, "it has never answered, so it may not know how");
        patience.line_break();
        patience.pinged(at(200_000));
        assert_eq!((patience.deadline(), patience.due(at(210_000))), (at(210_000), Due::Close("no answer to our keep-alive")));
    }
}
