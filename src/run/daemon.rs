//! Builds the house, opens its doors, and closes them again.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::Seed;
use crate::base::clock::{Clock, unix_millis};
use crate::call;
use crate::config::models::{ChooseError, Chosen};
use crate::config::{self, Config, Listener, Network};
use crate::net::{MediaPorts, Resolver, TlsFiles};
use crate::observe::trace::Trace;
use crate::sip::{Command, HostPort, Peer, Settings, Transport};
use crate::store::{MasterKey, Store, StoreError};

use super::control;
use super::desk::Front;
use super::doorman::Doorman;
use super::house::House;
use super::hub::{Hub, HubError};
use super::phones::PhoneBook;
use super::place::Order;
use super::plans::plans;
use super::roll::Roll;
use super::stock::Phrases;
use super::switchboard::{Desk, ORDERS_MAX, Switchboard};
use super::trunks::{self, Trunks, phone_settings};
use super::voice::fixed_clauses;
use super::wires::{WireSettings, Wires, WiresError};
use super::workers::{EngineSettings, Engines, ModelPaths, Threads};

/// How long calls in progress are given when the daemon stops.
const PARTING: Duration = Duration::from_secs(3);

/// When a trunk that asks while we stop may ask again, in seconds.
pub(super) const DRAIN_RETRY_S: u32 = 30;

/// How long the engines may take at start before the log says that the scripted flow answers meanwhile.
const ENGINES_WITHIN: Duration = Duration::from_secs(20);

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No models.
    #[error("{0}")]
    Models(#[from] ChooseError),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The signalling's sockets.
    #[error("{0}")]
    Wires(#[from] WiresError),
    /// The control socket.
    #[error("cannot open the control socket in {dir}: {error}")]
    Control {
        /// The data directory.
        dir: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The sound threads.
    #[error("{0}")]
    Sound(#[from] HubError),
    /// The status page.
    #[error("{0}")]
    Web(#[from] crate::web::WebError),
    /// The system gave no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Entropy(crate::base::entropy::NoEntropy),
    /// The name service.
    #[error("{0}")]
    Resolver(crate::net::ResolveError),
    /// The system gave no signals.
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
}

/// Where the daemon can be reached.
#[derive(Clone, Debug)]
pub struct Started {
    /// Every SIP listener.
    pub sip: Vec<Listener>,
    /// The status page.
    pub http: SocketAddr,
}

/// Runs until it is told to stop (SIGTERM or SIGINT). Prints `ready sip=ADDR http=ADDR listen=udp:ADDR,..` once all engines are up; calls are answered before that.
pub async fn run(config: Config) -> Result<(), RunError> {
    let clock = Clock::start();
    let config = Arc::new(config);
    let chosen = config::models::choose(&config)?;
    let data = config.store.data.clone();
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(std::path::PathBuf::from);
    let key = MasterKey::find_or_make(&data, credentials.as_deref())?;
    let store = Store::open(&data, &key, unix_millis())?;
    let (wires, arrived) = Wires::start(clock, wire_settings(&config)).await?;
    let control = control::bind(&data).map_err(|error| RunError::Control { dir: data.display().to_string(), error })?;
    let hub = Hub::start(clock)?;
    let engines = Engines::start(engine_settings(&config, &chosen), clock, data.clone()).await;
    let (orders_in, orders) = mpsc::channel(ORDERS_MAX);
    let (trunks, trunk_news) = Trunks::new(&config);
    let accounts = trunks.accounts();
    let house = Arc::new(build(&config, &chosen, clock, (store, engines, hub, wires.clone(), trunks), orders_in)?);
    eprintln!("{}", chosen.notice);

    let roll = Roll::default();
    let front = Front::new(Arc::clone(&house), roll.clone(), chosen.pack.clone(), chosen.notice.clone());
    let page = crate::web::bind(config.http.listen).await?;
    let http = page.local_addr().unwrap_or(config.http.listen);
    tokio::spawn(crate::web::serve(page, Arc::new(front.clone())));
    tokio::spawn(control::serve(control, Arc::new(front)));
    let sip = wires.listening().to_vec();
    let nonce_key = crate::base::entropy::bytes().map_err(RunError::Entropy)?;
    let key = crate::base::Secret::new(crate::base::entropy::bytes().map_err(RunError::Entropy)?);
    let settings = Settings { key, accounts, phones: phone_settings(&config, nonce_key), ..sip_settings(&config, &sip) };
    let desk = Desk { wires: wires.clone(), arrived, settings, roll: roll.clone() };
    let (switchboard, arrived) = Switchboard::new(Arc::clone(&house), Arc::clone(&config), desk);
    let switchboard = tokio::spawn(switchboard.run(arrived, orders));
    tokio::spawn(trunks::drive(Arc::clone(&house), Arc::clone(&config), Arc::clone(&house.resolver), trunk_news));
    tokio::spawn(reload_on_hangup(wires));
    let started = Started { sip, http };
    tokio::spawn(make_ready(Arc::clone(&house), Arc::clone(&config), started));
    stop_signal().await.map_err(RunError::Signals)?;
    part(&house, &roll).await;
    switchboard.abort();
    house.engines.stop().await;
    house.store.close().await?;
    Ok(())
}

fn peers(networks: &[Network]) -> impl Iterator<Item = Peer> {
    networks.iter().filter_map(|network| network.to_string().parse().ok())
}

fn wire_settings(config: &Config) -> WireSettings {
    let sip = &config.sip;
    let tls = sip.tls.as_ref().map_or_else(TlsFiles::default, |tls| TlsFiles {
        own: Some((tls.certificate.clone(), tls.key.clone())),
        client_ca: tls.client_ca.clone(),
        ca: tls.ca.clone(),
    });
    WireSettings { listen: sip.listen.clone(), tls, welcome: peers(&sip.trusted).chain(peers(&sip.phones_from)).collect() }
}

fn sip_settings(config: &Config, listening: &[Listener]) -> Settings {
    let udp = listening.iter().find(|listener| listener.transport == Transport::Udp).or(listening.first());
    let port = udp.map_or(5060, |listener| listener.address.port());
    let advertised = config.sip.advertised.map(|ip| HostPort { host: ip.to_string(), port });
    let trusted = peers(&config.sip.trusted).collect();
    let listens = listening.iter().map(|listener| (listener.transport, listener.address.port())).collect();
    let (user_agent, strangers) = (config.sip.user_agent.clone(), config.sip.strangers);
    Settings { user_agent, trusted, strangers, advertised, listens, hears_refer: true, ..Settings::default() }
}

/// SIGHUP: the certificates are read again. They are as well, without it, when their files change.
async fn reload_on_hangup(wires: Wires) {
    let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        match wires.reload_tls() {
            Ok(()) => tracing::info!("the certificates were read again"),
            Err(error) => tracing::error!(%error, "the old certificates stay"),
        }
    }
}

fn engine_settings(config: &Config, chosen: &Chosen) -> EngineSettings {
    let model = |path: &Path| Some(ModelPaths { model: path.to_owned() });
    let each = config.engines.threads.unwrap_or(0);
    EngineSettings {
        asr: model(&chosen.asr),
        llm: model(&chosen.llm),
        tts: model(&chosen.voice),
        threads: Threads { asr: each, llm: each, tts: each },
        no_phrase_cache: !config.engines.phrase_cache,
        bin_dir: None,
    }
}

type Parts = (Store, Engines, Hub, Wires, Trunks);

fn build(config: &Arc<Config>, chosen: &Chosen, clock: Clock, parts: Parts, switchboard: mpsc::Sender<Order>) -> Result<House, RunError> {
    let (store, engines, hub, wires, trunks) = parts;
    let entropy = crate::base::entropy::number().map_err(RunError::Entropy)?;
    Ok(House {
        clock,
        zone: config.business.zone.clone(),
        store,
        engines,
        hub,
        phrases: Phrases::default(),
        fixed: config.agents.values().map(|agent| (agent.name().to_owned(), Arc::new(fixed_clauses(&agent.fixed_sentences())))).collect(),
        ports: MediaPorts::new(config.media.ports.clone()),
        media_address: config.media.address,
        advertised: config.media.advertised,
        people: config.people.clone(),
        phones: config.phones.values().map(|phone| (phone.key.clone(), phone.user.clone())).collect(),
        config: Arc::clone(config),
        call_settings: call::Settings { style: chosen.prompt_style, people: Arc::new(plans(&config.people)), ..call::Settings::default() },
        doorman: Doorman::new(clock, config),
        trace: Trace::default(),
        trunks,
        phone_book: PhoneBook::new(config),
        wires,
        resolver: Arc::new(Resolver::open(clock, Seed::new(entropy).fork(3), None).map_err(RunError::Resolver)?),
        switchboard,
        entropy: AtomicU64::new(entropy),
    })
}

/// Waits for the engines, makes ready what can be made before the first call, and says so.
async fn make_ready(house: Arc<House>, config: Arc<Config>, started: Started) {
    while !house.engines.wait_ready(ENGINES_WITHIN).await {
        tracing::warn!("the engines are not up yet; calls are answered on the scripted flow meanwhile");
    }
    house.phrases.make(&house.engines, house.clock).await;
    warm(&house, &config).await;
    let all: Vec<String> = started.sip.iter().map(ToString::to_string).collect();
    let datagrams = started.sip.iter().filter(|listener| listener.transport == Transport::Udp);
    let sip: Vec<String> = datagrams.map(|listener| listener.address.to_string()).collect();
    let mut out = std::io::stdout().lock();
    // Whoever started us may have closed the pipe; that is no reason to stop answering.
    let _ = writeln!(out, "ready sip={} http={} listen={}", sip.join(","), started.http, all.join(","));
    let _ = out.flush();
}

/// The first call should not be the one that waits: prompt prefixes are computed and fixed sentences spoken once.
async fn warm(house: &House, config: &Config) {
    for agent in config.agents.values() {
        let kernel = crate::dialogue::Kernel::new(Arc::clone(agent), crate::dialogue::CallFacts::default());
        let ask = kernel.understanding(house.call_settings.style, "hello");
        let deadline = house.clock.now() + Duration::from_mins(1);
        let work = crate::engine::Understand {
            stream: crate::base::StreamId::default(),
            prefix: ask.prefix,
            prompt: ask.prompt,
            grammar: ask.grammar,
            max_tokens: ask.max_tokens,
            deadline,
        };
        if let Err(error) = house.engines.understand(work).await {
            tracing::warn!(agent = agent.name(), %error, "the prompt could not be computed ahead");
        }
    }
}

async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

/// Hangs up on everybody, and waits a little for their records.
async fn part(house: &House, roll: &Roll) {
    house.sip(Command::Drain { retry_after_s: DRAIN_RETRY_S }).await;
    house.trunks.part().await;
    for call in roll.sip_calls() {
        house.sip(Command::Hangup { call, reason: None }).await;
    }
    let deadline = house.clock.now() + PARTING;
    while !roll.is_empty() && house.clock.now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
