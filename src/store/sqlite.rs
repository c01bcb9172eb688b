//! The one file that names `rusqlite`: a connection that is encrypted and durable, and rows of plain values.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter, types};

use super::StoreError;
use crate::base::{Secret, sha256};

/// A disk that refuses on demand: the simulator's hook. Its clones refuse together.
#[derive(Clone, Debug, Default)]
pub struct FaultyDisk(Arc<AtomicU32>);

impl FaultyDisk {
    /// Lets the next `commits` commits fail, each wholly undone.
    pub fn fail_next(&self, commits: u32) {
        self.0.store(commits, Ordering::SeqCst);
    }

    fn refuses(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row; columns count from 0. A column of another type than asked for is damage.
pub(super) struct Row(Vec<Value>);

impl Row {
    pub(super) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.integer_or_none(column)?.ok_or(StoreError::Damaged("a number is missing"))
    }

    pub(super) fn integer_or_none(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Integer(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::Damaged("a column is not a number")),
        }
    }

    pub(super) fn real_or_none(&self, column: usize) -> Result<Option<f64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Real(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::Damaged("a column is not a fraction")),
        }
    }

    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.text_or_none(column)?.ok_or(StoreError::Damaged("a text is missing"))
    }

    pub(super) fn text_or_none(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(Some(value.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::Damaged("a column is not a text")),
        }
    }

    pub(super) fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.blob_or_none(column)?.ok_or(StoreError::Damaged("a value is missing"))
    }

    pub(super) fn blob_or_none(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.get(column) {
            Some(Value::Blob(value)) => Ok(Some(value.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::Damaged("a column is not a value")),
        }
    }
}

/// An open database.
pub(super) struct Db {
    connection: Connection,
    disk: FaultyDisk,
}

impl Db {
    /// Opens or makes the file at `path` for the one writer.
    pub(super) fn writer(path: &Path, key: &Secret<[u8; 32]>, disk: FaultyDisk) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Self::open(path, key, flags, disk)?;
        // Wiping what is deleted: an erased key must not survive in a free page.
        db.batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
        Ok(db)
    }

    /// Opens the file at `path` to read only.
    pub(super) fn reader(path: &Path, key: &Secret<[u8; 32]>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::open(path, key, flags, FaultyDisk::default())
    }

    fn open(path: &Path, key: &Secret<[u8; 32]>, flags: OpenFlags, disk: FaultyDisk) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, flags).map_err(refused)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(refused)?;
        let db = Self { connection, disk };
        // A raw key: it is random already, so that SQLCipher need not stretch it.
        db.batch(&format!("PRAGMA key = \"x'{}'\"; PRAGMA cipher_log_level = NONE;", sha256::hex(key.expose())))?;
        match db.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => Err(StoreError::WrongKey(path.to_owned())),
            other => other.map_err(refused),
        }?;
        db.batch("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;")?;
        Ok(db)
    }

    /// Several statements without values, their rows ignored.
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(refused)
    }

    /// One statement; the number of rows it changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let mut statement = self.connection.prepare(sql).map_err(refused)?;
        statement.execute(params_from_iter(values)).map_err(refused)
    }

    /// The rows of one question.
    pub(super) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare(sql).map_err(refused)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values)).map_err(refused)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(refused)? {
            let values = (0..columns).map(|column| row.get_ref(column).map_err(refused).map(plain));
            found.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(found)
    }

    /// The first row of one question.
    pub(super) fn first(&self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Does `work` wholly or not at all.
    pub(super) fn transaction<T, E: From<StoreError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        self.batch("BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|value| {
            if self.disk.refuses() {
                return Err(StoreError::Disk.into());
            }
            self.batch("COMMIT")?;
            Ok(value)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            self.batch("ROLLBACK")?;
        }
        done
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<types::ToSqlOutput<'_>> {
        Ok(types::ToSqlOutput::Borrowed(match self {
            Self::Null => types::ValueRef::Null,
            Self::Integer(value) => types::ValueRef::Integer(*value),
            Self::Real(value) => types::ValueRef::Real(*value),
            Self::Text(value) => types::ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => types::ValueRef::Blob(value),
        }))
    }
}

fn plain(value: types::ValueRef<'_>) -> Value {
    match value {
        types::ValueRef::Null => Value::Null,
        types::ValueRef::Integer(value) => Value::Integer(value),
        types::ValueRef::Real(value) => Value::Real(value),
        types::ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
        types::ValueRef::Blob(value) => Value::Blob(value.to_owned()),
    }
}

/// SQLite's own words, without the statement: values never stand in them.
fn refused(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(code, Some(words)) => StoreError::Sqlite(format!("{words} ({})", code.extended_code)),
        rusqlite::Error::SqlInputError { msg, .. } => StoreError::Sqlite(msg),
        other => StoreError::Sqlite(other.to_string()),
    }
}
