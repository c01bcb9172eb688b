//! Nobody answers the call's questions: what the caller hears meanwhile, in virtual time.

use std::time::Duration;

use super::super::event::{Answer, Filed, Hearing, Input, Line, Sound};
use super::super::machine::Settings;
use super::*;
use crate::base::{Pii, TurnId};
use crate::dialogue::{CallFacts, EffectId, Kernel, Receipt, Record};
use crate::hear::EndReason;

/// The longest that a caller may hear nothing while we owe something.
const SILENCE: Duration = Duration::from_millis(4_500);

/// A call whose voice takes a second for each sentence, with engines and records that answer only by hand.
struct Rig {
    call: Call,
    now: Instant,
    local: DateTime,
    voiceless: bool,
    outputs: Vec<(Instant, Output)>,
    /// When the sound being played ends, in order.
    playing: Vec<(Instant, TurnId)>,
    /// When something was last heard.
    heard: Instant,
    longest: Duration,
}

fn agent() -> std::sync::Arc<crate::dialogue::Agent> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents/leasing.toml");
    std::sync::Arc::new(crate::config::agent::load(&path).unwrap())
}

impl Rig {
    fn new(voiceless: bool) -> Self {
        let facts = CallFacts { caller_number: Some(Pii::new("+13125550188".to_owned())), ..CallFacts::default() };
        let call = Call::new(Settings::default(), Kernel::new(agent(), facts), Instant::ZERO);
        let local = "2026-11-23T12:00".parse().unwrap();
        let (outputs, playing) = (Vec::new(), Vec::new());
        let mut rig = Self { call, now: Instant::ZERO, local, voiceless, outputs, playing, heard: Instant::ZERO, longest: Duration::ZERO };
        rig.tell(Input::Line(Line::Accepted));
        rig.tell(Input::Line(Line::Connected));
        rig
    }

    fn tell(&mut self, input: Input) {
        self.call.handle(self.now, self.local, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.call.poll_output() {
            self.outputs.push((self.now, output.clone()));
            match output {
                Output::Speak { turn, text } if !self.voiceless => self.play(turn, text.expose().len()),
                Output::SpeakStock { turn, stock } => self.play(turn, stock.text().len()),
                Output::FlushBelow(floor) => self.playing.retain(|(_, turn)| *turn >= floor),
                Output::Hangup => self.tell(Input::Line(Line::Gone { failed: false })),
                _ => {}
            }
        }
    }

    fn play(&mut self, turn: TurnId, end: usize) {
        let from = self.playing.last().map_or(self.now, |(until, _)| *until);
        self.playing.push((from + Duration::from_secs(1), turn));
        self.tell(Input::Engine(Answer::Clip { turn, clip: 0, start: 0, end, samples: 8_000 }));
        self.tell(Input::Engine(Answer::Spoken { turn }));
    }

    /// Lets time pass until nothing happens any more before `seconds`.
    fn run_to(&mut self, seconds: u64) {
        let until = Instant::from_millis(seconds * 1_000);
        loop {
            let played = self.playing.first().copied();
            let next = self.call.poll_deadline().into_iter().chain(played.map(|(at, _)| at)).min().filter(|at| *at <= until);
            let Some(at) = next.filter(|_| !self.call.is_over()) else { break };
            if self.playing.is_empty() {
                self.longest = self.longest.max(at.since(self.heard));
            }
            self.now = self.now.max(at);
            if let Some((_, turn)) = played.filter(|(end, _)| *end == at) {
                self.playing.remove(0);
                self.heard = self.now;
                self.tell(Input::Sound(Sound::Played { turn, clip: 0, samples: 8_000, finished: true }));
            } else {
                self.call.handle_timeout(self.now, self.local);
                self.drain();
            }
        }
        self.now = until;
    }

    fn said(&self) -> Vec<String> {
        let said = |output: &Output| match output {
            Output::Speak { text, .. } => Some(text.expose().clone()),
            Output::SpeakStock { stock, .. } => Some(stock.text().to_owned()),
            _ => None,
        };
        self.outputs.iter().filter_map(|(_, output)| said(output)).collect()
    }

    fn commit(&self) -> Option<(EffectId, &'static str)> {
        let commit = |output: &Output| if let Output::Commit { effect, record } = output { Some((*effect, record.kind())) } else { None };
        self.outputs.iter().rev().find_map(|(_, output)| commit(output))
    }

    fn speak_up(&mut self, utterance: u32) {
        self.tell(Input::Hearing(Hearing::Began(utterance)));
        self.now += Duration::from_secs(1);
        self.tell(Input::Hearing(Hearing::Ended { utterance, voiced_ms: 400, silent_ms: 600, why: EndReason::Silence }));
        self.heard = self.now;
    }
}

#[test]
fn a_commit_that_never_answers_leaves_nobody_in_silence_and_its_late_receipt_is_honoured() {
    let mut rig = Rig::new(false);
    rig.run_to(2);
    rig.tell(Input::Line(Line::Key('2')));
    let (effect, kind) = rig.commit().unwrap();
    assert_eq!(kind, "callback", "the number is known: the key is enough");
    rig.longest = Duration::ZERO;
    rig.run_to(11);
    let said = rig.said();
    assert!(said.iter().any(|text| text == Stock::Moment.text()), "{said:?}");
    assert!(said.iter().any(|text| text.contains("can't save anything")), "{said:?}");
    assert!(!said.iter().any(|text| text.contains("on record")), "{said:?}");
    assert!(rig.longest <= SILENCE, "{:?}", rig.longest);
    let receipt = Receipt { kind: "callback".to_owned(), id: "c-1".to_owned() };
    rig.tell(Input::Filed(Filed::Committed { effect, receipt }));
    rig.run_to(12);
    assert!(rig.said().last().unwrap().contains("callback on record"), "{:?}", rig.said());
}

#[test]
fn words_that_are_never_recognised_lead_down_the_ladder_to_the_keys_and_to_what_needs_no_words() {
    let mut rig = Rig::new(false);
    rig.run_to(3);
    rig.speak_up(1);
    rig.longest = Duration::ZERO;
    rig.run_to(15);
    let said = rig.said();
    let place = |words: &str| said.iter().position(|text| text.contains(words)).unwrap_or_else(|| panic!("{words}: {said:?}"));
    assert!(place(Stock::Moment.text()) < place(Stock::StillHere.text()));
    assert!(place(Stock::StillHere.text()) < place("can't hear words"));
    assert!(said[place("can't hear words")].contains("Press"), "{said:?}");
    assert!(rig.longest <= SILENCE, "{:?}", rig.longest);
    for utterance in [2, 3] {
        rig.speak_up(utterance);
        rig.now += Duration::from_millis(1);
        rig.run_to(15 * u64::from(utterance));
    }
    let callback = rig.outputs.iter().any(|(_, output)| matches!(output, Output::Commit { record: Record::Callback { .. }, .. }));
    assert!(callback, "who cannot be heard is called back: {:?}", rig.said());
}

#[test]
fn words_that_come_too_late_do_not_say_that_we_hear_again() {
    let mut rig = Rig::new(false);
    rig.run_to(3);
    rig.speak_up(1);
    rig.run_to(18);
    let transcript = super::super::event::Transcript { text: Pii::new("hello".to_owned()), confidence: 0.9 };
    rig.tell(Input::Engine(Answer::Transcribed { utterance: 1, attempt: 0, result: Ok(transcript) }));
    rig.run_to(19);
    assert!(!rig.said().iter().any(|text| text.contains("hear you again")), "{:?}", rig.said());
}

#[test]
fn a_voice_that_never_comes_ends_the_call_with_words_and_not_in_silence() {
    let mut rig = Rig::new(true);
    rig.run_to(90);
    let said = rig.said();
    assert_eq!(said.last().map(String::as_str), Some(Stock::Broken.text()), "{said:?}");
    assert!(rig.longest <= SILENCE, "{:?}", rig.longest);
    assert!(rig.outputs.iter().any(|(_, output)| *output == Output::Hangup));
}
