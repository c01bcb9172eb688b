//! Every task of the daemon.
