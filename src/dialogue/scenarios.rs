//! Whole dialogues as data: `tests/scenarios/*.toml`, each turn with what the agent must say and must not.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::*;
use crate::base::civil::DateTime;
use crate::base::{Pii, TurnId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    agent: String,
    #[serde(default)]
    number: Option<String>,
    #[serde(default = "sunday_noon")]
    now: String,
    /// What happens to a transfer: "answers", "declines", "silent".
    #[serde(default)]
    office: String,
    #[serde(default)]
    busy: Vec<String>,
    /// Commits that fail, in order: "taken", "unavailable", "ok".
    #[serde(default)]
    commits: Vec<String>,
    turn: Vec<Turn>,
    outcome: Outcome,
    #[serde(default)]
    receipts: Vec<String>,
    /// What the last record must hold, as JSON text.
    #[serde(default)]
    record_has: Vec<String>,
    #[serde(default)]
    hangs_up: Option<bool>,
}

fn sunday_noon() -> String {
    "2026-11-22T12:00".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    #[serde(default)]
    says: Option<String>,
    #[serde(default)]
    keys: Option<String>,
    #[serde(default)]
    silence: Option<u32>,
    #[serde(default)]
    hangs_up: bool,
    /// "deaf": the recogniser goes; "hears": it is back.
    #[serde(default)]
    engine: Option<String>,
    #[serde(default)]
    bulletin: Option<String>,
    /// A model's answer to these words.
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    confidence: Option<f32>,
    /// The words of the agent are interrupted by what the caller says next.
    #[serde(default)]
    interrupted: bool,
    #[serde(default)]
    must: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    expected: Option<String>,
}

/// A conductor, a store and an office in a few lines.
struct Line<'a> {
    kernel: Kernel,
    scenario: &'a Scenario,
    now: DateTime,
    failures: VecDeque<String>,
    records: Vec<Record>,
    receipts: Vec<String>,
    heard: String,
    transcript: String,
    hung_up: bool,
    next_id: u32,
}

impl<'a> Line<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let facts = CallFacts {
            caller_number: scenario.number.clone().map(Pii::new),
            dialled: scenario.agent.clone(),
            number_trusted: false,
            calling: None,
        };
        Self {
            kernel: Kernel::new(agent(&scenario.agent), facts),
            scenario,
            now: scenario.now.parse().unwrap(),
            failures: scenario.commits.iter().cloned().collect(),
            records: Vec::new(),
            receipts: Vec::new(),
            heard: String::new(),
            transcript: String::new(),
            hung_up: false,
            next_id: 0,
        }
    }

    fn feed(&mut self, event: Event, interrupted: bool) {
        let mut events = VecDeque::from([event]);
        let mut steps = 0;
        while let Some(event) = events.pop_front() {
            steps += 1;
            assert!(steps < 100, "{}: no end of events", self.scenario.name);
            // Everything can be journalled and read back.
            let json = serde_json::to_string(&event).unwrap();
            let event: Event = serde_json::from_str(&json).unwrap();
            let mut out = Vec::new();
            self.kernel.step(self.now, event, &mut out);
            for effect in out {
                let json = serde_json::to_string(&effect).unwrap();
                assert_eq!(serde_json::from_str::<Effect>(&json).unwrap(), effect);
                self.perform(effect, &mut events, interrupted);
            }
        }
    }

    fn perform(&mut self, effect: Effect, events: &mut VecDeque<Event>, interrupted: bool) {
        match effect {
            Effect::Say { turn, sentences, .. } => {
                for sentence in &sentences {
                    self.heard.push_str(sentence.text.expose());
                    self.heard.push(' ');
                    let _ = writeln!(self.transcript, "  agent: {}", sentence.text.expose());
                }
                events.push_back(if interrupted {
                    Event::Interrupted { turn, heard: Pii::new(String::new()) }
                } else {
                    Event::Spoke { turn }
                });
            }
            Effect::LookUp { id, .. } => {
                let busy = self.scenario.busy.iter().map(|at| Busy { start: at.parse().unwrap(), minutes: 30 }).collect();
                events.push_back(Event::LookedUp { effect: id, busy });
            }
            Effect::Commit { id, record } => {
                self.next_id += 1;
                match self.failures.pop_front().as_deref() {
                    Some("taken") => events.push_back(Event::CommitFailed { effect: id, why: CommitFailure::Taken }),
                    Some("unavailable") => events.push_back(Event::CommitFailed { effect: id, why: CommitFailure::Unavailable }),
                    _ => {
                        self.receipts.push(record.kind().to_owned());
                        events.push_back(Event::Committed {
                            effect: id,
                            receipt: Receipt { kind: record.kind().to_owned(), id: format!("r-{}", self.next_id) },
                        });
                        self.records.push(record);
                    }
                }
            }
            Effect::Transfer { id, .. } => {
                events.push_back(Event::Transfer { effect: id, progress: TransferProgress::Started });
                let progress = match self.scenario.office.as_str() {
                    "answers" => TransferProgress::Succeeded { evidence: "200".to_owned() },
                    "silent" => TransferProgress::TimedOut,
                    _ => TransferProgress::Declined { status: 486 },
                };
                events.push_back(Event::Transfer { effect: id, progress });
            }
            Effect::HangUp => self.hung_up = true,
            Effect::CancelTransfer { .. } => {}
            Effect::Journal(decision) => {
                let _ = writeln!(
                    self.transcript,
                    "      [{} {:?} {:?}: {}]",
                    decision.rule, decision.intent, decision.confidence, decision.why
                );
            }
        }
    }

    fn turn(&mut self, turn: &Turn) {
        self.heard.clear();
        if let Some(words) = &turn.says {
            let _ = writeln!(self.transcript, "caller: {words}");
            let confidence = turn.confidence.unwrap_or(0.9);
            let proposals = turn.model.iter().map(|json| self.kernel.parse_proposal(json, 0.9)).filter_map(Result::ok).collect();
            self.feed(Event::Said { text: Pii::new(words.clone()), confidence, proposals }, turn.interrupted);
        }
        for key in turn.keys.iter().flat_map(|keys| keys.chars()) {
            let _ = writeln!(self.transcript, "caller: key {key}");
            self.feed(Event::Digit(key), turn.interrupted);
        }
        if let Some(nth) = turn.silence {
            self.feed(Event::Silence { nth }, false);
        }
        match turn.engine.as_deref() {
            Some("deaf") => self.feed(Event::EngineGone(Organ::Ears), false),
            Some("hears") => self.feed(Event::EngineBack(Organ::Ears), false),
            _ => {}
        }
        if let Some(text) = &turn.bulletin {
            self.feed(Event::Bulletin { text: text.clone() }, false);
        }
        if turn.hangs_up {
            self.feed(Event::HungUp, false);
        }
    }
}

pub(super) fn agent(name: &str) -> Arc<Agent> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents").join(format!("{name}.toml"));
    Arc::new(crate::config::agent::load(&path).unwrap())
}

fn run(scenario: &Scenario) -> Result<(), String> {
    let mut line = Line::new(scenario);
    line.feed(Event::Began, false);
    let mut wrong = Vec::new();
    if !line.heard.contains("AI assistant") {
        wrong.push("the greeting does not disclose".to_owned());
    }
    for (at, turn) in scenario.turn.iter().enumerate() {
        line.turn(turn);
        let heard = line.heard.to_lowercase();
        for words in &turn.must {
            if !heard.contains(&words.to_lowercase()) {
                wrong.push(format!("turn {}: must say {words:?}", at + 1));
            }
        }
        for words in &turn.never {
            if heard.contains(&words.to_lowercase()) {
                wrong.push(format!("turn {}: must not say {words:?}", at + 1));
            }
        }
        if let Some(expected) = &turn.expected
            && line.kernel.expected().as_str() != expected
        {
            wrong.push(format!("turn {}: expected {expected}, is {}", at + 1, line.kernel.expected().as_str()));
        }
    }
    if line.kernel.outcome() != scenario.outcome {
        wrong.push(format!("outcome {:?}", line.kernel.outcome()));
    }
    if line.receipts != scenario.receipts {
        wrong.push(format!("receipts {:?}", line.receipts));
    }
    let last = line.records.last().map(|record| serde_json::to_string(record).unwrap()).unwrap_or_default();
    for words in &scenario.record_has {
        if !last.contains(words) {
            wrong.push(format!("the record lacks {words:?}: {last}"));
        }
    }
    if scenario.hangs_up.is_some_and(|wanted| wanted != line.hung_up) {
        wrong.push(format!("hung up: {}", line.hung_up));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("== {}\n{}\n{}\n", scenario.name, wrong.join("\n"), line.transcript)) }
}

#[test]
fn every_written_dialogue_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    let mut wrong = String::new();
    let mut count = 0;
    for path in files {
        let file: File =
            toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for scenario in &file.scenario {
            count += 1;
            if let Err(report) = run(scenario) {
                wrong.push_str(&report);
            }
        }
    }
    assert!(count >= 20, "scenarios were found");
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_same_events_give_the_same_effects() {
    let play = || {
        let mut kernel = Kernel::new(agent("leasing"), CallFacts::default());
        let mut out = Vec::new();
        let now: DateTime = "2026-11-22T12:00".parse().unwrap();
        kernel.step(now, Event::Began, &mut out);
        for words in ["book a tour on tuesday at three thirty", "two", "anna smith", "five five five one two three four"] {
            kernel.step(now, Event::Said { text: Pii::new(words.to_owned()), confidence: 0.8, proposals: Vec::new() }, &mut out);
        }
        kernel.step(now, Event::Spoke { turn: TurnId(1) }, &mut out);
        serde_json::to_string(&out).unwrap()
    };
    assert_eq!(play(), play());
}

#[test]
fn the_model_is_asked_in_the_words_it_was_trained_on_and_held_to_the_legal_moves() {
    let mut kernel = Kernel::new(agent("leasing"), CallFacts::default());
    let request = kernel.understanding(PromptStyle::Compact, "do you allow dogs");
    assert_eq!(&*request.prefix, "<|im_start|>system\nLakeside Apartments<|im_end|>\n");
    assert_eq!(request.prompt, "<|im_start|>user\nasked: open\ndo you allow dogs<|im_end|>\n<|im_start|>assistant\n");
    assert!(request.grammar.contains("\"book\"") && !request.grammar.contains("\"yes\""), "{}", request.grammar);
    assert!(kernel.understanding(PromptStyle::Full, "x").prefix.contains("- book: wants an appointment"));
    // Yes is legal only where there is something to agree to.
    assert!(matches!(kernel.parse_proposal(r#"{"intent":"yes","slots":{}}"#, 0.9), Err(ProposalError::IllegalIntent { .. })));
    let mut out = Vec::new();
    let now: DateTime = "2026-11-22T12:00".parse().unwrap();
    kernel.step(now, Event::Began, &mut out);
    kernel.step(now, Event::Said { text: Pii::new("is there a gym".to_owned()), confidence: 0.9, proposals: Vec::new() }, &mut out);
    assert_eq!(kernel.expected(), Expected::YesNo);
    assert!(kernel.parse_proposal(r#"{"intent":"yes","slots":{}}"#, 0.9).is_ok());
    for hostile in [
        "",
        "{}",
        "[]",
        r#"{"intent":"yes"}x"#,
        r#"{"intent":"yes","slots":{"evil":"1"}}"#,
        r#"{"intent":"yes","slots":{"name":7}}"#,
        r#"{"intent":"yes","say":"hi","slots":{}}"#,
    ] {
        assert!(kernel.parse_proposal(hostile, 0.9).is_err(), "{hostile}");
    }
    let long = format!(r#"{{"intent":"yes","slots":{{"name":"{}"}}}}"#, "a".repeat(41));
    assert!(matches!(kernel.parse_proposal(&long, 0.9), Err(ProposalError::TooLong { .. })));
}

#[test]
fn nothing_personal_prints() {
    let event = Event::Said { text: Pii::new("my name is Anna".to_owned()), confidence: 0.5, proposals: Vec::new() };
    let mut kernel = Kernel::new(agent("leasing"), CallFacts::default());
    let mut out = Vec::new();
    let shown = format!("{event:?}");
    kernel.step("2026-11-22T12:00".parse().unwrap(), event, &mut out);
    assert!(!shown.contains("Anna") && !format!("{out:?} {:?}", kernel.slots()).contains("Anna"));
}
