//! The socket from both ends.

use std::io::Write as _;
use std::os::unix::net::UnixStream as Plain;

use serde_json::json;

use super::*;

struct Fake;

impl Control for Fake {
    async fn answer(&self, request: Request) -> Result<Value, String> {
        match request {
            Request::Status => Ok(json!({ "running": true })),
            Request::Calls { limit } => Ok(json!(vec!["call"; limit])),
            _ => Err("the disk is full".to_owned()),
        }
    }
}

async fn asked(data: &Path, request: Request) -> Result<Value, AskError> {
    let data = data.to_owned();
    tokio::task::spawn_blocking(move || ask(&data, &request)).await.unwrap()
}

#[tokio::test]
async fn a_question_gets_its_answer_and_a_refusal_its_words() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(asked(dir.path(), Request::Status).await, Err(AskError::NotRunning)));
    let serving = tokio::spawn(serve(bind(dir.path()).unwrap(), Arc::new(Fake)));
    assert_eq!(asked(dir.path(), Request::Status).await.unwrap(), json!({ "running": true }));
    assert_eq!(asked(dir.path(), Request::Calls { limit: 2 }).await.unwrap(), json!(["call", "call"]));
    let id = CallId::new(1, 1);
    assert!(matches!(asked(dir.path(), Request::Call { id }).await, Err(AskError::Refused(why)) if why == "the disk is full"));
    serving.abort();
    assert!(serving.await.is_err());
    // The dead daemon's socket is still there; nobody answers, and the next daemon takes its place.
    assert!(matches!(asked(dir.path(), Request::Status).await, Err(AskError::NotRunning)));
    let mode = std::fs::metadata(dir.path().join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(bind(dir.path()).unwrap());
}

#[tokio::test]
async fn nonsense_is_answered_in_words_and_an_endless_line_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let serving = tokio::spawn(serve(bind(dir.path()).unwrap(), Arc::new(Fake)));
    let path = dir.path().join(SOCKET);
    let talked = tokio::task::spawn_blocking(move || {
        let mut stream = Plain::connect(&path).unwrap();
        stream.write_all(b"{\"op\":\"destroy\"}\n").unwrap();
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"error\":\"not understood"), "{answer}");
        let mut endless = Plain::connect(&path).unwrap();
        // The other end closes in the middle: the rest may fail to be written.
        let _ = endless.write_all(&vec![b'x'; limits::CONTROL_LINE_BYTES_MAX + 1]);
        let mut rest = Vec::new();
        let _ = endless.read_to_end(&mut rest);
        assert!(rest.is_empty());
    });
    talked.await.unwrap();
    serving.abort();
}
