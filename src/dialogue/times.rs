//! Which times are free, and which of them to offer.

use super::agent::Bookable;
use super::event::Busy;
use super::when::TimeSaid;
use crate::base::civil::{Date, DateTime, ToSpan};

/// Why a wished-for time cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It has passed, or is too soon.
    Past,
    /// It is beyond the horizon.
    TooFar,
    /// Not on that day.
    Closed,
    /// Not at that hour.
    Outside,
    /// Somebody has it.
    Taken,
}

impl Bookable {
    /// Whether `start` can be had.
    pub fn check(&self, start: DateTime, now: DateTime, busy: &[Busy]) -> Result<(), Refusal> {
        let earliest = now.checked_add(i64::from(self.notice_minutes).minutes()).unwrap_or(now);
        if start < earliest {
            return Err(Refusal::Past);
        }
        if start.date() > self.last_day(now) {
            return Err(Refusal::TooFar);
        }
        let span = self.hours.on(start.date()).ok_or(Refusal::Closed)?;
        let end = self.end(start);
        if start.time() < span.from || end.date() != start.date() || end.time() > span.to {
            return Err(Refusal::Outside);
        }
        let holders = busy.iter().filter(|taken| taken.start < end && start < add(taken.start, taken.minutes)).count();
        if holders >= usize::from(self.capacity.max(1)) { Err(Refusal::Taken) } else { Ok(()) }
    }

    /// The last day that can be booked.
    pub fn last_day(&self, now: DateTime) -> Date {
        now.date().checked_add(i64::from(self.horizon_days).days()).unwrap_or(now.date())
    }

    /// Every free time of `date`, on the grid.
    pub fn free_on(&self, date: Date, now: DateTime, busy: &[Busy]) -> Vec<DateTime> {
        let Some(span) = self.hours.on(date) else { return Vec::new() };
        let mut free = Vec::new();
        let mut start = date.to_datetime(span.from);
        // A day has no more places than this on the finest grid.
        for _ in 0..288 {
            if self.end(start).date() != date || self.end(start).time() > span.to {
                break;
            }
            if self.check(start, now, busy).is_ok() {
                free.push(start);
            }
            start = self.end(start);
        }
        free
    }

    /// The first `count` free times from `from` on that `wanted` admits, at most one a day when `spread`.
    pub fn next_free(&self, from: Date, now: DateTime, busy: &[Busy], wish: Wish) -> Vec<DateTime> {
        let mut found = Vec::new();
        let mut date = from.max(now.date());
        for _ in 0..=u32::from(self.horizon_days).min(366) {
            let of_day = self.free_on(date, now, busy).into_iter().filter(|start| wish.admits(*start));
            found.extend(of_day.take(if wish.spread { 1 } else { wish.count }));
            if found.len() >= wish.count || date >= self.last_day(now) {
                break;
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        found.truncate(wish.count);
        found
    }

    /// The `count` free times nearest to `wished`: of that day first, then of the days after it.
    pub fn nearest(&self, wished: DateTime, now: DateTime, busy: &[Busy], count: usize) -> Vec<DateTime> {
        let mut of_day = self.free_on(wished.date(), now, busy);
        of_day.sort_by_key(|start| distance(*start, wished));
        of_day.truncate(count);
        of_day.sort_unstable();
        if of_day.len() < count
            && let Ok(next) = wished.date().tomorrow()
        {
            let more = Wish { time: None, spread: true, count: count - of_day.len() };
            of_day.extend(self.next_free(next, now, busy, more));
        }
        of_day
    }

    fn end(&self, start: DateTime) -> DateTime {
        add(start, self.minutes.max(5))
    }
}

/// Which free times are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    /// At this time or in this part of the day.
    pub time: Option<TimeSaid>,
    /// One a day.
    pub spread: bool,
    /// So many.
    pub count: usize,
}

impl Wish {
    fn admits(self, start: DateTime) -> bool {
        match self.time {
            None => true,
            Some(TimeSaid::Part(part)) => part.contains(start.hour()),
            Some(clock @ TimeSaid::Clock { .. }) => clock.candidates().contains(&start.time()),
        }
    }
}

fn add(start: DateTime, minutes: u16) -> DateTime {
    start.checked_add(i64::from(minutes).minutes()).unwrap_or(start)
}

fn distance(one: DateTime, other: DateTime) -> i64 {
    let minutes = |at: DateTime| i64::from(at.hour()) * 60 + i64::from(at.minute());
    (minutes(one) - minutes(other)).abs()
}
