//! What every call of the daemon shares.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::base::Seed;
use crate::base::civil::Zone;
use crate::base::clock::Clock;
use crate::call;
use crate::config::{Config, Listener, Person};
use crate::dialogue::{Agent, CallFacts};
use crate::net::{MediaPorts, Resolver, local_towards};
use crate::observe::trace::Trace;
use crate::sdp::CodecKind;
use crate::sip::{Command, Flow};
use crate::store::Store;

use super::doorman::Doorman;
use super::hub::Hub;
use super::phones::PhoneBook;
use super::place::Order;
use super::stock::Phrases;
use super::trunks::Trunks;
use super::wires::Wires;
use super::workers::Engines;

/// Shared by every call.
pub struct House {
    /// The daemon's clock.
    pub clock: Clock,
    /// The business's time zone.
    pub zone: Zone,
    /// The database.
    pub store: Store,
    /// The three workers.
    pub engines: Engines,
    /// The sound threads.
    pub hub: Hub,
    /// What can be said with every engine dead.
    pub phrases: Phrases,
    /// What each agent says in the same words in every call, clause by clause as spoken.
    pub fixed: BTreeMap<String, Arc<HashSet<String>>>,
    /// Ports for sound.
    pub ports: MediaPorts,
    /// Where sound arrives; unspecified for "wherever the call came in".
    pub media_address: IpAddr,
    /// What callers are told instead, behind NAT.
    pub advertised: Option<IpAddr>,
    /// Who takes calls, by the door's name.
    pub people: BTreeMap<String, Person>,
    /// The business's own telephones: their extensions, by their names.
    pub phones: BTreeMap<String, String>,
    /// How patient a call is.
    pub call_settings: call::Settings,
    /// What each trunk may use, and who was kept out.
    pub doorman: Doorman,
    /// The messages of the last calls, for their owner.
    pub trace: Trace,
    /// The PBXs and providers that the box is joined to.
    pub trunks: Trunks,
    /// Where the business's own telephones are.
    pub phone_book: PhoneBook,
    /// What the signalling speaks over.
    pub wires: Wires,
    /// From names to addresses.
    pub resolver: Arc<Resolver>,
    /// As the owner wrote it.
    pub config: Arc<Config>,
    /// Orders to the signalling.
    pub switchboard: mpsc::Sender<Order>,
    /// Randomness for everything that must not be guessed from outside.
    pub entropy: AtomicU64,
}

/// An address of ours on the way to a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ours {
    /// The one that the system has.
    pub local: IpAddr,
    /// The one that the peer is told instead.
    pub told: Option<IpAddr>,
    /// How sound with that peer is to be.
    pub sound: SoundRules,
}

/// What the configuration says of sound with a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SoundRules {
    /// Whether packets from the signalled address alone are heard.
    pub is_strict: bool,
    /// The codecs, the first choice first; none is all of ours.
    pub codecs: [Option<CodecKind>; 2],
}

impl Ours {
    /// What the peer is told.
    pub fn shown(self) -> IpAddr {
        self.told.unwrap_or(self.local)
    }
}

/// The first entry of a call's journal: what replaying it needs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Opened {
    /// The agent's name.
    pub agent: String,
    /// The digest of its files.
    pub agent_version: String,
    /// The program's version.
    pub program: String,
    /// Digests of the models in use, by engine.
    pub models: BTreeMap<String, String>,
    /// How patient the call was.
    pub settings: call::Settings,
    /// What was known when it arrived.
    pub facts: CallFacts,
}

impl House {
    /// Orders something of the signalling.
    pub async fn sip(&self, command: Command) {
        if self.switchboard.send(Order::Sip(command)).await.is_err() {
            tracing::error!("the switchboard is gone");
        }
    }

    /// Where sound of a call on this flow arrives, and what its peer is told of that.
    pub fn ours(&self, flow: Flow) -> Ours {
        let local = flow.local.ip();
        let local = if local.is_unspecified() { local_towards(flow.remote).unwrap_or(local) } else { local };
        Ours { local, told: self.wires.told(flow.remote.ip()).or(self.advertised), sound: self.trunks.sound(flow.remote.ip()) }
    }

    /// Where a socket for sound is bound that arrives at `local`: at every address where the signalling is as well, so that a call survives
    /// a change of ours.
    pub fn media_bind(&self, local: IpAddr) -> IpAddr {
        let everywhere = |listener: &&Listener| listener.address.ip().is_unspecified() && listener.address.is_ipv4() == local.is_ipv4();
        if !self.media_address.is_unspecified() {
            self.media_address
        } else if let Some(listener) = self.wires.listening().iter().find(everywhere) {
            listener.address.ip()
        } else {
            local
        }
    }

    /// A seed that nobody outside can know.
    pub fn seed(&self) -> Seed {
        let mut mixed = Seed::new(self.entropy.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed));
        Seed::new(mixed.next_u64() ^ self.clock.now().as_micros())
    }

    /// What the journal of a call begins with.
    pub fn opened(&self, agent: &Arc<Agent>, settings: &call::Settings, facts: &CallFacts) -> Opened {
        let models = self.engines.status().into_iter().map(|worker| (worker.kind.to_string(), worker.digest));
        Opened {
            agent: agent.name().to_owned(),
            agent_version: agent.version().to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            models: models.collect(),
            settings: settings.clone(),
            facts: facts.clone(),
        }
    }
}
