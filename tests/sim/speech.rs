//! What the caller says, and what the ear makes of it: onset, the verdict on an interruption, pauses, the end.

use std::collections::BTreeMap;
use std::time::Duration;

use nightbell::base::{Instant, TurnId};
use nightbell::call::{Hearing, Input};
use nightbell::hear::EndReason;

use crate::world::{Ev, World};

/// A moment of an utterance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// A voice.
    Began,
    /// The ear has decided whether it interrupts us.
    Verdict,
    /// A first silence.
    Settling,
    /// It went on.
    Continued,
    /// The end.
    Ended,
}

struct Said {
    text: &'static str,
    begins: Instant,
    ends: Instant,
    over_us: bool,
}

/// Everything that the caller has said.
#[derive(Default)]
pub struct Speech {
    said: BTreeMap<u32, Said>,
}

impl Speech {
    /// The words of this utterance that were said by `now`.
    pub fn so_far(&self, utterance: u32, now: Instant) -> String {
        let Some(said) = self.said.get(&utterance) else { return String::new() };
        let words: Vec<&str> = said.text.split(' ').collect();
        let (whole, passed) = ((said.ends - said.begins).as_millis().max(1), (now - said.begins).as_millis());
        let count = words.len() * usize::try_from(passed).unwrap() / usize::try_from(whole).unwrap();
        words[..count.min(words.len())].join(" ")
    }
}

impl World {
    /// The caller begins to speak.
    pub fn speak_up(&mut self, text: &'static str) {
        let utterance = u32::try_from(self.speech.said.len()).unwrap() + 1;
        let millis = |count: u64| Duration::from_millis(count);
        let mut length = 350 + 55 * u64::try_from(text.len()).unwrap();
        self.after(millis(120), Ev::Speech { utterance, stage: Stage::Began });
        let verdict = 220 + self.seed.below(100);
        self.after(millis(verdict), Ev::Speech { utterance, stage: Stage::Verdict });
        if text.contains(' ') && self.seed.one_in(3) {
            let middle = length / 2 + 200;
            self.after(millis(middle), Ev::Speech { utterance, stage: Stage::Settling });
            self.after(millis(middle + 250), Ev::Speech { utterance, stage: Stage::Continued });
            length += 450;
        }
        let hush = 350 + self.seed.below(600);
        if !text.is_empty() {
            self.after(millis(length + 200), Ev::Speech { utterance, stage: Stage::Settling });
        }
        self.after(millis(length + hush), Ev::Speech { utterance, stage: Stage::Ended });
        let (begins, ends) = (self.now, self.now + millis(length));
        self.person.speaks_until = ends + millis(hush + 150);
        self.speech.said.insert(utterance, Said { text, begins, ends, over_us: false });
    }

    /// The ear notices.
    pub fn speech_moment(&mut self, utterance: u32, stage: Stage) {
        if self.shadow.gone {
            return;
        }
        let (now, playing) = (self.now, self.sound.turn());
        let Some(said) = self.speech.said.get_mut(&utterance) else { return };
        let hearing = match stage {
            Stage::Began => {
                said.over_us = self.sound.is_busy();
                self.sound.hold(now);
                Hearing::Began(utterance)
            }
            Stage::Verdict if !said.over_us => {
                let told = self.sound.release(now);
                return self.report(told);
            }
            Stage::Verdict if said.text.is_empty() || said.text == "uh-huh" => {
                let told = self.sound.release(now);
                self.report(told);
                Hearing::Resumed(utterance)
            }
            Stage::Verdict => {
                // The ear raises the floor over what it interrupts before it tells.
                let mut told = self.sound.flush_below(now, playing.map_or(TurnId(0), TurnId::next));
                told.extend(self.sound.release(now));
                self.report(told);
                Hearing::Yielded(utterance)
            }
            Stage::Settling => Hearing::Settling(utterance),
            Stage::Continued => Hearing::Continued(utterance),
            Stage::Ended => {
                let why = match said.text {
                    "" => EndReason::NoSpeech,
                    "uh-huh" if said.over_us => EndReason::Backchannel,
                    _ => EndReason::Silence,
                };
                let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap();
                Hearing::Ended { utterance, voiced_ms: millis(said.ends - said.begins), silent_ms: millis(now - said.ends), why }
            }
        };
        self.after(Duration::from_millis(3), Ev::Tell(Input::Hearing(hearing)));
    }
}
