//! From where somebody is to the ways of calling them, the best first.

use bytes::Bytes;

use super::house::House;
use super::trunks::TrunkWay;
use crate::base::Pii;
use crate::config::{At, CallerId, Context as Travels, Person, Reach, Trunk};
use crate::route::Carriage;
use crate::sip::{AccountId, Flow, Invite, Party, Transport, Uri};

/// One way of calling somebody.
#[derive(Clone, Debug)]
pub struct Way {
    /// Over which flow.
    pub flow: Flow,
    /// The Request-URI.
    pub target: String,
    /// Whose credentials answer a challenge.
    pub account: Option<AccountId>,
    /// The trunk that carries it, with how it wants to see who calls.
    pub trunk: Option<ByTrunk>,
}

/// A way over a trunk.
#[derive(Clone, Debug)]
pub struct ByTrunk {
    /// Its name.
    pub name: String,
    /// The number that we show.
    pub shown: Option<String>,
    /// Where that number stands.
    pub stands: CallerId,
    /// Our user name there.
    pub user: Option<String>,
    /// The domain of both.
    pub domain: String,
    /// What it wants of an INVITE besides; none while it seems to be down.
    pub wants: Option<TrunkWay>,
}

impl Way {
    /// An INVITE that goes this way, with the caller where the trunk looks for it; `from` shows where no trunk says otherwise.
    pub fn invite(&self, offer: Bytes, from: &str) -> Invite {
        let mut invite = Invite::new(self.flow, self.target.clone(), offer);
        invite.account = self.account;
        from.clone_into(&mut invite.from_user);
        let Some(trunk) = &self.trunk else { return invite };
        if let Some(wants) = &trunk.wants {
            wants.dress(&mut invite);
        }
        let shown = trunk.shown.clone().or_else(|| trunk.user.clone()).unwrap_or_else(|| from.to_owned());
        let account = trunk.user.clone().unwrap_or_else(|| shown.clone());
        invite.from_user = if trunk.stands == CallerId::From { shown.clone() } else { account };
        match trunk.stands {
            CallerId::From => {}
            CallerId::Asserted => {
                invite.asserted = Some(Pii::new(Party { display: String::new(), user: shown, host: trunk.domain.clone() }));
            }
            CallerId::RemoteParty => {
                let value = format!("<sip:{shown}@{}>;party=calling;screen=yes;privacy=off", trunk.domain);
                invite.headers.push(("Remote-Party-ID".to_owned(), Pii::new(value)));
            }
        }
        invite
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
            Reach::Number(number) => {
                let dialled = self.config.plan.book.read_from_inside(number);
                let carriages = self.config.dial_plan.ways(&dialled).map_err(|refusal| NoWay::NotCarried(refusal.to_string()))?;
                self.ways_by(&carriages)
            }
        }
    }

    /// Over the flow of its registration; the latest of several places comes first.
    fn ways_of_phone(&self, phone: &str) -> Result<Vec<Way>, NoWay> {
        let mut contacts = self.phone_book.contacts(phone);
        contacts.reverse();
        let plain = |flow, target| Way { flow, target, account: None, trunk: None };
        let ways: Vec<Way> = contacts.into_iter().map(|contact| plain(contact.flow, contact.target)).collect();
        if ways.is_empty() { Err(NoWay::NotRegistered(phone.to_owned())) } else { Ok(ways) }
    }

    /// The ways over trunks, in the order of the dial plan, as far as they take calls now.
    pub fn ways_by(&self, carriages: &[Carriage]) -> Result<Vec<Way>, NoWay> {
        let mut down = None;
        let mut ways = Vec::new();
        for carriage in carriages {
            match self.trunks.ways(&carriage.trunk) {
                Err(why) => down = Some(why.to_string()),
                Ok(found) => ways.extend(found.into_iter().map(|found| Way {
                    flow: found.flow,
                    target: format!("sip:{}@{}{}", carriage.user, found.domain, found.flow.transport.uri_param()),
                    account: found.account,
                    trunk: self.config.trunks.get(&carriage.trunk).map(|trunk| by_trunk(trunk, carriage, Some(found))),
                })),
            }
        }
        if ways.is_empty() { Err(NoWay::TrunksDown(down.unwrap_or_default())) } else { Ok(ways) }
    }

    /// The same for an emergency call. A trunk that seems to be down is tried as well, after the others: it may only have been slow to answer.
    pub async fn emergency_ways(&self, carriages: &[Carriage]) -> Vec<Way> {
        let mut ways = self.ways_by(carriages).unwrap_or_default();
        for carriage in carriages {
            let Some(trunk) = self.config.trunks.get(&carriage.trunk) else { continue };
            if ways.iter().any(|way| way.trunk.as_ref().is_some_and(|known| known.name == trunk.name)) {
                continue;
            }
            for server in &trunk.servers {
                let Some(address) = server.split_once(':').map(|(_, address)| address) else { continue };
                let found = self.ways_of_uri(&format!("sip:{}@{address}", carriage.user)).await.unwrap_or_default();
                ways.extend(found.into_iter().map(|way| Way { trunk: Some(by_trunk(trunk, carriage, None)), ..way }));
            }
        }
        ways
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
            Some(Way { flow, target: target.to_owned(), account: None, trunk: None })
        });
        let ways: Vec<Way> = flows.take(PLACES_MAX).collect();
        let spoken = || places.list.first().map_or("udp", |place| place.transport.uri_name()).to_owned();
        if ways.is_empty() { Err(NoWay::NoListener(spoken())) } else { Ok(ways) }
    }
}

/// Servers of one URI that are tried.
const PLACES_MAX: usize = 4;

fn by_trunk(trunk: &Trunk, carriage: &Carriage, wants: Option<TrunkWay>) -> ByTrunk {
    ByTrunk {
        name: trunk.name.clone(),
        shown: carriage.caller.clone(),
        stands: trunk.caller_id,
        user: trunk.user.clone(),
        domain: trunk.domain.clone(),
        wants,
    }
}

/// Digits from which on a user part is a number of the network and no extension of the house.
const NUMBER_DIGITS: usize = 7;
