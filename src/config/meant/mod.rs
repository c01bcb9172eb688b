//! The configuration as meant: values that were checked.

mod routes;
mod sip;

pub use routes::Outbound;
pub use sip::{Advertised, CallerId, Caps, Context, Listener, NumberFormat, Phone, Sip, Tls, TransferBy, Trunk};

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::civil::Zone;
use crate::call::{Briefing, Order};
use crate::dialogue::{Agent, Hours};
use crate::route::{DialPlan, Plan};

/// Everything the daemon is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Whose telephone it is.
    pub business: Business,
    /// Signalling.
    pub sip: Sip,
    /// Sound.
    pub media: Media,
    /// The status page.
    pub http: Http,
    /// What is kept.
    pub store: Store,
    /// Recognition, language and speech.
    pub engines: Engines,
    /// The PBXs and providers that the box is joined to, by name.
    pub trunks: BTreeMap<String, Trunk>,
    /// The business's own telephones, by name.
    pub phones: BTreeMap<String, Phone>,
    /// Who takes a call that wants a person, by name.
    pub people: BTreeMap<String, Person>,
    /// The agents that the routes name; none where only the settings were read.
    pub agents: BTreeMap<String, Arc<Agent>>,
    /// Who answers what.
    pub plan: Plan,
    /// Which numbers may be called, and by which trunks.
    pub dial_plan: DialPlan,
    /// How agents call out; none: they do not.
    pub outbound: Option<Outbound>,
}

impl Config {
    /// Whether `peer` may call in.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.sip.trusted.iter().any(|network| network.contains(peer))
    }
}

/// Whose telephone it is.
#[derive(Clone, Debug)]
pub struct Business {
    /// The name, as spoken.
    pub name: String,
    /// The zone that its hours are meant in.
    pub zone: Zone,
}

/// Sound.
#[derive(Clone, Debug)]
pub struct Media {
    /// Where it arrives.
    pub address: IpAddr,
    /// The address that callers see, when it is not the machine's own; the signalling's where none is written here.
    pub advertised: Option<IpAddr>,
    /// The ports, the first one even.
    pub ports: RangeInclusive<u16>,
}

/// The status page.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where it is; an address of this machine only.
    pub listen: SocketAddr,
}

/// What is kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// The data directory.
    pub data: PathBuf,
    /// Whether sound is kept.
    pub recording: bool,
}

/// Recognition, language and speech.
#[derive(Clone, Debug)]
pub struct Engines {
    /// Which models.
    pub pack: PackChoice,
    /// A folder to look for models in, before the usual ones.
    pub models: Option<PathBuf>,
    /// Threads for all three together; none: as many as there are cores.
    pub threads: Option<u16>,
    /// Whether known sentences are spoken from disk.
    pub phrase_cache: bool,
}

/// Which models to use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PackChoice {
    /// The best that are installed and fit the machine.
    Auto,
    /// This pack and no other.
    Named(String),
}

/// Who takes a call that wants a person.
#[derive(Clone, Debug)]
pub struct Person {
    /// How the agent speaks of them: "the office".
    pub name: String,
    /// Where to reach them.
    pub at: At,
    /// How long it may ring.
    pub ring: Duration,
    /// When somebody is there; none: always.
    pub hours: Option<Hours>,
    /// What they hear before they have the caller.
    pub briefing: Briefing,
    /// How a caller gets there.
    pub transfer: TransferBy,
    /// How what is known of the caller travels along in the signalling.
    pub context: Context,
}

/// Where a person is, or who stands for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum At {
    /// One telephone.
    One(Reach),
    /// Several people.
    Group {
        /// Their names under `[people]`.
        people: Vec<String>,
        /// In which order they are rung.
        order: Order,
    },
}

/// Where one telephone is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    /// A SIP URI.
    Uri(String),
    /// A telephone that registers here, by its key under `[phones]`.
    Phone(String),
    /// A number, through a trunk.
    Number(String),
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(Reach::Uri(uri)) => f.write_str(uri),
            Self::One(Reach::Phone(phone)) => write!(f, "the telephone {phone:?}"),
            Self::One(Reach::Number(number)) => f.write_str(number),
            Self::Group { people, order: Order::Together } => write!(f, "{} together", people.join(", ")),
            Self::Group { people, order: Order::InTurn } => write!(f, "{} in turn", people.join(", ")),
        }
    }
}
