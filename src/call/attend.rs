//! Attending to the caller: from what the ear reports to a sentence that the kernel may act upon.

use std::time::Duration;

use crate::base::civil::DateTime;
use crate::base::{Instant, Pii};
use crate::dialogue::{Expected, PromptStyle};

use super::caller::Next;
use super::event::{Failure, Hearing, Output};
use super::machine::{Asked, Call, RETRY};
use super::timers::Timer;

/// A matcher this sure of an answer to a narrow question needs no model.
const CERTAIN: f32 = 0.9;

impl Call {
    pub(super) fn hearing(&mut self, now: Instant, hearing: Hearing) {
        match hearing {
            Hearing::Began(utterance) => {
                self.waits = 0;
                self.timers.stop(Timer::Silence);
                self.timers.stop(Timer::Late);
                if let Some(dropped) = self.caller.began(utterance) {
                    self.out.push_back(Output::Forget { utterance: dropped });
                }
            }
            Hearing::Yielded(_) => self.cut_voice(now),
            Hearing::Resumed(_) | Hearing::Answered(_) => {}
            Hearing::Settling(utterance) => {
                let next = self.caller.settling(utterance);
                self.recognise(now, next);
            }
            Hearing::Continued(utterance) => self.caller.continued(utterance),
            Hearing::Ended { utterance, silent_ms, why, .. } => {
                let silent_since = Instant::from_micros(now.as_micros().saturating_sub(silent_ms.saturating_mul(1_000)));
                let next = self.caller.ended(utterance, why, silent_since);
                self.recognise(now, next);
                if self.caller.is_pending() && !self.voice.is_busy() {
                    self.timers.set(Timer::Late, silent_since + Duration::from_millis(self.settings.late_ms));
                } else if !self.caller.is_pending() {
                    self.out.push_back(Output::Forget { utterance });
                }
            }
        }
    }

    pub(super) fn recognise(&mut self, now: Instant, next: Next) {
        match next {
            Next::Wait => {}
            Next::Transcribe { utterance, attempt } => {
                // A small recogniser writes its prompt down instead of listening: only the packs of real models get one.
                let hint = match self.settings.style {
                    PromptStyle::Compact => String::new(),
                    PromptStyle::Full => self.kernel.agent().vocabulary(),
                };
                self.out.push_back(Output::Transcribe { utterance, attempt, hint });
            }
            Next::Postponed => {
                self.excuse_once(now);
                self.timers.set(Timer::Recognise, now + RETRY);
            }
        }
    }

    pub(super) fn recognise_again(&mut self, now: Instant) {
        for next in self.caller.retry() {
            self.recognise(now, next);
        }
    }

    /// Takes what the caller has said so far to the model, and once it is whole to the kernel.
    pub(super) fn understand(&mut self, now: Instant, local: DateTime) {
        let whole = if self.caller.is_speaking() { None } else { self.caller.sentence(false) };
        let Some(sentence) = whole.clone().or_else(|| self.caller.sentence(true)) else { return };
        if sentence.text.expose().is_empty() {
            if let Some(sentence) = whole {
                self.nothing_understood(now, local, &sentence);
            }
            return;
        }
        if self.asked.as_ref().is_none_or(|asked| asked.text != sentence.text) {
            self.ask(now, local, sentence.text.clone());
        }
        let Some(sentence) = whole else { return };
        let Some(result) = self.asked.as_ref().and_then(|asked| asked.result.clone()) else { return };
        self.asked = None;
        self.said(now, local, &sentence, result.ok());
    }

    fn ask(&mut self, now: Instant, local: DateTime, text: Pii<String>) {
        self.requests += 1;
        let request = self.requests;
        let sure = self.kernel.matcher(local, text.expose());
        let narrow = !matches!(self.kernel.expected(), Expected::Open | Expected::Anything | Expected::Message);
        let needless = !self.llm_up || (narrow && sure.confidence >= CERTAIN);
        if !needless {
            let ask = self.kernel.understanding(self.settings.style, text.expose());
            let within_ms = self.settings.understand_ms;
            self.out.push_back(Output::Understand { request, ask, within_ms });
            self.timers.set(Timer::Understand, now + Duration::from_millis(within_ms));
        }
        let result = needless.then_some(Err(Failure::Gone));
        self.asked = Some(Asked { request, text, result });
    }
}
