//! Sockets of the signalling side.
