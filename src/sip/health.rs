//! Whether a trunk is there: asked by OPTIONS now and then, down after some silence, up with the first answer. Pure. RFC 3261 §11.

use std::time::Duration;

use super::Flow;
use crate::base::{Instant, Seed};

/// Questions without an answer after which a trunk counts as down.
const MISSES_MAX: u32 = 3;
/// After a first miss it is asked sooner, so that three of them take no minutes.
const SOONER: u32 = 4;
/// But never sooner than this.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// How a trunk seems.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HealthState {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It answers 503: it is there, and takes no calls.
    Refusing,
    /// It does not answer.
    Down,
}

/// What a [`Health`] wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HealthOutput {
    /// Send OPTIONS this way.
    Ask(Flow),
    /// [`Health::state`] has changed.
    Changed(HealthState),
}

/// The health of one trunk.
#[derive(Debug)]
pub struct Health {
    every: Duration,
    seed: Seed,
    way: Option<Flow>,
    misses: u32,
    state: HealthState,
    is_asking: bool,
    next: Option<Instant>,
    outputs: std::collections::VecDeque<HealthOutput>,
}

impl Health {
    /// A trunk that is asked `every` so often, from the first [`Health::handle_way`] on.
    pub fn new(every: Duration, seed: Seed) -> Self {
        let (state, outputs) = (HealthState::Unknown, std::collections::VecDeque::new());
        Self { every, seed, way: None, misses: 0, state, is_asking: false, next: None, outputs }
    }

    /// Takes the way that calls would go.
    pub fn handle_way(&mut self, now: Instant, way: Option<Flow>) {
        if way == self.way {
            return;
        }
        self.way = way;
        self.misses = 0;
        self.next = Some(now);
        self.handle_timeout(now);
    }

    /// Takes the answer to the last question: 408 where there was none, 503 where it could not be sent.
    pub fn handle_answer(&mut self, now: Instant, status: u16) {
        if !std::mem::replace(&mut self.is_asking, false) {
            return;
        }
        // Any answer but 408 and 503 is a sign of life: many PBXs answer 401, 404 or 405 to OPTIONS.
        let missed = matches!(status, 408 | 503);
        self.misses = if missed { self.misses.saturating_add(1) } else { 0 };
        let state = match (missed, status) {
            (false, _) => HealthState::Up,
            (true, _) if self.misses < MISSES_MAX => self.state,
            (true, 503) => HealthState::Refusing,
            (true, _) => HealthState::Down,
        };
        if state != self.state {
            self.state = state;
            self.outputs.push_back(HealthOutput::Changed(state));
        }
        let pause = if missed && self.misses < MISSES_MAX { self.every / SOONER } else { self.every };
        // A tenth more or less, so that many boxes do not ask in the same instant.
        let percent = 90 + u32::try_from(self.seed.below(21)).unwrap_or(0);
        self.next = Some(now + (pause * percent / 100).max(PAUSE_MIN.min(self.every)));
    }

    /// Runs the timer when it is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_none_or(|at| now < at) {
            return;
        }
        self.next = None;
        if let Some(way) = self.way.filter(|_| !self.is_asking) {
            self.is_asking = true;
            self.outputs.push_back(HealthOutput::Ask(way));
        }
    }

    /// What to do next, in order.
    pub fn poll_output(&mut self) -> Option<HealthOutput> {
        self.outputs.pop_front()
    }

    /// When [`Health::handle_timeout`] is wanted.
    pub const fn poll_deadline(&self) -> Option<Instant> {
        self.next
    }

    /// How the trunk seems.
    pub const fn state(&self) -> HealthState {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.10:5060".parse().unwrap())
    }

    /// Waits until it asks; the seconds it took.
    fn asks(health: &mut Health, now: &mut Instant) -> f64 {
        let began = *now;
        *now = health.poll_deadline().unwrap_or(*now);
        health.handle_timeout(*now);
        assert_eq!(health.poll_output(), Some(HealthOutput::Ask(way())));
        (*now - began).as_secs_f64()
    }

    #[test]
    fn a_trunk_is_down_after_three_misses_and_up_with_one_answer() {
        let mut now = Instant::from_millis(1);
        let mut health = Health::new(Duration::from_mins(1), Seed::new(3));
        health.handle_way(now, Some(way()));
        assert_eq!(health.poll_output(), Some(HealthOutput::Ask(way())));
        health.handle_answer(now, 404);
        assert_eq!(health.poll_output(), Some(HealthOutput::Changed(HealthState::Up)), "any answer is a sign of life");
        let usual = asks(&mut health, &mut now);
        assert!((54.0..=66.0).contains(&usual), "{usual}");
        for _ in 0..2 {
            health.handle_answer(now, 408);
            let sooner = asks(&mut health, &mut now);
            assert!(sooner <= 16.5 && health.state() == HealthState::Up, "{sooner}");
        }
        health.handle_answer(now, 408);
        assert_eq!(health.poll_output(), Some(HealthOutput::Changed(HealthState::Down)));
        assert!(asks(&mut health, &mut now) >= 54.0, "a dead trunk is not asked more than a living one");
        health.handle_answer(now, 200);
        assert_eq!(health.poll_output(), Some(HealthOutput::Changed(HealthState::Up)));
    }

    #[test]
    fn a_trunk_that_refuses_calls_is_told_from_a_dead_one() {
        let mut now = Instant::from_millis(1);
        let mut health = Health::new(Duration::from_secs(10), Seed::new(3));
        health.handle_way(now, Some(way()));
        health.poll_output();
        for _ in 0..2 {
            health.handle_answer(now, 503);
            asks(&mut health, &mut now);
        }
        health.handle_answer(now, 503);
        assert_eq!(health.poll_output(), Some(HealthOutput::Changed(HealthState::Refusing)));
        health.handle_answer(now, 200);
        assert_eq!(health.state(), HealthState::Refusing, "an answer to nothing is none");
    }

    #[test]
    fn a_new_way_is_asked_at_once() {
        let mut health = Health::new(Duration::from_mins(1), Seed::new(3));
        let now = Instant::from_millis(5);
        health.handle_way(now, None);
        assert_eq!(health.poll_output(), None);
        health.handle_way(now, Some(way()));
        assert_eq!(health.poll_output(), Some(HealthOutput::Ask(way())));
        health.handle_way(now, Some(way()));
        assert_eq!(health.poll_output(), None);
    }
}
