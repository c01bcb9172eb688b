//! Speaking: words on their way to the caller, what becomes of them when synthesis fails or the caller interrupts, and the last words of all.

use std::time::Duration;

use crate::base::civil::DateTime;
use crate::base::{Instant, Pii, TurnId};
use crate::dialogue::Event;

use super::event::{Failure, Output, Stock, TurnRecord, Who};
use super::machine::{Call, RETRY};
use super::timers::Timer;
use super::voice::{Turn, Words, excuse};

/// How long the last reports about an interrupted turn may take.
pub(super) const SETTLE: Duration = Duration::from_millis(80);

/// Tries to say something before we give the call up.
const SPEAK_FAILURES_MAX: u32 = 30;

/// How long the last words may take before the call ends without them.
const LEAVE: Duration = Duration::from_secs(10);

impl Call {
    /// Speaks after what is being spoken.
    pub(super) fn say(&mut self, now: Instant, words: Words, waited_since: Option<Instant>) {
        if self.leaving.is_some() {
            return;
        }
        let text = words.text.clone();
        let turn = self.voice.begin(now, words, waited_since);
        self.out.push_back(Output::Speak { turn, text });
    }

    /// Speaks from memory.
    pub(super) fn say_stock(&mut self, now: Instant, stock: Stock) -> TurnId {
        let text = Pii::new(stock.text().to_owned());
        let turn = self.voice.begin(now, Words { text, kernel: None, stock: Some(stock) }, self.waiting_since);
        self.out.push_back(Output::SpeakStock { turn, stock });
        turn
    }

    /// Nothing more can be said: the caller is told so, and when that was heard the call ends.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.failed = true;
        self.cut_voice(now);
        self.leaving = Some(self.say_stock(now, Stock::Broken));
        self.timers.set(Timer::Longest, now + LEAVE);
    }

    /// Asks for a moment, once for each thing that the caller said, and only into a silence.
    pub(super) fn excuse_once(&mut self, now: Instant) {
        let silence = !self.caller.is_speaking() && !self.voice.is_sounding() && self.leaving.is_none();
        if silence && !std::mem::replace(&mut self.excused, true) {
            self.say_stock(now, Stock::Moment);
            self.waits = self.waits.max(1);
        }
    }

    pub(super) fn mute(&mut self, now: Instant, turn: TurnId, from: usize, why: Failure) {
        if !self.voice.mute(turn, from) || self.leaving.is_some() {
            return;
        }
        let failures = self.voice.failures();
        if failures >= SPEAK_FAILURES_MAX || why == Failure::Refused {
            return self.give_up(now);
        }
        if let Some(stock) = excuse(failures).filter(|_| !self.voice.is_mid_turn()) {
            self.say_stock(now, stock);
        }
        self.timers.set(Timer::Speak, now + RETRY);
    }

    pub(super) fn speak_again(&mut self, now: Instant) {
        if let Some(owed) = self.voice.take_owed() {
            let words = Words { text: owed.text, kernel: owed.kernel, stock: None };
            self.say(now, words, None);
        }
    }

    pub(super) fn cut_voice(&mut self, now: Instant) {
        if self.voice.is_busy() || !self.voice.is_silent() {
            self.voice.cut(now);
            self.out.push_back(Output::FlushBelow(self.voice.following()));
            self.timers.set(Timer::Settle, now + SETTLE);
        }
    }

    pub(super) fn finish_turns(&mut self, now: Instant, local: DateTime, settled: bool) {
        while let Some(turn) = self.voice.take_over(settled) {
            self.file_turn(&turn);
            if self.leaving == Some(turn.id) && !self.is_gone() {
                self.out.push_back(Output::Hangup);
            }
            let Some(id) = turn.kernel else { continue };
            let event =
                if turn.is_finished() { Event::Spoke { turn: id } } else { Event::Interrupted { turn: id, heard: Pii::new(turn.heard()) } };
            self.tell_kernel(now, local, event);
        }
    }

    fn file_turn(&mut self, turn: &Turn) {
        let (at_ms, text, heard) = (turn.began.as_millis(), turn.text.clone(), Pii::new(turn.heard()));
        self.out.push_back(Output::Turn(TurnRecord { at_ms, who: Who::Agent, text, heard, gap_ms: turn.gap_ms, confidence: None }));
    }
}
