//! What one trunk or peer may use: calls at once, calls a second, minutes a day. Pure; the shell tells what begins and what ends.
//!
//! Which numbers may be called is the dial plan's to say. Emergency calls are never asked here (they pass at once); whoever places one does not
//! call [`Caps::admit`].

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::base::{Instant, limits};

/// What is allowed. `None` is no limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Calls at once.
    pub calls_max: Option<u64>,
    /// Calls that begin within one second.
    pub calls_a_second_max: u64,
    /// Calls at once that came in and were not acknowledged yet: a flood never acknowledges.
    pub half_open_max: u64,
    /// Minutes of calls out within one day; the call that reaches it is not cut off, the next one is not placed.
    pub minutes_a_day_max: Option<u64>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            calls_max: None,
            calls_a_second_max: limits::CAPS_CALLS_A_SECOND_MAX,
            half_open_max: limits::CAPS_HALF_OPEN_MAX,
            minutes_a_day_max: None,
        }
    }
}

/// Why a call is not taken or not placed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OverCap {
    /// Too many at once.
    #[error("{max} calls at once are the most for this trunk (calls_max)")]
    AtOnce {
        /// The cap.
        max: u64,
    },
    /// Too fast.
    #[error("{max} calls a second are the most for this trunk")]
    TooFast {
        /// The cap.
        max: u64,
    },
    /// Too many that nobody acknowledges.
    #[error("{max} calls wait for their ACK; no more are taken from this peer meanwhile")]
    HalfOpen {
        /// The cap.
        max: u64,
    },
    /// The day's minutes are used up.
    #[error("the {max} minutes a day of this trunk are used up (minutes_a_day_max)")]
    Minutes {
        /// The cap.
        max: u64,
    },
}

impl OverCap {
    /// What an INVITE is answered: 486 where a line is missing, 480 where a later call may fit.
    pub const fn status(&self) -> u16 {
        match self {
            Self::AtOnce { .. } => 486,
            Self::TooFast { .. } | Self::HalfOpen { .. } | Self::Minutes { .. } => 480,
        }
    }
}

/// One call that was admitted, until [`Caps::ended`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket(u64);

/// Which way a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bearing {
    /// It comes in.
    In,
    /// It goes out.
    Out,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    since: Instant,
    half_open: bool,
    out: bool,
}

/// What one trunk uses.
#[derive(Debug)]
pub struct Caps {
    allowance: Allowance,
    running: BTreeMap<Ticket, Running>,
    last: u64,
    /// When the calls of the last second began.
    begun: VecDeque<Instant>,
    /// The day that `spent` belongs to.
    day: i64,
    spent: Duration,
}

impl Caps {
    /// A trunk that has used nothing.
    pub const fn new(allowance: Allowance) -> Self {
        Self { allowance, running: BTreeMap::new(), last: 0, begun: VecDeque::new(), day: 0, spent: Duration::ZERO }
    }

    /// Takes a call into account, or says why it does not fit. `day` counts days in the business's zone.
    pub fn admit(&mut self, now: Instant, day: i64, way: Bearing) -> Result<Ticket, OverCap> {
        self.turn_page(now, day);
        let allowed = &self.allowance;
        if let Some(max) = allowed.calls_max.filter(|max| self.running.len() as u64 >= *max) {
            return Err(OverCap::AtOnce { max });
        }
        match way {
            Bearing::In => self.admit_in()?,
            Bearing::Out => self.admit_out(now)?,
        }
        while self.begun.front().is_some_and(|at| now.since(*at) >= Duration::from_secs(1)) {
            self.begun.pop_front();
        }
        let max = self.allowance.calls_a_second_max.min(limits::CAPS_CALLS_A_SECOND_MAX);
        if self.begun.len() as u64 >= max {
            return Err(OverCap::TooFast { max });
        }
        self.begun.push_back(now);
        self.last += 1;
        let (ticket, out) = (Ticket(self.last), way == Bearing::Out);
        self.running.insert(ticket, Running { since: now, half_open: !out, out });
        Ok(ticket)
    }

    fn admit_in(&self) -> Result<(), OverCap> {
        let half_open = self.running.values().filter(|running| running.half_open).count() as u64;
        let max = self.allowance.half_open_max;
        if half_open < max { Ok(()) } else { Err(OverCap::HalfOpen { max }) }
    }

    fn admit_out(&self, now: Instant) -> Result<(), OverCap> {
        let used = self.used(now);
        let over = self.allowance.minutes_a_day_max.filter(|max| used >= Duration::from_mins(*max));
        over.map_or(Ok(()), |max| Err(OverCap::Minutes { max }))
    }

    /// The caller has acknowledged our answer.
    pub fn acknowledged(&mut self, ticket: Ticket) {
        if let Some(running) = self.running.get_mut(&ticket) {
            running.half_open = false;
        }
    }

    /// The call is over.
    pub fn ended(&mut self, now: Instant, day: i64, ticket: Ticket) {
        self.turn_page(now, day);
        if let Some(running) = self.running.remove(&ticket).filter(|running| running.out) {
            self.spent += now.since(running.since);
        }
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// What calls out have used of the day, running ones included.
    pub fn used(&self, now: Instant) -> Duration {
        self.running.values().filter(|running| running.out).fold(self.spent, |sum, running| sum + now.since(running.since))
    }

    /// At midnight everything begins again; a call that runs over midnight counts for the new day from there on.
    fn turn_page(&mut self, now: Instant, day: i64) {
        if day != self.day {
            (self.day, self.spent) = (day, Duration::ZERO);
            self.running.values_mut().for_each(|running| running.since = now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: Bearing = Bearing::Out;

    #[test]
    fn a_trunk_has_so_many_calls_at_once_both_ways() {
        let mut caps = Caps::new(Allowance { calls_max: Some(2), ..Allowance::default() });
        let now = Instant::from_millis(5);
        let first = caps.admit(now, 1, Bearing::In).unwrap();
        assert!(caps.admit(now, 1, OUT).is_ok());
        let over = caps.admit(now, 1, Bearing::In).unwrap_err();
        assert_eq!((over.status(), over.to_string().contains("calls_max")), (486, true));
        caps.ended(now, 1, first);
        assert!(caps.admit(now, 1, Bearing::In).is_ok());
    }

    #[test]
    fn calls_begin_no_faster_than_allowed() {
        let mut caps = Caps::new(Allowance { calls_a_second_max: 3, ..Allowance::default() });
        let admitted = |caps: &mut Caps, millis: u64| caps.admit(Instant::from_millis(millis), 1, Bearing::In);
        for place in 0..3 {
            assert!(admitted(&mut caps, 100 * place).is_ok());
        }
        assert_eq!(admitted(&mut caps, 900), Err(OverCap::TooFast { max: 3 }));
        assert!(admitted(&mut caps, 1_000).is_ok(), "the first one is a second ago");
        assert_eq!(admitted(&mut caps, 1_050).unwrap_err().status(), 480);
    }

    #[test]
    fn calls_that_nobody_acknowledges_are_few() {
        let mut caps = Caps::new(Allowance { half_open_max: 2, ..Allowance::default() });
        let now = Instant::from_millis(5);
        let first = caps.admit(now, 1, Bearing::In).unwrap();
        assert!(caps.admit(now, 1, Bearing::In).is_ok());
        assert_eq!(caps.admit(now, 1, Bearing::In), Err(OverCap::HalfOpen { max: 2 }));
        assert!(caps.admit(now, 1, OUT).is_ok(), "our own calls are not half open");
        caps.acknowledged(first);
        assert!(caps.admit(now, 1, Bearing::In).is_ok());
    }

    #[test]
    fn the_minutes_of_a_day_are_used_up_by_calls_out_and_come_back_at_midnight() {
        let mut caps = Caps::new(Allowance { minutes_a_day_max: Some(10), ..Allowance::default() });
        let minute = |minute: u64| Instant::from_millis(60_000 * minute);
        let inward = caps.admit(minute(0), 1, Bearing::In).unwrap();
        let first = caps.admit(minute(0), 1, OUT).unwrap();
        caps.ended(minute(6), 1, first);
        assert!(caps.admit(minute(6), 1, OUT).is_ok());
        assert_eq!(caps.admit(minute(10), 1, OUT), Err(OverCap::Minutes { max: 10 }), "what runs counts");
        assert!(caps.admit(minute(10), 1, Bearing::In).is_ok(), "what comes in costs nothing");
        caps.ended(minute(11), 1, inward);
        assert!(caps.admit(minute(20), 2, OUT).is_ok(), "midnight");
        assert_eq!(caps.used(minute(25)), Duration::from_mins(10), "two calls since midnight");
    }
}
