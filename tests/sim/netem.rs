//! A network that loses, repeats and reorders datagrams, from a seed.

use std::time::Duration;

use nightbell::base::{Instant, Seed};

/// How the network treats datagrams.
pub struct Net {
    seed: Seed,
    /// One datagram in so many is lost; 0 for none.
    pub loss: u64,
    /// One in so many comes twice; 0 for none.
    pub twice: u64,
    /// The longest way; ways differ, so datagrams overtake each other.
    pub delay_ms_max: u64,
    /// From here on nothing arrives any more.
    pub dead_from: Option<Instant>,
}

impl Net {
    /// A network without faults.
    pub fn fair(seed: Seed) -> Self {
        Self { seed, loss: 0, twice: 0, delay_ms_max: 20, dead_from: None }
    }

    /// A bad one.
    pub fn rough(mut seed: Seed) -> Self {
        let (loss, twice, delay_ms_max) = (3 + seed.below(8), 3 + seed.below(8), 20 + seed.below(600));
        Self { seed, loss, twice, delay_ms_max, dead_from: None }
    }

    /// Whether the far end is cut off.
    pub fn is_dead(&self, now: Instant) -> bool {
        self.dead_from.is_some_and(|from| now >= from)
    }

    /// How long each copy of a datagram is under way.
    pub fn carry(&mut self, now: Instant) -> Vec<Duration> {
        let lost = self.is_dead(now) || self.loss > 0 && self.seed.one_in(self.loss);
        let copies = if lost { 0 } else { 1 + usize::from(self.twice > 0 && self.seed.one_in(self.twice)) };
        (0..copies).map(|_| Duration::from_millis(1 + self.seed.below(self.delay_ms_max))).collect()
    }
}
