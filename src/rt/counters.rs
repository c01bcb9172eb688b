//! Counts that a real-time thread keeps and a shell reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The present sum.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper edges of the buckets of [`Deviations`] in microseconds; one bucket more holds what lies above the last.
pub const DEVIATION_EDGES_US: [u64; 12] = [50, 100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000, 100_000];

const BUCKETS: usize = DEVIATION_EDGES_US.len() + 1;

/// How late things were, in fixed buckets.
#[derive(Debug, Default)]
pub struct Deviations {
    buckets: [Counter; BUCKETS],
    worst_us: AtomicU64,
}

impl Deviations {
    /// Counts one deviation.
    pub fn record(&self, late_by: Duration) {
        let micros = u64::try_from(late_by.as_micros()).unwrap_or(u64::MAX);
        let place = DEVIATION_EDGES_US.iter().position(|edge| micros <= *edge).unwrap_or(BUCKETS - 1);
        self.buckets[place].add(1);
        self.worst_us.fetch_max(micros, Ordering::Relaxed);
    }

    /// The counts by bucket, in the order of [`DEVIATION_EDGES_US`].
    pub fn counts(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|place| self.buckets[place].get())
    }

    /// The largest deviation so far, in microseconds.
    pub fn worst_us(&self) -> u64 {
        self.worst_us.load(Ordering::Relaxed)
    }

    /// The edge in microseconds below which `per_mille` of 1,000 deviations lie (rounded up to a bucket's edge, the worst one at most).
    pub fn quantile_us(&self, per_mille: u64) -> u64 {
        let counts = self.counts();
        let wanted = counts.iter().sum::<u64>().saturating_mul(per_mille).div_ceil(1_000);
        let mut seen = 0;
        for (count, edge) in counts.iter().zip(DEVIATION_EDGES_US) {
            seen += count;
            if seen >= wanted {
                return edge.min(self.worst_us());
            }
        }
        self.worst_us()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_is_the_edge_of_its_bucket() {
        let deviations = Deviations::default();
        for _ in 0..99 {
            deviations.record(Duration::from_micros(40));
        }
        deviations.record(Duration::from_micros(1_500));
        assert_eq!((deviations.quantile_us(500), deviations.quantile_us(990), deviations.quantile_us(1_000)), (50, 50, 1_500));
        assert_eq!(deviations.worst_us(), 1_500);
        deviations.record(Duration::from_secs(1));
        assert_eq!(deviations.quantile_us(1_000), 1_000_000);
    }
}
