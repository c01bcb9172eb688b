//! Every task of the daemon.

pub mod workers;
pub mod control;
