//! Writes one call's records, in the order in which things happened and without holding the call up.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use crate::base::CallId;
use crate::base::civil::{DateTime, Zone};
use crate::base::clock::unix_millis;
use crate::call::{self, Filed};
use crate::dialogue::{Busy, CommitFailure, EffectId, Outcome, Receipt, Record};
use crate::store::{
    self, BookingRequest, CallbackRequest, CommitError, CommitKey, JournalEntry, MaintenanceRequest, MessageRequest, Store, StoreError,
};

/// Records that wait at once. Full: the newest journal entry is lost and the loss is logged; a commit never goes this way.
const QUEUE: usize = 1_024;

/// Journal entries written in one transaction at most.
const BATCH: usize = 64;

enum Write {
    Turn(store::Turn),
    Journal(JournalEntry),
    End { outcome: store::Outcome },
}

/// The pen of one call.
pub struct Scribe {
    queue: mpsc::Sender<Write>,
    store: Store,
    call: CallId,
    agent: String,
    zone: Zone,
}

impl Scribe {
    /// A pen for `call`, which must have begun in `store`.
    pub fn new(store: Store, call: CallId, agent: String, zone: Zone) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write_all(store.clone(), call.clone(), waiting));
        Self { queue, store, call, agent, zone }
    }

    /// One turn, over.
    pub fn turn(&self, turn: call::TurnRecord) {
        let who = match turn.who {
            call::Who::Agent => store::Who::Agent,
            call::Who::Caller => store::Who::Caller,
        };
        let (text, heard) = (turn.text, Some(turn.heard));
        let (gap_ms, confidence) = (turn.gap_ms, turn.confidence);
        self.push(Write::Turn(store::Turn { who, at_ms: turn.at_ms, text, heard, gap_ms, confidence, timings: BTreeMap::new() }));
    }

    /// One thing that happened or was decided, as JSON.
    pub fn journal(&self, at_ms: u64, kind: &str, content: &impl serde::Serialize) {
        match serde_json::to_vec(content) {
            Ok(payload) => self.push(Write::Journal(JournalEntry { at_ms, kind: kind.to_owned(), payload })),
            Err(error) => tracing::error!(call_id = %self.call, %error, kind, "journal entry cannot be written as JSON"),
        }
    }

    /// The call is over. Nothing follows.
    pub fn end(&self, outcome: Outcome) {
        let outcome = store::Outcome::parse(outcome.as_str()).unwrap_or(store::Outcome::Failed);
        self.push(Write::End { outcome });
    }

    fn push(&self, write: Write) {
        if self.queue.try_send(write).is_err() {
            tracing::error!(call_id = %self.call, "a record was lost: the database is too slow");
        }
    }

    /// Puts `record` on disk; the answer comes when it is there, or when it is sure that it is not.
    pub fn commit(&self, effect: EffectId, record: Record) -> impl Future<Output = Filed> + Send + use<> {
        let (store, agent, zone) = (self.store.clone(), self.agent.clone(), self.zone.clone());
        let key = CommitKey { call: self.call.clone(), effect: effect.0.to_string(), at_ms: unix_millis() };
        let (call, kind) = (self.call.clone(), record.kind());
        async move {
            match commit(&store, key, &agent, &zone, record).await {
                Ok(receipt) => Filed::Committed { effect, receipt: Receipt { kind: kind.to_owned(), id: receipt.id } },
                Err(CommitError::SlotTaken { .. }) => Filed::Refused { effect, why: CommitFailure::Taken },
                Err(error) => {
                    tracing::error!(call_id = %call, %error, "not committed");
                    Filed::Refused { effect, why: CommitFailure::Unavailable }
                }
            }
        }
    }

    /// What is taken of `resource` between two points of civil time.
    pub fn look_up(&self, effect: EffectId, resource: String, from: DateTime, to: DateTime) -> impl Future<Output = Filed> + Send + use<> {
        let (store, agent, zone, call) = (self.store.clone(), self.agent.clone(), self.zone.clone(), self.call.clone());
        async move {
            let found = store.busy(agent, zone.unix_millis(from), zone.unix_millis(to)).await;
            let busy = found.inspect_err(|error| tracing::error!(call_id = %call, %error, "look-up failed")).ok();
            let busy =
                busy.map(|busy| busy.into_iter().filter(|taken| taken.resource == resource).map(|taken| civil(&zone, &taken)).collect());
            Filed::Busy { effect, busy }
        }
    }

    /// That a person took the call.
    pub fn transferred(&self, effect: u32) -> impl Future<Output = Result<store::Receipt, CommitError>> + Send + use<> {
        let store = self.store.clone();
        let key = CommitKey { call: self.call.clone(), effect: format!("transfer-{effect}"), at_ms: unix_millis() };
        async move { store.commit_transfer(key).await }
    }
}

fn civil(zone: &Zone, busy: &store::Busy) -> Busy {
    let minutes = u16::try_from((busy.end_ms - busy.start_ms) / 60_000).unwrap_or(u16::MAX);
    Busy { start: zone.at(busy.start_ms), minutes }
}

async fn commit(store: &Store, key: CommitKey, agent: &str, zone: &Zone, record: Record) -> Result<store::Receipt, CommitError> {
    let agent = agent.to_owned();
    match record {
        Record::Booking { resource, start, minutes, capacity, name, phone, note, replaces } => {
            let start_ms = zone.unix_millis(start);
            let end_ms = start_ms + i64::from(minutes) * 60_000;
            let note = (!note.is_empty()).then(|| crate::base::Pii::new(note));
            let capacity = u32::from(capacity);
            store.commit_booking(key, BookingRequest { agent, resource, start_ms, end_ms, capacity, name, phone, note, replaces }).await
        }
        Record::Cancellation { booking } => store.commit_cancellation(key, booking).await,
        Record::Request { problem, unit, urgent, name, phone, due, owner } => {
            let request = MaintenanceRequest { agent, owner, due_ms: zone.unix_millis(due), urgent, place: unit, problem, name, phone };
            store.commit_request(key, request).await
        }
        Record::Message { text, name, phone, due, owner } => {
            store.commit_message(key, MessageRequest { agent, owner, due_ms: zone.unix_millis(due), text, name, phone }).await
        }
        Record::Callback { reason, name, phone, due, owner } => {
            let (topic, phone) = (Some(reason), Some(phone));
            store.commit_callback(key, CallbackRequest { agent, owner, due_ms: zone.unix_millis(due), topic, name, phone }).await
        }
    }
}

async fn write_all(store: Store, call: CallId, mut waiting: mpsc::Receiver<Write>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let mut entries = Vec::new();
        for write in batch.drain(..) {
            match write {
                Write::Journal(entry) => entries.push(entry),
                Write::Turn(turn) => report(&call, store.turn(call.clone(), turn).await.map(drop)),
                Write::End { outcome } => {
                    report(&call, store.journal_append(call.clone(), std::mem::take(&mut entries)).await);
                    report(&call, store.end_call(call.clone(), unix_millis(), outcome, None).await);
                }
            }
        }
        if !entries.is_empty() {
            report(&call, store.journal_append(call.clone(), entries).await);
        }
    }
}

fn report(call: &CallId, written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::error!(call_id = %call, %error, "a record was not written");
    }
}
