//! From the caller's sentence to the kernel, and from the kernel's effects to orders.

use crate::base::civil::DateTime;
use crate::base::{Instant, Pii};
use crate::dialogue::{Effect, Event, Proposal};

use super::caller::Sentence;
use super::event::{Output, TurnRecord, Who};
use super::filing::Paper;
use super::machine::Call;
use super::timers::Timer;
use super::voice::Words;

impl Call {
    /// The caller's sentence is whole, and the model has had its say.
    pub(super) fn said(&mut self, now: Instant, local: DateTime, sentence: &Sentence, model: Option<(Pii<String>, f32)>) {
        let text = sentence.text.clone();
        self.file_caller(now, text.clone(), Some(sentence.confidence));
        self.waiting_since = sentence.silent_since;
        self.forget_answered();
        let mut proposals: Vec<Proposal> = Vec::with_capacity(2);
        if let Some((json, confidence)) = model {
            proposals.extend(self.kernel.parse_proposal(json.expose(), confidence).ok());
        }
        proposals.push(self.kernel.matcher(local, text.expose()));
        self.step(now, local, Event::Said { text, confidence: sentence.confidence, proposals });
    }

    /// The caller made a sound that has no words in it, or none that an engine could tell.
    pub(super) fn nothing_understood(&mut self, now: Instant, local: DateTime, sentence: &Sentence) {
        let silences = self.silences;
        self.forget_answered();
        if sentence.lost && self.ears_gone {
            // Told already that we cannot hear: what needs no words comes next.
            self.silences = silences.max(1) + 1;
            self.step(now, local, Event::Silence { nth: self.silences });
        } else if sentence.lost {
            self.lose_ears(now, local);
        }
        self.timers.stop(Timer::Late);
    }

    /// What the caller said or pressed, for the records.
    pub(super) fn file_caller(&mut self, now: Instant, text: Pii<String>, confidence: Option<f32>) {
        let heard = text.clone();
        self.out.push_back(Output::Turn(TurnRecord { at_ms: now.as_millis(), who: Who::Caller, text, heard, gap_ms: None, confidence }));
    }

    /// One step of the kernel, and what it wants done. What was interrupted is told first: otherwise it would undo what the kernel says now.
    pub(super) fn step(&mut self, now: Instant, local: DateTime, event: Event) {
        if self.voice.is_settling() {
            self.finish_turns(now, local, true);
        }
        self.tell_kernel(now, local, event);
    }

    pub(super) fn tell_kernel(&mut self, now: Instant, local: DateTime, event: Event) {
        let mut effects = Vec::new();
        self.kernel.step(local, event, &mut effects);
        for effect in effects {
            self.perform(now, local, effect);
        }
    }

    fn perform(&mut self, now: Instant, local: DateTime, effect: Effect) {
        match effect {
            Effect::Say { turn, sentences, expected } => {
                let text: Vec<&str> = sentences.iter().map(|sentence| sentence.text.expose().as_str()).collect();
                let words = Words { text: Pii::new(text.join(" ")), kernel: Some(turn), stock: None };
                let waited = self.waiting_since.take();
                self.say(now, words, waited);
                self.out.push_back(Output::Expect(expected));
            }
            Effect::LookUp { id, resource, from, to } => {
                self.filing.ordered(now, id, Paper::LookUp);
                self.out.push_back(Output::LookUp { effect: id, resource, from, to });
            }
            Effect::Commit { id, record } => {
                self.filing.ordered(now, id, Paper::Commit);
                self.out.push_back(Output::Commit { effect: id, record });
            }
            Effect::Transfer { id, target } => self.put_through(now, local, id, &target),
            Effect::CancelTransfer { .. } => self.stay(),
            Effect::HangUp => self.out.push_back(Output::Hangup),
            Effect::Journal(decision) => self.out.push_back(Output::Decision(decision)),
        }
    }
}
