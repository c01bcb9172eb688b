//! The only file that reads the operating system's clocks.

use std::time::Duration;

use super::Instant;

/// The daemon's monotonic clock: [`Instant`]s count from its making.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: std::time::Instant,
}

impl Clock {
    /// A clock that reads zero now.
    #[expect(clippy::disallowed_methods, reason = "the one owner of the operating system's clock")]
    pub fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }

    /// The present point on this clock.
    #[expect(clippy::disallowed_methods, reason = "the one owner of the operating system's clock")]
    pub fn now(&self) -> Instant {
        let elapsed = std::time::Instant::now().duration_since(self.started);
        Instant::from_micros(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }

    /// How long until `at`; zero when it has passed.
    pub fn until(&self, at: Instant) -> Duration {
        at.since(self.now())
    }

    /// The standard library's instant for `at`, for timers of the runtime.
    pub fn to_std(&self, at: Instant) -> std::time::Instant {
        self.started + Duration::from_micros(at.as_micros())
    }
}

/// Milliseconds since the Unix epoch, for records that people read.
#[expect(clippy::disallowed_methods, reason = "the one owner of the operating system's clock")]
pub fn unix_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
