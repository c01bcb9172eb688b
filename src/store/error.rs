//! What can go wrong with the database, in words for the one who runs the box.

use std::path::PathBuf;

use crate::base::{Fault, Retry, entropy::NoEntropy};

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no database yet.
    #[error("{}: no database here yet; it is made when the daemon first runs", .0.display())]
    Absent(PathBuf),
    /// Another process writes this database.
    #[error("{}: another nightbell already uses this data directory", .0.display())]
    InUse(PathBuf),
    /// The database is there and its key is not.
    #[error("{}: the database exists, but its key does not: restore nightbell.key, or pass the systemd credential nightbell-key", .0.display())]
    KeyMissing(PathBuf),
    /// The key is not 32 bytes.
    #[error("{}: a key is 32 bytes, or 64 hexadecimal digits", .0.display())]
    KeyMalformed(PathBuf),
    /// The key does not open this database.
    #[error("{}: this key does not open the database (or the file is damaged)", .0.display())]
    WrongKey(PathBuf),
    /// A newer program wrote this database.
    #[error(
        "the database has schema {found}, and this program knows schemas up to {known}: run the newer program, or restore a backup from before the update"
    )]
    SchemaNewer {
        /// The file's.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// An older program wrote this database, and a reader cannot change it.
    #[error("the database has schema {found}, older than this program's: start the daemon once, it brings the file up to date")]
    SchemaOlder {
        /// The file's.
        found: i64,
    },
    /// SQLite refused.
    #[error("database: {0}")]
    Sqlite(String),
    /// The commit did not reach the disk.
    #[error("the disk did not take the commit")]
    Disk,
    /// The row does not hold what we wrote: damage, or somebody else's hand.
    #[error("the database holds something that this program did not write: {0}")]
    Damaged(&'static str),
    /// The text is longer than the database takes.
    #[error("{what} has {bytes} bytes, and {max} is the most")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// No such call.
    #[error("no call has this id")]
    NoSuchCall,
    /// The call has been erased: nothing personal can be read from it or added to it.
    #[error("this call has been erased")]
    Erased,
    /// Too much waits for the disk already.
    #[error("the database has more to do than it can: try later")]
    Overloaded,
    /// The database's thread has ended.
    #[error("the database is closed")]
    Closed,
    /// No key could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl StoreError {
    /// Where the cause lies.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NoSuchCall | Self::Erased | Self::TooLong { .. } => Fault::Ours,
            Self::InUse(_)
            | Self::KeyMissing(_)
            | Self::KeyMalformed(_)
            | Self::WrongKey(_)
            | Self::SchemaNewer { .. }
            | Self::SchemaOlder { .. } => Fault::Config,
            _ => Fault::Store,
        }
    }

    /// Whether the same order may work later.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Overloaded | Self::Disk | Self::Sqlite(_) | Self::InUse(_) => Retry::Later,
            _ => Retry::Never,
        }
    }
}
