//! What one trunk or peer may use: calls at once, calls a second, minutes a day, destinations. Pure; the shell tells what begins and what ends.
//!
//! Emergency calls are never asked here (they pass at once); whoever places one does not call [`Caps::admit`].

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::SipCall;
use crate::base::{Instant, limits};

/// What is allowed. `None` and an empty list allow everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Calls at once.
    pub calls_max: Option<u32>,
    /// Calls that begin within one second.
    pub calls_a_second_max: u32,
    /// Calls at once that came in and were not acknowledged yet: a flood never acknowledges.
    pub half_open_max: u32,
    /// Minutes of all calls within one day; the call that reaches it is not cut off, the next one is not taken.
    pub minutes_a_day_max: Option<u32>,
    /// Numbers that may be called, by how they begin: `+1312`, `911`. For what goes out alone.
    pub destinations: Vec<String>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            calls_max: None,
            calls_a_second_max: limits::CAPS_CALLS_A_SECOND_MAX,
            half_open_max: limits::CAPS_HALF_OPEN_MAX,
            minutes_a_day_max: None,
            destinations: Vec::new(),
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
        max: u32,
    },
    /// Too fast.
    #[error("{max} calls a second are the most for this trunk")]
    TooFast {
        /// The cap.
        max: u32,
    },
    /// Too many that nobody acknowledges.
    #[error("{max} calls wait for their ACK; no more are taken from this peer meanwhile")]
    HalfOpen {
        /// The cap.
        max: u32,
    },
    /// The day's minutes are used up.
    #[error("the {max} minutes a day of this trunk are used up (minutes_a_day_max)")]
    Minutes {
        /// The cap.
        max: u32,
    },
    /// Not a number that may be called.
    #[error("calls to this number are not allowed over this trunk (destinations)")]
    Destination,
}

impl OverCap {
    /// What an INVITE is answered: 486 where a line is missing, 480 where a later call may fit.
    pub const fn status(&self) -> u16 {
        match self {
            Self::AtOnce { .. } => 486,
            Self::TooFast { .. } | Self::HalfOpen { .. } | Self::Minutes { .. } => 480,
            Self::Destination => 403,
        }
    }
}

/// Which way a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bearing<'a> {
    /// It comes in.
    In,
    /// It goes out, to this number.
    Out {
        /// As dialled.
        number: &'a str,
    },
}

#[derive(Clone, Copy, Debug)]
struct Running {
    since: Instant,
    half_open: bool,
}

/// What one trunk uses.
#[derive(Debug)]
pub struct Caps {
    allowance: Allowance,
    running: BTreeMap<SipCall, Running>,
    /// When the calls of the last second began.
    begun: VecDeque<Instant>,
    /// The day that `spent` belongs to.
    day: i64,
    spent: Duration,
}

impl Caps {
    /// A trunk that has used nothing.
    pub const fn new(allowance: Allowance) -> Self {
        Self { allowance, running: BTreeMap::new(), begun: VecDeque::new(), day: 0, spent: Duration::ZERO }
    }

    /// Takes a call into account, or says why it does not fit. `day` counts days in the business's zone.
    pub fn admit(&mut self, now: Instant, day: i64, call: SipCall, way: Bearing<'_>) -> Result<(), OverCap> {
        self.turn_page(now, day);
        let allowed = &self.allowance;
        if let Bearing::Out { number } = way
            && !allowed.destinations.is_empty()
            && !allowed.destinations.iter().any(|prefix| begins(number, prefix))
        {
            return Err(OverCap::Destination);
        }
        if let Some(max) = allowed.calls_max.filter(|max| self.running.len() >= *max as usize) {
            return Err(OverCap::AtOnce { max });
        }
        let half_open = self.running.values().filter(|running| running.half_open).count();
        if way == Bearing::In && half_open >= allowed.half_open_max as usize {
            return Err(OverCap::HalfOpen { max: allowed.half_open_max });
        }
        while self.begun.front().is_some_and(|at| now.since(*at) >= Duration::from_secs(1)) {
            self.begun.pop_front();
        }
        if self.begun.len() >= allowed.calls_a_second_max as usize {
            return Err(OverCap::TooFast { max: allowed.calls_a_second_max });
        }
        if let Some(max) = allowed.minutes_a_day_max.filter(|max| self.used(now) >= Duration::from_mins(u64::from(*max))) {
            return Err(OverCap::Minutes { max });
        }
        self.begun.push_back(now);
        self.running.insert(call, Running { since: now, half_open: way == Bearing::In });
        debug_assert!(self.begun.len() <= allowed_a_second(&self.allowance), "the second has a bound");
        Ok(())
    }

    /// The caller has acknowledged our answer.
    pub fn acknowledged(&mut self, call: SipCall) {
        if let Some(running) = self.running.get_mut(&call) {
            running.half_open = false;
        }
    }

    /// The call is over.
    pub fn ended(&mut self, now: Instant, day: i64, call: SipCall) {
        self.turn_page(now, day);
        if let Some(running) = self.running.remove(&call) {
            self.spent += now.since(running.since);
        }
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// What was used of the day, running calls included.
    pub fn used(&self, now: Instant) -> Duration {
        self.running.values().fold(self.spent, |sum, running| sum + now.since(running.since))
    }

    /// What is allowed from now on; what runs goes on.
    pub fn allow(&mut self, allowance: Allowance) {
        self.allowance = allowance;
    }

    /// At midnight everything begins again; a call that runs over midnight counts for the new day from there on.
    fn turn_page(&mut self, now: Instant, day: i64) {
        if day != self.day {
            (self.day, self.spent) = (day, Duration::ZERO);
            self.running.values_mut().for_each(|running| running.since = now);
        }
    }
}

const fn allowed_a_second(allowance: &Allowance) -> usize {
    allowance.calls_a_second_max as usize
}

/// Whether a number begins so, whatever stands between its digits.
fn begins(number: &str, prefix: &str) -> bool {
    let plain =
        |text: &str| text.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '*' | '#')).collect::<String>();
    plain(number).starts_with(&plain(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(allowance: Allowance) -> Caps {
        Caps::new(allowance)
    }

    #[test]
    fn a_trunk_has_so_many_calls_at_once() {
        let mut caps = caps(Allowance { calls_max: Some(2), ..Allowance::default() });
        let now = Instant::from_millis(5);
        assert!(
            caps.admit(now, 1, SipCall(1), Bearing::In).is_ok() && caps.admit(now, 1, SipCall(2), Bearing::Out { number: "1" }).is_ok()
        );
        let over = caps.admit(now, 1, SipCall(3), Bearing::In).unwrap_err();
        assert_eq!((over.status(), over.to_string().contains("calls_max")), (486, true));
        caps.ended(now, 1, SipCall(1));
        assert!(caps.admit(now, 1, SipCall(3), Bearing::In).is_ok());
    }

    #[test]
    fn calls_begin_no_faster_than_allowed() {
        let mut caps = caps(Allowance { calls_a_second_max: 3, ..Allowance::default() });
        let admitted = |caps: &mut Caps, millis: u64, call: u64| caps.admit(Instant::from_millis(millis), 1, SipCall(call), Bearing::In);
        for call in 0..3 {
            assert!(admitted(&mut caps, 100 * call, call).is_ok());
        }
        assert_eq!(admitted(&mut caps, 900, 4), Err(OverCap::TooFast { max: 3 }));
        assert!(admitted(&mut caps, 1_000, 4).is_ok(), "the first one is a second ago");
        assert_eq!(admitted(&mut caps, 1_050, 5).unwrap_err().status(), 480);
    }

    #[test]
    fn calls_that_nobody_acknowledges_are_few() {
        let mut caps = caps(Allowance { half_open_max: 2, ..Allowance::default() });
        let now = Instant::from_millis(5);
        assert!(caps.admit(now, 1, SipCall(1), Bearing::In).is_ok() && caps.admit(now, 1, SipCall(2), Bearing::In).is_ok());
        assert_eq!(caps.admit(now, 1, SipCall(3), Bearing::In), Err(OverCap::HalfOpen { max: 2 }));
        assert!(caps.admit(now, 1, SipCall(4), Bearing::Out { number: "1" }).is_ok(), "our own calls are not half open");
        caps.acknowledged(SipCall(1));
        assert!(caps.admit(now, 1, SipCall(3), Bearing::In).is_ok());
    }

    #[test]
    fn the_minutes_of_a_day_are_used_up_and_come_back_at_midnight() {
        let mut caps = caps(Allowance { minutes_a_day_max: Some(10), ..Allowance::default() });
        let minute = |minute: u64| Instant::from_millis(60_000 * minute);
        assert!(caps.admit(minute(0), 1, SipCall(1), Bearing::In).is_ok());
        caps.ended(minute(6), 1, SipCall(1));
        assert!(caps.admit(minute(6), 1, SipCall(2), Bearing::In).is_ok());
        assert_eq!(caps.admit(minute(10), 1, SipCall(3), Bearing::In), Err(OverCap::Minutes { max: 10 }), "what runs counts");
        assert!(caps.admit(minute(20), 2, SipCall(3), Bearing::In).is_ok(), "midnight");
        assert_eq!(caps.used(minute(25)), Duration::from_mins(10), "both calls since midnight");
    }

    #[test]
    fn only_the_numbers_of_the_plan_are_called() {
        let mut caps = caps(Allowance { destinations: vec!["+1312".to_owned(), "911".to_owned()], ..Allowance::default() });
        let mut out = |number| caps.admit(Instant::ZERO, 1, SipCall(1), Bearing::Out { number }).is_ok();
        assert!(out("+13125550123") && out("+1 (312) 555-0123") && out("911"));
        assert!(!out("+882125550123") && !out("00882") && !out("") && !out("3125550123") && !out("1+1312"));
        assert!(caps.admit(Instant::ZERO, 1, SipCall(2), Bearing::In).is_ok(), "what comes in dials nobody");
    }
}
