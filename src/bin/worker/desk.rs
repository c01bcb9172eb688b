//! Where a worker's requests wait for its threads. Whose turn it is, [`Batch`] decides; here are only the lock and the answers.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nightbell::base::clock::Clock;
use nightbell::base::{Instant, StreamId};
use nightbell::engine::wire::{FromWorker, RequestId};
use nightbell::engine::{Batch, BatchOutput, BatchSettings, Job};

use super::Request;
use super::line::Voice;

/// A request that has its turn.
pub struct Task<W> {
    /// Which.
    pub id: RequestId,
    /// Whose.
    pub stream: StreamId,
    /// The work.
    pub work: W,
    /// Set when nobody wants the answer any more.
    pub stop: Arc<AtomicBool>,
}

impl<W> Task<W> {
    /// Nobody wants the answer any more.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

struct Inside<W> {
    batch: Batch,
    held: HashMap<RequestId, Task<W>>,
    ready: VecDeque<Task<W>>,
    stops: HashMap<RequestId, Arc<AtomicBool>>,
    voice: Voice,
}

/// The desk. Answers are said under its lock, so that a marker never overtakes an answer.
pub struct Desk<W> {
    inside: Mutex<Inside<W>>,
    work_came: Condvar,
    clock: Clock,
    /// Of each thread: when its present step began, in microseconds and one more; 0 when it is idle.
    steps: Vec<AtomicU64>,
}

impl<W> Desk<W> {
    /// An empty desk for `threads` threads.
    pub(super) fn new(settings: BatchSettings, threads: usize, voice: Voice, clock: Clock) -> Self {
        let (held, ready, stops) = (HashMap::new(), VecDeque::new(), HashMap::new());
        let inside = Mutex::new(Inside { batch: Batch::new(settings), held, ready, stops, voice });
        Self { inside, work_came: Condvar::new(), clock, steps: (0..threads).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The next task, waiting for it. The thread's step begins.
    pub fn take(&self, thread: usize) -> Task<W> {
        let mut inside = self.lock();
        loop {
            if let Some(task) = inside.ready.pop_front() {
                self.step_begins(thread);
                return task;
            }
            inside = self.work_came.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next task, if there is one.
    pub fn try_take(&self) -> Option<Task<W>> {
        self.lock().ready.pop_front()
    }

    /// The work on `id` ended with this answer, which is said if it is still wanted.
    pub fn finish(&self, id: RequestId, answer: &FromWorker, sound: &[i16]) {
        let inside = &mut *self.lock();
        let wanted = inside.stops.get(&id).is_some_and(|stop| !stop.load(Ordering::Relaxed));
        if wanted {
            inside.voice.say(answer, sound);
        }
        self.end(inside, id);
    }

    /// The work on `id` ended because nobody wants its answer.
    pub fn abandon(&self, id: RequestId) {
        let inside = &mut *self.lock();
        self.end(inside, id);
    }

    /// Says a part of the answer to `id`, if it is still wanted.
    pub fn say_part(&self, id: RequestId, part: &FromWorker, sound: &[i16]) {
        let inside = &mut *self.lock();
        let wanted = inside.stops.get(&id).is_some_and(|stop| !stop.load(Ordering::Relaxed));
        if wanted {
            inside.voice.say(part, sound);
        }
    }

    /// The thread begins a step.
    pub fn step_begins(&self, thread: usize) {
        self.steps[thread].store(self.clock.now().as_micros() + 1, Ordering::Relaxed);
    }

    /// The thread is idle.
    pub fn step_ends(&self, thread: usize) {
        self.steps[thread].store(0, Ordering::Relaxed);
    }

    pub(super) fn request(&self, request: Request<W>) {
        let now = self.clock.now();
        let Request { id, stream, left_ms, urgency, cost, work } = request;
        let deadline = now + Duration::from_millis(left_ms.into());
        let inside = &mut *self.lock();
        if inside.stops.contains_key(&id) {
            inside.voice.say(&FromWorker::Refused { id: Some(id), why: "a number that is in use".to_owned() }, &[]);
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        inside.stops.insert(id, Arc::clone(&stop));
        inside.held.insert(id, Task { id, stream, work, stop });
        inside.batch.handle_request(now, Job { id, stream, urgency, deadline, cost });
        self.perform(inside);
    }

    pub(super) fn refuse(&self, id: RequestId, why: String) {
        self.lock().voice.say(&FromWorker::Refused { id: Some(id), why }, &[]);
    }

    pub(super) fn cancel(&self, id: RequestId) {
        let inside = &mut *self.lock();
        inside.batch.handle_cancel(self.clock.now(), id);
        self.perform(inside);
    }

    pub(super) fn mark(&self, number: u64) {
        let inside = &mut *self.lock();
        inside.batch.handle_marker(self.clock.now(), number);
        self.perform(inside);
    }

    pub(super) fn pass_time(&self) {
        let inside = &mut *self.lock();
        inside.batch.handle_timeout(self.clock.now());
        self.perform(inside);
    }

    pub(super) fn until_deadline(&self) -> Duration {
        self.lock().batch.poll_deadline().map_or(Duration::MAX, |deadline| self.clock.until(deadline))
    }

    pub(super) fn pong(&self, number: u64) {
        let now = self.clock.now();
        let began = self.steps.iter().map(|step| step.load(Ordering::Relaxed)).filter(|began| *began > 0).min();
        let busy = began.map_or(Duration::ZERO, |began| now.since(Instant::from_micros(began - 1)));
        let inside = &mut *self.lock();
        let waiting = u32::try_from(inside.batch.waiting()).unwrap_or(u32::MAX);
        let busy_ms = u32::try_from(busy.as_millis()).unwrap_or(u32::MAX);
        inside.voice.say(&FromWorker::Pong { number, busy_ms, waiting }, &[]);
    }

    fn end(&self, inside: &mut Inside<W>, id: RequestId) {
        inside.stops.remove(&id);
        inside.batch.handle_done(self.clock.now(), id);
        self.perform(inside);
    }

    fn perform(&self, inside: &mut Inside<W>) {
        while let Some(output) = inside.batch.poll_output() {
            match output {
                BatchOutput::Start(id) => {
                    inside.ready.extend(inside.held.remove(&id));
                    self.work_came.notify_one();
                }
                BatchOutput::Expire(id) => give_up(inside, id, &FromWorker::Expired { id }),
                BatchOutput::Cancel(id) => give_up(inside, id, &FromWorker::Cancelled { id }),
                BatchOutput::Refuse(id) => {
                    let why = "too many requests wait, or it is larger than this worker".to_owned();
                    give_up(inside, id, &FromWorker::Refused { id: Some(id), why });
                }
                BatchOutput::Marker(number) => inside.voice.say(&FromWorker::Marker { number }, &[]),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside<W>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers for a request that ends without its work being done. One that waited is forgotten; one in work is told to stop.
fn give_up<W>(inside: &mut Inside<W>, id: RequestId, answer: &FromWorker) {
    if inside.held.remove(&id).is_some() {
        inside.stops.remove(&id);
    } else if let Some(stop) = inside.stops.get(&id) {
        stop.store(true, Ordering::Relaxed);
    }
    inside.voice.say(answer, &[]);
}
