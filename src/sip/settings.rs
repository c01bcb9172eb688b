//! What the endpoint is told once, at its making.

use super::digest::Credentials;
use super::{AccountId, HostPort, Peer, Phones, Transport};
use crate::base::{Secret, limits};

/// What somebody gets who is neither known nor in a network of the desk phones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strangers {
    /// Nothing: a scanner does not even learn that somebody is here.
    #[default]
    Silence,
    /// The same 403 whatever it asks, at a pace that makes no mirror of us.
    Refuse,
}

/// The settings of an [`super::Endpoint`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Server and User-Agent headers.
    pub user_agent: String,
    /// What nobody else knows: tags, branches and Call-IDs cannot be guessed by whoever does not have it.
    pub key: Secret<[u8; 32]>,
    /// Who is listened to. Anybody else gets what `strangers` says.
    pub trusted: Vec<Peer>,
    /// Who we are with each PBX and provider that asks for a password.
    pub accounts: Vec<(AccountId, Credentials)>,
    /// The business's own telephones; none: nobody registers here.
    pub phones: Option<Phones>,
    /// What strangers get.
    pub strangers: Strangers,
    /// What Via and Contact say, where it is not the local address of the flow.
    pub advertised: Option<HostPort>,
    /// What Via and Contact say to some peers alone, such as a trunk beyond a NAT of its own; the first that fits counts.
    pub advertised_to: Vec<(Peer, HostPort)>,
    /// Where we listen, by transport: a request may leave its call's transport only for one of these.
    pub listens: Vec<(Transport, u16)>,
    /// The user part of our Contact.
    pub contact_user: String,
    /// Calls at once. More are refused with 486.
    pub calls_max: usize,
    /// Whether a REFER is handed up as [`super::Event::Referred`]; otherwise it is declined with 603.
    pub hears_refer: bool,
    /// Headers of an INVITE that [`super::Arrival::headers`] hands up, such as `X-Department`.
    pub headers_heard: Vec<String>,
    /// How long a session may go on unrefreshed where we say so, in seconds (RFC 4028).
    pub session_expires_s: u32,
    /// The shortest such time that we take, in seconds; a caller that wants less gets 422.
    pub session_min_s: u32,
    /// Peers that do not bear session timers: neither asked for nor granted.
    pub no_session_timers: Vec<Peer>,
    /// Peers that stumble over reliable provisional responses (RFC 3262): neither offered nor sent unless they insist.
    pub no_reliable: Vec<Peer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            user_agent: "Nightbell".to_owned(),
            key: Secret::new([0; 32]),
            trusted: Vec::new(),
            accounts: Vec::new(),
            phones: None,
            strangers: Strangers::Silence,
            advertised: None,
            advertised_to: Vec::new(),
            listens: Vec::new(),
            contact_user: "nightbell".to_owned(),
            calls_max: limits::SIP_CALLS_MAX,
            hears_refer: false,
            headers_heard: Vec::new(),
            session_expires_s: limits::SIP_SESSION_EXPIRES_S,
            session_min_s: limits::SIP_SESSION_MIN_S,
            no_session_timers: Vec::new(),
            no_reliable: Vec::new(),
        }
    }
}
