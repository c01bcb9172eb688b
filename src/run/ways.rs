//! From where somebody is to the ways of calling them, the best first.

use super::house::House;
use super::trunks::TrunkWay;
use crate::config::{At, Context as Travels, Person, Reach};
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
    /// The number that we show there; none: the caller's.
    pub shows: Option<String>,
    /// The trunk whose caps it counts against; none where it is no trunk's.
    pub trunk: Option<String>,
    /// What that trunk wants of an INVITE.
    pub by: Option<TrunkWay>,
}

impl Way {
    fn plain(flow: Flow, target: String) -> Self {
        Self { flow, target, account: None, shows: None, trunk: None, by: None }
    }
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
    #[error("{0}")]
    NotCarried(String),
    /// None of those that would takes calls now.
    #[error("no trunk takes this call now: {0}")]
    TrunksDown(String),
}

impl NoWay {
    /// The SIP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoUri => 416,
            Self::Unresolved(_) | Self::NoListener(_) => 502,
            Self::NotRegistered(_) => 480,
            Self::NotCarried(_) => 403,
            Self::TrunksDown(_) => 503,
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
            Reach::Phone(phone) => self.ways_of_phone(phone),
            Reach::Number(number) => self.ways_of_number(number),
        }
    }

    /// Over the flow of its registration; the latest of several places comes first.
    fn ways_of_phone(&self, phone: &str) -> Result<Vec<Way>, NoWay> {
        let mut contacts = self.phone_book.contacts(phone);
        contacts.reverse();
        let ways: Vec<Way> = contacts.into_iter().map(|contact| Way::plain(contact.flow, contact.target)).collect();
        if ways.is_empty() { Err(NoWay::NotRegistered(phone.to_owned())) } else { Ok(ways) }
    }

    /// By the trunks that the dial plan names for this number, as far as they take calls now.
    fn ways_of_number(&self, number: &str) -> Result<Vec<Way>, NoWay> {
        let dialled = self.config.plan.book.read_from_inside(number);
        let carried = self.config.dial_plan.ways(&dialled).map_err(|refusal| NoWay::NotCarried(refusal.to_string()))?;
        let mut down = None;
        let mut ways = Vec::new();
        for carriage in carried {
            match self.trunks.ways(&carriage.trunk) {
                Err(why) => down = Some(why.to_string()),
                Ok(found) => ways.extend(found.into_iter().map(|found| Way {
                    flow: found.flow,
                    target: format!("sip:{}@{}{}", carriage.user, found.domain, found.flow.transport.uri_param()),
                    account: found.account,
                    shows: carriage.caller.clone().or_else(|| found.user.clone()),
                    trunk: Some(carriage.trunk.clone()),
                    by: Some(found),
                })),
            }
        }
        if ways.is_empty() { Err(NoWay::TrunksDown(down.unwrap_or_default())) } else { Ok(ways) }
    }

    async fn ways_of_uri(&self, text: &str) -> Result<Vec<Way>, NoWay> {
        Uri::parse(text.as_bytes()).filter(|uri| uri.is_callable() && !uri.host.is_empty()).ok_or(NoWay::NoUri)?;
        let mut ours: Vec<Transport> = self.wires.listening().iter().map(|listener| listener.transport).collect();
        ours.dedup();
        let places = self.resolver.places(text, &ours).await.map_err(|error| NoWay::Unresolved(error.to_string()))?;
        let target = text.split('?').next().unwrap_or(text);
        let flows = places.list.iter().filter_map(|place| {
            let flow = self.wires.local_flow(place.transport, place.address, None)?;
            if place.transport == Transport::Tls {
                self.wires.expect_name(place.address, &place.name);
            }
            Some(Way::plain(flow, target.to_owned()))
        });
        let ways: Vec<Way> = flows.take(PLACES_MAX).collect();
        let spoken = || places.list.first().map_or("udp", |place| place.transport.uri_name()).to_owned();
        if ways.is_empty() { Err(NoWay::NoListener(spoken())) } else { Ok(ways) }
    }
}

/// Servers of one URI that are tried.
const PLACES_MAX: usize = 4;

/// Digits from which on a user part is a number of the network and no extension of the house.
const NUMBER_DIGITS: usize = 7;
