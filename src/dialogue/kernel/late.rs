//! A receipt that comes after the caller was told that nothing could be kept: it is honoured. Who still listens is told with the proof in hand;
//! for who does not, the house gets a message, because what stands in the books is not what the caller believes.

use super::machine::Kernel;
use super::state::{Asked, Done, Stage, Task};
use crate::base::Pii;
use crate::base::limits::COMMITS_OVERDUE_MAX;
use crate::dialogue::event::{Effect, EffectId, Receipt};
use crate::dialogue::record::Record;
use crate::dialogue::wording::Key;

impl Kernel {
    /// The store gave no answer in time: the record may still come to be.
    pub(super) fn put_off(&mut self, effect: EffectId, record: &Record) {
        if self.overdue.len() >= COMMITS_OVERDUE_MAX {
            self.overdue.remove(0);
        }
        self.overdue.push((effect, record.clone()));
    }

    /// It is certain now that the record will not come to be.
    pub(super) fn never_kept(&mut self, effect: EffectId) {
        self.overdue.retain(|(overdue, _)| *overdue != effect);
    }

    /// Whether an appointment may have been made or given up without our knowing: another one would be a guess.
    pub(super) fn books_are_uncertain(&self) -> bool {
        self.overdue.iter().any(|(_, record)| matches!(record, Record::Booking { .. } | Record::Cancellation { .. }))
    }

    /// The receipt has come after all.
    pub(super) fn committed_late(&mut self, effect: EffectId, receipt: Receipt, out: &mut Vec<Effect>) {
        let Some(at) = self.overdue.iter().position(|(overdue, _)| *overdue == effect) else { return };
        let (_, record) = self.overdue.remove(at);
        self.keep(effect, receipt, &record);
        if self.nobody_listens() || self.ringing.is_some() {
            self.journal("late-receipt", "kept after all, and the caller does not know: the house tells them", None, out);
            return self.have_them_told(&record, out);
        }
        self.journal("late-receipt", "kept after all, and the caller is told", None, out);
        self.tell_done(effect, &record, out);
        if self.waiting.is_some() || self.then.is_some() {
            return;
        }
        // The callback was only wanted because this could not be kept.
        if matches!(self.task, None | Some(Task::Callback(_))) {
            self.task = None;
            self.ask(Asked::Anything, Key::AnythingElse, &[], out);
            self.stage = Stage::Inform;
            return;
        }
        self.ask_again(out);
    }

    /// What was done, with its proof. What the record is decides; what a store calls it does not.
    pub(super) fn keep(&mut self, effect: EffectId, receipt: Receipt, record: &Record) {
        let (start, moved) = match record {
            Record::Booking { start, replaces, .. } => (Some(*start), replaces.is_some()),
            _ => (None, false),
        };
        let receipt = Receipt { kind: record.kind().to_owned(), id: receipt.id };
        self.done.push(Done { effect, receipt, start, moved });
    }

    /// Requests, messages and callbacks are in somebody's hands already; an appointment that its owner does not know of needs a word.
    fn have_them_told(&mut self, record: &Record, out: &mut Vec<Effect>) {
        let (what, name, phone) = match record {
            Record::Booking { resource, start, name, phone, .. } => {
                (format!("A {resource} on {} was booked", self.show(*start)), name.clone(), phone.clone())
            }
            Record::Cancellation { .. } => {
                let reach = self.reach();
                ("An appointment was cancelled".to_owned(), reach.name, reach.phone)
            }
            _ => return,
        };
        let phone = phone.or_else(|| self.network_number().or_else(|| self.network_line()).map(Pii::new));
        let text = Pii::new(format!("{what} after the caller had been told that it could not be. Please let them know."));
        let (due, owner) = (self.due(), self.agent.parts.door.target.clone());
        let id = self.effect();
        out.push(Effect::Commit { id, record: Record::Message { text, name, phone, due, owner } });
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Pii;
    use crate::base::civil::DateTime;
    use crate::dialogue::kernel::state::CallFacts;
    use crate::dialogue::scenarios::agent;
    use crate::dialogue::{CommitFailure, Effect, EffectId, Event, Kernel, Outcome, Receipt, Record, SpeechAct};

    /// A call that has just confirmed a tour; the commit that it asks for.
    fn booking() -> (Kernel, DateTime, EffectId) {
        let facts = CallFacts { caller_number: Some(Pii::new("+13125550188".to_owned())), ..CallFacts::default() };
        let mut kernel = Kernel::new(agent("leasing"), facts);
        let now: DateTime = "2026-11-23T12:00".parse().unwrap();
        step(&mut kernel, now, Event::Began);
        for words in ["I'd like to book a tour for Tuesday at three thirty", "two", "Anna Smith", "yes", "yes", "yes"] {
            let out = said(&mut kernel, now, words);
            if let Some(Effect::Commit { id, record: Record::Booking { .. } }) = out.iter().find(|it| matches!(it, Effect::Commit { .. })) {
                return (kernel, now, *id);
            }
        }
        panic!("the tour is confirmed");
    }

    /// One event, and the look-ups that it asks for answered with a free calendar.
    fn step(kernel: &mut Kernel, now: DateTime, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        kernel.step(now, event, &mut out);
        let lookups: Vec<EffectId> =
            out.iter().filter_map(|it| if let Effect::LookUp { id, .. } = it { Some(*id) } else { None }).collect();
        for effect in lookups {
            kernel.step(now, Event::LookedUp { effect, busy: Vec::new() }, &mut out);
        }
        out
    }

    fn said(kernel: &mut Kernel, now: DateTime, words: &str) -> Vec<Effect> {
        step(kernel, now, Event::Said { text: Pii::new(words.to_owned()), confidence: 0.9, proposals: Vec::new() })
    }

    fn receipt(effect: EffectId) -> Event {
        Event::Committed { effect, receipt: Receipt { kind: "booking".to_owned(), id: "b-1".to_owned() } }
    }

    fn claims(out: &[Effect], of: EffectId) -> bool {
        let claims = |effect: &Effect| match effect {
            Effect::Say { sentences, .. } => sentences.iter().any(|sentence| sentence.act == SpeechAct::Claim { effect: of }),
            _ => false,
        };
        out.iter().any(claims)
    }

    fn late(kernel: &mut Kernel, now: DateTime, effect: EffectId) -> Vec<Effect> {
        step(kernel, now, Event::CommitFailed { effect, why: CommitFailure::Late })
    }

    #[test]
    fn a_receipt_that_comes_late_is_honoured_and_told() {
        let (mut kernel, now, effect) = booking();
        let out = late(&mut kernel, now, effect);
        assert!(!claims(&out, effect) && kernel.outcome() != Outcome::Booked, "nothing is claimed without the receipt");
        let out = step(&mut kernel, now, receipt(effect));
        assert!(claims(&out, effect), "told with the proof in hand: {out:?}");
        assert_eq!(kernel.outcome(), Outcome::Booked);
        assert!(step(&mut kernel, now, receipt(effect)).is_empty(), "a receipt counts once");
    }

    #[test]
    fn who_has_left_before_the_late_receipt_is_told_by_the_house() {
        let (mut kernel, now, effect) = booking();
        late(&mut kernel, now, effect);
        step(&mut kernel, now, Event::HungUp);
        let out = step(&mut kernel, now, receipt(effect));
        let message = out
            .iter()
            .find_map(|it| if let Effect::Commit { record: Record::Message { phone, .. }, .. } = it { Some(phone) } else { None });
        assert_eq!(message.and_then(|phone| phone.as_ref()).map(|phone| phone.expose().as_str()), Some("3125550188"), "{out:?}");
        assert_eq!(kernel.outcome(), Outcome::Booked, "what stands in the books is what the call ended with");
    }

    #[test]
    fn nothing_else_is_booked_while_the_first_may_still_come_to_be() {
        let (mut kernel, now, effect) = booking();
        let mut all = late(&mut kernel, now, effect);
        for words in ["I'd like to book a tour for Tuesday at three thirty", "yes", "yes", "yes"] {
            all.extend(said(&mut kernel, now, words));
        }
        let again = all.iter().any(|it| matches!(it, Effect::Commit { record: Record::Booking { .. }, .. }));
        assert!(!again, "{all:?}");
    }

    #[test]
    fn a_late_refusal_ends_the_uncertainty() {
        let (mut kernel, now, effect) = booking();
        late(&mut kernel, now, effect);
        assert!(kernel.books_are_uncertain());
        step(&mut kernel, now, Event::CommitFailed { effect, why: CommitFailure::Unavailable });
        assert!(!kernel.books_are_uncertain());
        assert!(step(&mut kernel, now, receipt(effect)).is_empty());
    }
}
