//! A request of the peer's other than INVITE and ACK. RFC 3261 §17.2.2.

use bytes::Bytes;

use super::{LIFE, Sends, Timer, Timers, Woke};
use crate::base::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Server {
    state: State,
    timers: Timers,
    last: Bytes,
    reliable: bool,
}

impl Server {
    /// Begins with nothing sent.
    pub fn start(reliable: bool) -> Self {
        Self { state: State::Trying, timers: Timers::default(), last: Bytes::new(), reliable }
    }

    /// The request has come again.
    pub fn on_repeat(&mut self, out: &mut Sends) {
        if matches!(self.state, State::Proceeding | State::Completed) {
            out.push(self.last.clone());
        }
    }

    /// The user answers.
    pub fn respond(&mut self, now: Instant, status: u16, response: Bytes, out: &mut Sends) {
        if !matches!(self.state, State::Trying | State::Proceeding) {
            return;
        }
        if status < 200 {
            self.state = State::Proceeding;
        } else {
            self.state = State::Completed;
            let stay = if self.reliable { std::time::Duration::ZERO } else { LIFE };
            self.timers.set(Timer::J, now + stay);
        }
        self.last = response.clone();
        out.push(response);
    }

    /// Runs one timer that is due: J is the only one.
    pub fn on_timer(&mut self, _timer: Timer) -> Woke {
        self.state = State::Terminated;
        self.timers.stop_all();
        Woke::Quiet
    }

    /// What was sent last, for another way when the first is gone.
    pub fn last(&self) -> Bytes {
        if self.is_over() { Bytes::new() } else { self.last.clone() }
    }

    /// Whether no final response was sent yet.
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// Whether it can be forgotten.
    pub fn is_over(&self) -> bool {
        self.state == State::Terminated
    }

    /// Its timers.
    pub const fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }
}
