//! The four transaction machines of RFC 3261 §17, with the Accepted states of RFC 6026.
//!
//! Each is told what arrives and which of its timers is due, and says what to send and whether its user should hear of it.

mod client;
mod invite_client;
mod invite_server;
mod server;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;

pub use client::Client;
pub use invite_client::InviteClient;
pub use invite_server::InviteServer;
pub use server::Server;

use super::timer::{TimerKind, TimerTable};

/// An estimate of the time there and back (RFC 3261 §17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);

/// The longest pause between repeats of a request other than INVITE, and of a response to INVITE.
pub const T2: Duration = Duration::from_secs(4);

/// How long a message may stay in the network.
pub const T4: Duration = Duration::from_secs(5);

/// How long a transaction goes on without an answer: 32 s.
pub const LIFE: Duration = Duration::from_secs(32);

/// The timers of RFC 3261 §17, table 4, and of RFC 6026 §7. C belongs to proxies, and this is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// When to send the INVITE again.
    A,
    /// When to give up waiting for any response to the INVITE.
    B,
    /// When to forget an INVITE that was refused.
    D,
    /// When to send another request again.
    E,
    /// When to give up waiting for its final response.
    F,
    /// When to send the final response to an INVITE again.
    G,
    /// When to give up waiting for the ACK of a refusal.
    H,
    /// When to forget a refused INVITE after its ACK.
    I,
    /// When to forget another request after its final response.
    J,
    /// When to forget another request of ours after its final response.
    K,
    /// When to forget an INVITE that we accepted.
    L,
    /// When to forget an INVITE of ours that was accepted.
    M,
}

impl TimerKind for Timer {
    const ALL: &'static [Self] =
        &[Self::A, Self::B, Self::D, Self::E, Self::F, Self::G, Self::H, Self::I, Self::J, Self::K, Self::L, Self::M];

    fn index(self) -> usize {
        self as usize
    }
}

/// The timers of one transaction.
pub type Timers = TimerTable<Timer, 12>;

/// Whether the transaction's user hears of what has just happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is new.
    Deliver,
    /// It was a repeat, or no longer matters.
    Absorb,
}

/// What a timer has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woke {
    /// Nothing that the user need know.
    Quiet,
    /// Nobody answers: the user is told, the transaction is over.
    TimedOut,
}

/// Messages to send, in order.
pub type Sends = Vec<Bytes>;
