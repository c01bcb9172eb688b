//! The task that keeps trunks registered and asks whether they are there. It decides nothing: `sip::register` and `sip::Health` do.

use std::sync::Arc;
use std::time::Duration;

use super::{FIRST_PROBE, News, TrunkNews, Trunks};
use crate::base::{Instant, sha256};
use crate::config::{Advertised, Config, Trunk};
use crate::net::Resolver;
use crate::run::house::House;
use crate::sip::register::{Learns, Outbound, Registration, RegistrationId, RegistrationOutput, RegistrationSettings, RegistrationState};
use crate::sip::{AccountId, Command, Flow, Health, HealthOutput, HealthState, HostPort, Peer, Probe, Transport};

/// How often the servers' names are looked up again.
const LOOK_EVERY: Duration = Duration::from_mins(2);
/// How soon after a look that found nothing.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long a stop may take.
const PARTING: Duration = Duration::from_secs(5);

/// The machines of one trunk.
struct Machines {
    trunk: Trunk,
    registration: Option<Registration>,
    health: Option<Health>,
    look: Option<Instant>,
    is_looking: bool,
    ways: Vec<Flow>,
}

struct Driver {
    house: Arc<House>,
    config: Arc<Config>,
    trunks: Trunks,
    resolver: Arc<Resolver>,
    all: Vec<Machines>,
    trusted: Vec<Peer>,
    stopping: Option<tokio::sync::oneshot::Sender<()>>,
    give_up: Option<Instant>,
}

/// Keeps every trunk of `config` until it is told to stop.
pub async fn drive(house: Arc<House>, config: Arc<Config>, resolver: Arc<Resolver>, news: TrunkNews) {
    let trunks = house.trunks.clone();
    let all: Vec<Machines> =
        config.trunks.values().zip(1..).map(|(trunk, account)| Machines::new(&house, &config, trunk, account)).collect();
    let mut driver = Driver { house, config, trunks, resolver, all, trusted: Vec::new(), stopping: None, give_up: None };
    let mut news = news.0;
    loop {
        driver.drain().await;
        if driver.is_done() {
            return;
        }
        let due = driver.poll_deadline().map(|at| driver.house.clock.to_std(at));
        let timer = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = news.recv() => match told {
                Some(told) => driver.take(told),
                None => return,
            },
            () = timer => driver.handle_timeout(),
        }
    }
}

impl Machines {
    fn new(house: &House, config: &Config, trunk: &Trunk, number: u16) -> Self {
        let mut seed = house.seed();
        let now = house.clock.now();
        let user = trunk.user.clone().unwrap_or_default();
        let settings = RegistrationSettings {
            id: RegistrationId(number),
            account: AccountId(number),
            domain: trunk.domain.clone(),
            user: user.clone(),
            contact_user: user,
            expires_s: u32::try_from(trunk.expires_s).unwrap_or(600),
            learns: if trunk.advertised == Advertised::Registrar { Learns::Address } else { Learns::Nothing },
            outbound: Outbound::Stated,
            instance: instance(&config.store.data, &trunk.name),
        };
        let registration = trunk.register.then(|| Registration::new(settings, seed.fork(1)));
        let health = trunk.options_s.map(|seconds| Health::new(Duration::from_secs(seconds), seed.fork(2)));
        Self { trunk: trunk.clone(), registration, health, look: Some(now), is_looking: false, ways: Vec::new() }
    }

    fn deadlines(&self) -> impl Iterator<Item = Instant> {
        let registration = self.registration.as_ref().and_then(Registration::poll_deadline);
        [registration, self.health.as_ref().and_then(Health::poll_deadline), self.look].into_iter().flatten()
    }

    /// The way that calls go now.
    fn way(&self) -> Option<Flow> {
        let registered = self.registration.as_ref().and_then(|registration| match registration.state() {
            RegistrationState::Registered { flow, .. } => Some(*flow),
            _ => None,
        });
        registered.or_else(|| self.ways.first().copied())
    }

    fn set_ways(&mut self, now: Instant, ways: Vec<Flow>) {
        self.ways.clone_from(&ways);
        if let Some(registration) = &mut self.registration {
            registration.handle_ways(now, ways);
        }
        let way = self.way();
        if let Some(health) = &mut self.health {
            health.handle_way(now, way);
        }
    }
}

impl Driver {
    fn poll_deadline(&self) -> Option<Instant> {
        self.all.iter().flat_map(Machines::deadlines).chain(self.give_up).min()
    }

    fn is_done(&mut self) -> bool {
        let over = self.all.iter().all(|one| one.registration.as_ref().is_none_or(Registration::is_over));
        let late = self.give_up.is_some_and(|at| at <= self.house.clock.now());
        if self.stopping.is_none() || !(over || late) {
            return false;
        }
        if let Some(done) = self.stopping.take() {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
        true
    }

    fn take(&mut self, news: News) {
        let now = self.house.clock.now();
        match news {
            News::Registered(answer) => {
                if let Some(registration) = self.at(answer.id.0).and_then(|one| one.registration.as_mut()) {
                    registration.handle_answer(now, &answer);
                }
                self.look_at_health(now);
            }
            News::Probed(probe, status) => {
                let place = usize::try_from(probe.0 - FIRST_PROBE).unwrap_or(usize::MAX);
                if let Some(health) = self.all.get_mut(place).and_then(|one| one.health.as_mut()) {
                    health.handle_answer(now, status);
                }
            }
            News::Unauthorised(account, trouble) => {
                let Some(account) = account else {
                    tracing::warn!(%trouble, "a call was asked for a password");
                    return;
                };
                let mut all = self.trunks.lock();
                if let Some(known) = all.iter_mut().find(|known| known.account == account) {
                    known.complain(now, &trouble.to_string());
                    if known.registration.is_none() {
                        known.trouble = Some(trouble.to_string());
                    }
                }
            }
            News::Lost(flow) => {
                self.all.iter_mut().filter_map(|one| one.registration.as_mut()).for_each(|one| one.handle_lost(now, flow));
            }
            News::Moved(peer) => self.on_moved(now, peer),
            News::Found(place, found) => self.on_found(now, place, found),
            News::Stop(done) => {
                self.stopping = Some(done);
                self.give_up = Some(now + PARTING);
                for one in &mut self.all {
                    (one.look, one.health) = (None, None);
                    if let Some(registration) = &mut one.registration {
                        registration.stop(now);
                    }
                }
            }
        }
    }

    /// The machines of a registration or account.
    fn at(&mut self, number: u16) -> Option<&mut Machines> {
        self.all.get_mut(usize::from(number.checked_sub(1)?))
    }

    fn look_at_health(&mut self, now: Instant) {
        for one in &mut self.all {
            let way = one.way();
            if let Some(health) = &mut one.health {
                health.handle_way(now, way);
            }
        }
    }

    /// Our address towards a server is another one: the ways from the new one are registered.
    fn on_moved(&mut self, now: Instant, peer: std::net::SocketAddr) {
        for place in 0..self.all.len() {
            let Some(one) = self.all.get_mut(place).filter(|one| one.ways.iter().any(|way| way.remote == peer)) else { continue };
            let local = one.trunk.local;
            let again = |way: &Flow| self.house.wires.local_flow(way.transport, way.remote, local).unwrap_or(*way);
            let ways: Vec<Flow> = one.ways.iter().map(again).collect();
            if ways == one.ways {
                if let Some(registration) = &mut one.registration {
                    registration.handle_moved();
                }
            } else {
                one.set_ways(now, ways);
            }
        }
    }

    fn on_found(&mut self, now: Instant, place: usize, found: Result<Vec<Flow>, String>) {
        let Some(one) = self.all.get_mut(place) else { return };
        one.is_looking = false;
        let (found, trouble) = match found {
            Ok(found) => (found, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        one.look = Some(now + if found.is_empty() { LOOK_AGAIN } else { LOOK_EVERY });
        if found.is_empty() && !one.ways.is_empty() {
            // What was good last stays good.
            return;
        }
        // Chance puts servers of one weight in another order each time (RFC 2782): that alone is no news, and the way in use stays.
        let is_same = found.len() == one.ways.len() && found.iter().all(|way| one.ways.contains(way));
        let found = if is_same { one.ways.clone() } else { found };
        let addresses: Vec<_> = found.iter().map(|way| way.remote.ip().to_canonical()).collect();
        self.house.doorman.learn(&one.trunk.name, &addresses);
        if let Some(known) = self.trunks.lock().get_mut(place) {
            known.ways.clone_from(&found);
            if trouble.is_some() || known.credentials().is_some() || known.trunk.secret_file.is_none() {
                known.trouble.clone_from(&trouble);
            }
            if let Some(trouble) = &trouble {
                known.complain(now, trouble);
            }
        }
        one.set_ways(now, found);
    }

    fn handle_timeout(&mut self) {
        let now = self.house.clock.now();
        for place in 0..self.all.len() {
            let Some(one) = self.all.get_mut(place) else { continue };
            if let Some(registration) = &mut one.registration {
                registration.handle_timeout(now);
            }
            if let Some(health) = &mut one.health {
                health.handle_timeout(now);
            }
            if one.look.is_some_and(|at| at <= now) {
                one.look = None;
                if !std::mem::replace(&mut one.is_looking, true) {
                    let (house, resolver) = (Arc::clone(&self.house), Arc::clone(&self.resolver));
                    tokio::spawn(look(house, resolver, place, one.trunk.clone()));
                }
            }
        }
    }

    async fn drain(&mut self) {
        self.trust().await;
        for place in 0..self.all.len() {
            self.drain_registration(place).await;
            self.drain_health(place).await;
        }
    }

    async fn drain_registration(&mut self, place: usize) {
        let house = Arc::clone(&self.house);
        while let Some(output) = self.all.get_mut(place).and_then(|one| one.registration.as_mut()?.poll_output()) {
            match output {
                RegistrationOutput::Register(register) => house.sip(Command::Register(register)).await,
                RegistrationOutput::Advertise(flow, host) => {
                    house.sip(Command::Advertise { peer: Peer::from(flow.remote.ip()), host: Some(host) }).await;
                }
                RegistrationOutput::Changed => self.show(place),
            }
        }
    }

    /// Shows the state of a registration to those who look, and keeps its flow open while it stands.
    fn show(&mut self, place: usize) {
        let Some(registration) = self.all.get(place).and_then(|one| one.registration.as_ref()) else { return };
        let now = self.house.clock.now();
        let (state, routes) = (registration.state().clone(), registration.service_routes().to_vec());
        let mut all = self.trunks.lock();
        let Some(known) = all.get_mut(place) else { return };
        let flow_of = |state: &RegistrationState| if let RegistrationState::Registered { flow, .. } = state { Some(*flow) } else { None };
        let (before, after) = (known.registration.as_ref().and_then(flow_of), flow_of(&state));
        if before != after {
            if let Some(flow) = before {
                self.house.wires.release(flow);
            }
            if let Some(flow) = after {
                self.house.wires.keep(flow);
            }
        }
        match &state {
            RegistrationState::Registered { flow, .. } if before.is_none() => {
                tracing::info!(trunk = known.trunk.name, server = %flow.remote, "registered");
                known.told = None;
            }
            RegistrationState::Failed { trouble, .. } => known.complain(now, &trouble.to_string()),
            _ => {}
        }
        known.registration = Some(state);
        known.routes = routes;
    }

    async fn drain_health(&mut self, place: usize) {
        let house = Arc::clone(&self.house);
        while let Some((output, domain)) =
            self.all.get_mut(place).and_then(|one| Some((one.health.as_mut()?.poll_output()?, one.trunk.domain.clone())))
        {
            match output {
                HealthOutput::Ask(flow) => {
                    let probe = Probe(FIRST_PROBE + u64::try_from(place).unwrap_or(0));
                    house.sip(Command::Options { probe, flow, target: format!("sip:{domain}{}", flow.transport.uri_param()) }).await;
                }
                HealthOutput::Changed(state) => {
                    let now = house.clock.now();
                    let mut all = self.trunks.lock();
                    let Some(known) = all.get_mut(place) else { continue };
                    known.health = state;
                    match state {
                        HealthState::Up => {
                            tracing::info!(trunk = known.trunk.name, "up");
                            known.told = None;
                        }
                        HealthState::Down => known.complain(now, "it does not answer OPTIONS any more"),
                        HealthState::Refusing => known.complain(now, "it answers OPTIONS with 503"),
                        HealthState::Unknown => {}
                    }
                }
            }
        }
    }

    /// Lets the endpoint and the wires know whom to believe: those of the configuration, and every server that was found.
    async fn trust(&mut self) {
        let sip = &self.config.sip;
        let from = self.all.iter().flat_map(|one| one.trunk.from.iter());
        let mut peers: Vec<Peer> = sip.trusted.iter().chain(from).filter_map(|network| network.to_string().parse().ok()).collect();
        peers.extend(self.trunks.addresses().into_iter().map(Peer::from));
        if peers == self.trusted {
            return;
        }
        self.trusted.clone_from(&peers);
        let phones = sip.phones_from.iter().filter_map(|network| network.to_string().parse().ok());
        self.house.wires.set_welcome(peers.iter().copied().chain(phones).collect());
        let (without_timers, without_reliable) =
            (self.peers_of(|trunk| !trunk.session_timer), self.peers_of(|trunk| !trunk.reliable_provisional));
        self.house.sip(Command::Trust { peers, without_timers, without_reliable }).await;
    }

    /// The addresses of the trunks of this kind, found and listed.
    fn peers_of(&self, kind: fn(&Trunk) -> bool) -> Vec<Peer> {
        let of_kind = self.all.iter().filter(|one| kind(&one.trunk));
        let found = of_kind.clone().flat_map(|one| one.ways.iter()).map(|way| Peer::from(way.remote.ip()));
        let listed = of_kind.flat_map(|one| one.trunk.from.iter()).filter_map(|network| network.to_string().parse().ok());
        found.chain(listed).collect()
    }
}

/// The UUID of this box with one registrar: the same after every start, and another on every machine (RFC 5626 §4.1, RFC 9562 §5.8).
fn instance(data: &std::path::Path, trunk: &str) -> String {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let place = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let digits = sha256::hex(&sha256::of(format!("{machine}|{}|{trunk}", place.display()).as_bytes()));
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default().to_owned();
    format!("{}-{}-8{}-a{}-{}", part(0..8), part(8..12), part(12..15), part(15..18), part(18..30))
}

/// Looks a trunk's servers up, and tells which address of ours each shall see.
async fn look(house: Arc<House>, resolver: Arc<Resolver>, place: usize, trunk: Trunk) {
    let ours = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let (mut ways, mut trouble) = (Vec::new(), None);
    for server in &trunk.servers {
        match resolver.places(server, &ours).await {
            Ok(places) => {
                for found in places.list {
                    let Some(flow) = house.wires.local_flow(found.transport, found.address, trunk.local) else {
                        trouble = Some(format!(
                            "nothing of ours speaks {} to {}: add a listener to [sip] listen",
                            found.transport, found.address
                        ));
                        continue;
                    };
                    if found.transport == Transport::Tls {
                        house.wires.expect_name(found.address, &found.name);
                    }
                    advertise(&house, &resolver, &trunk, flow).await;
                    ways.push(flow);
                }
            }
            Err(error) => trouble = Some(format!("{server} is not found: {error}; check server")),
        }
    }
    let found = if ways.is_empty() { Err(trouble.unwrap_or_else(|| "no server is found: check server".to_owned())) } else { Ok(ways) };
    house.trunks.push(News::Found(place, found));
}

/// The address of ours that the configuration, or a STUN server, says this server shall be told.
async fn advertise(house: &House, resolver: &Resolver, trunk: &Trunk, flow: Flow) {
    let host = match &trunk.advertised {
        Advertised::Own | Advertised::Registrar => return,
        Advertised::Fixed(ip) => HostPort { host: ip.to_string(), port: flow.local.port() },
        Advertised::Stun(server) => {
            let uri = if server.contains(':') { format!("sip:{server}") } else { format!("sip:{server}:{}", crate::net::STUN_PORT) };
            let places = resolver.places(&uri, &[Transport::Udp]).await;
            let Some(mirror) = places.ok().and_then(|places| places.list.first().map(|place| place.address)) else {
                tracing::warn!(trunk = trunk.name, server, "the STUN server is not found");
                return;
            };
            house.wires.mirror(flow.remote, mirror);
            let Some(seen) = house.wires.public_address(mirror).await else {
                tracing::warn!(trunk = trunk.name, server, "the STUN server does not answer");
                return;
            };
            HostPort::from(seen)
        }
    };
    house.sip(Command::Advertise { peer: Peer::from(flow.remote.ip()), host: Some(host) }).await;
}
