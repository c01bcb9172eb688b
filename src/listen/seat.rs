//! The place of one leg at the listening thread.

use std::sync::Arc;

use crate::base::limits::LISTEN_FRAMES_A_TICK_MAX;
use crate::base::{Captured, Instant, LegId};
use crate::hear::{Ear, Expectation, Heard, Hold, Settings, Verdict};
use crate::rt::{Consumer, Gate};

/// Whether a leg is heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Attention {
    /// Its sound goes to its ear.
    #[default]
    Open,
    /// Its sound is thrown away unheard.
    Shut,
}

/// One leg: where its sound comes from, its ear, and the gate of its playback.
pub struct Seat {
    leg: LegId,
    captured: Consumer<Captured>,
    gate: Arc<Gate>,
    ear: Ear,
    acted: Hold,
    attention: Attention,
}

impl Seat {
    /// A seat for `leg`. All memory it will ever need is taken here.
    pub fn new(leg: LegId, captured: Consumer<Captured>, gate: Arc<Gate>, settings: Settings) -> Box<Self> {
        Box::new(Self { leg, captured, gate, ear: Ear::new(settings), acted: Hold::Open, attention: Attention::Open })
    }

    /// Whose seat it is.
    pub fn leg(&self) -> LegId {
        self.leg
    }

    pub(super) fn expect(&mut self, expectation: Expectation) {
        self.ear.expect(expectation);
    }

    pub(super) fn screen(&mut self) {
        self.ear.screen();
    }

    /// An utterance that was open ends by the clock.
    pub(super) fn attend(&mut self, attention: Attention) {
        self.attention = attention;
    }

    pub(super) fn judge(&mut self, utterance: u32, verdict: Verdict) {
        self.ear.judge(utterance, verdict);
    }

    /// Hears what waits, holds or releases playback, and says how many frames it took.
    pub(super) fn listen(&mut self, now: Instant) -> usize {
        let mut frames = 0;
        while frames < LISTEN_FRAMES_A_TICK_MAX {
            let Some(captured) = self.captured.pop() else { break };
            if self.attention == Attention::Open {
                self.ear.handle_frame(now, &captured, self.gate.playing(), self.gate.playing_level());
                self.act();
            }
            frames += 1;
        }
        if self.ear.poll_deadline().is_some_and(|deadline| deadline <= now) {
            self.ear.handle_timeout(now);
            self.act();
        }
        frames
    }

    /// The next report of the ear.
    pub(super) fn report(&mut self) -> Option<Heard> {
        self.ear.poll_output()
    }

    /// Reports that the ear dropped because the shell did not take them.
    pub(super) fn lost_reports(&self) -> u64 {
        self.ear.lost_reports()
    }

    /// The leg leaves: a gate that we hold is opened, so that nobody is left mute.
    pub(super) fn leave(&mut self) {
        if matches!(self.acted, Hold::Paused(_)) {
            self.gate.resume();
        }
    }

    /// Playback follows the ear's state, not its reports: a full ring cannot delay it.
    fn act(&mut self) {
        let hold = self.ear.hold();
        if hold == self.acted {
            return;
        }
        self.acted = hold;
        match hold {
            Hold::Paused(_) => self.gate.pause(),
            Hold::Open => self.gate.resume(),
            Hold::Yielded(turn) => {
                self.gate.flush_below(turn.next());
                self.gate.resume();
            }
        }
    }
}
