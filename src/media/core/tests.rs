//! Legs over real loopback sockets, in virtual time.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};

use super::*;
use crate::audio::{Codec, Tone, rms, tone_share};
use crate::base::{CapturedKind, Frame, Rate, Samples, Seed, TurnId};
use crate::media::{Direction, LegEnds, LegSetup, Playback, Renegotiation, Side, Tapped};
use crate::rtp::{HEADER_BYTES, Header, Packet, SourceRule, parse, write};

/// A core with its ports, a clock of its own and the ends of its legs.
struct World {
    core: MediaCore,
    ports: MediaPorts,
    now: Instant,
    ends: BTreeMap<u32, LegEnds>,
    reports: Vec<Report>,
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn setup(id: u32, socket: UdpSocket, remote: Option<SocketAddr>) -> LegSetup {
    LegSetup {
        id: LegId(id),
        socket,
        codec: Codec::Pcmu,
        telephone_event: Some(101),
        remote,
        source_rule: SourceRule::Latch,
        seed: Seed::new(u64::from(id)),
    }
}

impl World {
    fn new() -> Self {
        let (core, ports) = MediaCore::new(None);
        Self { core, ports, now: Instant::from_millis(1_000), ends: BTreeMap::new(), reports: Vec::new() }
    }

    fn add(&mut self, setup: LegSetup) {
        let id = setup.id;
        let (leg, ends) = Leg::new(setup).unwrap();
        self.ends.insert(id.0, ends);
        self.order(Order::Add(leg));
    }

    /// Two legs of this core that talk to each other.
    fn add_pair(&mut self, one: u32, other: u32) {
        let (a, b) = (socket(), socket());
        let (at_a, at_b) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        self.add(setup(one, a, Some(at_b)));
        self.add(setup(other, b, Some(at_a)));
    }

    /// A leg and the far end's socket.
    fn add_with_peer(&mut self, id: u32) -> (UdpSocket, SocketAddr) {
        let (ours, theirs) = (socket(), socket());
        let at = ours.local_addr().unwrap();
        self.add(setup(id, ours, Some(theirs.local_addr().unwrap())));
        (theirs, at)
    }

    fn order(&mut self, order: Order) {
        self.ports.orders.push(order).unwrap();
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms / TICK_MS {
            self.core.tick(self.now);
            self.now += std::time::Duration::from_millis(TICK_MS);
            while let Some(report) = self.ports.reports.pop() {
                self.reports.push(report);
            }
        }
    }

    fn say(&mut self, id: u32, turn: u32, clip: u32, sound: &[i16]) {
        let pieces = sound.chunks(160);
        let count = pieces.len();
        for (place, piece) in pieces.enumerate() {
            let frame = Frame::new(Rate::K8, piece);
            self.ends.get_mut(&id).unwrap().playback.push(Playback { turn: TurnId(turn), clip, frame, last: place + 1 == count }).unwrap();
        }
    }

    fn gate(&self, id: u32) -> &crate::rt::Gate {
        &self.ends[&id].gate
    }

    /// Where a leg receives.
    fn address(&mut self, id: u32) -> SocketAddr {
        self.run(20);
        self.core.legs.iter().find(|leg| leg.id() == LegId(id)).unwrap().local_address()
    }

    /// All sound a leg heard since the last call.
    fn heard(&mut self, id: u32) -> Vec<i16> {
        let captured = &mut self.ends.get_mut(&id).unwrap().captured;
        std::iter::from_fn(|| captured.pop()).flat_map(|one| one.frame.samples().to_vec()).collect()
    }

    fn played(&self) -> Vec<(u32, u32, u64, bool)> {
        let told = self.reports.iter().filter_map(|report| match report {
            Report::Played { turn, clip, samples, finished, .. } => Some((turn.0, *clip, samples.0, *finished)),
            _ => None,
        });
        told.collect()
    }
}

/// Sound that survives μ-law unchanged and never repeats a frame: every sample is a code word's value.
fn ramp(samples: usize) -> Vec<i16> {
    let mut seed = Seed::new(5);
    let codes: Vec<u8> = (0..samples).map(|_| seed.next_u32().to_le_bytes()[0] & 0xbf).collect();
    let mut pcm = vec![0; samples];
    Codec::Pcmu.decode(&codes, &mut pcm);
    pcm
}

fn received(socket: &UdpSocket) -> Vec<(Header, Vec<u8>)> {
    let mut buffer = [0; 1_500];
    let mut packets = Vec::new();
    while let Ok((length, _)) = socket.recv_from(&mut buffer) {
        let Packet { header, payload } = parse(&buffer[..length]).unwrap();
        packets.push((header, payload.to_vec()));
    }
    packets
}

fn send(socket: &UdpSocket, to: SocketAddr, header: Header, payload: &[u8]) {
    let mut buffer = [0; 1_500];
    let length = write(&header, payload, &mut buffer).unwrap();
    assert_eq!(length, HEADER_BYTES + payload.len());
    socket.send_to(&buffer[..length], to).unwrap();
}

fn nth(number: u16) -> Header {
    Header { ssrc: 7, sequence: number, time: crate::base::RtpTime(u32::from(number) * 160), marker: false, payload_type: 0 }
}

/// What lies between the silence before and after.
fn sound_of(whole: &[i16]) -> Vec<i16> {
    let first = whole.iter().position(|sample| *sample != 0).unwrap_or(whole.len());
    let last = whole.iter().rposition(|sample| *sample != 0).unwrap_or(0);
    whole.get(first..=last).unwrap_or_default().to_vec()
}

#[test]
fn each_leg_hears_the_tone_of_the_other_and_not_its_own() {
    let mut world = World::new();
    world.add_pair(1, 2);
    for (id, hertz) in [(1, 440.0), (2, 1_000.0)] {
        let mut tone = vec![0; 8_000];
        Tone::new(hertz, Rate::K8, 8_000).fill(&mut tone);
        world.say(id, 1, 0, &tone);
    }
    world.run(900);
    for (id, hertz, own) in [(1, 1_000.0, 440.0), (2, 440.0, 1_000.0)] {
        let heard = world.heard(id);
        assert!(tone_share(&heard[800..6_400], Rate::K8, hertz) > 0.97);
        assert!(tone_share(&heard[800..6_400], Rate::K8, own) < 0.01);
    }
    assert_eq!(world.reports.iter().filter(|report| matches!(report, Report::FirstPacket { .. })).count(), 2);
}

#[test]
fn the_stream_never_stops_and_its_timestamps_run_with_time() {
    let mut world = World::new();
    let (peer, _) = world.add_with_peer(1);
    world.run(200);
    world.say(1, 1, 0, &ramp(480));
    world.run(200);
    let packets = received(&peer);
    assert_eq!(packets.len(), 20);
    for pair in packets.windows(2) {
        assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
        assert_eq!(pair[1].0.time.since(pair[0].0.time), 160);
    }
    assert!(packets.iter().all(|(header, payload)| header.payload_type == 0 && payload.len() == 160));
    assert!(packets[0].0.marker && packets[1..].iter().all(|(header, _)| !header.marker));
}

#[test]
fn pause_keeps_the_tail_to_the_sample() {
    for pause_at in [35, 40, 100, 215] {
        let mut world = World::new();
        world.add_pair(1, 2);
        world.run(100);
        let original = ramp(4_800);
        world.say(1, 1, 0, &original);
        world.run(pause_at);
        world.gate(1).pause();
        world.run(1_000);
        assert_eq!(world.gate(1).playing(), Some(TurnId(1)), "the tail still waits");
        world.heard(1);
        let before = world.heard(2);
        assert_eq!(&before[before.len() - 800..], [0; 800], "silence while paused");
        let told = world.played();
        world.gate(1).resume();
        world.run(800);
        let after = world.heard(2);
        let (first, second) = (sound_of(&before), sound_of(&after));
        assert_eq!([first.as_slice(), second.as_slice()].concat(), original);
        assert_eq!(told.last(), Some(&(1, 0, first.len() as u64, false)), "what was heard before the pause is told");
        assert_eq!(world.played().last(), Some(&(1, 0, 4_800, true)));
        assert_eq!(world.gate(1).playing(), None);
    }
}

#[test]
fn a_flush_leaves_the_exact_number_of_samples_heard() {
    for ms in [20, 45, 160, 333] {
        let mut world = World::new();
        world.add_pair(1, 2);
        world.run(100);
        let original = ramp(3_200);
        world.say(1, 4, 0, &original);
        world.say(1, 4, 1, &original);
        world.say(1, 5, 0, &original[..160]);
        world.run(ms);
        world.gate(1).flush_below(TurnId(5));
        world.run(5);
        let played = world.played();
        let samples = played[0].2;
        assert_eq!(played[..2], [(4, 0, samples, false), (4, 1, 0, false)]);
        // Frames of the flushed turn that come late are dropped without another word.
        world.say(1, 4, 1, &original[..320]);
        world.run(200);
        assert_eq!(world.played()[2..], [(5, 0, 160, true)], "{ms}");
        let expected = [&original[..usize::try_from(samples).unwrap()], &original[..160]].concat();
        assert_eq!(sound_of(&world.heard(2)), expected, "{ms}");
        assert!(world.reports.contains(&Report::Idle { leg: LegId(1), turn: TurnId(5) }));
    }
}

#[test]
fn a_flush_while_paused_and_then_an_open_gate_play_nothing_of_the_old_turn() {
    let mut world = World::new();
    world.add_pair(1, 2);
    world.say(1, 1, 0, &ramp(4_000));
    world.run(200);
    world.gate(1).pause();
    world.run(100);
    let heard = world.heard(2).iter().filter(|sample| **sample != 0).count() as u64;
    world.gate(1).flush_below(TurnId(2));
    world.gate(1).resume();
    world.run(200);
    assert!(world.heard(2).iter().all(|sample| *sample == 0));
    assert_eq!(world.played(), [(1, 0, heard, false), (1, 0, heard, false)]);
    assert!(!world.reports.iter().any(|report| matches!(report, Report::Idle { .. })));
}

#[test]
fn a_late_next_frame_is_told_once_and_the_clip_goes_on() {
    let mut world = World::new();
    world.add_pair(1, 2);
    let original = ramp(640);
    let frames: Vec<Frame> = original.chunks(160).map(|piece| Frame::new(Rate::K8, piece)).collect();
    let item = |place: usize| Playback { turn: TurnId(1), clip: 3, frame: frames[place], last: place == 3 };
    for place in [0, 1] {
        world.ends.get_mut(&1).unwrap().playback.push(item(place)).unwrap();
    }
    world.run(120);
    assert_eq!(world.gate(1).playing(), Some(TurnId(1)), "the clip is not over");
    for place in [2, 3] {
        world.ends.get_mut(&1).unwrap().playback.push(item(place)).unwrap();
    }
    world.run(120);
    let starved: Vec<_> = world.reports.iter().filter(|report| matches!(report, Report::Starved { .. })).collect();
    assert_eq!(starved, [&Report::Starved { leg: LegId(1), turn: TurnId(1), clip: 3 }]);
    assert_eq!(world.played(), [(1, 3, 640, true)]);
}

#[test]
fn a_key_pressed_at_one_end_is_one_key_at_the_other() {
    let mut world = World::new();
    world.add_pair(1, 2);
    world.run(100);
    for digit in "1#05*D".chars() {
        world.order(Order::SendDigit(LegId(1), digit));
    }
    world.order(Order::SendDigit(LegId(1), 'x'));
    let mut heard = 0;
    for _ in 0..10 {
        world.run(200);
        heard += world.heard(2).len() as u64;
    }
    let keys: String = world
        .reports
        .iter()
        .filter_map(|report| if let Report::Digit { leg: LegId(2), digit, .. } = report { Some(*digit) } else { None })
        .collect();
    assert_eq!(keys, "1#05*D");
    assert!(world.reports.contains(&Report::DigitRefused { leg: LegId(1), digit: 'x' }));
    assert!((1_900 * 8..=2_100 * 8).contains(&heard), "keys leave the clock true: {heard}");
}

#[test]
fn two_callers_put_through_hear_each_other_through_us_in_their_own_laws() {
    let mut world = World::new();
    // Far ends 1 and 4 are callers; 2 and 3 are our legs, one of each law.
    world.add_pair(1, 2);
    world.add_pair(3, 4);
    for id in [3, 4] {
        let remote = Some(world.address(if id == 3 { 4 } else { 3 }));
        let agreed = Renegotiation { codec: Codec::Pcma, telephone_event: None, remote, direction: Direction::SendReceive };
        world.order(Order::Renegotiate(LegId(id), agreed));
    }
    world.order(Order::Bridge(LegId(2), LegId(3)));
    for (id, hertz) in [(1, 440.0), (4, 1_000.0)] {
        let mut tone = vec![0; 8_000];
        Tone::new(hertz, Rate::K8, 8_000).fill(&mut tone);
        world.say(id, 1, 0, &tone);
    }
    world.run(950);
    for (id, hertz) in [(1, 1_000.0), (4, 440.0)] {
        let heard = world.heard(id);
        assert!(tone_share(&heard[1_600..6_400], Rate::K8, hertz) > 0.95, "leg {id}: {}", rms(&heard));
    }
    world.order(Order::Unbridge(LegId(3)));
    world.run(300);
    for id in [1, 4] {
        let heard = world.heard(id);
        // A-law has no zero: its silence is 8.
        assert!(rms(&heard[heard.len() - 800..]) <= 8, "parted");
    }
}

#[test]
fn somebody_else_who_sprays_packets_is_neither_heard_nor_answered() {
    let mut world = World::new();
    let (peer, at) = world.add_with_peer(1);
    let attacker = socket();
    let mut seed = Seed::new(9);
    for number in 0..50_u16 {
        send(&peer, at, nth(number), &[0xd5; 160]);
        for _ in 0..5 {
            let header = Header { ssrc: seed.next_u32(), sequence: seed.next_u32().to_le_bytes()[0].into(), ..nth(number) };
            send(&attacker, at, header, &[0; 160]);
        }
        world.run(20);
    }
    let heard = world.heard(1);
    assert_eq!(heard.len(), 50 * 160);
    assert!(rms(&heard) < 1_000, "the attacker is loud");
    assert!(received(&attacker).is_empty());
    world.order(Order::Remove(LegId(1)));
    world.run(5);
    let Some(Report::Removed { stats, .. }) = world.reports.last() else { panic!("not told") };
    assert_eq!((stats.foreign, stats.receive.received, stats.receive.lost), (250, 50, 0));
}

#[test]
fn what_is_not_rtp_is_counted_by_its_kind() {
    let mut world = World::new();
    let (peer, at) = world.add_with_peer(1);
    peer.send_to(&[0x80, 200, 0, 1, 0, 0, 0, 7], at).unwrap();
    peer.send_to(b"INVITE", at).unwrap();
    send(&peer, at, Header { payload_type: 96, ..nth(0) }, &[0; 20]);
    send(&peer, at, Header { payload_type: 13, ..nth(0) }, &[40]);
    world.run(20);
    world.order(Order::Remove(LegId(1)));
    world.run(5);
    let Some(Report::Removed { stats, .. }) = world.reports.last() else { panic!("not told") };
    assert_eq!((stats.rtcp, stats.malformed, stats.unagreed, stats.receive.received), (1, 1, 1, 1));
}

#[test]
fn a_held_leg_sends_nothing_keeps_its_tail_and_its_sequence() {
    let mut world = World::new();
    let (peer, _) = world.add_with_peer(1);
    world.say(1, 1, 0, &ramp(3_200));
    world.run(100);
    let before = received(&peer);
    world.order(Order::Direct(LegId(1), Direction::ReceiveOnly));
    world.run(500);
    assert_eq!(received(&peer).len(), 0);
    world.order(Order::Direct(LegId(1), Direction::SendReceive));
    world.run(500);
    let after = received(&peer);
    let (last, first) = (before.last().unwrap().0, after[0].0);
    assert_eq!(first.sequence, last.sequence.wrapping_add(1));
    assert_eq!(first.time.since(last.time), 26 * 160);
    assert!(first.marker);
    assert_eq!(world.played(), [(1, 0, 3_200, true)]);
}

#[test]
fn playback_waits_until_it_is_known_where_to_send_it() {
    let mut world = World::new();
    let (ours, theirs) = (socket(), socket());
    let at = ours.local_addr().unwrap();
    world.add(setup(1, ours, None));
    world.say(1, 1, 0, &ramp(320));
    world.run(200);
    assert_eq!(world.played(), []);
    send(&theirs, at, nth(1), &[0xff; 160]);
    send(&theirs, at, nth(2), &[0xff; 160]);
    world.run(100);
    assert_eq!(world.played(), [(1, 0, 320, true)]);
    assert!(received(&theirs).len() >= 3);
}

#[test]
fn a_stopped_process_makes_no_burst() {
    let mut world = World::new();
    let (peer, _) = world.add_with_peer(1);
    world.say(1, 1, 0, &ramp(1_600));
    world.run(100);
    let before = received(&peer);
    world.now += std::time::Duration::from_secs(3);
    world.core.tick(world.now);
    let burst = received(&peer);
    assert_eq!(burst.len(), 3);
    let (last, first) = (before.last().unwrap().0, burst[0].0);
    assert_eq!(first.sequence, last.sequence.wrapping_add(1));
    assert_eq!(first.time.since(last.time) % 160, 0);
    world.run(200);
    assert_eq!(world.played(), [(1, 0, 1_600, true)], "nothing of the sound was left out");
}

#[test]
fn a_far_end_that_falls_silent_is_told_once_and_so_is_its_return() {
    let mut world = World::new();
    let (peer, at) = world.add_with_peer(1);
    send(&peer, at, nth(0), &[0; 160]);
    world.run(12_000);
    send(&peer, at, nth(1), &[0; 160]);
    world.run(20);
    let told: Vec<_> = world.reports.iter().filter(|report| matches!(report, Report::RtpSilent { .. } | Report::RtpBack { .. })).collect();
    assert_eq!(told, [&Report::RtpSilent { leg: LegId(1) }, &Report::RtpBack { leg: LegId(1) }]);
}

#[test]
fn a_lost_packet_is_a_gap_of_its_length_in_the_capture_ring() {
    let mut world = World::new();
    let (peer, at) = world.add_with_peer(1);
    for number in [0, 1, 3, 4] {
        send(&peer, at, nth(number), &[0; 160]);
    }
    world.run(100);
    let captured = &mut world.ends.get_mut(&1).unwrap().captured;
    let pieces: Vec<_> = std::iter::from_fn(|| captured.pop()).map(|one| (one.at, one.kind)).collect();
    let (sound, gap) = (CapturedKind::Sound, CapturedKind::Gap);
    assert_eq!(pieces, [(0, sound), (160, sound), (320, gap), (480, sound), (640, sound)].map(|(at, kind)| (Samples(at), kind)));
}

#[test]
fn a_recorder_gets_both_sides_as_they_were() {
    let mut world = World::new();
    world.add_pair(1, 2);
    let (tap, mut taken) = crate::rt::ring::<Tapped>(200);
    world.order(Order::Tap(LegId(2), Some(Box::new(tap))));
    let (one, other) = (ramp(1_600), ramp(800));
    world.say(1, 1, 0, &one);
    world.say(2, 1, 0, &other);
    world.run(300);
    let all: Vec<Tapped> = std::iter::from_fn(|| taken.pop()).collect();
    let side =
        |side: Side| sound_of(&all.iter().filter(|one| one.side == side).flat_map(|one| one.frame.samples().to_vec()).collect::<Vec<_>>());
    assert_eq!((side(Side::Heard), side(Side::Said)), (one, other));
    world.order(Order::Tap(LegId(2), None));
    world.run(10);
    assert!(taken.is_abandoned() || world.ports.trash.empty() == 1);
}

#[test]
fn a_leg_that_ends_tells_what_was_heard_and_is_freed_outside() {
    let mut world = World::new();
    world.add_pair(1, 2);
    world.say(1, 1, 0, &ramp(3_200));
    world.run(100);
    world.order(Order::Bridge(LegId(1), LegId(2)));
    world.order(Order::Remove(LegId(1)));
    world.run(5);
    assert!(
        matches!(world.reports.last(), Some(Report::Removed { leg: LegId(1), stats }) if stats.sent == 5 && stats.played_samples == 800)
    );
    assert_eq!(world.played(), [(1, 0, 800, false)]);
    assert_eq!((world.core.legs(), world.ports.trash.empty()), (1, 1));
    world.order(Order::Stop);
    assert!(world.core.tick(world.now).stop);
    assert_eq!((world.core.legs(), world.ports.trash.empty()), (0, 1));
}

#[test]
fn orders_for_nobody_are_refused() {
    let mut world = World::new();
    world.add_pair(1, 2);
    let (leg, _ends) = Leg::new(setup(2, socket(), None)).unwrap();
    for order in [
        Order::Pause(LegId(9)),
        Order::Bridge(LegId(1), LegId(9)),
        Order::Bridge(LegId(1), LegId(1)),
        Order::Add(leg),
        Order::Remove(LegId(8)),
    ] {
        world.order(order);
    }
    world.run(5);
    let refused: Vec<_> =
        world.reports.iter().filter_map(|report| if let Report::Refused { leg } = report { Some(leg.0) } else { None }).collect();
    assert_eq!(refused, [9, 9, 1, 2, 8]);
}
