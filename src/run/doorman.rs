//! Keeps the caps of the trunks, tells the log who was kept out, and shows both in the status.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::base::civil::Zone;
use crate::base::clock::{Clock, unix_millis};
use crate::base::{Instant, limits};
use crate::config::{Config, Network};
use crate::sip::{Allowance, Bearing, Caps, Endpoint, Notice, OverCap, ShieldReport, SipCall, Ticket};

/// How many of the worst sources the status shows.
const WORST: usize = 8;

/// The caps and the report; clones share them.
#[derive(Clone)]
pub struct Doorman {
    clock: Clock,
    zone: Zone,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// Addresses of trunks, and the trunk's name.
    addresses: Vec<(Network, String)>,
    by_trunk: BTreeMap<String, Caps>,
    /// Peers without a section of their own, by address.
    by_peer: BTreeMap<IpAddr, Caps>,
    inward: HashMap<SipCall, (Whose, Ticket)>,
    report: ShieldReport,
    reported_at: Option<Instant>,
    refused: u64,
}

/// Who pays for a call.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Whose {
    Trunk(String),
    Peer(IpAddr),
}

/// A call out that is counted until this is dropped.
#[must_use]
pub struct Pass {
    doorman: Doorman,
    trunk: String,
    ticket: Ticket,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let (now, day) = (self.doorman.clock.now(), self.doorman.day());
        if let Some(caps) = self.doorman.lock().by_trunk.get_mut(&self.trunk) {
            caps.ended(now, day, self.ticket);
        }
    }
}

impl Doorman {
    /// Keeps the caps that `config` has.
    pub fn new(clock: Clock, config: &Config) -> Self {
        let mut inner = Inner::default();
        for (name, trunk) in &config.trunks {
            let caps = &trunk.caps;
            let allowance = Allowance {
                calls_max: caps.calls_max,
                calls_a_second_max: caps.calls_per_s_max.unwrap_or(limits::CAPS_CALLS_A_SECOND_MAX),
                minutes_a_day_max: caps.minutes_a_day_max,
                ..Allowance::default()
            };
            inner.by_trunk.insert(name.clone(), Caps::new(allowance));
            inner.addresses.extend(trunk.from.iter().map(|network| (*network, name.clone())));
        }
        Self { clock, zone: config.business.zone.clone(), inner: Arc::new(Mutex::new(inner)) }
    }

    /// The addresses at which a trunk's servers were found, besides those that its section lists.
    pub fn learn(&self, trunk: &str, found: &[IpAddr]) {
        let mut inner = self.lock();
        for address in found {
            let network = Network::parse(&address.to_string());
            let known = inner.addresses.iter().any(|(network, name)| name == trunk && network.contains(*address));
            if let Some(network) = network.filter(|_| !known && inner.addresses.len() < limits::CAPS_PEERS_MAX) {
                inner.addresses.push((network, trunk.to_owned()));
            }
        }
    }

    /// Whether a call that comes in fits; it counts until [`Doorman::over`].
    pub fn admit(&self, call: SipCall, from: IpAddr) -> Result<(), OverCap> {
        let (now, day) = (self.clock.now(), self.day());
        let mut inner = self.lock();
        let whose = inner.whose(from);
        let admitted = inner.caps(&whose).admit(now, day, Bearing::In);
        inner.refused += u64::from(admitted.is_err());
        inner.inward.insert(call, (whose, admitted?));
        Ok(())
    }

    /// Whether a call out over `trunk` fits; it counts until the pass is dropped. Emergency calls do not ask.
    pub fn admit_out(&self, trunk: &str) -> Result<Pass, OverCap> {
        let (now, day) = (self.clock.now(), self.day());
        let mut inner = self.lock();
        let admitted = inner.caps(&Whose::Trunk(trunk.to_owned())).admit(now, day, Bearing::Out);
        inner.refused += u64::from(admitted.is_err());
        Ok(Pass { doorman: self.clone(), trunk: trunk.to_owned(), ticket: admitted? })
    }

    /// The caller has acknowledged our answer.
    pub fn acknowledged(&self, call: SipCall) {
        let mut inner = self.lock();
        if let Some((whose, ticket)) = inner.inward.get(&call).cloned() {
            inner.caps(&whose).acknowledged(ticket);
        }
    }

    /// The call is over.
    pub fn over(&self, call: SipCall) {
        let (now, day) = (self.clock.now(), self.day());
        let mut inner = self.lock();
        if let Some((whose, ticket)) = inner.inward.remove(&call) {
            inner.caps(&whose).ended(now, day, ticket);
        }
    }

    /// Writes what the shield noticed into the log.
    pub fn notice(notice: &Notice) {
        let Notice { source, why, seen, banned_s, unsaid } = notice;
        tracing::warn!(%source, why, seen, banned_s, unsaid, "kept out");
    }

    /// Takes over what the shield has done, once a second at most.
    pub fn look(&self, endpoint: &Endpoint) {
        let now = self.clock.now();
        let mut inner = self.lock();
        if inner.reported_at.is_none_or(|at| now.since(at) >= Duration::from_secs(1)) {
            (inner.report, inner.reported_at) = (endpoint.shield_report(now, WORST), Some(now));
        }
    }

    /// What `nightbell status` shows: counts, the worst sources, and what each trunk uses.
    pub fn status(&self) -> Value {
        let now = self.clock.now();
        let inner = self.lock();
        let trunk = |caps: &Caps| json!({ "calls": caps.running(), "minutes_today": caps.used(now).as_secs() / 60 });
        let trunks: BTreeMap<&String, Value> = inner.by_trunk.iter().map(|(name, caps)| (name, trunk(caps))).collect();
        let hint = inner.report.worst.iter().find(|seen| seen.standing == crate::sip::Standing::Stranger && seen.banned_s.is_none());
        let hint = hint.map(|seen| format!("{} is kept out; if it is yours, write it under trusted in [sip]", seen.source));
        json!({ "shield": inner.report, "refused_by_caps": inner.refused, "trunks": trunks, "hint": hint })
    }

    /// A number for the day that the wall shows.
    fn day(&self) -> i64 {
        let date = self.zone.at(unix_millis()).date();
        i64::from(date.year()) * 400 + i64::from(date.day_of_year())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn whose(&self, from: IpAddr) -> Whose {
        let trunk = self.addresses.iter().find(|(network, _)| network.contains(from)).map(|(_, name)| name.clone());
        trunk.map_or_else(|| Whose::Peer(from.to_canonical()), Whose::Trunk)
    }

    fn caps(&mut self, whose: &Whose) -> &mut Caps {
        match whose {
            Whose::Trunk(name) => self.by_trunk.entry(name.clone()).or_insert_with(|| Caps::new(Allowance::default())),
            Whose::Peer(address) => {
                if !self.by_peer.contains_key(address) && self.by_peer.len() >= limits::CAPS_PEERS_MAX {
                    self.by_peer.retain(|_, caps| caps.running() > 0);
                }
                self.by_peer.entry(*address).or_insert_with(|| Caps::new(Allowance::default()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "config/demo/nightbell.toml";

    fn doorman() -> Doorman {
        let config = Config::load_with(std::path::Path::new(FILE), &crate::config::Overrides::default()).unwrap();
        Doorman::new(Clock::start(), &config)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_peer_that_never_acknowledges_leaves_lines_for_the_others() {
        let doorman = doorman();
        let taken = (0..limits::CALLS_MAX as u64).filter(|call| doorman.admit(SipCall(*call), ip("192.0.2.66")).is_ok()).count() as u64;
        assert_eq!(taken, limits::CAPS_HALF_OPEN_MAX.min(limits::CAPS_CALLS_A_SECOND_MAX));
        assert!(doorman.admit(SipCall(1_000), ip("192.0.2.2")).is_ok(), "another peer");
        (0..taken).for_each(|call| doorman.over(SipCall(call)));
        assert_eq!(doorman.lock().by_peer[&ip("192.0.2.66")].running(), 0);
        assert_eq!(doorman.status()["refused_by_caps"], limits::CALLS_MAX as u64 - taken);
    }

    #[test]
    fn a_call_out_counts_until_its_pass_is_dropped() {
        let doorman = doorman();
        let allowance = Allowance { calls_max: Some(1), ..Allowance::default() };
        doorman.lock().by_trunk.insert("line".to_owned(), Caps::new(allowance));
        let pass = doorman.admit_out("line").unwrap();
        assert_eq!(doorman.admit_out("line").err(), Some(OverCap::AtOnce { max: 1 }));
        drop(pass);
        assert!(doorman.admit_out("line").is_ok());
    }

    #[test]
    fn the_addresses_of_a_trunk_share_its_caps() {
        let doorman = doorman();
        let allowance = Allowance { calls_max: Some(1), ..Allowance::default() };
        doorman.lock().by_trunk.insert("line".to_owned(), Caps::new(allowance));
        doorman.learn("line", &[ip("203.0.113.7"), ip("203.0.113.8")]);
        assert!(doorman.admit(SipCall(1), ip("203.0.113.7")).is_ok());
        assert_eq!(doorman.admit(SipCall(2), ip("203.0.113.8")), Err(OverCap::AtOnce { max: 1 }));
    }
}
