use super::*;
use crate::base::Seed;

/// Runs a receiver and checks at every piece that the clock has neither hole nor overlap.
struct Ear {
    receiver: Receiver,
    clock: u64,
    /// The packets heard: (number in the payload, place, samples).
    heard: Vec<(u32, u64, u32)>,
    gaps: u64,
}

impl Ear {
    fn new() -> Self {
        Self { receiver: Receiver::new(Rate::K8), clock: 0, heard: Vec::new(), gaps: 0 }
    }

    fn poll(&mut self) {
        while let Some(arrival) = self.receiver.poll_output() {
            assert_eq!(arrival.at.0, self.clock, "the clock has a hole or runs twice");
            self.clock += u64::from(arrival.samples);
            match arrival.piece {
                Piece::Sound { payload, skip, .. } => {
                    let number = u32::from_be_bytes(*payload.bytes().first_chunk().unwrap());
                    assert_eq!(arrival.samples + skip, u32::try_from(payload.bytes().len()).unwrap());
                    self.heard.push((number, arrival.at.0, arrival.samples));
                }
                Piece::Gap => {
                    assert!(arrival.samples <= 160);
                    self.gaps += u64::from(arrival.samples);
                }
            }
        }
    }

    fn send(&mut self, ms: u64, packet: Sent) {
        let mut payload = [0; 160];
        payload[..4].copy_from_slice(&packet.number.to_be_bytes());
        let header =
            Header { ssrc: packet.ssrc, sequence: packet.sequence, time: RtpTime(packet.time), marker: packet.marker, payload_type: 0 };
        self.receiver.handle_packet(Instant::from_millis(ms), &Packet { header, payload: &payload }, Load::Sound(160));
        self.poll();
    }

    fn wait(&mut self, ms: u64) {
        self.receiver.handle_timeout(Instant::from_millis(ms));
        self.poll();
    }

    fn numbers(&self) -> Vec<u32> {
        self.heard.iter().map(|heard| heard.0).collect()
    }
}

#[derive(Clone, Copy)]
struct Sent {
    ssrc: u32,
    sequence: u16,
    time: u32,
    marker: bool,
    number: u32,
}

/// Packet `number` of a stream that begins just before both counts wrap.
fn nth(number: u32) -> Sent {
    let [low, high, ..] = number.wrapping_add(65_500).to_le_bytes();
    let sequence = u16::from_le_bytes([low, high]);
    Sent { ssrc: 7, sequence, time: (u32::MAX - 5_000).wrapping_add(number * 160), marker: false, number }
}

#[test]
fn a_stream_in_order_comes_out_at_once() {
    let mut ear = Ear::new();
    for number in 0..200 {
        ear.send(u64::from(number) * 20, nth(number));
        assert_eq!(ear.heard.last(), Some(&(number, u64::from(number) * 160, 160)));
    }
    assert_eq!((ear.gaps, ear.receiver.stats().lost, ear.receiver.stats().restarts), (0, 0, 0));
}

/// Whatever the network does within the waiting time: no frame twice, none out of place, every hole a gap of its true length.
#[test]
fn the_sample_clock_stays_true_through_loss_copies_and_disorder() {
    for seed_number in 0..300 {
        let mut seed = Seed::new(seed_number);
        let mut arrivals: Vec<(u64, u32)> = vec![(0, 0)];
        let mut lost = 0;
        for number in 1..300_u32 {
            // The last ones come safely, so that every hole has an end.
            if number < 290 && seed.one_in(8) {
                lost += 1;
                continue;
            }
            let delay = if seed.one_in(5) { seed.below(58) } else { 0 };
            arrivals.push((u64::from(number) * 20 + delay, number));
            if seed.one_in(10) {
                arrivals.push((u64::from(number) * 20 + delay + seed.below(100), number));
            }
        }
        arrivals.sort_by_key(|(at, _)| *at);
        let copies = arrivals.len() - (300 - lost);
        let mut ear = Ear::new();
        for ms in 0..6_200 {
            for (_, number) in arrivals.iter().filter(|(at, _)| *at == ms) {
                ear.send(ms, nth(*number));
            }
            ear.wait(ms);
            if ms >= 6_150 {
                break;
            }
        }
        let mut numbers = ear.numbers();
        assert!(numbers.is_sorted(), "seed {seed_number}");
        numbers.dedup();
        assert_eq!(numbers.len(), 300 - lost, "seed {seed_number}: each frame once");
        assert!(ear.heard.iter().all(|(number, at, _)| *at == u64::from(*number) * 160), "seed {seed_number}");
        let stats = ear.receiver.stats();
        assert_eq!((stats.lost, stats.late), (lost as u64, 0), "seed {seed_number}");
        assert_eq!(stats.duplicated, copies as u64, "seed {seed_number}");
        assert_eq!(ear.gaps, lost as u64 * 160, "seed {seed_number}");
    }
}

#[test]
fn a_hole_is_waited_for_sixty_milliseconds_and_not_longer() {
    let mut ear = Ear::new();
    ear.send(0, nth(0));
    ear.send(40, nth(2));
    assert_eq!(ear.receiver.poll_deadline(), Some(Instant::from_millis(100)));
    ear.wait(99);
    assert_eq!(ear.numbers(), [0]);
    ear.wait(100);
    assert_eq!((ear.numbers(), ear.gaps), (vec![0, 2], 160));
    ear.send(101, nth(1));
    assert_eq!((ear.receiver.stats().late, ear.receiver.stats().lost), (1, 1));
    ear.send(102, nth(1));
    assert_eq!(ear.receiver.stats().duplicated, 1);
}

#[test]
fn a_far_end_that_sends_nothing_in_silence_is_heard_as_gaps_in_step_with_the_wall() {
    let mut ear = Ear::new();
    ear.send(0, nth(0));
    for ms in 1..1_000 {
        ear.wait(ms);
        assert!(ear.clock <= 160 + ms * 8, "ahead of the wall");
        assert!(ms < 220 || ear.clock + 220 * 8 >= ms * 8, "far behind the wall at {ms}");
    }
    // The far end's clock ran on: sound comes at its true place.
    let mut next = nth(50);
    next.sequence = nth(1).sequence;
    ear.send(1_000, next);
    assert_eq!(ear.heard.last(), Some(&(50, 50 * 160, 160)));
}

#[test]
fn a_far_end_whose_clock_stands_still_in_silence_is_heard_at_once_with_a_marker_and_soon_without() {
    for (marker, heard_by) in [(true, 0), (false, 5)] {
        let mut ear = Ear::new();
        ear.send(0, nth(0));
        (1..=1_000).for_each(|ms| ear.wait(ms));
        for number in 1..20 {
            ear.send(1_000 + u64::from(number) * 20, Sent { marker: marker && number == 1, ..nth(number) });
        }
        assert_eq!(ear.heard[1].0, 1 + heard_by);
        assert_eq!(ear.heard.len(), 20 - heard_by as usize);
        assert_eq!(ear.receiver.stats().restarts, 1);
    }
}

#[test]
fn packets_after_a_standstill_of_the_network_keep_their_true_places() {
    let mut ear = Ear::new();
    (0..10).for_each(|number| ear.send(u64::from(number) * 20, nth(number)));
    (180..=600).for_each(|ms| ear.wait(ms));
    (10..31).for_each(|number| ear.send(601, nth(number)));
    (31..40).for_each(|number| ear.send(u64::from(number) * 20, nth(number)));
    assert!(ear.heard.iter().all(|(number, at, samples)| at + u64::from(*samples) == u64::from(number + 1) * 160));
    assert_eq!(ear.numbers().last(), Some(&39));
    assert!(ear.receiver.stats().late > 5 && ear.numbers().len() > 25, "{:?}", ear.receiver.stats());
}

/// RFC 3550 appendix A.1: another source counts after two packets in sequence.
#[test]
fn another_source_takes_over_after_two_packets_and_one_stray_packet_does_not() {
    let mut ear = Ear::new();
    (0..5).for_each(|number| ear.send(u64::from(number) * 20, nth(number)));
    let other = |number: u32| Sent {
        ssrc: 99,
        sequence: 1_000 + u16::try_from(number).unwrap(),
        time: 77 + number * 160,
        marker: false,
        number: 500 + number,
    };
    ear.send(90, other(40));
    ear.send(100, nth(5));
    ear.send(110, other(90));
    ear.send(120, nth(6));
    assert_eq!(ear.numbers(), [0, 1, 2, 3, 4, 5, 6]);
    (0..5).for_each(|number| ear.send(140 + u64::from(number) * 20, other(number)));
    assert_eq!(ear.numbers()[7..], [500, 501, 502, 503, 504]);
    assert_eq!((ear.clock, ear.gaps, ear.receiver.stats().restarts), (12 * 160, 0, 1));
}

#[test]
fn a_source_that_comes_back_after_a_pause_leaves_a_gap_as_long_as_the_wall_says() {
    let mut ear = Ear::new();
    ear.send(0, nth(0));
    (1..1_000).for_each(|ms| ear.wait(ms));
    let other = |number: u32| Sent { ssrc: 99, sequence: u16::try_from(number).unwrap(), time: number * 160, marker: false, number };
    ear.send(1_000, other(1));
    ear.send(1_020, other(2));
    assert_eq!(ear.heard[1..], [(1, 1_000 * 8, 160), (2, 1_020 * 8, 160)]);
}

#[test]
fn a_jump_of_the_timestamp_never_makes_more_gap_than_the_wall_allows() {
    let mut ear = Ear::new();
    let mut time = 0_u32;
    for number in 0..500_u32 {
        time = time.wrapping_add(if number % 3 == 0 { 40_000_000 } else { 160 });
        ear.send(u64::from(number) * 20, Sent { time, ..nth(number) });
    }
    assert!(ear.clock <= 500 * 160 + 8_000, "{}", ear.clock);
    assert_eq!(ear.numbers().len(), 500);
    // Steps that each pass for a pause add up to a second at most.
    let mut ear = Ear::new();
    for number in 0..500_u32 {
        ear.send(u64::from(number) * 20, Sent { time: number * 7_000, ..nth(number) });
    }
    assert!(ear.clock <= 501 * 160 + 8_000, "{}", ear.clock);
}

#[test]
fn a_clock_that_jumps_back_far_is_followed_at_once() {
    let mut ear = Ear::new();
    (0..5).for_each(|number| ear.send(u64::from(number) * 20, nth(number)));
    (5..10).for_each(|number| ear.send(u64::from(number) * 20, Sent { time: nth(number).time.wrapping_sub(1_000_000_000), ..nth(number) }));
    assert_eq!((ear.numbers(), ear.clock), ((0..10).collect(), 1_600));
}

#[test]
fn packets_that_overlap_are_trimmed() {
    let mut ear = Ear::new();
    ear.send(0, nth(0));
    ear.send(20, Sent { time: nth(0).time.wrapping_add(100), ..nth(1) });
    assert_eq!(ear.heard, [(0, 0, 160), (1, 160, 100)]);
}

#[test]
fn keys_take_their_place_in_the_sequence_and_no_time() {
    let mut ear = Ear::new();
    ear.send(0, nth(0));
    for number in 1..4 {
        let sent = nth(number);
        let header = Header { ssrc: 7, sequence: sent.sequence, time: RtpTime(nth(1).time), marker: false, payload_type: 101 };
        ear.receiver.handle_packet(Instant::from_millis(u64::from(number) * 20), &Packet { header, payload: &[5, 0, 0, 160] }, Load::Other);
        ear.poll();
    }
    assert_eq!(ear.receiver.place(RtpTime(nth(1).time)), Samples(160));
    ear.send(80, nth(4));
    assert_eq!((ear.heard[1], ear.gaps), ((4, 640, 160), 480));
}

#[test]
fn what_no_telephone_sends_is_dropped_and_counted() {
    let mut receiver = Receiver::new(Rate::K8);
    let header = Header { ssrc: 7, sequence: 0, time: RtpTime(0), marker: false, payload_type: 0 };
    receiver.handle_packet(Instant::ZERO, &Packet { header, payload: &[0; 1_400] }, Load::Sound(1_400));
    assert!(receiver.poll_output().is_none());
    assert_eq!((receiver.stats().oversize, receiver.stats().received), (1, 0));
}

#[test]
fn a_key_before_any_sound_does_not_set_the_sounds_clock() {
    let mut ear = Ear::new();
    let header = Header {
        ssrc: 7,
        sequence: nth(0).sequence,
        time: RtpTime(nth(0).time.wrapping_add(900_000_000)),
        marker: true,
        payload_type: 101,
    };
    ear.receiver.handle_packet(Instant::from_millis(7_000_000), &Packet { header, payload: &[1; 4] }, Load::Other);
    ear.poll();
    (1..10).for_each(|number| ear.send(7_000_000 + u64::from(number) * 20, nth(number)));
    assert_eq!((ear.numbers(), ear.gaps), ((1..10).collect(), 0));
}

#[test]
fn arbitrary_packets_never_break_the_clock() {
    for seed_number in 0..60 {
        let mut seed = Seed::new(seed_number);
        let mut ear = Ear::new();
        let (mut ms, mut sequence, mut time) = (5_000_000, 0_u16, 0_u32);
        for number in 0..1_500 {
            ms += seed.below(40);
            match seed.below(12) {
                0 => sequence = seed.next_u32().to_le_bytes()[0].into(),
                1 => time = seed.next_u32(),
                2 => sequence = sequence.wrapping_sub(3),
                3 => sequence = sequence.wrapping_add(u16::from(seed.next_u32().to_le_bytes()[0])),
                _ => (sequence, time) = (sequence.wrapping_add(1), time.wrapping_add(160)),
            }
            ear.send(
                ms,
                Sent { ssrc: 1 + seed.next_u32() % 2 * u32::from(number % 50 < 9), sequence, time, marker: seed.one_in(9), number },
            );
            if seed.one_in(5) {
                let header = Header { ssrc: 1, sequence, time: RtpTime(seed.next_u32()), marker: false, payload_type: 101 };
                ear.receiver.handle_packet(Instant::from_millis(ms), &Packet { header, payload: &[1; 4] }, Load::Other);
                ear.poll();
                sequence = sequence.wrapping_add(1);
            }
            ear.wait(ms);
            // Sound itself may come faster than the wall; gaps may not.
            let sound = ear.receiver.stats().sound_samples;
            assert!(ear.clock - sound <= (ms - 5_000_000) * 8 + 8_000, "seed {seed_number}");
        }
    }
}
