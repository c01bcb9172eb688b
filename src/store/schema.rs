//! The tables, as the migrations that make them. A migration that has been released is never changed; a new one is added.

use super::StoreError;
use super::sqlite::Db;

/// Migration `n` (from 1) leads from schema `n - 1` to schema `n`.
const MIGRATIONS: &[&str] = &[FIRST, SECOND];

const FIRST: &str = "
CREATE TABLE calls (
  id TEXT PRIMARY KEY,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  caller BLOB,                          -- sealed
  dialled TEXT NOT NULL,
  agent TEXT NOT NULL,
  agent_version TEXT NOT NULL,
  outcome TEXT CHECK (outcome IN ('booked', 'moved', 'cancelled', 'callback', 'message', 'request', 'transferred', 'informed', 'abandoned', 'failed')),
  why TEXT,                             -- of a failure, never personal
  journal_entries INTEGER,              -- when the call ended: a chain that was cut short shows
  journal_head BLOB
) STRICT;
CREATE INDEX calls_by_time ON calls (started_ms);
CREATE TABLE call_keys (
  call_id TEXT PRIMARY KEY REFERENCES calls (id),
  wrapped BLOB NOT NULL
) STRICT;
CREATE TABLE turns (
  call_id TEXT NOT NULL REFERENCES calls (id),
  seq INTEGER NOT NULL,
  who TEXT NOT NULL CHECK (who IN ('agent', 'caller')),
  at_ms INTEGER NOT NULL,               -- on the call's own clock
  text BLOB NOT NULL,                   -- sealed
  heard BLOB,                           -- sealed
  gap_ms INTEGER,
  confidence REAL,
  timings TEXT NOT NULL,                -- JSON: name to milliseconds
  PRIMARY KEY (call_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
  call_id TEXT NOT NULL REFERENCES calls (id),
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  prev BLOB NOT NULL,
  sealed BLOB NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (call_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END;
CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END;
CREATE TABLE receipts (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id TEXT NOT NULL REFERENCES calls (id),
  effect TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('booked', 'moved', 'cancelled', 'request', 'message', 'callback', 'transferred')),
  committed_ms INTEGER NOT NULL,
  UNIQUE (call_id, effect)              -- the idempotency key
) STRICT;
CREATE TABLE bookings (
  receipt INTEGER PRIMARY KEY REFERENCES receipts (number),
  call_id TEXT NOT NULL REFERENCES calls (id),
  agent TEXT NOT NULL,
  resource TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
  state TEXT NOT NULL CHECK (state IN ('booked', 'cancelled')),
  name TEXT, phone TEXT, note TEXT
) STRICT;
CREATE INDEX bookings_by_slot ON bookings (agent, resource, start_ms) WHERE state = 'booked';
CREATE TABLE obligations (              -- requests, messages and callbacks: somebody owns each, and it is due
  receipt INTEGER PRIMARY KEY REFERENCES receipts (number),
  call_id TEXT NOT NULL REFERENCES calls (id),
  kind TEXT NOT NULL CHECK (kind IN ('request', 'message', 'callback')),
  agent TEXT NOT NULL,
  owner TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  urgent INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'done')),
  subject TEXT,                         -- the unit, the topic
  text TEXT, name TEXT, phone TEXT
) STRICT;
CREATE INDEX obligations_open ON obligations (due_ms) WHERE state = 'open';
";

/// Calls that agents place, and what the owner should know.
const SECOND: &str = "
CREATE TABLE consents (
  number TEXT NOT NULL,                 -- in full form: +13125550142
  kind TEXT NOT NULL CHECK (kind IN ('callback', 'reminder', 'lead')),
  source TEXT NOT NULL,                 -- where it is written or was said
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (number, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbound (
  id INTEGER PRIMARY KEY,
  call_id TEXT NOT NULL,
  number TEXT,                          -- none once the called person is erased
  agent TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('callback', 'reminder', 'lead')),
  at_ms INTEGER NOT NULL,
  reserved_cents INTEGER NOT NULL,
  settled_cents INTEGER,                -- none while it goes on
  result TEXT
) STRICT;
CREATE INDEX outbound_by_time ON outbound (at_ms);
CREATE INDEX outbound_open ON outbound (id) WHERE settled_cents IS NULL;
CREATE TABLE notices (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL                    -- nothing personal
) STRICT;
";

/// The schema this program writes.
#[expect(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub(super) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Brings the file to the newest schema, each step wholly or not at all.
pub(super) fn migrate(db: &Db) -> Result<(), StoreError> {
    let found = version(db)?;
    for (at, migration) in (1_i64..).zip(MIGRATIONS).skip_while(|(at, _)| *at <= found) {
        db.transaction(|db| {
            db.batch(migration)?;
            db.batch(&format!("PRAGMA user_version = {at}"))
        })?;
    }
    Ok(())
}

/// The file's schema; refuses a newer one than ours.
pub(super) fn version(db: &Db) -> Result<i64, StoreError> {
    let found = db.first("PRAGMA user_version", &[])?.map_or(Ok(0), |row| row.integer(0))?;
    if found > NEWEST {
        return Err(StoreError::SchemaNewer { found, known: NEWEST });
    }
    Ok(found)
}
