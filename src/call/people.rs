//! The way to people: what the handover asks for becomes orders, and what becomes of it the kernel's news.

use std::time::Duration;

use crate::base::Instant;
use crate::base::civil::DateTime;
use crate::dialogue::{EffectId, Event, TransferProgress};

use super::event::{Context, Output};
use super::filing::Paper;
use super::handover::{Act, LegNews, LegNo, Plan, Purpose, Told, Tune};
use super::machine::{Call, Phase};
use super::timers::Timer;

/// How long a caller and a person may talk through us.
const JOINED: Duration = Duration::from_hours(4);

impl Call {
    /// The call has arrived; people are rung before it is answered.
    pub(super) fn ring_first(&mut self, now: Instant, local: DateTime, plan: Plan) {
        if self.phase != Phase::Accepted {
            return;
        }
        self.phase = Phase::Arriving;
        self.out.push_back(Output::Alert);
        self.handover.begin(now, local, Purpose::First, plan, 0);
        self.follow_handover(now, local);
    }

    /// The kernel's words were played: the caller is put through.
    pub(super) fn put_through(&mut self, now: Instant, local: DateTime, effect: EffectId, target: &str) {
        let ring_ms = self.settings.transfer_ms;
        let plan = self.settings.people.get(target).cloned().unwrap_or_else(|| Plan::of_name(target, ring_ms));
        self.handover.begin(now, local, Purpose::Transfer(effect), plan, ring_ms);
        self.follow_handover(now, local);
    }

    /// The caller wants to stay with us.
    pub(super) fn stay(&mut self) {
        self.handover.cancel();
        self.out.push_back(Output::CancelRefer);
        self.timers.stop(Timer::Handover);
        while let Some(act) = self.handover.poll_act() {
            self.order(act);
        }
    }

    /// How the other call goes that our REFER asked for.
    pub(super) fn refer_status(&mut self, now: Instant, local: DateTime, status: u16, told: Told) {
        self.handover.refer_status(now, status, told);
        self.follow_handover(now, local);
    }

    /// Something happened on a leg that we placed.
    pub(super) fn leg(&mut self, now: Instant, local: DateTime, leg: LegNo, news: LegNews) {
        self.handover.handle(now, leg, news);
        self.follow_handover(now, local);
    }

    pub(super) fn caller_held(&mut self, now: Instant, local: DateTime, held: bool) {
        self.handover.caller_held(if held { Tune::Hold } else { Tune::None });
        self.follow_handover(now, local);
    }

    /// Who calls does not make us call others.
    pub(super) fn refuse_refer(&mut self) {
        self.out.push_back(Output::AnswerRefer { leg: LegNo::CALLER, answer: Err(603) });
    }

    /// The caller has gone: no leg outlives the call.
    pub(super) fn end_handover(&mut self, now: Instant, local: DateTime) {
        self.handover.caller_gone();
        self.follow_handover(now, local);
        self.timers.stop(Timer::Handover);
    }

    /// Does what the handover asks for, and wakes when it wants to be woken.
    pub(super) fn follow_handover(&mut self, now: Instant, local: DateTime) {
        while let Some(act) = self.handover.poll_act() {
            match act {
                Act::Progress(purpose, progress) => self.progress(now, local, purpose, progress),
                Act::Parted => self.out.push_back(Output::Hangup),
                act => self.order(act),
            }
        }
        match self.handover.poll_deadline() {
            Some(at) => self.timers.set(Timer::Handover, at),
            None => self.timers.stop(Timer::Handover),
        }
    }

    fn order(&mut self, act: Act) {
        let order = match act {
            Act::Refer(who) => Output::Refer { who, context: self.context() },
            Act::Ring(leg, member) => Output::Ring { leg, member, context: self.context() },
            Act::Brief(leg) => Output::Tell { leg, text: self.kernel.brief().spoken },
            Act::Tune(leg, tune) => Output::Tune { leg, tune },
            Act::Bridge(leg) => return self.bridge(leg),
            Act::Drop(leg, why) => Output::Drop { leg, why },
            Act::Press(leg, key) => Output::Press { leg, key },
            Act::AnswerRefer(leg, answer) => Output::AnswerRefer { leg, answer },
            Act::NotifyRefer(leg, status) => Output::NotifyRefer { leg, status },
            Act::Progress(..) | Act::Parted => return,
        };
        self.out.push_back(order);
    }

    /// The caller and a person are joined: what we heard and wanted to say before is over.
    fn bridge(&mut self, leg: LegNo) {
        if self.phase == Phase::Arriving {
            self.phase = Phase::Accepted;
            self.out.push_back(Output::Accept);
        }
        self.out.push_back(Output::Hush { leg });
        self.out.push_back(Output::Bridge { leg });
    }

    fn progress(&mut self, now: Instant, local: DateTime, purpose: Purpose, progress: TransferProgress) {
        let done = matches!(progress, TransferProgress::Succeeded { .. });
        let effect = match purpose {
            Purpose::Transfer(effect) => {
                self.step(now, local, Event::Transfer { effect, progress });
                effect
            }
            Purpose::First => {
                let over = !done && progress != TransferProgress::Started;
                self.step(now, local, Event::RangFirst { progress });
                if over && self.phase == Phase::Arriving {
                    self.phase = Phase::Accepted;
                    self.out.push_back(Output::Accept);
                }
                EffectId(0)
            }
            Purpose::PassedOn => {
                if self.phase == Phase::Accepted {
                    self.phase = Phase::Talking;
                }
                self.out.push_back(Output::Attend);
                self.timers.set(Timer::Longest, now + Duration::from_millis(self.settings.longest_ms));
                return self.step(now, local, Event::CameBack);
            }
        };
        if !done {
            return;
        }
        self.filing.ordered(now, effect, Paper::Transfer);
        self.out.push_back(Output::FileTransfer { effect });
        if self.handover.has_left_us() {
            return self.out.push_back(Output::Hangup);
        }
        self.cut_voice(now);
        self.asked = None;
        self.timers.stop(Timer::Understand);
        self.timers.stop(Timer::Late);
        self.timers.stop(Timer::Recognise);
        self.timers.set(Timer::Longest, now + JOINED);
        for utterance in self.caller.forget() {
            self.out.push_back(Output::Forget { utterance });
        }
    }

    /// What travels with the caller.
    fn context(&self) -> Context {
        let brief = self.kernel.brief();
        Context { name: brief.name, phone: brief.phone, about: brief.about, done: brief.done }
    }
}
