//! Whose packets are heard, and where ours go. Against RTP bleed and injection (CVE-2017-14099 and its kin).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Header;
use crate::base::Instant;

/// Strangers remembered while the far end's address is not known yet. Full: the oldest is forgotten.
const CANDIDATES_MAX: usize = 8;

/// How long the heard source must have been silent before its stream may go on from another address.
const QUIET_BEFORE_MOVE: Duration = Duration::from_millis(200);

/// How far ahead a stream that goes on from another address may be, in packets: what two seconds of moving lose.
const MOVE_SEQUENCE_MAX: u16 = 100;

/// How a leg chooses whom it hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceRule {
    /// The signalled address and nobody else, for a static trunk that says so.
    Strict,
    /// One latch: to the signalled address (or its host on another port), or behind NAT to the first stranger who sends two packets in
    /// sequence. Packets from the signalled address itself win over a stranger at any time.
    Latch,
}

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It is heard.
    Heard,
    /// It is heard, and from now on its sender alone.
    Latched,
    /// It is not heard.
    Dropped,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    last: Instant,
}

/// The rule at work for one leg.
#[derive(Clone, Debug)]
pub struct Source {
    rule: SourceRule,
    signalled: Option<SocketAddr>,
    held: Option<Held>,
    candidates: [Option<Candidate>; CANDIDATES_MAX],
    oldest: usize,
}

impl Source {
    /// A leg that has heard nobody. `signalled` is the far end's address by signalling, if it gave a usable one.
    pub fn new(rule: SourceRule, signalled: Option<SocketAddr>) -> Self {
        let signalled = signalled.filter(usable);
        Self { rule, signalled, held: None, candidates: [None; CANDIDATES_MAX], oldest: 0 }
    }

    /// A new offer or answer was agreed: the signalled address may be another, and one more latch is allowed. The present source is heard
    /// until the new one speaks, unless the signalled address changed.
    pub fn relatch(&mut self, signalled: Option<SocketAddr>) {
        let signalled = signalled.filter(usable);
        if signalled != self.signalled {
            self.held = None;
        }
        self.signalled = signalled;
        self.candidates = [None; CANDIDATES_MAX];
    }

    /// Judges a packet that is RTP by its form and of a payload type that was agreed.
    pub fn admit(&mut self, now: Instant, from: SocketAddr, header: &Header) -> Admission {
        let held = self.held;
        if held.is_some_and(|held| held.from == from) {
            self.hold(now, from, header);
            return Admission::Heard;
        }
        let moves = match held {
            Some(held) => self.may_move(now, held, from, header),
            None => self.may_begin(from, header),
        };
        if moves { self.latch(now, from, header) } else { Admission::Dropped }
    }

    /// Where our packets go: to the one who is heard, else to the signalled address; nowhere while neither is known.
    pub fn target(&self) -> Option<SocketAddr> {
        match self.rule {
            SourceRule::Strict => self.signalled,
            SourceRule::Latch => self.held.map(|held| held.from).or(self.signalled),
        }
    }

    /// The one who is heard.
    pub fn heard(&self) -> Option<SocketAddr> {
        self.held.map(|held| held.from)
    }

    fn may_begin(&mut self, from: SocketAddr, header: &Header) -> bool {
        match self.rule {
            SourceRule::Strict => self.signalled == Some(from),
            SourceRule::Latch => self.signalled.is_some_and(|signalled| signalled.ip() == from.ip()) || self.confirmed(from, header),
        }
    }

    fn may_move(&mut self, now: Instant, held: Held, from: SocketAddr, header: &Header) -> bool {
        if self.rule == SourceRule::Strict {
            return false;
        }
        if self.signalled == Some(from) {
            return true;
        }
        let ahead = header.sequence.wrapping_sub(held.sequence);
        let same_stream = header.ssrc == held.ssrc && (1..=MOVE_SEQUENCE_MAX).contains(&ahead);
        same_stream && now.since(held.last) >= QUIET_BEFORE_MOVE && self.confirmed(from, header)
    }

    /// Whether this is a stranger's second packet in sequence; remembers a first one.
    fn confirmed(&mut self, from: SocketAddr, header: &Header) -> bool {
        if let Some(known) = self.candidates.iter_mut().flatten().find(|known| known.from == from) {
            let follows = known.ssrc == header.ssrc && header.sequence == known.sequence.wrapping_add(1);
            (known.ssrc, known.sequence) = (header.ssrc, header.sequence);
            return follows;
        }
        self.candidates[self.oldest] = Some(Candidate { from, ssrc: header.ssrc, sequence: header.sequence });
        self.oldest = (self.oldest + 1) % CANDIDATES_MAX;
        false
    }

    fn latch(&mut self, now: Instant, from: SocketAddr, header: &Header) -> Admission {
        self.hold(now, from, header);
        self.candidates = [None; CANDIDATES_MAX];
        Admission::Latched
    }

    fn hold(&mut self, now: Instant, from: SocketAddr, header: &Header) {
        self.held = Some(Held { from, ssrc: header.ssrc, sequence: header.sequence, last: now });
    }
}

/// `c=0.0.0.0` and port 0 name nobody (RFC 3264 §8.4 and §6).
fn usable(address: &SocketAddr) -> bool {
    let nobody = match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
    };
    !nobody && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{RtpTime, Seed};

    fn at(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], port))
    }

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header { ssrc, sequence, time: RtpTime(0), marker: false, payload_type: 0 }
    }

    fn ms(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_strict_leg_hears_the_signalled_address_alone() {
        let mut source = Source::new(SourceRule::Strict, Some(at(1, 4_000)));
        assert_eq!(source.admit(ms(0), at(1, 4_002), &header(1, 1)), Admission::Dropped);
        assert_eq!(source.admit(ms(0), at(1, 4_002), &header(1, 2)), Admission::Dropped);
        assert_eq!(source.admit(ms(0), at(1, 4_000), &header(1, 1)), Admission::Latched);
        assert_eq!(source.admit(ms(900), at(2, 4_000), &header(1, 2)), Admission::Dropped);
        assert_eq!(source.target(), Some(at(1, 4_000)));
        source.relatch(Some(at(3, 9)));
        assert_eq!(source.admit(ms(901), at(1, 4_000), &header(1, 3)), Admission::Dropped);
        assert_eq!(source.admit(ms(902), at(3, 9), &header(5, 3)), Admission::Latched);
    }

    #[test]
    fn a_latching_leg_takes_the_signalled_host_at_once_and_a_stranger_by_two_in_sequence() {
        let mut source = Source::new(SourceRule::Latch, Some(at(1, 4_000)));
        assert_eq!(source.admit(ms(0), at(1, 7_777), &header(1, 1)), Admission::Latched);
        assert_eq!(source.target(), Some(at(1, 7_777)));

        let mut source = Source::new(SourceRule::Latch, Some(at(1, 4_000)));
        assert_eq!(source.target(), Some(at(1, 4_000)));
        assert_eq!(source.admit(ms(0), at(9, 5_000), &header(1, 65_535)), Admission::Dropped);
        assert_eq!(source.admit(ms(20), at(9, 5_000), &header(1, 0)), Admission::Latched);
        assert_eq!(source.admit(ms(40), at(8, 5_000), &header(2, 1)), Admission::Dropped);
        assert_eq!(source.admit(ms(60), at(8, 5_000), &header(2, 2)), Admission::Dropped);
    }

    #[test]
    fn the_signalled_address_wins_over_a_stranger_who_was_first() {
        let mut source = Source::new(SourceRule::Latch, Some(at(1, 4_000)));
        source.admit(ms(0), at(9, 5_000), &header(1, 1));
        assert_eq!(source.admit(ms(20), at(9, 5_000), &header(1, 2)), Admission::Latched);
        assert_eq!(source.admit(ms(30), at(1, 4_000), &header(7, 70)), Admission::Latched);
        assert_eq!(source.admit(ms(40), at(9, 5_000), &header(1, 3)), Admission::Dropped);
    }

    #[test]
    fn a_stream_goes_on_from_another_address_only_with_evidence() {
        let mut source = Source::new(SourceRule::Latch, Some(at(1, 4_000)));
        source.admit(ms(0), at(1, 4_000), &header(77, 100));
        // Too soon, another source, another sequence, then one packet only: none of them moves the leg.
        for (now, ssrc, sequence) in
            [(50, 77, 101), (51, 77, 102), (300, 78, 103), (301, 78, 104), (302, 77, 5_000), (303, 77, 5_001), (320, 77, 110)]
        {
            assert_eq!(source.admit(ms(now), at(2, 9), &header(ssrc, sequence)), Admission::Dropped, "{now}");
        }
        assert_eq!(source.admit(ms(340), at(2, 9), &header(77, 111)), Admission::Latched);
        assert_eq!(source.target(), Some(at(2, 9)));
    }

    #[test]
    fn an_attacker_who_sprays_random_packets_takes_nothing() {
        let mut seed = Seed::new(3);
        let mut source = Source::new(SourceRule::Latch, Some(at(1, 4_000)));
        let mut sequence = 0_u16;
        for n in 0..50_000_u64 {
            let [a, b, c, d] = seed.next_u32().to_le_bytes();
            let from = SocketAddr::from(([172, 16, a, b], u16::from_le_bytes([c, d]) | 1));
            let spray = header(seed.next_u32(), u16::from_le_bytes([a, c]));
            assert_eq!(source.admit(ms(n), from, &spray), Admission::Dropped);
            if n % 20 == 0 {
                let answer = source.admit(ms(n), at(1, 4_000), &header(7, sequence));
                assert_ne!(answer, Admission::Dropped);
                sequence = sequence.wrapping_add(1);
            }
        }
        assert_eq!(source.heard(), Some(at(1, 4_000)));
    }

    #[test]
    fn nobody_is_no_target() {
        for nobody in [SocketAddr::from(([0, 0, 0, 0], 9)), at(1, 0), SocketAddr::from(([239, 0, 0, 1], 9))] {
            assert_eq!(Source::new(SourceRule::Latch, Some(nobody)).target(), None);
        }
    }

    #[test]
    fn a_new_agreement_on_the_same_address_keeps_the_source() {
        let mut source = Source::new(SourceRule::Latch, Some(at(1, 4_000)));
        source.admit(ms(0), at(1, 4_444), &header(7, 70));
        source.relatch(Some(at(1, 4_000)));
        assert_eq!(source.target(), Some(at(1, 4_444)));
        source.relatch(Some(at(2, 4_000)));
        assert_eq!(source.target(), Some(at(2, 4_000)));
        assert_eq!(source.admit(ms(1), at(2, 4_000), &header(8, 1)), Admission::Latched);
    }
}
