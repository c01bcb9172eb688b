//! Every parser that the network reaches, with bytes made from sound messages and from the torture messages of RFC 4475. Bounded: some thousand inputs a
//! target in a plain run, `FUZZ_SECONDS=600` for longer (`make fuzz SECONDS=600`), `FUZZ_SEED=` for others. What breaks a target is printed so that it can be
//! put into `tests/fuzz/found/`, whose files every run tries first.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

#[path = "../shared/torture.rs"]
#[expect(dead_code, reason = "the folder alone is wanted")]
mod torture;

mod corpus;
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nightbell::base::Seed;

use corpus::corpus;
use mutate::mutate;
use targets::{TARGETS, Target};

/// Inputs of a target in a plain run.
const INPUTS: u64 = 3_000;

/// How long a target may take for one input, in a build without optimisation on a busy machine.
const SLOW: Duration = Duration::from_secs(5);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The clock of these tests: how long to go on, and whether an input takes too long.
#[expect(clippy::disallowed_methods, reason = "a fuzzer runs for a time")]
fn now() -> Instant {
    Instant::now()
}

fn attempt(name: &str, target: Target, input: &[u8]) {
    let begin = now();
    let result = catch_unwind(AssertUnwindSafe(|| target(input)));
    let took = begin.elapsed();
    if result.is_err() || took > SLOW {
        let file = std::env::temp_dir().join(format!("fuzz-{name}-{}.bin", input.len()));
        let _ = std::fs::write(&file, input);
        panic!("{name} fails after {took:?} with the input in {}: {:?}", file.display(), String::from_utf8_lossy(input));
    }
}

fn drive(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let corpus = corpus(name);
    for input in &corpus {
        attempt(name, *target, input);
    }
    let mut seed = Seed::new(number("FUZZ_SEED").unwrap_or(0x5eed) ^ name.len() as u64);
    let (seconds, begin) = (number("FUZZ_SECONDS").unwrap_or(0), now());
    let mut inputs = 0;
    while inputs < INPUTS || begin.elapsed() < Duration::from_secs(seconds) {
        let input = mutate(&mut seed, &corpus);
        attempt(name, *target, &input);
        inputs += 1;
    }
    println!("{name}: {inputs} inputs from {} in {:?}", corpus.len(), begin.elapsed());
}

#[test]
fn no_datagram_breaks_the_reader() {
    drive("wire");
}

#[test]
fn no_cut_of_a_stream_changes_what_is_in_it() {
    drive("stream");
}

#[test]
fn no_uri_breaks_the_reader() {
    drive("uri");
}

#[test]
fn no_address_or_via_breaks_the_reader() {
    drive("addresses");
}

#[test]
fn no_challenge_breaks_the_reader_and_no_noise_is_a_password() {
    drive("digest");
}

#[test]
fn no_description_breaks_the_reader() {
    drive("sdp");
}

#[test]
fn no_row_of_offers_and_answers_breaks_a_session() {
    drive("session");
}

#[test]
fn no_row_of_messages_and_orders_breaks_the_endpoint() {
    drive("endpoint");
}
