//! The database as its users see it: what survives, what is refused, what cannot be read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::sqlite::Db;
use super::*;
use crate::base::{CallId, Pii};

const NOW: i64 = 1_795_366_800_000; // 2026-11-22T17:00:00Z

fn key() -> MasterKey {
    MasterKey::new([7; 32])
}

fn ledger(dir: &Path) -> Ledger {
    Ledger::open(dir, &key(), NOW).unwrap()
}

fn begun(ledger: &mut Ledger, entropy: u64) -> CallId {
    let id = CallId::new(NOW + i64::try_from(entropy).unwrap(), entropy);
    let call = NewCall {
        id: id.clone(),
        started_ms: NOW + i64::try_from(entropy).unwrap(),
        from: Pii::new("sip:+15555550134@trunk.example".to_owned()),
        to: "leasing".to_owned(),
        agent: "leasing".to_owned(),
        agent_version: "c0ffee".to_owned(),
    };
    ledger.begin_call(&call).unwrap();
    id
}

fn turn(who: Who, text: &str) -> Turn {
    let heard = (who == Who::Agent).then(|| Pii::new(text.to_owned()));
    let confidence = (who == Who::Caller).then_some(0.75);
    let timings = BTreeMap::from([("asr".to_owned(), 212)]);
    Turn { who, at_ms: 1_200, text: Pii::new(text.to_owned()), heard, gap_ms: Some(640), confidence, timings }
}

fn commit_key(call: &CallId, effect: &str) -> CommitKey {
    CommitKey { call: call.clone(), effect: effect.to_owned(), at_ms: NOW }
}

fn tour(start_ms: i64) -> BookingRequest {
    BookingRequest {
        agent: "leasing".to_owned(),
        resource: "tour".to_owned(),
        start_ms,
        end_ms: start_ms + 1_800_000,
        capacity: 1,
        name: Some(Pii::new("Quentin Zimmerwald".to_owned())),
        phone: Some(Pii::new("5555550134".to_owned())),
        note: None,
        replaces: None,
    }
}

fn entry(kind: &str, payload: &str) -> JournalEntry {
    JournalEntry { at_ms: 5, kind: kind.to_owned(), payload: payload.as_bytes().to_vec() }
}

#[test]
fn a_call_is_told_in_the_json_that_scripts_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let older = begun(&mut ledger, 1);
    let call = begun(&mut ledger, 2);
    ledger.turn(&call, &turn(Who::Agent, "How can I help?")).unwrap();
    ledger.turn(&call, &turn(Who::Caller, "book a tour")).unwrap();
    ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap();
    ledger.end_call(&call, NOW + 60_000, Outcome::Booked, None).unwrap();
    let told = serde_json::to_value(ledger.reader().calls(10).unwrap()).unwrap();
    let expected = serde_json::json!([
        {
            "call_id": call.as_str(), "started_at": "2026-11-22T17:00:00.002Z", "from": "sip:+15555550134@trunk.example", "to": "leasing",
            "agent": "leasing", "outcome": "booked",
            "turns": [
                { "who": "agent", "text": "How can I help?", "heard": "How can I help?", "gap_ms": 640, "confidence": null },
                { "who": "caller", "text": "book a tour", "heard": null, "gap_ms": 640, "confidence": 0.75 },
            ],
            "receipts": [{ "kind": "booked", "id": "B-1001" }],
        },
        {
            "call_id": older.as_str(), "started_at": "2026-11-22T17:00:00.001Z", "from": "sip:+15555550134@trunk.example", "to": "leasing",
            "agent": "leasing", "outcome": null, "turns": [], "receipts": [],
        },
    ]);
    assert_eq!(told, expected);
    assert_eq!(ledger.reader().calls(1).unwrap().len(), 1);
}

#[test]
fn a_slot_is_sold_once_and_a_cancelled_one_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let (first, second) = (begun(&mut ledger, 1), begun(&mut ledger, 2));
    let receipt = ledger.commit_booking(&commit_key(&first, "1"), &tour(NOW)).unwrap();
    for overlap in [-900_000, 0, 1_799_999] {
        let refused = ledger.commit_booking(&commit_key(&second, "1"), &tour(NOW + overlap));
        assert!(matches!(refused, Err(CommitError::SlotTaken { .. })), "{overlap}");
    }
    ledger.commit_booking(&commit_key(&second, "next"), &tour(NOW + 1_800_000)).unwrap();
    assert_eq!(ledger.reader().busy("leasing", NOW, NOW + 1).unwrap().len(), 1);
    let moved = |start_ms| BookingRequest { replaces: Some(receipt.id.clone()), ..tour(start_ms) };
    let refused = ledger.commit_booking(&commit_key(&second, "2"), &moved(NOW + 1_800_000));
    assert!(matches!(refused, Err(CommitError::SlotTaken { .. })));
    assert_eq!(ledger.reader().busy("leasing", 0, i64::MAX).unwrap()[0].start_ms, NOW, "the old appointment stands");
    let receipt = ledger.commit_booking(&commit_key(&second, "3"), &moved(NOW + 600_000)).err();
    assert!(matches!(receipt, Some(CommitError::SlotTaken { .. })), "the next one begins before it ends");
    let receipt = ledger.commit_booking(&commit_key(&second, "3"), &moved(NOW - 900_000)).unwrap();
    assert_eq!(ledger.reader().busy("leasing", 0, i64::MAX).unwrap()[0].start_ms, NOW - 900_000);
    ledger.commit_cancellation(&commit_key(&first, "2"), &receipt.id).unwrap();
    let again = ledger.commit_cancellation(&commit_key(&first, "3"), &receipt.id);
    assert!(matches!(again, Err(CommitError::NoSuchBooking)));
    ledger.commit_booking(&commit_key(&second, "4"), &tour(NOW)).unwrap();
    assert!(matches!(
        ledger.commit_booking(&commit_key(&second, "5"), &BookingRequest { end_ms: NOW, ..tour(NOW) }),
        Err(CommitError::NoTime)
    ));
}

#[test]
fn a_commit_that_is_asked_for_twice_is_done_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    let first = ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap();
    assert_eq!(ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap(), first);
    assert_eq!(ledger.reader().busy("leasing", 0, i64::MAX).unwrap().len(), 1);
    assert_eq!(ledger.reader().call(&call).unwrap().unwrap().receipts, [first]);
}

#[test]
fn a_commit_that_the_disk_refuses_leaves_nothing_and_can_be_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let mut ledger = Ledger::open_on(dir.path(), &key(), NOW, disk.clone()).unwrap();
    let call = begun(&mut ledger, 1);
    disk.fail_next(1);
    let refused = ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW));
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Disk))));
    assert!(ledger.reader().busy("leasing", 0, i64::MAX).unwrap().is_empty());
    assert!(ledger.reader().call(&call).unwrap().unwrap().receipts.is_empty());
    ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap();
}

#[test]
fn promises_are_owed_by_somebody_and_the_next_due_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    let (agent, owner) = ("tenants".to_owned(), "office".to_owned());
    let personal = |text: &str| Some(Pii::new(text.to_owned()));
    let request = MaintenanceRequest {
        agent: agent.clone(),
        owner: "super".to_owned(),
        due_ms: NOW + 3,
        urgent: true,
        place: personal("402"),
        problem: Pii::new("no heat".to_owned()),
        name: None,
        phone: None,
    };
    let text = Pii::new("call me".to_owned());
    let message = MessageRequest { agent: agent.clone(), owner: owner.clone(), due_ms: NOW + 2, text, name: None, phone: None };
    let callback = CallbackRequest { agent, owner, due_ms: NOW + 1, topic: personal("pets"), name: None, phone: None };
    ledger.commit_request(&commit_key(&call, "1"), &request).unwrap();
    ledger.commit_message(&commit_key(&call, "2"), &message).unwrap();
    ledger.commit_callback(&commit_key(&call, "3"), &callback).unwrap();
    let open = ledger.reader().open_obligations().unwrap();
    let told: Vec<_> = open.iter().map(|(receipt, owner, due)| (receipt.id.as_str(), owner.as_str(), due - NOW)).collect();
    assert_eq!(told, [("C-1003", "office", 1), ("M-1002", "office", 2), ("R-1001", "super", 3)]);
}

#[test]
fn a_journal_that_somebody_changed_shows_where() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    ledger.journal_append(&call, &[entry("event", "one"), entry("decision", "two"), entry("event", "three")]).unwrap();
    assert_eq!(ledger.reader().verify_chain(&call).unwrap(), Chain::Whole { entries: 3 });
    assert_eq!(ledger.reader().journal(&call).unwrap()[1], entry("decision", "two"));
    ledger.end_call(&call, NOW, Outcome::Informed, None).unwrap();
    let db = &ledger.reader().db;
    assert!(db.batch("UPDATE journal SET kind = 'event'").is_err(), "the journal is append only");
    assert!(db.batch("DELETE FROM journal WHERE seq = 2").is_err());
    db.batch("DROP TRIGGER journal_is_not_changed; DROP TRIGGER journal_is_not_deleted").unwrap();
    for (tampering, at) in [
        ("UPDATE journal SET kind = 'event' WHERE seq = 1", 1),
        ("UPDATE journal SET at_ms = 6 WHERE seq = 0", 0),
        ("UPDATE journal SET sealed = zeroblob(60) WHERE seq = 2", 2),
        ("DELETE FROM journal WHERE seq = 0", 0),
        ("DELETE FROM journal WHERE seq = 2", 2),
    ] {
        db.batch("BEGIN").unwrap();
        db.batch(tampering).unwrap();
        assert_eq!(ledger.reader().verify_chain(&call).unwrap(), Chain::Broken { at }, "{tampering}");
        db.batch("ROLLBACK").unwrap();
    }
    assert_eq!(ledger.reader().verify_chain(&call).unwrap(), Chain::Whole { entries: 3 });
}

#[test]
fn an_erased_caller_is_gone_and_the_chain_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    ledger.turn(&call, &turn(Who::Caller, "my name is Quentin")).unwrap();
    ledger.journal_append(&call, &[entry("event", "Quentin")]).unwrap();
    ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap();
    ledger.end_call(&call, NOW, Outcome::Booked, None).unwrap();
    ledger.erase(&call).unwrap();
    let told = ledger.reader().call(&call).unwrap().unwrap();
    assert_eq!((told.from, told.outcome, &told.turns[0].text), (None, Some(Outcome::Booked), &None));
    assert_eq!(ledger.reader().verify_chain(&call).unwrap(), Chain::Whole { entries: 1 });
    assert!(matches!(ledger.reader().journal(&call), Err(StoreError::Erased)));
    assert!(matches!(ledger.turn(&call, &turn(Who::Caller, "more")), Err(StoreError::Erased)));
    let name = ledger.reader().db.first("SELECT name FROM bookings", &[]).unwrap().unwrap();
    assert_eq!(name.text_or_none(0).unwrap(), None);
    assert_eq!(ledger.reader().busy("leasing", 0, i64::MAX).unwrap().len(), 1, "the time stays taken");
}

#[test]
fn nothing_personal_can_be_read_from_the_raw_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    ledger.turn(&call, &turn(Who::Caller, "Quentin Zimmerwald speaking")).unwrap();
    ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap();
    let mut bytes = Vec::new();
    for file in fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        bytes.extend(fs::read(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert!(bytes.len() > 4_096);
    for word in ["Zimmerwald", "5555550134", "SQLite format", "bookings"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
    // Inside the encrypted file, the words of a turn are sealed once more.
    let row = ledger.reader().db.first("SELECT text FROM turns", &[]).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&row.blob(0).unwrap()).contains("Quentin"));
}

#[test]
fn after_a_power_cut_every_receipt_stands_and_the_open_call_has_failed() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    ledger.fold().unwrap();
    let call = begun(&mut ledger, 1);
    let receipt = ledger.commit_booking(&commit_key(&call, "1"), &tour(NOW)).unwrap();
    // The files as they lie at this instant, with the log not folded in; then with the log cut off anywhere, as if the disk had not finished.
    let log = fs::read(dir.path().join("nightbell.db-wal")).unwrap();
    let mut booked = 0;
    for cut in (0..=log.len()).step_by(1_021).chain([log.len()]) {
        let after = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join("nightbell.db"), after.path().join("nightbell.db")).unwrap();
        fs::write(after.path().join("nightbell.db-wal"), &log[..cut]).unwrap();
        let reopened = Ledger::open(after.path(), &key(), NOW + 9).unwrap();
        let receipts = reopened.reader().calls(9).unwrap().into_iter().flat_map(|call| call.receipts).count();
        assert_eq!(reopened.reader().busy("leasing", 0, i64::MAX).unwrap().len(), receipts, "a receipt and its booking, both or neither");
        booked += receipts;
        for call in reopened.reader().calls(9).unwrap() {
            assert_eq!(call.outcome, Some(Outcome::Failed));
        }
        if cut == log.len() {
            assert_eq!(reopened.reader().call(&call).unwrap().unwrap().receipts, std::slice::from_ref(&receipt));
        }
    }
    assert!(booked > 0);
}

#[test]
fn the_first_outcome_of_a_call_stands() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    ledger.end_call(&call, NOW, Outcome::Booked, None).unwrap();
    ledger.end_call(&call, NOW, Outcome::Failed, Some("late")).unwrap();
    assert_eq!(ledger.reader().call(&call).unwrap().unwrap().outcome, Some(Outcome::Booked));
    let stranger = CallId::parse("nobody").unwrap();
    assert!(matches!(ledger.end_call(&stranger, NOW, Outcome::Failed, None), Err(StoreError::NoSuchCall)));
}

#[test]
fn a_newer_schema_is_refused_in_words_and_ours_is_reopened() {
    let dir = tempfile::tempdir().unwrap();
    drop(ledger(dir.path()));
    drop(ledger(dir.path()));
    let db =
        Db::writer(&dir.path().join("nightbell.db"), super::ledger::file_key(&key()).unwrap().secret(), FaultyDisk::default()).unwrap();
    db.batch("PRAGMA user_version = 99").unwrap();
    drop(db);
    let refused = Ledger::open(dir.path(), &key(), NOW).err().unwrap().to_string();
    assert!(refused.contains("schema 99") && refused.contains("newer program"), "{refused}");
    assert!(matches!(Reader::open(dir.path(), &key()), Err(StoreError::SchemaNewer { .. })));
}

#[test]
fn a_wrong_key_a_second_writer_and_a_missing_database_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Reader::open(dir.path(), &key()), Err(StoreError::Absent(_))));
    let open = ledger(dir.path());
    assert!(matches!(Ledger::open(dir.path(), &key(), NOW), Err(StoreError::InUse(_))));
    assert!(Reader::open(dir.path(), &key()).is_ok());
    drop(open);
    assert!(matches!(Ledger::open(dir.path(), &MasterKey::new([8; 32]), NOW), Err(StoreError::WrongKey(_))));
}

#[test]
fn a_key_is_made_once_for_its_owner_alone_and_never_beside_a_database_that_has_lost_its_own() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("new");
    let dir = dir.as_path();
    assert!(matches!(MasterKey::find(dir, None), Err(StoreError::KeyMissing(_))));
    let made = MasterKey::find_or_make(dir, None).unwrap();
    assert_eq!(MasterKey::find_or_make(dir, None).unwrap().0, made.0);
    let file = dir.join("nightbell.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
    drop(Ledger::open(dir, &made, NOW).unwrap());
    fs::remove_file(&file).unwrap();
    assert!(matches!(MasterKey::find_or_make(dir, None), Err(StoreError::KeyMissing(_))));
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("nightbell-key"), [9; 32]).unwrap();
    assert_eq!(MasterKey::find(dir, Some(credentials.path())).unwrap().0.expose(), &[9; 32]);
    fs::write(credentials.path().join("nightbell-key"), "short").unwrap();
    assert!(matches!(MasterKey::find(dir, Some(credentials.path())), Err(StoreError::KeyMalformed(_))));
}

#[test]
fn what_is_too_long_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = ledger(dir.path());
    let call = begun(&mut ledger, 1);
    let long = "a".repeat(crate::base::limits::STORE_TEXT_BYTES_MAX + 1);
    assert!(matches!(ledger.turn(&call, &turn(Who::Caller, &long)), Err(StoreError::TooLong { .. })));
    assert!(ledger.reader().call(&call).unwrap().unwrap().turns.is_empty());
}

#[tokio::test]
async fn the_handle_writes_reads_and_closes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &key(), NOW).unwrap();
    let call = store.write(|ledger| Ok::<_, StoreError>(begun(ledger, 1))).await.unwrap();
    let (one, two) = (commit_key(&call, "1"), commit_key(&call, "2"));
    let (first, second) = tokio::join!(store.commit_booking(one, tour(NOW)), store.commit_booking(two, tour(NOW)));
    assert!(first.is_ok() != second.is_ok(), "two callers, one slot, one receipt");
    assert_eq!(store.busy("leasing".to_owned(), 0, i64::MAX).await.unwrap().len(), 1);
    store.end_call(call.clone(), NOW, Outcome::Booked, None).await.unwrap();
    assert_eq!(store.call(call.clone()).await.unwrap().unwrap().outcome, Some(Outcome::Booked));
    store.close().await.unwrap();
    assert!(matches!(store.erase(call).await, Err(StoreError::Closed)));
    drop(Ledger::open(dir.path(), &key(), NOW).unwrap());
}
