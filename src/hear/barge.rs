//! The caller's voice over ours: pause at once, then decide whether it was an interruption.

use crate::base::TurnId;

use super::vad::HOP_MS;
use super::{FalseStop, Hold, Settings};

/// What to tell about playback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    Pause,
    Resume(FalseStop),
    Yield,
}

/// Where our voice stands against the caller's.
#[derive(Debug, Default)]
pub(super) struct Barge {
    hold: Hold,
    paused_hops: u32,
    voiced_hops: u32,
    silent_hops: u32,
    false_stops: u32,
    stopped_in: Option<TurnId>,
    resumed_after: Option<u32>,
}

/// More false stops in one turn than this do not raise the bar any further.
const FALSE_STOPS_MAX: u32 = 3;

impl Barge {
    /// What playback has to do now.
    pub(super) fn hold(&self) -> Hold {
        self.hold
    }

    /// False stops in the turn that is playing: each makes the next onset harder.
    pub(super) fn false_stops(&self, playing: Option<TurnId>) -> u32 {
        if playing.is_some() && playing == self.stopped_in { self.false_stops.min(FALSE_STOPS_MAX) } else { 0 }
    }

    /// A voice is there, of so many hops, and this turn is playing. A turn that was given up already is not paused again.
    pub(super) fn voice_over(&mut self, playing: Option<TurnId>, voiced_hops: u32) -> Option<Move> {
        let turn = playing?;
        match self.hold {
            Hold::Paused(_) => return None,
            Hold::Yielded(given_up) if turn <= given_up => return None,
            Hold::Yielded(_) | Hold::Open => {}
        }
        self.hold = Hold::Paused(turn);
        (self.paused_hops, self.silent_hops, self.voiced_hops) = (0, 0, voiced_hops);
        Some(Move::Pause)
    }

    /// One hop of the utterance that paused us.
    pub(super) fn step(&mut self, voiced: bool, settings: &Settings) -> Option<Move> {
        let Hold::Paused(turn) = self.hold else { return None };
        self.paused_hops += 1;
        self.silent_hops = if voiced { 0 } else { self.silent_hops + 1 };
        self.voiced_hops += u32::from(voiced);
        if self.voiced_ms() >= settings.yield_voiced_ms {
            return Some(self.give_up(turn));
        }
        let late = u64::from(self.paused_hops) * HOP_MS >= settings.decide_ms_max;
        if u64::from(self.silent_hops) * HOP_MS >= settings.resume_silence_ms || late {
            let noise = self.voiced_ms() < settings.speech_ms_min;
            return Some(self.go_on(turn, if noise { FalseStop::Noise } else { FalseStop::Short }));
        }
        None
    }

    /// The utterance is over, or the leg's clock started anew: a pause still open is decided now.
    pub(super) fn close(&mut self, settings: &Settings) -> Option<Move> {
        let Hold::Paused(turn) = self.hold else { return None };
        let real = self.voiced_ms() >= settings.yield_voiced_ms;
        Some(if real { self.give_up(turn) } else { self.go_on(turn, FalseStop::Short) })
    }

    fn voiced_ms(&self) -> u64 {
        u64::from(self.voiced_hops) * HOP_MS
    }

    /// Notes whose voice the move was about.
    pub(super) fn mark(&mut self, what: Move, utterance: u32) {
        self.resumed_after = matches!(what, Move::Resume(_)).then_some(utterance);
    }

    /// Whether our voice went on in spite of this utterance.
    pub(super) fn went_on_over(&self, utterance: u32) -> bool {
        self.resumed_after == Some(utterance)
    }

    fn give_up(&mut self, turn: TurnId) -> Move {
        self.hold = Hold::Yielded(turn);
        self.false_stops = 0;
        Move::Yield
    }

    fn go_on(&mut self, turn: TurnId, why: FalseStop) -> Move {
        self.hold = Hold::Open;
        self.false_stops = if self.stopped_in == Some(turn) { self.false_stops.saturating_add(1) } else { 1 };
        self.stopped_in = Some(turn);
        Move::Resume(why)
    }
}
