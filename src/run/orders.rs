//! What a call asks for, done: engines asked, records kept, signalling told.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Pii, Rate, TurnId};
use crate::call::{Answer, Engine, Failure, Filed, Input, Output, Stock, Transcript};
use crate::dialogue::{Expected, UnderstandingRequest};
use crate::engine::{EngineEvent, Transcribe, Understand, WorkerKind};
use crate::hear::Expectation;
use crate::sip::Command;
use crate::{listen, media};

use super::line::{Line, News};
use super::voice::failure;

/// How long recognising one utterance may take.
const TRANSCRIBE: Duration = Duration::from_secs(8);

impl Line {
    /// Does all that the call asks for.
    pub(super) async fn perform(&mut self) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Transcribe { utterance, attempt, hint } => self.transcribe(utterance, attempt, hint),
                Output::Forget { utterance } => drop(self.utterances.remove(&utterance)),
                Output::Understand { request, ask, within_ms } => self.understand(request, ask, within_ms),
                Output::Speak { turn, text } => {
                    if !self.mouth.speak(turn, text) {
                        self.tell(Input::Engine(Answer::Mute { turn, from: 0, why: Failure::Late }));
                    }
                }
                Output::SpeakStock { turn, stock } => self.speak_stock(turn, stock),
                Output::FlushBelow(turn) => {
                    self.mouth.flush_below(turn);
                    self.feeder.flush_below(turn);
                    self.house.hub.media(media::Order::FlushBelow(self.leg, turn));
                }
                Output::Expect(expected) => {
                    self.house.hub.listen(listen::Order::Expect(self.leg, expectation(expected)));
                }
                Output::Commit { effect, record } => self.file(self.scribe.commit(effect, record)),
                Output::LookUp { effect, resource, from, to } => self.file(self.scribe.look_up(effect, resource, from, to)),
                Output::FileTransfer { effect } => {
                    let filed = self.scribe.transferred(effect.0);
                    self.file(async move {
                        let _ = filed.await.inspect_err(|error| tracing::error!(%error, "the transfer has no receipt"));
                        Filed::TransferFiled
                    });
                }
                Output::CancelRefer => {}
                Output::Hangup => self.hang_up().await,
                Output::Turn(turn) => self.scribe.turn(turn),
                Output::Decision(decision) => self.scribe.journal(self.now().as_millis(), "decision", &decision),
                Output::Over { outcome } => {
                    self.outcome = outcome;
                    self.scribe.end(outcome);
                }
                about_people => self.people(about_people).await,
            }
        }
    }

    fn transcribe(&mut self, utterance: u32, attempt: u32, hint: String) {
        let pcm = self.utterances.get(&utterance).cloned().unwrap_or_default();
        let house = Arc::clone(&self.house);
        let deadline = house.clock.now() + TRANSCRIBE;
        let work = Transcribe { stream: self.stream, pcm, rate: Rate::K8, hint, deadline };
        self.spawn(async move {
            let result = house.engines.transcribe(work).await;
            if let Ok(heard) = &result {
                tracing::debug!(took_ms = heard.took.as_millis(), no_speech = heard.no_speech, "recognised");
            }
            let result = result.map(|heard| Transcript { text: Pii::new(heard.text), confidence: heard.confidence });
            News::Engine(Answer::Transcribed { utterance, attempt, result: result.map_err(|error| failure(&error)) })
        });
    }

    fn understand(&mut self, request: u32, ask: UnderstandingRequest, within_ms: u64) {
        let house = Arc::clone(&self.house);
        let UnderstandingRequest { prefix, prompt, grammar, max_tokens } = ask;
        let deadline = house.clock.now() + Duration::from_millis(within_ms);
        let work = Understand { stream: self.stream, prefix, prompt, grammar, max_tokens, deadline };
        self.spawn(async move {
            let result = house.engines.understand(work).await;
            if let Ok(understood) = &result {
                let (took_ms, tokens) = (understood.took.as_millis(), understood.generated_tokens);
                tracing::debug!(took_ms, tokens, prompt_tokens = understood.prompt_tokens, "understood");
            }
            let result = result.map(|understood| (Pii::new(understood.text), understood.confidence));
            News::Engine(Answer::Understood { request, result: result.map_err(|error| failure(&error)) })
        });
    }

    fn speak_stock(&mut self, turn: TurnId, stock: Stock) {
        if let Some(pcm) = self.house.phrases.get(stock) {
            self.play(turn, 0..stock.text().len(), &pcm);
        }
        self.tell(Input::Engine(Answer::Spoken { turn }));
    }

    fn file(&self, filed: impl Future<Output = Filed> + Send + 'static) {
        self.spawn(async move { News::Filed(filed.await) });
    }

    fn spawn(&self, work: impl Future<Output = News> + Send + 'static) {
        let answers = self.own_in.clone();
        tokio::spawn(async move {
            let _ = answers.send(work.await).await;
        });
    }

    pub(super) fn engine_event(&mut self, event: Option<&EngineEvent>) {
        let (kind, up) = match event {
            Some(EngineEvent::Up { kind }) => (*kind, true),
            Some(EngineEvent::Down { kind, .. }) => (*kind, false),
            None => return,
        };
        let engine = match kind {
            WorkerKind::Asr => Engine::Asr,
            WorkerKind::Llm => Engine::Llm,
            WorkerKind::Tts => Engine::Tts,
        };
        self.tell(Input::Engine(Answer::Health { engine, up }));
    }

    async fn hang_up(&mut self) {
        if !std::mem::replace(&mut self.hung_up, true) {
            self.house.sip(Command::Hangup { call: self.sip, reason: self.reason.clone() }).await;
        }
    }
}

/// What the ear should be patient with.
fn expectation(expected: Expected) -> Expectation {
    match expected {
        Expected::YesNo | Expected::Confirm | Expected::Anything => Expectation::YesNo,
        Expected::Phone | Expected::Unit => Expectation::Digits,
        Expected::Name => Expectation::Name,
        Expected::Day | Expected::Time => Expectation::DateTime,
        Expected::Open | Expected::Problem | Expected::Service | Expected::Beds | Expected::Message => Expectation::Open,
    }
}
