//! An INVITE of ours. RFC 3261 §17.1.1, RFC 6026 §7.2.

use bytes::Bytes;

use super::{LIFE, Sends, T1, T4, Timer, Timers, Verdict, Woke};
use crate::base::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct InviteClient {
    state: State,
    timers: Timers,
    request: Bytes,
    ack: Bytes,
    resend_after: std::time::Duration,
    reliable: bool,
    is_impatient: bool,
}

impl InviteClient {
    /// Sends the INVITE.
    pub fn start(now: Instant, request: Bytes, reliable: bool, out: &mut Sends) -> Self {
        let mut timers = Timers::default();
        if !reliable {
            timers.set(Timer::A, now + T1);
        }
        timers.set(Timer::B, now + LIFE);
        out.push(request.clone());
        Self { state: State::Calling, timers, request, ack: Bytes::new(), resend_after: T1, reliable, is_impatient: false }
    }

    /// Gives up after 64 T1 even where a provisional response has come: a re-INVITE rings nowhere, so nobody is waited for.
    pub const fn hurry(&mut self) {
        self.is_impatient = true;
    }

    /// Takes a response; `ack` makes the ACK for a refusal.
    pub fn on_response(&mut self, now: Instant, status: u16, ack: impl FnOnce() -> Bytes, out: &mut Sends) -> Verdict {
        match (self.state, status) {
            (State::Calling | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                self.timers.stop(Timer::A);
                if !self.is_impatient {
                    self.timers.stop(Timer::B);
                }
                Verdict::Deliver
            }
            (State::Calling | State::Proceeding, 200..=299) => {
                self.enter(State::Accepted);
                self.timers.set(Timer::M, now + LIFE);
                Verdict::Deliver
            }
            // A repeat of the 200, or the 200 of another branch: the user sends the ACK again.
            (State::Accepted, 200..=299) => Verdict::Deliver,
            (State::Calling | State::Proceeding, _) => {
                self.enter(State::Completed);
                let stay = if self.reliable { std::time::Duration::ZERO } else { LIFE };
                self.timers.set(Timer::D, now + stay);
                self.ack = ack();
                out.push(self.ack.clone());
                Verdict::Deliver
            }
            (State::Completed, 300..) => {
                out.push(self.ack.clone());
                Verdict::Absorb
            }
            _ => Verdict::Absorb,
        }
    }

    /// Runs one timer that is due.
    pub fn on_timer(&mut self, now: Instant, timer: Timer, out: &mut Sends) -> Woke {
        match timer {
            Timer::A => {
                self.resend_after *= 2;
                self.timers.set(Timer::A, now + self.resend_after);
                out.push(self.request.clone());
                Woke::Quiet
            }
            Timer::B => {
                self.enter(State::Terminated);
                Woke::TimedOut
            }
            _ => {
                self.enter(State::Terminated);
                Woke::Quiet
            }
        }
    }

    /// Whether a provisional response has come: only then may a CANCEL follow (RFC 3261 §9.1).
    pub fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether no final response has come.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// Ends the transaction without a response: what was cancelled is not waited for beyond 64 T1 (RFC 3261 §9.1).
    pub fn abandon(&mut self) {
        self.enter(State::Terminated);
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

const _: () = assert!(LIFE.as_millis() >= 32_000 && T4.as_millis() > 0, "timer D is at least 32 s over UDP");
