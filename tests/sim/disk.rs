//! The records: an idempotent ledger in memory on a disk that is slow, refuses, and lets others be faster.

use std::collections::BTreeMap;
use std::time::Duration;

use nightbell::base::Seed;
use nightbell::base::civil::DateTime;
use nightbell::call::Filed;
use nightbell::dialogue::{Busy, CommitFailure, EffectId, Receipt, Record};

/// One record that is on disk.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its proof.
    pub receipt: Receipt,
    /// What was kept.
    pub record: Record,
    /// Given up or replaced since.
    pub void: bool,
    /// Whether the call was told.
    pub told: bool,
}

/// The ledger of one call.
pub struct Disk {
    seed: Seed,
    /// One commit in so many does not take place; 0 for none.
    pub refuses: u64,
    /// One booking in so many finds its time taken; 0 for none.
    pub races: u64,
    /// How long a commit takes at most.
    pub slow_ms: u64,
    /// One commit in so many comes long after its time, or without an answer; 0 for none.
    pub sticks: u64,
    /// What is on disk.
    pub rows: BTreeMap<EffectId, Row>,
    /// When a person took the call.
    pub transferred: bool,
    taken: Vec<Busy>,
}

impl Disk {
    /// A disk without faults.
    pub fn fair(seed: Seed) -> Self {
        Self { seed, refuses: 0, races: 0, slow_ms: 40, sticks: 0, rows: BTreeMap::new(), transferred: false, taken: Vec::new() }
    }

    /// A bad one.
    pub fn faulty(mut seed: Seed) -> Self {
        let (refuses, races, slow_ms) = (2 + seed.below(4), 2 + seed.below(3), 50 + seed.below(2_500));
        Self { refuses, races, slow_ms, ..Self::fair(seed) }
    }

    /// How long the next order takes, to the disk and back.
    pub fn delay(&mut self) -> Duration {
        Duration::from_millis(1 + self.seed.below(self.slow_ms) / 2)
    }

    /// How long the next commit is stuck before it is written.
    pub fn stuck_for(&mut self) -> Duration {
        let stuck = self.sticks > 0 && self.seed.one_in(self.sticks);
        Duration::from_millis(if stuck { 5_000 + self.seed.below(20_000) } else { 0 })
    }

    /// Whether the answer to what was written is lost.
    pub fn loses_answer(&mut self) -> bool {
        self.sticks > 0 && self.seed.one_in(4 * self.sticks)
    }

    /// Writes, or does not.
    pub fn commit(&mut self, effect: EffectId, record: &Record) -> Filed {
        if let Some(row) = self.rows.get(&effect) {
            return Filed::Committed { effect, receipt: row.receipt.clone() };
        }
        if self.refuses > 0 && self.seed.one_in(self.refuses) {
            return Filed::Refused { effect, why: CommitFailure::Unavailable };
        }
        if let Record::Booking { start, minutes, .. } = record {
            let races = self.races > 0 && self.seed.one_in(self.races);
            if races || self.taken.iter().any(|taken| taken.start == *start) {
                self.taken.push(Busy { start: *start, minutes: *minutes });
                return Filed::Refused { effect, why: CommitFailure::Taken };
            }
        }
        let given_up = match record {
            Record::Booking { replaces, .. } => replaces.clone(),
            Record::Cancellation { booking } => Some(booking.clone()),
            _ => None,
        };
        if let Some(id) = given_up {
            let row = self.rows.values_mut().find(|row| row.receipt.id == id && !row.void);
            let Some(row) = row else { return Filed::Refused { effect, why: CommitFailure::Unavailable } };
            row.void = true;
        }
        let receipt = Receipt { kind: record.kind().to_owned(), id: format!("row-{}", effect.0) };
        self.rows.insert(effect, Row { receipt: receipt.clone(), record: record.clone(), void: false, told: false });
        Filed::Committed { effect, receipt }
    }

    /// What is taken.
    pub fn look_up(&mut self, effect: EffectId, from: DateTime) -> Filed {
        if self.refuses > 0 && self.seed.one_in(2 * self.refuses) {
            return Filed::Busy { effect, busy: None };
        }
        if self.races > 0 && self.taken.is_empty() {
            // Somebody has the first hour of every later morning.
            let mornings = (1..4_i8).filter_map(|day| from.date().checked_add(nightbell::base::civil::Span::new().days(day)).ok());
            self.taken = mornings.map(|day| Busy { start: day.at(9, 0, 0, 0), minutes: 60 }).collect();
        }
        Filed::Busy { effect, busy: Some(self.taken.clone()) }
    }
}
