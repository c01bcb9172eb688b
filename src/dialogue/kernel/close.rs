//! Yes, no and the end of the call.

use super::machine::Kernel;
use super::state::{Asked, Stage, Task, Then};
use crate::base::TurnId;
use crate::dialogue::event::{Effect, SpeechAct};
use crate::dialogue::record::Record;
use crate::dialogue::slots::{SlotKey, SlotValues};
use crate::dialogue::wording::Key;

impl Kernel {
    pub(super) fn yes(&mut self, heard: &str, changed: &SlotValues, out: &mut Vec<Effect>) {
        self.misses = 0;
        let when = changed.contains_key(&SlotKey::Day) || changed.contains_key(&SlotKey::Time);
        match self.asked.clone() {
            Asked::Confirm if changed.is_empty() => self.confirmed(out),
            Asked::Times(times) if !when => {
                if self.pick_offered(heard, changed, out) {
                    return;
                }
                match times.as_slice() {
                    [one] => {
                        self.choose(*one);
                        self.advance(out);
                    }
                    _ => self.ask_again(out),
                }
            }
            Asked::CallerNumber if !changed.contains_key(&SlotKey::Phone) => {
                self.take_network_number();
                self.advance(out);
            }
            Asked::OfferBooking => self.wants_booking(changed, out),
            Asked::OfferCallback => self.wants_callback(heard, out),
            Asked::OfferHuman => self.wants_human(out),
            Asked::BeforeGoodbye => {
                self.advance(out);
            }
            Asked::Anything | Asked::Open if self.task.is_none() && !when => self.ask(Asked::Open, Key::GoAhead, &[], out),
            _ => {
                self.time_told(changed);
                if self.task.is_none() && when {
                    return self.wants_booking(changed, out);
                }
                self.advance(out);
            }
        }
    }

    pub(super) fn no(&mut self, heard: &str, changed: &SlotValues, out: &mut Vec<Effect>) {
        self.misses = 0;
        let when = changed.contains_key(&SlotKey::Day) || changed.contains_key(&SlotKey::Time);
        if when && (self.task.is_some() || self.held_booking().is_some()) {
            return self.wants_another_time(changed, out);
        }
        match self.asked.clone() {
            Asked::Confirm | Asked::WhatToChange if !changed.is_empty() => self.advance(out),
            Asked::Confirm if matches!(self.task, Some(Task::Cancelling(_))) => {
                self.task = None;
                self.say(&SpeechAct::Courtesy, Key::Kept, &[], out);
                self.ask(Asked::Anything, Key::AnythingElse, &[], out);
            }
            Asked::Confirm => {
                self.stage = Stage::Qualify;
                self.ask(Asked::WhatToChange, Key::WhatToChange, &[], out);
            }
            Asked::WhatToChange => self.ask(Asked::OfferHuman, Key::TroubleOfferHuman, &[], out),
            Asked::CallerNumber if !changed.contains_key(&SlotKey::Phone) => {
                self.number_declined = true;
                self.advance(out);
            }
            Asked::Times(_) => {
                if let Some(Task::Booking(booking)) = &mut self.task {
                    booking.time = None;
                    booking.chosen = None;
                }
                self.ask(Asked::Day, Key::AskDay, &[], out);
            }
            Asked::OfferHuman if self.unheard_too_often() => self.take_care(Key::Trouble, out),
            Asked::OfferBooking | Asked::OfferCallback | Asked::OfferHuman => {
                self.unknown = None;
                if matches!(self.task, Some(Task::Booking(_) | Task::Request(_) | Task::Message(_))) && self.asked != Asked::OfferBooking {
                    self.question.clear();
                    return self.advance(out);
                }
                self.task = None;
                self.ask(Asked::Anything, Key::AnythingElse, &[], out);
            }
            Asked::BeforeGoodbye => {
                self.task = None;
                self.close(out);
            }
            Asked::Anything => self.close(out),
            _ if self.task.is_some() && !changed.is_empty() => self.advance(out),
            Asked::Name => {
                self.name_tries = u8::MAX;
                self.advance(out);
            }
            Asked::Phone if changed.is_empty() => {
                self.phone_tries = u8::MAX;
                self.advance(out);
            }
            Asked::Qualify(_) | Asked::Unit => {
                self.unit_tries = self.unit_tries.max(1);
                self.advance(out);
            }
            _ => {
                let _ = heard;
                self.ask(Asked::Open, Key::HowHelp, &[], out);
            }
        }
    }

    fn unheard_too_often(&self) -> bool {
        self.misses >= 3
    }

    /// What was read back is right.
    fn confirmed(&mut self, out: &mut Vec<Effect>) {
        match self.task.clone() {
            Some(Task::Booking(booking)) => self.commit_booking(&booking, out),
            Some(Task::Cancelling(booking)) => self.commit(Record::Cancellation { booking }, out),
            Some(Task::Request(request)) => self.commit_request(&request, out),
            Some(Task::Message(Some(text))) => self.commit_message(text, out),
            Some(Task::Callback(callback)) => self.commit_callback(callback, out),
            Some(Task::Message(None)) | None => self.advance(out),
        }
    }

    /// "Goodbye". A task that lacks only the caller's yes is asked about once.
    pub(super) fn goodbye(&mut self, interrupted: Option<Then>, out: &mut Vec<Effect>) -> bool {
        if interrupted == Some(Then::HangUp) {
            self.close(out);
            return true;
        }
        if self.task.is_some() && self.asked != Asked::BeforeGoodbye {
            let text = std::mem::take(&mut self.question);
            self.ask(Asked::BeforeGoodbye, Key::BeforeGoodbye, &[], out);
            drop(text);
            return true;
        }
        self.task = None;
        self.close(out);
        true
    }

    pub(super) fn close(&mut self, out: &mut Vec<Effect>) {
        self.journal("close", self.outcome().as_str(), None, out);
        self.stage = Stage::Close;
        self.asked = Asked::Anything;
        let business = self.agent.parts.business.clone();
        self.say(&SpeechAct::Courtesy, Key::Goodbye, &[("business", &business)], out);
        self.after_speaking(Then::HangUp);
    }

    pub(super) fn spoke(&mut self, turn: TurnId, out: &mut Vec<Effect>) {
        if let Some((_, then)) = self.then.take_if(|(due, _)| *due == turn) {
            self.follow(then, out);
        }
    }

    /// Words that were to be followed by something were cut short. Words before them do not count: that these were cut may be told only when the
    /// answer to what cut them, such as a key for a person, is being spoken already.
    pub(super) fn was_interrupted(&mut self, turn: TurnId) {
        if let Some((_, then)) = self.then.take_if(|(due, _)| *due == turn) {
            self.interrupted = Some(then);
        }
    }

    pub(super) fn caller_left(&mut self, out: &mut Vec<Effect>) {
        self.hung_up = true;
        if let Some(ringing) = self.ringing.take() {
            out.push(Effect::CancelTransfer { id: ringing.effect });
        }
        self.then = None;
        self.deferred = None;
        self.journal("hung-up", self.outcome().as_str(), None, out);
        if self.waiting.is_none() {
            self.stage = Stage::Ended;
        }
    }
}
