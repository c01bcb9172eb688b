//! The thread that keeps the workers: one task for each.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::EngineSettings;
use super::link::{Heard, Link, Silence};
use crate::base::Instant;
use crate::base::clock::Clock;
use crate::base::limits::WORKER_QUEUE_MAX;
use crate::engine::wire::{FromWorker, PROTOCOL, RequestId, ToWorker};
use crate::engine::{EngineError, EngineEvent, Health, HealthOutput, SpeechChunk, WorkerKind, WorkerState, WorkerStatus};

/// A worker answers `Expired` itself; this is how much later the daemon does it for a worker that does not.
const EXPIRY_GRACE: Duration = Duration::from_millis(20);

/// How long the last words of an ended worker are waited for; its socket is closed, so they are there already.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Who gets the answer.
pub(super) enum Reply {
    /// One answer and the time it took.
    Once(oneshot::Sender<Result<(FromWorker, Duration), EngineError>>),
    /// Chunks up to the last.
    Chunks(mpsc::Sender<Result<SpeechChunk, EngineError>>),
}

/// What the handle asks of a worker's task.
pub(super) enum Order {
    /// Carry this to the worker.
    Request {
        /// Its number, also in the message.
        id: RequestId,
        /// The request.
        message: ToWorker,
        /// Its sound.
        sound: Vec<i16>,
        /// When it fails with `Expired`.
        deadline: Instant,
        /// Who gets the answer.
        reply: Reply,
    },
    /// Nobody waits any longer.
    Cancel {
        /// For this request.
        id: RequestId,
    },
    /// End the worker.
    Stop,
}

/// Where a worker's orders come from and where its state is told.
pub(super) type Desk = (mpsc::Receiver<Order>, watch::Sender<WorkerStatus>);

/// Starts the thread. When even that fails, the desks close and every request fails with `Gone`.
pub(super) fn start(settings: EngineSettings, clock: Clock, data_dir: PathBuf, events: broadcast::Sender<EngineEvent>, desks: [Desk; 3]) {
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "the workers cannot be kept");
                return;
            }
        };
        let [asr, llm, tts] = desks;
        let keep = |kind, desk| Keeper::new(kind, &settings, clock, &data_dir, events.clone(), desk).run();
        runtime.block_on(async {
            tokio::join!(keep(WorkerKind::Asr, asr), keep(WorkerKind::Llm, llm), keep(WorkerKind::Tts, tts));
        });
    };
    if let Err(error) = std::thread::Builder::new().name("engines".to_owned()).spawn(run) {
        tracing::error!(%error, "the workers cannot be kept");
    }
}

struct InFlight {
    asked: Instant,
    deadline: Instant,
    reply: Reply,
}

/// What woke the task.
enum Wake {
    Order(Option<Order>),
    Heard(Option<Heard>),
    Exit(String),
    Timer,
}

struct Keeper {
    kind: WorkerKind,
    clock: Clock,
    program: Option<PathBuf>,
    arguments: Vec<std::ffi::OsString>,
    health: Health,
    link: Option<Link>,
    in_flight: HashMap<RequestId, InFlight>,
    orders: mpsc::Receiver<Order>,
    told: watch::Sender<WorkerStatus>,
    events: broadcast::Sender<EngineEvent>,
    stopping: bool,
}

impl Keeper {
    fn new(
        kind: WorkerKind,
        settings: &EngineSettings,
        clock: Clock,
        data_dir: &std::path::Path,
        events: broadcast::Sender<EngineEvent>,
        (orders, told): Desk,
    ) -> Self {
        let arguments = settings.arguments(kind, data_dir);
        let program = arguments.as_ref().and_then(|_| settings.program(kind));
        let detail = match (&arguments, &program) {
            (None, _) => "no model chosen".to_owned(),
            (_, None) => format!("{} is not installed", kind.program()),
            _ => String::new(),
        };
        told.send_modify(|status| status.detail = detail);
        let (health, in_flight) = (Health::new(), HashMap::new());
        let arguments = arguments.unwrap_or_default();
        Self { kind, clock, program, arguments, health, link: None, in_flight, orders, told, events, stopping: false }
    }

    async fn run(mut self) {
        if self.program.is_some() {
            self.health.handle_start(self.clock.now());
        }
        loop {
            self.perform();
            if self.stopping && self.link.is_none() {
                break;
            }
            match self.wake().await {
                Wake::Order(Some(order)) => self.handle_order(order),
                Wake::Order(None) => self.stop(),
                Wake::Heard(heard) => self.handle_heard(heard),
                Wake::Exit(why) => self.handle_exit(why).await,
                Wake::Timer => self.handle_timer(),
            }
        }
        self.fail_all();
        self.tell();
    }

    async fn wake(&mut self) -> Wake {
        let health = self.health.poll_deadline();
        let expiry = self.in_flight.values().map(|held| held.deadline + EXPIRY_GRACE).min();
        let deadline = health.into_iter().chain(expiry).min();
        let clock = self.clock;
        let timer = async move {
            match deadline {
                Some(at) => tokio::time::sleep_until(clock.to_std(at).into()).await,
                None => std::future::pending().await,
            }
        };
        let Some(link) = &mut self.link else {
            return tokio::select! {
                order = self.orders.recv(), if !self.stopping => Wake::Order(order),
                () = timer => Wake::Timer,
            };
        };
        tokio::select! {
            biased;
            // A closed channel stays closed: only the exit is waited for then.
            heard = link.heard.recv(), if !link.heard.is_closed() || !link.heard.is_empty() => Wake::Heard(heard),
            exit = link.child.wait() => Wake::Exit(exit.map_or_else(|error| error.to_string(), |status| status.to_string())),
            order = self.orders.recv(), if !self.stopping => Wake::Order(order),
            () = timer => Wake::Timer,
        }
    }

    /// Carries out what the machine decided, until it has nothing more.
    fn perform(&mut self) {
        while let Some(output) = self.health.poll_output() {
            match output {
                HealthOutput::Spawn => self.spawn(),
                HealthOutput::Ping(number) => self.send(&ToWorker::Ping { number }),
                HealthOutput::Kill => self.kill(),
                HealthOutput::Up => {
                    tracing::info!(worker = self.kind.name(), "worker ready");
                    self.announce(EngineEvent::Up { kind: self.kind });
                }
                HealthOutput::Down { why } => self.down(why),
            }
        }
        self.tell();
    }

    fn spawn(&mut self) {
        let Some(program) = &self.program else { return };
        match Link::spawn(self.kind, program, &self.arguments) {
            Ok(link) => {
                self.link = Some(link);
                self.send(&ToWorker::Hello { protocol: PROTOCOL, worker: self.kind });
            }
            Err(error) => self.health.handle_exit(self.clock.now(), format!("cannot start {}: {error}", program.display())),
        }
    }

    fn kill(&mut self) {
        if let Some(link) = &mut self.link {
            // An error means that it has ended already.
            let _ = link.child.start_kill();
        }
    }

    fn down(&mut self, why: String) {
        self.fail_all();
        tracing::warn!(worker = self.kind.name(), why, "worker down");
        self.told.send_modify(|status| status.detail.clone_from(&why));
        self.announce(EngineEvent::Down { kind: self.kind, why });
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.health.handle_stop(self.clock.now());
    }

    fn handle_order(&mut self, order: Order) {
        match order {
            Order::Request { id, message, sound, deadline, reply } => {
                let asked = self.clock.now();
                if let Err(error) = self.forward(&message, &sound) {
                    answer(reply, Err(error));
                } else {
                    self.in_flight.insert(id, InFlight { asked, deadline, reply });
                }
            }
            Order::Cancel { id } => {
                if self.in_flight.remove(&id).is_some() {
                    self.send(&ToWorker::Cancel { id });
                }
            }
            Order::Stop => self.stop(),
        }
    }

    fn forward(&self, message: &ToWorker, sound: &[i16]) -> Result<(), EngineError> {
        let link = self.link.as_ref().filter(|_| self.health.state() == WorkerState::Ready).ok_or(EngineError::Gone)?;
        if self.in_flight.len() >= WORKER_QUEUE_MAX {
            return Err(EngineError::Busy);
        }
        link.send(message, sound).map_err(|error| error.map_or(EngineError::Busy, |error| EngineError::Refused(error.to_string())))
    }

    /// A message that nobody waits for. When it cannot be queued, the missing sign of life tells.
    fn send(&self, message: &ToWorker) {
        if let Some(link) = &self.link {
            let _ = link.send(message, &[]);
        }
    }

    fn handle_heard(&mut self, heard: Option<Heard>) {
        match heard {
            Some(Ok((message, sound))) => self.handle_message(message, sound),
            Some(Err(Silence::Nonsense(error))) => self.health.handle_violation(self.clock.now(), error.to_string()),
            Some(Err(Silence::Closed)) | None => {
                self.fail_all();
                if let Some(link) = &mut self.link {
                    link.heard.close();
                }
            }
        }
    }

    fn handle_message(&mut self, message: FromWorker, sound: Vec<i16>) {
        let now = self.clock.now();
        match message {
            FromWorker::Ready { protocol, worker, model, digest, details } => {
                if protocol != PROTOCOL || worker != self.kind {
                    let why = format!("it is {worker} of protocol {protocol}, not {} of protocol {PROTOCOL}", self.kind);
                    self.health.handle_violation(now, why);
                    return;
                }
                self.told.send_modify(|status| {
                    (status.model, status.digest, status.detail) = (model, digest, details);
                });
                self.health.handle_ready(now);
            }
            FromWorker::Refused { id: None, why } => self.health.handle_violation(now, why),
            FromWorker::Refused { id: Some(id), why } => self.finish(id, Err(EngineError::Refused(why))),
            FromWorker::Expired { id } | FromWorker::Cancelled { id } => self.finish(id, Err(EngineError::Expired)),
            FromWorker::Pong { number, busy_ms, .. } => self.health.handle_pong(now, number, Duration::from_millis(busy_ms.into())),
            FromWorker::Marker { .. } => {}
            FromWorker::Transcript { id, .. } | FromWorker::Understood { id, .. } => self.finish(id, Ok(message)),
            FromWorker::Chunk { id, clause, start, end, last, .. } => {
                let text_range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
                self.deliver(id, SpeechChunk { clause, text_range, pcm: sound, last });
            }
        }
    }

    /// The one answer to a request. An unknown id was cancelled or has expired: its answer is stale.
    fn finish(&mut self, id: RequestId, result: Result<FromWorker, EngineError>) {
        if let Some(held) = self.in_flight.remove(&id) {
            let took = self.clock.now().since(held.asked);
            answer(held.reply, result.map(|message| (message, took)));
        }
    }

    fn deliver(&mut self, id: RequestId, chunk: SpeechChunk) {
        let last = chunk.last;
        let taken = match self.in_flight.get(&id).map(|held| &held.reply) {
            Some(Reply::Chunks(chunks)) => chunks.try_send(Ok(chunk)).is_ok(),
            _ => return,
        };
        if last || !taken {
            self.in_flight.remove(&id);
        }
        if !last && !taken {
            self.send(&ToWorker::Cancel { id });
        }
    }

    async fn handle_exit(&mut self, why: String) {
        // Its last words may still be on their way, and they say more than its exit status.
        let link = self.link.take();
        if let Some(mut link) = link {
            while let Ok(Some(Ok((message, sound)))) = tokio::time::timeout(LAST_WORDS, link.heard.recv()).await {
                self.handle_message(message, sound);
            }
        }
        self.health.handle_exit(self.clock.now(), why);
        self.fail_all();
    }

    fn handle_timer(&mut self) {
        let now = self.clock.now();
        let late: Vec<RequestId> =
            self.in_flight.iter().filter(|(_, held)| held.deadline + EXPIRY_GRACE <= now).map(|(id, _)| *id).collect();
        for id in late {
            self.send(&ToWorker::Cancel { id });
            self.finish(id, Err(EngineError::Expired));
        }
        self.health.handle_timeout(now);
    }

    fn fail_all(&mut self) {
        for (_, held) in self.in_flight.drain() {
            answer(held.reply, Err(EngineError::Gone));
        }
    }

    /// State and event change as one: who has seen the state is not told of its change again, and who is told finds it changed.
    fn announce(&self, event: EngineEvent) {
        let (state, restarts) = (self.health.state(), self.health.restarts());
        self.told.send_modify(|status| {
            (status.state, status.restarts) = (state, restarts);
            // An error means that nobody listens.
            let _ = self.events.send(event);
        });
    }

    fn tell(&self) {
        let (state, restarts) = (self.health.state(), self.health.restarts());
        let pid = self.link.as_ref().and_then(|link| link.child.id());
        self.told.send_if_modified(|status| {
            let changed = (status.state, status.restarts, status.pid) != (state, restarts, pid);
            (status.state, status.restarts, status.pid) = (state, restarts, pid);
            changed
        });
    }
}

/// A receiver that has gone away wants no answer.
fn answer(reply: Reply, result: Result<(FromWorker, Duration), EngineError>) {
    match (reply, result) {
        (Reply::Once(once), result) => drop(once.send(result)),
        (Reply::Chunks(chunks), Err(error)) => drop(chunks.try_send(Err(error))),
        // Chunks are delivered one by one; a whole answer to them would be the wrong kind.
        (Reply::Chunks(chunks), Ok(_)) => drop(chunks.try_send(Err(EngineError::Gone))),
    }
}
