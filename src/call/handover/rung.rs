//! One telephone that we ring for a caller.

use std::time::Duration;

use super::event::LegNo;
use super::plan::{Briefing, Member};
use crate::base::Instant;

/// How long a brief may take to be spoken, synthesis included. Longer: it is taken as told.
const BRIEF: Duration = Duration::from_secs(30);

/// How long a person has to press a key once the brief was told.
const DECIDE: Duration = Duration::from_secs(7);

/// How often the brief is told.
const BRIEFS_MAX: u8 = 2;

/// Where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It rings.
    Ringing,
    /// It was answered; the brief is being told for the nth time.
    Briefed(u8),
    /// The brief was told for the nth time; a key is awaited.
    Deciding(u8),
}

/// What follows from something that happened to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Nothing yet.
    Open,
    /// Tell the brief (once more).
    Brief,
    /// The person has the call, and this proves it.
    Takes(&'static str),
    /// The person does not take the call: with this status.
    Leaves(u16),
    /// Nobody took it in time.
    Silent,
}

/// One telephone.
#[derive(Clone, Debug)]
pub(super) struct Rung {
    pub(super) leg: LegNo,
    pub(super) member: Member,
    stage: Stage,
    until: Instant,
}

impl Rung {
    pub(super) fn new(now: Instant, leg: LegNo, member: Member) -> Self {
        let until = now + Duration::from_millis(member.ring_ms);
        Self { leg, member, stage: Stage::Ringing, until }
    }

    /// When it has waited long enough.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Somebody, or a mailbox, has answered.
    pub(super) fn answered(&mut self, now: Instant) -> Verdict {
        if self.stage != Stage::Ringing {
            return Verdict::Open;
        }
        if self.member.briefing == Briefing::None {
            return Verdict::Takes("answered");
        }
        self.brief(now, 1)
    }

    /// The whole brief was played.
    pub(super) fn told(&mut self, now: Instant) -> Verdict {
        if let Stage::Briefed(times) = self.stage {
            self.stage = Stage::Deciding(times);
            self.until = now + DECIDE;
        }
        Verdict::Open
    }

    /// A key was pressed: into the brief as well, for whoever knows it.
    pub(super) fn key(&self, key: char) -> Verdict {
        match (self.stage, key) {
            (Stage::Ringing, _) => Verdict::Open,
            (_, '1') => Verdict::Takes("answered and accepted by key"),
            (_, '2') => Verdict::Leaves(603),
            _ => Verdict::Open,
        }
    }

    /// Its time is up.
    pub(super) fn timed_out(&mut self, now: Instant) -> Verdict {
        match self.stage {
            Stage::Briefed(_) => self.told(now),
            Stage::Deciding(times) if times < BRIEFS_MAX => self.brief(now, times + 1),
            Stage::Ringing | Stage::Deciding(_) => Verdict::Silent,
        }
    }

    /// Whether it was answered.
    pub(super) fn is_answered(&self) -> bool {
        self.stage != Stage::Ringing
    }

    fn brief(&mut self, now: Instant, times: u8) -> Verdict {
        self.stage = Stage::Briefed(times);
        self.until = now + BRIEF;
        Verdict::Brief
    }
}
