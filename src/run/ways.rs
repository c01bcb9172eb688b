//! From where somebody is to the ways of calling them, the best first.

use std::net::SocketAddr;

use super::house::House;
use crate::config::{At, Context as Travels, Person, Reach};
use crate::net::{self, local_towards};
use crate::sip::{AccountId, Flow, Transport, Uri};

/// One way of calling somebody.
#[derive(Clone, Debug)]
pub struct Way {
    /// Over which flow.
    pub flow: Flow,
    /// The Request-URI.
    pub target: String,
    /// Whose credentials answer a challenge.
    pub account: Option<AccountId>,
}

/// Why there is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoWay {
    /// The URI is none that can be called.
    #[error("this is no URI that can be called: write sip:NAME@ADDRESS")]
    NoUri,
    /// The host has no address.
    #[error("{0}")]
    Unresolved(String),
    /// None of our listeners speaks that transport and family.
    #[error("no listener speaks {0}: add one to [sip] listen")]
    NoListener(String),
    /// The telephone is not registered.
    #[error("the telephone {0:?} is not registered now")]
    NotRegistered(String),
    /// No trunk carries that number.
    #[error("no trunk carries this number")]
    NoTrunk,
}

impl NoWay {
    /// The SIP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoUri => 416,
            Self::Unresolved(_) | Self::NoListener(_) => 502,
            Self::NotRegistered(_) => 480,
            Self::NoTrunk => 403,
        }
    }
}

impl House {
    /// Where `who` is: somebody of `[people]`, or whom a person named by a URI. A number is never called as it stands in a URI: it goes through the plan
    /// for numbers, so that nobody is relayed beyond it.
    pub fn reach(&self, who: &str) -> Option<(Reach, Travels)> {
        if let Some(Person { at: At::One(reach), context, .. }) = self.people.get(who) {
            return Some((reach.clone(), context.clone()));
        }
        let uri = Uri::parse(who.as_bytes())?;
        let user = uri.user.clone().unwrap_or_default();
        if let Some(phone) = self.phones.iter().find(|(_, extension)| **extension == user) {
            return Some((Reach::Phone(phone.0.clone()), Travels::None));
        }
        let digits = user.chars().filter(char::is_ascii_digit).count();
        let number = digits >= NUMBER_DIGITS && user.chars().all(|letter| letter.is_ascii_digit() || "+-.()".contains(letter));
        let reach = if number || uri.scheme == "tel" { Reach::Number(user) } else { Reach::Uri(who.to_owned()) };
        Some((reach, Travels::None))
    }

    /// The ways of calling somebody there, to be tried in this order.
    pub async fn ways(&self, reach: &Reach) -> Result<Vec<Way>, NoWay> {
        match reach {
            Reach::Uri(uri) => self.ways_of_uri(uri).await,
            Reach::Phone(phone) => Err(NoWay::NotRegistered(phone.clone())),
            Reach::Number(_) => Err(NoWay::NoTrunk),
        }
    }

    async fn ways_of_uri(&self, text: &str) -> Result<Vec<Way>, NoWay> {
        let uri = Uri::parse(text.as_bytes()).filter(|uri| uri.is_callable() && !uri.host.is_empty()).ok_or(NoWay::NoUri)?;
        let named = uri.params.iter().find(|(name, _)| name == "transport").and_then(|(_, value)| value.as_deref());
        let secure = uri.scheme == "sips";
        let transport = named.and_then(Transport::named).unwrap_or(if secure { Transport::Tls } else { Transport::Udp });
        let port = uri.port.unwrap_or(transport.default_port());
        let remote = net::resolve(&uri.host, port).await.map_err(|error| NoWay::Unresolved(error.to_string()))?;
        let flow = self.flow_towards(transport, remote).ok_or_else(|| NoWay::NoListener(transport.uri_name().to_owned()))?;
        let target = text.split('?').next().unwrap_or(text).to_owned();
        Ok(vec![Way { flow, target, account: None }])
    }

    /// The flow from our listener of that kind.
    pub fn flow_towards(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let fits = |(spoken, address): &&(Transport, SocketAddr)| {
            *spoken == transport && (address.is_ipv4() == remote.is_ipv4() || address.ip().is_unspecified() && address.is_ipv6())
        };
        let mut local = self.listeners.iter().find(fits)?.1;
        if local.ip().is_unspecified() {
            local.set_ip(local_towards(remote)?);
        }
        Some(Flow { transport, local, remote })
    }
}

/// Digits from which on a user part is a number of the network and no extension of the house.
const NUMBER_DIGITS: usize = 7;
