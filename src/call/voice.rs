//! What we are saying: turns in order, the clips that synthesis made of each, and what of them was played.
//!
//! A turn number of the wire is ours alone; the kernel counts its own turns and is told of those.

use std::collections::VecDeque;

use crate::base::{Instant, Pii, TurnId};
use crate::speak;

use super::event::Stock;

/// Turns that wait at once. More, and the oldest that is over is forgotten first; the kernel never asks for so many.
const TURNS_MAX: usize = 64;

#[derive(Clone, Debug)]
struct Clip {
    start: usize,
    end: usize,
    samples: u64,
    played: u64,
    finished: bool,
}

/// One turn of ours.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Its number on the wire.
    pub id: TurnId,
    /// When it was begun.
    pub began: Instant,
    /// The kernel's number; none for words of the conductor's own.
    pub kernel: Option<TurnId>,
    /// The words.
    pub text: Pii<String>,
    /// Since when the caller has waited for it.
    pub waited_since: Option<Instant>,
    /// From then to our first sound.
    pub gap_ms: Option<u64>,
    /// Said from memory, without synthesis.
    stock: Option<Stock>,
    clips: Vec<Clip>,
    complete: bool,
    cut: bool,
}

impl Turn {
    /// The part of the words that was played, cut at a word.
    pub fn heard(&self) -> String {
        let text = self.text.expose();
        let mut reached = 0;
        for clip in self.clips.iter().take_while(|clip| clip.played > 0) {
            // The unspoken end of a sentence is taken off when its synthesis fails.
            let words = text.get(clip.start..clip.end.min(text.len())).unwrap_or_default();
            let played = speak::share(words, clip.played, clip.samples);
            if !played.is_empty() {
                reached = clip.start + played.len();
            }
        }
        // Clips may meet within a word: a telephone number is spoken in groups.
        let (front, rest) = text.split_at(reached);
        let whole = rest.chars().next().is_none_or(char::is_whitespace);
        let cut = if whole { reached } else { front.rfind(char::is_whitespace).unwrap_or(0) };
        text[..cut].trim().to_owned()
    }

    /// All of it was played.
    pub fn is_finished(&self) -> bool {
        self.complete && self.clips.iter().all(|clip| clip.finished)
    }

    /// Nothing more of it will be played.
    pub fn is_over(&self) -> bool {
        self.cut || self.is_finished()
    }
}

/// What a turn is made of.
#[derive(Clone, Debug)]
pub struct Words {
    /// The words.
    pub text: Pii<String>,
    /// The kernel's number; none for words of the conductor's own.
    pub kernel: Option<TurnId>,
    /// Said from memory, without synthesis.
    pub stock: Option<Stock>,
}

/// Our side of the conversation.
#[derive(Clone, Debug, Default)]
pub struct Voice {
    turns: VecDeque<Turn>,
    last: TurnId,
    /// The unspoken rest of turns whose synthesis failed.
    owed: Option<Owed>,
    /// How often synthesis failed since it last made a clip.
    failures: u32,
}

/// Words that could not be said when it was their time.
#[derive(Clone, Debug)]
pub struct Owed {
    /// The words.
    pub text: Pii<String>,
    /// The kernel's turn that they end.
    pub kernel: Option<TurnId>,
}

impl Voice {
    /// A new turn, to be spoken after the others.
    pub fn begin(&mut self, now: Instant, words: Words, waited_since: Option<Instant>) -> TurnId {
        if self.turns.len() >= TURNS_MAX {
            self.turns.pop_front();
        }
        self.last = self.last.next();
        let Words { text, kernel, stock } = words;
        let (id, clips, gap_ms) = (self.last, Vec::new(), None);
        self.turns.push_back(Turn { id, began: now, kernel, text, waited_since, gap_ms, stock, clips, complete: false, cut: false });
        id
    }

    /// The turn to come: raising the floor to it drops all of today's.
    pub fn following(&self) -> TurnId {
        self.last.next()
    }

    /// Nothing of ours is or will be heard, and nothing is owed.
    pub fn is_silent(&self) -> bool {
        self.turns.is_empty() && self.owed.is_none()
    }

    /// Something of ours is being synthesised or played.
    pub fn is_busy(&self) -> bool {
        self.turns.iter().any(|turn| !turn.is_over())
    }

    /// Whether a turn is on its way to the caller with more of it to come: other words would land in the middle of it.
    pub fn is_mid_turn(&self) -> bool {
        self.turns.iter().any(|turn| !turn.cut && !turn.complete && !turn.clips.is_empty())
    }

    /// Whether the caller hears us, or is about to.
    pub fn is_sounding(&self) -> bool {
        self.turns.iter().any(|turn| !turn.is_over() && !turn.clips.is_empty())
    }

    /// Whether sound of ours is being played, or waits to be.
    pub fn is_audible(&self) -> bool {
        self.turns.iter().any(|turn| !turn.cut && turn.clips.iter().any(|clip| !clip.finished))
    }

    /// Whether words of ours have no sound yet.
    pub fn awaits_sound(&self) -> bool {
        self.owed.is_some() || self.missing().is_some()
    }

    /// The first turn whose sound has not all come, and the byte of its words from which on it has none.
    pub fn missing(&self) -> Option<(TurnId, usize)> {
        let turn = self.turns.iter().find(|turn| !turn.cut && !turn.complete)?;
        Some((turn.id, turn.clips.last().map_or(0, |clip| clip.end)))
    }

    /// Synthesis has made a clip.
    pub fn clip(&mut self, id: TurnId, start: usize, end: usize, samples: u64) {
        if self.find(id).is_some_and(|turn| turn.stock.is_none()) {
            self.failures = 0;
        }
        if let Some(turn) = self.find(id) {
            let text = turn.text.expose();
            let place = |byte: usize| (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (place(start), place(end).max(place(start)));
            turn.clips.push(Clip { start, end, samples, played: 0, finished: false });
        }
    }

    /// Synthesis has made all of it.
    pub fn complete(&mut self, id: TurnId) {
        if let Some(turn) = self.find(id) {
            turn.complete = true;
        }
    }

    /// Synthesis failed from byte `from` on. What was made will still be played; the rest is owed. False when nobody waits for it any more.
    pub fn mute(&mut self, id: TurnId, from: usize) -> bool {
        let Some(turn) = self.find(id).filter(|turn| !turn.cut) else { return false };
        let text = turn.text.expose();
        let from = (0..=from.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let rest = text[from..].trim().to_owned();
        let kernel = turn.kernel.take();
        turn.text = Pii::new(text[..from].trim_end().to_owned());
        turn.complete = true;
        if rest.is_empty() {
            turn.kernel = kernel;
            return false;
        }
        let (text, kernel) = match self.owed.take() {
            // The kernel is told of the later turn: what was to follow earlier words follows the latest ones.
            Some(before) => (format!("{} {rest}", before.text.expose()), kernel.or(before.kernel)),
            None => (rest, kernel),
        };
        self.owed = Some(Owed { text: Pii::new(text), kernel });
        self.failures += 1;
        true
    }

    /// What is owed, for another try.
    pub fn take_owed(&mut self) -> Option<Owed> {
        self.owed.take()
    }

    /// How often synthesis failed since it last worked.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Media has sent more of a clip. Answers with true when this was the turn's first sound.
    pub fn played(&mut self, now: Instant, id: TurnId, clip: u32, samples: u64, finished: bool) -> bool {
        let Some(turn) = self.find(id) else { return false };
        let first = turn.clips.iter().all(|clip| clip.played == 0) && samples > 0;
        if first {
            turn.gap_ms = turn.waited_since.map(|since| u64::try_from((now - since).as_millis()).unwrap_or(u64::MAX));
        }
        if let Some(clip) = turn.clips.get_mut(usize::try_from(clip).unwrap_or(usize::MAX)) {
            clip.played = clip.played.max(samples);
            clip.finished |= finished;
        }
        first
    }

    /// The caller interrupts, or we change our mind: nothing more of what is going on will be played. What was owed is a turn of which nothing was heard.
    pub fn cut(&mut self, now: Instant) {
        if let Some(Owed { text, kernel }) = self.owed.take() {
            self.begin(now, Words { text, kernel, stock: None }, None);
        }
        for turn in &mut self.turns {
            turn.cut |= !turn.is_finished();
        }
    }

    /// The oldest turn when nothing more of it will be played. Cut turns wait until `settled`: their last reports are on the way.
    pub fn take_over(&mut self, settled: bool) -> Option<Turn> {
        let turn = self.turns.front()?;
        let ready = turn.is_finished() || (turn.cut && settled);
        if ready { self.turns.pop_front() } else { None }
    }

    /// Whether a turn that was cut waits for its last reports.
    pub fn is_settling(&self) -> bool {
        self.turns.iter().any(|turn| turn.cut)
    }

    fn find(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.turns.iter_mut().find(|turn| turn.id == id)
    }
}

/// What to say first when synthesis has failed `failures` times.
pub const fn excuse(failures: u32) -> Option<Stock> {
    match failures {
        1 => Some(Stock::Moment),
        8 => Some(Stock::StillHere),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str, clips: &[(usize, usize, u64)]) -> String {
        let mut voice = Voice::default();
        let words = Words { text: Pii::new(text.to_owned()), kernel: None, stock: None };
        let turn = voice.begin(Instant::ZERO, words, None);
        for (at, (start, end, played)) in (0..).zip(clips) {
            voice.clip(turn, *start, *end, 1_000);
            voice.played(Instant::ZERO, turn, at, *played, *played == 1_000);
        }
        voice.turns[0].heard()
    }

    #[test]
    fn clips_that_meet_within_a_number_leave_no_space_in_it() {
        let text = "Call 312-555-0188, please.";
        assert_eq!(heard(text, &[(0, 8, 1_000), (8, 12, 1_000), (12, 26, 1_000)]), text);
        assert_eq!(heard(text, &[(0, 8, 1_000), (8, 12, 1_000), (12, 26, 0)]), "Call", "half a number was not heard");
        assert_eq!(heard("Yes, of course. We do.", &[(0, 15, 1_000), (16, 22, 1_000)]), "Yes, of course. We do.");
        assert_eq!(heard("Yes, of course. We do.", &[(0, 15, 1_000), (16, 22, 400)]), "Yes, of course. We");
    }

    #[test]
    fn a_clip_that_reached_into_the_space_before_the_unspoken_rest_is_counted() {
        let mut voice = Voice::default();
        let words = Words { text: Pii::new("One two three.".to_owned()), kernel: None, stock: None };
        let turn = voice.begin(Instant::ZERO, words, None);
        voice.clip(turn, 0, 4, 1_000);
        voice.played(Instant::ZERO, turn, 0, 1_000, true);
        assert!(voice.mute(turn, 4));
        assert_eq!(voice.turns[0].heard(), "One");
    }
}
