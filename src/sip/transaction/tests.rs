//! The timers of RFC 3261 §17, to the millisecond.

use super::*;
use crate::base::Instant;

/// What the four machines have in common, for a test.
trait Ticking {
    fn table(&mut self) -> &mut Timers;
    fn fire(&mut self, now: Instant, timer: Timer, out: &mut Sends) -> Woke;
}

macro_rules! ticking {
    ($($machine:ty),*) => {$(
        impl Ticking for $machine {
            fn table(&mut self) -> &mut Timers {
                self.timers()
            }
            fn fire(&mut self, now: Instant, timer: Timer, out: &mut Sends) -> Woke {
                self.on_timer(now, timer, out)
            }
        }
    )*};
}

ticking!(InviteClient, Client, InviteServer);

/// Runs a machine to its end: when it sent something, in milliseconds, and when and how it ended.
fn run(machine: &mut impl Ticking) -> (Vec<u64>, u64, Woke) {
    let (mut sent, mut ended) = (Vec::new(), (0, Woke::Quiet));
    while let Some(at) = machine.table().next() {
        while let Some(timer) = machine.table().pop_due(at) {
            let mut out = Sends::new();
            ended = (at.as_millis(), machine.fire(at, timer, &mut out));
            sent.extend(out.iter().map(|_| at.as_millis()));
        }
    }
    (sent, ended.0, ended.1)
}

fn ack() -> Bytes {
    Bytes::from_static(b"ACK")
}

/// RFC 3261 §17.1.1.2: INVITE at 0, .5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, given up at 32 s.
#[test]
fn invite_is_sent_seven_times_then_given_up() {
    let mut first = Sends::new();
    let mut machine = InviteClient::start(Instant::ZERO, Bytes::from_static(b"INVITE"), false, &mut first);
    let (sent, ended, how) = run(&mut machine);
    assert_eq!((first.len(), sent), (1, vec![500, 1_500, 3_500, 7_500, 15_500, 31_500]));
    assert_eq!((ended, how), (32_000, Woke::TimedOut));
    assert!(machine.is_over());
}

/// RFC 3261 §17.1.1.2: no repeats over a reliable transport.
#[test]
fn invite_is_sent_once_over_a_reliable_transport() {
    let mut first = Sends::new();
    let mut machine = InviteClient::start(Instant::ZERO, Bytes::new(), true, &mut first);
    assert_eq!(run(&mut machine), (Vec::new(), 32_000, Woke::TimedOut));
}

/// RFC 3261 §17.1.1.2: a provisional response stops the repeats and the clock; a refusal gets an ACK each time it comes, for 32 s.
#[test]
fn a_refusal_is_acknowledged_each_time_for_32_s() {
    let mut out = Sends::new();
    let mut machine = InviteClient::start(Instant::ZERO, Bytes::new(), false, &mut out);
    assert_eq!(machine.on_response(Instant::from_millis(100), 180, ack, &mut out), Verdict::Deliver);
    assert_eq!(machine.timers().next(), None);
    out.clear();
    assert_eq!(machine.on_response(Instant::from_millis(200), 486, ack, &mut out), Verdict::Deliver);
    assert_eq!(machine.on_response(Instant::from_millis(700), 486, ack, &mut out), Verdict::Absorb);
    assert_eq!(out, [ack(), ack()]);
    assert_eq!(run(&mut machine), (Vec::new(), 32_200, Woke::Quiet));
}

/// RFC 6026 §7.2: every 200 goes up for 64 T1, and no ACK comes from the transaction.
#[test]
fn every_200_goes_up_while_the_transaction_is_accepted() {
    let mut out = Sends::new();
    let mut machine = InviteClient::start(Instant::ZERO, Bytes::new(), false, &mut out);
    out.clear();
    for at in [100, 600, 1_600] {
        assert_eq!(machine.on_response(Instant::from_millis(at), 200, ack, &mut out), Verdict::Deliver);
    }
    assert_eq!(machine.on_response(Instant::from_millis(1_700), 486, ack, &mut out), Verdict::Absorb);
    assert!(out.is_empty());
    assert_eq!(run(&mut machine), (Vec::new(), 32_100, Woke::Quiet));
}

/// RFC 3261 §17.1.2.2: another request doubles its pause up to 4 s, and is given up at 32 s.
#[test]
fn a_request_is_repeated_with_a_growing_pause() {
    let mut first = Sends::new();
    let mut machine = Client::start(Instant::ZERO, Bytes::new(), false, &mut first);
    let (sent, ended, how) = run(&mut machine);
    assert_eq!(sent, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!((ended, how), (32_000, Woke::TimedOut));
}

/// RFC 3261 §17.1.2.2: after a provisional response the pause is 4 s; after the final one the transaction stays 5 s for repeats.
#[test]
fn a_request_that_proceeds_is_repeated_every_4_s() {
    let mut out = Sends::new();
    let mut machine = Client::start(Instant::ZERO, Bytes::new(), false, &mut out);
    assert_eq!(machine.on_response(Instant::from_millis(100), 100), Verdict::Deliver);
    let (sent, ended, _) = run(&mut machine);
    assert_eq!((sent, ended), (vec![500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500], 32_000));
    let mut machine = Client::start(Instant::ZERO, Bytes::new(), false, &mut out);
    machine.on_response(Instant::from_millis(100), 200);
    assert_eq!(machine.on_response(Instant::from_millis(200), 200), Verdict::Absorb);
    assert_eq!(run(&mut machine), (Vec::new(), 5_100, Woke::Quiet));
}

/// RFC 3261 §17.2.1: a refusal at 0, .5, 1.5, 3.5, 7.5 s and every 4 s then, until the ACK or 32 s.
#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let mut machine = InviteServer::start(false);
    let mut out = Sends::new();
    machine.respond(Instant::ZERO, 486, Bytes::from_static(b"486"), &mut out);
    let mut twin = machine.clone();
    let (sent, ended, how) = run(&mut machine);
    assert_eq!(sent, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!((ended, how), (32_000, Woke::TimedOut));
    assert_eq!(twin.on_ack(Instant::from_millis(300)), Verdict::Absorb);
    assert_eq!(run(&mut twin), (Vec::new(), 5_300, Woke::Quiet));
}

/// RFC 6026 §7.1: after a 200 the transaction swallows the INVITE's repeats for 64 T1 and leaves the ACK to its user.
#[test]
fn an_accepted_invite_swallows_its_repeats() {
    let mut machine = InviteServer::start(false);
    let mut out = Sends::new();
    machine.respond(Instant::ZERO, 100, Bytes::from_static(b"100"), &mut out);
    machine.on_repeat(&mut out);
    assert_eq!(out.len(), 2, "a repeat gets the last provisional response again");
    machine.respond(Instant::ZERO, 200, Bytes::from_static(b"200"), &mut out);
    out.clear();
    machine.on_repeat(&mut out);
    assert!(out.is_empty());
    assert_eq!(machine.on_ack(Instant::ZERO), Verdict::Deliver);
    assert_eq!(run(&mut machine), (Vec::new(), 32_000, Woke::Quiet));
}

/// RFC 3261 §17.2.2: the final response is repeated on demand for 32 s.
#[test]
fn an_answered_request_is_answered_again_for_32_s() {
    let mut machine = Server::start(false);
    let mut out = Sends::new();
    machine.on_repeat(&mut out);
    assert!(out.is_empty(), "nothing was said yet");
    machine.respond(Instant::ZERO, 200, Bytes::from_static(b"200"), &mut out);
    machine.on_repeat(&mut out);
    machine.respond(Instant::ZERO, 500, Bytes::from_static(b"500"), &mut out);
    assert_eq!(out, [Bytes::from_static(b"200"), Bytes::from_static(b"200")]);
    assert_eq!(machine.timers().next(), Some(Instant::from_millis(32_000)));
}
