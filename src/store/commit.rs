//! What is promised to callers. Each commit is on the disk before its receipt exists, and is done once however often it is asked for.

use super::ledger::bounded;
use super::sqlite::{Db, Value};
use super::{Ledger, Receipt, ReceiptKind, StoreError};
use crate::base::{CallId, Pii};

/// Which effect of which call: asking again with the same key returns the first receipt.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CommitKey {
    /// The call.
    pub call: CallId,
    /// The effect's name within the call.
    pub effect: String,
    /// When it is committed, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// An appointment to make.
#[derive(Clone, Debug)]
pub struct BookingRequest {
    /// The agent whose calendar it is.
    pub agent: String,
    /// What is booked: a chair, a guide, a van.
    pub resource: String,
    /// The beginning, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// The end, not included.
    pub end_ms: i64,
    /// How many appointments the resource takes at a time.
    pub capacity: u32,
    /// Who comes.
    pub name: Option<Pii<String>>,
    /// Where to reach them.
    pub phone: Option<Pii<String>>,
    /// What it is about.
    pub note: Option<Pii<String>>,
    /// The receipt of the appointment that this one takes the place of, in one step.
    pub replaces: Option<String>,
}

/// Something to repair.
#[derive(Clone, Debug)]
pub struct MaintenanceRequest {
    /// The agent that took it.
    pub agent: String,
    /// Who sees to it.
    pub owner: String,
    /// By when, in milliseconds since the Unix epoch.
    pub due_ms: i64,
    /// Whether it cannot wait for the morning.
    pub urgent: bool,
    /// Where: the unit or the address.
    pub place: Option<Pii<String>>,
    /// What is wrong.
    pub problem: Pii<String>,
    /// Who asks.
    pub name: Option<Pii<String>>,
    /// Where to reach them.
    pub phone: Option<Pii<String>>,
}

/// A message to pass on. It is an obligation: somebody owns it, and it is due.
#[derive(Clone, Debug)]
pub struct MessageRequest {
    /// The agent that took it.
    pub agent: String,
    /// Whom it is for.
    pub owner: String,
    /// By when they must have seen it, in milliseconds since the Unix epoch.
    pub due_ms: i64,
    /// The message.
    pub text: Pii<String>,
    /// Who left it.
    pub name: Option<Pii<String>>,
    /// Where to reach them.
    pub phone: Option<Pii<String>>,
}

/// A promise to call back.
#[derive(Clone, Debug)]
pub struct CallbackRequest {
    /// The agent that promised.
    pub agent: String,
    /// Who calls.
    pub owner: String,
    /// By when, in milliseconds since the Unix epoch.
    pub due_ms: i64,
    /// About what.
    pub topic: Option<Pii<String>>,
    /// Who is called.
    pub name: Option<Pii<String>>,
    /// At which number.
    pub phone: Option<Pii<String>>,
}

/// Why something was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The resource is taken in that time.
    #[error("that time is taken")]
    SlotTaken {
        /// The beginning that was asked for.
        start_ms: i64,
        /// The end that was asked for.
        end_ms: i64,
    },
    /// The appointment does not end after it begins.
    #[error("an appointment ends after it begins")]
    NoTime,
    /// No appointment that stands has this receipt.
    #[error("no such appointment stands")]
    NoSuchBooking,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// Makes an appointment, unless the resource is full in that time. One that it replaces is given up in the same step, or stays if this one fails.
    pub fn commit_booking(&mut self, key: &CommitKey, booking: &BookingRequest) -> Result<Receipt, CommitError> {
        let kind = if booking.replaces.is_some() { ReceiptKind::Move } else { ReceiptKind::Booking };
        self.once(key, kind, |db, number| {
            if let Some(replaced) = &booking.replaces {
                cancel(db, replaced)?;
            }
            must_be_free(db, booking)?;
            let values = [
                number.into(),
                key.call.as_str().into(),
                booking.agent.as_str().into(),
                booking.resource.as_str().into(),
                booking.start_ms.into(),
                booking.end_ms.into(),
                personal("a name", booking.name.as_ref())?,
                personal("a number", booking.phone.as_ref())?,
                personal("a note", booking.note.as_ref())?,
            ];
            let sql = "INSERT INTO bookings (receipt, call_id, agent, resource, start_ms, end_ms, state, name, phone, note)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'booked', ?7, ?8, ?9)";
            db.execute(sql, &values)?;
            Ok(())
        })
    }

    /// Cancels the appointment with the receipt `booking`; its time is free again.
    pub fn commit_cancellation(&mut self, key: &CommitKey, booking: &str) -> Result<Receipt, CommitError> {
        self.once(key, ReceiptKind::Cancellation, |db, _| cancel(db, booking))
    }

    /// Takes something to repair.
    pub fn commit_request(&mut self, key: &CommitKey, request: &MaintenanceRequest) -> Result<Receipt, CommitError> {
        let who = Owed { agent: &request.agent, owner: &request.owner, due_ms: request.due_ms, urgent: request.urgent };
        let texts = [request.place.as_ref(), Some(&request.problem), request.name.as_ref(), request.phone.as_ref()];
        self.once(key, ReceiptKind::Request, |db, number| who.insert(db, number, key, ReceiptKind::Request, texts))
    }

    /// Takes a message.
    pub fn commit_message(&mut self, key: &CommitKey, message: &MessageRequest) -> Result<Receipt, CommitError> {
        let who = Owed { agent: &message.agent, owner: &message.owner, due_ms: message.due_ms, urgent: false };
        let texts = [None, Some(&message.text), message.name.as_ref(), message.phone.as_ref()];
        self.once(key, ReceiptKind::Message, |db, number| who.insert(db, number, key, ReceiptKind::Message, texts))
    }

    /// Promises a call back.
    pub fn commit_callback(&mut self, key: &CommitKey, callback: &CallbackRequest) -> Result<Receipt, CommitError> {
        let who = Owed { agent: &callback.agent, owner: &callback.owner, due_ms: callback.due_ms, urgent: false };
        let texts = [callback.topic.as_ref(), None, callback.name.as_ref(), callback.phone.as_ref()];
        self.once(key, ReceiptKind::Callback, |db, number| who.insert(db, number, key, ReceiptKind::Callback, texts))
    }

    /// Records that a person took the call.
    pub fn commit_transfer(&mut self, key: &CommitKey) -> Result<Receipt, CommitError> {
        self.once(key, ReceiptKind::Transfer, |_, _| Ok(()))
    }

    /// Does `work` and makes its receipt, both or neither; a second time it only tells the first receipt.
    fn once(
        &self,
        key: &CommitKey,
        kind: ReceiptKind,
        work: impl FnOnce(&Db, i64) -> Result<(), CommitError>,
    ) -> Result<Receipt, CommitError> {
        if self.reader.key(&key.call)?.is_none() {
            return Err(StoreError::Erased.into());
        }
        self.reader.db.transaction(|db| {
            let id = [key.call.as_str().into(), bounded("an effect's name", &key.effect)?.into()];
            let done = db.first("SELECT kind, number FROM receipts WHERE call_id = ?1 AND effect = ?2", &id)?;
            if let Some(done) = done {
                let kind = ReceiptKind::parse(&done.text(0)?).ok_or(StoreError::Damaged("a kind of receipt"))?;
                return Ok(Receipt::numbered(kind, done.integer(1)?));
            }
            let [call, effect] = id;
            let sql = "INSERT INTO receipts (call_id, effect, kind, committed_ms) VALUES (?1, ?2, ?3, ?4) RETURNING number";
            let made = db.first(sql, &[call, effect, kind.as_str().into(), key.at_ms.into()])?;
            let number = made.ok_or(StoreError::Damaged("a receipt without a number"))?.integer(0)?;
            work(db, number)?;
            Ok(Receipt::numbered(kind, number))
        })
    }
}

fn cancel(db: &Db, receipt: &str) -> Result<(), CommitError> {
    let number = Receipt::number(receipt).ok_or(CommitError::NoSuchBooking)?;
    let changed = db.execute("UPDATE bookings SET state = 'cancelled' WHERE receipt = ?1 AND state = 'booked'", &[number.into()])?;
    if changed == 0 { Err(CommitError::NoSuchBooking) } else { Ok(()) }
}

fn must_be_free(db: &Db, booking: &BookingRequest) -> Result<(), CommitError> {
    let (start_ms, end_ms) = (booking.start_ms, booking.end_ms);
    if end_ms <= start_ms {
        return Err(CommitError::NoTime);
    }
    let sql = "SELECT count(*) FROM bookings WHERE agent = ?1 AND resource = ?2 AND state = 'booked' AND start_ms < ?3 AND end_ms > ?4";
    let values = [booking.agent.as_str().into(), booking.resource.as_str().into(), end_ms.into(), start_ms.into()];
    let taken = db.first(sql, &values)?.map_or(Ok(0), |row| row.integer(0))?;
    if taken >= i64::from(booking.capacity) { Err(CommitError::SlotTaken { start_ms, end_ms }) } else { Ok(()) }
}

/// What every obligation has.
struct Owed<'a> {
    agent: &'a str,
    owner: &'a str,
    due_ms: i64,
    urgent: bool,
}

impl Owed<'_> {
    /// `texts`: subject, text, name and number.
    fn insert(
        &self,
        db: &Db,
        number: i64,
        key: &CommitKey,
        kind: ReceiptKind,
        [subject, text, name, phone]: [Option<&Pii<String>>; 4],
    ) -> Result<(), CommitError> {
        let values = [
            number.into(),
            key.call.as_str().into(),
            kind.as_str().into(),
            self.agent.into(),
            self.owner.into(),
            self.due_ms.into(),
            i64::from(self.urgent).into(),
            personal("a subject", subject)?,
            personal("a text", text)?,
            personal("a name", name)?,
            personal("a number", phone)?,
        ];
        let sql = "INSERT INTO obligations (receipt, call_id, kind, agent, owner, due_ms, urgent, state, subject, text, name, phone)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', ?8, ?9, ?10, ?11)";
        db.execute(sql, &values)?;
        Ok(())
    }
}

fn personal(what: &'static str, text: Option<&Pii<String>>) -> Result<Value, StoreError> {
    text.map_or(Ok(Value::Null), |text| bounded(what, text.expose()).map(Value::from))
}
