//! Civil time: what a calendar and a clock on the wall show. Wraps `jiff`, so that no other file names it.

pub use jiff::civil::{Date, DateTime, Time, Weekday};
pub use jiff::{Span, ToSpan};

/// A time of day as written in a configuration: `9:00`, `18:30`.
pub fn clock_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// The business's time zone could not be found.
#[derive(Debug, thiserror::Error)]
#[error("unknown time zone {name:?}: write an IANA name such as \"America/Chicago\"")]
pub struct UnknownZone {
    /// The name as written.
    pub name: String,
}

/// A named time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The zone with this IANA name, from the table inside the program (no file of the system is needed).
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        jiff::tz::TimeZone::get(name).map(Self).map_err(|_| UnknownZone { name: name.to_owned() })
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// What the wall shows in this zone at `unix_millis`.
    pub fn at(&self, unix_millis: i64) -> DateTime {
        let instant = jiff::Timestamp::from_millisecond(unix_millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        instant.to_zoned(self.0.clone()).datetime()
    }

    /// Milliseconds since the Unix epoch at which the wall in this zone shows `local` (the earlier one where a clock change makes two).
    pub fn unix_millis(&self, local: DateTime) -> i64 {
        local.to_zoned(self.0.clone()).map_or(0, |zoned| zoned.timestamp().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_survives_the_way_there_and_back() {
        let zone = Zone::named("America/Chicago").unwrap();
        let local = jiff::civil::datetime(2026, 11, 22, 15, 30, 0, 0);
        assert_eq!(zone.at(zone.unix_millis(local)), local);
        assert!(Zone::named("Mars/Base").is_err());
    }
}
