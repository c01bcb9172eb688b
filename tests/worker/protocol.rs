use std::io::Write;

use nightbell::base::{Pii, Rate};
use nightbell::engine::WorkerKind;
use nightbell::engine::wire::{FromWorker, PROTOCOL, ToWorker};

use super::tools::{Worker, stream};

fn transcribe(id: u64, left_ms: u32) -> ToWorker {
    ToWorker::Transcribe { id, stream: stream(1), left_ms, rate: Rate::K8, hint: Pii::new(String::new()), partial: false }
}

#[test]
fn a_daemon_of_another_protocol_is_refused_in_words() {
    for kind in WorkerKind::ALL {
        let mut worker = Worker::start(kind);
        worker.send(&ToWorker::Hello { protocol: PROTOCOL + 1, worker: kind }, &[]);
        let Some((FromWorker::Refused { id: None, why }, _)) = worker.next() else { panic!("{kind} did not refuse") };
        assert!(why.contains("install both from one release"), "{why}");
        assert!(worker.next().is_none());
        assert!(!worker.child.wait().unwrap().success());
    }
}

#[test]
fn every_worker_names_its_model_and_the_digest_of_its_file() {
    for kind in WorkerKind::ALL {
        let (_worker, answer) = Worker::ready(kind);
        let FromWorker::Ready { protocol, worker, model, digest, details } = answer else { panic!("{answer:?}") };
        assert_eq!((protocol, worker), (PROTOCOL, kind));
        assert!(model.starts_with("starter"), "{model}");
        let sum = std::process::Command::new("sha256sum").arg(super::tools::model_of(kind)).output().unwrap();
        assert!(String::from_utf8(sum.stdout).unwrap().starts_with(&digest), "{digest}");
        assert!(!details.is_empty());
    }
}

#[test]
fn a_frame_that_is_too_large_ends_the_connection_with_a_word() {
    let (mut worker, _) = Worker::ready(WorkerKind::Tts);
    worker.socket.write_all(&u32::MAX.to_be_bytes()).unwrap();
    let Some((FromWorker::Refused { id: None, why }, _)) = worker.next() else { panic!("no refusal") };
    assert!(why.contains("4294967295 bytes"), "{why}");
    assert!(worker.next().is_none());
}

#[test]
fn nonsense_instead_of_hello_is_refused() {
    let mut worker = Worker::start(WorkerKind::Tts);
    worker.send(&ToWorker::Ping { number: 3 }, &[]);
    assert!(matches!(worker.next(), Some((FromWorker::Refused { id: None, .. }, _))));
    assert!(worker.next().is_none());
}

#[test]
fn a_marker_comes_back_behind_every_answer_and_a_ping_before_them() {
    let (mut worker, _) = Worker::ready(WorkerKind::Asr);
    for id in 1..=3 {
        worker.send(&transcribe(id, 60_000), &vec![0; 40_000]);
    }
    worker.send(&ToWorker::Marker { number: 9 }, &[]);
    worker.send(&ToWorker::Ping { number: 4 }, &[]);
    let mut order = Vec::new();
    for _ in 0..5 {
        order.push(match worker.next().unwrap().0 {
            FromWorker::Transcript { .. } => "answer",
            FromWorker::Marker { number: 9 } => "marker",
            FromWorker::Pong { number: 4, .. } => "pong",
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(order.last(), Some(&"marker"), "{order:?}");
    let pong = order.iter().position(|what| *what == "pong").unwrap();
    assert!(pong < 3, "a sign of life does not wait for the queue: {order:?}");
}

#[test]
fn a_cancelled_request_and_an_expired_one_are_answered_as_such() {
    let (mut worker, _) = Worker::ready(WorkerKind::Asr);
    worker.send(&transcribe(1, 60_000), &vec![0; 200_000]);
    worker.send(&transcribe(2, 60_000), &vec![0; 200_000]);
    worker.send(&transcribe(3, 0), &vec![0; 200_000]);
    worker.send(&ToWorker::Cancel { id: 2 }, &[]);
    worker.send(&ToWorker::Marker { number: 1 }, &[]);
    let mut answers = Vec::new();
    loop {
        match worker.next().unwrap().0 {
            FromWorker::Transcript { id, .. } => answers.push((id, "transcript")),
            FromWorker::Cancelled { id } => answers.push((id, "cancelled")),
            FromWorker::Expired { id } => answers.push((id, "expired")),
            FromWorker::Marker { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    answers.sort_unstable();
    assert_eq!(answers, [(1, "transcript"), (2, "cancelled"), (3, "expired")]);
}

#[test]
fn a_request_of_another_kind_is_refused_and_the_worker_lives_on() {
    let (mut worker, _) = Worker::ready(WorkerKind::Llm);
    worker.send(&transcribe(1, 60_000), &[0; 100]);
    assert!(matches!(worker.next(), Some((FromWorker::Refused { id: Some(1), .. }, _))));
    worker.send(&ToWorker::Ping { number: 1 }, &[]);
    assert!(matches!(worker.next(), Some((FromWorker::Pong { number: 1, .. }, _))));
}

#[test]
fn a_worker_ends_when_its_daemon_closes_the_socket_also_in_the_middle_of_a_step() {
    let (mut worker, _) = Worker::ready(WorkerKind::Asr);
    worker.send(&transcribe(1, 60_000), &vec![0; 220_000]);
    worker.socket.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(worker.child.wait().unwrap().success());
}
