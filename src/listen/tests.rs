//! The listening thread without and with its thread.
