//! Which requests enter a worker's next step. Pure.
//!
//! What a caller waits for goes before what is only a preview of it, and within each the earliest deadline goes first. Nothing overtakes a
//! request that only waits for room, so a large one is not starved by small ones.

use std::collections::VecDeque;

use super::wire::RequestId;
use crate::base::{Instant, StreamId};

/// What a worker can do at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchSettings {
    /// Requests in work at once.
    pub slots: usize,
    /// Sum of the costs in work at once; what the unit is, the worker knows (cells of a cache, say).
    pub budget: u64,
    /// Requests that may wait. More: refused at once.
    pub waiting_max: usize,
}

/// How much a request matters; greater goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Urgency {
    /// A preview: replaced by anything newer of the same stream.
    Preview,
    /// Somebody waits for it.
    Awaited,
}

/// One request, as far as its turn is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Job {
    /// Which request.
    pub id: RequestId,
    /// Whose.
    pub stream: StreamId,
    /// How much it matters.
    pub urgency: Urgency,
    /// When it is of no more use.
    pub deadline: Instant,
    /// What it takes of the budget while in work.
    pub cost: u64,
}

/// What the worker has to do. A job that was started stays in its slot until [`Batch::handle_done`], whatever became of its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchOutput {
    /// Begin this one.
    Start(RequestId),
    /// Answer `Expired`; if it was started, stop it.
    Expire(RequestId),
    /// Answer `Cancelled`; if it was started, stop it.
    Cancel(RequestId),
    /// Answer `Refused`: too many wait, or it is larger than everything there is.
    Refuse(RequestId),
    /// Echo this marker: all before it is answered.
    Marker(u64),
}

#[derive(Clone, Copy, Debug)]
struct Held {
    job: Job,
    /// Counts everything that arrived, markers too.
    order: u64,
    /// The answer is out, only the slot is still taken.
    answered: bool,
}

/// The turns of one worker.
#[derive(Debug)]
pub struct Batch {
    settings: BatchSettings,
    waiting: Vec<Held>,
    active: Vec<Held>,
    markers: VecDeque<(u64, u64)>,
    arrived: u64,
    outputs: VecDeque<BatchOutput>,
}

impl Batch {
    /// An idle worker.
    pub fn new(settings: BatchSettings) -> Self {
        Self {
            settings,
            waiting: Vec::new(),
            active: Vec::with_capacity(settings.slots),
            markers: VecDeque::new(),
            arrived: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Requests that wait for a slot.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Requests in work.
    pub fn active(&self) -> usize {
        self.active.len()
    }

    /// A request arrived.
    pub fn handle_request(&mut self, now: Instant, job: Job) {
        let order = self.next_order();
        self.drop_previews_of(job.stream);
        let known = self.waiting.iter().chain(&self.active).any(|held| held.job.id == job.id);
        if known || job.cost > self.settings.budget || self.waiting.len() >= self.settings.waiting_max {
            self.outputs.push_back(BatchOutput::Refuse(job.id));
        } else {
            self.waiting.push(Held { job, order, answered: false });
        }
        self.step(now);
    }

    /// Nobody waits for `id` any longer. Unknown ids are over already.
    pub fn handle_cancel(&mut self, now: Instant, id: RequestId) {
        self.give_up(|job| job.id == id, BatchOutput::Cancel);
        self.step(now);
    }

    /// The daemon wants to know when all before this is answered.
    pub fn handle_marker(&mut self, now: Instant, number: u64) {
        let order = self.next_order();
        self.markers.push_back((order, number));
        self.step(now);
    }

    /// The work on `id` ended: its slot is free. True when its answer is still wanted.
    pub fn handle_done(&mut self, now: Instant, id: RequestId) -> bool {
        let place = self.active.iter().position(|held| held.job.id == id);
        let wanted = place.is_some_and(|place| !self.active.swap_remove(place).answered);
        self.step(now);
        wanted
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.step(now);
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<BatchOutput> {
        self.outputs.pop_front()
    }

    /// When the next deadline passes.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.waiting.iter().chain(&self.active).filter(|held| !held.answered).map(|held| held.job.deadline).min()
    }

    fn step(&mut self, now: Instant) {
        self.give_up(|job| job.deadline <= now, BatchOutput::Expire);
        self.fill();
        self.echo();
        self.check_invariants();
    }

    fn give_up(&mut self, which: impl Fn(&Job) -> bool, answer: fn(RequestId) -> BatchOutput) {
        let outputs = &mut self.outputs;
        self.waiting.retain(|held| {
            let given_up = which(&held.job);
            if given_up {
                outputs.push_back(answer(held.job.id));
            }
            !given_up
        });
        for held in self.active.iter_mut().filter(|held| !held.answered && which(&held.job)) {
            held.answered = true;
            outputs.push_back(answer(held.job.id));
        }
    }

    /// A newer request of a stream makes its waiting and running previews worthless.
    fn drop_previews_of(&mut self, stream: StreamId) {
        self.give_up(|job| job.stream == stream && job.urgency == Urgency::Preview, BatchOutput::Cancel);
    }

    fn fill(&mut self) {
        while self.active.len() < self.settings.slots {
            let best = (0..self.waiting.len()).min_by_key(|place| turn(&self.waiting[*place]));
            let Some(place) = best else { break };
            let taken: u64 = self.active.iter().map(|held| held.job.cost).sum();
            if taken + self.waiting[place].job.cost > self.settings.budget {
                break;
            }
            let held = self.waiting.swap_remove(place);
            self.outputs.push_back(BatchOutput::Start(held.job.id));
            self.active.push(held);
        }
    }

    fn echo(&mut self) {
        while let Some((order, number)) = self.markers.front().copied() {
            let open = self.waiting.iter().chain(&self.active).any(|held| !held.answered && held.order < order);
            if open {
                break;
            }
            self.markers.pop_front();
            self.outputs.push_back(BatchOutput::Marker(number));
        }
    }

    fn next_order(&mut self) -> u64 {
        self.arrived += 1;
        self.arrived
    }

    fn check_invariants(&self) {
        debug_assert!(self.active.len() <= self.settings.slots, "no more in work than slots");
        debug_assert!(self.waiting.len() <= self.settings.waiting_max, "the queue is bounded");
        debug_assert!(self.waiting.iter().all(|held| !held.answered), "what waits is unanswered");
        debug_assert!(
            self.active.iter().map(|held| held.job.cost).sum::<u64>() <= self.settings.budget,
            "what is in work fits into the budget"
        );
    }
}

/// Smaller goes first.
fn turn(held: &Held) -> (std::cmp::Reverse<Urgency>, Instant, u64) {
    (std::cmp::Reverse(held.job.urgency), held.job.deadline, held.order)
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
