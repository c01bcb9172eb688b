//! From SIP URIs to places, by NAPTR, SRV, A and AAAA; what was good last stays good while no name service answers. RFC 3263.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::address::ResolveError;
use crate::base::clock::Clock;
use crate::base::{Instant, Seed, limits};
use crate::sip::locate::{FirstStep, Naptr, Sought, Srv, by_weight};
use crate::sip::{Transport, Uri};

/// One server to try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// By what.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// The name that its certificate must have: the domain of the URI (RFC 5922 §4).
    pub name: String,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// In the order to try them.
    pub list: Vec<Place>,
    /// No name service answers: this was good last.
    pub stale: bool,
}

/// Servers and their addresses, before chance has put them in order.
type Found = Vec<(Transport, Vec<(Srv, Vec<IpAddr>)>)>;

/// What was found last, and until when asking again is no use.
struct Remembered {
    found: Found,
    pause_until: Option<Instant>,
}

/// Where the system says which name servers there are.
const SYSTEM: &str = "/etc/resolv.conf";

/// Asks the name service.
pub struct Resolver {
    service: Mutex<Service>,
    server: Option<SocketAddr>,
    clock: Clock,
    remembered: Mutex<HashMap<Sought, Remembered>>,
    seed: Mutex<Seed>,
}

/// A name service, and what the system's file looked like when it was read.
struct Service {
    resolver: TokioResolver,
    stamp: Stamp,
}

type Stamp = Option<(std::time::SystemTime, u64)>;

fn stamp() -> Stamp {
    std::fs::metadata(SYSTEM).ok().and_then(|data| Some((data.modified().ok()?, data.len())))
}

impl Service {
    fn open(server: Option<SocketAddr>) -> Result<Self, ResolveError> {
        let stamp = stamp();
        let with = |servers| ResolverConfig::from_parts(None, Vec::new(), servers);
        let alone = |config| TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let mut builder = match server {
            None => TokioResolver::builder_tokio().unwrap_or_else(|error| {
                tracing::warn!(%error, "no name service is configured in {SYSTEM}");
                alone(with(Vec::new()))
            }),
            Some(server) => {
                let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(|protocol| {
                    let mut connection = ConnectionConfig::new(protocol);
                    connection.port = server.port();
                    connection
                });
                alone(with(vec![NameServerConfig::new(server.ip(), true, connections.to_vec())]))
            }
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = Duration::from_millis(limits::DNS_ANSWER_MS_MAX);
        options.attempts = 2;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        let resolver = builder.build().map_err(|error| ResolveError::Setup { what: error.to_string() })?;
        Ok(Self { resolver, stamp })
    }
}

impl Resolver {
    /// One that asks as the system is configured, or this server alone. A system without a name service is no failure: it may get one.
    pub fn open(clock: Clock, seed: Seed, server: Option<SocketAddr>) -> Result<Self, ResolveError> {
        let service = Mutex::new(Service::open(server)?);
        Ok(Self { service, server, clock, remembered: Mutex::default(), seed: Mutex::new(seed) })
    }

    /// The name service as the system has it now: a network may come up, or be another one, while we run.
    fn service(&self) -> TokioResolver {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if self.server.is_none() && service.stamp != stamp() {
            match Service::open(None) {
                Ok(fresh) => *service = fresh,
                Err(error) => tracing::warn!(%error, "names are asked for as before"),
            }
        }
        service.resolver.clone()
    }

    /// The servers that `uri` means, in the order to try them, over `ours` alone.
    pub async fn places(&self, uri: &str, ours: &[Transport]) -> Result<Places, ResolveError> {
        let parsed = Uri::parse(uri.as_bytes());
        let sought = parsed.as_ref().and_then(Sought::of).ok_or_else(|| ResolveError::NoUri { uri: uri.to_owned() })?;
        let name = parsed.map(|uri| uri.host).unwrap_or_default();
        if let FirstStep::Known(transport, address) = sought.first_step() {
            return Ok(Places { list: vec![Place { transport, address, name }], stale: false });
        }
        if let Some(found) = self.while_paused(&sought) {
            return Ok(Places { list: self.in_order(found, &name), stale: true });
        }
        let outcome = tokio::time::timeout(Duration::from_millis(limits::DNS_WAIT_MS_MAX), self.ask(&sought, ours)).await;
        let late = || Err(ResolveError::Silent { host: sought.host.clone() });
        match outcome.unwrap_or_else(|_| late()) {
            Ok(found) => {
                self.remember(sought, found.clone());
                Ok(Places { list: self.in_order(found, &name), stale: false })
            }
            Err(error) => {
                let Some(found) = self.recall(&sought) else { return Err(error) };
                tracing::warn!(host = %sought.host, %error, "the addresses that were good last are used");
                Ok(Places { list: self.in_order(found, &name), stale: true })
            }
        }
    }

    async fn ask(&self, sought: &Sought, ours: &[Transport]) -> Result<Found, ResolveError> {
        let services = match sought.first_step() {
            FirstStep::Known(..) => return Ok(Vec::new()),
            FirstStep::Hosts(transport, port) => return self.host(sought, transport, port).await,
            FirstStep::Service(_) => sought.services(ours),
            FirstStep::Naptr => {
                let named = sought.services_of(&self.naptr(&sought.host).await, ours);
                if named.is_empty() { sought.services(ours) } else { named }
            }
        };
        let mut found = Vec::new();
        for (transport, name) in services {
            let mut servers = Vec::new();
            for srv in self.srv(&name).await?.into_iter().take(limits::DNS_PLACES_MAX) {
                let addresses = self.addresses(&srv.target).await.unwrap_or_default();
                servers.push((srv, addresses));
            }
            if !servers.is_empty() {
                found.push((transport, servers));
            }
        }
        if found.iter().flat_map(|(_, servers)| servers).any(|(_, addresses)| !addresses.is_empty()) {
            return Ok(found);
        }
        let (transport, port) = sought.last_step();
        self.host(sought, transport, port).await
    }

    /// The host itself, where nothing else says which servers there are.
    async fn host(&self, sought: &Sought, transport: Transport, port: u16) -> Result<Found, ResolveError> {
        let addresses = self.addresses(&sought.host).await?;
        if addresses.is_empty() {
            return Err(ResolveError::Nothing { host: sought.host.clone() });
        }
        Ok(vec![(transport, vec![(Srv { priority: 0, weight: 0, port, target: sought.host.clone() }, addresses)])])
    }

    async fn naptr(&self, host: &str) -> Vec<Naptr> {
        // Home routers refuse this type of question; that is the same as no record.
        let Ok(lookup) = self.service().lookup(rooted(host), RecordType::NAPTR).await else { return Vec::new() };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let records = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: text(&naptr.flags),
                service: text(&naptr.services),
                replacement: naptr.replacement.to_ascii(),
            }),
            _ => None,
        });
        records.take(limits::DNS_PLACES_MAX).collect()
    }

    async fn srv(&self, name: &str) -> Result<Vec<Srv>, ResolveError> {
        let lookup = match self.service().lookup(rooted(name), RecordType::SRV).await {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(failed(name, &error)),
        };
        let records = lookup.answers().iter().filter_map(|record| match &record.data {
            // A target of "." says that there is no such service (RFC 2782).
            RData::SRV(srv) if !srv.target.is_root() => {
                Some(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: srv.target.to_ascii() })
            }
            _ => None,
        });
        Ok(records.collect())
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        match self.service().lookup_ip(host).await {
            Ok(found) => {
                let mut all: Vec<IpAddr> = found.iter().take(limits::DNS_PLACES_MAX).collect();
                all.sort_by_key(IpAddr::is_ipv6);
                Ok(all)
            }
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(failed(host, &error)),
        }
    }

    fn in_order(&self, found: Found, name: &str) -> Vec<Place> {
        let mut seed = self.seed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = Vec::new();
        for (transport, servers) in found {
            for (srv, addresses) in by_weight(servers, &mut seed) {
                let places = addresses.into_iter().map(|ip| SocketAddr::new(ip, srv.port));
                list.extend(places.map(|address| Place { transport, address, name: name.to_owned() }));
            }
        }
        list.truncate(limits::DNS_PLACES_MAX);
        list
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<Sought, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, sought: Sought, found: Found) {
        let mut remembered = self.remembered();
        if remembered.len() >= limits::DNS_REMEMBERED_MAX && !remembered.contains_key(&sought) {
            remembered.clear();
        }
        remembered.insert(sought, Remembered { found, pause_until: None });
    }

    /// What was good last; for a while nobody is asked again, so that calls do not wait for a name service that is gone.
    fn recall(&self, sought: &Sought) -> Option<Found> {
        let until = self.clock.now() + Duration::from_millis(limits::DNS_PAUSE_MS);
        let mut remembered = self.remembered();
        let known = remembered.get_mut(sought)?;
        known.pause_until = Some(until);
        Some(known.found.clone())
    }

    fn while_paused(&self, sought: &Sought) -> Option<Found> {
        let now = self.clock.now();
        self.remembered().get(sought).filter(|known| known.pause_until.is_some_and(|until| now < until)).map(|known| known.found.clone())
    }
}

/// With the dot at its end, which keeps the search list of the system away from names that are whole.
fn rooted(name: &str) -> String {
    if name.ends_with('.') { name.to_owned() } else { format!("{name}.") }
}

fn failed(host: &str, error: &NetError) -> ResolveError {
    ResolveError::Failed { host: host.to_owned(), what: error.to_string() }
}

#[cfg(test)]
mod tests;
