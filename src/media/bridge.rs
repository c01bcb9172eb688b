//! What one leg keeps of another's sound until its own next period.

use crate::audio::Concealer;
use crate::base::limits::{BRIDGE_MS_MAX, PTIME_MS, REORDER_WAIT_MS};
use crate::base::{LegId, Rate, Samples};

/// Samples of one period.
pub(super) const PERIOD: usize = 160;

/// Samples that are kept at most.
const CAPACITY: usize = 1_280;

/// What stands in the buffer before it is begun or begun again: a hole that was waited for arrives this late.
const PREFILL: usize = 480;

const _: () = {
    assert!(PERIOD as u64 == Samples::from_millis(PTIME_MS, Rate::K8).0);
    assert!(CAPACITY as u64 == Samples::from_millis(BRIDGE_MS_MAX, Rate::K8).0);
    assert!(PREFILL as u64 == Samples::from_millis(REORDER_WAIT_MS, Rate::K8).0);
    assert!(PREFILL + PERIOD <= CAPACITY, "the buffer holds what it waits for");
};

/// The sound of another leg, 8 kHz, at most [`BRIDGE_MS_MAX`] of it.
#[derive(Debug)]
pub(super) struct Bridge {
    /// Whose sound it is.
    pub(super) other: LegId,
    samples: [i16; CAPACITY],
    first: usize,
    count: usize,
    flowing: bool,
    concealer: Concealer<PERIOD>,
    dropped: u64,
}

impl Bridge {
    pub(super) fn new(other: LegId) -> Self {
        Self { other, samples: [0; CAPACITY], first: 0, count: 0, flowing: false, concealer: Concealer::default(), dropped: 0 }
    }

    /// Takes sound; a full buffer forgets its oldest.
    pub(super) fn push(&mut self, sound: &[i16]) {
        for sample in sound {
            if self.count == CAPACITY {
                self.first = (self.first + 1) % CAPACITY;
                self.count -= 1;
                self.dropped += 1;
            }
            self.samples[(self.first + self.count) % CAPACITY] = *sample;
            self.count += 1;
        }
    }

    /// The sound of one period; concealed where it is missing.
    pub(super) fn next_period(&mut self) -> [i16; PERIOD] {
        self.flowing = if self.flowing { self.count >= PERIOD } else { self.count >= PREFILL };
        if !self.flowing {
            return self.concealer.fill();
        }
        let mut period = [0; PERIOD];
        for sample in &mut period {
            *sample = self.samples[self.first];
            self.first = (self.first + 1) % CAPACITY;
        }
        self.count -= PERIOD;
        self.concealer.heard(&period);
        period
    }

    /// Samples forgotten since this was asked last.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_comes_out_in_order_after_the_prefill() {
        let mut bridge = Bridge::new(LegId(1));
        let ramp: Vec<i16> = (1..=1_600).collect();
        assert_eq!(bridge.next_period(), [0; PERIOD]);
        bridge.push(&ramp[..320]);
        assert_eq!(bridge.next_period(), [0; PERIOD]);
        bridge.push(&ramp[320..480]);
        let mut heard = Vec::new();
        for piece in ramp[480..].chunks(160) {
            heard.extend(bridge.next_period());
            bridge.push(piece);
        }
        assert_eq!(heard, ramp[..heard.len()]);
        assert_eq!(bridge.take_dropped(), 0);
    }

    #[test]
    fn a_full_buffer_forgets_its_oldest() {
        let mut bridge = Bridge::new(LegId(1));
        let ramp: Vec<i16> = (0..2_000).collect();
        bridge.push(&ramp);
        assert_eq!(bridge.next_period()[0], 2_000 - i16::try_from(CAPACITY).unwrap());
        assert_eq!(bridge.take_dropped(), 2_000 - CAPACITY as u64);
    }
}
