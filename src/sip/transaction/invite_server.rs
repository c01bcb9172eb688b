//! An INVITE of the peer's. RFC 3261 §17.2.1, RFC 6026 §7.1.

use bytes::Bytes;

use super::{LIFE, Sends, T1, T2, T4, Timer, Timers, Verdict, Woke};
use crate::base::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Proceeding,
    Completed,
    Accepted,
    Confirmed,
    Terminated,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct InviteServer {
    state: State,
    timers: Timers,
    last: Bytes,
    resend_after: std::time::Duration,
    reliable: bool,
}

impl InviteServer {
    /// Begins with nothing sent: the user sends 100 at once.
    pub fn start(reliable: bool) -> Self {
        Self { state: State::Proceeding, timers: Timers::default(), last: Bytes::new(), resend_after: T1, reliable }
    }

    /// The INVITE has come again.
    pub fn on_repeat(&mut self, out: &mut Sends) {
        // In Accepted the user repeats the 200 by its own clock (RFC 6026 §7.1).
        if matches!(self.state, State::Proceeding | State::Completed) && !self.last.is_empty() {
            out.push(self.last.clone());
        }
    }

    /// The user answers.
    pub fn respond(&mut self, now: Instant, status: u16, response: Bytes, out: &mut Sends) {
        match (self.state, status) {
            (State::Proceeding, 100..=199) => self.last = response.clone(),
            (State::Proceeding, 200..=299) => {
                self.enter(State::Accepted);
                self.timers.set(Timer::L, now + LIFE);
            }
            (State::Accepted, 200..=299) => {}
            (State::Proceeding, _) => {
                self.enter(State::Completed);
                self.last = response.clone();
                if !self.reliable {
                    self.timers.set(Timer::G, now + T1);
                }
                self.timers.set(Timer::H, now + LIFE);
            }
            _ => return,
        }
        out.push(response);
    }

    /// An ACK with this transaction's branch: it ends the repeats of a refusal. One for a 200 is the user's.
    pub fn on_ack(&mut self, now: Instant) -> Verdict {
        match self.state {
            State::Completed => {
                self.enter(State::Confirmed);
                let stay = if self.reliable { std::time::Duration::ZERO } else { T4 };
                self.timers.set(Timer::I, now + stay);
                Verdict::Absorb
            }
            State::Accepted => Verdict::Deliver,
            _ => Verdict::Absorb,
        }
    }

    /// Runs one timer that is due.
    pub fn on_timer(&mut self, now: Instant, timer: Timer, out: &mut Sends) -> Woke {
        match timer {
            Timer::G => {
                self.resend_after = (self.resend_after * 2).min(T2);
                self.timers.set(Timer::G, now + self.resend_after);
                out.push(self.last.clone());
                Woke::Quiet
            }
            Timer::H => {
                self.enter(State::Terminated);
                Woke::TimedOut
            }
            _ => {
                self.enter(State::Terminated);
                Woke::Quiet
            }
        }
    }

    /// What was sent last, for another way when the first is gone.
    pub fn last(&self) -> Bytes {
        if self.is_over() { Bytes::new() } else { self.last.clone() }
    }

    /// Whether no final response was sent yet.
    pub fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether it can be forgotten.
    pub fn is_over(&self) -> bool {
        self.state == State::Terminated
    }

    /// Its timers.
    pub const fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.timers.stop_all();
    }
}
