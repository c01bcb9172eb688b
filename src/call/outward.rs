//! A call of ours: first it is found out who answered, then the greeting begins, or a message is left, or we hang up. Nothing is ever said over somebody.

use std::time::Duration;

use super::event::{Hearing, Output};
use super::machine::{Call, Phase};
use super::timers::Timer;
use crate::base::Instant;
use crate::base::civil::DateTime;
use crate::dialogue::Event;
use crate::hear::Answerer;

/// How long the ear may take to find out. It gives up sooner by itself; this is for a line on which nothing comes at all.
const SCREEN: Duration = Duration::from_secs(65);

impl Call {
    /// Whoever was called has answered. We listen.
    pub(super) fn was_answered(&mut self, now: Instant) {
        if self.phase == Phase::Accepted {
            self.phase = Phase::Screening;
            self.timers.stop(Timer::Greet);
            self.timers.set(Timer::Screen, now + SCREEN);
        }
    }

    /// What is heard before we know who it is: nothing of it is for the recogniser.
    pub(super) fn heard_while_screening(&mut self, hearing: Hearing) {
        if let Hearing::Ended { utterance, .. } = hearing {
            self.out.push_back(Output::Forget { utterance });
        }
    }

    /// Who answered. A person may prove to be a recorder, and then the message begins after its beep.
    pub(super) fn screened(&mut self, now: Instant, local: DateTime, who: Answerer) {
        let screening = self.phase == Phase::Screening;
        match who {
            Answerer::Person | Answerer::Silent if screening => {
                self.timers.stop(Timer::Screen);
                self.phase = Phase::Accepted;
                self.greet(now, local);
            }
            Answerer::Recorder if screening || self.is_talking() => {
                self.timers.stop(Timer::Screen);
                self.phase = Phase::Talking;
                self.cut_voice(now);
                self.forget_answered();
                self.step(now, local, Event::Recorder);
            }
            Answerer::Fax | Answerer::Endless if screening => self.screen_in_vain(),
            _ => {}
        }
    }

    /// Nobody is there to talk to.
    pub(super) fn screen_in_vain(&mut self) {
        if self.phase == Phase::Screening {
            self.timers.stop(Timer::Screen);
            self.out.push_back(Output::Hangup);
        }
    }
}
