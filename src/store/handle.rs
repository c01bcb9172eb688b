//! The daemon's way to the database: one thread writes, one answers questions, and neither blocks a task.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use tokio::sync::oneshot;

use super::{
    BookingRequest, Busy, CallRecord, CallbackRequest, Chain, CommitError, CommitKey, FaultyDisk, JournalEntry, Ledger, MaintenanceRequest,
    MasterKey, MessageRequest, NewCall, Outcome, Reader, Receipt, StoreError, Turn,
};
use crate::base::{CallId, limits};

type Order<T> = Box<dyn FnOnce(&mut T) -> Then + Send>;

/// What a thread does after an order.
enum Then {
    /// It takes the next one.
    Continue,
    /// It closes what it holds, and says so.
    Close(Box<dyn FnOnce() + Send>),
}

/// A handle to the database; its clones share the two threads, which end when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    writer: SyncSender<Order<Ledger>>,
    reader: SyncSender<Order<Reader>>,
}

impl Store {
    /// Opens the database in `dir` (see [`Ledger::open`]) and starts its threads.
    pub fn open(dir: &Path, key: &MasterKey, now_ms: i64) -> Result<Self, StoreError> {
        Self::open_on(dir, key, now_ms, FaultyDisk::default())
    }

    /// As [`Store::open`], on a disk that can be told to fail.
    pub fn open_on(dir: &Path, key: &MasterKey, now_ms: i64, disk: FaultyDisk) -> Result<Self, StoreError> {
        let ledger = Ledger::open_on(dir, key, now_ms, disk)?;
        let reader = Reader::open(dir, key)?;
        Ok(Self { writer: start("nightbell-store", ledger, dir)?, reader: start("nightbell-read", reader, dir)? })
    }

    /// See [`Ledger::begin_call`].
    pub async fn begin_call(&self, call: NewCall) -> Result<(), StoreError> {
        self.write(move |ledger| ledger.begin_call(&call)).await
    }

    /// See [`Ledger::turn`].
    pub async fn turn(&self, call: CallId, turn: Turn) -> Result<u32, StoreError> {
        self.write(move |ledger| ledger.turn(&call, &turn)).await
    }

    /// See [`Ledger::journal_append`].
    pub async fn journal_append(&self, call: CallId, entries: Vec<JournalEntry>) -> Result<(), StoreError> {
        self.write(move |ledger| ledger.journal_append(&call, &entries)).await
    }

    /// See [`Ledger::end_call`].
    pub async fn end_call(&self, call: CallId, ended_ms: i64, outcome: Outcome, why: Option<String>) -> Result<(), StoreError> {
        self.write(move |ledger| ledger.end_call(&call, ended_ms, outcome, why.as_deref())).await
    }

    /// See [`Ledger::erase`].
    pub async fn erase(&self, call: CallId) -> Result<(), StoreError> {
        self.write(move |ledger| ledger.erase(&call)).await
    }

    /// See [`Ledger::commit_booking`].
    pub async fn commit_booking(&self, key: CommitKey, booking: BookingRequest) -> Result<Receipt, CommitError> {
        self.write(move |ledger| ledger.commit_booking(&key, &booking)).await
    }

    /// See [`Ledger::commit_cancellation`].
    pub async fn commit_cancellation(&self, key: CommitKey, booking: String) -> Result<Receipt, CommitError> {
        self.write(move |ledger| ledger.commit_cancellation(&key, &booking)).await
    }

    /// See [`Ledger::commit_request`].
    pub async fn commit_request(&self, key: CommitKey, request: MaintenanceRequest) -> Result<Receipt, CommitError> {
        self.write(move |ledger| ledger.commit_request(&key, &request)).await
    }

    /// See [`Ledger::commit_message`].
    pub async fn commit_message(&self, key: CommitKey, message: MessageRequest) -> Result<Receipt, CommitError> {
        self.write(move |ledger| ledger.commit_message(&key, &message)).await
    }

    /// See [`Ledger::commit_callback`].
    pub async fn commit_callback(&self, key: CommitKey, callback: CallbackRequest) -> Result<Receipt, CommitError> {
        self.write(move |ledger| ledger.commit_callback(&key, &callback)).await
    }

    /// See [`Ledger::commit_transfer`].
    pub async fn commit_transfer(&self, key: CommitKey) -> Result<Receipt, CommitError> {
        self.write(move |ledger| ledger.commit_transfer(&key)).await
    }

    /// See [`Reader::calls`].
    pub async fn calls(&self, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        self.read(move |reader| reader.calls(limit)).await
    }

    /// See [`Reader::call`].
    pub async fn call(&self, call: CallId) -> Result<Option<CallRecord>, StoreError> {
        self.read(move |reader| reader.call(&call)).await
    }

    /// See [`Reader::busy`].
    pub async fn busy(&self, agent: String, from_ms: i64, to_ms: i64) -> Result<Vec<Busy>, StoreError> {
        self.read(move |reader| reader.busy(&agent, from_ms, to_ms)).await
    }

    /// See [`Reader::journal`].
    pub async fn journal(&self, call: CallId) -> Result<Vec<JournalEntry>, StoreError> {
        self.read(move |reader| reader.journal(&call)).await
    }

    /// See [`Reader::verify_chain`].
    pub async fn verify_chain(&self, call: CallId) -> Result<Chain, StoreError> {
        self.read(move |reader| reader.verify_chain(&call)).await
    }

    /// Waits for every write ordered so far, folds the log into the file and ends the writer. Later orders are refused.
    pub async fn close(&self) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        order(&self.writer, move |ledger: &mut Ledger| {
            let folded = ledger.fold();
            Then::Close(Box::new(|| drop(done.send(folded))))
        })?;
        wait.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Does `work` on the writer's thread.
    pub async fn write<R, E>(&self, work: impl FnOnce(&mut Ledger) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        ask(&self.writer, work).await
    }

    /// Asks on the reader's thread.
    pub async fn read<R, E>(&self, question: impl FnOnce(&Reader) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        ask(&self.reader, |reader: &mut Reader| question(reader)).await
    }
}

async fn ask<T, R, E>(queue: &SyncSender<Order<T>>, work: impl FnOnce(&mut T) -> Result<R, E> + Send + 'static) -> Result<R, E>
where
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (done, wait) = oneshot::channel();
    order(queue, move |on: &mut T| {
        // Whoever asked may be gone; what was asked is done all the same.
        let _ = done.send(work(on));
        Then::Continue
    })?;
    wait.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

fn order<T>(queue: &SyncSender<Order<T>>, work: impl FnOnce(&mut T) -> Then + Send + 'static) -> Result<(), StoreError> {
    queue.try_send(Box::new(work)).map_err(|error| match error {
        TrySendError::Full(_) => StoreError::Overloaded,
        TrySendError::Disconnected(_) => StoreError::Closed,
    })
}

fn start<T: Send + 'static>(name: &str, mut on: T, dir: &Path) -> Result<SyncSender<Order<T>>, StoreError> {
    let (queue, orders): (_, Receiver<Order<T>>) = sync_channel(limits::STORE_QUEUE_MAX);
    let serve = move || {
        while let Ok(order) = orders.recv() {
            if let Then::Close(say) = order(&mut on) {
                drop(on);
                return say();
            }
        }
    };
    let started = thread::Builder::new().name(name.to_owned()).spawn(serve);
    started.map_err(|source| StoreError::File { path: dir.to_owned(), source })?;
    Ok(queue)
}
