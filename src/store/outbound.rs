//! Calls that agents place: who agreed to be called, who does not want to be, what was tried and what it cost.

use super::ledger::bounded;
use super::sqlite::Value;
use super::{Ledger, Reader, StoreError};
use crate::base::CallId;

/// Rows that one question returns at most.
const ROWS_MAX: i64 = 10_000;

/// That somebody agreed to be called.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ConsentRow {
    /// The number, in full form.
    pub number: String,
    /// For what: `callback`, `reminder` or `lead`.
    pub kind: String,
    /// Where it is written or was said.
    pub source: String,
    /// When it was put on record, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// A call that an agent places, as it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboundCall {
    /// The call that it is.
    pub call: CallId,
    /// The number, in full form.
    pub number: String,
    /// The agent.
    pub agent: String,
    /// Why: `callback`, `reminder` or `lead`.
    pub kind: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What is set aside for it, in cents.
    pub reserved_cents: u32,
}

/// What was done since some moment, of one number and of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutboundToday {
    /// Tries of the number.
    pub attempts: u32,
    /// Calls in progress.
    pub open: u32,
    /// Cents of calls that are over.
    pub settled_cents: u32,
    /// Cents set aside for those in progress.
    pub reserved_cents: u32,
}

/// Something that the owner should know.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Notice {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What it is: `emergency_call`.
    pub kind: String,
    /// In words, nothing personal in them.
    pub text: String,
}

impl Ledger {
    /// Puts a consent on record; one for the same number and purpose is replaced.
    pub fn add_consent(&mut self, consent: &ConsentRow) -> Result<(), StoreError> {
        let values = [
            bounded("a number", &consent.number)?.into(),
            bounded("a purpose", &consent.kind)?.into(),
            bounded("a source", &consent.source)?.into(),
            consent.at_ms.into(),
        ];
        let sql = "INSERT INTO consents (number, kind, source, at_ms) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (number, kind) DO UPDATE SET source = ?3, at_ms = ?4";
        self.reader.db.execute(sql, &values).map(drop)
    }

    /// Takes every consent of a number back; how many there were.
    pub fn withdraw_consents(&mut self, number: &str) -> Result<usize, StoreError> {
        self.reader.db.execute("DELETE FROM consents WHERE number = ?1", &[number.into()])
    }

    /// Writes down that a call begins, so that its money is set aside; its row.
    pub fn begin_outbound(&mut self, call: &OutboundCall) -> Result<i64, StoreError> {
        let values = [
            call.call.as_str().into(),
            bounded("a number", &call.number)?.into(),
            bounded("an agent", &call.agent)?.into(),
            bounded("a purpose", &call.kind)?.into(),
            call.at_ms.into(),
            i64::from(call.reserved_cents).into(),
        ];
        let sql = "INSERT INTO outbound (call_id, number, agent, kind, at_ms, reserved_cents) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id";
        self.reader.db.first(sql, &values)?.ok_or(StoreError::Damaged("a call out without a row"))?.integer(0)
    }

    /// Writes down what a call came to.
    pub fn settle_outbound(&mut self, id: i64, cents: u32, result: &str) -> Result<(), StoreError> {
        let values = [id.into(), i64::from(cents).into(), bounded("a result", result)?.into()];
        let sql = "UPDATE outbound SET settled_cents = ?2, result = ?3 WHERE id = ?1 AND settled_cents IS NULL";
        self.reader.db.execute(sql, &values).map(drop)
    }

    /// What a power cut left open counts as spent: nobody knows how long those calls went on.
    pub(super) fn settle_what_was_cut(&self) -> Result<(), StoreError> {
        let sql =
            "UPDATE outbound SET settled_cents = reserved_cents, result = 'the daemon stopped during the call' WHERE settled_cents IS NULL";
        self.reader.db.execute(sql, &[]).map(drop)
    }

    /// The people at a number, in one of these spellings, have been called back: what was promised them is done.
    pub fn callback_made(&mut self, [one, two, three]: &[String; 3]) -> Result<(), StoreError> {
        let sql = "UPDATE obligations SET state = 'done' WHERE kind = 'callback' AND state = 'open' AND phone IN (?1, ?2, ?3)";
        self.reader.db.execute(sql, &[one.as_str().into(), two.as_str().into(), three.as_str().into()]).map(drop)
    }

    /// Keeps something that the owner should know.
    pub fn notice(&mut self, notice: &Notice) -> Result<(), StoreError> {
        let values: [Value; 3] = [notice.at_ms.into(), bounded("a kind", &notice.kind)?.into(), bounded("a notice", &notice.text)?.into()];
        self.reader.db.execute("INSERT INTO notices (at_ms, kind, text) VALUES (?1, ?2, ?3)", &values).map(drop)
    }
}

impl Reader {
    /// The consents of one number, or of all, the newest first.
    pub fn consents(&self, number: Option<&str>) -> Result<Vec<ConsentRow>, StoreError> {
        let sql = "SELECT number, kind, source, at_ms FROM consents WHERE ?1 IS NULL OR number = ?1 ORDER BY at_ms DESC, number LIMIT ?2";
        let rows = self.db.query(sql, &[number.into(), ROWS_MAX.into()])?;
        rows.iter()
            .map(|row| Ok(ConsentRow { number: row.text(0)?, kind: row.text(1)?, source: row.text(2)?, at_ms: row.integer(3)? }))
            .collect()
    }

    /// What was done about `number`, and altogether, since `from_ms`. Calls in progress count whenever they began.
    pub fn outbound_since(&self, number: &str, from_ms: i64) -> Result<OutboundToday, StoreError> {
        let sql = "SELECT
              count(*) FILTER (WHERE number = ?1 AND at_ms >= ?2),
              count(*) FILTER (WHERE settled_cents IS NULL),
              coalesce(sum(settled_cents) FILTER (WHERE at_ms >= ?2), 0),
              coalesce(sum(reserved_cents) FILTER (WHERE settled_cents IS NULL), 0)
            FROM outbound WHERE at_ms >= ?2 OR settled_cents IS NULL";
        let Some(row) = self.db.first(sql, &[number.into(), from_ms.into()])? else { return Ok(OutboundToday::default()) };
        let count = |at| row.integer(at).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
        Ok(OutboundToday { attempts: count(0)?, open: count(1)?, settled_cents: count(2)?, reserved_cents: count(3)? })
    }

    /// The newest call in which somebody at a number, in one of these spellings, asked to be called back and was not yet: their consent to it,
    /// with the moment of its receipt.
    pub fn promised_callback(&self, [one, two, three]: &[String; 3]) -> Result<Option<(String, i64)>, StoreError> {
        let sql = "SELECT o.call_id, r.committed_ms FROM obligations o JOIN receipts r ON r.number = o.receipt
            WHERE o.kind = 'callback' AND o.state = 'open' AND o.phone IN (?1, ?2, ?3) ORDER BY o.receipt DESC LIMIT 1";
        self.db
            .first(sql, &[one.as_str().into(), two.as_str().into(), three.as_str().into()])?
            .map(|row| Ok((row.text(0)?, row.integer(1)?)))
            .transpose()
    }

    /// The newest notices, the newest first.
    pub fn notices(&self, limit: usize) -> Result<Vec<Notice>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(ROWS_MAX).min(ROWS_MAX);
        let rows = self.db.query("SELECT at_ms, kind, text FROM notices ORDER BY id DESC LIMIT ?1", &[limit.into()])?;
        rows.iter().map(|row| Ok(Notice { at_ms: row.integer(0)?, kind: row.text(1)?, text: row.text(2)? })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::MasterKey;
    use super::*;

    fn opened() -> (tempfile::TempDir, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::find_or_make(dir.path(), None).unwrap();
        let ledger = Ledger::open(dir.path(), &key, 0).unwrap();
        (dir, ledger)
    }

    fn call(number: &str, at_ms: i64) -> OutboundCall {
        OutboundCall {
            call: CallId::new(at_ms, 1),
            number: number.to_owned(),
            agent: "leasing".to_owned(),
            kind: "callback".to_owned(),
            at_ms,
            reserved_cents: 30,
        }
    }

    #[test]
    fn consents_are_kept_replaced_and_withdrawn() {
        let (_dir, mut ledger) = opened();
        let consent = |kind: &str, source: &str, at_ms| ConsentRow {
            number: "+13125550142".to_owned(),
            kind: kind.to_owned(),
            source: source.to_owned(),
            at_ms,
        };
        for row in [consent("callback", "web form", 1), consent("lead", "fair", 2), consent("callback", "call 7", 3)] {
            ledger.add_consent(&row).unwrap();
        }
        assert_eq!(ledger.reader().consents(Some("+13125550142")).unwrap(), [consent("callback", "call 7", 3), consent("lead", "fair", 2)]);
        assert_eq!(ledger.reader().consents(Some("+13125550143")).unwrap(), []);
        assert_eq!(ledger.withdraw_consents("+13125550142").unwrap(), 2);
        assert_eq!(ledger.reader().consents(None).unwrap(), []);
    }

    #[test]
    fn money_is_set_aside_settled_and_after_a_power_cut_counted_as_spent() {
        let (_dir, mut ledger) = opened();
        ledger.begin_outbound(&call("+13125550142", 5)).unwrap();
        let second = ledger.begin_outbound(&call("+13125550142", 20)).unwrap();
        ledger.begin_outbound(&call("+17735550142", 30)).unwrap();
        ledger.settle_outbound(second, 4, "informed").unwrap();
        ledger.settle_outbound(second, 400, "a second time").unwrap();
        let today = ledger.reader().outbound_since("+13125550142", 10).unwrap();
        assert_eq!(today, OutboundToday { attempts: 1, open: 2, settled_cents: 4, reserved_cents: 60 });
        ledger.settle_what_was_cut().unwrap();
        let after = ledger.reader().outbound_since("+13125550142", 10).unwrap();
        assert_eq!(after, OutboundToday { attempts: 1, open: 0, settled_cents: 34, reserved_cents: 0 });
    }

    #[test]
    fn who_asked_to_be_called_back_has_agreed_to_it() {
        use super::super::{CallbackRequest, CommitKey, NewCall};
        let (_dir, mut ledger) = opened();
        let id = CallId::new(1, 1);
        let pii = |text: &str| crate::base::Pii::new(text.to_owned());
        let new = NewCall {
            id: id.clone(),
            started_ms: 1,
            from: pii("x"),
            to: String::new(),
            agent: "leasing".into(),
            agent_version: String::new(),
        };
        ledger.begin_call(&new).unwrap();
        let callback = CallbackRequest {
            agent: "leasing".into(),
            owner: "office".into(),
            due_ms: 9,
            topic: None,
            name: None,
            phone: Some(pii("3125550142")),
        };
        ledger.commit_callback(&CommitKey { call: id.clone(), effect: "1".into(), at_ms: 7 }, &callback).unwrap();
        let spelt = |digits: &str| ["+1".to_owned(), digits.to_owned(), "1".to_owned()];
        assert_eq!(ledger.reader().promised_callback(&spelt("3125550142")).unwrap(), Some((id.to_string(), 7)));
        assert_eq!(ledger.reader().promised_callback(&spelt("3125550143")).unwrap(), None);
        ledger.callback_made(&spelt("3125550142")).unwrap();
        assert_eq!(ledger.reader().promised_callback(&spelt("3125550142")).unwrap(), None);
    }

    #[test]
    fn notices_come_back_newest_first() {
        let (_dir, mut ledger) = opened();
        for at_ms in [1, 2] {
            ledger.notice(&Notice { at_ms, kind: "emergency_call".to_owned(), text: format!("number {at_ms}") }).unwrap();
        }
        let told: Vec<String> = ledger.reader().notices(5).unwrap().into_iter().map(|notice| notice.text).collect();
        assert_eq!(told, ["number 2", "number 1"]);
    }
}
