//! All three engines as a table: for simulations and tests, in virtual time. Pure.
//!
//! What was "heard" comes from a row of utterances per stream, what is "understood" from the first rule whose needle is in the prompt, and
//! speech is a tone whose length follows the text. Delays come from a seed, and each engine can be gone for a while.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::wire::RequestId;
use super::{EngineError, Speak, SpeechChunk, Transcribe, Transcript, Understand, Understood, WorkerKind, clauses};
use crate::base::{Instant, Samples, Seed, StreamId};

/// Milliseconds of sound for each character of text: about 14 characters a second, as people speak.
const SPEECH_MS_PER_CHAR: u64 = 70;

/// The table.
#[derive(Clone, Debug, Default)]
pub struct ScriptedSettings {
    /// What is understood: (needle in the prompt, text of the answer); the first that fits.
    pub rules: Vec<(String, String)>,
    /// The shortest and the longest delay of each engine in milliseconds, in the order of [`WorkerKind::ALL`].
    pub delay_ms: [(u64, u64); 3],
}

/// A request to any of the three.
#[derive(Clone, Debug)]
pub enum ScriptedWork {
    /// Recognise.
    Transcribe(Transcribe),
    /// Complete.
    Understand(Understand),
    /// Speak.
    Speak(Speak),
}

/// An answer of any of the three.
#[derive(Clone, PartialEq, Debug)]
pub enum ScriptedAnswer {
    /// What was heard.
    Heard(Result<Transcript, EngineError>),
    /// What was understood.
    Understood(Result<Understood, EngineError>),
    /// A clause, or the failure that ends the sentence.
    Spoken(Result<SpeechChunk, EngineError>),
}

/// Three engines without any model.
#[derive(Debug)]
pub struct Scripted {
    settings: ScriptedSettings,
    seed: Seed,
    utterances: BTreeMap<StreamId, VecDeque<String>>,
    gone: [bool; 3],
    due: BTreeMap<(Instant, u64), (RequestId, ScriptedAnswer)>,
    held: BTreeMap<RequestId, WorkerKind>,
    count: u64,
    now: Instant,
}

impl Scripted {
    /// Engines that answer by `settings`, with delays out of `seed`.
    pub fn new(settings: ScriptedSettings, seed: Seed) -> Self {
        Self {
            settings,
            seed,
            utterances: BTreeMap::new(),
            gone: [false; 3],
            due: BTreeMap::new(),
            held: BTreeMap::new(),
            count: 0,
            now: Instant::ZERO,
        }
    }

    /// The next thing that the recogniser will hear on `stream`; without one it hears nothing.
    pub fn will_hear(&mut self, stream: StreamId, text: &str) {
        self.utterances.entry(stream).or_default().push_back(text.to_owned());
    }

    /// A request arrived.
    pub fn handle_request(&mut self, now: Instant, id: RequestId, work: ScriptedWork) {
        self.now = self.now.max(now);
        let kind = work.kind();
        if self.gone[kind.index()] {
            self.answer_at(now, id, kind, failure(kind, EngineError::Gone));
            return;
        }
        let (shortest, longest) = self.settings.delay_ms[kind.index()];
        let delay = Duration::from_millis(shortest + self.seed.below(longest.saturating_sub(shortest) + 1));
        if now + delay > work.deadline() {
            self.answer_at(work.deadline(), id, kind, failure(kind, EngineError::Expired));
            return;
        }
        match work {
            ScriptedWork::Transcribe(work) => {
                let answer = self.hear(&work, delay);
                self.answer_at(now + delay, id, kind, answer);
            }
            ScriptedWork::Understand(work) => {
                let answer = self.understand(&work, delay);
                self.answer_at(now + delay, id, kind, answer);
            }
            ScriptedWork::Speak(work) => self.speak(now, id, &work, delay),
        }
    }

    /// Nobody waits for `id` any longer: it is not answered.
    pub fn handle_cancel(&mut self, now: Instant, id: RequestId) {
        self.now = self.now.max(now);
        self.held.remove(&id);
        self.due.retain(|_, (held, _)| *held != id);
    }

    /// The worker dies: all it held fails at once, and what comes fails until [`Scripted::handle_back`].
    pub fn handle_gone(&mut self, now: Instant, kind: WorkerKind) {
        self.now = self.now.max(now);
        self.gone[kind.index()] = true;
        let lost: Vec<RequestId> = self.held.iter().filter(|(_, held)| **held == kind).map(|(id, _)| *id).collect();
        for id in lost {
            self.handle_cancel(now, id);
            self.answer_at(now, id, kind, failure(kind, EngineError::Gone));
        }
    }

    /// The worker is back.
    pub fn handle_back(&mut self, now: Instant, kind: WorkerKind) {
        self.now = self.now.max(now);
        self.gone[kind.index()] = false;
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// The next answer that is due.
    pub fn poll_output(&mut self) -> Option<(RequestId, ScriptedAnswer)> {
        let first = self.due.first_entry()?;
        if first.key().0 > self.now {
            return None;
        }
        let (id, answer) = first.remove();
        let more = self.due.values().any(|(held, _)| *held == id);
        if !more {
            self.held.remove(&id);
        }
        Some((id, answer))
    }

    /// When the next answer is due.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    fn answer_at(&mut self, at: Instant, id: RequestId, kind: WorkerKind, answer: ScriptedAnswer) {
        self.count += 1;
        self.held.insert(id, kind);
        self.due.insert((at, self.count), (id, answer));
    }

    fn hear(&mut self, work: &Transcribe, took: Duration) -> ScriptedAnswer {
        let text = self.utterances.get_mut(&work.stream).and_then(VecDeque::pop_front).unwrap_or_default();
        let (confidence, no_speech) = if text.is_empty() { (0.0, 0.95) } else { (0.9, 0.02) };
        ScriptedAnswer::Heard(Ok(Transcript { text, confidence, no_speech, took }))
    }

    fn understand(&self, work: &Understand, took: Duration) -> ScriptedAnswer {
        let rule = self.settings.rules.iter().find(|(needle, _)| work.prompt.contains(needle.as_str()));
        let Some((_, text)) = rule else {
            return ScriptedAnswer::Understood(Err(EngineError::Refused("no rule for this prompt".to_owned())));
        };
        let tokens = |text: &str| u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX);
        ScriptedAnswer::Understood(Ok(Understood {
            text: text.clone(),
            prompt_tokens: tokens(&work.prompt),
            generated_tokens: tokens(text),
            confidence: 0.9,
            took,
        }))
    }

    fn speak(&mut self, now: Instant, id: RequestId, work: &Speak, delay: Duration) {
        let clauses = clauses(&work.text);
        let count = clauses.len();
        for (index, range) in clauses.into_iter().enumerate() {
            let chars = u64::try_from(work.text.get(range.clone()).unwrap_or_default().chars().count()).unwrap_or(0);
            let samples = Samples::from_millis(chars * SPEECH_MS_PER_CHAR, work.rate).0;
            let chunk = SpeechChunk {
                clause: u32::try_from(index).unwrap_or(u32::MAX),
                text_range: range,
                pcm: tone(samples, work.rate.hertz()),
                last: index + 1 == count,
            };
            let wait = delay * u32::try_from(index + 1).unwrap_or(u32::MAX);
            self.answer_at(now + wait, id, WorkerKind::Tts, ScriptedAnswer::Spoken(Ok(chunk)));
        }
    }
}

impl ScriptedWork {
    /// Which engine it is for.
    pub const fn kind(&self) -> WorkerKind {
        match self {
            Self::Transcribe(_) => WorkerKind::Asr,
            Self::Understand(_) => WorkerKind::Llm,
            Self::Speak(_) => WorkerKind::Tts,
        }
    }

    const fn deadline(&self) -> Instant {
        match self {
            Self::Transcribe(work) => work.deadline,
            Self::Understand(work) => work.deadline,
            Self::Speak(work) => work.deadline,
        }
    }
}

fn failure(kind: WorkerKind, error: EngineError) -> ScriptedAnswer {
    match kind {
        WorkerKind::Asr => ScriptedAnswer::Heard(Err(error)),
        WorkerKind::Llm => ScriptedAnswer::Understood(Err(error)),
        WorkerKind::Tts => ScriptedAnswer::Spoken(Err(error)),
    }
}

/// 300 Hz, loud enough to be found again.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "both are far inside the range")]
fn tone(samples: u64, hertz: u32) -> Vec<i16> {
    let step = std::f32::consts::TAU * 300.0 / hertz as f32;
    let mut angle = 0.0_f32;
    let mut next = || {
        angle = (angle + step) % std::f32::consts::TAU;
        (angle.sin() * 8_000.0) as i16
    };
    (0..samples).map(|_| next()).collect()
}

#[cfg(test)]
#[path = "scripted_tests.rs"]
mod tests;
