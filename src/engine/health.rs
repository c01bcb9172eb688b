//! When a worker is started, asked for a sign of life, killed and started again. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::WorkerState;
use crate::base::Instant;
use crate::base::limits::{
    WORKER_BACKOFF_MS_MAX, WORKER_BACKOFF_MS_MIN, WORKER_LOAD_MS_MAX, WORKER_PING_EVERY_MS, WORKER_PONG_MS_MAX, WORKER_STEADY_MS,
    WORKER_STEP_MS_MAX,
};

/// Why the machine wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Timer {
    /// When to give up a worker that does not finish loading.
    Load,
    /// When to ask for a sign of life.
    Ping,
    /// When to give up a worker that gave none.
    Pong,
    /// When to start it again.
    Restart,
    /// When to believe that it is well, and to forget the earlier failures.
    Steady,
}

impl Timer {
    const ALL: [Self; 5] = [Self::Load, Self::Ping, Self::Pong, Self::Restart, Self::Steady];
}

/// What the shell has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HealthOutput {
    /// Start the process and say hello to it.
    Spawn,
    /// Ask for a sign of life with this number.
    Ping(u64),
    /// Kill the process at once; its end will be reported like any other.
    Kill,
    /// It takes requests from now on.
    Up,
    /// It takes none: what it held has failed.
    Down {
        /// Why, in words.
        why: String,
    },
}

/// The health of one worker. Inputs by the `handle_` doors, orders by [`Health::poll_output`].
#[derive(Debug)]
pub struct Health {
    state: WorkerState,
    timers: [Option<Instant>; Timer::ALL.len()],
    outputs: VecDeque<HealthOutput>,
    pings: u64,
    failures: u32,
    starts: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// A worker that is not installed; nothing happens before [`Health::handle_start`].
    pub fn new() -> Self {
        Self { state: WorkerState::Absent, timers: [None; Timer::ALL.len()], outputs: VecDeque::new(), pings: 0, failures: 0, starts: 0 }
    }

    /// What it does.
    pub fn state(&self) -> WorkerState {
        self.state
    }

    /// Times it was started after the first.
    pub fn restarts(&self) -> u32 {
        self.starts.saturating_sub(1)
    }

    /// The worker is to run.
    pub fn handle_start(&mut self, now: Instant) {
        if matches!(self.state, WorkerState::Absent | WorkerState::Stopped) {
            self.spawn(now);
        }
        self.check_invariants();
    }

    /// The worker is to end, and to stay ended.
    pub fn handle_stop(&mut self, _now: Instant) {
        let runs = matches!(self.state, WorkerState::Starting | WorkerState::Ready);
        if self.state == WorkerState::Ready {
            self.outputs.push_back(HealthOutput::Down { why: "the daemon stops".to_owned() });
        }
        if runs {
            self.outputs.push_back(HealthOutput::Kill);
        }
        self.state = WorkerState::Stopped;
        self.timers = [None; Timer::ALL.len()];
        self.check_invariants();
    }

    /// The worker said that it is ready.
    pub fn handle_ready(&mut self, now: Instant) {
        if self.state == WorkerState::Starting {
            self.state = WorkerState::Ready;
            self.set(Timer::Load, None);
            self.set(Timer::Ping, Some(now + Duration::from_millis(WORKER_PING_EVERY_MS)));
            self.set(Timer::Steady, Some(now + Duration::from_millis(WORKER_STEADY_MS)));
            self.outputs.push_back(HealthOutput::Up);
        }
        self.check_invariants();
    }

    /// The worker answered ping `number`; its present step has taken `busy` so far.
    pub fn handle_pong(&mut self, now: Instant, number: u64, busy: Duration) {
        if self.state != WorkerState::Ready {
            return;
        }
        if busy > Duration::from_millis(WORKER_STEP_MS_MAX) {
            self.condemn(format!("one step has taken {} s", busy.as_secs()));
        } else if number == self.pings && self.at(Timer::Pong).is_some() {
            self.set(Timer::Pong, None);
            self.set(Timer::Ping, Some(now + Duration::from_millis(WORKER_PING_EVERY_MS)));
        }
        self.check_invariants();
    }

    /// The worker broke the protocol, or refused to work at all: `why` in words.
    pub fn handle_violation(&mut self, _now: Instant, why: String) {
        if matches!(self.state, WorkerState::Starting | WorkerState::Ready) {
            self.condemn(why);
        }
        self.check_invariants();
    }

    /// The process ended, or could not be started: `why` in words.
    pub fn handle_exit(&mut self, now: Instant, why: String) {
        match self.state {
            WorkerState::Absent | WorkerState::Stopped | WorkerState::BackingOff => return,
            WorkerState::Starting | WorkerState::Ready => self.outputs.push_back(HealthOutput::Down { why }),
            WorkerState::Stalled => {}
        }
        self.state = WorkerState::BackingOff;
        self.timers = [None; Timer::ALL.len()];
        let wait = backoff(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.set(Timer::Restart, Some(now + wait));
        self.check_invariants();
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        for timer in Timer::ALL {
            if self.at(timer).is_some_and(|at| at <= now) {
                self.set(timer, None);
                self.fire(now, timer);
            }
        }
        self.check_invariants();
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<HealthOutput> {
        self.outputs.pop_front()
    }

    /// When to be woken.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.timers.iter().flatten().min().copied()
    }

    fn fire(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::Load => self.condemn(format!("not ready within {} s", WORKER_LOAD_MS_MAX / 1_000)),
            Timer::Ping => {
                self.pings += 1;
                self.outputs.push_back(HealthOutput::Ping(self.pings));
                self.set(Timer::Pong, Some(now + Duration::from_millis(WORKER_PONG_MS_MAX)));
            }
            Timer::Pong => self.condemn(format!("no sign of life for {WORKER_PONG_MS_MAX} ms")),
            Timer::Restart => self.spawn(now),
            Timer::Steady => self.failures = 0,
        }
    }

    fn spawn(&mut self, now: Instant) {
        self.state = WorkerState::Starting;
        self.starts = self.starts.saturating_add(1);
        self.timers = [None; Timer::ALL.len()];
        self.set(Timer::Load, Some(now + Duration::from_millis(WORKER_LOAD_MS_MAX)));
        self.outputs.push_back(HealthOutput::Spawn);
    }

    /// Its requests fail now, not when the kernel has reaped it.
    fn condemn(&mut self, why: String) {
        self.timers = [None; Timer::ALL.len()];
        self.state = WorkerState::Stalled;
        self.outputs.push_back(HealthOutput::Down { why });
        self.outputs.push_back(HealthOutput::Kill);
    }

    fn at(&self, timer: Timer) -> Option<Instant> {
        Timer::ALL.iter().position(|each| *each == timer).and_then(|index| self.timers[index])
    }

    fn set(&mut self, timer: Timer, at: Option<Instant>) {
        if let Some(index) = Timer::ALL.iter().position(|each| *each == timer) {
            self.timers[index] = at;
        }
    }

    fn check_invariants(&self) {
        let pings = self.at(Timer::Ping).is_some() || self.at(Timer::Pong).is_some();
        debug_assert_eq!(self.state == WorkerState::Ready, pings, "a ready worker, and no other, is asked for signs of life");
        debug_assert_eq!(self.state == WorkerState::BackingOff, self.at(Timer::Restart).is_some(), "who waits is woken");
        debug_assert_eq!(self.state == WorkerState::Starting, self.at(Timer::Load).is_some(), "loading has an end");
    }
}

/// How long to wait after `failures` in a row: doubling, bounded.
fn backoff(failures: u32) -> Duration {
    let millis = WORKER_BACKOFF_MS_MIN.saturating_mul(1 << failures.min(16));
    Duration::from_millis(millis.min(WORKER_BACKOFF_MS_MAX))
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
