//! Many calls over a bad network, from seeds: every call ends, told once, and nothing stays in the tables.

use bytes::Bytes;

use super::rig::{Rig, Weather};
use crate::base::Seed;
use crate::sip::{Command, EndCause, Event, Invite, Reason, Replaces, SipCall};

const OFFER: &str = "v=0\r\n";

/// How many seeds a plain test run tries; `SEEDS=100000` tries so many.
const SEEDS: u64 = 300;

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
fn order(seed: &mut Seed, call: SipCall, other: SipCall) -> Command {
    let sdp = || Bytes::from_static(b"v=0\r\n");
    match seed.below(20) {
        1..=4 => Command::Accept { call, answer: sdp() },
        5 => Command::Reject { call, status: 480, reason: None },
        6 => Command::Hangup { call, reason: Some(Reason::q850(16, "")) },
        7 => Command::Cancel { call },
        8 => Command::Refer { call, target: "sip:30@192.0.2.9".to_owned() },
        9 => Command::Answer { call, sdp: None },
        10 => Command::Answer { call, sdp: Some(sdp()) },
        11 | 12 => Command::Offer { call, sdp: sdp() },
        13 => Command::RejectOffer { call, status: 488 },
        14 | 15 => Command::Progress { call, status: 183, answer: Some(sdp()) },
        16 => Command::ReferReplacing { call, other },
        17 => Command::AcceptRefer { call },
        18 => Command::NotifyRefer { call, status: if seed.one_in(2) { 180 } else { 200 } },
        19 => Command::RejectRefer { call, status: 486 },
        _ => Command::Ring { call },
    }
}

/// A call of the caller's, plain or not.
fn invite(seed: &mut Seed, rig: &Rig, calls: &[SipCall]) -> Invite {
    let replaced = calls.last().filter(|_| seed.one_in(4)).and_then(|call| rig.ends[0].calls.get(call));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let replaces = replaced.and_then(|known| {
        let (call_id, from_tag) = (text(&known.dialog.call_id), text(&known.dialog.local_tag));
        Some(Replaces { call_id, to_tag: text(known.dialog.remote_tag.as_ref()?), from_tag, is_early_only: false })
    });
    let session_expires = [None, Some(90), Some(1_800)].into_iter().nth(usize::try_from(seed.below(3)).unwrap()).flatten();
    Invite { replaces, session_expires, ..Invite::new(Rig::flow(0), "sip:20@192.0.2.2", Bytes::from_static(OFFER.as_bytes())) }
}

fn storm(number: u64) -> Rig {
    let mut seed = Seed::new(number ^ 0x51b);
    let mut rig = Rig::new(number);
    let fork = if seed.one_in(3) { 1 + seed.below(6) } else { 0 };
    rig.weather = Weather { loss: 2 + seed.below(8), twice: 2 + seed.below(8), delay_ms_max: 1 + seed.below(1_500), fork };
    for end in &mut rig.ends {
        end.settings.hears_refer = true;
        end.settings.session_min_s = if seed.one_in(3) { 120 } else { 90 };
        end.settings.no_session_timers = if seed.one_in(8) { vec!["192.0.2.0/24".parse().unwrap()] } else { Vec::new() };
    }
    // Some lives are long, so that sessions are refreshed, and some short, so that everything crosses.
    let pause = if seed.one_in(2) { 3_000 } else { 40_000 };
    let mut calls: [Vec<SipCall>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..40 {
        if seed.one_in(4) {
            let invite = invite(&mut seed, &rig, &calls[0]);
            calls[0].push(rig.place(invite));
        }
        // Now and then nothing comes through for longer than anybody waits.
        let weather = rig.weather;
        if seed.one_in(12) {
            rig.weather.loss = 1;
            rig.pass(36_000);
            rig.weather = weather;
        }
        rig.pass(seed.below(pause));
        calls[1] = rig.events[1].iter().filter_map(|event| call_of(event).map(|(call, _)| call)).collect();
        let side = usize::from(seed.one_in(2));
        let mut pick = || usize::try_from(seed.next_u32()).ok().and_then(|at| calls[side].get(at % calls[side].len().max(1))).copied();
        let (Some(call), Some(other)) = (pick(), pick()) else { continue };
        // The latest call is where things still happen.
        let call = if seed.one_in(2) { calls[side].last().copied().unwrap_or(call) } else { call };
        let command = order(&mut seed, call, other);
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
    rig
}

/// What the storms must have met, or else they prove nothing about it.
const MET: [&str; 14] = [
    "PRACK ",
    "UPDATE ",
    "CANCEL ",
    "REFER ",
    "NOTIFY ",
    "BYE ",
    "SIP/2.0 183 ",
    "SIP/2.0 202 ",
    "SIP/2.0 422 ",
    "SIP/2.0 481 ",
    "SIP/2.0 487 ",
    "SIP/2.0 491 ",
    "SIP/2.0 500 ",
    "SIP/2.0 504 ",
];

#[test]
fn every_call_ends_and_nothing_leaks_over_a_bad_network() {
    let mut met = std::collections::BTreeSet::new();
    let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for number in 0..seeds {
        let rig = storm(number);
        met.extend(MET.iter().filter(|start| rig.wire.iter().any(|(_, _, text)| text.starts_with(**start))));
        let has = |wanted: fn(&Event) -> bool| rig.events.iter().flatten().any(wanted);
        met.extend(has(|event| matches!(event, Event::Ended { cause: EndCause::Replaced { .. }, .. })).then_some("replaced"));
        met.extend(has(|event| matches!(event, Event::Ended { cause: EndCause::NoAck, .. })).then_some("no ack"));
        met.extend(has(|event| matches!(event, Event::Ended { cause: EndCause::Timeout, .. })).then_some("timeout"));
        met.extend(rig.wire.iter().any(|(_, _, text)| text.contains("answered elsewhere")).then_some("turned away"));
        met.extend(has(|event| matches!(event, Event::Referred { own: Some(_), .. })).then_some("own"));
    }
    assert_eq!(met.len(), MET.len() + 5, "{met:?}");
}

#[test]
fn the_same_seed_makes_the_same_messages() {
    let run = || {
        let mut rig = Rig::new(99);
        rig.weather = Weather { loss: 3, twice: 3, delay_ms_max: 700, fork: 0 };
        rig.invite(OFFER);
        rig.pass(60_000);
        rig.wire
    };
    assert_eq!(run(), run());
}
