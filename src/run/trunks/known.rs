//! What is known of one trunk.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::NoTrunkWay;
use super::secrets;
use crate::base::{Instant, Pii};
use crate::config::Trunk;
use crate::run::house::SoundRules;
use crate::sdp::CodecKind;
use crate::sip::digest::Credentials;
use crate::sip::register::RegistrationState;
use crate::sip::{AccountId, Arrival, Flow, HealthState, Invite};

/// One way of calling out by a trunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkWay {
    /// Over which flow.
    pub flow: Flow,
    /// Whose credentials answer a challenge.
    pub account: Option<AccountId>,
    /// The host of the Request-URI and of From.
    pub domain: String,
    /// Our user name there, where it knows us by one.
    pub user: Option<String>,
    /// The routes that its registrar has asked for (RFC 3608).
    pub routes: Vec<String>,
    /// Whether it bears session timers.
    pub session_timer: bool,
}

impl TrunkWay {
    /// Makes an INVITE one that this trunk takes: the domain that it knows us by, its routes, our credentials, what it does not bear. Who calls is
    /// for whoever places it to say.
    pub fn dress(&self, invite: &mut Invite) {
        invite.account = self.account;
        // A PBX that knows us by our address alone expects our own host in From.
        invite.from_host = self.user.as_ref().map(|_| host_of(&self.domain));
        invite.routes.clone_from(&self.routes);
        if !self.session_timer {
            invite.session_expires = None;
        }
    }
}

/// A host as a URI shows it: an IPv6 address in brackets.
fn host_of(domain: &str) -> String {
    if domain.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{domain}]") } else { domain.to_owned() }
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) trunk: Trunk,
    pub(super) account: AccountId,
    /// The ways to its servers, the first choice first.
    pub(super) ways: Vec<Flow>,
    /// How its registration stands; none where it has none.
    pub(super) registration: Option<RegistrationState>,
    pub(super) routes: Vec<String>,
    pub(super) health: HealthState,
    /// What is wrong besides: a file that cannot be read, a realm, an address that is not found.
    pub(super) trouble: Option<String>,
    /// When the log last told of it.
    pub(super) told: Option<Instant>,
}

impl Known {
    /// Whether this address is one of its servers', or one that it calls from.
    pub(super) fn is_at(&self, peer: IpAddr) -> bool {
        self.addresses().contains(&peer.to_canonical()) || self.trunk.from.iter().any(|network| network.contains(peer))
    }

    /// How sound with it is to be.
    pub(super) fn sound(&self) -> SoundRules {
        let mut named = self.trunk.codecs.iter().filter_map(|name| CodecKind::named(name, 8_000));
        SoundRules { is_strict: self.trunk.strict_media, codecs: [named.next(), named.next()] }
    }

    pub(super) fn new(trunk: Trunk, account: AccountId) -> Self {
        let registration = trunk.register.then_some(RegistrationState::Trying);
        let (health, ways, routes) = (HealthState::Unknown, Vec::new(), Vec::new());
        Self { trunk, account, ways, registration, routes, health, trouble: None, told: None }
    }

    pub(super) fn credentials(&mut self) -> Option<Credentials> {
        let trunk = &self.trunk;
        let user = trunk.auth_user.as_ref().or(trunk.user.as_ref())?.clone();
        match secrets::read(trunk.secret_file.as_deref()?) {
            Ok(secret) => Some(Credentials { user, secret: Pii::new(secret), realms: trunk.realms.clone() }),
            Err(error) => {
                self.trouble = Some(error.to_string());
                None
            }
        }
    }

    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        self.ways.iter().map(|way| way.remote.ip()).collect()
    }

    pub(super) fn uses(&self, flow: Flow) -> bool {
        self.ways.iter().any(|way| way.is_same_way(flow))
    }

    /// Why no calls can go out by it; none when they can.
    fn why_down(&self) -> Option<String> {
        if self.ways.is_empty() {
            return Some(self.trouble.clone().unwrap_or_else(|| "its address is not known yet".to_owned()));
        }
        match &self.registration {
            Some(RegistrationState::Registered { .. }) | None => {}
            Some(RegistrationState::Trying) => return Some("it is not registered yet".to_owned()),
            Some(RegistrationState::Failed { trouble, .. }) => return Some(trouble.to_string()),
            Some(RegistrationState::Stopped) => return Some("this box is stopping".to_owned()),
        }
        match self.health {
            HealthState::Unknown | HealthState::Up => None,
            HealthState::Refusing => Some("it answers 503: it takes no calls now".to_owned()),
            HealthState::Down => Some("it does not answer: check server, its port and its transport, and the firewalls between".to_owned()),
        }
    }

    pub(super) fn ways(&self) -> Result<Vec<TrunkWay>, NoTrunkWay> {
        if let Some(why) = self.why_down() {
            return Err(NoTrunkWay::Down { trunk: self.trunk.name.clone(), why });
        }
        // A registrar expects calls over the flow of the registration (RFC 5626 §4.3), so that one comes first.
        let registered = match &self.registration {
            Some(RegistrationState::Registered { flow, .. }) => Some(*flow),
            _ => None,
        };
        let others = self.ways.iter().copied().filter(|way| Some(*way) != registered);
        let account = self.trunk.secret_file.is_some().then_some(self.account);
        let way = |flow| TrunkWay {
            flow,
            account,
            domain: self.trunk.domain.clone(),
            user: self.trunk.user.clone(),
            routes: self.routes.clone(),
            session_timer: self.trunk.session_timer,
        };
        Ok(registered.into_iter().chain(others).map(way).collect())
    }

    /// The word for how it stands, which `nightbell trunk list` shows.
    fn word(&self) -> &'static str {
        match (&self.registration, self.health) {
            (Some(RegistrationState::Trying), _) => "registering",
            (Some(RegistrationState::Failed { .. }), _) => "not registered",
            (Some(RegistrationState::Stopped), _) => "stopped",
            (_, HealthState::Down) => "down",
            (_, HealthState::Refusing) => "refusing",
            (Some(RegistrationState::Registered { .. }), _) => "registered",
            (None, HealthState::Up) => "up",
            (None, HealthState::Unknown) if self.ways.is_empty() => "not found",
            (None, HealthState::Unknown) => "not asked",
        }
    }

    pub(super) fn status(&self, now: Instant) -> Value {
        let mut status = json!({ "state": self.word(), "servers": self.ways.iter().map(|way| format!("{}:{}", way.transport, way.remote)).collect::<Vec<_>>() });
        let Value::Object(fields) = &mut status else { return status };
        match &self.registration {
            Some(RegistrationState::Registered { flow, until }) => {
                fields.insert("registered_at".to_owned(), json!(format!("{}:{}", flow.transport, flow.remote)));
                fields.insert("ends_in_s".to_owned(), json!((*until - now).as_secs()));
            }
            Some(RegistrationState::Failed { retry, .. }) => {
                fields.insert("next_try_in_s".to_owned(), json!((*retry - now).as_secs()));
            }
            _ => {}
        }
        if let Some(why) = self.trouble.clone().or_else(|| self.why_down()) {
            fields.insert("trouble".to_owned(), json!(why));
        }
        status
    }

    /// What is wrong, for the log: once when it begins or changes, then once a minute at most.
    pub(super) fn complain(&mut self, now: Instant, why: &str) {
        if self.told.is_none_or(|told| now - told >= std::time::Duration::from_mins(1)) {
            tracing::warn!(trunk = self.trunk.name, why, "a trunk is in trouble");
            self.told = Some(now);
        }
    }
}

/// The trunk of a call: all whose address it came from; of several the one whose user was dialled, or whose domain is named, or the first.
pub(super) fn of_arrival<'a>(all: &'a [Known], arrival: &Arrival) -> Option<&'a Known> {
    let from = arrival.flow.remote.ip();
    let is_from = |known: &&Known| known.is_at(from);
    let near: Vec<&Known> = all.iter().filter(is_from).collect();
    let dialled = arrival.request_user.expose();
    let by_user = || near.iter().find(|known| known.trunk.user.as_ref().is_some_and(|user| user == dialled));
    let names = |domain: &str| {
        let hosts = [&arrival.from.expose().host, &arrival.to.expose().host, &arrival.request_host];
        hosts.into_iter().any(|host| host.eq_ignore_ascii_case(domain))
    };
    let by_domain = || near.iter().find(|known| names(&known.trunk.domain));
    by_user().or_else(by_domain).or_else(|| near.first()).copied()
}
