//! What the rest of the daemon sees of the engines.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::EngineSettings;
use super::keeper::{self, Order, Reply};
use crate::base::clock::Clock;
use crate::base::limits::{SPEAK_CHUNKS_MAX, WORKER_QUEUE_MAX};
use crate::base::{Instant, Pii};
use crate::engine::wire::{FromWorker, RequestId, ToWorker};
use crate::engine::{
    EngineError, EngineEvent, Speak, SpeechChunk, Transcribe, Transcript, Understand, Understood, WorkerKind, WorkerState, WorkerStatus,
};

/// Events that a subscriber may be behind. More: it loses the oldest, and sees the state in [`Engines::status`].
const EVENTS_MAX: usize = 64;

/// The three engines. Clones share the same workers; the last one dropped ends them.
#[derive(Clone)]
pub struct Engines {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    orders: [mpsc::Sender<Order>; 3],
    status: [watch::Receiver<WorkerStatus>; 3],
    events: broadcast::Sender<EngineEvent>,
    requests: AtomicU64,
}

impl Engines {
    /// Starts the workers and returns at once; [`Engines::wait_ready`] waits for their models. `data_dir` holds the phrase cache.
    /// A worker without model or program stays [`WorkerState::Absent`], and its requests fail with [`EngineError::Gone`].
    #[expect(clippy::unused_async, reason = "starting may come to wait for the disk; callers are asynchronous in any case")]
    pub async fn start(settings: EngineSettings, clock: Clock, data_dir: PathBuf) -> Self {
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let channels = WorkerKind::ALL.map(|kind| (mpsc::channel(WORKER_QUEUE_MAX), watch::channel(absent(kind))));
        let [asr, llm, tts] = channels.map(|((orders, inbox), (told, status))| ((orders, status), (inbox, told)));
        let desks = [asr.1, llm.1, tts.1];
        keeper::start(settings, clock, data_dir, events.clone(), desks);
        let orders = [asr.0.0, llm.0.0, tts.0.0];
        let status = [asr.0.1, llm.0.1, tts.0.1];
        Self { shared: Arc::new(Shared { clock, orders, status, events, requests: AtomicU64::new(1) }) }
    }

    /// Recognises one utterance.
    pub async fn transcribe(&self, work: Transcribe) -> Result<Transcript, EngineError> {
        self.recognise(work, false).await
    }

    /// Recognises what was said so far, while the caller still speaks. It waits for everything that is awaited, and any newer request of the
    /// same stream takes its place ([`EngineError::Expired`]).
    pub async fn transcribe_so_far(&self, work: Transcribe) -> Result<Transcript, EngineError> {
        self.recognise(work, true).await
    }

    async fn recognise(&self, work: Transcribe, partial: bool) -> Result<Transcript, EngineError> {
        let Transcribe { stream, pcm, rate, hint, deadline } = work;
        let left_ms = self.left_ms(deadline);
        let message = |id| ToWorker::Transcribe { id, stream, left_ms, rate, hint: Pii::new(hint), partial };
        match self.ask(WorkerKind::Asr, deadline, message, pcm).await? {
            (FromWorker::Transcript { text, confidence, no_speech, .. }, took) => {
                Ok(Transcript { text: text.into_inner(), confidence, no_speech, took })
            }
            _ => Err(EngineError::Gone),
        }
    }

    /// Completes a prompt under a grammar.
    pub async fn understand(&self, work: Understand) -> Result<Understood, EngineError> {
        let Understand { stream, prefix, prompt, grammar, max_tokens, deadline } = work;
        let left_ms = self.left_ms(deadline);
        let (prefix, prompt, grammar) = (Pii::new(prefix.to_string()), Pii::new(prompt), grammar.to_string());
        let message = |id| ToWorker::Understand { id, stream, left_ms, prefix, prompt, grammar, max_tokens };
        match self.ask(WorkerKind::Llm, deadline, message, Vec::new()).await? {
            (FromWorker::Understood { text, prompt_tokens, generated_tokens, confidence, .. }, took) => {
                Ok(Understood { text: text.into_inner(), prompt_tokens, generated_tokens, confidence, took })
            }
            _ => Err(EngineError::Gone),
        }
    }

    /// Speaks a sentence: one chunk a clause, the last marked, or an error that ends it. Dropping the receiver cancels the rest.
    pub fn speak(&self, work: Speak) -> mpsc::Receiver<Result<SpeechChunk, EngineError>> {
        let (chunks, receiver) = mpsc::channel(SPEAK_CHUNKS_MAX);
        let Speak { stream, text, fixed, rate, deadline } = work;
        let id = self.next_id();
        let left_ms = self.left_ms(deadline);
        let message = ToWorker::Speak { id, stream, left_ms, rate, text: Pii::new(text), fixed };
        let order = Order::Request { id, message, sound: Vec::new(), deadline, reply: Reply::Chunks(chunks.clone()) };
        if let Err(error) = self.send(WorkerKind::Tts, order) {
            // The channel is new and empty, so there is room.
            let _ = chunks.try_send(Err(error));
        }
        receiver
    }

    /// Every worker as it is now, in the order of [`WorkerKind::ALL`].
    pub fn status(&self) -> [WorkerStatus; 3] {
        [0, 1, 2].map(|index: usize| self.shared.status[index].borrow().clone())
    }

    /// Workers that come and go from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<EngineEvent> {
        self.shared.events.subscribe()
    }

    /// Waits until every worker that is installed is ready, `limit` at most; false when one is not.
    pub async fn wait_ready(&self, limit: Duration) -> bool {
        let settled = |status: &WorkerStatus| matches!(status.state, WorkerState::Ready | WorkerState::Absent);
        let all = async {
            for status in &self.shared.status {
                // An error means that the keeper has ended: nothing will become ready.
                if status.clone().wait_for(settled).await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(limit, all).await.unwrap_or(false)
    }

    /// Ends the workers. What they held fails with [`EngineError::Gone`], and so does everything after.
    pub async fn stop(&self) {
        for (orders, status) in self.shared.orders.iter().zip(&self.shared.status) {
            // An error means that the worker's keeper has ended already.
            let _ = orders.send(Order::Stop).await;
            let ended = |status: &WorkerStatus| matches!(status.state, WorkerState::Stopped | WorkerState::Absent) && status.pid.is_none();
            let _ = status.clone().wait_for(ended).await;
        }
    }

    async fn ask(
        &self,
        kind: WorkerKind,
        deadline: Instant,
        message: impl FnOnce(RequestId) -> ToWorker,
        sound: Vec<i16>,
    ) -> Result<(FromWorker, Duration), EngineError> {
        let id = self.next_id();
        let (reply, answer) = oneshot::channel();
        self.send(kind, Order::Request { id, message: message(id), sound, deadline, reply: Reply::Once(reply) })?;
        let mut guard = CancelOnDrop { orders: &self.shared.orders[kind.index()], id: Some(id) };
        let answer = answer.await.unwrap_or(Err(EngineError::Gone));
        guard.id = None;
        answer
    }

    fn send(&self, kind: WorkerKind, order: Order) -> Result<(), EngineError> {
        if self.shared.status[kind.index()].borrow().state != WorkerState::Ready {
            return Err(EngineError::Gone);
        }
        self.shared.orders[kind.index()].try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => EngineError::Busy,
            mpsc::error::TrySendError::Closed(_) => EngineError::Gone,
        })
    }

    fn next_id(&self) -> RequestId {
        self.shared.requests.fetch_add(1, Ordering::Relaxed)
    }

    fn left_ms(&self, deadline: Instant) -> u32 {
        u32::try_from(self.shared.clock.until(deadline).as_millis()).unwrap_or(u32::MAX)
    }
}

/// A future that is dropped (a caller spoke on) frees the worker at once.
struct CancelOnDrop<'a> {
    orders: &'a mpsc::Sender<Order>,
    id: Option<RequestId>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // When the queue is full the deadline does the same a little later.
            let _ = self.orders.try_send(Order::Cancel { id });
        }
    }
}

fn absent(kind: WorkerKind) -> WorkerStatus {
    let (model, digest, detail) = (String::new(), String::new(), "not started yet".to_owned());
    // Until its keeper has looked for model and program it counts as starting, so that `wait_ready` waits for the verdict.
    WorkerStatus { kind, pid: None, state: WorkerState::Starting, restarts: 0, model, digest, detail }
}
