//! The journal of a call: entries that are sealed and then chained by their digests, so that a changed, dropped or inserted one shows.

use super::sqlite::{Db, Row};
use super::{Reader, StoreError};
use crate::base::sha256::{Sha256, Sum};
use crate::base::{CallId, limits};

/// One entry, opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalEntry {
    /// When, in milliseconds on the call's own clock.
    pub at_ms: u64,
    /// What kind of entry it is, such as `event` or `decision`; never personal, and never sealed.
    pub kind: String,
    /// Its content.
    pub payload: Vec<u8>,
}

/// What a check of a call's journal found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chain {
    /// Every entry is as it was written.
    Whole {
        /// How many there are.
        entries: u64,
    },
    /// An entry, or the end, is not.
    Broken {
        /// The first entry that is not as it was written, from 0.
        at: u64,
    },
}

pub(super) fn label(call: &CallId, seq: i64, kind: &str) -> String {
    format!("journal {call} {seq} {kind}")
}

/// Appends an entry. Called inside the writer's transaction.
pub(super) fn append(reader: &Reader, call: &CallId, entry: &JournalEntry) -> Result<(), StoreError> {
    let bytes = entry.payload.len();
    if bytes > limits::JOURNAL_ENTRY_BYTES_MAX {
        return Err(StoreError::TooLong { what: "a journal entry", bytes, max: limits::JOURNAL_ENTRY_BYTES_MAX });
    }
    let key = reader.key(call)?.ok_or(StoreError::Erased)?;
    let (entries, prev) = head(&reader.db, call)?;
    let sealed = key.seal(&label(call, entries, &entry.kind), &entry.payload)?;
    let at = i64::try_from(entry.at_ms).unwrap_or(i64::MAX);
    let hash = link(call, (entries, at), &entry.kind, &prev, &sealed);
    let values = [
        call.as_str().into(),
        entries.into(),
        at.into(),
        entry.kind.as_str().into(),
        prev.as_slice().into(),
        sealed.as_slice().into(),
        hash.as_slice().into(),
    ];
    reader
        .db
        .execute("INSERT INTO journal (call_id, seq, at_ms, kind, prev, sealed, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &values)?;
    Ok(())
}

/// How many entries there are, and the last one's digest (zeros before the first).
pub(super) fn head(db: &Db, call: &CallId) -> Result<(i64, Sum), StoreError> {
    let last = db.first("SELECT seq, hash FROM journal WHERE call_id = ?1 ORDER BY seq DESC LIMIT 1", &[call.as_str().into()])?;
    last.map_or(Ok((0, Sum::default())), |row| Ok((row.integer(0)? + 1, sum(&row, 1)?)))
}

/// Walks the chain. Needs no key: a call that was erased is checked like any other.
pub(super) fn verify(db: &Db, call: &CallId) -> Result<Chain, StoreError> {
    let ended = db.first("SELECT journal_entries, journal_head FROM calls WHERE id = ?1", &[call.as_str().into()])?;
    let ended = ended.ok_or(StoreError::NoSuchCall)?;
    let rows =
        db.query("SELECT seq, at_ms, kind, prev, sealed, hash FROM journal WHERE call_id = ?1 ORDER BY seq", &[call.as_str().into()])?;
    let (mut entries, mut prev) = (0_i64, Sum::default());
    for row in &rows {
        let place = (row.integer(0)?, row.integer(1)?);
        let hash = sum(row, 5)?;
        let right = place.0 == entries && sum(row, 3)? == prev && link(call, place, &row.text(2)?, &prev, &row.blob(4)?) == hash;
        if !right {
            return Ok(Chain::Broken { at: entries.unsigned_abs() });
        }
        (entries, prev) = (entries + 1, hash);
    }
    let expected = ended.integer_or_none(0)?.unwrap_or(entries);
    let whole = expected == entries && ended.blob_or_none(1)?.is_none_or(|head| head == prev);
    let entries = entries.unsigned_abs();
    Ok(if whole { Chain::Whole { entries } } else { Chain::Broken { at: entries } })
}

/// The digest of an entry and everything before it. Lengths stand before what varies, so that no two entries read the same.
fn link(call: &CallId, (seq, at_ms): (i64, i64), kind: &str, prev: &Sum, sealed: &[u8]) -> Sum {
    let mut hash = Sha256::default();
    for part in [b"nightbell journal 1", call.as_str().as_bytes(), &seq.to_le_bytes(), &at_ms.to_le_bytes(), kind.as_bytes(), prev, sealed]
    {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finish()
}

fn sum(row: &Row, column: usize) -> Result<Sum, StoreError> {
    row.blob(column)?.try_into().map_err(|_| StoreError::Damaged("a digest of a wrong length"))
}
