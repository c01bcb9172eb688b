//! A caller on the way to a person: by REFER, done only with its NOTIFY in hand (RFC 3515 §2.4.4), or by a second leg that we place and join. Pure.
//!
//! ```text
//! transfer -> Refer -- NOTIFY 200 --> done
//!               | refused as a method
//!               v
//!            ring (together, or in turn) -> answered -> brief -> key 1 -> joined -> either side hangs up
//!               | busy, no answer            | key 2, no key, hang-up
//!               v                            v
//!            the next one, or nobody: the kernel tells the caller
//! ```

mod event;
mod joined;
mod plan;
mod rung;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Instant;
use crate::base::civil::DateTime;
use crate::base::limits::LEGS_RUNG_MAX;
use crate::dialogue::TransferProgress;

pub use event::{Act, LegNews, LegNo, Parting, Purpose, Tune};
use joined::Joined;
pub use plan::{Briefing, Means, Member, Order, Plan};
use rung::{Rung, Verdict};

/// A REFER that is on its way.
#[derive(Clone, Debug)]
struct Asked {
    plan: Plan,
    until: Instant,
}

/// The handover of one call: none, one under way, or one that came about.
#[derive(Clone, Debug, Default)]
pub struct Handover {
    purpose: Option<Purpose>,
    asked: Option<Asked>,
    /// Members who are rung later.
    waiting: VecDeque<Member>,
    order: Order,
    rungs: Vec<Rung>,
    joined: Option<Joined>,
    /// The last status by which somebody did not take the call.
    refused: Option<u16>,
    by_refer: bool,
    last_leg: u16,
    acts: VecDeque<Act>,
}

impl Handover {
    /// Puts the caller through by `plan`. A REFER may take `refer_ms`.
    pub fn begin(&mut self, now: Instant, local: DateTime, purpose: Purpose, mut plan: Plan, refer_ms: u64) {
        self.give_up(Parting::Over);
        self.purpose = Some(purpose);
        self.refused = None;
        plan.members.retain(|member| member.is_there(local));
        plan.members.truncate(LEGS_RUNG_MAX);
        if plan.members.is_empty() {
            self.refused = Some(480);
        }
        let asks = purpose != Purpose::First && matches!(plan.means(), Means::Refer | Means::Auto);
        match plan.members.first() {
            Some(member) if asks => {
                self.acts.push_back(Act::Refer(member.who.clone()));
                self.asked = Some(Asked { plan, until: now + Duration::from_millis(refer_ms) });
            }
            _ => self.ring_all(now, plan),
        }
    }

    /// The caller wants to stay, or has gone: nobody is rung any more.
    pub fn cancel(&mut self) {
        self.give_up(Parting::Over);
        self.tune(Tune::None);
        self.purpose = None;
    }

    /// The caller's call is over: no leg outlives it.
    pub fn caller_gone(&mut self) {
        self.give_up(Parting::Over);
        self.purpose = None;
        if let Some(joined) = self.joined.take() {
            self.acts.extend(joined.legs().map(|leg| Act::Drop(leg, Parting::Over)));
        }
    }

    /// Whether somebody is being rung or asked for.
    pub fn is_under_way(&self) -> bool {
        self.purpose.is_some()
    }

    /// Whether the caller talks to a person through us.
    pub fn is_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// Whether the caller was taken over by REFER: nothing keeps us in the call.
    pub fn has_left_us(&self) -> bool {
        self.by_refer
    }

    /// How the call goes that the caller's side places, by NOTIFY (`told`) or as the refusal of our REFER.
    pub fn refer_status(&mut self, now: Instant, status: u16, told: Told) {
        let Some(asked) = self.asked.take_if(|_| status >= 200) else {
            if let (Some(_), Some(purpose), 100..=199) = (&self.asked, self.purpose, status) {
                self.acts.push_back(Act::Progress(purpose, TransferProgress::Started));
            }
            return;
        };
        let cannot = told == Told::Refused && matches!(status, 403 | 405 | 420 | 501 | 603);
        match status {
            200..=299 if told == Told::Notified => {
                self.by_refer = true;
                self.finish(TransferProgress::Succeeded { evidence: format!("NOTIFY {status}") });
            }
            _ if cannot && asked.plan.means == Means::Auto => self.ring_all(now, asked.plan),
            _ => self.finish(TransferProgress::Declined { status }),
        }
    }

    /// Something happened on a leg that we placed.
    pub fn handle(&mut self, now: Instant, leg: LegNo, news: LegNews) {
        if self.joined.as_ref().is_some_and(|joined| joined.owns(leg)) {
            return self.joined_news(now, leg, news);
        }
        let Some(rung) = self.rungs.iter_mut().find(|rung| rung.leg == leg) else { return };
        let verdict = match news {
            LegNews::Ringing => {
                if let Some(purpose) = self.purpose {
                    self.acts.push_back(Act::Progress(purpose, TransferProgress::Started));
                }
                Verdict::Open
            }
            LegNews::Answered => rung.answered(now),
            LegNews::Told => rung.told(now),
            LegNews::Key(key) => rung.key(key),
            LegNews::Failed(status) => return self.lost(now, leg, Some(status)),
            LegNews::Gone => {
                let status = if rung.is_answered() { 603 } else { 480 };
                return self.lost(now, leg, Some(status));
            }
            LegNews::Referred { .. } => return self.acts.push_back(Act::AnswerRefer(leg, Err(603))),
            LegNews::Held(_) => Verdict::Open,
        };
        self.decide(now, leg, verdict);
    }

    /// The caller holds the call, or goes on.
    pub fn caller_held(&mut self, held: Tune) {
        if let Some(joined) = &self.joined {
            let leg = joined.leg();
            self.acts.push_back(Act::Tune(leg, held));
        }
    }

    /// A key of the caller's; true when it belongs to the people now.
    pub fn caller_key(&mut self, key: char) -> bool {
        let Some(joined) = &self.joined else { return false };
        let leg = joined.leg();
        self.acts.push_back(Act::Press(leg, key));
        true
    }

    /// Runs what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.asked.take_if(|asked| asked.until <= now).is_some() {
            self.finish(TransferProgress::TimedOut);
        }
        let due: Vec<LegNo> = self.rungs.iter().filter(|rung| rung.until() <= now).map(|rung| rung.leg).collect();
        for leg in due {
            let Some(rung) = self.rungs.iter_mut().find(|rung| rung.leg == leg) else { continue };
            let verdict = rung.timed_out(now);
            self.decide(now, leg, verdict);
        }
        self.joined_timeout(now);
        self.check_invariants();
    }

    /// What to do next.
    pub fn poll_act(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// When [`Handover::handle_timeout`] is wanted.
    pub fn poll_deadline(&self) -> Option<Instant> {
        let asked = self.asked.as_ref().map(|asked| asked.until);
        let moving = self.joined.as_ref().and_then(Joined::deadline);
        self.rungs.iter().map(Rung::until).chain(asked).chain(moving).min()
    }

    fn decide(&mut self, now: Instant, leg: LegNo, verdict: Verdict) {
        match verdict {
            Verdict::Open => {}
            Verdict::Brief => self.acts.push_back(Act::Brief(leg)),
            Verdict::Takes(evidence) => self.join(leg, evidence),
            Verdict::Leaves(status) => {
                self.acts.push_back(Act::Drop(leg, Parting::Declined));
                self.lost(now, leg, Some(status));
            }
            Verdict::Silent => {
                self.acts.push_back(Act::Drop(leg, Parting::NoAnswer));
                self.lost(now, leg, None);
            }
        }
    }

    fn ring_all(&mut self, now: Instant, plan: Plan) {
        self.order = plan.order;
        self.waiting = plan.members.into();
        if !self.waiting.is_empty() {
            self.tune(Tune::Ringing);
        }
        self.ring_next(now);
    }

    fn ring_next(&mut self, now: Instant) {
        let count = if self.order == Order::Together { self.waiting.len() } else { 1 };
        for _ in 0..count {
            let Some(member) = self.waiting.pop_front() else { break };
            let leg = self.next_leg();
            self.acts.push_back(Act::Ring(leg, member.clone()));
            self.rungs.push(Rung::new(now, leg, member));
        }
        if self.rungs.is_empty() {
            let status = self.refused.take();
            self.finish(status.map_or(TransferProgress::TimedOut, |status| TransferProgress::Declined { status }));
        }
    }

    fn next_leg(&mut self) -> LegNo {
        self.last_leg = self.last_leg.saturating_add(1);
        LegNo(self.last_leg)
    }

    /// A leg is out: somebody else may still take the call.
    fn lost(&mut self, now: Instant, leg: LegNo, status: Option<u16>) {
        self.rungs.retain(|rung| rung.leg != leg);
        self.refused = status.or(self.refused);
        if self.rungs.is_empty() {
            self.ring_next(now);
        }
    }

    fn join(&mut self, leg: LegNo, evidence: &str) {
        self.rungs.retain(|rung| rung.leg != leg);
        self.give_up(Parting::Elsewhere);
        self.joined = Some(Joined::new(leg));
        self.tune(Tune::None);
        self.progress(TransferProgress::Succeeded { evidence: evidence.to_owned() });
        self.acts.push_back(Act::Bridge(leg));
    }

    fn finish(&mut self, progress: TransferProgress) {
        self.tune(Tune::None);
        self.progress(progress);
    }

    fn progress(&mut self, progress: TransferProgress) {
        if let Some(purpose) = self.purpose.take() {
            self.acts.push_back(Act::Progress(purpose, progress));
        }
    }

    fn tune(&mut self, tune: Tune) {
        self.acts.push_back(Act::Tune(LegNo::CALLER, tune));
    }

    /// Nobody is rung or asked for any more.
    fn give_up(&mut self, parting: Parting) {
        self.asked = None;
        self.waiting.clear();
        self.acts.extend(self.rungs.drain(..).map(|rung| Act::Drop(rung.leg, parting)));
    }

    /// What must hold after every input.
    pub fn check_invariants(&self) {
        debug_assert!(self.rungs.is_empty() || self.purpose.is_some(), "nobody is rung for nothing");
        debug_assert!(self.asked.is_none() || self.rungs.is_empty(), "a caller is put through in one way at a time");
        debug_assert!(self.rungs.len() <= LEGS_RUNG_MAX, "the legs of a call are bounded");
    }
}

/// How a status of the other call came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// By NOTIFY.
    Notified,
    /// As the answer to our REFER.
    Refused,
}
