//! The three pages.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::base::limits;
use crate::observe::{self, Measure};

/// How the daemon is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// All of it works.
    Well,
    /// Calls are answered, with less than all: in words what is missing.
    Degraded(String),
    /// Calls cannot be answered: in words why not.
    Down(String),
}

/// What the pages show: the daemon.
pub trait Look: Send + Sync + 'static {
    /// Whether calls are answered, and how well.
    fn health(&self) -> Health;
    /// What the daemon does, as `nightbell status --json` prints it. Nothing personal.
    fn status(&self) -> impl Future<Output = Value> + Send;
    /// Places a call for an agent: the body is a JSON object of [`crate::run::Dial`]. The refusal is one as well, with `refused` and `why`.
    fn place(&self, body: &[u8]) -> impl Future<Output = Result<Value, Value>> + Send;
    /// Numbers.
    fn measures(&self) -> Vec<Measure>;
}

/// Why the page is not served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Others could reach it.
    #[error("{0} is open to others, and nobody has to log in yet: listen on 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The address cannot be used.
    #[error("{address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Takes the address; a port 0 is chosen by the system.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    if !address.ip().is_loopback() {
        return Err(WebError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| WebError::Bind { address, source })
}

/// Serves until it is dropped.
pub async fn serve<L: Look>(listener: TcpListener, look: Arc<L>) -> std::io::Result<()> {
    let pages = Router::new()
        .route("/healthz", get(healthz::<L>))
        .route("/status", get(status::<L>))
        .route("/metrics", get(metrics::<L>))
        .route("/api/calls", post(place::<L>).layer(DefaultBodyLimit::max(limits::API_BODY_BYTES_MAX)))
        .layer(middleware::from_fn(this_machine_only))
        .with_state(look);
    axum::serve(listener, pages).await
}

async fn healthz<L: Look>(State(look): State<Arc<L>>) -> Response {
    match look.health() {
        Health::Well => "ok\n".into_response(),
        // Whoever restarts what is not healthy would end calls that go on without the missing part.
        Health::Degraded(what) => format!("degraded: {what}\n").into_response(),
        Health::Down(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn status<L: Look>(State(look): State<Arc<L>>) -> Response {
    Json(look.status().await).into_response()
}

async fn metrics<L: Look>(State(look): State<Arc<L>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], observe::text(&look.measures())).into_response()
}

/// Only as `application/json`: a web page elsewhere can make the owner's browser send a form here, but that only after asking, and nobody answers.
async fn place<L: Look>(State(look): State<Arc<L>>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send a JSON object as application/json\n").into_response();
    }
    match look.place(&body).await {
        Ok(placed) => (StatusCode::ACCEPTED, Json(placed)).into_response(),
        Err(refused) if refused.get("refused").is_some_and(|code| code == "not_understood") => {
            (StatusCode::BAD_REQUEST, Json(refused)).into_response()
        }
        Err(refused) => (StatusCode::CONFLICT, Json(refused)).into_response(),
    }
}

async fn this_machine_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_none_or(|host| !is_this_machine(host)) {
        return (StatusCode::FORBIDDEN, "this page is for this machine only\n").into_response();
    }
    next.run(request).await
}

/// `localhost`, or an address of this machine, with or without a port.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
