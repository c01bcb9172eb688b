//! What a leg hears, and from whom.

use super::*;

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

#[test]
fn hostile_datagrams_of_the_latched_source_never_panic_nor_outrun_the_wall() {
    for seed_number in 0..20 {
        let mut seed = Seed::new(seed_number);
        let mut world = World::new();
        let (peer, at) = world.add_with_peer(1);
        let (mut gaps, mut frames) = (0, 0);
        for _ in 0..400_u64 {
            for _ in 0..seed.below(6) {
                let mut bytes: Vec<u8> = (0..seed.below(1_500)).map(|_| seed.next_u32().to_le_bytes()[0]).collect();
                if let (Some(head), false) = (bytes.first_chunk_mut::<2>(), seed.one_in(8)) {
                    *head = [0x80, [0, 8, 101, 13, 0x80][usize::try_from(seed.below(5)).unwrap()]];
                }
                if let (Some(ssrc), true) = (bytes.get_mut(8..12), seed.one_in(2)) {
                    ssrc.copy_from_slice(&[0, 0, 0, 1]);
                }
                peer.send_to(&bytes, at).unwrap();
            }
            world.run(20);
            let captured = &mut world.ends.get_mut(&1).unwrap().captured;
            while let Some(one) = captured.pop() {
                frames += 1;
                gaps += if one.kind == CapturedKind::Gap { one.frame.samples().len() } else { 0 };
                assert!(one.frame.samples().len() <= 160);
            }
        }
        assert!(gaps <= (400 * 20 + 1_000) * 8, "seed {seed_number}: {gaps}");
        assert!(frames > 100, "seed {seed_number}");
    }
}

#[test]
fn a_new_agreement_moves_the_leg_to_the_new_address_and_law() {
    let mut world = World::new();
    let (before, at) = world.add_with_peer(1);
    send(&before, at, nth(0), &[0xff; 160]);
    world.run(100);
    let after = socket();
    let agreed =
        Renegotiation { codec: Codec::Pcma, telephone_event: None, remote: after.local_addr().ok(), direction: Direction::SendReceive };
    world.order(Order::Renegotiate(LegId(1), agreed));
    received(&before);
    world.run(100);
    assert!(received(&before).is_empty());
    assert!(received(&after).iter().all(|(header, payload)| header.payload_type == 8 && payload == &[0xd5; 160]));
    // The new far end speaks: another source from another address, and the leg's clock goes on.
    world.heard(1);
    for number in 0..10 {
        send(&after, at, Header { ssrc: 99, payload_type: 8, ..nth(900 + number) }, &[0x2a; 160]);
        world.run(20);
    }
    assert!(rms(&world.heard(1)) > 20_000);
    world.order(Order::SendDigit(LegId(1), '1'));
    world.run(5);
    assert_eq!(world.reports.last(), Some(&Report::DigitRefused { leg: LegId(1), digit: '1' }));
}
