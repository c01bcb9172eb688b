//! What was said and how much of it was heard: from samples played back to words.

use std::collections::VecDeque;

use crate::base::{Samples, TurnId};

/// Clips remembered: a turn has a few, and older turns are complete. Beyond: the oldest is forgotten.
const CLIPS_MAX: usize = 256;

/// A clause of a turn with the sound made for it.
#[derive(Clone, Debug)]
struct Clip {
    turn: TurnId,
    text: String,
    /// The sound's length; `None` until it is known to be complete.
    length: Samples,
    played: Samples,
    complete: bool,
}

/// What the caller heard of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The words that were played, cut at a word.
    pub text: String,
    /// Whether that is everything.
    pub whole: bool,
}

/// The clips of a call in the order in which they are played. The playback reports how many samples of a turn were played.
#[derive(Clone, Debug, Default)]
pub struct SpeechQueue {
    clips: VecDeque<Clip>,
}

impl SpeechQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clause of `turn` will be played; its sound is still to come.
    pub fn push(&mut self, turn: TurnId, text: &str) {
        if self.clips.len() >= CLIPS_MAX {
            self.clips.pop_front();
        }
        self.clips.push_back(Clip { turn, text: text.to_owned(), length: Samples(0), played: Samples(0), complete: false });
    }

    /// `samples` more were made for the first incomplete clause of `turn`; `last`: it is complete.
    pub fn made(&mut self, turn: TurnId, samples: Samples, last: bool) {
        if let Some(clip) = self.clips.iter_mut().find(|clip| clip.turn == turn && !clip.complete) {
            clip.length = Samples(clip.length.0.saturating_add(samples.0));
            clip.complete = last;
        }
    }

    /// `samples` of `turn` have been played altogether, counted from its beginning.
    pub fn played(&mut self, turn: TurnId, samples: Samples) {
        let mut left = samples.0;
        for clip in self.clips.iter_mut().filter(|clip| clip.turn == turn) {
            let of_this = left.min(clip.length.0);
            clip.played = Samples(clip.played.0.max(of_this));
            left -= of_this;
        }
    }

    /// What was heard of `turn`: whole clauses, and of the one being played as many words as fit the share that was played.
    pub fn heard(&self, turn: TurnId) -> Heard {
        let mut text = String::new();
        let mut whole = true;
        for clip in self.clips.iter().filter(|clip| clip.turn == turn) {
            let full = clip.complete && clip.played >= clip.length;
            let words = if full { clip.text.as_str() } else { share(&clip.text, clip.played.0, clip.length.0) };
            if !text.is_empty() && !words.is_empty() {
                text.push(' ');
            }
            text.push_str(words);
            whole &= full;
            if !full {
                break;
            }
        }
        Heard { text, whole }
    }

    /// Forgets every turn below `floor`.
    pub fn forget_below(&mut self, floor: TurnId) {
        self.clips.retain(|clip| clip.turn >= floor);
    }

    /// Whether a clause of `turn` still waits for sound.
    pub fn is_waiting(&self, turn: TurnId) -> bool {
        self.clips.iter().any(|clip| clip.turn == turn && !clip.complete)
    }
}

/// The words of `text` whose end lies within `played` of `length`, as if every character took the same time.
fn share(text: &str, played: u64, length: u64) -> &str {
    if played == 0 || length == 0 {
        return "";
    }
    let characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let reached = usize::try_from(characters.saturating_mul(played.min(length)) / length).unwrap_or(usize::MAX);
    let at = text.char_indices().nth(reached).map_or(text.len(), |(at, _)| at);
    let front = &text[..at];
    let ends_word = text[at..].chars().next().is_none_or(char::is_whitespace);
    let cut = if ends_word { front.len() } else { front.rfind(char::is_whitespace).unwrap_or(0) };
    front[..cut].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_cut_at_a_word_and_in_proportion() {
        let mut queue = SpeechQueue::new();
        let turn = TurnId(3);
        queue.push(turn, "I can book a tour,");
        queue.push(turn, "or put you through to the office.");
        queue.made(turn, Samples(8_000), false);
        queue.made(turn, Samples(8_000), true);
        queue.made(turn, Samples(32_000), true);
        assert!(!queue.is_waiting(turn));
        queue.played(turn, Samples(8_000));
        assert_eq!(queue.heard(turn), Heard { text: "I can".to_owned(), whole: false });
        queue.played(turn, Samples(16_000 + 12_000));
        assert_eq!(queue.heard(turn).text, "I can book a tour, or put you");
        queue.played(turn, Samples(48_000));
        assert_eq!(queue.heard(turn), Heard { text: "I can book a tour, or put you through to the office.".to_owned(), whole: true });
        // A report that comes late does not take words back.
        queue.played(turn, Samples(10));
        assert!(queue.heard(turn).whole);
    }

    #[test]
    fn sound_that_is_still_being_made_is_never_the_whole() {
        let mut queue = SpeechQueue::new();
        queue.push(TurnId(1), "One moment, please.");
        queue.made(TurnId(1), Samples(800), false);
        queue.played(TurnId(1), Samples(800));
        assert!(!queue.heard(TurnId(1)).whole);
        queue.forget_below(TurnId(2));
        assert_eq!(queue.heard(TurnId(1)), Heard { text: String::new(), whole: true });
    }
}
