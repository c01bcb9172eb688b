//! The status page, for this machine only: `/healthz`, `/status` (JSON) and `/metrics` (text). Nobody logs in yet, so it refuses every other address to listen
//! on, and every `Host` that is not this machine's (a web page elsewhere could otherwise make the owner's browser read it).

mod serve;

pub use serve::{Health, Look, WebError, bind, serve};

#[cfg(test)]
mod tests;
