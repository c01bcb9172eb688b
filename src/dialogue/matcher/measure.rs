//! The matcher against what real people typed (Schema-Guided Dialogue), where that corpus is at hand. Nothing was fitted to its labels' values.

use std::path::PathBuf;

use serde::Deserialize;

use super::super::scenarios::agent;
use super::*;
use crate::dialogue::when;

#[derive(Deserialize)]
struct Dialogue {
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    agent: String,
    caller: String,
    acts: Vec<String>,
    intent: String,
    said: std::collections::BTreeMap<String, Vec<String>>,
}

fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("NIGHTBELL_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let path = shared.join("corpora/sgd/train.jsonl");
    path.is_file().then_some(path)
}

/// What the agent's last sentence asks for, as the kernel would know it.
fn asked(agent: &str) -> Expected {
    let last = agent.trim().to_lowercase();
    if agent.is_empty() {
        Expected::Open
    } else if last.contains("anything else")
        || last.contains("any other")
        || last.contains("assist you further")
        || last.contains("something else")
        || last.contains("more i can")
    {
        Expected::Anything
    } else if last.contains("confirm")
        || last.contains("verify")
        || last.contains("review")
        || last.contains("make sure")
        || last.contains("ensure")
        || last.contains("to be clear")
        || last.contains("correct")
        || last.contains("is that right")
    {
        Expected::Confirm
    } else if last.contains("what time")
        || last.contains("what date")
        || last.contains("when ")
        || last.contains("which day")
        || last.contains("what day")
    {
        Expected::Time
    } else if last.ends_with('?') {
        Expected::YesNo
    } else {
        Expected::Open
    }
}

#[derive(Default)]
struct Score {
    right: usize,
    all: usize,
    missed: Vec<String>,
}

impl Score {
    fn count(&mut self, right: bool, turn: &Turn, found: &Proposal) {
        self.all += 1;
        self.right += usize::from(right);
        if !right && self.missed.len() < 400 {
            self.missed.push(format!("[{}] {} => {} {}", turn.agent, turn.caller, found.intent.as_str(), found.confidence));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
    fn share(&self) -> f64 {
        self.right as f64 / self.all.max(1) as f64
    }
}

#[test]
fn real_peoples_words_are_understood_as_often_as_before() {
    let Some(path) = corpus() else {
        println!("skipped: no corpora/sgd under NIGHTBELL_SHARED or ../shared");
        return;
    };
    let leasing = agent("leasing");
    let text = std::fs::read_to_string(path).unwrap();
    let [mut yes, mut no, mut bye, mut book, mut find, mut day, mut no_day, mut time, mut no_time]: [Score; 9] = Default::default();
    for line in text.lines() {
        let dialogue: Dialogue = serde_json::from_str(line).unwrap();
        for turn in &dialogue.turns {
            let acts: Vec<&str> = turn.acts.iter().map(String::as_str).collect();
            let found = propose(&leasing, asked(&turn.agent), "2026-11-22T12:00".parse().unwrap(), &turn.caller);
            if acts == ["AFFIRM"] {
                yes.count(found.intent == Intent::Yes, turn, &found);
            }
            if acts == ["NEGATE"] {
                no.count(matches!(found.intent, Intent::No | Intent::Goodbye), turn, &found);
            }
            if acts.iter().all(|act| matches!(*act, "THANK_YOU" | "GOODBYE" | "NEGATE")) && acts.contains(&"GOODBYE") {
                bye.count(found.intent == Intent::Goodbye, turn, &found);
            }
            if acts.iter().any(|act| act.starts_with("INFORM_INTENT")) {
                match turn.intent.as_str() {
                    "BookAppointment" | "ScheduleVisit" => book.count(found.intent == Intent::Book, turn, &found),
                    "FindApartment" | "FindHomeByArea" => find.count(found.intent == Intent::Availability, turn, &found),
                    _ => {}
                }
            }
            let dates = turn.said.iter().find(|(key, _)| key.contains("date")).is_some();
            let times = turn.said.iter().any(|(key, _)| key.contains("time"));
            let (has_day, has_time) = (found.slots.contains_key(&SlotKey::Day), found.slots.contains_key(&SlotKey::Time));
            if dates {
                day.count(has_day, turn, &found);
            } else {
                no_day.count(!has_day, turn, &found);
            }
            if times {
                time.count(has_time, turn, &found);
            } else {
                no_time.count(!has_time, turn, &found);
            }
            if let Some(said) = turn.said.get("time").or_else(|| turn.said.get("appointment_time")).and_then(|said| said.first()) {
                let alone = when::parse_time(said).map(when::TimeSaid::canonical);
                debug_assert!(alone.is_none_or(|alone| alone.len() < 30));
            }
        }
    }
    let all = [
        ("yes", yes, 0.94),
        ("no", no, 0.85),
        ("goodbye", bye, 0.85),
        ("book", book, 0.78),
        ("find", find, 0.85),
        ("day", day, 0.97),
        ("no day", no_day, 0.95),
        ("time", time, 0.97),
        ("no time", no_time, 0.95),
    ];
    for (name, score, _) in &all {
        println!("{name}: {} of {} ({:.3})", score.right, score.all, score.share());
        if std::env::var_os("MISSED").is_some_and(|wanted| wanted == **name) {
            println!("{}", score.missed.join("\n"));
        }
    }
    for (name, score, least) in &all {
        assert!(score.share() >= *least, "{name}: {:.3}", score.share());
    }
}
