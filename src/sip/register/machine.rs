//! The machine of one registration. It sends nothing itself: see [`RegistrationOutput`].

use std::collections::VecDeque;
use std::time::Duration;

use super::answer::{Outcome, RegisterAnswer, RegistrationTrouble};
use super::{Learns, Outbound, Register, RegistrationOutput, RegistrationSettings};
use crate::base::{Instant, Seed};
use crate::sip::timer::{TimerKind, TimerTable};
use crate::sip::{Flow, HostPort};

/// The shortest wait after every server has failed; doubled at each further round.
const BACKOFF_MIN: Duration = Duration::from_secs(5);
/// The longest: a PBX that comes back is found again within ten minutes.
const BACKOFF_MAX: Duration = Duration::from_mins(10);
/// The shortest wait after a refusal that somebody must mend: an account is not locked by us.
const REFUSED_MIN: Duration = Duration::from_mins(5);
/// The longest.
const REFUSED_MAX: Duration = Duration::from_hours(1);
/// The longest that Retry-After may keep us away.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// The longest registration that a Min-Expires may make us ask for.
const EXPIRES_MAX_S: u32 = 86_400;
/// The shortest time between two registrations because of a new address: a NAT that changes it each time must not make us flood.
const MOVED_MIN: Duration = Duration::from_secs(10);
/// How often "too brief" may be answered within one round.
const BRIEF_MAX: u8 = 3;
/// How long a stop waits for its answer.
const PARTING: Duration = Duration::from_secs(4);

/// Why a registration wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    /// When to send the next REGISTER: a refresh, or another try.
    Next,
    /// When to stop waiting for the answer to the last REGISTER of all.
    Parted,
}

impl TimerKind for Why {
    const ALL: &'static [Self] = &[Self::Next, Self::Parted];

    fn index(self) -> usize {
        self as usize
    }
}

/// How a registration stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistrationState {
    /// It has not been answered yet.
    Trying,
    /// Calls come.
    Registered {
        /// The way they come by.
        flow: Flow,
        /// When it would end without a refresh.
        until: Instant,
    },
    /// It was refused, or nobody answers.
    Failed {
        /// Why, and what to change.
        trouble: RegistrationTrouble,
        /// When it is tried again.
        retry: Instant,
    },
    /// It was taken back, or will be as soon as that is answered.
    Stopped,
}

/// One registration of ours.
#[derive(Debug)]
pub struct Registration {
    settings: RegistrationSettings,
    seed: Seed,
    ways: Vec<Flow>,
    /// The place of the way in use.
    at: usize,
    /// Ways that failed since the last success.
    failed: usize,
    rounds: u32,
    refusals: u32,
    brief: u8,
    expires_s: u32,
    call_id: String,
    seq: u32,
    /// A REGISTER waits for its answer.
    is_asking: bool,
    /// Something changed meanwhile: register again as soon as it is answered.
    is_outdated: bool,
    state: RegistrationState,
    contact: Option<String>,
    moved: Option<Instant>,
    service_routes: Vec<String>,
    timers: TimerTable<Why, 2>,
    outputs: VecDeque<RegistrationOutput>,
}

impl Registration {
    /// A registration that waits for [`Registration::handle_ways`].
    pub fn new(settings: RegistrationSettings, mut seed: Seed) -> Self {
        let call_id = format!("{:016x}{:016x}", seed.next_u64(), seed.next_u64());
        let (expires_s, seq) = (settings.expires_s, seed.next_u32() >> 8);
        Self {
            settings,
            seed,
            ways: Vec::new(),
            at: 0,
            failed: 0,
            rounds: 0,
            refusals: 0,
            brief: 0,
            expires_s,
            call_id,
            seq,
            is_asking: false,
            is_outdated: false,
            state: RegistrationState::Trying,
            contact: None,
            moved: None,
            service_routes: Vec::new(),
            timers: TimerTable::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes the ways to the registrar, the first choice first: after a look into DNS, or when an address of ours has changed.
    pub fn handle_ways(&mut self, now: Instant, ways: Vec<Flow>) {
        if self.state == RegistrationState::Stopped {
            return;
        }
        if ways.is_empty() {
            if self.ways.is_empty() {
                let retry = now + BACKOFF_MIN;
                self.turn(RegistrationState::Failed { trouble: RegistrationTrouble::NoAddress, retry });
            }
            return;
        }
        let current = self.way();
        let was_registered = matches!(self.state, RegistrationState::Registered { .. });
        self.ways = ways;
        let kept = current.and_then(|current| self.ways.iter().position(|way| *way == current));
        self.at = kept.unwrap_or(0);
        let rests = matches!(&self.state, RegistrationState::Failed { trouble, .. } if !trouble.is_passing());
        if kept.is_none() && !rests {
            self.failed = 0;
            self.ask(self.expires_s);
        } else if !was_registered && !self.is_asking && !self.timers.is_set(Why::Next) {
            self.ask(self.expires_s);
        }
    }

    /// Takes what came of a REGISTER.
    pub fn handle_answer(&mut self, now: Instant, answer: &RegisterAnswer) {
        self.seq = self.seq.max(answer.seq);
        if self.state == RegistrationState::Stopped {
            self.is_asking = false;
            self.timers.stop_all();
            return;
        }
        if !std::mem::replace(&mut self.is_asking, false) {
            return;
        }
        if std::mem::replace(&mut self.is_outdated, false) {
            return self.ask(self.expires_s);
        }
        match answer.outcome {
            Outcome::Answered(200..=299) => self.on_ok(now, answer),
            Outcome::Answered(423) => self.on_brief(now, answer),
            _ => self.on_failure(now, answer),
        }
    }

    /// What we tell of our address has changed: a STUN server sees us elsewhere.
    pub fn handle_moved(&mut self) {
        if matches!(self.state, RegistrationState::Registered { .. } | RegistrationState::Trying) {
            self.ask(self.expires_s);
        }
    }

    /// The connection is gone, or cannot be opened: calls no longer come by it (RFC 5626 §4.2.1).
    pub fn handle_lost(&mut self, now: Instant, flow: Flow) {
        let uses = matches!(self.state, RegistrationState::Registered { flow: used, .. } if used.is_same_way(flow));
        if uses && !self.is_asking {
            // Not all boxes that lost the same PBX come back in the same instant.
            let wait = Duration::from_millis(self.seed.below(1_000));
            self.timers.set(Why::Next, now + wait);
            self.turn(RegistrationState::Trying);
        }
    }

    /// Takes the registration back. Nothing is registered again afterwards.
    pub fn stop(&mut self, now: Instant) {
        let was_registered = matches!(self.state, RegistrationState::Registered { .. }) || self.is_asking;
        self.timers.stop_all();
        self.turn(RegistrationState::Stopped);
        if was_registered {
            self.ask(0);
            self.timers.set(Why::Parted, now + PARTING);
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.state == RegistrationState::Stopped && !self.timers.is_set(Why::Parted)
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(why) = self.timers.pop_due(now) {
            match why {
                Why::Next => self.ask(self.expires_s),
                Why::Parted => self.timers.stop_all(),
            }
        }
    }

    /// What to do next, in order.
    pub fn poll_output(&mut self) -> Option<RegistrationOutput> {
        self.outputs.pop_front()
    }

    /// When [`Registration::handle_timeout`] is wanted.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// How it stands.
    pub const fn state(&self) -> &RegistrationState {
        &self.state
    }

    /// The routes that calls through this registrar take (RFC 3608).
    pub fn service_routes(&self) -> &[String] {
        &self.service_routes
    }

    /// The way in use.
    pub fn way(&self) -> Option<Flow> {
        self.ways.get(self.at).copied()
    }

    fn ask(&mut self, expires_s: u32) {
        let Some(flow) = self.way() else { return };
        if self.is_asking && expires_s > 0 {
            self.is_outdated = true;
            return;
        }
        self.timers.stop(Why::Next);
        self.seq = self.seq.saturating_add(1);
        self.is_asking = true;
        let settings = &self.settings;
        let register = Register {
            id: settings.id,
            flow,
            account: settings.account,
            domain: settings.domain.clone(),
            user: settings.user.clone(),
            contact_user: settings.contact_user.clone(),
            expires_s,
            replaces: self.contact.clone(),
            instance: (settings.outbound == Outbound::Stated).then(|| settings.instance.clone()),
            call_id: self.call_id.clone(),
            seq: self.seq,
        };
        self.outputs.push_back(RegistrationOutput::Register(Box::new(register)));
    }

    fn on_ok(&mut self, now: Instant, answer: &RegisterAnswer) {
        (self.failed, self.rounds, self.refusals, self.brief) = (0, 0, 0, 0);
        self.service_routes.clone_from(&answer.service_routes);
        self.contact = Some(answer.contact.clone());
        let granted = answer.granted_s.unwrap_or(self.expires_s).clamp(1, EXPIRES_MAX_S);
        let lasts = Duration::from_secs(u64::from(granted));
        // 80 to 90 percent of it: boxes that were started together do not refresh together.
        let percent = 80 + u32::try_from(self.seed.below(11)).unwrap_or(0);
        self.timers.set(Why::Next, now + lasts * percent / 100);
        self.turn(RegistrationState::Registered { flow: answer.flow, until: now + lasts });
        self.learn(now, answer);
    }

    /// The registrar sees us elsewhere than we said: that address is told from now on, and what was registered is replaced.
    fn learn(&mut self, now: Instant, answer: &RegisterAnswer) {
        let Some(seen) = answer.seen.clone().filter(|seen| self.settings.learns == Learns::Address && *seen != answer.told) else { return };
        // Over a stream the port that is seen belongs to the connection; calls come by that connection, or to where we listen.
        let host = HostPort { host: seen.host, port: if answer.flow.transport.is_reliable() { answer.told.port } else { seen.port } };
        if host == answer.told {
            return;
        }
        let wait = self.moved.map_or(Duration::ZERO, |moved| MOVED_MIN.saturating_sub(now - moved));
        self.outputs.push_back(RegistrationOutput::Advertise(answer.flow, host));
        self.moved = Some(now + wait);
        if wait.is_zero() {
            self.ask(self.expires_s);
        } else {
            self.timers.set(Why::Next, now + wait);
        }
    }

    /// RFC 3261 §10.2.8: "423 Interval Too Brief" says how long it must be.
    fn on_brief(&mut self, now: Instant, answer: &RegisterAnswer) {
        let longer = answer.min_expires_s.filter(|min| *min > self.expires_s && *min <= EXPIRES_MAX_S && self.brief < BRIEF_MAX);
        let Some(longer) = longer else { return self.on_failure(now, answer) };
        self.brief += 1;
        self.expires_s = longer;
        self.ask(longer);
    }

    fn on_failure(&mut self, now: Instant, answer: &RegisterAnswer) {
        let address = format!("{}@{}", self.settings.user, self.settings.domain);
        let trouble = RegistrationTrouble::of(answer, &address);
        self.contact = None;
        self.failed += 1;
        let asked = answer.retry_after_s.map_or(Duration::ZERO, |seconds| Duration::from_secs(u64::from(seconds)).min(RETRY_AFTER_MAX));
        let wait = if trouble.is_passing() && self.failed < self.ways.len() {
            self.at = (self.at + 1) % self.ways.len();
            Duration::ZERO
        } else if trouble.is_passing() {
            self.failed = 0;
            self.at = 0;
            self.rounds = self.rounds.saturating_add(1);
            self.jittered(BACKOFF_MIN, BACKOFF_MAX, self.rounds).max(asked)
        } else {
            self.failed = 0;
            self.refusals = self.refusals.saturating_add(1);
            self.jittered(REFUSED_MIN, REFUSED_MAX, self.refusals).max(REFUSED_MIN / 2).max(asked)
        };
        let retry = now + wait;
        self.turn(RegistrationState::Failed { trouble, retry });
        if wait.is_zero() { self.ask(self.expires_s) } else { self.timers.set(Why::Next, retry) }
    }

    /// Anything from a second up to `least`, doubled for each try, at most `most`: full jitter, so that boxes that failed together come apart.
    fn jittered(&mut self, least: Duration, most: Duration, tries: u32) -> Duration {
        let doubled = least.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(16))).min(most);
        let span = u64::try_from(doubled.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.seed.below(span.saturating_sub(1_000) + 1) + 1_000)
    }

    fn turn(&mut self, state: RegistrationState) {
        if self.state != state {
            self.state = state;
            self.outputs.push_back(RegistrationOutput::Changed);
        }
    }
}
