//! Booking: a time that is free, who comes, read back, committed, told.

use super::machine::Kernel;
use super::state::{Asked, Booking, Stage, Task, Waiting};
use crate::base::civil::{Date, DateTime};
use crate::dialogue::agent::Bookable;
use crate::dialogue::event::{Busy, Effect, EffectId, SpeechAct};
use crate::dialogue::record::Record;
use crate::dialogue::slots::{SlotKey, SlotValues};
use crate::dialogue::times::{Refusal, Wish};
use crate::dialogue::when::{self, TimeSaid};
use crate::dialogue::wording::Key;
use crate::dialogue::words::plain;

/// Times that are offered in one sentence: more cannot be remembered on the telephone.
const OFFERS: usize = 3;

impl Kernel {
    pub(super) fn wants_booking(&mut self, changed: &SlotValues, out: &mut Vec<Effect>) {
        if self.agent.parts.bookable.is_none() {
            return self.not_here(out);
        }
        self.misses = 0;
        self.offered_booking = u8::MAX;
        if !matches!(self.task, Some(Task::Booking(_))) {
            // A booking of this call is changed, not doubled.
            let replaces = self
                .held_booking()
                .map(|(id, _)| id)
                .filter(|_| changed.contains_key(&SlotKey::Day) || changed.contains_key(&SlotKey::Time));
            self.task = Some(Task::Booking(Booking { replaces, ..Booking::default() }));
        }
        self.time_told(changed);
        self.advance(out);
    }

    pub(super) fn wants_another_time(&mut self, changed: &SlotValues, out: &mut Vec<Effect>) {
        self.misses = 0;
        match (self.task.clone(), self.held_booking()) {
            (Some(Task::Booking(booking)), _) if changed.is_empty() => {
                self.task = Some(Task::Booking(Booking {
                    replaces: booking.replaces,
                    qualified: booking.qualified,
                    taken: booking.taken,
                    ..Booking::default()
                }));
                self.ask(Asked::Day, Key::AskDay, &[], out);
            }
            (Some(Task::Booking(_)), _) => {
                self.time_told(changed);
                self.advance(out);
            }
            (_, Some((id, start))) => {
                let qualified = self.agent.parts.qualify.len();
                let kept = (!changed.is_empty()).then_some(start);
                self.task = Some(Task::Booking(Booking { replaces: Some(id), chosen: kept, qualified, ..Booking::default() }));
                if changed.is_empty() {
                    return self.ask(Asked::Day, Key::AskDay, &[], out);
                }
                self.time_told(changed);
                self.advance(out);
            }
            // Somebody's appointment is theirs: the office checks who is calling before it changes anything.
            _ => self.offer_callback(Key::ChangeByOffice, "wants to move an appointment", out),
        }
    }

    pub(super) fn wants_to_cancel(&mut self, out: &mut Vec<Effect>) {
        self.misses = 0;
        match (self.task.take(), self.held_booking()) {
            (Some(_), _) => {
                self.journal("dropped", "the caller gave the task up", None, out);
                self.say(&SpeechAct::Courtesy, Key::Dropped, &[], out);
                self.ask(Asked::Anything, Key::AnythingElse, &[], out);
            }
            (None, Some((id, start))) => {
                self.task = Some(Task::Cancelling(id));
                let when = self.show(start);
                self.stage = Stage::Confirm;
                self.ask(Asked::Confirm, Key::ConfirmCancel, &[("when", &when)], out);
            }
            (None, None) => self.offer_callback(Key::ChangeByOffice, "wants to cancel an appointment", out),
        }
    }

    /// The booking of this call that stands, with its time.
    pub(super) fn held_booking(&self) -> Option<(String, DateTime)> {
        let last = self.done.iter().rev().find(|done| matches!(done.receipt.kind.as_str(), "booking" | "cancellation"))?;
        last.start.filter(|_| last.receipt.kind == "booking").map(|start| (last.receipt.id.clone(), start))
    }

    /// Takes over the day and the time just told; what was not told stays.
    pub(super) fn time_told(&mut self, changed: &SlotValues) {
        let today = self.now.date();
        let offered = if let Asked::Times(times) = &self.asked { times.clone() } else { Vec::new() };
        let Some(Task::Booking(booking)) = &mut self.task else { return };
        let day = changed.get(&SlotKey::Day).and_then(|value| when::parse_day(value.expose())).and_then(|day| day.resolve(today));
        let time = changed.get(&SlotKey::Time).and_then(|value| when::parse_time(value.expose()));
        if day.is_none() && time.is_none() {
            return;
        }
        if let Some(chosen) = booking.chosen.take() {
            booking.day = booking.day.or(Some(chosen.date()));
            booking.time = booking.time.or(Some(clock(chosen)));
        }
        if let Some(day) = day {
            booking.day = Some(day);
            if time.is_none() && matches!(booking.time, Some(TimeSaid::Part(_))) {
                booking.time = None;
            }
        }
        if let Some(time) = time {
            booking.time = Some(time);
            let same_day = offered.first().map(|first| first.date()).filter(|date| offered.iter().all(|at| at.date() == *date));
            let of_offer = offered.iter().find(|at| time.candidates().contains(&at.time())).map(|at| at.date());
            booking.day = day.or(of_offer).or(same_day).or(booking.day);
        }
    }

    /// "The first one", "the later one", "either": one of the times offered, or the only one that fits what was said.
    pub(super) fn pick_offered(&mut self, heard: &str, changed: &SlotValues, out: &mut Vec<Effect>) -> bool {
        let Asked::Times(times) = &self.asked else { return false };
        if !changed.is_empty() {
            return false;
        }
        let said = plain(heard);
        let has = |word: &str| said.iter().any(|said| said == word);
        let at = if has("first") || has("earlier") || has("earliest") || has("either") || has("any") || has("both") || has("former") {
            0
        } else if has("second") || has("latter") {
            1
        } else if has("third") {
            2
        } else if has("last") || has("later") || has("latest") {
            times.len().saturating_sub(1)
        } else {
            return false;
        };
        let Some(start) = times.get(at).copied() else { return false };
        self.choose(start);
        self.advance(out);
        true
    }

    pub(super) fn choose(&mut self, start: DateTime) {
        self.misses = 0;
        if let Some(Task::Booking(booking)) = &mut self.task {
            booking.day = Some(start.date());
            booking.time = Some(clock(start));
            booking.chosen = Some(start);
        }
    }

    pub(super) fn advance_booking(&mut self, mut booking: Booking, out: &mut Vec<Effect>) {
        let Some(bookable) = self.agent.parts.bookable.clone() else { return self.not_here(out) };
        let Some(busy) = self.busy.clone() else { return self.look_up(&bookable, out) };
        let Some(start) = self.settle_time(&booking, &bookable, &busy, out) else { return };
        booking.chosen = Some(start);
        self.stage = Stage::Qualify;
        while let Some(question) = self.agent.parts.qualify.get(booking.qualified).cloned() {
            booking.qualified += 1;
            if self.slots.get(question.slot).is_none() && !self.deaf {
                self.task = Some(Task::Booking(booking));
                return self.ask_text(Asked::Qualify(question.slot), &question.ask, out);
            }
        }
        self.task = Some(Task::Booking(booking));
        if self.ask_reach(true, out) {
            return;
        }
        self.stage = Stage::Confirm;
        let when = self.show(start);
        let reach = self.reach();
        let resource = bookable.resource;
        self.ask(
            Asked::Confirm,
            reach.key(Key::ConfirmBooking, Key::ConfirmBookingNoName),
            &reach.values(&[("what", &resource), ("when", &when)]),
            out,
        );
    }

    fn look_up(&mut self, bookable: &Bookable, out: &mut Vec<Effect>) {
        let id = self.effect();
        self.waiting = Some((id, Waiting::LookUp));
        let to = bookable
            .last_day(self.now)
            .tomorrow()
            .unwrap_or_else(|_| bookable.last_day(self.now))
            .to_datetime(crate::base::civil::Time::midnight());
        out.push(Effect::LookUp { id, resource: bookable.resource.clone(), from: self.now, to });
    }

    pub(super) fn looked_up(&mut self, effect: EffectId, busy: Option<Vec<Busy>>, out: &mut Vec<Effect>) {
        if self.waiting != Some((effect, Waiting::LookUp)) {
            return;
        }
        self.waiting = None;
        match busy {
            Some(mut busy) => {
                busy.truncate(10_000);
                self.busy = Some(busy);
                if matches!(self.task, Some(Task::Booking(_))) {
                    self.advance(out);
                }
            }
            None if matches!(self.task, Some(Task::Booking(_))) => {
                self.journal("look-up-failed", "free times cannot be read: a person calls back", None, out);
                self.take_care(Key::CannotBookNow, out);
            }
            None => {}
        }
    }

    /// The time that was wished for when it can be had; otherwise a question with times that can.
    fn settle_time(&mut self, booking: &Booking, bookable: &Bookable, busy: &[Busy], out: &mut Vec<Effect>) -> Option<DateTime> {
        let free = |start: DateTime| bookable.check(start, self.now, busy);
        if let Some(chosen) = booking.chosen.filter(|chosen| free(*chosen).is_ok()) {
            return Some(chosen);
        }
        match (booking.day, booking.time) {
            (Some(day), Some(time @ TimeSaid::Clock { .. })) => {
                let wishes: Vec<DateTime> = time.candidates().into_iter().map(|time| day.to_datetime(time)).collect();
                if let Some(start) = wishes.iter().copied().find(|start| free(*start).is_ok()) {
                    // Between two places on the grid there is no appointment of one's own.
                    if bookable.free_on(day, self.now, busy).contains(&start) {
                        return Some(start);
                    }
                }
                let wished = *wishes.first()?;
                let why =
                    wishes.iter().find_map(|start| free(*start).err().filter(|why| *why == Refusal::Taken)).or_else(|| free(wished).err());
                let near = bookable.nearest(wished, self.now, busy, 2);
                self.offer(&near, Self::refusal_key(why), wished, out);
            }
            (Some(day), time) => {
                let mut of_day = bookable.free_on(day, self.now, busy);
                if let Some(TimeSaid::Part(part)) = time {
                    of_day.retain(|start| part.contains(start.hour()));
                }
                if of_day.is_empty() {
                    let wished = day.to_datetime(bookable.hours.on(day).map_or_else(crate::base::civil::Time::midnight, |span| span.from));
                    let why = bookable.check(wished, self.now, busy).err().unwrap_or(Refusal::Taken);
                    let near = bookable.next_free(day, self.now, busy, Wish { time, spread: true, count: 2 });
                    self.offer(&near, Self::refusal_key(Some(why)), wished, out);
                } else {
                    self.offer_of_day(&spread(&of_day), day, out);
                }
            }
            (None, time) => {
                let next = bookable.next_free(self.now.date(), self.now, busy, Wish { time, spread: time.is_some(), count: 2 });
                let next = if time.is_none() { self.two_days(bookable, busy) } else { next };
                self.offer(&next, Key::OfferTimes, self.now, out);
            }
        }
        None
    }

    /// The next free time and one of the day after it: a choice.
    fn two_days(&self, bookable: &Bookable, busy: &[Busy]) -> Vec<DateTime> {
        bookable.next_free(self.now.date(), self.now, busy, Wish { time: None, spread: true, count: 2 })
    }

    fn refusal_key(why: Option<Refusal>) -> Key {
        match why {
            Some(Refusal::Past) => Key::TimePast,
            Some(Refusal::TooFar) => Key::TimeTooFar,
            Some(Refusal::Closed | Refusal::Outside) => Key::TimeOutside,
            Some(Refusal::Taken) => Key::TimeTaken,
            None => Key::TimeNearest,
        }
    }

    fn offer(&mut self, times: &[DateTime], key: Key, wished: DateTime, out: &mut Vec<Effect>) {
        self.stage = Stage::Qualify;
        if key != Key::OfferTimes {
            let resource = self
                .agent
                .parts
                .bookable
                .as_ref()
                .map(|bookable| (bookable.resource.clone(), bookable.hours.describe()))
                .unwrap_or_default();
            self.learn(&resource.1);
            let when = self.show(wished);
            self.say(&SpeechAct::Inform, key, &[("what", &resource.0), ("hours", &resource.1), ("when", &when)], out);
        }
        let shown: Vec<String> = times.iter().map(|start| self.show(*start)).collect();
        match shown.as_slice() {
            [] => self.take_care(Key::NothingFree, out),
            [one] => self.ask(Asked::Times(times.to_vec()), Key::OfferOne, &[("when", one)], out),
            [_, _, ..] if times.iter().all(|at| Some(at.date()) == times.first().map(|first| first.date())) => {
                let day = times.first().map_or(wished.date(), |first| first.date());
                self.offer_of_day(times, day, out);
            }
            [one, other, ..] => self.ask(Asked::Times(times.to_vec()), Key::OfferTwo, &[("one", one), ("other", other)], out),
        }
    }

    fn offer_of_day(&mut self, times: &[DateTime], day: Date, out: &mut Vec<Effect>) {
        self.stage = Stage::Qualify;
        let date = when::show_near(day, self.now.date());
        let shown: Vec<String> = times.iter().map(|start| when::show_time(start.time())).collect();
        self.learn(&date);
        self.learn(&shown.join(" "));
        if let Some(Task::Booking(booking)) = &mut self.task {
            booking.day = Some(day);
        }
        if let [one] = shown.as_slice() {
            return self.ask(Asked::Times(times.to_vec()), Key::OfferOneOfDay, &[("day", &date), ("time", one)], out);
        }
        let list = list(&shown);
        self.ask(Asked::Times(times.to_vec()), Key::OfferDay, &[("day", &date), ("times", &list)], out);
    }

    pub(super) fn commit_booking(&mut self, booking: &Booking, out: &mut Vec<Effect>) {
        let (Some(bookable), Some(start)) = (self.agent.parts.bookable.clone(), booking.chosen) else { return self.advance(out) };
        if self.books_are_uncertain() {
            self.journal("uncertain", "an earlier appointment may still come to be: no second one is made on top of it", None, out);
            return self.take_care(Key::CannotBookNow, out);
        }
        let reach = self.reach();
        let record = Record::Booking {
            resource: bookable.resource,
            start,
            minutes: bookable.minutes,
            capacity: bookable.capacity,
            name: reach.name,
            phone: reach.phone,
            note: self.qualified_note(),
            replaces: booking.replaces.clone(),
        };
        self.commit(record, out);
    }

    /// What the qualification found out, "beds 2".
    fn qualified_note(&self) -> String {
        let told = self
            .agent
            .parts
            .qualify
            .iter()
            .filter_map(|question| self.slots.get(question.slot).map(|value| format!("{} {value}", question.slot.as_str())));
        told.collect::<Vec<_>>().join(", ")
    }

    /// A date and time as it is spoken, from now on a ground for sentences.
    pub(super) fn show(&mut self, at: DateTime) -> String {
        let shown = when::show(at, self.now.date());
        self.learn(&shown);
        shown
    }
}

fn clock(at: DateTime) -> TimeSaid {
    let half = if at.hour() < 12 { when::Half::Am } else { when::Half::Pm };
    TimeSaid::Clock { hour: at.hour(), minute: at.minute(), half: Some(half) }
}

/// At most three of `times`: the first, the middle and the last.
fn spread(times: &[DateTime]) -> Vec<DateTime> {
    if times.len() <= OFFERS {
        return times.to_vec();
    }
    [0, times.len() / 2, times.len() - 1].iter().filter_map(|at| times.get(*at).copied()).collect()
}

/// "a, b and c".
fn list(items: &[String]) -> String {
    match items.split_last() {
        Some((last, front)) if !front.is_empty() => format!("{} and {last}", front.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
