//! The listening thread without and with its thread.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::{Attention, ListenCore, ListenReport, ListenStats, Order, Seat, spawn};
use crate::base::clock::Clock;
use crate::base::{Captured, CapturedKind, Frame, Instant, LegId, Rate, Samples, Seed, TurnId};
use crate::hear::{Expectation, Heard, Settings};
use crate::rt::{Consumer, Gate, Producer, TrashBin, ring, trash};

/// A core with its other ends, and one leg's line.
struct Bench {
    core: ListenCore,
    orders: Producer<Order>,
    reports: Consumer<ListenReport>,
    bin: TrashBin,
    stats: Arc<ListenStats>,
    now: u64,
}

fn bench(reports: usize) -> Bench {
    let (orders, orders_in) = ring(16);
    let (reports_out, reports) = ring(reports);
    let (thrown, bin) = trash(1);
    let stats = Arc::new(ListenStats::default());
    Bench { core: ListenCore::new(orders_in, reports_out, thrown, Arc::clone(&stats)), orders, reports, bin, stats, now: 0 }
}

impl Bench {
    fn add(&mut self, leg: u32) -> (Producer<Captured>, Arc<Gate>) {
        let (captured, from) = ring(50);
        let gate = Arc::new(Gate::new());
        let seat = Seat::new(LegId(leg), from, Arc::clone(&gate), Settings::default());
        assert!(self.orders.push(Order::Add(seat)).is_ok());
        self.tick();
        (captured, gate)
    }

    fn tick(&mut self) {
        self.now += 10;
        self.core.tick(Instant::from_millis(self.now));
    }

    fn hear(&mut self, line: &mut Producer<Captured>, at: &mut u64, sound: &[i16]) {
        for frame in sound.chunks(160) {
            let captured = Captured { at: Samples(*at), kind: CapturedKind::Sound, frame: Frame::new(Rate::K8, frame) };
            assert!(line.push(captured).is_ok());
            *at += 160;
            self.tick();
            self.tick();
        }
    }
}

/// Pulses through a resonance, loud and soft by turns: near enough to a voice for the detector.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "far below full scale")]
fn voice(ms: usize) -> Vec<i16> {
    let mut seed = Seed::new(1);
    let (mut low, mut high) = ([0.0_f64; 2], [0.0_f64; 2]);
    let resonate = |state: &mut [f64; 2], source: f64, hertz: f64| {
        let next = source + 1.93 * (std::f64::consts::TAU * hertz / 8_000.0).cos() * state[0] - 0.931 * state[1];
        *state = [next, state[0]];
        next
    };
    (0..ms * 8)
        .map(|at| {
            let pulse = f64::from(u8::from(at % (62 + at / 2_000 % 5) == 0));
            let source = pulse + 0.02 * (f64::from(seed.next_u32()) / f64::from(u32::MAX) - 0.5);
            let open = 0.3 + 0.7 * (at as f64 / 8_000.0 * 13.0).sin().abs();
            ((resonate(&mut low, source, 600.0) + 0.6 * resonate(&mut high, source, 1_700.0)) * 3_000.0 * open) as i16
        })
        .collect()
}

#[test]
fn the_gate_is_closed_by_a_voice_and_the_turn_is_dropped_though_nobody_reads_reports() {
    let mut bench = bench(4);
    let (mut line, gate) = bench.add(1);
    gate.set_playing(Some(TurnId(5)));
    gate.set_playing_level(2_000);
    let mut at = 0;
    bench.hear(&mut line, &mut at, &vec![0; 24_000]);
    assert!(!gate.is_paused());
    let (mut paused, mut sound) = (false, voice(1_000));
    for frame in sound.chunks_mut(160) {
        bench.hear(&mut line, &mut at, frame);
        paused |= gate.is_paused();
    }
    assert!(paused, "closed at once");
    assert!(!gate.is_paused() && gate.floor() == TurnId(6), "and what is left of turn 5 is dropped");
    assert_eq!(bench.reports.len(), 4, "the ring was full all the while");
}

#[test]
fn reports_come_in_order_when_they_are_read() {
    let mut bench = bench(256);
    let (mut line, _gate) = bench.add(7);
    let mut at = 0;
    bench.hear(&mut line, &mut at, &[0; 8_000]);
    bench.hear(&mut line, &mut at, &voice(1_000));
    bench.hear(&mut line, &mut at, &vec![0; 12_000]);
    let mut reports = Vec::new();
    while let Some(report) = bench.reports.pop() {
        assert_eq!(report.leg, LegId(7));
        reports.push(report);
    }
    assert!(matches!(reports[0].heard, Heard::VoiceBegan { utterance: 1, .. }));
    assert!(matches!(reports.last().unwrap().heard, Heard::Ended { .. }));
    assert!(reports.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert_eq!(bench.stats.frames.get(), (8_000 + 8_000 + 12_000) / 160);
}

#[test]
fn a_leg_that_leaves_is_freed_elsewhere_and_its_gate_left_open() {
    let mut bench = bench(256);
    let (mut line, gate) = bench.add(1);
    gate.set_playing(Some(TurnId(1)));
    let mut at = 0;
    bench.hear(&mut line, &mut at, &vec![0; 24_000]);
    let sound = voice(1_000);
    for frame in sound.chunks(160) {
        bench.hear(&mut line, &mut at, frame);
        if gate.is_paused() {
            break;
        }
    }
    assert!(gate.is_paused());
    assert!(bench.orders.push(Order::Remove(LegId(1))).is_ok() && bench.orders.push(Order::Remove(LegId(9))).is_ok());
    bench.tick();
    assert!(!gate.is_paused());
    assert_eq!((bench.core.legs(), bench.stats.misdirected.get()), (0, 0), "the second waits until the trash was emptied");
    assert!(!line.is_abandoned(), "not freed on the listening thread");
    assert_eq!(bench.bin.empty(), 1);
    assert!(line.is_abandoned());
    bench.tick();
    assert_eq!(bench.stats.misdirected.get(), 1);
}

#[test]
fn a_leg_added_twice_is_replaced_and_orders_find_it() {
    let mut bench = bench(16);
    let (old, _) = bench.add(1);
    let (new, _) = bench.add(1);
    assert_eq!((bench.core.legs(), bench.bin.empty()), (1, 1));
    assert!(old.is_abandoned() && !new.is_abandoned());
    assert!(bench.orders.push(Order::Expect(LegId(1), Expectation::YesNo)).is_ok());
    bench.tick();
    assert_eq!(bench.stats.misdirected.get(), 0);
}

#[test]
fn wall_the_thread_hears_wakes_the_shell_and_ends_with_its_handle() {
    let (woken, wake) = sync_channel(1);
    let (mut handle, thread) = spawn(Clock::start(), Box::new(move || _ = woken.try_send(()))).unwrap();
    let (mut line, from) = ring(128);
    let seat = Seat::new(LegId(1), from, Arc::new(Gate::new()), Settings::default());
    assert!(handle.orders.push(Order::Add(seat)).is_ok());
    let sound = [vec![0; 4_000], voice(1_000)].concat();
    for (place, frame) in sound.chunks(160).enumerate() {
        let captured = Captured { at: Samples(160 * place as u64), kind: CapturedKind::Sound, frame: Frame::new(Rate::K8, frame) };
        assert!(line.push(captured).is_ok());
    }
    wake.recv_timeout(Duration::from_secs(20)).expect("the shell is woken");
    assert!(matches!(handle.reports.pop(), Some(ListenReport { heard: Heard::VoiceBegan { .. }, .. })));
    drop(handle);
    thread.join().unwrap();
    assert!(line.is_abandoned());
}

#[test]
fn what_people_say_to_each_other_is_not_heard_until_we_attend_again() {
    let mut bench = bench(512);
    let (mut line, _gate) = bench.add(1);
    let mut at = 0;
    assert!(bench.orders.push(Order::Attend(LegId(1), Attention::Shut)).is_ok());
    bench.hear(&mut line, &mut at, &voice(1_500));
    assert!(bench.reports.pop().is_none(), "nothing was heard");
    assert_eq!(line.len(), 0, "and nothing is kept");
    assert!(bench.orders.push(Order::Attend(LegId(1), Attention::Open)).is_ok());
    bench.hear(&mut line, &mut at, &voice(1_500));
    let began = std::iter::from_fn(|| bench.reports.pop()).any(|report| matches!(report.heard, Heard::VoiceBegan { .. }));
    assert!(began, "and then it is");
}
