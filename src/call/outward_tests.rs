//! Calls of ours in virtual time: nothing is said before it is known who answered, and what is said then is right for whoever did.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::event::{Answer, Hearing, Input, Line, Output};
use super::machine::{Call, Settings};
use crate::base::civil::DateTime;
use crate::base::{Instant, Pii};
use crate::dialogue::{CallFacts, Calling, Kernel, Outcome};
use crate::hear::{Answerer, EndReason};

struct Rig {
    call: Call,
    now: Instant,
    spoken: Vec<String>,
    hung_up: bool,
    asked: usize,
    outcome: Option<Outcome>,
}

impl Rig {
    fn new(calling: Calling) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents/leasing.toml");
        let agent = Arc::new(crate::config::agent::load(&path).unwrap());
        let facts = CallFacts { caller_number: Some(Pii::new("+13125550142".to_owned())), calling: Some(calling), ..CallFacts::default() };
        let call = Call::new(Settings::default(), Kernel::new(agent, facts), Instant::ZERO);
        let mut rig = Self { call, now: Instant::ZERO, spoken: Vec::new(), hung_up: false, asked: 0, outcome: None };
        rig.tell(Input::Line(Line::Answered));
        rig.tell(Input::Line(Line::Connected));
        rig
    }

    fn local() -> DateTime {
        "2026-11-23T12:00".parse().unwrap()
    }

    fn tell(&mut self, input: Input) {
        self.call.handle(self.now, Self::local(), input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Speak { turn, text } => {
                    let end = text.expose().len();
                    self.spoken.push(text.into_inner());
                    self.tell(Input::Engine(Answer::Clip { turn, clip: 0, start: 0, end, samples: 8_000 }));
                    self.tell(Input::Engine(Answer::Spoken { turn }));
                    self.tell(Input::Sound(super::event::Sound::Played { turn, clip: 0, samples: 8_000, finished: true }));
                }
                Output::Transcribe { .. } => self.asked += 1,
                Output::Hangup if !self.hung_up => {
                    self.hung_up = true;
                    self.tell(Input::Line(Line::Gone { failed: false }));
                }
                Output::Over { outcome } => self.outcome = Some(outcome),
                _ => {}
            }
        }
    }

    /// Lets time pass, with every wake-up in it.
    fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some(due) = self.call.poll_deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.call.handle_timeout(self.now, Self::local());
            self.drain();
        }
        self.now = until;
    }

    fn hears(&mut self, utterance: u32) {
        self.tell(Input::Hearing(Hearing::Began(utterance)));
        self.wait(900);
        self.tell(Input::Hearing(Hearing::Settling(utterance)));
        self.tell(Input::Hearing(Hearing::Ended { utterance, voiced_ms: 800, silent_ms: 600, why: EndReason::Silence }));
    }
}

#[test]
fn nothing_is_said_or_recognised_before_it_is_known_who_answered() {
    let mut rig = Rig::new(Calling::Callback);
    rig.wait(3_000);
    rig.hears(1);
    rig.wait(20_000);
    assert!(rig.spoken.is_empty() && rig.asked == 0 && !rig.hung_up, "{:?}", rig.spoken);
}

#[test]
fn a_person_hears_who_calls_and_that_it_is_a_machine_first_of_all() {
    for (calling, words) in
        [(Calling::Callback, "asked us for a call"), (Calling::Reminder, "your appointment"), (Calling::Lead, "asked about what we offer")]
    {
        for who in [Answerer::Person, Answerer::Silent] {
            let mut rig = Rig::new(calling);
            rig.hears(1);
            rig.tell(Input::Hearing(Hearing::Answered(who)));
            let first = rig.spoken.first().unwrap();
            assert!(first.starts_with("Hello, this is the AI assistant of Lakeside Apartments") && first.contains(words), "{first}");
            assert_eq!(rig.spoken.len(), 1, "the hello that they began with is no question");
        }
    }
}

#[test]
fn a_recorder_gets_a_short_message_and_then_we_hang_up() {
    let mut rig = Rig::new(Calling::Lead);
    rig.wait(9_000);
    rig.tell(Input::Hearing(Hearing::Answered(Answerer::Recorder)));
    assert!(rig.spoken.len() == 1 && rig.spoken[0].contains("Please call us"), "{:?}", rig.spoken);
    rig.wait(5_000);
    assert!(rig.hung_up);
    assert_eq!(rig.outcome, Some(Outcome::Informed));
}

#[test]
fn a_recorder_that_was_taken_for_a_person_gets_its_message_too() {
    let mut rig = Rig::new(Calling::Callback);
    rig.tell(Input::Hearing(Hearing::Answered(Answerer::Person)));
    rig.wait(4_000);
    rig.tell(Input::Hearing(Hearing::Answered(Answerer::Recorder)));
    assert!(rig.spoken.last().unwrap().contains("Please call us"), "{:?}", rig.spoken);
    rig.wait(5_000);
    assert!(rig.hung_up);
}

#[test]
fn a_fax_a_noise_and_a_dead_line_are_hung_up_without_a_word() {
    for who in [Some(Answerer::Fax), Some(Answerer::Endless), None] {
        let mut rig = Rig::new(Calling::Reminder);
        match who {
            Some(who) => rig.tell(Input::Hearing(Hearing::Answered(who))),
            None => rig.wait(70_000),
        }
        rig.wait(4_000);
        assert!(rig.hung_up && rig.spoken.is_empty(), "{who:?}: {:?}", rig.spoken);
        assert_eq!(rig.outcome, Some(Outcome::Abandoned));
    }
}
