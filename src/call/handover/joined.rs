//! A caller and a person who talk through us, until one hangs up or the person passes the caller on.

use std::time::Duration;

use super::Handover;
use super::event::{Act, LegNews, LegNo, Parting, Purpose, Tune};
use super::plan::{Briefing, Member};
use crate::base::{Instant, Pii};
use crate::dialogue::TransferProgress;

/// How long somebody may be rung to whom a person passes a caller on.
const PASSED_ON_RING_MS: u64 = 45_000;

/// A leg that is rung because the person asked for it (RFC 3515).
#[derive(Clone, Debug)]
struct Passing {
    leg: LegNo,
    until: Instant,
}

/// Two who talk.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    leg: LegNo,
    passing: Option<Passing>,
    /// The person has hung up, and the caller waits for the one that is rung.
    left: bool,
}

impl Joined {
    pub(super) fn new(leg: LegNo) -> Self {
        Self { leg, passing: None, left: false }
    }

    /// The leg that the caller talks to.
    pub(super) fn leg(&self) -> LegNo {
        self.leg
    }

    /// Every leg of ours.
    pub(super) fn legs(&self) -> impl Iterator<Item = LegNo> + use<> {
        let own = (!self.left).then_some(self.leg);
        own.into_iter().chain(self.passing.as_ref().map(|passing| passing.leg))
    }

    pub(super) fn owns(&self, leg: LegNo) -> bool {
        self.leg == leg || self.passing.as_ref().is_some_and(|passing| passing.leg == leg)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.passing.as_ref().map(|passing| passing.until)
    }
}

impl Handover {
    pub(super) fn joined_news(&mut self, now: Instant, leg: LegNo, news: LegNews) {
        let Some(joined) = &self.joined else { return };
        if joined.leg != leg {
            return self.passing_news(leg, &news);
        }
        match news {
            LegNews::Key(key) => self.acts.push_back(Act::Press(LegNo::CALLER, key)),
            LegNews::Held(held) => self.tune(if held { Tune::Hold } else { Tune::None }),
            LegNews::Gone => self.person_left(),
            LegNews::Referred { to } => self.pass_on(now, leg, to),
            LegNews::Ringing | LegNews::Answered | LegNews::Failed(_) | LegNews::Told => {}
        }
    }

    /// The person asks us to call somebody else.
    fn pass_on(&mut self, now: Instant, by: LegNo, to: Pii<String>) {
        if self.joined.as_ref().is_none_or(|joined| joined.passing.is_some()) {
            return self.acts.push_back(Act::AnswerRefer(by, Err(603)));
        }
        let leg = self.next_leg();
        let member = Member { who: to, ring_ms: PASSED_ON_RING_MS, hours: None, briefing: Briefing::None };
        self.acts.push_back(Act::AnswerRefer(by, Ok(())));
        self.acts.push_back(Act::Ring(leg, member));
        if let Some(joined) = &mut self.joined {
            joined.passing = Some(Passing { leg, until: now + Duration::from_millis(PASSED_ON_RING_MS) });
        }
    }

    fn passing_news(&mut self, leg: LegNo, news: &LegNews) {
        let Some(joined) = &mut self.joined else { return };
        let (by, left) = (joined.leg, joined.left);
        match news {
            LegNews::Ringing if !left => self.acts.push_back(Act::NotifyRefer(by, 180)),
            LegNews::Answered => {
                *joined = Joined::new(leg);
                self.tune(Tune::None);
                self.acts.push_back(Act::Bridge(leg));
                if !left {
                    self.acts.push_back(Act::NotifyRefer(by, 200));
                    self.acts.push_back(Act::Drop(by, Parting::Over));
                }
            }
            LegNews::Failed(status) => self.not_passed_on(*status),
            LegNews::Gone => self.not_passed_on(480),
            _ => {}
        }
    }

    pub(super) fn joined_timeout(&mut self, now: Instant) {
        let due = self.joined.as_ref().and_then(|joined| joined.passing.as_ref()).filter(|passing| passing.until <= now);
        if let Some(leg) = due.map(|passing| passing.leg) {
            self.acts.push_back(Act::Drop(leg, Parting::NoAnswer));
            self.not_passed_on(408);
        }
    }

    /// Whoever was to get the caller did not answer: the person still has them, or nobody has.
    fn not_passed_on(&mut self, status: u16) {
        let Some(joined) = &mut self.joined else { return };
        joined.passing = None;
        if !joined.left {
            let by = joined.leg;
            return self.acts.push_back(Act::NotifyRefer(by, status));
        }
        self.joined = None;
        self.tune(Tune::None);
        self.acts.push_back(Act::Progress(Purpose::PassedOn, TransferProgress::Declined { status }));
    }

    /// The person has hung up: the call is over, unless somebody else is being rung for the caller.
    fn person_left(&mut self) {
        let Some(joined) = &mut self.joined else { return };
        if joined.passing.is_some() {
            joined.left = true;
            return self.tune(Tune::Ringing);
        }
        self.joined = None;
        self.acts.push_back(Act::Parted);
    }
}
