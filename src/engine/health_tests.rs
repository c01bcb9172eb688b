use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn drain(health: &mut Health) -> Vec<HealthOutput> {
    std::iter::from_fn(|| health.poll_output()).collect()
}

fn ready(now: Instant) -> Health {
    let mut health = Health::new();
    health.handle_start(now);
    health.handle_ready(now);
    assert_eq!(drain(&mut health), [HealthOutput::Spawn, HealthOutput::Up]);
    health
}

#[test]
fn a_worker_that_answers_its_pings_stays_up_for_a_day() {
    let mut health = ready(at(0));
    let mut pings = 0;
    while health.poll_deadline().is_some_and(|deadline| deadline < at(86_400_000)) {
        let now = health.poll_deadline().unwrap();
        health.handle_timeout(now);
        for output in drain(&mut health) {
            let HealthOutput::Ping(number) = output else { panic!("only pings are expected, not {output:?}") };
            health.handle_pong(now, number, Duration::ZERO);
            pings += 1;
        }
    }
    assert_eq!(health.state(), WorkerState::Ready);
    assert!(pings >= 172_000, "{pings} pings in a day");
    assert_eq!(health.restarts(), 0);
}

#[test]
fn a_worker_that_gives_no_sign_of_life_fails_its_requests_and_is_killed_and_started_again() {
    let mut health = ready(at(0));
    health.handle_timeout(at(500));
    assert_eq!(drain(&mut health), [HealthOutput::Ping(1)]);
    health.handle_timeout(at(2_500));
    let down = HealthOutput::Down { why: "no sign of life for 2000 ms".to_owned() };
    assert_eq!(drain(&mut health), [down, HealthOutput::Kill]);
    assert_eq!(health.state(), WorkerState::Stalled);
    health.handle_exit(at(2_510), "killed".to_owned());
    assert_eq!(drain(&mut health), [], "its end is no second loss");
    assert_eq!(health.poll_deadline(), Some(at(2_710)));
    health.handle_timeout(at(2_710));
    assert_eq!(drain(&mut health), [HealthOutput::Spawn]);
    assert_eq!(health.restarts(), 1);
}

#[test]
fn a_worker_that_keeps_dying_waits_longer_each_time_up_to_five_seconds_and_is_forgiven_when_steady() {
    let mut health = Health::new();
    let mut now = at(0);
    let mut waits = Vec::new();
    health.handle_start(now);
    for _ in 0..8 {
        health.handle_exit(now, "exit status 1".to_owned());
        let deadline = health.poll_deadline().unwrap();
        waits.push(deadline.since(now).as_millis());
        now = deadline;
        health.handle_timeout(now);
    }
    assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    health.handle_ready(now);
    drain(&mut health);
    health.handle_timeout(now + Duration::from_millis(WORKER_STEADY_MS));
    let pings = drain(&mut health).len();
    assert_eq!(pings, 1);
    health.handle_exit(now + Duration::from_secs(11), "signal 9".to_owned());
    assert_eq!(health.poll_deadline().unwrap().since(now + Duration::from_secs(11)).as_millis(), 200);
}

#[test]
fn one_step_that_never_ends_is_a_stall_even_when_pings_are_answered() {
    let mut health = ready(at(0));
    health.handle_timeout(at(500));
    drain(&mut health);
    health.handle_pong(at(501), 1, Duration::from_secs(61));
    assert!(matches!(drain(&mut health).as_slice(), [HealthOutput::Down { .. }, HealthOutput::Kill]));
}

#[test]
fn a_worker_that_breaks_the_protocol_is_killed_and_a_stopped_one_stays_stopped() {
    let mut health = ready(at(0));
    health.handle_violation(at(5), "a frame of 9999999 bytes".to_owned());
    assert!(matches!(drain(&mut health).as_slice(), [HealthOutput::Down { .. }, HealthOutput::Kill]));
    health.handle_stop(at(6));
    health.handle_exit(at(7), "killed".to_owned());
    assert_eq!(health.poll_deadline(), None);
    assert_eq!(drain(&mut health), []);
}

proptest! {
    #[test]
    fn whatever_happens_a_down_worker_comes_back_or_was_stopped(steps in proptest::collection::vec(0_u8..6, 0..200), seed: u64) {
        let mut seed = crate::base::Seed::new(seed);
        let mut health = Health::new();
        let mut now = at(0);
        health.handle_start(now);
        for step in steps {
            now += Duration::from_millis(seed.below(3_000));
            match step {
                0 => health.handle_ready(now),
                1 => health.handle_exit(now, "ended".to_owned()),
                2 => health.handle_violation(now, "nonsense".to_owned()),
                3 => health.handle_pong(now, seed.below(4), Duration::from_millis(seed.below(100_000))),
                _ => health.handle_timeout(now),
            }
            drain(&mut health);
            let waits_for_us = health.poll_deadline().is_some();
            prop_assert!(waits_for_us || health.state() == WorkerState::Stalled, "{:?} would sleep for ever", health.state());
        }
    }
}
