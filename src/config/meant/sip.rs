//! Signalling: listeners, trunks, and the business's own telephones.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::config::Network;
use crate::sip::digest::Offered;
use crate::sip::{Strangers, Transport};

/// Signalling.
#[derive(Clone, Debug)]
pub struct Sip {
    /// Where calls arrive.
    pub listen: Vec<Listener>,
    /// Who may call in without a password: trunks and PBXs.
    pub trusted: Vec<Network>,
    /// Where the business's own telephones may register from, each with its password.
    pub phones_from: Vec<Network>,
    /// What everybody else gets.
    pub strangers: Strangers,
    /// The address that callers see, when it is not the machine's own.
    pub advertised: Option<IpAddr>,
    /// What we call ourselves in `Server` and `User-Agent`.
    pub user_agent: String,
    /// The realm in the challenges to our own telephones.
    pub realm: String,
    /// Which challenges they get.
    pub digest: Offered,
    /// Certificates; none where nothing listens over TLS and no trunk needs a certificate of ours.
    pub tls: Option<Tls>,
}

/// Where calls arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listener {
    /// By what.
    pub transport: Transport,
    /// The address and port.
    pub address: SocketAddr,
}

impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.transport.uri_name(), self.address)
    }
}

/// Certificates, as PEM files. They are read again when they change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// Ours, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whose certificates callers must show; none: callers need no certificate.
    pub client_ca: Option<PathBuf>,
    /// Whom a trunk's certificate may come from, besides the system's authorities.
    pub ca: Option<PathBuf>,
}

/// A PBX or a provider that the box is joined to.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name in the configuration.
    pub name: String,
    /// The recipe that it started from.
    pub recipe: Option<String>,
    /// Where it is, the first choice first: a SIP URI without a user part (RFC 3263 finds the addresses).
    pub servers: Vec<String>,
    /// Whether we register there.
    pub register: bool,
    /// Our user name there: the extension, or the account's number.
    pub user: Option<String>,
    /// The name in credentials, where it is another one.
    pub auth_user: Option<String>,
    /// The file with the password; it is never in the configuration itself.
    pub secret_file: Option<PathBuf>,
    /// The domain in From, To and the registration.
    pub domain: String,
    /// The realms that our password may be used for. `*` is any, for a peer on a wire of one's own.
    pub realms: Vec<String>,
    /// How long a registration shall last, in seconds.
    pub expires_s: u64,
    /// Where it calls from, besides the addresses of its servers.
    pub from: Vec<Network>,
    /// The address that it is told.
    pub advertised: Advertised,
    /// The address of ours that it is spoken to from, where the machine has several.
    pub local: Option<IpAddr>,
    /// How often it is asked whether it is there, in seconds; none: never.
    pub options_s: Option<u64>,
    /// What it may use.
    pub caps: Caps,
    /// The number that calls out through it show.
    pub number: Option<String>,
    /// How it writes numbers.
    pub number_format: NumberFormat,
    /// Where the number that we show stands.
    pub caller_id: CallerId,
    /// How a caller who came by it is put through to a person.
    pub transfer: TransferBy,
    /// How what is known of a caller travels along.
    pub context: Context,
    /// Whether sessions are refreshed (RFC 4028).
    pub session_timer: bool,
    /// Whether provisional responses are acknowledged (RFC 3262).
    pub reliable_provisional: bool,
    /// The codecs, our first choice first; empty for all.
    pub codecs: Vec<String>,
    /// Whether sound is heard from the signalled address alone.
    pub strict_media: bool,
}

impl Trunk {
    /// Whether it calls from this address, as far as the configuration alone can tell: by `from`, or by a server that is written as an address.
    pub fn calls_from(&self, peer: IpAddr) -> bool {
        let host = |server: &String| {
            let rest = server.split_once(':').map_or(server.as_str(), |(_, rest)| rest);
            let rest = rest.split([';', '?']).next().unwrap_or_default();
            let bracketed = rest.strip_prefix('[').and_then(|rest| rest.split(']').next());
            bracketed.or_else(|| rest.split(':').next()).and_then(|host| host.parse::<IpAddr>().ok())
        };
        self.from.iter().any(|network| network.contains(peer))
            || self.servers.iter().filter_map(host).any(|known| known == peer.to_canonical())
    }
}

/// What a trunk may use. None is no limit but the box's own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caps {
    /// Calls at once, both ways.
    pub calls_max: Option<u64>,
    /// New calls within a second.
    pub calls_per_s_max: Option<u64>,
    /// Minutes of calls out a day.
    pub minutes_a_day_max: Option<u64>,
    /// What may be dialled through it: beginnings of numbers such as `+1`. Empty: nothing.
    pub destinations: Vec<String>,
}

/// The address that a trunk is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Advertised {
    /// The machine's own, or that of `[sip]`.
    #[default]
    Own,
    /// This one.
    Fixed(IpAddr),
    /// As a STUN server sees it.
    Stun(String),
    /// As the registrar sees it (RFC 3581).
    Registrar,
}

/// How a trunk writes numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NumberFormat {
    /// `+13125550188`.
    #[default]
    E164,
    /// `13125550188`.
    E164NoPlus,
    /// `3125550188`, and for other countries as dialled there.
    National,
    /// As the configuration has it.
    AsWritten,
}

/// Where the number that we show stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CallerId {
    /// In From alone.
    #[default]
    From,
    /// In P-Asserted-Identity (RFC 3325); From has the account.
    Asserted,
    /// In Remote-Party-ID, for older peers; From has the account.
    RemoteParty,
}

/// How a caller is put through to a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TransferBy {
    /// By REFER, and where the peer refuses that, by a bridge in the box.
    #[default]
    Auto,
    /// The peer does it (RFC 3515).
    Refer,
    /// The box does it, and stays in the way of the sound.
    Bridge,
}

/// How what is known of a caller travels along to the person's telephone or queue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Context {
    /// Not at all in the signalling.
    #[default]
    None,
    /// User-to-User (RFC 7433).
    UserToUser,
    /// A header of this name.
    Header(String),
}

/// A telephone of the business's own that registers here.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Its key in the configuration: `reception`.
    pub key: String,
    /// How it is spoken of.
    pub name: String,
    /// Its user name, and the extension by which other telephones dial it.
    pub user: String,
    /// The file with its password.
    pub secret_file: PathBuf,
    /// How many places it may be registered at.
    pub contacts_max: usize,
}
