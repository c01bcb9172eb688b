//! Requests, messages, callbacks: what is still missing, the commit, and what may be said once the receipt is there.

use super::machine::Kernel;
use super::reach::show_phone;
use super::state::{Asked, Callback, Request, Stage, Task, Waiting};
use crate::base::Pii;
use crate::base::civil::{DateTime, ToSpan};
use crate::dialogue::event::{CommitFailure, Effect, EffectId, Receipt, SpeechAct};
use crate::dialogue::proposal::{Intent, Proposal};
use crate::dialogue::record::Record;
use crate::dialogue::slots::SlotKey;
use crate::dialogue::wording::Key;
use crate::dialogue::{guard, matcher};

/// Commits of one task that may fail before the call stops trying.
const FAILURES_MAX: u8 = 2;

impl Kernel {
    /// The next thing the task at hand needs.
    pub(super) fn advance(&mut self, out: &mut Vec<Effect>) {
        if self.waiting.is_some() {
            return;
        }
        match self.task.clone() {
            Some(Task::Booking(booking)) => self.advance_booking(booking, out),
            Some(Task::Request(request)) => self.advance_request(&request, out),
            Some(Task::Message(text)) => self.advance_message(text.as_ref(), out),
            Some(Task::Callback(callback)) => self.advance_callback(callback, out),
            Some(Task::Cancelling(_)) => self.ask_again(out),
            None => self.ask_next(out),
        }
    }

    pub(super) fn wants_repair(&mut self, heard: &str, proposal: &Proposal, out: &mut Vec<Effect>) {
        let Some(requests) = self.agent.parts.requests.clone() else { return self.elsewhere(out) };
        self.misses = 0;
        if proposal.intent == Intent::Outage && !self.bulletins.is_empty() {
            self.tell_bulletins(out);
        }
        let mut request = match self.task.take() {
            Some(Task::Request(request)) => request,
            _ => Request::default(),
        };
        if let Some(problem) = matcher::problem(heard, proposal) {
            self.learn(&problem);
            request.urgent |= guard::contains_any(heard, &requests.urgent).is_some();
            request.problem = Some(Pii::new(match request.problem.take() {
                Some(before) if self.asked != Asked::Problem && self.asked != Asked::Confirm => format!("{}; {problem}", before.expose()),
                _ => problem,
            }));
        }
        self.task = Some(Task::Request(request));
        self.advance(out);
    }

    fn advance_request(&mut self, request: &Request, out: &mut Vec<Effect>) {
        self.stage = Stage::Qualify;
        let Some(problem) = request.problem.clone() else { return self.ask(Asked::Problem, Key::AskProblem, &[], out) };
        if self.slots.get(SlotKey::Unit).is_none() && self.unit_tries < 2 {
            self.unit_tries += 1;
            return self.ask(Asked::Unit, if self.unit_tries == 1 { Key::AskUnit } else { Key::AskUnitAgain }, &[], out);
        }
        if self.ask_reach(true, out) {
            return;
        }
        self.stage = Stage::Confirm;
        let reach = self.reach();
        let unit = self.slots.get(SlotKey::Unit).map(str::to_owned).unwrap_or_default();
        let key = match (unit.is_empty(), reach.name.is_some() && reach.phone.is_some()) {
            // Words that would sound like a claim of ours are kept, but not repeated.
            _ if guard::claim_in(problem.expose()).is_some() => Key::ConfirmRequestUnread,
            (false, true) => Key::ConfirmRequest,
            _ => Key::ConfirmRequestShort,
        };
        self.ask(Asked::Confirm, key, &reach.values(&[("problem", problem.expose()), ("unit", &unit)]), out);
    }

    pub(super) fn commit_request(&mut self, request: &Request, out: &mut Vec<Effect>) {
        let (Some(requests), Some(problem)) = (self.agent.parts.requests.clone(), request.problem.clone()) else {
            return self.advance(out);
        };
        let due = if request.urgent {
            self.now.checked_add(i64::from(requests.urgent_due_minutes).minutes()).unwrap_or(self.now)
        } else {
            self.agent.parts.hours.after_working(self.now, requests.due_minutes)
        };
        let reach = self.reach();
        let unit = self.slots.get(SlotKey::Unit).map(|unit| Pii::new(unit.to_owned()));
        let owner = self.agent.parts.door.target.clone();
        self.commit(Record::Request { problem, unit, urgent: request.urgent, name: reach.name, phone: reach.phone, due, owner }, out);
    }

    pub(super) fn wants_message(&mut self, out: &mut Vec<Effect>) {
        self.misses = 0;
        if !matches!(self.task, Some(Task::Message(_))) {
            self.task = Some(Task::Message(None));
        }
        self.advance(out);
    }

    fn advance_message(&mut self, text: Option<&Pii<String>>, out: &mut Vec<Effect>) {
        self.stage = Stage::Qualify;
        if text.is_none() {
            return self.ask(Asked::Message, Key::AskMessage, &[], out);
        }
        if self.ask_reach(true, out) {
            return;
        }
        self.stage = Stage::Confirm;
        let reach = self.reach();
        self.ask(Asked::Confirm, reach.key(Key::ConfirmMessage, Key::ConfirmMessageShort), &reach.values(&[]), out);
    }

    pub(super) fn commit_message(&mut self, text: Pii<String>, out: &mut Vec<Effect>) {
        let due = self.due();
        let reach = self.reach();
        let owner = self.agent.parts.door.target.clone();
        self.commit(Record::Message { text, name: reach.name, phone: reach.phone, due, owner }, out);
    }

    pub(super) fn wants_callback(&mut self, heard: &str, out: &mut Vec<Effect>) {
        self.misses = 0;
        if !matches!(self.task, Some(Task::Callback(_))) {
            let reason = self.unknown.take().unwrap_or_else(|| Pii::new(heard.to_owned()));
            self.task = Some(Task::Callback(Callback { reason, plain_minutes: None }));
        }
        self.advance(out);
    }

    /// "Shall somebody call you back about it?"
    pub(super) fn offer_callback(&mut self, key: Key, reason: &str, out: &mut Vec<Effect>) {
        self.misses = 0;
        self.unknown = Some(Pii::new(reason.to_owned()));
        self.ask(Asked::OfferCallback, key, &[], out);
    }

    /// A callback is a promise: number first, then the record, then the words. A spoken number is read back; the network's own is not asked about again.
    fn advance_callback(&mut self, callback: Callback, out: &mut Vec<Effect>) {
        self.stage = Stage::Qualify;
        let spoken = self.slots.slot(SlotKey::Phone).cloned();
        match (spoken, self.network_number()) {
            (Some(_), _) => self.commit_callback(callback, out),
            (None, Some(_)) => {
                self.take_network_number();
                self.commit_callback(callback, out);
            }
            (None, None) if self.network_line().is_some() => self.commit_callback(callback, out),
            (None, None) => {
                if self.ask_reach(false, out) {
                    return;
                }
                // Without a number nobody can be called back: a message with what is known is better than a promise.
                let text = Pii::new(format!("No number was left. {}", callback.reason.expose()));
                self.commit_message(text, out);
            }
        }
    }

    pub(super) fn commit_callback(&mut self, callback: Callback, out: &mut Vec<Effect>) {
        let number = self.slots.get(SlotKey::Phone).map(str::to_owned);
        let Some(phone) = number.or_else(|| self.network_line()).map(Pii::new) else { return };
        let due = match callback.plain_minutes {
            Some(minutes) => self.now.checked_add(i64::from(minutes).minutes()).unwrap_or(self.now),
            None => self.due(),
        };
        let name = self.reach().name;
        let owner = self.agent.parts.door.target.clone();
        self.commit(Record::Callback { reason: callback.reason, name, phone, due, owner }, out);
    }

    /// When an ordinary callback is due.
    pub(super) fn due(&self) -> DateTime {
        let door = &self.agent.parts.door;
        door.hours.as_ref().unwrap_or(&self.agent.parts.hours).after_working(self.now, door.callback_minutes)
    }

    pub(super) fn commit(&mut self, record: Record, out: &mut Vec<Effect>) {
        if self.waiting.is_some() {
            return;
        }
        self.stage = Stage::Act;
        let id = self.effect();
        self.waiting = Some((id, Waiting::Commit));
        self.committing = Some(record.clone());
        self.journal("commit", record.kind(), None, out);
        out.push(Effect::Commit { id, record });
    }

    pub(super) fn committed(&mut self, effect: EffectId, receipt: Receipt, out: &mut Vec<Effect>) {
        if self.waiting != Some((effect, Waiting::Commit)) {
            return self.committed_late(effect, receipt, out);
        }
        self.waiting = None;
        let Some(record) = self.committing.take() else { return };
        self.keep(effect, receipt, &record);
        self.task = None;
        self.failures = 0;
        self.misses = 0;
        if self.nobody_listens() {
            return;
        }
        self.tell_done(effect, &record, out);
        self.ask(Asked::Anything, Key::AnythingElse, &[], out);
        self.stage = Stage::Inform;
        self.hear_deferred(out);
    }

    /// The caller has left, or speaks with a person: what was committed stands, and nothing is said.
    pub(super) fn nobody_listens(&mut self) -> bool {
        if self.hung_up {
            self.stage = Stage::Ended;
        }
        matches!(self.stage, Stage::Handed | Stage::Ended)
    }

    pub(super) fn tell_done(&mut self, effect: EffectId, record: &Record, out: &mut Vec<Effect>) {
        let claim = SpeechAct::Claim { effect };
        match record {
            Record::Booking { resource, start, replaces, .. } => {
                let when = self.show(*start);
                let key = if replaces.is_some() { Key::Moved } else { Key::Booked };
                self.say(&claim, key, &[("what", resource), ("when", &when)], out);
            }
            Record::Cancellation { .. } => self.say(&claim, Key::Cancelled, &[], out),
            Record::Request { urgent, .. } => {
                self.say(&claim, Key::RequestKept, &[], out);
                let requests = self.agent.parts.requests.clone();
                let promise = requests.map(|requests| if *urgent { requests.urgent_promise } else { requests.promise });
                self.say_text(&SpeechAct::Inform, &promise.unwrap_or_default(), out);
            }
            Record::Message { due, phone, .. } => {
                let when = self.show(*due);
                let spoken = self.agent.parts.door.spoken.clone();
                let key = if phone.is_some() { Key::MessageKept } else { Key::MessageKeptNoPhone };
                self.say(&claim, key, &[("door", &spoken), ("when", &when)], out);
            }
            Record::Callback { phone, due, .. } => {
                let when = self.show(*due);
                let spoken = self.agent.parts.door.spoken.clone();
                if self.network_line().as_deref() == Some(phone.expose()) {
                    self.say(&claim, Key::CallbackKeptLine, &[("door", &spoken), ("when", &when)], out);
                    return;
                }
                let phone = show_phone(phone.expose());
                self.learn(&phone);
                self.say(&claim, Key::CallbackKept, &[("door", &spoken), ("phone", &phone), ("when", &when)], out);
            }
        }
    }

    pub(super) fn commit_failed(&mut self, effect: EffectId, why: CommitFailure, out: &mut Vec<Effect>) {
        if self.waiting != Some((effect, Waiting::Commit)) {
            return self.never_kept(effect);
        }
        self.waiting = None;
        let Some(record) = self.committing.take() else { return };
        if why == CommitFailure::Late {
            self.put_off(effect, &record);
        }
        if self.nobody_listens() {
            return;
        }
        match (record, why) {
            (Record::Booking { start, minutes, capacity, .. }, CommitFailure::Taken) => self.taken_meanwhile(start, minutes, capacity, out),
            (record, _) => self.could_not_keep(&record, out),
        }
        self.hear_deferred(out);
    }

    /// Somebody else was faster: the next best times.
    fn taken_meanwhile(&mut self, start: DateTime, minutes: u16, capacity: u16, out: &mut Vec<Effect>) {
        self.journal("taken", "the time went to somebody else while it was read back", None, out);
        let taken = crate::dialogue::event::Busy { start, minutes };
        if let Some(busy) = &mut self.busy {
            busy.extend(std::iter::repeat_n(taken, usize::from(capacity.clamp(1, 1_000))));
        }
        let Some(Task::Booking(booking)) = &mut self.task else { return self.ask_next(out) };
        booking.taken = booking.taken.saturating_add(1);
        booking.chosen = None;
        if booking.taken > 3 {
            return self.take_care(Key::CannotBookNow, out);
        }
        self.advance(out);
    }

    /// The store cannot keep it. Nothing is claimed; a callback is tried, then a person.
    fn could_not_keep(&mut self, record: &Record, out: &mut Vec<Effect>) {
        self.journal("not-kept", record.kind(), None, out);
        self.failures = self.failures.saturating_add(1);
        self.task = None;
        if self.failures >= FAILURES_MAX || matches!(record, Record::Callback { .. }) {
            self.failures = 0;
            self.say(&SpeechAct::Courtesy, Key::CannotKeep, &[], out);
            return self.ask(Asked::OfferHuman, Key::OfferHuman, &[], out);
        }
        self.take_care(Key::CannotBookNow, out);
    }

    /// What the caller said while the record was being written.
    fn hear_deferred(&mut self, out: &mut Vec<Effect>) {
        if self.waiting.is_none()
            && let Some((text, confidence, proposals)) = self.deferred.take()
        {
            self.said(text, confidence, proposals, out);
        }
    }

    /// A matter of another desk.
    fn elsewhere(&mut self, out: &mut Vec<Effect>) {
        self.misses = 0;
        if let Some(text) = self.agent.parts.elsewhere.clone() {
            self.say_text(&SpeechAct::Inform, &text, out);
        }
        self.ask(Asked::OfferHuman, Key::OfferHuman, &[], out);
    }

    /// This desk books nothing.
    pub(super) fn not_here(&mut self, out: &mut Vec<Effect>) {
        self.offer_callback(Key::NotBookedHere, "wants an appointment", out);
    }
}
