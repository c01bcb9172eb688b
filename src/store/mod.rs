//! The database: what was said, what was promised, and how each decision came about.
//!
//! One encrypted SQLite file (`nightbell.db`, SQLCipher) in the data directory, one writer, readers that cannot write. What a caller is told was committed
//! before: a [`Receipt`] exists only for a row that is on the disk (`synchronous=FULL`).
//!
//! The key is 32 bytes: the systemd credential `nightbell-key` where there is one, else the file `nightbell.key` in the data directory, made on the first start
//! and readable by the owner of the process alone. A key beside its lock protects a disk that is thrown away without its key file and a backup without it,
//! nothing more; an appliance gives the credential.
//!
//! Words are sealed once more, with a key for each call ([`Ledger::erase`] forgets that key): the journal's chain of digests is over what is sealed, and
//! so stays whole when a caller is erased.

mod commit;
mod error;
mod handle;
mod journal;
mod keys;
mod ledger;
mod outbound;
mod reader;
mod records;
mod schema;
mod seal;
mod sqlite;

pub use commit::{BookingRequest, CallbackRequest, CommitError, CommitKey, MaintenanceRequest, MessageRequest};
pub use error::StoreError;
pub use handle::Store;
pub use journal::{Chain, JournalEntry};
pub use keys::MasterKey;
pub use ledger::Ledger;
pub use outbound::{ConsentRow, Notice, OutboundCall, OutboundToday};
pub use reader::{Busy, Reader};
pub use records::{CallRecord, NewCall, Outcome, Receipt, ReceiptKind, Turn, TurnRecord, Who};
pub use sqlite::FaultyDisk;

#[cfg(test)]
mod tests;
