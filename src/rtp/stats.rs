//! What is known of a received stream. RFC 3550 §6.4.1 and appendix A.8.

use serde::{Deserialize, Serialize};

use crate::base::{Instant, Rate, RtpTime};

/// Counts of one received stream, over all its synchronisation sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReceiveStats {
    /// Packets taken, whatever became of them afterwards.
    pub received: u64,
    /// Packets that had not come when they were given up (some may have come late).
    pub lost: u64,
    /// Packets that came after they were given up; their sound was not used.
    pub late: u64,
    /// Packets that came twice.
    pub duplicated: u64,
    /// Packets that came out of order but in time.
    pub reordered: u64,
    /// Packets of another source, or far off in sequence, that nothing confirmed.
    pub strayed: u64,
    /// Times the stream began anew: another source, another sequence, or another timestamp base.
    pub restarts: u64,
    /// Packets too long to be a telephone's.
    pub oversize: u64,
    /// Samples of sound handed on.
    pub sound_samples: u64,
    /// Samples of typed gap handed on.
    pub gap_samples: u64,
    /// Interarrival jitter now, in microseconds. Arrival is taken at the reader's ticks, so their period is in it.
    pub jitter_us: u64,
    /// The largest interarrival jitter so far, in microseconds.
    pub jitter_us_max: u64,
}

/// The estimator of interarrival jitter (RFC 3550 appendix A.8), in units of 1/16 timestamp step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jitter {
    transit: Option<i64>,
    scaled: i64,
}

impl Jitter {
    /// Takes one packet's arrival. A new source starts with [`Jitter::restart`].
    pub fn arrived(&mut self, now: Instant, time: RtpTime, rate: Rate) {
        let steps = now.as_micros().wrapping_mul(u64::from(rate.hertz() / 1_000)) / 1_000;
        // Both counts wrap at 2^32: only the difference of differences matters.
        let transit = i64::from((u32::try_from(steps & u64::from(u32::MAX)).unwrap_or(0)).wrapping_sub(time.0));
        if let Some(before) = self.transit {
            let difference = wrapped(transit - before).abs();
            // A jump of the clock is not jitter.
            if difference < i64::from(rate.hertz()) {
                self.scaled += difference - ((self.scaled + 8) >> 4);
            }
        }
        self.transit = Some(transit);
    }

    /// Forgets the last packet: the next one's clock has another beginning.
    pub fn restart(&mut self) {
        self.transit = None;
    }

    /// The estimate in microseconds at `rate`.
    pub fn micros(&self, rate: Rate) -> u64 {
        u64::try_from(self.scaled >> 4).unwrap_or(0) * 1_000 / u64::from(rate.hertz() / 1_000)
    }
}

/// The difference on the shorter way around 2^32.
fn wrapped(difference: i64) -> i64 {
    let circle = 1_i64 << 32;
    let within = difference.rem_euclid(circle);
    if within >= circle / 2 { within - circle } else { within }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3550 appendix A.8: a regular stream has none, an alternating delay of 10 ms tends to 10 ms.
    #[test]
    fn jitter_tends_to_the_mean_difference() {
        let (mut regular, mut shaken) = (Jitter::default(), Jitter::default());
        for n in 0..2_000_u32 {
            let at = u64::from(n) * 20;
            let time = RtpTime((u32::MAX - 5_000).wrapping_add(n * 160));
            regular.arrived(Instant::from_millis(at), time, Rate::K8);
            shaken.arrived(Instant::from_millis(at + u64::from(n % 2) * 10), time, Rate::K8);
        }
        assert_eq!(regular.micros(Rate::K8), 0);
        assert!((9_000..=10_500).contains(&shaken.micros(Rate::K8)), "{}", shaken.micros(Rate::K8));
    }

    #[test]
    fn a_jump_of_the_clock_is_not_jitter() {
        let mut jitter = Jitter::default();
        jitter.arrived(Instant::from_millis(0), RtpTime(0), Rate::K8);
        jitter.arrived(Instant::from_millis(20), RtpTime(4_000_000_000), Rate::K8);
        assert_eq!(jitter.micros(Rate::K8), 0);
    }
}
