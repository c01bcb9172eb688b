//! The PBXs and providers that the box is joined to: where each is, whether it is well, whose a call is, and how one goes out.
//!
//! The shared half is here; the task that drives registrations and health is in `drive`.

mod drive;
mod known;
mod secrets;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::base::Instant;
use crate::base::limits::TRUNK_NEWS_MAX;
use crate::config::Config;
use crate::run::house::SoundRules;
use crate::sip::digest::{AuthTrouble, Credentials};
use crate::sip::register::RegisterAnswer;
use crate::sip::{AccountId, Arrival, Event, Flow, Probe};

pub use drive::drive;
pub use known::TrunkWay;
pub use secrets::phones as phone_settings;

use known::Known;

/// The first of the numbers by which the answers to our OPTIONS are told apart; a trunk's own follows.
const FIRST_PROBE: u64 = 1 << 32;

/// What happens to trunks.
#[derive(Debug)]
enum News {
    Registered(Box<RegisterAnswer>),
    Probed(Probe, u16),
    Unauthorised(Option<AccountId>, AuthTrouble),
    Lost(Flow),
    Moved(SocketAddr),
    /// What a look into DNS has brought.
    Found(usize, Result<Vec<Flow>, String>),
    Stop(oneshot::Sender<()>),
}

/// A call cannot go out by a trunk.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoTrunkWay {
    /// There is no such section.
    #[error("there is no [trunk.{trunk}] in the configuration")]
    Unknown {
        /// The name.
        trunk: String,
    },
    /// It is down, or not registered.
    #[error("trunk {trunk:?} takes no calls now: {why}")]
    Down {
        /// The name.
        trunk: String,
        /// Why.
        why: String,
    },
}

/// All trunks; clones share them.
#[derive(Clone)]
pub struct Trunks {
    all: Arc<Mutex<Vec<Known>>>,
    news: mpsc::Sender<News>,
}

/// What [`drive`] reads from.
#[derive(Debug)]
pub struct TrunkNews(mpsc::Receiver<News>);

impl Trunks {
    /// The trunks of `config`, none of them reached yet.
    pub fn new(config: &Config) -> (Self, TrunkNews) {
        let (news_in, news) = mpsc::channel(TRUNK_NEWS_MAX);
        let all = config.trunks.values().zip(1..).map(|(trunk, account)| Known::new(trunk.clone(), AccountId(account)));
        (Self { all: Arc::new(Mutex::new(all.collect())), news: news_in }, TrunkNews(news))
    }

    /// The credentials of every trunk that has some, read from their files. A file that cannot be read is a trouble of its trunk's.
    pub fn accounts(&self) -> Vec<(AccountId, Credentials)> {
        self.lock().iter_mut().filter_map(|known| Some((known.account, known.credentials()?))).collect()
    }

    /// Whose a call is that comes in: by the address it came from, and where several share that, by what was dialled or by a domain.
    pub fn of_arrival(&self, arrival: &Arrival) -> Option<String> {
        known::of_arrival(&self.lock(), arrival).map(|known| known.trunk.name.clone())
    }

    /// The ways out by `trunk`, to be tried in this order.
    pub fn ways(&self, trunk: &str) -> Result<Vec<TrunkWay>, NoTrunkWay> {
        let all = self.lock();
        let known = all.iter().find(|known| known.trunk.name == trunk);
        known.ok_or_else(|| NoTrunkWay::Unknown { trunk: trunk.to_owned() })?.ways()
    }

    /// How sound is to be with whoever is at this address.
    pub fn sound(&self, peer: IpAddr) -> SoundRules {
        self.lock().iter().find(|known| known.is_at(peer)).map(Known::sound).unwrap_or_default()
    }

    /// Whether callers who came by this trunk are put through by REFER, by a bridge, or by what works.
    pub fn transfer(&self, trunk: &str) -> Option<crate::config::TransferBy> {
        self.lock().iter().find(|known| known.trunk.name == trunk).map(|known| known.trunk.transfer)
    }

    /// Every trunk as `nightbell status` shows it.
    pub fn status(&self, now: Instant) -> Value {
        Value::Object(self.lock().iter().map(|known| (known.trunk.name.clone(), known.status(now))).collect())
    }

    /// Hands over what concerns trunks. Never waits.
    pub fn tell(&self, event: &Event) {
        let news = match event {
            Event::Registered(answer) => News::Registered(answer.clone()),
            Event::Probed { probe, status } if probe.0 >= FIRST_PROBE => News::Probed(*probe, *status),
            Event::Unauthorised { account, trouble } => News::Unauthorised(*account, trouble.clone()),
            _ => return,
        };
        self.push(news);
    }

    /// A connection is gone, or could not be opened.
    pub fn lost(&self, flow: Flow) {
        if self.lock().iter().any(|known| known.uses(flow)) {
            self.push(News::Lost(flow));
        }
    }

    /// An address of ours towards `peer` is another one now.
    pub fn moved(&self, peer: SocketAddr) {
        self.push(News::Moved(peer));
    }

    /// Takes every registration back, and waits for that a little.
    pub async fn part(&self) {
        let (done_in, done) = oneshot::channel();
        if self.news.send(News::Stop(done_in)).await.is_ok() {
            // Whoever drives them has a limit of its own.
            let _ = done.await;
        }
    }

    fn push(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::error!("the trunks do not take their news");
        }
    }

    /// The addresses of all servers, as far as they are known.
    fn addresses(&self) -> Vec<IpAddr> {
        self.lock().iter().flat_map(Known::addresses).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
