//! Every task of the daemon.

pub mod control;
pub mod workers;
