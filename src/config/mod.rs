//! Configuration as written and as meant.

pub mod agent;
