//! The decision about one datagram, one connection, one offence.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

use super::bans::{Bans, Proof};
use super::notice::{Notice, Report, Seen};
use super::peek::{self, Kind};
use super::sources::{Bucket, Pace, Source, Sources, household};
use crate::base::{Instant, limits};
use crate::sip::{Flow, Strangers};

/// Who a source is to us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A trunk or a PBX: heard, never banned.
    Known,
    /// From a network of the desk phones: heard as far as to be challenged.
    Phone,
    /// Anybody else.
    Stranger,
}

/// What becomes of a datagram or a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is read.
    Pass,
    /// It is dropped, and nobody is told.
    Silence,
    /// It gets the one refusal that every stranger gets.
    Refuse,
}

/// What a source did wrong, found by those who read what it sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offence {
    /// A wrong password in answer to a nonce that we sent to this very address: so the address is its own.
    WrongPassword,
    /// Bytes that are no SIP, over a connection.
    NotSip,
}

/// The table of sources, their pace and the bans.
#[derive(Debug)]
pub struct Shield {
    strangers: Strangers,
    known: Sources,
    phones: Sources,
    others: Sources,
    bans: Bans,
    vouched: BTreeMap<SocketAddr, Instant>,
    /// All refusals together: with forged senders we must not become a mirror.
    refusals: Bucket,
    lines: Bucket,
    unsaid: u64,
    notices: VecDeque<Notice>,
    report: Report,
}

const SCANNER: &str = "names itself a scanner";
const KNOWN: Pace = Pace { rate: limits::SHIELD_KNOWN_A_SECOND_MAX, burst: 2 * limits::SHIELD_KNOWN_A_SECOND_MAX };
const PHONE: Pace = Pace { rate: limits::SHIELD_PHONE_A_SECOND_MAX, burst: 3 * limits::SHIELD_PHONE_A_SECOND_MAX };
const REFUSED_EACH: Pace = Pace { rate: 1, burst: 4 };
const REFUSED_ALL: Pace = Pace { rate: limits::SHIELD_REFUSALS_A_SECOND_MAX, burst: limits::SHIELD_REFUSALS_A_SECOND_MAX };
const LINES: Pace = Pace { rate: 1, burst: limits::SHIELD_LINES_AT_ONCE_MAX };

impl Shield {
    /// A shield that has seen nobody.
    pub fn new(strangers: Strangers) -> Self {
        Self {
            strangers,
            known: Sources::new(limits::SHIELD_KNOWN_MAX),
            phones: Sources::new(limits::SHIELD_PHONES_MAX),
            others: Sources::new(limits::SHIELD_STRANGERS_MAX),
            bans: Bans::default(),
            vouched: BTreeMap::new(),
            refusals: Bucket::default(),
            lines: Bucket::default(),
            unsaid: 0,
            notices: VecDeque::new(),
            report: Report::default(),
        }
    }

    /// Decides about one message before it is parsed.
    pub fn handle_datagram(&mut self, now: Instant, flow: Flow, standing: Standing, bytes: &[u8]) -> Verdict {
        let kind = peek::kind(bytes);
        let verdict = match standing {
            Standing::Known => self.pace(now, flow.remote, kind),
            Standing::Phone if self.is_vouched(now, flow.remote) => self.pace(now, flow.remote, kind),
            Standing::Phone => self.phone(now, flow, kind, bytes),
            Standing::Stranger => self.stranger(now, flow, kind, bytes),
        };
        self.check_invariants();
        verdict
    }

    /// Counts an offence. Known peers and living registrations are not banned for any.
    pub fn handle_offence(&mut self, now: Instant, flow: Flow, standing: Standing, offence: Offence) {
        if standing == Standing::Known || self.is_vouched(now, flow.remote) {
            return;
        }
        let why = match offence {
            Offence::WrongPassword => "gives wrong passwords",
            Offence::NotSip => "sends what is no SIP",
        };
        self.strike(now, household(flow.remote.ip()), Strike { standing, proof: Proof::Proven, weight: 2, why });
        self.check_invariants();
    }

    /// A phone has registered from there: until `until` no ban touches it. Full: the one that ends soonest is no longer vouched for.
    pub fn vouch(&mut self, remote: SocketAddr, until: Instant) {
        if !self.vouched.contains_key(&remote) && self.vouched.len() >= limits::SHIELD_VOUCHED_MAX {
            let soonest = self.vouched.iter().min_by_key(|(_, until)| **until).map(|(remote, _)| *remote);
            soonest.and_then(|remote| self.vouched.remove(&remote));
        }
        self.vouched.insert(remote, until);
    }

    /// That registration is gone.
    pub fn stop_vouching(&mut self, remote: SocketAddr) {
        self.vouched.remove(&remote);
    }

    /// The next line for the log.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// What was done so far, with the `worst` sources.
    pub fn report(&self, now: Instant, worst: usize) -> Report {
        let mut all: Vec<(Standing, &SocketAddr, &Source)> = Vec::new();
        for (standing, table) in [(Standing::Known, &self.known), (Standing::Phone, &self.phones), (Standing::Stranger, &self.others)] {
            all.extend(table.iter().filter(|(_, source)| source.dropped > 0).map(|(address, source)| (standing, address, source)));
        }
        all.sort_by_key(|(_, address, source)| (std::cmp::Reverse(source.dropped), **address));
        let seen = |(standing, address, source): &(Standing, &SocketAddr, &Source)| Seen {
            source: shown(**address),
            standing: *standing,
            seen: source.seen,
            dropped: source.dropped,
            ago_s: now.since(source.last).as_secs(),
            banned_s: self.banned(now, **address, *standing).map(|until| until.since(now).as_secs()),
        };
        Report {
            bans: self.bans.standing(now),
            bans_total: self.bans.spoken,
            sources: self.known.len() + self.phones.len() + self.others.len(),
            worst: all.iter().take(worst).map(seen).collect(),
            ..self.report.clone()
        }
    }

    /// How many messages and connections were not let through, of whomever.
    pub const fn dropped(&self) -> u64 {
        self.report.silenced + self.report.refused + self.report.paced
    }

    fn is_vouched(&self, now: Instant, remote: SocketAddr) -> bool {
        self.vouched.get(&remote).is_some_and(|until| *until > now)
    }

    fn banned(&self, now: Instant, household: SocketAddr, standing: Standing) -> Option<Instant> {
        match standing {
            Standing::Known => None,
            Standing::Phone => self.bans.until(now, household, Proof::Proven),
            Standing::Stranger => self.bans.until(now, household, Proof::Claimed),
        }
    }

    /// A known peer may speak as fast as we can read; what runs has a bucket of its own, so that a flood of new things does not silence a BYE.
    fn pace(&mut self, now: Instant, remote: SocketAddr, kind: Kind) -> Verdict {
        let source = self.known.touch(now, remote);
        source.seen += 1;
        let bucket = if kind == Kind::Opening { &mut source.opening } else { &mut source.running };
        if bucket.take(now, KNOWN) {
            return Verdict::Pass;
        }
        source.dropped += 1;
        self.report.paced += 1;
        self.notice(now, Standing::Known, remote, ("sends faster than we read; the rest is dropped", None));
        Verdict::Silence
    }

    fn phone(&mut self, now: Instant, flow: Flow, kind: Kind, bytes: &[u8]) -> Verdict {
        let household = household(flow.remote.ip());
        if self.bans.until(now, household, Proof::Proven).is_some() {
            return self.drop_one(now, household, Standing::Phone);
        }
        if peek::names_a_scanner(bytes) {
            // Over a connection the address is its own; a datagram may be forged to have a phone banned, so it is dropped alone.
            let (standing, why) = (Standing::Phone, SCANNER);
            if flow.transport.is_reliable() {
                self.strike(now, household, Strike { standing, proof: Proof::Proven, weight: limits::SHIELD_STRIKES_MAX, why });
            }
            return self.drop_one(now, household, standing);
        }
        let source = self.phones.touch(now, household);
        source.seen += 1;
        let bucket = if kind == Kind::Opening { &mut source.opening } else { &mut source.running };
        if bucket.take(now, PHONE) {
            return Verdict::Pass;
        }
        source.dropped += 1;
        self.report.paced += 1;
        self.notice(now, Standing::Phone, household, ("sends too fast for a telephone; the rest is dropped", None));
        Verdict::Silence
    }

    fn stranger(&mut self, now: Instant, flow: Flow, kind: Kind, bytes: &[u8]) -> Verdict {
        let household = household(flow.remote.ip());
        if self.bans.until(now, household, Proof::Claimed).is_none() && kind == Kind::Opening {
            let proof = if flow.transport.is_reliable() { Proof::Proven } else { Proof::Claimed };
            let named = peek::names_a_scanner(bytes);
            let (weight, why) = if named { (limits::SHIELD_STRIKES_MAX, SCANNER) } else { (1, "asks, and is not known") };
            self.strike(now, household, Strike { standing: Standing::Stranger, proof, weight, why });
        }
        let banned = self.bans.until(now, household, Proof::Claimed).is_some();
        if banned || self.strangers == Strangers::Silence || kind == Kind::Other {
            return self.drop_one(now, household, Standing::Stranger);
        }
        let source = self.others.touch(now, household);
        source.seen += 1;
        source.dropped += 1;
        if source.running.take(now, REFUSED_EACH) && self.refusals.take(now, REFUSED_ALL) {
            self.report.refused += 1;
            return Verdict::Refuse;
        }
        self.report.silenced += 1;
        Verdict::Silence
    }

    fn table(&mut self, standing: Standing) -> &mut Sources {
        match standing {
            Standing::Known => &mut self.known,
            Standing::Phone => &mut self.phones,
            Standing::Stranger => &mut self.others,
        }
    }

    fn drop_one(&mut self, now: Instant, household: SocketAddr, standing: Standing) -> Verdict {
        let source = self.table(standing).touch(now, household);
        source.seen += 1;
        source.dropped += 1;
        self.report.silenced += 1;
        Verdict::Silence
    }

    /// So many strikes without a quiet time between, and the source is banned.
    fn strike(&mut self, now: Instant, household: SocketAddr, strike: Strike) {
        let source = self.table(strike.standing).touch(now, household);
        let forgotten = now.since(source.struck_at) > Duration::from_millis(limits::SHIELD_MEMORY_MS);
        source.strikes = if forgotten { 0 } else { source.strikes }.saturating_add(strike.weight);
        source.struck_at = now;
        let over = source.strikes >= limits::SHIELD_STRIKES_MAX;
        if over {
            source.strikes = 0;
        }
        let length = over.then(|| self.bans.ban(now, household, strike.proof));
        self.notice(now, strike.standing, household, (strike.why, length));
    }

    fn notice(&mut self, now: Instant, standing: Standing, address: SocketAddr, told: (&'static str, Option<Duration>)) {
        let source = self.table(standing).touch(now, address);
        let said = source.noticed_at.is_some_and(|at| now.since(at) < Duration::from_mins(1));
        let seen = source.seen;
        if said {
            return;
        }
        source.noticed_at = Some(now);
        if !self.lines.take(now, LINES) || self.notices.len() >= limits::SHIELD_NOTICES_MAX {
            self.unsaid += 1;
            return;
        }
        let (source, unsaid) = (address.ip(), std::mem::take(&mut self.unsaid));
        self.notices.push_back(Notice { source, why: told.0, seen, banned_s: told.1.map(|length| length.as_secs()), unsaid });
    }

    /// Every table keeps its bound. Called after each input in debug builds.
    pub fn check_invariants(&self) {
        for table in [&self.known, &self.phones, &self.others] {
            table.check_invariants();
        }
        debug_assert!(self.bans.len() <= limits::SHIELD_BANS_MAX, "bans have a bound");
        debug_assert!(self.vouched.len() <= limits::SHIELD_VOUCHED_MAX, "vouching has a bound");
        debug_assert!(self.notices.len() <= limits::SHIELD_NOTICES_MAX, "lines have a bound");
    }
}

#[derive(Clone, Copy)]
struct Strike {
    standing: Standing,
    proof: Proof,
    weight: u32,
    why: &'static str,
}

/// An address, or the /64 that stands for one customer; a known peer with its port.
fn shown(address: SocketAddr) -> String {
    match (address.ip(), address.port()) {
        (IpAddr::V6(ip), 0) => format!("{ip}/64"),
        (ip, 0) => ip.to_string(),
        _ => address.to_string(),
    }
}
