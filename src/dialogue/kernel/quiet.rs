//! When no words come: the opening, silence, keys, engines that are gone, bulletins.

use super::machine::Kernel;
use super::state::{Asked, Callback, Stage, Task, Then};
use crate::base::Pii;
use crate::dialogue::event::{Effect, Organ, SpeechAct};
use crate::dialogue::proposal::{Intent, Proposal, Source};
use crate::dialogue::slots::{SlotKey, SlotValues};
use crate::dialogue::wording::Key;

impl Kernel {
    pub(super) fn begin(&mut self, out: &mut Vec<Effect>) {
        if self.turn.0 > 0 {
            return;
        }
        if self.stage == Stage::Handed {
            return;
        }
        if self.rang_first {
            self.say(&SpeechAct::Courtesy, Key::NobodyAnswered, &[], out);
        }
        if let Some(calling) = self.facts.calling {
            self.introduce(calling, out);
        } else {
            let greeting = self.agent.parts.greeting.clone();
            self.say_text(&SpeechAct::Greet, &greeting, out);
        }
        self.tell_bulletins(out);
        self.asked = Asked::Open;
        if self.deaf {
            self.say_keys(out);
        }
    }

    /// The nth silence running: once more, then the keys, then whatever can be done without words.
    pub(super) fn silence(&mut self, nth: u32, out: &mut Vec<Effect>) {
        if matches!(self.stage, Stage::Handed | Stage::Ended) || self.ringing.is_some() || self.waiting.is_some() || self.then.is_some() {
            return;
        }
        match self.interrupted.take() {
            Some(Then::HangUp) => return self.close(out),
            Some(Then::Transfer(which)) => return self.announce(which, out),
            None => {}
        }
        self.journal("silence", &format!("number {nth}"), None, out);
        // A number told in halves with a pause: what came is all there is.
        match nth {
            0 | 1 => {
                self.say(&SpeechAct::Courtesy, Key::StillThere, &[], out);
                self.ask_again(out);
            }
            2 => self.say_keys(out),
            _ => self.silent_end(out),
        }
    }

    fn silent_end(&mut self, out: &mut Vec<Effect>) {
        let promised = self.done.iter().any(|done| done.receipt.kind != "cancellation");
        // Who spoke and was not heard wanted something as well.
        let wanted = self.turns > 0 || self.deaf;
        if wanted && !promised && self.network_number().is_some() && !matches!(self.stage, Stage::Close) {
            let reason = self.unknown.take().unwrap_or_else(|| Pii::new("the caller fell silent".to_owned()));
            self.task = Some(Task::Callback(Callback { reason, plain_minutes: None }));
            return self.advance(out);
        }
        self.task = None;
        self.close(out);
    }

    /// What the keys do now.
    pub(super) fn say_keys(&mut self, out: &mut Vec<Effect>) {
        let spoken = self.agent.parts.door.spoken.clone();
        let key = match &self.asked {
            asked if asked.is_yes_no() => Key::KeysYesNo,
            Asked::Times(_) => Key::KeysChoice,
            Asked::Phone => Key::KeysPhone,
            Asked::Unit => Key::KeysUnit,
            _ if self.agent.parts.bookable.is_some() => Key::KeysBook,
            _ => Key::KeysMessage,
        };
        let what = self.agent.parts.bookable.as_ref().map(|bookable| bookable.resource.clone()).unwrap_or_default();
        self.learn("0 1 2 3 9");
        self.say(&SpeechAct::Ask, key, &[("door", &spoken), ("what", &what)], out);
    }

    /// A key. 0 is a person at every moment, except inside a number that has begun.
    pub(super) fn digit(&mut self, key: char, out: &mut Vec<Effect>) {
        if matches!(self.stage, Stage::Handed | Stage::Ended) || self.ringing.is_some() {
            return;
        }
        if self.waiting.is_some() {
            return;
        }
        self.turns = self.turns.saturating_add(1);
        self.interrupted = None;
        self.then = None;
        self.journal("key", "a key was pressed", None, out);
        match (&self.asked, key) {
            (Asked::Phone | Asked::Unit, '0'..='9' | '#') if !(key == '0' && self.keys.is_empty()) => {
                self.number_key(key, out);
            }
            (_, '0') => self.wants_human(out),
            (Asked::Times(times), '1'..='3') if times.len() > 1 => {
                let at = key.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(1) - 1;
                match times.get(at).copied() {
                    Some(start) => {
                        self.choose(start);
                        self.advance(out);
                    }
                    None => self.ask_again(out),
                }
            }
            (asked, '1') if asked.is_yes_no() => self.yes("", &SlotValues::new(), out),
            (asked, '2') if asked.is_yes_no() => self.no("", &SlotValues::new(), out),
            (_, '9') => self.draft.clone_from(&self.last_said),
            (_, '1') if self.agent.parts.bookable.is_some() => self.wants_booking(&SlotValues::new(), out),
            (_, '1' | '2') => self.wants_callback("asked by key to be called back", out),
            (_, '3') => {
                let proposal = Proposal { intent: Intent::Hours, slots: SlotValues::new(), confidence: 1.0, source: Source::Keypad };
                self.wants_to_know("what are your hours", &proposal, out);
            }
            _ => self.say_keys(out),
        }
    }

    /// Digits of a number, until `#` or a full number.
    fn number_key(&mut self, key: char, out: &mut Vec<Effect>) {
        if key != '#' && self.keys.len() < 15 {
            self.keys.push(key);
        }
        let full = self.asked == Asked::Phone && self.keys.len() >= 10;
        if key != '#' && !full {
            return;
        }
        let digits = std::mem::take(&mut self.keys);
        let slot = if self.asked == Asked::Phone { SlotKey::Phone } else { SlotKey::Unit };
        let intent = if slot == SlotKey::Phone { Intent::GivePhone } else { Intent::GiveAddress };
        let slots = SlotValues::from([(slot, Pii::new(digits))]);
        self.absorb(&Proposal { intent, slots, confidence: 1.0, source: Source::Keypad });
        self.advance(out);
    }

    pub(super) fn engine_gone(&mut self, organ: Organ, out: &mut Vec<Effect>) {
        self.journal("engine-gone", organ_name(organ), None, out);
        if organ == Organ::Ears && !self.deaf {
            self.deaf = true;
            if self.turn.0 > 0 && self.ringing.is_none() && !matches!(self.stage, Stage::Handed | Stage::Close) {
                self.say(&SpeechAct::Courtesy, Key::CannotHear, &[], out);
                // A name cannot be keyed: the call goes on without it.
                if matches!(self.asked, Asked::Name | Asked::Qualify(_)) && self.task.is_some() {
                    return self.advance(out);
                }
                self.say_keys(out);
            }
        }
    }

    pub(super) fn engine_back(&mut self, organ: Organ, out: &mut Vec<Effect>) {
        self.journal("engine-back", organ_name(organ), None, out);
        if organ == Organ::Ears && self.deaf {
            self.deaf = false;
            if self.turn.0 > 0 && self.ringing.is_none() && !matches!(self.stage, Stage::Handed | Stage::Close) {
                self.say(&SpeechAct::Courtesy, Key::CanHearAgain, &[], out);
                self.ask_again(out);
            }
        }
    }

    /// The owner's words, at once, in every call.
    pub(super) fn bulletin(&mut self, text: String, out: &mut Vec<Effect>) {
        if self.bulletins.len() >= 8 || self.bulletins.contains(&text) {
            return;
        }
        self.learn(&text);
        if self.turn.0 > 0 && self.ringing.is_none() && !matches!(self.stage, Stage::Handed | Stage::Close) {
            self.say_text(&SpeechAct::Inform, &text, out);
        }
        self.bulletins.push(text);
    }
}

const fn organ_name(organ: Organ) -> &'static str {
    match organ {
        Organ::Ears => "the recogniser",
        Organ::Mind => "the language model",
        Organ::Voice => "the voice",
    }
}
