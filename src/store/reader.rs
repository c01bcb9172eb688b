//! Questions to the database. A reader cannot write.

use std::path::Path;

use super::journal::label as journal_label;
use super::seal::SealKey;
use super::sqlite::{Db, Row};
use super::{
    CallRecord, Chain, JournalEntry, MasterKey, Outcome, Receipt, ReceiptKind, StoreError, TurnRecord, Who, journal, ledger, schema,
};
use crate::base::civil::Zone;
use crate::base::{CallId, limits};

/// A time in which a resource is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Busy {
    /// The resource: a chair, a guide, a van.
    pub resource: String,
    /// The beginning, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// The end, not included.
    pub end_ms: i64,
}

/// The database, open for questions.
pub struct Reader {
    pub(super) db: Db,
    pub(super) wrapping: SealKey,
}

impl Reader {
    /// Opens the database in `dir`. The daemon may write it at the same time.
    pub fn open(dir: &Path, key: &MasterKey) -> Result<Self, StoreError> {
        let path = dir.join(ledger::FILE);
        if !path.exists() {
            return Err(StoreError::Absent(dir.to_owned()));
        }
        let db = Db::reader(&path, ledger::file_key(key)?.secret())?;
        let found = schema::version(&db)?;
        if found < schema::NEWEST {
            return Err(StoreError::SchemaOlder { found });
        }
        Ok(Self { db, wrapping: ledger::wrapping_key(key)? })
    }

    /// The newest `limit` calls, newest first.
    pub fn calls(&self, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        let limit = i64::try_from(limit.min(limits::CALLS_LISTED_MAX)).unwrap_or(i64::MAX);
        let sql = "SELECT id, started_ms, caller, dialled, agent, outcome FROM calls ORDER BY started_ms DESC, id DESC LIMIT ?1";
        self.db.query(sql, &[limit.into()])?.iter().map(|row| self.record(row)).collect()
    }

    /// One call.
    pub fn call(&self, id: &CallId) -> Result<Option<CallRecord>, StoreError> {
        let sql = "SELECT id, started_ms, caller, dialled, agent, outcome FROM calls WHERE id = ?1";
        self.db.first(sql, &[id.as_str().into()])?.map(|row| self.record(&row)).transpose()
    }

    /// When the resources of `agent` are taken between `from_ms` and `to_ms` (milliseconds since the Unix epoch), by start.
    pub fn busy(&self, agent: &str, from_ms: i64, to_ms: i64) -> Result<Vec<Busy>, StoreError> {
        let sql = "SELECT resource, start_ms, end_ms FROM bookings
            WHERE agent = ?1 AND state = 'booked' AND end_ms > ?2 AND start_ms < ?3 ORDER BY start_ms, receipt";
        let rows = self.db.query(sql, &[agent.into(), from_ms.into(), to_ms.into()])?;
        rows.iter().map(|row| Ok(Busy { resource: row.text(0)?, start_ms: row.integer(1)?, end_ms: row.integer(2)? })).collect()
    }

    /// The promises that nobody has kept yet, as (receipt, owner, due in milliseconds since the Unix epoch), the next due first.
    pub fn open_obligations(&self) -> Result<Vec<(Receipt, String, i64)>, StoreError> {
        let sql = "SELECT kind, receipt, owner, due_ms FROM obligations WHERE state = 'open' ORDER BY due_ms, receipt";
        let rows = self.db.query(sql, &[])?;
        rows.iter().map(|row| Ok((receipt(row)?, row.text(2)?, row.integer(3)?))).collect()
    }

    /// Whether a call's journal is as it was written.
    pub fn verify_chain(&self, call: &CallId) -> Result<Chain, StoreError> {
        journal::verify(&self.db, call)
    }

    /// A call's journal, opened. Refused for a call that was erased.
    pub fn journal(&self, call: &CallId) -> Result<Vec<JournalEntry>, StoreError> {
        let key = self.key(call)?.ok_or(StoreError::Erased)?;
        let sql = "SELECT seq, at_ms, kind, sealed FROM journal WHERE call_id = ?1 ORDER BY seq";
        let rows = self.db.query(sql, &[call.as_str().into()])?;
        rows.iter()
            .map(|row| {
                let (seq, kind) = (row.integer(0)?, row.text(2)?);
                let payload = key.open(&journal_label(call, seq, &kind), &row.blob(3)?)?;
                Ok(JournalEntry { at_ms: row.integer(1)?.unsigned_abs(), kind, payload })
            })
            .collect()
    }

    /// A call's own key; none when the call was erased.
    pub(super) fn key(&self, call: &CallId) -> Result<Option<SealKey>, StoreError> {
        let sql = "SELECT k.wrapped FROM calls c LEFT JOIN call_keys k ON k.call_id = c.id WHERE c.id = ?1";
        let row = self.db.first(sql, &[call.as_str().into()])?.ok_or(StoreError::NoSuchCall)?;
        row.blob_or_none(0)?.map(|wrapped| SealKey::unwrapped(&self.wrapping, &key_label(call), &wrapped)).transpose()
    }

    fn record(&self, row: &Row) -> Result<CallRecord, StoreError> {
        let call = CallId::parse(&row.text(0)?).ok_or(StoreError::Damaged("a call's id"))?;
        let key = self.key(&call)?;
        let open = |label: String, sealed: Option<Vec<u8>>| match (&key, sealed) {
            (Some(key), Some(sealed)) => text(key.open(&label, &sealed)?).map(Some),
            _ => Ok(None),
        };
        let outcome = row.text_or_none(5)?.map(|word| Outcome::parse(&word).ok_or(StoreError::Damaged("an outcome"))).transpose()?;
        let sql = "SELECT seq, who, text, heard, gap_ms, confidence FROM turns WHERE call_id = ?1 ORDER BY seq";
        let turns = self.db.query(sql, &[call.as_str().into()])?;
        let turns = turns.iter().map(|row| {
            let seq = row.integer(0)?;
            Ok(TurnRecord {
                who: Who::parse(&row.text(1)?).ok_or(StoreError::Damaged("a speaker"))?,
                text: open(turn_label(&call, seq, "text"), row.blob_or_none(2)?)?,
                heard: open(turn_label(&call, seq, "heard"), row.blob_or_none(3)?)?,
                gap_ms: row.integer_or_none(4)?.map(i64::unsigned_abs),
                confidence: row.real_or_none(5)?,
            })
        });
        let turns = turns.collect::<Result<_, StoreError>>()?;
        let receipts = self.db.query("SELECT kind, number FROM receipts WHERE call_id = ?1 ORDER BY number", &[call.as_str().into()])?;
        Ok(CallRecord {
            call_id: call.as_str().to_owned(),
            started_at: format!("{}Z", Zone::utc().at(row.integer(1)?)),
            from: open(caller_label(&call), row.blob_or_none(2)?)?,
            to: row.text(3)?,
            agent: row.text(4)?,
            outcome,
            turns,
            receipts: receipts.iter().map(receipt).collect::<Result<_, _>>()?,
        })
    }
}

/// The receipt in columns 0 (kind) and 1 (number).
fn receipt(row: &Row) -> Result<Receipt, StoreError> {
    let kind = ReceiptKind::parse(&row.text(0)?).ok_or(StoreError::Damaged("a kind of receipt"))?;
    Ok(Receipt::numbered(kind, row.integer(1)?))
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| StoreError::Damaged("a text that is not UTF-8"))
}

pub(super) fn key_label(call: &CallId) -> String {
    format!("key {call}")
}

pub(super) fn caller_label(call: &CallId) -> String {
    format!("caller {call}")
}

pub(super) fn turn_label(call: &CallId, seq: i64, field: &str) -> String {
    format!("turn {call} {seq} {field}")
}
