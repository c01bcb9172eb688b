//! The kernel's doors. It routes; it does not work.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::state::{Asked, CallFacts, Done, Ringing, Stage, Task, Then, Waiting};
use crate::base::civil::DateTime;
use crate::base::limits::COMMITS_OVERDUE_MAX;
use crate::base::{Pii, TurnId};
use crate::dialogue::agent::Agent;
use crate::dialogue::event::{Busy, Effect, EffectId, Event, Expected, Sentence, SpeechAct};
use crate::dialogue::grammar::Legal;
use crate::dialogue::prompt::{self, PromptStyle, UnderstandingRequest};
use crate::dialogue::proposal::{self, Proposal, ProposalError};
use crate::dialogue::record::{Outcome, Record};
use crate::dialogue::slots::Slots;
use crate::dialogue::{guard, matcher};

/// The dialogue of one call. Pure: the same events at the same local times give the same effects.
pub struct Kernel {
    pub(super) agent: Arc<Agent>,
    pub(super) facts: CallFacts,
    pub(super) stage: Stage,
    pub(super) asked: Asked,
    /// The sentences of the open question, to be asked again.
    pub(super) question: Vec<Sentence>,
    pub(super) slots: Slots,
    pub(super) task: Option<Task>,
    pub(super) waiting: Option<(EffectId, Waiting)>,
    /// The record whose commit is awaited.
    pub(super) committing: Option<Record>,
    /// Records whose commit gave no answer in time: their receipts may still come.
    pub(super) overdue: Vec<(EffectId, Record)>,
    /// What the caller said while a commit was awaited; the latest wins.
    pub(super) deferred: Option<(Pii<String>, f32, Vec<Proposal>)>,
    pub(super) then: Option<(TurnId, Then)>,
    /// What was to follow words that the caller interrupted.
    pub(super) interrupted: Option<Then>,
    pub(super) ringing: Option<Ringing>,
    pub(super) done: Vec<Done>,
    pub(super) busy: Option<Vec<Busy>>,
    /// Numbers, days and names that looked-up facts and the caller's own words brought.
    pub(super) grounds: BTreeSet<String>,
    pub(super) turn: TurnId,
    pub(super) effects: u32,
    /// The caller's turns.
    pub(super) turns: u32,
    pub(super) draft: Vec<Sentence>,
    pub(super) draft_then: Option<Then>,
    pub(super) last_said: Vec<Sentence>,
    /// Turns running that were not understood.
    pub(super) misses: u8,
    pub(super) answered: u16,
    pub(super) offered_booking: u8,
    pub(super) transferred: bool,
    /// People were rung before us, and nobody took the call.
    pub(super) rang_first: bool,
    pub(super) hung_up: bool,
    /// The recogniser is gone: keys only.
    pub(super) deaf: bool,
    pub(super) keys: String,
    pub(super) number_declined: bool,
    pub(super) name_tries: u8,
    pub(super) phone_tries: u8,
    pub(super) unit_tries: u8,
    /// The end of a telephone number is still to come.
    pub(super) half_number: Option<String>,
    pub(super) unknown: Option<Pii<String>>,
    pub(super) bulletins: Vec<String>,
    /// Commits that the store refused for want of itself.
    /// A recorder has our message.
    pub(super) recorded: bool,
    pub(super) failures: u8,
    /// Local time of the last step.
    pub(super) now: DateTime,
}

impl Kernel {
    /// A call to `agent`.
    pub fn new(agent: Arc<Agent>, facts: CallFacts) -> Self {
        let bulletins = agent.parts.bulletins.clone();
        Self {
            agent,
            facts,
            stage: Stage::Greet,
            asked: Asked::Open,
            question: Vec::new(),
            slots: Slots::default(),
            task: None,
            waiting: None,
            committing: None,
            overdue: Vec::new(),
            deferred: None,
            then: None,
            interrupted: None,
            ringing: None,
            done: Vec::new(),
            busy: None,
            grounds: BTreeSet::new(),
            turn: TurnId(0),
            effects: 0,
            turns: 0,
            draft: Vec::new(),
            draft_then: None,
            last_said: Vec::new(),
            misses: 0,
            answered: 0,
            offered_booking: 0,
            transferred: false,
            rang_first: false,
            hung_up: false,
            deaf: false,
            keys: String::new(),
            number_declined: false,
            name_tries: 0,
            phone_tries: 0,
            unit_tries: 0,
            half_number: None,
            unknown: None,
            bulletins,
            recorded: false,
            failures: 0,
            now: DateTime::constant(2000, 1, 1, 0, 0, 0, 0),
        }
    }

    /// What was asked last.
    pub fn expected(&self) -> Expected {
        self.asked.expected()
    }

    /// How far the call is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What is known about the caller's wish.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The agent of this call.
    pub fn agent(&self) -> &Arc<Agent> {
        &self.agent
    }

    /// The request by which a language model understands `utterance` in this state.
    pub fn understanding(&self, style: PromptStyle, utterance: &str) -> UnderstandingRequest {
        UnderstandingRequest {
            prefix: self.agent.prefix(style),
            prompt: prompt::tail(self.expected(), utterance),
            grammar: self.legal().grammar(),
            max_tokens: prompt::MAX_TOKENS,
        }
    }

    /// What the built-in matcher makes of `utterance`: no model is needed.
    pub fn matcher(&self, local: DateTime, utterance: &str) -> Proposal {
        matcher::propose(&self.agent, self.expected(), local, utterance)
    }

    /// The proposal in a model's answer, checked against the legal moves once more. `confidence`: the model's own, 0 to 1.
    pub fn parse_proposal(&self, json: &str, confidence: f32) -> Result<Proposal, ProposalError> {
        proposal::parse(json, confidence, &self.legal())
    }

    fn legal(&self) -> Legal {
        Legal::of_agent(&self.agent.parts).after(self.expected())
    }

    /// One step. `local`: the business's civil time. Effects are appended to `out`, in order.
    pub fn step(&mut self, local: DateTime, event: Event, out: &mut Vec<Effect>) {
        self.now = local;
        let late = matches!(event, Event::Committed { .. } | Event::CommitFailed { .. });
        if (self.stage == Stage::Ended || self.hung_up) && !late {
            return;
        }
        match event {
            Event::Began => self.begin(out),
            Event::Recorder => self.leave_message(out),
            Event::Said { text, confidence, proposals } => self.said(text, confidence, proposals, out),
            Event::Digit(key) => self.digit(key, out),
            Event::Silence { nth } => self.silence(nth, out),
            Event::Spoke { turn } => self.spoke(turn, out),
            Event::Interrupted { turn, .. } => self.was_interrupted(turn),
            Event::LookedUp { effect, busy } => self.looked_up(effect, Some(busy), out),
            Event::LookUpFailed { effect } => self.looked_up(effect, None, out),
            Event::Committed { effect, receipt } => self.committed(effect, receipt, out),
            Event::CommitFailed { effect, why } => self.commit_failed(effect, why, out),
            Event::Transfer { effect, progress } => self.transfer_news(effect, &progress, out),
            Event::RangFirst { progress } => self.rang_before_us(&progress, out),
            Event::CameBack => self.came_back(out),
            Event::EngineGone(organ) => self.engine_gone(organ, out),
            Event::EngineBack(organ) => self.engine_back(organ, out),
            Event::Bulletin { text } => self.bulletin(text, out),
            Event::BulletinWithdrawn { text } => self.bulletins.retain(|held| *held != text),
            Event::HungUp => self.caller_left(out),
        }
        self.flush(out);
        self.check_invariants();
    }

    /// How the call ended, or would end now.
    pub fn outcome(&self) -> Outcome {
        if self.transferred {
            return Outcome::Transferred;
        }
        // The last thing decided about the appointment counts, before everything of less weight.
        let last = self.done.iter().rev().find(|done| matches!(done.receipt.kind.as_str(), "booking" | "cancellation"));
        if let Some(done) = last {
            return match (done.receipt.kind.as_str(), done.moved) {
                ("cancellation", _) => Outcome::Cancelled,
                (_, true) => Outcome::Moved,
                _ => Outcome::Booked,
            };
        }
        for (kind, outcome) in [("request", Outcome::Request), ("callback", Outcome::Callback), ("message", Outcome::Message)] {
            if self.done.iter().any(|done| done.receipt.kind == kind) {
                return outcome;
            }
        }
        if self.recorded {
            return Outcome::Informed;
        }
        if self.hung_up && (self.task.is_some() || self.answered == 0) || self.turns == 0 {
            return Outcome::Abandoned;
        }
        Outcome::Informed
    }

    /// What must hold after every step.
    pub fn check_invariants(&self) {
        debug_assert!(self.draft.is_empty(), "everything drafted was said");
        debug_assert!(
            self.waiting.is_some_and(|(_, what)| what == Waiting::Commit) == self.committing.is_some(),
            "a commit is awaited with its record"
        );
        debug_assert!(self.overdue.len() <= COMMITS_OVERDUE_MAX, "late records are bounded");
        debug_assert!(self.stage != Stage::Handed || self.transferred, "only evidence hands a call over");
        debug_assert!(self.deferred.is_none() || self.waiting.is_some(), "words are put off only while something is awaited");
        debug_assert!(
            self.last_said.iter().all(|sentence| match &sentence.act {
                SpeechAct::Claim { effect } => self.done.iter().any(|done| done.effect == *effect),
                _ => true,
            }),
            "a claim has its receipt"
        );
        debug_assert!(self.grounds.len() <= super::say::GROUNDS_MAX, "what grounds sentences is bounded");
        debug_assert!(
            self.last_said.iter().all(|sentence| guard::forbidden_in(sentence.text.expose(), &self.agent.parts.forbidden).is_none())
        );
    }
}
