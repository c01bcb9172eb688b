//! What a leg says, and what of it is told.

use super::*;

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

/// Whatever is paused, resumed, flushed and starved: what the far end got is what the reports say, clip by clip and to the sample.
#[test]
fn what_is_told_as_played_is_what_the_far_end_got() {
    let sound = ramp(16_000);
    for seed_number in 0..40 {
        let mut seed = Seed::new(seed_number);
        let mut world = World::new();
        world.add_pair(1, 2);
        world.run(60);
        world.heard(2);
        let (mut turn, mut clip, mut got) = (1, 0, Vec::new());
        for _ in 0..120 {
            match seed.below(8) {
                0 => world.gate(1).pause(),
                1 | 2 => world.gate(1).resume(),
                3 => {
                    turn += 1;
                    world.gate(1).flush_below(TurnId(turn));
                }
                4 | 5 if world.ends[&1].playback.vacant() > 20 => {
                    clip += 1;
                    let length = 1 + usize::try_from(seed.below(3_000)).unwrap();
                    world.say(1, turn, clip, &sound[..length]);
                }
                _ => {}
            }
            world.run(5 * (1 + seed.below(30)));
            got.extend(world.heard(2).into_iter().filter(|sample| *sample != 0));
        }
        world.gate(1).resume();
        world.run(2_000 / 4);
        world.order(Order::Remove(LegId(1)));
        world.run(60);
        got.extend(world.heard(2).into_iter().filter(|sample| *sample != 0));
        let mut told: Vec<(u32, u64)> = Vec::new();
        for (_, clip, samples, _) in world.played() {
            match told.last_mut() {
                // The same clip told again, further on or at its end.
                Some(last) if last.0 == clip => {
                    assert!(samples >= last.1, "seed {seed_number}: a count never falls");
                    last.1 = samples;
                }
                _ => told.push((clip, samples)),
            }
        }
        let expected: Vec<i16> = told.iter().flat_map(|(_, samples)| sound[..usize::try_from(*samples).unwrap()].to_vec()).collect();
        assert_eq!(got, expected, "seed {seed_number}");
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0), "seed {seed_number}: each clip is told once, in order");
    }
}

#[test]
fn a_frame_of_another_rate_is_dropped_and_counted() {
    let mut world = World::new();
    world.add_pair(1, 2);
    for item in Playback::clip(TurnId(1), 0, Rate::K16, &[5_000; 640]).chain(Playback::clip(TurnId(1), 1, Rate::K8, &[5_000; 100])) {
        world.ends.get_mut(&1).unwrap().playback.push(item).unwrap();
    }
    world.run(100);
    assert_eq!(world.played(), [(1, 1, 100, true)]);
    world.order(Order::Remove(LegId(1)));
    world.run(5);
    assert!(matches!(world.reports.last(), Some(Report::Removed { stats, .. }) if stats.playback_misfits == 2));
}
