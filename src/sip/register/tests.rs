//! One registration in virtual time.

use std::time::Duration;

use super::{Learns, Outbound, Outcome, Register, RegisterAnswer, Registration, RegistrationId, RegistrationOutput, RegistrationSettings};
use super::{RegistrationState, RegistrationTrouble};
use crate::base::{Instant, Seed};
use crate::sip::digest::AuthTrouble;
use crate::sip::{AccountId, Flow, HostPort, Transport};

struct Bench {
    machine: Registration,
    now: Instant,
    sent: Vec<Register>,
    advertised: Vec<HostPort>,
}

fn way(last: u8) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), format!("192.0.2.{last}:5060").parse().unwrap())
}

fn told() -> HostPort {
    HostPort { host: "192.0.2.1".to_owned(), port: 5060 }
}

impl Bench {
    fn new(ways: &[Flow]) -> Self {
        let settings = RegistrationSettings {
            id: RegistrationId(3),
            account: AccountId(4),
            domain: "pbx.example".to_owned(),
            user: "200".to_owned(),
            contact_user: "200".to_owned(),
            expires_s: 300,
            learns: Learns::Address,
            outbound: Outbound::Stated,
            instance: "00000000-0000-4000-8000-000000000001".to_owned(),
        };
        let machine = Registration::new(settings, Seed::new(11));
        let mut bench = Self { machine, now: Instant::from_millis(1_000), sent: Vec::new(), advertised: Vec::new() };
        bench.machine.handle_ways(bench.now, ways.to_vec());
        bench.drain();
        bench
    }

    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                RegistrationOutput::Register(register) => self.sent.push(*register),
                RegistrationOutput::Advertise(_, host) => self.advertised.push(host),
                RegistrationOutput::Changed => {}
            }
        }
    }

    fn answer_to(&self, outcome: Outcome) -> RegisterAnswer {
        let register = self.sent.last().unwrap();
        RegisterAnswer {
            id: register.id,
            flow: register.flow,
            outcome,
            reason: "Words".to_owned(),
            seq: register.seq + 1,
            contact: "sip:200@192.0.2.1:5060".to_owned(),
            told: told(),
            seen: Some(told()),
            granted_s: None,
            min_expires_s: None,
            retry_after_s: None,
            service_routes: Vec::new(),
            trouble: None,
        }
    }

    fn answer(&mut self, outcome: Outcome, change: impl FnOnce(&mut RegisterAnswer)) {
        let mut answer = self.answer_to(outcome);
        change(&mut answer);
        self.machine.handle_answer(self.now, &answer);
        self.drain();
    }

    /// Waits for the next REGISTER; the seconds it took.
    fn wait(&mut self) -> f64 {
        let (began, before) = (self.now, self.sent.len());
        while self.sent.len() == before {
            self.now = self.machine.poll_deadline().unwrap();
            self.machine.handle_timeout(self.now);
            self.drain();
        }
        (self.now - began).as_secs_f64()
    }

    fn trouble(&self) -> RegistrationTrouble {
        match self.machine.state() {
            RegistrationState::Failed { trouble, .. } => trouble.clone(),
            other => panic!("{other:?}"),
        }
    }
}

/// RFC 3261 §10.2.4: refreshed before it ends, with the same Call-ID and a number that grows.
#[test]
fn a_registration_is_refreshed_before_it_ends() {
    let mut bench = Bench::new(&[way(10)]);
    bench.answer(Outcome::Answered(200), |answer| answer.granted_s = Some(100));
    assert!(matches!(bench.machine.state(), RegistrationState::Registered { .. }));
    let waits: Vec<f64> = (0..20)
        .map(|_| {
            let wait = bench.wait();
            bench.answer(Outcome::Answered(200), |answer| answer.granted_s = Some(100));
            wait
        })
        .collect();
    assert!(waits.iter().all(|wait| (80.0..=90.0).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| (wait - waits[0]).abs() > 0.5), "refreshes do not march in step: {waits:?}");
    let (first, last) = (&bench.sent[0], bench.sent.last().unwrap());
    assert!(first.call_id == last.call_id && bench.sent.windows(2).all(|pair| pair[0].seq + 2 == pair[1].seq));
}

/// RFC 3261 §10.2.8.
#[test]
fn a_registration_that_is_too_brief_is_made_longer() {
    let mut bench = Bench::new(&[way(10)]);
    bench.answer(Outcome::Answered(423), |answer| answer.min_expires_s = Some(1_800));
    assert_eq!(bench.sent.last().unwrap().expires_s, 1_800);
    bench.answer(Outcome::Answered(423), |answer| answer.min_expires_s = Some(1_800));
    assert!(matches!(bench.trouble(), RegistrationTrouble::Refused { status: 423, .. }), "a registrar that is never content is left alone");
    assert!(bench.wait() >= 150.0);
}

/// An account is not locked by trying a wrong password again and again, and the owner reads what to change.
#[test]
fn a_refusal_is_slow_and_says_what_to_change() {
    let mut bench = Bench::new(&[way(10), way(11)]);
    bench.answer(Outcome::Answered(403), |answer| answer.reason = "Forbidden".to_owned());
    let words = bench.trouble().to_string();
    assert!(words.starts_with("the registrar answered 403 Forbidden: user or secret is wrong"), "{words}");
    let waits: Vec<f64> = (0..12)
        .map(|_| {
            let wait = bench.wait();
            bench.answer(Outcome::Answered(403), |_| {});
            wait
        })
        .collect();
    assert!(waits.iter().all(|wait| (150.0..=3_600.0).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > 600.0), "{waits:?}");
    assert!(bench.sent.iter().all(|register| register.flow == way(10)), "another server has the same accounts");
    bench.answer_trouble();
    assert!(bench.trouble().to_string().contains("write realms = [\"asterisk\"]"));
}

impl Bench {
    fn answer_trouble(&mut self) {
        self.wait();
        let trouble = AuthTrouble::WrongRealm { asked: "asterisk".to_owned(), allowed: "\"pbx\"".to_owned() };
        self.answer(Outcome::Answered(401), |answer| answer.trouble = Some(trouble));
    }
}

/// RFC 3263 §4.3 and RFC 5626 §4.5: the next server at once; when all have failed, later and later, and never all boxes together.
#[test]
fn servers_that_fail_are_left_for_the_next_and_then_for_later() {
    let mut bench = Bench::new(&[way(10), way(11), way(12)]);
    bench.answer(Outcome::Silent, |_| {});
    bench.answer(Outcome::Answered(503), |_| {});
    assert_eq!(bench.sent.iter().map(|register| register.flow).collect::<Vec<_>>(), [way(10), way(11), way(12)], "no wait between servers");
    bench.answer(Outcome::Unreachable, |_| {});
    assert_eq!(
        bench.trouble().to_string(),
        "udp 192.0.2.12:5060 cannot be reached: check server, its port and its transport, and whether it is up"
    );
    let mut waits = Vec::new();
    for _ in 0..30 {
        waits.push(bench.wait());
        for _ in 0..3 {
            bench.answer(Outcome::Silent, |_| {});
        }
    }
    assert!(waits[0] <= 5.0 && waits.iter().all(|wait| (1.0..=600.0).contains(wait)), "{waits:?}");
    assert!(waits[10..].iter().any(|wait| *wait > 200.0) && waits[10..].iter().any(|wait| *wait < 200.0), "full jitter: {waits:?}");
    bench.wait();
    bench.answer(Outcome::Answered(200), |_| {});
    bench.wait();
    bench.answer(Outcome::Silent, |_| {});
    assert_eq!(bench.sent.last().unwrap().flow, way(11), "after a success the count begins anew");
}

#[test]
fn retry_after_is_respected_within_an_hour() {
    let mut bench = Bench::new(&[way(10)]);
    bench.answer(Outcome::Answered(503), |answer| answer.retry_after_s = Some(120));
    assert!((120.0..121.0).contains(&bench.wait()));
    bench.answer(Outcome::Answered(503), |answer| answer.retry_after_s = Some(1_000_000));
    assert!((3_600.0..3_601.0).contains(&bench.wait()));
}

/// RFC 3581 §4: the address that the registrar sees is told, and the Contact from before is taken back in the same request.
#[test]
fn the_address_that_the_registrar_sees_is_told() {
    let mut bench = Bench::new(&[way(10)]);
    let outside = HostPort { host: "203.0.113.7".to_owned(), port: 31_000 };
    bench.answer(Outcome::Answered(200), |answer| answer.seen = Some(outside.clone()));
    assert_eq!(bench.advertised, std::slice::from_ref(&outside));
    assert_eq!((bench.sent.len(), bench.sent[1].replaces.as_deref()), (2, Some("sip:200@192.0.2.1:5060")));
    let moved = |answer: &mut RegisterAnswer| {
        answer.told = outside.clone();
        answer.seen = Some(outside.clone());
    };
    bench.answer(Outcome::Answered(200), moved);
    assert_eq!(bench.sent.len(), 2, "seen where it said: content");
    bench.wait();
    let another = HostPort { port: 31_001, ..outside.clone() };
    bench.answer(Outcome::Answered(200), |answer| (answer.told, answer.seen) = (outside.clone(), Some(another.clone())));
    assert_eq!(bench.sent.len(), 4, "the NAT has a new port");
    let third = HostPort { port: 31_002, ..outside.clone() };
    bench.answer(Outcome::Answered(200), |answer| (answer.told, answer.seen) = (another.clone(), Some(third.clone())));
    assert_eq!(bench.sent.len(), 4, "a NAT that changes it each time does not make us flood");
    assert!(bench.wait() >= 10.0);
}

/// Over a stream the port that the registrar sees is the connection's.
#[test]
fn the_port_of_a_connection_is_not_told() {
    let stream = Flow { transport: Transport::Tcp, ..way(10) };
    let mut bench = Bench::new(&[stream]);
    bench.answer(Outcome::Answered(200), |answer| answer.seen = Some(HostPort { host: "192.0.2.1".to_owned(), port: 40_000 }));
    assert!(bench.advertised.is_empty() && bench.sent.len() == 1);
}

/// RFC 5626 §4.2.1: when the flow dies, the registration is made anew at once.
#[test]
fn a_flow_that_dies_is_made_anew() {
    let stream = Flow { transport: Transport::Tls, ..way(10) };
    let mut bench = Bench::new(&[stream]);
    bench.answer(Outcome::Answered(200), |_| {});
    bench.machine.handle_lost(bench.now, way(10));
    assert!(matches!(bench.machine.state(), RegistrationState::Registered { .. }), "another flow's end is no news");
    bench.machine.handle_lost(bench.now, stream);
    assert_eq!(*bench.machine.state(), RegistrationState::Trying);
    assert!(bench.wait() < 1.0);
}

#[test]
fn a_new_address_of_ours_is_registered_at_once() {
    let mut bench = Bench::new(&[way(10)]);
    bench.answer(Outcome::Answered(200), |_| {});
    bench.machine.handle_ways(bench.now, vec![way(10)]);
    bench.drain();
    assert_eq!(bench.sent.len(), 1, "nothing has changed");
    let moved = Flow { local: "198.51.100.9:5060".parse().unwrap(), ..way(10) };
    bench.machine.handle_ways(bench.now, vec![moved]);
    bench.drain();
    assert_eq!((bench.sent.len(), bench.sent[1].flow), (2, moved));
    bench.machine.handle_ways(bench.now, vec![way(11)]);
    bench.drain();
    assert_eq!(bench.sent.len(), 2, "one at a time");
    bench.answer(Outcome::Answered(200), |_| {});
    assert_eq!(bench.sent[2].flow, way(11), "what changed meanwhile follows");
}

#[test]
fn a_stop_takes_the_registration_back_and_waits_a_little() {
    let mut bench = Bench::new(&[way(10)]);
    bench.answer(Outcome::Answered(200), |_| {});
    bench.machine.stop(bench.now);
    bench.drain();
    assert_eq!(bench.sent.last().unwrap().expires_s, 0);
    assert!(!bench.machine.is_over());
    bench.answer(Outcome::Answered(200), |_| {});
    assert!(bench.machine.is_over() && bench.machine.poll_deadline().is_none());

    let mut silent = Bench::new(&[way(10)]);
    silent.answer(Outcome::Answered(200), |_| {});
    silent.machine.stop(silent.now);
    silent.machine.handle_timeout(silent.now + Duration::from_secs(5));
    assert!(silent.machine.is_over(), "nobody waits for a dead registrar");
}

#[test]
fn without_an_address_there_is_a_sentence() {
    let mut bench = Bench::new(&[]);
    assert_eq!(bench.trouble(), RegistrationTrouble::NoAddress);
    bench.machine.handle_ways(bench.now, vec![way(10)]);
    bench.drain();
    assert_eq!(bench.sent.len(), 1);
}
