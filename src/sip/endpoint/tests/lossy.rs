//! Many calls over a bad network, from seeds: every call ends, told once, and nothing stays in the tables.

use bytes::Bytes;

use super::rig::{Rig, Weather};
use crate::base::Seed;
use crate::sip::{Command, Event, SipCall};

const OFFER: &str = "v=0\r\n";

/// How many seeds a plain test run tries.
const SEEDS: u64 = 200;

fn call_of(event: &Event) -> Option<(SipCall, bool)> {
    match event {
        Event::Ended { call, .. } | Event::Cancelled { call, .. } | Event::Failed { call, .. } | Event::Redirected { call, .. } => {
            Some((*call, true))
        }
        Event::Incoming(arrival) => Some((arrival.call, false)),
        Event::Acked { call, .. }
        | Event::Reoffer { call, .. }
        | Event::Progress { call, .. }
        | Event::Answered { call, .. }
        | Event::OfferAnswered { call, .. }
        | Event::OfferRefused { call, .. }
        | Event::Referred { call, .. }
        | Event::Refreshed { call, .. }
        | Event::ReferAccepted { call }
        | Event::ReferProgress { call, .. }
        | Event::ReferFailed { call, .. }
        | Event::Digit { call, .. } => Some((*call, false)),
        Event::Moved { .. }
        | Event::Probed { .. }
        | Event::Noticed(_)
        | Event::Registered(_)
        | Event::Unauthorised { .. }
        | Event::PhoneRegistered { .. }
        | Event::PhoneGone { .. } => None,
    }
}

/// What a shell might order at any moment, sensible or not.
fn order(seed: &mut Seed, call: SipCall) -> Command {
    match seed.below(11) {
        1 | 2 => Command::Accept { call, answer: Bytes::from_static(b"v=0\r\n") },
        3 => Command::Reject { call, status: 480, reason: None },
        4 => Command::Hangup { call, reason: None },
        5 => Command::Cancel { call },
        6 => Command::Refer { call, target: "sip:30@192.0.2.9".to_owned() },
        7 => Command::Answer { call, sdp: None },
        9 => Command::Offer { call, sdp: Bytes::from_static(b"v=0\r\n") },
        8 => Command::RejectOffer { call, status: 488 },
        _ => Command::Ring { call },
    }
}

fn storm(number: u64) {
    let mut seed = Seed::new(number ^ 0x51b);
    let mut rig = Rig::new(number);
    rig.weather = Weather { loss: 2 + seed.below(8), twice: 2 + seed.below(8), delay_ms_max: 1 + seed.below(1_500) };
    let mut calls: [Vec<SipCall>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..40 {
        if seed.one_in(4) {
            calls[0].push(rig.invite(OFFER));
        }
        rig.pass(seed.below(3_000));
        calls[1] = rig.events[1].iter().filter_map(|event| call_of(event).map(|(call, _)| call)).collect();
        let side = usize::from(seed.one_in(2));
        let Some(&call) = usize::try_from(seed.next_u32()).ok().and_then(|at| calls[side].get(at % calls[side].len().max(1))) else {
            continue;
        };
        let command = order(&mut seed, call);
        rig.command(side, command);
    }
    for (side, calls) in calls.iter().enumerate() {
        for &call in calls {
            rig.command(side, Command::Hangup { call, reason: None });
        }
    }
    rig.pass(300_000);
    // Calls that came in late, by a repeat from before, are refused.
    let late: Vec<SipCall> = rig.events[1].iter().filter_map(|event| call_of(event).map(|(call, _)| call)).collect();
    for call in late {
        rig.command(1, Command::Hangup { call, reason: None });
    }
    rig.pass(300_000);
    rig.assert_empty();
    for events in &rig.events {
        let named: std::collections::BTreeSet<SipCall> = events.iter().filter_map(call_of).map(|(call, _)| call).collect();
        for call in named {
            let story: Vec<bool> = events.iter().filter_map(call_of).filter(|(named, _)| *named == call).map(|(_, last)| last).collect();
            let lasts = story.iter().filter(|last| **last).count();
            assert_eq!((lasts, story.last()), (1, Some(&true)), "seed {number}: the end of {call:?} is told once, and last");
        }
    }
}

#[test]
fn every_call_ends_and_nothing_leaks_over_a_bad_network() {
    (0..SEEDS).for_each(storm);
}

#[test]
fn the_same_seed_makes_the_same_messages() {
    let run = || {
        let mut rig = Rig::new(99);
        rig.weather = Weather { loss: 3, twice: 3, delay_ms_max: 700 };
        rig.invite(OFFER);
        rig.pass(60_000);
        rig.wire
    };
    assert_eq!(run(), run());
}
