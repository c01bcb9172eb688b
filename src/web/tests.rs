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

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let refused = bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert!(matches!(refused, WebError::NotLoopback(_)));
}
