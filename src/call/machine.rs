//! The call itself: it routes, it does not work.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::civil::DateTime;
use crate::base::{Instant, Pii, TurnId};
use crate::dialogue::{Event, Kernel, Organ, Outcome, PromptStyle};

use super::caller::Caller;
use super::event::{Answer, Engine, Failure, Filed, Hearing, Input, Line, Output, Sound};
use super::filing::Filing;
use super::handover::{Handover, Plan, Told};
use super::speaking::SETTLE;
use super::timers::{Timer, Timers};
use super::voice::Voice;

/// How patient a call is.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How the language model wants to be asked.
    pub style: PromptStyle,
    /// How long after our 200 we greet although nothing has come from the caller.
    pub greet_after_ms: u64,
    /// How long the language model may take; then the matcher's word counts.
    pub understand_ms: u64,
    /// How long the caller may be silent before we say something.
    pub silence_ms: u64,
    /// How long the caller may wait for a first word of ours before we ask for a moment.
    pub late_ms: u64,
    /// How long the records may take before the call goes on without their answer.
    pub records_ms: u64,
    /// How long the caller's side may take to call somebody else for us.
    pub transfer_ms: u64,
    /// Whom each door leads to.
    #[serde(default)]
    pub people: Arc<BTreeMap<String, Plan>>,
    /// How long a call may last.
    pub longest_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let style = PromptStyle::Compact;
        Self {
            style,
            greet_after_ms: 400,
            understand_ms: 1_500,
            silence_ms: 7_000,
            late_ms: 2_000,
            records_ms: 8_000,
            transfer_ms: 30_000,
            people: Arc::default(),
            longest_ms: 1_800_000,
        }
    }
}

/// How long a dead engine is given before the next try. It tells when it is back, so this is only for what it cannot tell.
pub(super) const RETRY: Duration = Duration::from_millis(600);

/// How long the records of a call that is gone are waited for.
const LINGER: Duration = Duration::from_secs(3);

/// A question to the language model that is under way, or its answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) request: u32,
    pub(super) text: Pii<String>,
    pub(super) result: Option<Result<(Pii<String>, f32), Failure>>,
}

/// Where a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// A call of ours was answered, and we find out by whom.
    Screening,
    /// People are rung; the call is not answered yet.
    Arriving,
    /// Our 200 is out, or is about to be.
    Accepted,
    /// The greeting has begun.
    Talking,
    /// Gone on the wire; how much was heard of our last words is still to be told.
    Leaving,
    /// Gone on the wire; the records may still answer.
    Gone,
    /// Nothing is outstanding.
    Over,
}

/// One call.
pub struct Call {
    pub(super) settings: Settings,
    pub(super) kernel: Kernel,
    pub(super) caller: Caller,
    pub(super) voice: Voice,
    pub(super) handover: Handover,
    pub(super) timers: Timers,
    pub(super) out: VecDeque<Output>,
    /// When the caller's last sentence ended, until our answer to it has begun.
    pub(super) waiting_since: Option<Instant>,
    pub(super) filing: Filing,
    pub(super) phase: Phase,
    pub(super) asked: Option<Asked>,
    pub(super) requests: u32,
    pub(super) silences: u32,
    /// How often in this silence the caller waited in vain.
    pub(super) waits: u32,
    pub(super) llm_up: bool,
    pub(super) ears_gone: bool,
    /// A stock phrase has been said since the caller's last sentence.
    pub(super) excused: bool,
    pub(super) failed: bool,
    /// Our last words: the call ends when they are over.
    pub(super) leaving: Option<TurnId>,
}

impl Call {
    /// A call that is about to be answered.
    pub fn new(settings: Settings, kernel: Kernel, now: Instant) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Longest, now + Duration::from_millis(settings.longest_ms));
        Self {
            settings,
            kernel,
            caller: Caller::default(),
            voice: Voice::default(),
            handover: Handover::default(),
            timers,
            out: VecDeque::new(),
            waiting_since: None,
            filing: Filing::default(),
            phase: Phase::Accepted,
            asked: None,
            requests: 0,
            silences: 0,
            waits: 0,
            llm_up: true,
            ears_gone: false,
            excused: false,
            failed: false,
            leaving: None,
        }
    }

    /// Something happened. `local` is what the wall shows at the business.
    pub fn handle(&mut self, now: Instant, local: DateTime, input: Input) {
        // Of a caller who is gone only the records may still tell, and at first how much was heard.
        let late = match self.phase {
            Phase::Gone => !matches!(input, Input::Filed(_)),
            Phase::Leaving => !matches!(input, Input::Filed(_) | Input::Sound(_)),
            _ => false,
        };
        if self.phase == Phase::Over || late {
            return;
        }
        match input {
            Input::Line(line) => self.line(now, local, line),
            Input::Sound(Sound::Played { turn, clip, samples, finished }) => {
                if self.voice.played(now, turn, clip, samples, finished) {
                    self.timers.stop(Timer::Late);
                }
            }
            // What two people say to each other is not ours to hear.
            Input::Hearing(_) if self.handover.is_joined() => {}
            Input::Hearing(Hearing::Answered(who)) => self.screened(now, local, who),
            Input::Hearing(hearing) if self.phase == Phase::Screening => self.heard_while_screening(hearing),
            Input::Hearing(hearing) => self.hearing(now, hearing),
            Input::Engine(answer) => self.engine(now, local, answer),
            Input::Filed(filed) => self.filed(now, local, filed),
            Input::Leg { leg, news } => self.leg(now, local, leg, news),
            Input::First(plan) => self.ring_first(now, local, plan),
        }
        self.advance(now, local);
        self.check_invariants();
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant, local: DateTime) {
        while let Some(timer) = self.timers.take_due(now) {
            self.timer(now, local, timer);
        }
        self.advance(now, local);
        self.check_invariants();
    }

    /// What the shell has to do, in this order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Call::handle_timeout`] is wanted.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Whether everything about this call is done.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(super) fn is_talking(&self) -> bool {
        self.phase == Phase::Talking
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Leaving | Phase::Gone)
    }

    fn line(&mut self, now: Instant, local: DateTime, line: Line) {
        match line {
            Line::Accepted => self.timers.set(Timer::Greet, now + Duration::from_millis(self.settings.greet_after_ms)),
            Line::Connected => self.greet(now, local),
            Line::Answered => self.was_answered(now),
            Line::Key(key) => self.key(now, local, key),
            Line::ReferAccepted => {}
            Line::ReferProgress(status) => self.refer_status(now, local, status, Told::Notified),
            Line::ReferFailed(status) => self.refer_status(now, local, status, Told::Refused),
            Line::Held(held) => self.caller_held(now, local, held),
            Line::Referred => self.refuse_refer(),
            Line::Gone { failed } => self.gone(now, local, failed),
        }
    }

    pub(super) fn greet(&mut self, now: Instant, local: DateTime) {
        if self.phase == Phase::Accepted && !self.handover.is_joined() {
            self.phase = Phase::Talking;
            self.timers.stop(Timer::Greet);
            self.step(now, local, Event::Began);
        }
    }

    fn key(&mut self, now: Instant, local: DateTime, key: char) {
        if self.handover.caller_key(key) {
            return self.follow_handover(now, local);
        }
        self.cut_voice(now);
        self.silences = 0;
        // What the model was asked before the key was asked in another state.
        self.asked = None;
        self.timers.stop(Timer::Understand);
        self.file_caller(now, Pii::new(format!("[key {key}]")), None);
        self.waiting_since = Some(now);
        self.step(now, local, Event::Digit(key));
    }

    fn gone(&mut self, now: Instant, local: DateTime, failed: bool) {
        if matches!(self.phase, Phase::Leaving | Phase::Gone) {
            return;
        }
        self.failed |= failed;
        self.timers.stop_all();
        self.phase = Phase::Leaving;
        // First of all: words that are filed after it are followed by nothing.
        self.tell_kernel(now, local, Event::HungUp);
        self.end_handover(now, local);
        self.voice.cut(now);
        if self.voice.is_silent() {
            return self.left(now, local);
        }
        self.timers.set(Timer::Settle, now + SETTLE);
    }

    /// How much was heard of our last words is known.
    fn left(&mut self, now: Instant, local: DateTime) {
        self.phase = Phase::Gone;
        self.voice.cut(now);
        self.finish_turns(now, local, true);
        self.timers.set(Timer::Linger, now + LINGER);
    }

    fn engine(&mut self, now: Instant, local: DateTime, answer: Answer) {
        match answer {
            Answer::Transcribed { utterance, attempt, result } => {
                // Words that come too late are no sign that the next ones will be in time.
                let in_time = result.is_ok() && self.caller.awaits(utterance, attempt);
                if in_time && std::mem::take(&mut self.ears_gone) {
                    self.step(now, local, Event::EngineBack(Organ::Ears));
                }
                let next = self.caller.transcribed(utterance, attempt, result);
                self.recognise(now, next);
            }
            Answer::Understood { request, result } => {
                if let Some(asked) = self.asked.as_mut().filter(|asked| asked.request == request && asked.result.is_none()) {
                    asked.result = Some(result);
                    self.timers.stop(Timer::Understand);
                }
            }
            Answer::Clip { turn, clip: _, start, end, samples } => self.voice.clip(turn, start, end, samples),
            Answer::Spoken { turn } => self.voice.complete(turn),
            Answer::Mute { turn, from, why } => self.mute(now, turn, from, why),
            Answer::Health { engine, up } => self.health(now, local, engine, up),
        }
    }

    fn health(&mut self, now: Instant, local: DateTime, engine: Engine, up: bool) {
        match (engine, up) {
            (Engine::Asr, true) => {
                self.recognise_again(now);
                if std::mem::take(&mut self.ears_gone) {
                    self.step(now, local, Event::EngineBack(Organ::Ears));
                }
            }
            (Engine::Tts, true) => self.speak_again(now),
            (Engine::Llm, up) => {
                if self.llm_up != up {
                    let event = if up { Event::EngineBack(Organ::Mind) } else { Event::EngineGone(Organ::Mind) };
                    self.llm_up = up;
                    self.step(now, local, event);
                }
            }
            (Engine::Asr | Engine::Tts, false) => {}
        }
    }

    fn filed(&mut self, now: Instant, local: DateTime, filed: Filed) {
        let event = match filed {
            Filed::Committed { effect, receipt } => {
                self.filing.answered(effect);
                Event::Committed { effect, receipt }
            }
            Filed::Refused { effect, why } => {
                self.filing.answered(effect);
                Event::CommitFailed { effect, why }
            }
            Filed::TransferFiled => return self.filing.transfer_answered(),
            Filed::Busy { effect, busy } => {
                self.filing.answered(effect);
                busy.map_or(Event::LookUpFailed { effect }, |busy| Event::LookedUp { effect, busy })
            }
        };
        self.step(now, local, event);
    }

    fn timer(&mut self, now: Instant, local: DateTime, timer: Timer) {
        match timer {
            Timer::Greet => self.greet(now, local),
            Timer::Screen => self.screen_in_vain(),
            Timer::Silence => {
                self.silences += 1;
                self.step(now, local, Event::Silence { nth: self.silences });
            }
            Timer::Understand => {
                if let Some(asked) = self.asked.as_mut().filter(|asked| asked.result.is_none()) {
                    asked.result = Some(Err(Failure::Late));
                }
            }
            Timer::Recognise => self.recognise_again(now),
            Timer::Speak => self.speak_again(now),
            Timer::Late => self.excuse_once(now),
            Timer::Patience => self.lose_patience(now),
            Timer::Records => self.miss_records(now, local),
            Timer::Settle if self.phase == Phase::Leaving => self.left(now, local),
            Timer::Settle => self.finish_turns(now, local, true),
            Timer::Handover => {
                self.handover.handle_timeout(now);
                self.follow_handover(now, local);
            }
            Timer::Longest => self.out.push_back(Output::Hangup),
            Timer::Linger => self.filing.clear(),
        }
    }

    /// What may have become possible by what happened.
    fn advance(&mut self, now: Instant, local: DateTime) {
        self.finish_turns(now, local, false);
        if self.phase == Phase::Talking {
            self.understand(now, local);
            self.await_caller(now);
            self.watch_records();
            self.be_patient(now);
        }
        if self.phase == Phase::Gone && !self.filing.is_open() {
            self.phase = Phase::Over;
            self.timers.stop_all();
            let outcome = if self.failed && self.kernel.outcome() == Outcome::Abandoned { Outcome::Failed } else { self.kernel.outcome() };
            self.out.push_back(Output::Over { outcome });
        }
    }

    fn await_caller(&mut self, now: Instant) {
        let people = self.handover.is_under_way() || self.handover.is_joined();
        let quiet = self.voice.is_silent() && !self.caller.is_pending() && !self.filing.is_awaited() && !people;
        if quiet && !self.timers.runs(Timer::Silence) {
            self.timers.set(Timer::Silence, now + Duration::from_millis(self.settings.silence_ms));
        } else if !quiet {
            self.timers.stop(Timer::Silence);
        }
    }

    pub(super) fn forget_answered(&mut self) {
        self.silences = 0;
        self.excused = false;
        for utterance in self.caller.answered() {
            self.out.push_back(Output::Forget { utterance });
        }
    }

    pub(super) fn lose_ears(&mut self, now: Instant, local: DateTime) {
        self.ears_gone = true;
        self.step(now, local, Event::EngineGone(Organ::Ears));
    }
}
