//! Whole calls in virtual time, each from one number: two telephones, a bad network between them, engines that die, a disk that fails, and a caller who
//! does as people do. After every step the machines' own invariants and a shadow of the call are checked.
//!
//! `SEED=0x2a cargo test --test sim` plays one call and prints its ladder; `SEEDS=100000` plays so many.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod actions;
mod caller;
mod disk;
mod engines;
mod model;
mod netem;
mod phones;
mod quiet;
mod sound;
mod speech;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nightbell::base::{Instant, Seed};
use nightbell::call::Engine;
use nightbell::dialogue::Agent;

use disk::Disk;
use netem::Net;
use world::{Ev, World};

/// Calls of a plain test run.
const SEEDS: u64 = 200;

fn agents() -> Vec<Arc<Agent>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents");
    ["leasing.toml", "tenants.toml"].map(|name| Arc::new(nightbell::config::agent::load(&folder.join(name)).unwrap())).into()
}

/// What goes wrong in the world of this number: nothing, the network, the engines, the disk, or all of it.
fn weather(world: &mut World, number: u64) {
    let mut seed = Seed::new(number ^ 0x0bad_cafe);
    let mix = number % 5;
    world.hasty = number % 7 == 2;
    world.people_first = number % 9 == 4;
    if mix == 1 || mix == 4 {
        world.net = Net::rough(seed.fork(1));
        if seed.one_in(3) {
            world.net.dead_from = Some(Instant::from_millis(seed.below(60_000)));
        }
    }
    if mix == 2 || mix == 4 {
        world.shadow.restless = true;
        world.engines.fails = if seed.one_in(2) { 8 + seed.below(10) } else { 0 };
        world.engines.refuses = if seed.one_in(4) { 20 + seed.below(20) } else { 0 };
        for engine in [Engine::Asr, Engine::Llm, Engine::Tts] {
            for _ in 0..seed.below(3) {
                let (from, length) = (seed.below(60_000), 200 + seed.below(9_000));
                world.after(Duration::from_millis(from), Ev::Engine { engine, up: false });
                world.after(Duration::from_millis(from + length), Ev::Engine { engine, up: true });
            }
        }
    }
    if mix == 3 || mix == 4 {
        world.disk = Disk::faulty(seed.fork(2));
    }
    if number % 11 == 6 {
        world.shadow.restless = true;
        world.engines.starve();
    }
    if number % 13 == 9 {
        world.shadow.restless = true;
        world.disk.sticks = 2;
    }
}

/// One call from its number; what happened, and whether all held.
fn play(number: u64, agents: &[Arc<Agent>]) -> (World, Result<(), String>) {
    let mut world = World::new(number, agents);
    weather(&mut world, number);
    let held = catch_unwind(AssertUnwindSafe(|| world.live()));
    let held = held.map_err(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    });
    (world, held)
}

fn number(text: &str) -> u64 {
    let text = text.trim();
    text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16)).unwrap()
}

fn fail(number: u64, world: &World, why: &str) -> ! {
    let from = world.trace.len().saturating_sub(60);
    panic!("{why}\nthe end of the ladder:\n{}\nplay it again: SEED={number:#x}\n", world.trace[from..].join("\n"));
}

#[test]
fn every_call_ends_and_keeps_its_word() {
    let agents = agents();
    if let Ok(one) = std::env::var("SEED") {
        let one = number(&one);
        let (world, held) = play(one, &agents);
        println!("{}", world.trace.join("\n"));
        return held.unwrap_or_else(|why| fail(one, &world, &why));
    }
    let seeds = std::env::var("SEEDS").map_or(SEEDS, |seeds| number(&seeds));
    let known: Vec<u64> = include_str!("seeds.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(' ').next())
        .map(number)
        .collect();
    let (mut seen, mut outcomes) = (BTreeSet::new(), BTreeMap::new());
    let mut broken = Vec::new();
    for one in known.into_iter().chain(0..seeds) {
        let (world, held) = play(one, &agents);
        if let Err(why) = held {
            broken.push((one, world, why));
            continue;
        }
        seen.extend(world.shadow.seen.iter().copied());
        *outcomes.entry(world.shadow.outcome.map_or("never answered", |outcome| outcome.as_str())).or_insert(0) += 1;
    }
    println!("{outcomes:?}");
    for (one, _, why) in &broken {
        println!("SEED={one:#x}: {why}");
    }
    if let Some((one, world, why)) = broken.first() {
        fail(*one, world, why);
    }
    let wanted = [
        "late",
        "booked",
        "callback",
        "message",
        "request",
        "transferred",
        "informed",
        "abandoned",
        "claim",
        "cut",
        "refer",
        "joined",
        "passed-on",
        "first",
        "came-back",
    ];
    for wanted in wanted.iter().filter(|_| seeds >= SEEDS) {
        assert!(seen.contains(wanted), "the simulation reaches {wanted}: {seen:?}");
    }
}

#[test]
fn the_same_number_tells_the_same_story() {
    let agents = agents();
    for one in 0..20 {
        let (first, second) = (play(one, &agents).0, play(one, &agents).0);
        assert_eq!(first.trace, second.trace, "SEED={one:#x}");
    }
}
