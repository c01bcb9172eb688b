//! A tick of the listening thread allocates nothing, whatever is heard: this binary's allocator aborts on the first allocation in one.

use std::sync::Arc;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use nightbell::base::{Captured, CapturedKind, Frame, Instant, LegId, Rate, Samples, Seed, TurnId};
use nightbell::hear::{Expectation, Settings};
use nightbell::listen::{ListenCore, ListenStats, Order, Seat};
use nightbell::rt::{Gate, ring, trash};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn ticks_of_64_legs_allocate_nothing() {
    let (mut orders, orders_in) = ring(256);
    let (reports_out, mut reports) = ring(2_048);
    let (thrown, mut bin) = trash(64);
    let mut core = ListenCore::new(orders_in, reports_out, thrown, Arc::new(ListenStats::default()));
    let mut lines = Vec::new();
    for leg in 0..64 {
        let (line, from) = ring(50);
        let gate = Arc::new(Gate::new());
        gate.set_playing(Some(TurnId(1)));
        orders.push(Order::Add(Seat::new(LegId(leg), from, gate, Settings::default()))).map_err(|_| "full").unwrap();
        lines.push(line);
    }
    let (mut seed, mut heard) = (Seed::new(1), 0);
    for place in 0..400_u64 {
        for line in &mut lines {
            let kind = if seed.one_in(30) { CapturedKind::Gap } else { CapturedKind::Sound };
            let captured = Captured { at: Samples(place * 160), kind, frame: sound(place) };
            line.push(captured).map_err(|_| "full").unwrap();
        }
        if place % 50 == 0 {
            orders.push(Order::Expect(LegId(3), Expectation::Digits)).map_err(|_| "full").unwrap();
        }
        if place == 390 {
            orders.push(Order::Remove(LegId(5))).map_err(|_| "full").unwrap();
        }
        assert_no_alloc(|| {
            core.tick(Instant::from_millis(place * 20));
            core.tick(Instant::from_millis(place * 20 + 10));
        });
        while reports.pop().is_some() {
            heard += 1;
        }
    }
    assert!(heard > 64 * 50, "voices were heard: {heard} reports");
    assert_eq!((core.legs(), bin.empty()), (63, 1));
}

/// Silence for a second, then a second of pulses through a resonance, by turns.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "far below full scale")]
fn sound(place: u64) -> Frame {
    let pcm: Vec<i16> = (0..160)
        .map(|at| {
            let (at, loud) = (place * 160 + at, place / 50 % 2 == 1);
            let since = (at % 64) as f64 / 8_000.0;
            let ring = |hertz: f64| (std::f64::consts::TAU * hertz * since).sin() * (-since * 400.0).exp();
            let open = 0.3 + 0.7 * (at as f64 / 8_000.0 * 13.0).sin().abs();
            if loud { (9_000.0 * open * (ring(600.0) + 0.6 * ring(1_700.0))) as i16 } else { 0 }
        })
        .collect();
    Frame::new(Rate::K8, &pcm)
}
