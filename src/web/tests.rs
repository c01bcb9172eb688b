//! The pages over a real socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::observe::{Kind, Measure};

struct Fake(Health);

impl Look for Fake {
    fn health(&self) -> Health {
        self.0.clone()
    }
    async fn status(&self) -> Value {
        json!({ "running": true })
    }
    async fn place(&self, body: &[u8]) -> Result<Value, Value> {
        match body {
            b"yes" => Ok(json!({ "call_id": "1" })),
            b"what" => Err(json!({ "refused": "not_understood", "why": "no JSON" })),
            _ => Err(json!({ "refused": "no_consent", "why": "nobody agreed" })),
        }
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure { name: "nightbell_calls_total", help: "Calls answered.", kind: Kind::Counter, value: 3.0 }]
    }
}

/// The status code and the body of `GET path` with this Host.
fn get(address: SocketAddr, path: &str, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn served(health: Health) -> SocketAddr {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Arc::new(Fake(health))));
    address
}

#[tokio::test]
async fn the_three_pages_show_what_the_daemon_says() {
    let address = served(Health::Well).await;
    let ill = served(Health::Degraded("nightbell-llm is not ready: restarting".to_owned())).await;
    let down = served(Health::Down("draining".to_owned())).await;
    let told = tokio::task::spawn_blocking(move || {
        assert_eq!(get(address, "/healthz", "localhost"), (200, "ok\n".to_owned()));
        let degraded = "degraded: nightbell-llm is not ready: restarting\n".to_owned();
        assert_eq!(get(ill, "/healthz", "localhost"), (200, degraded), "calls are answered without a worker");
        assert_eq!(get(down, "/healthz", "[::1]:8080"), (503, "draining\n".to_owned()));
        assert_eq!(get(address, "/status", "127.0.0.1:8080"), (200, "{\"running\":true}".to_owned()));
        assert!(get(address, "/metrics", "127.0.0.1").1.ends_with("nightbell_calls_total 3\n"));
        assert_eq!(get(address, "/calls", "localhost").0, 404);
        // A name that somebody else pointed at this machine.
        assert_eq!(get(address, "/status", "evil.example").0, 403);
    });
    told.await.unwrap();
}

/// The status code and the body of a POST.
fn post(address: SocketAddr, kind: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /api/calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_call_is_placed_by_json_alone_and_a_refusal_is_told_in_words() {
    let address = served(Health::Well).await;
    let told = tokio::task::spawn_blocking(move || {
        assert_eq!(post(address, "application/json", "yes"), (202, "{\"call_id\":\"1\"}".to_owned()));
        assert_eq!(post(address, "application/json; charset=utf-8", "what").0, 400);
        let refused = post(address, "application/json", "no");
        assert!(refused.0 == 409 && refused.1.contains("nobody agreed"), "{refused:?}");
        // What a form of a web page elsewhere can send without asking.
        assert_eq!(post(address, "text/plain", "yes").0, 415);
        assert_eq!(post(address, "application/x-www-form-urlencoded", "yes").0, 415);
        assert_eq!(post(address, "application/json", &"x".repeat(5_000)).0, 413);
        assert_eq!(get(address, "/api/calls", "localhost").0, 405);
    });
    told.await.unwrap();
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let refused = bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert!(matches!(refused, WebError::NotLoopback(_)));
}
