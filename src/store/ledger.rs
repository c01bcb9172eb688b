//! The one writer. It blocks; the daemon reaches it through [`super::Store`].

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::reader::{caller_label, key_label, turn_label};
use super::seal::SealKey;
use super::sqlite::{Db, Value};
use super::{FaultyDisk, JournalEntry, MasterKey, NewCall, Outcome, Reader, StoreError, Turn, journal, schema};
use crate::base::{CallId, Secret, limits};

/// The database's file in the data directory.
pub(super) const FILE: &str = "nightbell.db";
const LOCK: &str = "nightbell.lock";

/// The key of the file.
pub(super) fn file_key(master: &MasterKey) -> Result<SealKey, StoreError> {
    SealKey::derived(master, "database file")
}

/// The key that wraps the calls' keys.
pub(super) fn wrapping_key(master: &MasterKey) -> Result<SealKey, StoreError> {
    SealKey::derived(master, "call keys")
}

/// The database, open for its one writer.
pub struct Ledger {
    pub(super) reader: Reader,
    _lock: File,
}

impl Ledger {
    /// Opens the database in `dir`, making both where there is none, and closes the calls that a power cut left open (at `now_ms`, Unix) as failed.
    /// Refused while another process has it open.
    pub fn open(dir: &Path, key: &MasterKey, now_ms: i64) -> Result<Self, StoreError> {
        Self::open_on(dir, key, now_ms, FaultyDisk::default())
    }

    /// As [`Ledger::open`], on a disk that can be told to fail.
    pub fn open_on(dir: &Path, key: &MasterKey, now_ms: i64, disk: FaultyDisk) -> Result<Self, StoreError> {
        prepare(dir)?;
        let lock = own_file(&dir.join(LOCK))?;
        lock_alone(&lock, dir)?;
        let path = dir.join(FILE);
        // Made here with its mode, which SQLite then gives to the files beside it too.
        drop(own_file(&path)?);
        let secret: &Secret<[u8; 32]> = &file_key(key)?.secret().clone();
        let db = Db::writer(&path, secret, disk)?;
        schema::migrate(&db)?;
        let ledger = Self { reader: Reader { db, wrapping: wrapping_key(key)? }, _lock: lock };
        ledger.close_what_was_cut(now_ms)?;
        Ok(ledger)
    }

    /// The questions, asked of the writer's own connection.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Records that a call began.
    pub fn begin_call(&mut self, call: &NewCall) -> Result<(), StoreError> {
        let key = SealKey::random()?;
        let wrapped = key.wrapped(&self.reader.wrapping, &key_label(&call.id))?;
        let caller = key.seal(&caller_label(&call.id), bounded("the caller's address", call.from.expose())?.as_bytes())?;
        self.reader.db.transaction(|db| {
            let values = [
                call.id.as_str().into(),
                call.started_ms.into(),
                caller.as_slice().into(),
                bounded("the dialled address", &call.to)?.into(),
                call.agent.as_str().into(),
                call.agent_version.as_str().into(),
            ];
            db.execute(
                "INSERT INTO calls (id, started_ms, caller, dialled, agent, agent_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &values,
            )?;
            db.execute("INSERT INTO call_keys (call_id, wrapped) VALUES (?1, ?2)", &[call.id.as_str().into(), wrapped.as_slice().into()])?;
            Ok(())
        })
    }

    /// Records a turn; its number in the call, from 0.
    pub fn turn(&mut self, call: &CallId, turn: &Turn) -> Result<u32, StoreError> {
        let key = self.reader.key(call)?.ok_or(StoreError::Erased)?;
        self.reader.db.transaction(|db| {
            let seq = db.first("SELECT coalesce(max(seq) + 1, 0) FROM turns WHERE call_id = ?1", &[call.as_str().into()])?;
            let seq = seq.map_or(Ok(0), |row| row.integer(0))?;
            let seal = |field, text: &str| key.seal(&turn_label(call, seq, field), bounded("a turn", text)?.as_bytes());
            let text = seal("text", turn.text.expose())?;
            let heard = turn.heard.as_ref().map(|heard| seal("heard", heard.expose())).transpose()?;
            let values = [
                call.as_str().into(),
                seq.into(),
                turn.who.as_str().into(),
                integer(turn.at_ms),
                text.as_slice().into(),
                heard.as_deref().into(),
                turn.gap_ms.map_or(Value::Null, integer),
                turn.confidence.map_or(Value::Null, |confidence| Value::Real(f64::from(confidence))),
                serde_json::to_string(&turn.timings).unwrap_or_default().as_str().into(),
            ];
            let sql = "INSERT INTO turns (call_id, seq, who, at_ms, text, heard, gap_ms, confidence, timings)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            db.execute(sql, &values)?;
            u32::try_from(seq).map_err(|_| StoreError::Damaged("a turn's number"))
        })
    }

    /// Appends to a call's journal.
    pub fn journal_append(&mut self, call: &CallId, entries: &[JournalEntry]) -> Result<(), StoreError> {
        self.reader.db.transaction(|_| entries.iter().try_for_each(|entry| journal::append(&self.reader, call, entry)))
    }

    /// Records how a call ended (`why` only for a failure, and never personal). A call ends once: the first outcome stands.
    pub fn end_call(&mut self, call: &CallId, ended_ms: i64, outcome: Outcome, why: Option<&str>) -> Result<(), StoreError> {
        self.reader.db.transaction(|db| end(db, call, ended_ms, outcome, why))
    }

    /// Erases a call's caller for good: its key, and with it every word of its turns and journal, and the names and numbers in what was committed.
    /// Times, outcome and receipts stay, and the journal's chain stays whole.
    pub fn erase(&mut self, call: &CallId) -> Result<(), StoreError> {
        self.reader.key(call)?;
        self.reader.db.transaction(|db| {
            let id: [Value; 1] = [call.as_str().into()];
            db.execute("DELETE FROM call_keys WHERE call_id = ?1", &id)?;
            db.execute("UPDATE calls SET caller = NULL WHERE id = ?1", &id)?;
            db.execute("UPDATE outbound SET number = NULL WHERE call_id = ?1", &id)?;
            db.execute("UPDATE bookings SET name = NULL, phone = NULL, note = NULL WHERE call_id = ?1", &id)?;
            db.execute("UPDATE obligations SET subject = NULL, text = NULL, name = NULL, phone = NULL WHERE call_id = ?1", &id)?;
            Ok::<_, StoreError>(())
        })?;
        self.fold()
    }

    /// Folds the write-ahead log into the file, so that nothing old is left in it.
    pub fn fold(&self) -> Result<(), StoreError> {
        self.reader.db.query("PRAGMA wal_checkpoint(TRUNCATE)", &[]).map(drop)
    }

    fn close_what_was_cut(&self, now_ms: i64) -> Result<(), StoreError> {
        self.settle_what_was_cut()?;
        self.reader.db.transaction(|db| {
            for row in db.query("SELECT id FROM calls WHERE outcome IS NULL", &[])? {
                let call = CallId::parse(&row.text(0)?).ok_or(StoreError::Damaged("a call's id"))?;
                end(db, &call, now_ms, Outcome::Failed, Some("the daemon stopped during the call"))?;
            }
            Ok(())
        })
    }
}

fn end(db: &Db, call: &CallId, ended_ms: i64, outcome: Outcome, why: Option<&str>) -> Result<(), StoreError> {
    let (entries, head) = journal::head(db, call)?;
    let values = [call.as_str().into(), ended_ms.into(), outcome.as_str().into(), why.into(), entries.into(), head.as_slice().into()];
    let sql =
        "UPDATE calls SET ended_ms = ?2, outcome = ?3, why = ?4, journal_entries = ?5, journal_head = ?6 WHERE id = ?1 AND outcome IS NULL";
    if db.execute(sql, &values)? == 0 && db.first("SELECT 1 FROM calls WHERE id = ?1", &values[..1])?.is_none() {
        return Err(StoreError::NoSuchCall);
    }
    Ok(())
}

/// `text` when it is not too long.
pub(super) fn bounded<'a>(what: &'static str, text: &'a str) -> Result<&'a str, StoreError> {
    let (bytes, max) = (text.len(), limits::STORE_TEXT_BYTES_MAX);
    if bytes > max { Err(StoreError::TooLong { what, bytes, max }) } else { Ok(text) }
}

fn integer(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Makes the data directory, for its owner alone; one that is there stays as it is.
pub(super) fn prepare(dir: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| StoreError::File { path: dir.to_owned(), source })
}

/// A file that its owner alone may read, made where there is none.
fn own_file(path: &Path) -> Result<File, StoreError> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map_err(|source| StoreError::File { path: path.to_owned(), source })
}

/// One writer, among processes too: a second one would close the first one's calls as failed.
fn lock_alone(file: &File, dir: &Path) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(StoreError::File { path: dir.join(LOCK), source }),
    }
}
