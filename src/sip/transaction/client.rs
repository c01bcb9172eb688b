//! A request of ours other than INVITE and ACK. RFC 3261 §17.1.2.

use bytes::Bytes;

use super::{LIFE, Sends, T1, T2, T4, Timer, Timers, Verdict, Woke};
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
pub struct Client {
    state: State,
    timers: Timers,
    request: Bytes,
    resend_after: std::time::Duration,
    reliable: bool,
}

impl Client {
    /// Sends the request.
    pub fn start(now: Instant, request: Bytes, reliable: bool, out: &mut Sends) -> Self {
        let mut timers = Timers::default();
        if !reliable {
            timers.set(Timer::E, now + T1);
        }
        timers.set(Timer::F, now + LIFE);
        out.push(request.clone());
        Self { state: State::Trying, timers, request, resend_after: T1, reliable }
    }

    /// Takes a response.
    pub fn on_response(&mut self, now: Instant, status: u16) -> Verdict {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                Verdict::Deliver
            }
            (State::Trying | State::Proceeding, _) => {
                self.state = State::Completed;
                self.timers.stop_all();
                let stay = if self.reliable { std::time::Duration::ZERO } else { T4 };
                self.timers.set(Timer::K, now + stay);
                Verdict::Deliver
            }
            _ => Verdict::Absorb,
        }
    }

    /// Runs one timer that is due.
    pub fn on_timer(&mut self, now: Instant, timer: Timer, out: &mut Sends) -> Woke {
        match timer {
            Timer::E => {
                self.resend_after = if self.state == State::Proceeding { T2 } else { (self.resend_after * 2).min(T2) };
                self.timers.set(Timer::E, now + self.resend_after);
                out.push(self.request.clone());
                Woke::Quiet
            }
            Timer::F => {
                self.state = State::Terminated;
                self.timers.stop_all();
                Woke::TimedOut
            }
            _ => {
                self.state = State::Terminated;
                self.timers.stop_all();
                Woke::Quiet
            }
        }
    }

    /// Whether no final response has come.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// Ends the transaction without a response.
    pub fn abandon(&mut self) {
        self.state = State::Terminated;
        self.timers.stop_all();
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
