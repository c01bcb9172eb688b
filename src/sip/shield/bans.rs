//! Who is silenced, and until when. Bounded; a ban grows with every repetition.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{Instant, limits};

/// Whether the address of an offender is its own: a datagram may carry anybody's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Proof {
    /// A datagram said so.
    Claimed,
    /// A handshake was finished from there, or a nonce that we sent there came back.
    Proven,
}

#[derive(Clone, Copy, Debug)]
struct Ban {
    until: Instant,
    times: u32,
    proof: Proof,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Bans {
    by_address: BTreeMap<SocketAddr, Ban>,
    /// How many were ever spoken.
    pub(super) spoken: u64,
}

impl Bans {
    /// Bans this address, for longer than the last time; how long. Only a proven ban replaces a proven one's proof.
    pub(super) fn ban(&mut self, now: Instant, address: SocketAddr, proof: Proof) -> Duration {
        self.forget_old(now);
        if !self.by_address.contains_key(&address) && self.by_address.len() >= limits::SHIELD_BANS_MAX {
            self.forget_one();
        }
        let before = self.by_address.get(&address).copied();
        let times = before.map_or(0, |ban| ban.times).saturating_add(1);
        let length = length(times);
        let proof = before.map_or(proof, |ban| ban.proof.max(proof));
        self.by_address.insert(address, Ban { until: now + length, times, proof });
        self.spoken += 1;
        length
    }

    /// Until when this address is silenced, on at least this proof.
    pub(super) fn until(&self, now: Instant, address: SocketAddr, proof: Proof) -> Option<Instant> {
        self.by_address.get(&address).filter(|ban| ban.until > now && ban.proof >= proof).map(|ban| ban.until)
    }

    /// How many hold now.
    pub(super) fn standing(&self, now: Instant) -> usize {
        self.by_address.values().filter(|ban| ban.until > now).count()
    }

    pub(super) fn len(&self) -> usize {
        self.by_address.len()
    }

    /// What is long over is no longer held against anybody.
    fn forget_old(&mut self, now: Instant) {
        let memory = Duration::from_millis(limits::SHIELD_BAN_MS_MAX);
        self.by_address.retain(|_, ban| ban.until + memory > now);
    }

    /// The one with the weakest proof that ends soonest, so that datagrams with invented senders drive out only their like.
    fn forget_one(&mut self) {
        let least = self.by_address.iter().min_by_key(|(_, ban)| (ban.proof, ban.until)).map(|(address, _)| *address);
        if let Some(address) = least {
            self.by_address.remove(&address);
        }
    }
}

/// A minute, four minutes, sixteen, and so on up to a day.
fn length(times: u32) -> Duration {
    let grown = limits::SHIELD_BAN_MS_MIN.saturating_mul(4_u64.saturating_pow(times.saturating_sub(1)));
    Duration::from_millis(grown.min(limits::SHIELD_BAN_MS_MAX))
}
