//! The protocol between daemon and workers. Pure.
