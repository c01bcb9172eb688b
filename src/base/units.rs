//! Counts that must not be mixed up.

use serde::{Deserialize, Serialize};

use super::Rate;

/// Milliseconds on a call's own clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Millis(pub u64);

/// A count of samples of one channel, or a place on a clock that counts them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Samples(pub u64);

impl Samples {
    /// The samples that `millis` take at `rate`; exact, because every rate is a multiple of 1,000 Hz.
    pub const fn from_millis(millis: u64, rate: Rate) -> Self {
        Self(millis * (rate.hertz() as u64 / 1_000))
    }

    /// The time these samples take at `rate`, rounded down.
    pub const fn to_millis(self, rate: Rate) -> u64 {
        self.0 / (rate.hertz() as u64 / 1_000)
    }
}

/// An RTP timestamp: 32 bits that wrap (RFC 3550 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RtpTime(pub u32);

impl RtpTime {
    /// This time and `samples` more, wrapping.
    #[must_use]
    pub const fn plus(self, samples: u32) -> Self {
        Self(self.0.wrapping_add(samples))
    }

    /// How far `self` is after `earlier`, negative when before, on the shorter way around the circle.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtp_time_wraps_both_ways() {
        assert_eq!(RtpTime(5).since(RtpTime(u32::MAX - 4)), 10);
        assert_eq!(RtpTime(u32::MAX).since(RtpTime(0)), -1);
        assert_eq!(Samples::from_millis(20, Rate::K8), Samples(160));
    }
}
