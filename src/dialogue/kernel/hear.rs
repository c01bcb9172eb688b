//! The caller's words: who understood them best, what is known now, and which rule answers.

use super::machine::Kernel;
use super::state::{Asked, Stage, Task, Waiting};
use crate::base::Pii;
use crate::dialogue::event::{Effect, Expected, SpeechAct};
use crate::dialogue::proposal::{Intent, Proposal, Source};
use crate::dialogue::slots::{Slot, SlotKey, SlotValues};
use crate::dialogue::wording::Key;
use crate::dialogue::words::{bounded, plain};
use crate::dialogue::{matcher, when};

/// From here on the matcher is certain: rules on yes and no, digits, days and doors do not guess.
const CERTAIN: f32 = 0.85;
/// Below, a proposal says nothing.
const WEAK: f32 = 0.4;
/// Below, the recogniser did not understand.
const UNHEARD: f32 = 0.25;

impl Kernel {
    pub(super) fn said(&mut self, text: Pii<String>, confidence: f32, proposals: Vec<Proposal>, out: &mut Vec<Effect>) {
        if matches!(self.stage, Stage::Handed | Stage::Ended) {
            return;
        }
        if self.waiting.is_some_and(|(_, what)| what == Waiting::Commit) {
            self.deferred = Some((text, confidence, proposals));
            return;
        }
        // Words after "goodbye" or "I'm putting you through" come before what was to follow.
        if let Some((_, then)) = self.then.take() {
            self.interrupted = Some(then);
        }
        let heard = bounded(text.expose()).to_owned();
        if plain(&heard).is_empty() {
            return self.missed(out);
        }
        self.turns = self.turns.saturating_add(1);
        self.keys.clear();
        let proposal = self.arbitrate(&heard, proposals, out);
        if self.ringing.is_some() {
            return self.said_while_ringing(&proposal, out);
        }
        if confidence < UNHEARD && proposal.confidence < CERTAIN {
            self.journal("unheard", "the recogniser was too unsure of these words", Some(&proposal), out);
            return self.missed(out);
        }
        if self.free_text(&heard, &proposal, out) {
            return;
        }
        let changed = self.absorb(&proposal);
        if self.through_a_door(&heard, &proposal, out) {
            return;
        }
        self.route(&heard, &proposal, &changed, out);
    }

    /// Chooses among the proposals. A certain matcher beats any model; a model beats an unsure matcher; a weak one is no proposal.
    fn arbitrate(&self, heard: &str, proposals: Vec<Proposal>, out: &mut Vec<Effect>) -> Proposal {
        let mut matched = None;
        let mut model = None;
        for proposal in proposals.into_iter().take(8) {
            match proposal.source {
                Source::Llm => model = Some(proposal),
                Source::Matcher => matched = Some(proposal),
                Source::Keypad | Source::CallerId => {}
            }
        }
        let mut matched = matched.unwrap_or_else(|| matcher::propose(&self.agent, self.expected(), self.now, heard));
        let Some(mut model) = model else {
            self.journal("understood", "by the matcher", Some(&matched), out);
            return matched;
        };
        model.confidence = if model.confidence.is_finite() { model.confidence.clamp(0.0, 1.0) } else { 0.0 };
        let legal = crate::dialogue::grammar::Legal::of_agent(&self.agent.parts).after(self.expected());
        let dropped = matcher::ungrounded(&model.slots, heard);
        model.slots.retain(|key, _| !dropped.contains(key) && legal.slots.contains(key));
        if !dropped.is_empty() {
            self.journal("ungrounded", "values that the caller did not say were dropped", Some(&model), out);
        }
        let legal_intent = legal.intents.contains(&model.intent);
        if matched.confidence >= CERTAIN || model.confidence < WEAK || !legal_intent {
            for (key, value) in model.slots {
                matched.slots.entry(key).or_insert(value);
            }
            self.journal("understood", "by the matcher, which beats the model here", Some(&matched), out);
            return matched;
        }
        for (key, value) in matched.slots {
            // What rules read from the words (days, digits) is surer than what a model copied.
            model.slots.insert(key, value);
        }
        self.journal("understood", "by the model", Some(&model), out);
        model
    }

    /// A message is taken as it is said, unless it is plainly a door.
    fn free_text(&mut self, heard: &str, proposal: &Proposal, out: &mut Vec<Effect>) -> bool {
        if self.asked != Asked::Message {
            return false;
        }
        let door = matches!(
            proposal.intent,
            Intent::Human
                | Intent::Repeat
                | Intent::Wait
                | Intent::Cancel
                | Intent::Emergency
                | Intent::Robot
                | Intent::Goodbye
                | Intent::No
        );
        if door && proposal.confidence >= CERTAIN {
            return false;
        }
        self.learn(heard);
        self.misses = 0;
        self.task = Some(Task::Message(Some(Pii::new(heard.to_owned()))));
        self.absorb(proposal);
        self.advance(out);
        true
    }

    /// Takes the proposal's values over; true when something changed.
    pub(super) fn absorb(&mut self, proposal: &Proposal) -> SlotValues {
        let mut changed = SlotValues::new();
        for (key, value) in &proposal.slots {
            let Some(value) = self.usable(*key, value.expose()) else { continue };
            let slot = Slot { value: Pii::new(value.clone()), source: proposal.source, confidence: proposal.confidence, turn: self.turns };
            self.learn(&value);
            if self.slots.set(*key, slot) || matches!(key, SlotKey::Day | SlotKey::Time) {
                changed.insert(*key, Pii::new(value));
            }
        }
        changed
    }

    /// The value in its canonical form, when it can be one; half a telephone number is kept for its other half.
    fn usable(&mut self, key: SlotKey, value: &str) -> Option<String> {
        match key {
            SlotKey::Phone => self.whole_number(value),
            SlotKey::Name => matcher::tidy_name(value),
            SlotKey::Day => when::parse_day(value).map(when::DaySaid::canonical),
            SlotKey::Time => when::parse_time(value).map(when::TimeSaid::canonical),
            SlotKey::Beds => value.chars().next().filter(|c| ('0'..='4').contains(c)).map(|c| c.to_string()),
            _ => Some(value.to_owned()),
        }
    }

    fn route(&mut self, heard: &str, proposal: &Proposal, changed: &SlotValues, out: &mut Vec<Effect>) {
        match proposal.intent {
            Intent::Yes => self.yes(heard, changed, out),
            Intent::No => self.no(heard, changed, out),
            Intent::Book => self.wants_booking(changed, out),
            Intent::Reschedule => self.wants_another_time(changed, out),
            Intent::Cancel => self.wants_to_cancel(out),
            Intent::Maintenance | Intent::Outage => self.wants_repair(heard, proposal, out),
            Intent::Message => self.wants_message(out),
            Intent::Callback => self.wants_callback(heard, out),
            _ if self.takes_as_answer(heard, proposal, changed, out) => {}
            _ => self.wants_to_know(heard, proposal, out),
        }
    }

    /// Values that carry the task at hand forward.
    fn takes_as_answer(&mut self, heard: &str, proposal: &Proposal, changed: &SlotValues, out: &mut Vec<Effect>) -> bool {
        if self.asked == Asked::Problem
            && matches!(proposal.intent, Intent::Other | Intent::Question | Intent::Status)
            && proposal.confidence < CERTAIN
        {
            self.wants_repair(heard, proposal, out);
            return true;
        }
        if self.pick_offered(heard, changed, out) {
            return true;
        }
        let given = matches!(proposal.intent, Intent::GiveName | Intent::GivePhone | Intent::GiveTime | Intent::GiveAddress);
        let when = changed.contains_key(&SlotKey::Day) || changed.contains_key(&SlotKey::Time);
        let asking = matches!(proposal.intent, Intent::Hours | Intent::Price | Intent::Question | Intent::Area | Intent::Location);
        match &self.task {
            Some(_) if changed.is_empty() && self.half_number.is_some() && self.asked == Asked::Phone => {
                self.advance(out);
                true
            }
            Some(Task::Booking(_)) if when && !asking => {
                self.misses = 0;
                self.time_told(changed);
                self.advance(out);
                true
            }
            Some(_) if !changed.is_empty() && !asking && (given || self.answers_the_question(changed)) => {
                self.misses = 0;
                self.advance(out);
                true
            }
            None if proposal.intent == Intent::GiveTime && when && self.agent.parts.bookable.is_some() => {
                self.wants_booking(changed, out);
                true
            }
            None if given && !changed.is_empty() => {
                self.misses = 0;
                self.say(&SpeechAct::Courtesy, Key::Noted, &[], out);
                self.ask_next(out);
                true
            }
            _ => false,
        }
    }

    fn answers_the_question(&self, changed: &SlotValues) -> bool {
        let wanted = match &self.asked {
            Asked::Name => SlotKey::Name,
            Asked::Phone | Asked::CallerNumber => SlotKey::Phone,
            Asked::Unit => SlotKey::Unit,
            Asked::Qualify(key) => *key,
            Asked::Confirm | Asked::WhatToChange => return !changed.is_empty(),
            _ => return false,
        };
        changed.contains_key(&wanted)
    }

    /// Not understood: once more, then a person, then whatever needs no understanding.
    pub(super) fn missed(&mut self, out: &mut Vec<Effect>) {
        self.misses = self.misses.saturating_add(1);
        self.journal("miss", "not understood", None, out);
        // A question about ourselves that is not answered is not asked a third time.
        match (&self.asked, self.misses) {
            (Asked::Qualify(_), _) | (Asked::Name | Asked::Unit, 2..) if self.task.is_some() => {
                match self.asked {
                    Asked::Name => self.name_tries = u8::MAX,
                    Asked::Unit => self.unit_tries = u8::MAX,
                    _ => {}
                }
                self.misses = 0;
                self.advance(out);
            }
            (_, 1) => {
                self.say(&SpeechAct::Courtesy, Key::Sorry, &[], out);
                self.ask_again(out);
            }
            (_, 2) => self.ask(Asked::OfferHuman, Key::TroubleOfferHuman, &[], out),
            _ => {
                self.misses = 0;
                self.take_care(Key::Trouble, out);
            }
        }
    }

    /// What is expected when the recogniser hears one word of its own.
    pub(super) fn expects_answer(&self) -> bool {
        !matches!(self.expected(), Expected::Open | Expected::Anything)
    }
}
