//! The receiving side of one stream: packets in any order come out as sound in order, with typed gaps where none came, so that the leg's own
//! sample clock keeps step with real time. There is no play-out clock: what is in order is handed on at once. RFC 3550 §6.4.1 and appendix A.1.
//!
//! ```text
//! in order ------------------------------> out at once
//! after a hole: held at most 60 ms ------> gap as long as the timestamps say, then what was held
//! nothing for 200 ms --------------------> gaps in step with the clock on the wall (the far end is silent, or the network stands still)
//! other source, sequence or clock -------> confirmed by a second packet, then a gap as long as the wall says
//! ```

use std::time::Duration;

use super::shelf::{HELD_MAX, Held, Load, Payload, Shelf};
use super::stats::Jitter;
use super::{Header, Packet, ReceiveStats};
use crate::base::limits::{PTIME_MS, REORDER_WAIT_MS, STALL_WAIT_MS};
use crate::base::{Instant, Rate, RtpTime, Samples};

/// How far a sequence number may run ahead before it counts as another stream (RFC 3550 appendix A.1: MAX_DROPOUT, here two seconds).
const DROPOUT_MAX: u16 = 100;

/// How far a sequence number may lie behind before it counts as another stream (appendix A.1: MAX_MISORDER, here two seconds).
const MISORDER_MAX: u16 = 100;

/// How far a timestamp may run ahead of the wall: senders that deliver a pause's clock late.
const AHEAD_OF_WALL: Duration = Duration::from_secs(1);

/// How long packets in sequence may lie behind the clock before their clock is taken for another one.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// A timestamp this far behind is another clock's: no network holds a packet for so long.
const BEHIND_SECONDS_MAX: u32 = 30;

/// A piece of the stream, in order and without overlap.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Place of the first sample on the leg's clock.
    pub at: Samples,
    /// How many samples it lasts.
    pub samples: u32,
    /// Sound or none.
    pub piece: Piece,
}

/// What stands behind a piece.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "by value, because nothing here may allocate")]
pub enum Piece {
    /// Sound: decode the payload and leave out its first `skip` samples, whose time a gap has already taken.
    Sound {
        /// As received.
        payload: Payload,
        /// Samples to leave out at the beginning.
        skip: u32,
        /// The packet's payload type.
        payload_type: u8,
    },
    /// No sound came for this time.
    Gap,
}

/// The machine for one received stream of one clock rate.
#[derive(Debug)]
pub struct Receiver {
    rate: Rate,
    ssrc: Option<u32>,
    /// The sequence number that comes next.
    next: u16,
    /// Which of the 64 numbers before `next` have come.
    seen: u64,
    /// The stream's time at `clock`.
    base: RtpTime,
    /// Samples handed on, gaps included: the leg's clock.
    clock: u64,
    /// When the first packet came.
    origin: Instant,
    /// The gap that is owed before anything else.
    gap: u64,
    shelf: Shelf,
    /// Since when the packet `next` is missing while a later one is here.
    hole_since: Option<Instant>,
    /// When silence is filled in step with the wall.
    fill_at: Option<Instant>,
    /// When the last packet of sound came.
    last_sound: Instant,
    /// The time of the last handling.
    now: Instant,
    behind_since: Option<Instant>,
    candidate: Option<(u32, Held)>,
    jitter: Jitter,
    stats: ReceiveStats,
}

impl Receiver {
    /// A stream at `rate` of which nothing has come.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            ssrc: None,
            next: 0,
            seen: 0,
            base: RtpTime(0),
            clock: 0,
            origin: Instant::ZERO,
            gap: 0,
            shelf: Shelf::default(),
            hole_since: None,
            fill_at: None,
            last_sound: Instant::ZERO,
            now: Instant::ZERO,
            behind_since: None,
            candidate: None,
            jitter: Jitter::default(),
            stats: ReceiveStats::default(),
        }
    }

    /// Takes a packet; afterwards poll the output to its end.
    pub fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>, load: Load) {
        self.now = now;
        let Some(held) = Held::new(packet, load) else {
            self.stats.oversize += 1;
            return;
        };
        self.stats.received += 1;
        let header = packet.header;
        match self.ssrc {
            None => self.begin(now, header.ssrc, &held),
            Some(ssrc) if ssrc == header.ssrc && self.is_near(header.sequence) => {
                self.candidate = None;
                self.take(now, &held);
            }
            Some(_) => self.consider(now, header, &held),
        }
    }

    /// Gives up a hole that was waited for long enough, and fills silence in step with the wall; afterwards poll the output.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.hole_since.is_some_and(|since| now.since(since) >= Duration::from_millis(REORDER_WAIT_MS)) {
            self.give_up_hole();
        }
        let period = Duration::from_millis(PTIME_MS);
        while let Some(at) = self.fill_at.filter(|at| *at <= now) {
            if !self.shelf.is_empty() {
                self.give_up_hole();
                break;
            }
            self.gap += Samples::from_millis(PTIME_MS, self.rate).0;
            self.fill_at = Some(at + period);
        }
    }

    /// The next piece that is in order.
    pub fn poll_output(&mut self) -> Option<Arrival> {
        if self.gap > 0 {
            return Some(self.hand_on_gap());
        }
        // One packet is released each time and at most HELD_MAX are held, so this ends.
        while let Some(held) = self.shelf.get(self.next).copied() {
            if let Load::Sound(samples) = held.load {
                self.check_clock(&held, samples);
                // What the timestamps leave out comes before the sound.
                self.gap = self.gap.max(u64::try_from(held.time.since(self.base)).unwrap_or(0));
            }
            if self.gap > 0 {
                return Some(self.hand_on_gap());
            }
            self.release();
            if let Some(arrival) = self.hand_on(&held) {
                return Some(arrival);
            }
        }
        None
    }

    /// When [`Receiver::handle_timeout`] has something to do.
    pub fn poll_deadline(&self) -> Option<Instant> {
        let hole = self.hole_since.map(|since| since + Duration::from_millis(REORDER_WAIT_MS));
        [hole, self.fill_at].into_iter().flatten().min()
    }

    /// Where a timestamp of the present stream lies on the leg's clock; what lies before its beginning is put there.
    pub fn place(&self, time: RtpTime) -> Samples {
        let ahead = i64::from(time.since(self.base));
        Samples(self.clock.saturating_add_signed(ahead))
    }

    /// The counts so far.
    pub fn stats(&self) -> ReceiveStats {
        self.stats
    }

    fn is_near(&self, sequence: u16) -> bool {
        sequence.wrapping_sub(self.next) < DROPOUT_MAX || self.next.wrapping_sub(sequence) <= MISORDER_MAX
    }

    /// The first packet of a stream sets its clock.
    fn begin(&mut self, now: Instant, ssrc: u32, held: &Held) {
        if self.ssrc.is_none() {
            (self.origin, self.last_sound) = (now, now);
            self.fill_at = Some(now + Duration::from_millis(PTIME_MS + STALL_WAIT_MS));
        }
        self.ssrc = Some(ssrc);
        (self.next, self.seen) = (held.sequence, 0);
        self.rebase(held.time);
        self.clear_held();
        self.jitter.restart();
        self.take(now, held);
    }

    /// A packet that does not follow what came before: two of them in sequence begin the stream anew (RFC 3550 appendix A.1).
    fn consider(&mut self, now: Instant, header: Header, held: &Held) {
        match self.candidate.take() {
            Some((ssrc, first)) if ssrc == header.ssrc && first.sequence.wrapping_add(1) == held.sequence => {
                self.stats.restarts += 1;
                self.stats.lost += self.shelf.len();
                self.gap += self.uncovered(now, first.load.samples() + held.load.samples());
                self.begin(now, ssrc, &first);
                self.take(now, held);
            }
            before => {
                self.stats.strayed += u64::from(before.is_some());
                self.candidate = Some((header.ssrc, *held));
            }
        }
    }

    fn take(&mut self, now: Instant, held: &Held) {
        let ahead = held.sequence.wrapping_sub(self.next);
        if ahead >= DROPOUT_MAX {
            return self.take_old(held.sequence);
        }
        if ahead >= HELD_MAX {
            self.give_up_to(held.sequence.wrapping_sub(HELD_MAX - 1));
        }
        if self.shelf.holds(held.sequence) {
            self.stats.duplicated += 1;
            return;
        }
        if held.load != Load::Other {
            self.jitter.arrived(now, held.time, self.rate);
            self.stats.jitter_us = self.jitter.micros(self.rate);
            self.stats.jitter_us_max = self.stats.jitter_us_max.max(self.stats.jitter_us);
        }
        let uncovered = self.uncovered(now, held.load.samples());
        self.shelf.put(held, uncovered);
        self.stats.reordered += u64::from(held.sequence == self.next && self.hole_since.is_some());
        if held.sequence == self.next {
            self.hole_since = None;
        } else if self.hole_since.is_none() {
            self.hole_since = Some(now);
        }
        if held.load != Load::Other {
            self.last_sound = now;
            self.fill_at = Some(now + Duration::from_millis(PTIME_MS + STALL_WAIT_MS));
        }
        if held.sequence.wrapping_sub(self.next) >= HELD_MAX / 2 {
            // After a standstill packets come faster than time goes: the hole will not be filled.
            self.give_up_hole();
        }
    }

    /// A packet whose turn has passed: a copy, or late.
    fn take_old(&mut self, sequence: u16) {
        let back = self.next.wrapping_sub(sequence).saturating_sub(1);
        let bit = 1_u64.checked_shl(u32::from(back)).unwrap_or(0);
        if self.seen & bit != 0 {
            self.stats.duplicated += 1;
        } else {
            self.seen |= bit;
            self.stats.late += 1;
        }
    }

    /// Sets another clock base when the packet's timestamp cannot belong to the present one.
    fn check_clock(&mut self, held: &Held, samples: u32) {
        let now = self.now;
        let ahead = i64::from(held.time.since(self.base));
        let behind = ahead + i64::from(samples) <= 0;
        let behind_long = behind && now.since(*self.behind_since.get_or_insert(now)) >= BEHIND_MAX;
        if !behind {
            self.behind_since = None;
        }
        let restarted = behind && (behind_long || held.marker || ahead < -i64::from(BEHIND_SECONDS_MAX * self.rate.hertz()));
        if restarted || ahead > self.ahead_max(now) {
            self.stats.restarts += 1;
            self.behind_since = None;
            self.jitter.restart();
            self.gap += held.uncovered;
            self.rebase(held.time);
        }
    }

    /// The next sound, once the gap that is owed was handed on, has this timestamp.
    fn rebase(&mut self, time: RtpTime) {
        self.base = RtpTime(time.0.wrapping_sub(u32::try_from(self.gap & u64::from(u32::MAX)).unwrap_or(0)));
    }

    /// How far a timestamp may lead the leg's clock: no further than the wall does, and a little.
    fn ahead_max(&self, now: Instant) -> i64 {
        let wall = self.samples_in(now.since(self.origin) + AHEAD_OF_WALL);
        i64::try_from(wall.saturating_sub(self.clock + self.gap)).unwrap_or(i64::MAX)
    }

    /// The samples that the wall shows since the last sound, less what was filled meanwhile and what the new packets bring themselves.
    fn uncovered(&self, now: Instant, brought: u32) -> u64 {
        let waited = Duration::from_millis(PTIME_MS + STALL_WAIT_MS);
        let filled = self.fill_at.map_or(Duration::ZERO, |at| at.since(self.last_sound + waited));
        let silent = now.since(self.last_sound).saturating_sub(filled);
        self.samples_in(silent).saturating_sub(u64::from(brought))
    }

    fn samples_in(&self, time: Duration) -> u64 {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 48).saturating_mul(u64::from(self.rate.hertz() / 1_000)) / 1_000
    }

    /// Steps over the missing numbers up to the first packet that is here.
    fn give_up_hole(&mut self) {
        for _ in 0..HELD_MAX {
            if self.shelf.is_empty() || self.shelf.holds(self.next) {
                break;
            }
            self.step_over();
        }
        self.hole_since = None;
    }

    /// Gives up everything before `sequence`.
    fn give_up_to(&mut self, sequence: u16) {
        while self.next != sequence {
            // What is here and was never handed on is lost as well.
            self.shelf.take(self.next);
            self.step_over();
        }
    }

    fn step_over(&mut self) {
        self.stats.lost += 1;
        self.advance(false);
    }

    fn advance(&mut self, came: bool) {
        self.next = self.next.wrapping_add(1);
        self.seen = (self.seen << 1) | u64::from(came);
    }

    /// Takes the packet whose turn it is out of its slot.
    fn release(&mut self) {
        self.shelf.take(self.next);
        self.advance(true);
        if self.shelf.is_empty() || self.shelf.holds(self.next) {
            self.hole_since = None;
        } else if self.hole_since.is_none() {
            // The rest was held behind another hole, which is waited for from the last packet on.
            self.hole_since = Some(self.last_sound);
        }
    }

    fn hand_on(&mut self, held: &Held) -> Option<Arrival> {
        let Load::Sound(samples) = held.load else { return None };
        let skip = held.time.since(self.base).min(0).unsigned_abs();
        if skip >= samples {
            self.stats.late += u64::from(samples > 0);
            return None;
        }
        let rest = samples - skip;
        let at = Samples(self.clock);
        self.clock += u64::from(rest);
        self.base = self.base.plus(rest);
        self.stats.sound_samples += u64::from(rest);
        Some(Arrival { at, samples: rest, piece: Piece::Sound { payload: held.payload, skip, payload_type: held.payload_type } })
    }

    fn hand_on_gap(&mut self) -> Arrival {
        let frame = Samples::from_millis(PTIME_MS, self.rate).0;
        let samples = u32::try_from(self.gap.min(frame)).unwrap_or(0);
        let at = Samples(self.clock);
        self.gap -= u64::from(samples);
        self.clock += u64::from(samples);
        self.base = self.base.plus(samples);
        self.stats.gap_samples += u64::from(samples);
        Arrival { at, samples, piece: Piece::Gap }
    }

    fn clear_held(&mut self) {
        self.shelf.clear();
        self.hole_since = None;
        self.behind_since = None;
    }
}

#[cfg(test)]
mod tests;
