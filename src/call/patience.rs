//! A caller who waits in silence: nothing that we owe them may take for ever without a word. First a moment is asked for, then more of it, and then the
//! call goes on without what did not come: words that were not recognised are lost (the kernel goes down its ladder: keys, a callback), a sentence that
//! was not synthesised has failed, a record that was not written is not claimed.

use std::time::Duration;

use crate::base::Instant;
use crate::base::civil::DateTime;
use crate::dialogue::{CommitFailure, Event};

use super::event::{Failure, Output, Stock};
use super::filing::Paper;
use super::machine::Call;
use super::timers::Timer;
use super::voice::excuse;

/// How long the caller hears nothing after the first moment that was asked for.
const MORE: Duration = Duration::from_secs(3);

/// How long after that until the call goes on without what it waited for.
const ENOUGH: Duration = Duration::from_secs(4);

/// How often the voice may be waited for in vain in one silence. After that nothing more can be said.
const VOICE_WAITS_MAX: u32 = 5;

impl Call {
    /// Watches over the silence: runs while we owe something and nobody is heard.
    pub(super) fn be_patient(&mut self, now: Instant) {
        let owed = self.caller.is_pending() || self.voice.awaits_sound() || self.filing.is_awaited();
        // Who talks to a person, or hears another telephone ring, does not hear us be silent.
        let people = self.handover.is_joined() || self.handover.is_under_way();
        let heard = self.caller.is_speaking() || self.voice.is_audible() || people;
        if !owed || self.leaving.is_some() {
            self.waits = 0;
        }
        if !owed || heard || self.leaving.is_some() {
            return self.timers.stop(Timer::Patience);
        }
        if !self.timers.runs(Timer::Patience) {
            let wait = match self.waits {
                0 => Duration::from_millis(self.settings.late_ms),
                1 => MORE,
                _ => ENOUGH,
            };
            self.timers.set(Timer::Patience, now + wait);
        }
    }

    /// The caller has waited in silence for long enough.
    pub(super) fn lose_patience(&mut self, now: Instant) {
        self.waits += 1;
        match self.waits {
            1 => {
                // A silence of its own, though the caller has said nothing since the last one.
                self.excused = false;
                self.excuse_once(now);
            }
            2 if self.voice.is_mid_turn() => self.miss_voice(now),
            2 => drop(self.say_stock(now, Stock::StillHere)),
            _ => {
                self.caller.give_up();
                self.miss_voice(now);
            }
        }
    }

    /// A sentence whose sound does not come has failed.
    fn miss_voice(&mut self, now: Instant) {
        if self.waits > VOICE_WAITS_MAX && self.voice.awaits_sound() {
            return self.give_up(now);
        }
        if let Some((turn, from)) = self.voice.missing() {
            // Sound that comes after all would be heard beside the next try.
            self.out.push_back(Output::FlushBelow(turn.next()));
            self.mute(now, turn, from, Failure::Late);
            if self.leaving.is_none() && excuse(self.voice.failures()).is_none() {
                self.say_stock(now, Stock::StillHere);
            }
        }
    }

    /// Wakes when the patience with the records ends.
    pub(super) fn watch_records(&mut self) {
        match self.filing.due(self.records_patience()) {
            Some(due) => self.timers.set(Timer::Records, due),
            None => self.timers.stop(Timer::Records),
        }
    }

    /// What the records have not answered in time is told to the kernel as such.
    pub(super) fn miss_records(&mut self, now: Instant, local: DateTime) {
        for (effect, paper) in self.filing.take_late(now, self.records_patience()) {
            match paper {
                Paper::Commit => self.step(now, local, Event::CommitFailed { effect, why: CommitFailure::Late }),
                Paper::LookUp => self.step(now, local, Event::LookUpFailed { effect }),
                Paper::Transfer => {}
            }
        }
    }

    fn records_patience(&self) -> Duration {
        Duration::from_millis(self.settings.records_ms)
    }

    /// What must hold after every step.
    pub fn check_invariants(&self) {
        if self.is_talking() {
            let heard = self.caller.is_speaking() || self.voice.is_audible() || self.handover.is_joined();
            debug_assert!(heard || self.timers.any_but(Timer::Longest), "nobody speaks, and nothing will wake the call");
            debug_assert!(!self.filing.is_awaited() || self.timers.runs(Timer::Records), "the records are waited for with a timer");
            let asks = self.asked.as_ref().is_some_and(|asked| asked.result.is_none());
            debug_assert!(!asks || self.timers.runs(Timer::Understand), "the model is waited for with a timer");
            debug_assert!(!self.voice.is_settling() || self.timers.runs(Timer::Settle), "a turn that was cut settles");
            debug_assert!(!self.handover.is_under_way() || self.timers.runs(Timer::Handover), "another telephone rings with a timer");
        }
        if self.is_over() {
            debug_assert!(self.timers.next().is_none(), "nothing wakes a call that is over");
        } else if self.is_gone() {
            debug_assert!(self.timers.next().is_some(), "a call that is gone comes to its end");
        }
    }
}

#[cfg(test)]
#[path = "patience_tests.rs"]
mod tests;
