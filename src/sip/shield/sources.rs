//! The table of sources: how fast each may speak, and what it has done. Bounded; the source that was quiet for longest is forgotten first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::base::Instant;

/// So many, and no more than so many at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace {
    /// A second.
    pub(super) rate: u32,
    /// At once.
    pub(super) burst: u32,
}

/// A token bucket: it fills at the rate and holds the burst.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// Millionths of a token that were taken and have not come back.
    spent: u64,
    at: Instant,
}

impl Bucket {
    /// Takes one token; false where none is left.
    pub(super) fn take(&mut self, now: Instant, pace: Pace) -> bool {
        let back = now.as_micros().saturating_sub(self.at.as_micros()).saturating_mul(u64::from(pace.rate));
        self.spent = self.spent.saturating_sub(back);
        self.at = now;
        let fits = self.spent + 1_000_000 <= u64::from(pace.burst) * 1_000_000;
        self.spent += if fits { 1_000_000 } else { 0 };
        fits
    }
}

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// For what may open something.
    pub(super) opening: Bucket,
    /// For what belongs to something open.
    pub(super) running: Bucket,
    /// Datagrams and connections so far.
    pub(super) seen: u64,
    /// Those that were dropped or refused.
    pub(super) dropped: u64,
    /// Offences that are not forgotten yet.
    pub(super) strikes: u32,
    /// The last of them.
    pub(super) struck_at: Instant,
    /// When a line about it was written last.
    pub(super) noticed_at: Option<Instant>,
    /// When it spoke last.
    pub(super) last: Instant,
    used: u64,
}

/// A bounded table.
#[derive(Debug)]
pub(super) struct Sources {
    max: usize,
    by_address: BTreeMap<SocketAddr, Source>,
    by_use: BTreeSet<(u64, SocketAddr)>,
    uses: u64,
    /// How many were forgotten because the table was full.
    pub(super) forgotten: u64,
}

impl Sources {
    pub(super) const fn new(max: usize) -> Self {
        Self { max, by_address: BTreeMap::new(), by_use: BTreeSet::new(), uses: 0, forgotten: 0 }
    }

    /// The entry of this source, which counts as used; made where there is none.
    pub(super) fn touch(&mut self, now: Instant, address: SocketAddr) -> &mut Source {
        if !self.by_address.contains_key(&address) && self.by_address.len() >= self.max {
            self.forget_one();
        }
        self.uses += 1;
        let uses = self.uses;
        let source = self.by_address.entry(address).or_default();
        self.by_use.remove(&(source.used, address));
        self.by_use.insert((uses, address));
        (source.used, source.last) = (uses, now);
        source
    }

    fn forget_one(&mut self) {
        if let Some((_, address)) = self.by_use.pop_first() {
            self.by_address.remove(&address);
            self.forgotten += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_address.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&SocketAddr, &Source)> {
        self.by_address.iter()
    }

    pub(super) fn check_invariants(&self) {
        debug_assert!(self.by_address.len() <= self.max, "the table has a bound");
        debug_assert_eq!(self.by_address.len(), self.by_use.len(), "every source has one place in the order");
    }
}

/// One key for everybody behind an address: the address itself, or the /64 of IPv6 that one customer holds whole.
pub(super) fn household(address: IpAddr) -> SocketAddr {
    let ip = match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    };
    SocketAddr::new(ip, 0)
}
