//! When a real-time thread wakes: the only place where it sleeps.

use std::time::Duration;

use super::os::sleep_until;
use crate::base::Instant;
use crate::base::clock::Clock;

/// Wakes its thread at absolute points a fixed period apart, so that lateness never adds up.
#[derive(Debug)]
pub struct Ticker {
    clock: Clock,
    period: Duration,
    next: Instant,
    missed: u64,
}

impl Ticker {
    /// A ticker at the multiples of `period` on `clock`.
    pub fn start(clock: Clock, period: Duration) -> Self {
        let micros = u64::try_from(period.as_micros()).unwrap_or(u64::MAX).max(1);
        let next = Instant::from_micros((clock.now().as_micros() / micros + 1).saturating_mul(micros));
        Self { clock, period, next, missed: 0 }
    }

    /// Sleeps until the next point and returns the time read after waking. Points that passed meanwhile are skipped and counted.
    pub fn wait(&mut self) -> Instant {
        sleep_until(&self.clock, self.next);
        let now = self.clock.now();
        self.next += self.period;
        while self.next <= now {
            self.missed += 1;
            let behind = now.since(self.next);
            let whole = u32::try_from(behind.as_micros() / self.period.as_micros().max(1)).unwrap_or(u32::MAX);
            self.missed += u64::from(whole);
            self.next = self.next + self.period * whole + self.period;
        }
        now
    }

    /// Points skipped so far because the thread woke or worked too long.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_ticks_keep_to_their_grid() {
        let clock = Clock::start();
        let period = Duration::from_millis(2);
        let mut ticker = Ticker::start(clock, period);
        let first = ticker.next;
        for _ in 0..10 {
            let due = ticker.next;
            assert!(ticker.wait() >= due, "woken early");
            let offset = ticker.next.since(first).as_micros();
            assert_eq!(offset % period.as_micros(), 0, "off the grid");
        }
        assert_eq!(u128::from(10 + ticker.missed()), ticker.next.since(first).as_micros() / period.as_micros());
    }
}
