//! What stands before the parser: who may speak at all, how fast, and who is silenced. Pure: see [`Shield`]. RFC 3261 §26.1, §26.3.2.4.
//!
//! Known peers are never banned, because anybody can write a known peer's address on a UDP datagram: what comes in its name beyond the pace is dropped,
//! the rest is heard. Bans silence strangers and, where the address is proven (by a handshake, or by the answer to a nonce of ours), sources in the
//! networks of the desk phones that hold no registration.

mod bans;
mod guard;
mod notice;
mod peek;
mod sources;
#[cfg(test)]
mod tests;

pub use guard::{Offence, Shield, Standing, Verdict};
pub use notice::{Notice, Report, Seen};
