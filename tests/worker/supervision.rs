use std::process::Command;
use std::time::Duration;

use nightbell::base::Rate;
use nightbell::engine::{EngineError, EngineEvent, Transcribe, WorkerKind, WorkerState};
use nightbell::run::workers::EngineSettings;
use tokio::sync::broadcast::Receiver;

use super::tools::{PATIENCE, Running, settings, stream};

fn only_asr() -> EngineSettings {
    EngineSettings { llm: None, ..settings() }
}

fn signal(running: &Running, kind: WorkerKind, name: &str) {
    let pid = running.engines.status()[kind.index()].pid.expect("it runs");
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

fn long_work(running: &Running) -> Transcribe {
    Transcribe { stream: stream(1), pcm: vec![0; 220_000], rate: Rate::K8, hint: String::new(), deadline: running.patience() }
}

async fn next(events: &mut Receiver<EngineEvent>) -> EngineEvent {
    tokio::time::timeout(PATIENCE, events.recv()).await.expect("an event").unwrap()
}

#[tokio::test]
async fn wall_a_worker_killed_in_the_middle_of_a_request_fails_it_at_once_and_is_back_within_seconds() {
    let running = Running::start(only_asr()).await;
    let mut events = running.engines.subscribe();
    let engines = running.engines.clone();
    let works: Vec<_> = (0..20).map(|_| long_work(&running)).collect();
    let tasks: Vec<_> = works
        .into_iter()
        .map(|work| {
            tokio::spawn({
                let engines = engines.clone();
                async move { engines.transcribe(work).await }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    signal(&running, WorkerKind::Asr, "KILL");
    let killed = running.clock.now();
    let EngineEvent::Down { kind: WorkerKind::Asr, why } = next(&mut events).await else { panic!("no loss was told") };
    assert!(why.contains("signal: 9"), "{why}");
    let mut gone = 0;
    for task in tasks {
        gone += usize::from(task.await.unwrap() == Err(EngineError::Gone));
    }
    assert!(gone >= 15, "{gone} of 20 failed with the worker");
    assert!(running.clock.now().since(killed) < Duration::from_secs(5), "at once, not at their deadline");
    assert_eq!(next(&mut events).await, EngineEvent::Up { kind: WorkerKind::Asr });
    let status = &running.engines.status()[0];
    assert_eq!((status.state, status.restarts), (WorkerState::Ready, 1));
    let back = running.clock.now().since(killed);
    assert!(back < Duration::from_secs(15), "{back:?}");
    assert!(running.engines.transcribe(long_work(&running)).await.is_ok());
}

#[tokio::test]
async fn wall_a_worker_that_hangs_is_killed_and_started_again() {
    let running = Running::start(only_asr()).await;
    let mut events = running.engines.subscribe();
    signal(&running, WorkerKind::Asr, "STOP");
    let work = running.engines.transcribe(long_work(&running));
    let (answer, event) = tokio::join!(work, next(&mut events));
    assert_eq!(answer, Err(EngineError::Gone));
    let EngineEvent::Down { why, .. } = event else { panic!("{event:?}") };
    assert!(why.contains("no sign of life"), "{why}");
    assert_eq!(next(&mut events).await, EngineEvent::Up { kind: WorkerKind::Asr });
    assert!(running.engines.transcribe(long_work(&running)).await.is_ok());
}

#[tokio::test]
async fn wall_a_worker_that_keeps_dying_is_started_again_each_time_and_counted() {
    let running = Running::start(EngineSettings { asr: None, llm: None, ..settings() }).await;
    let mut events = running.engines.subscribe();
    for restart in 1..=3 {
        signal(&running, WorkerKind::Tts, "KILL");
        assert!(matches!(next(&mut events).await, EngineEvent::Down { kind: WorkerKind::Tts, .. }));
        assert_eq!(next(&mut events).await, EngineEvent::Up { kind: WorkerKind::Tts });
        assert_eq!(running.engines.status()[2].restarts, restart);
    }
}

#[tokio::test]
async fn wall_a_model_that_is_no_model_is_told_in_words_and_never_becomes_ready() {
    let mut settings = only_asr();
    settings.asr.as_mut().unwrap().model = super::tools::model("starter-slt.onnx.json");
    let (clock, folder) = (nightbell::base::clock::Clock::start(), tempfile::tempdir().unwrap());
    let engines = nightbell::run::workers::Engines::start(settings, clock, folder.path().to_owned()).await;
    let mut events = engines.subscribe();
    let EngineEvent::Down { why, .. } = next(&mut events).await else { panic!("it cannot be up") };
    assert!(why.contains("is no Whisper model"), "{why}");
    assert!(!engines.wait_ready(Duration::from_millis(10)).await);
}

#[tokio::test]
async fn stopped_engines_leave_no_process_behind() {
    let running = Running::start(settings()).await;
    let pids: Vec<u32> = running.engines.status().iter().filter_map(|status| status.pid).collect();
    assert_eq!(pids.len(), 3);
    running.engines.stop().await;
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} still runs");
    }
    assert_eq!(running.engines.transcribe(long_work(&running)).await, Err(EngineError::Gone));
}
