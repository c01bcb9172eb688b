//! When a packet is due and what its header says. RFC 3550 §5.1, RFC 3551 §4.1.

use std::time::Duration;

use super::Header;
use crate::base::limits::PTIME_MS;
use crate::base::{Instant, Rate, RtpTime, Samples, Seed};

/// Packets sent together after a late wake-up. More that are owed are never sent: their time has passed, and the timestamp says so.
pub const BURST_MAX: u32 = 3;

/// What is owed at a point in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owed {
    /// Packets to send now, [`BURST_MAX`] at most.
    pub packets: u32,
    /// Packets left out.
    pub skipped: u32,
    /// How long after its point the first of them goes out.
    pub late_by: Duration,
}

/// The sending side of one stream: absolute points 20 ms apart, a sequence without holes, and a timestamp that runs with real time, through
/// silence and through a stopped process alike.
#[derive(Clone, Debug)]
pub struct Pacer {
    ssrc: u32,
    sequence: u16,
    time: RtpTime,
    step: u32,
    due: Instant,
    spurt: bool,
}

impl Pacer {
    /// A stream at `rate` whose first packet is due at `first`. Source, sequence and timestamp begin at random (RFC 3550 §5.1).
    pub fn new(first: Instant, rate: Rate, seed: &mut Seed) -> Self {
        let step = u32::try_from(Samples::from_millis(PTIME_MS, rate).0).unwrap_or(160);
        let [low, high, ..] = seed.next_u32().to_le_bytes();
        Self {
            ssrc: seed.next_u32(),
            sequence: u16::from_le_bytes([low, high]),
            time: RtpTime(seed.next_u32()),
            step,
            due: first,
            spurt: true,
        }
    }

    /// What is owed at `now`; nothing before the next point. Packets that are owed must be sent: each takes one [`Pacer::next`].
    pub fn owed(&mut self, now: Instant) -> Option<Owed> {
        if now < self.due {
            return None;
        }
        let late_by = now.since(self.due);
        let period = Duration::from_millis(PTIME_MS);
        let points = 1 + u32::try_from(late_by.as_micros() / period.as_micros()).unwrap_or(u32::MAX - 1);
        let packets = points.min(BURST_MAX);
        let skipped = points - packets;
        self.due += period * points;
        if skipped > 0 {
            self.time = self.time.plus(self.step.wrapping_mul(skipped));
            self.spurt = true;
        }
        Some(Owed { packets, skipped, late_by })
    }

    /// The header of a packet of sound. Only the first one after periods without sound is marked: a stream that sends through silence has one
    /// talk spurt (RFC 3551 §4.1).
    pub fn next(&mut self, payload_type: u8) -> Header {
        let (time, marker) = (self.time, std::mem::take(&mut self.spurt));
        self.time = time.plus(self.step);
        self.numbered(Header { ssrc: self.ssrc, sequence: 0, time, marker, payload_type })
    }

    /// The header of a key's packet, whose timestamp is the key's beginning (RFC 4733 §2.2.2); it takes the place of a period of sound.
    pub fn next_event(&mut self, payload_type: u8, began: RtpTime, marker: bool) -> Header {
        self.skip();
        self.numbered(Header { ssrc: self.ssrc, sequence: 0, time: began, marker, payload_type })
    }

    /// A period in which nothing is sent: time goes on, the sequence does not.
    pub fn skip(&mut self) {
        self.time = self.time.plus(self.step);
        self.spurt = true;
    }

    fn numbered(&mut self, header: Header) -> Header {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Header { sequence, ..header }
    }

    /// The timestamp of the period that comes next.
    pub fn time(&self) -> RtpTime {
        self.time
    }

    /// Timestamp steps of one period.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// When the next packet is due.
    pub fn poll_deadline(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacer() -> Pacer {
        Pacer::new(Instant::from_millis(100), Rate::K8, &mut Seed::new(1))
    }

    #[test]
    fn a_packet_is_due_every_twenty_milliseconds_by_absolute_points() {
        let mut pacer = pacer();
        assert_eq!(pacer.owed(Instant::from_millis(99)), None);
        let owed = pacer.owed(Instant::from_millis(107)).unwrap();
        assert_eq!((owed.packets, owed.skipped, owed.late_by.as_millis()), (1, 0, 7));
        assert_eq!(pacer.poll_deadline(), Instant::from_millis(120));
    }

    #[test]
    fn a_long_stop_is_not_made_up_by_a_burst_and_the_timestamp_runs_with_time() {
        let mut pacer = pacer();
        pacer.owed(Instant::from_millis(100));
        let first = pacer.next(0);
        let owed = pacer.owed(Instant::from_millis(2_125)).unwrap();
        assert_eq!((owed.packets, owed.skipped), (3, 98));
        let last = (0..owed.packets).map(|_| pacer.next(0)).last().unwrap();
        assert_eq!(last.sequence, first.sequence.wrapping_add(3));
        assert_eq!(last.time.since(first.time), 101 * 160);
        assert_eq!(pacer.poll_deadline(), Instant::from_millis(2_140));
    }

    /// RFC 3551 §4.1: the marker is set where sound begins after periods without any.
    #[test]
    fn the_first_sound_is_marked_and_the_timestamp_runs_through_what_is_not_sent() {
        let mut pacer = pacer();
        let (first, second) = (pacer.next(0), pacer.next(0));
        pacer.skip();
        let began = pacer.time();
        let key = pacer.next_event(101, began, true);
        let (third, fourth) = (pacer.next(0), pacer.next(0));
        assert_eq!([first, second, third, fourth].map(|header| header.marker), [true, false, true, false]);
        assert_eq!([second, key, third, fourth].map(|header| header.time.since(first.time)), [160, 480, 640, 800]);
        assert_eq!([second, key, third, fourth].map(|header| header.sequence.wrapping_sub(first.sequence)), [1, 2, 3, 4]);
    }

    #[test]
    fn two_seeds_begin_two_streams() {
        let one = Pacer::new(Instant::ZERO, Rate::K8, &mut Seed::new(1)).next(0);
        let other = Pacer::new(Instant::ZERO, Rate::K8, &mut Seed::new(2)).next(0);
        assert_ne!((one.ssrc, one.sequence, one.time), (other.ssrc, other.sequence, other.time));
    }
}
