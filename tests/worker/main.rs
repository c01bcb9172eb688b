//! The workers themselves, as processes: their protocol, their deaths, and what the starter models answer. They are the release programs, which
//! `make test` builds first; `NIGHTBELL_BIN_DIR` names another folder. Times are generous, because the machine may be busy; none is slept through.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod costs;
mod engines;
mod protocol;
mod speech;
mod supervision;
mod symbols;
mod tools;
