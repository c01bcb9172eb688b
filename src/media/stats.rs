//! Counts of a leg and of the thread.

use std::sync::atomic::{AtomicI32, Ordering};

use serde::{Deserialize, Serialize};

use crate::rt::{Counter, Deviations, Priority};
use crate::rtp::ReceiveStats;

/// What is known of a leg's streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LegStats {
    /// The received stream.
    pub receive: ReceiveStats,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the system did not take.
    pub send_failed: u64,
    /// Periods left out because the thread was stopped for longer than a small burst can make up.
    pub periods_skipped: u64,
    /// Datagrams of somebody else than the one who is heard.
    pub foreign: u64,
    /// Datagrams that are neither RTP nor RTCP.
    pub malformed: u64,
    /// Packets of a payload type that was not agreed.
    pub unagreed: u64,
    /// RTCP packets, which are not used.
    pub rtcp: u64,
    /// Keys heard.
    pub digits: u64,
    /// Frames that found the capture ring full.
    pub capture_dropped: u64,
    /// Samples of playback sent.
    pub played_samples: u64,
    /// Samples of playback dropped below the floor.
    pub flushed_samples: u64,
    /// Frames of playback whose rate was not the codec's.
    pub playback_misfits: u64,
    /// Times that a clip had begun and its next frame was not here.
    pub starved: u64,
    /// Samples for the bridged leg that found its buffer full.
    pub bridge_dropped: u64,
}

/// What the shell may read of the thread at any time.
#[derive(Debug, Default)]
pub struct MediaStats {
    /// How late packets were sent, against each leg's absolute points.
    pub send_deviation: Deviations,
    /// How long ticks took.
    pub tick_time: Deviations,
    /// Ticks that took longer than a tick lasts.
    pub tick_overruns: Counter,
    /// Ticks whose point had passed before the thread woke for them.
    pub ticks_missed: Counter,
    /// Reports that found their ring full.
    pub reports_dropped: Counter,
    /// Legs at present, added less removed.
    pub legs_added: Counter,
    /// Legs removed.
    pub legs_removed: Counter,
    priority: AtomicI32,
}

impl MediaStats {
    /// What the system answered to the wish for real-time priority; nothing before the thread has asked.
    pub fn priority(&self) -> Option<Priority> {
        match self.priority.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Priority::RealTime),
            refused => Some(Priority::Refused(-refused - 1)),
        }
    }

    pub(super) fn set_priority(&self, priority: Priority) {
        let number = match priority {
            Priority::RealTime => 1,
            Priority::Refused(error) => -error.abs() - 1,
        };
        self.priority.store(number, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_answer_survives_its_packing() {
        let stats = MediaStats::default();
        assert_eq!(stats.priority(), None);
        for answer in [Priority::RealTime, Priority::Refused(1), Priority::Refused(0)] {
            stats.set_priority(answer);
            assert_eq!(stats.priority(), Some(answer));
        }
    }
}
