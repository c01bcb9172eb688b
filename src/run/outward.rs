//! Calls that agents place: asked for by the owner, judged by the rules, and then a call like any other.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::house::{House, Ours, SoundRules};
use super::leg::{self, OpenLeg};
use super::line::{self, Line, Opening};
use super::news::SipNews;
use super::place::Placed;
use super::roll::{InProgress, Roll};
use super::ways::Way;
use crate::base::civil::{Time, Zone};
use crate::base::clock::unix_millis;
use crate::base::{CallId, Pii, limits};
use crate::config::{Outbound, TransferBy};
use crate::dialogue::{Agent, Calling};
use crate::route::{Asked, Carriage, Consent, Country, Dialled, Format, NotCarried, Number, Permit, Purpose, Refusal, Spent};
use crate::sdp::Negotiated;
use crate::sip::Command;
use crate::store::{Ledger, OutboundCall, Outcome, StoreError};

/// How long it may ring at the other end: about eight times.
const RING: Duration = Duration::from_secs(45);

/// A call that somebody wants an agent to place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// Whom, as the business dials it.
    pub number: String,
    /// Which agent talks.
    pub agent: String,
    /// Why.
    pub why: Purpose,
    /// Only say whether it would be placed.
    #[serde(default)]
    pub dry_run: bool,
}

/// Why a call was not placed.
#[derive(Debug, thiserror::Error)]
pub enum NotDialled {
    /// Nobody has allowed it.
    #[error("agents do not call out: write [outbound] in the configuration if they should")]
    Off,
    /// There is no such agent.
    #[error("no agent is called {0:?}: name one that a [[route]] names")]
    NoAgent(String),
    /// The dial plan.
    #[error("{0}")]
    NotCarried(#[from] NotCarried),
    /// The rules of calling.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The trunks.
    #[error("{0}")]
    NoWay(#[from] super::ways::NoWay),
    /// Without the list nobody knows who wants no calls.
    #[error("the do-not-call list {path} cannot be read, so nobody is called: {error}")]
    List {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Without the records nobody knows what was agreed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl NotDialled {
    /// One word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Off => "outbound_off",
            Self::NoAgent(_) => "no_such_agent",
            Self::NotCarried(_) => "not_in_dial_plan",
            Self::Refused(refusal) => refusal.code(),
            Self::NoWay(_) => "no_way",
            Self::List { .. } => "no_do_not_call_list",
            Self::Store(_) => "no_records",
        }
    }
}

/// Places calls for agents.
#[derive(Clone)]
pub struct Outward {
    house: Arc<House>,
    roll: Roll,
}

/// A call that may be placed.
struct Allowed {
    id: CallId,
    number: Number,
    agent: Arc<Agent>,
    why: Purpose,
    ways: Vec<Way>,
    /// Its row; none for a trial.
    row: Option<i64>,
    permit: Permit,
}

impl Outward {
    /// Places calls of this house.
    pub fn new(house: Arc<House>, roll: Roll) -> Self {
        Self { house, roll }
    }

    /// Places the call, or says in words why not.
    pub async fn dial(&self, dial: Dial) -> Result<Value, NotDialled> {
        let allowed = self.allow(&dial).await?;
        let trunks: Vec<&str> = allowed.ways.iter().filter_map(|way| way.trunk.as_ref()).map(|trunk| trunk.name.as_str()).collect();
        let told = json!({
            "by": trunks,
            "consent": allowed.permit.consent.source,
            "costs_at_most_cents": allowed.permit.reserve_cents,
        });
        if dial.dry_run {
            return Ok(json!({ "would_call": true, "details": told }));
        }
        let answer = json!({ "call_id": allowed.id.to_string(), "details": told });
        tracing::info!(call_id = %allowed.id, agent = allowed.agent.name(), why = allowed.why.as_str(), "an agent calls out");
        tokio::spawn(self.clone().call(allowed));
        Ok(answer)
    }

    async fn allow(&self, dial: &Dial) -> Result<Allowed, NotDialled> {
        let config = &self.house.config;
        let outbound = config.outbound.as_ref().ok_or(NotDialled::Off)?;
        let agent = config.agents.get(&dial.agent).cloned().ok_or_else(|| NotDialled::NoAgent(dial.agent.clone()))?;
        if config.plan.book.emergency(&dial.number).is_some() {
            return Err(NotCarried::Emergency.into());
        }
        let country = config.plan.book.country;
        let number = country.number(&dial.number).ok_or(NotCarried::NoNumber)?;
        let carriages: Vec<Carriage> = config.dial_plan.ways(&Dialled::Number(number.clone()))?;
        let do_not_call = listed(&outbound.do_not_call, country, &number).await?;
        let ways = self.house.ways_by(&carriages)?;
        let now_ms = unix_millis();
        let id = CallId::new(now_ms, self.house.seed().next_u64());
        let case = Case { id: id.clone(), number: number.clone(), why: dial.why, agent: dial.agent.clone(), do_not_call, now_ms };
        let (permit, row) = self.reserve(outbound, case, dial.dry_run).await?;
        Ok(Allowed { id, number, agent, why: dial.why, ways, row, permit })
    }

    /// Judges and sets the money aside in one step of the one writer, so that two calls at once cannot both have the last of it.
    async fn reserve(&self, outbound: &Outbound, case: Case, dry_run: bool) -> Result<(Permit, Option<i64>), NotDialled> {
        let zone = self.house.zone.clone();
        let theirs = Country::zone_of(&case.number).filter(|_| outbound.hours_there).and_then(|name| Zone::named(name).ok());
        let there = theirs.unwrap_or_else(|| zone.clone()).at(case.now_ms);
        let midnight = zone.unix_millis(zone.at(case.now_ms).date().to_datetime(Time::midnight()));
        let (rules, country) = (outbound.rules.clone(), self.house.config.plan.book.country);
        self.house
            .store
            .write(move |ledger| {
                let consents = case.consents(ledger, country)?;
                let today = ledger.reader().outbound_since(case.number.as_str(), midnight)?;
                let asked = Asked {
                    number: &case.number,
                    purpose: case.why,
                    there,
                    do_not_call: case.do_not_call,
                    consents: &consents,
                    attempts: today.attempts,
                    calls: today.open,
                    spent: Spent { settled: today.settled_cents, reserved: today.reserved_cents },
                };
                let permit = rules.consider(&asked)?;
                let row = if dry_run { None } else { Some(ledger.begin_outbound(&case.row(permit.reserve_cents))?) };
                Ok((permit, row))
            })
            .await
    }

    /// Tries the ways in order, and stays with the call.
    async fn call(self, allowed: Allowed) {
        let opening = Self::opening(&allowed);
        line::begin_record(&self.house, &opening).await;
        let end = self.try_ways(&allowed, opening).await;
        let Some(row) = allowed.row else { return };
        let rules = self.house.config.outbound.as_ref().map(|outbound| &outbound.rules);
        let (cents, result) = match end {
            End::Talked { seconds, outcome } => {
                (rules.map_or(0, |rules| rules.settle(&allowed.number, seconds)), outcome.as_str().to_owned())
            }
            End::Unanswered(status) => {
                let why = format!("not answered: {status}");
                let ended = self.house.store.end_call(allowed.id.clone(), unix_millis(), Outcome::Abandoned, Some(why.clone())).await;
                let _ = ended.inspect_err(|error| tracing::error!(call_id = %allowed.id, %error, "the call's end is not on record"));
                (0, why)
            }
        };
        let kept = allowed.why == Purpose::Callback
            && matches!(end, End::Talked { outcome, .. } if outcome != Outcome::Abandoned && outcome != Outcome::Failed);
        let spellings = spellings(&allowed.number, self.house.config.plan.book.country);
        let settled = self.house.store.write(move |ledger| {
            if kept {
                ledger.callback_made(&spellings)?;
            }
            ledger.settle_outbound(row, cents, &result)
        });
        let _ = settled.await.inspect_err(|error| tracing::error!(call_id = %allowed.id, %error, "what the call cost is not on record"));
    }

    fn opening(allowed: &Allowed) -> Opening {
        Opening {
            sip: crate::sip::SipCall::default(),
            id: allowed.id.clone(),
            from: Pii::new(allowed.number.as_str().to_owned()),
            dialled: format!("called out: {}", allowed.why.as_str()),
            agent: Arc::clone(&allowed.agent),
            offer: None,
            local: Ours { local: std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), told: None, sound: SoundRules::default() },
            max_forwards: 70,
            first: None,
            transfer: TransferBy::Bridge,
            calling: Some(match allowed.why {
                Purpose::Callback => Calling::Callback,
                Purpose::Reminder => Calling::Reminder,
                Purpose::Lead => Calling::Lead,
            }),
        }
    }

    async fn try_ways(&self, allowed: &Allowed, mut opening: Opening) -> End {
        let mut status = 480;
        for way in &allowed.ways {
            let name = way.trunk.as_ref().map_or("", |trunk| trunk.name.as_str());
            let pass = match self.house.doorman.admit_out(name) {
                Ok(pass) => pass,
                Err(over) => {
                    tracing::warn!(call_id = %allowed.id, trunk = name, %over, "a trunk does not take the call");
                    status = over.status();
                    continue;
                }
            };
            match self.ring(allowed, way, &mut opening).await {
                Ok((leg, agreed, news)) => {
                    let answered = self.house.clock.now();
                    let outcome = talk(Arc::clone(&self.house), opening, (leg, agreed), news).await;
                    let seconds = u32::try_from(self.house.clock.now().since(answered).as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
                    drop(pass);
                    return End::Talked { seconds, outcome };
                }
                Err(why) => status = why,
            }
            // Busy and declined are answers of the person: another trunk would only ask again.
            if !matches!(status, 408 | 430 | 500..=599) {
                break;
            }
        }
        End::Unanswered(status)
    }

    /// Rings over one way; the SIP status when nobody answers.
    async fn ring(
        &self,
        allowed: &Allowed,
        way: &Way,
        opening: &mut Opening,
    ) -> Result<(OpenLeg, Negotiated, mpsc::Receiver<SipNews>), u16> {
        let mut leg = leg::open(&self.house, self.house.ours(way.flow), None).map_err(|refusal| refusal.status)?;
        let invite = way.invite(leg.description.clone(), "");
        let Placed { call, mut news, call_id: sip_call_id } = self.house.place(invite).await.ok_or(503_u16)?;
        opening.sip = call;
        self.house.trace.name(&sip_call_id, allowed.id.as_str());
        let (agent, call_id) = (allowed.agent.name().to_owned(), allowed.id.to_string());
        self.roll.enter(call, InProgress { call_id, started_ms: unix_millis(), to: opening.dialled.clone(), agent });
        let deadline = tokio::time::Instant::now() + RING;
        loop {
            let told = tokio::time::timeout_at(deadline, news.recv()).await;
            match told {
                Err(_) => {
                    self.house.sip(Command::Hangup { call, reason: None }).await;
                    return Err(480);
                }
                Ok(None | Some(SipNews::Gone { .. } | SipNews::Redirected(_))) => return Err(480),
                Ok(Some(SipNews::Failed(status))) => return Err(status),
                Ok(Some(SipNews::Answered(answer))) => {
                    let agreed = answer.and_then(|answer| leg.session.accept_answer(&answer).ok());
                    let Some(agreed) = agreed else {
                        self.house.sip(Command::Hangup { call, reason: None }).await;
                        return Err(488);
                    };
                    return Ok((leg, agreed, news));
                }
                Ok(Some(_)) => {}
            }
        }
    }
}

/// Stays with a call of ours that was answered; what it ended with.
async fn talk(house: Arc<House>, opening: Opening, (leg, agreed): (OpenLeg, Negotiated), sip_news: mpsc::Receiver<SipNews>) -> Outcome {
    tracing::info!(call_id = %opening.id, agent = opening.agent.name(), path = %leg.path, "a call of ours was answered");
    let began = house.clock.now();
    let mut task = Line::new(house, &opening, leg, began);
    task.begin_called(&agreed);
    task.run(sip_news).await;
    Outcome::parse(task.outcome.as_str()).unwrap_or(Outcome::Failed)
}

enum End {
    Talked { seconds: u32, outcome: Outcome },
    Unanswered(u16),
}

/// What is judged.
struct Case {
    id: CallId,
    number: Number,
    why: Purpose,
    agent: String,
    do_not_call: bool,
    now_ms: i64,
}

impl Case {
    /// What they have agreed to: what is on record, and that they asked to be called back.
    fn consents(&self, ledger: &Ledger, country: &Country) -> Result<Vec<Consent>, StoreError> {
        let rows = ledger.reader().consents(Some(self.number.as_str()))?;
        let known =
            rows.into_iter().filter_map(|row| Some(Consent { purpose: Purpose::parse(&row.kind)?, source: row.source, at_ms: row.at_ms }));
        let asked = ledger.reader().promised_callback(&spellings(&self.number, country))?;
        let asked =
            asked.map(|(call, at_ms)| Consent { purpose: Purpose::Callback, source: format!("asked for it in call {call}"), at_ms });
        Ok(known.chain(asked).collect())
    }

    fn row(&self, reserved_cents: u32) -> OutboundCall {
        OutboundCall {
            call: self.id.clone(),
            number: self.number.as_str().to_owned(),
            agent: self.agent.clone(),
            kind: self.why.as_str().to_owned(),
            at_ms: self.now_ms,
            reserved_cents,
        }
    }
}

/// As callers say their number and as it is kept.
fn spellings(number: &Number, country: &Country) -> [String; 3] {
    [number.as_str().to_owned(), number.digits().to_owned(), number.written(Format::National, country)]
}

/// Whether a number stands on the list: one a line, as people write it; what follows a `#` is a remark. No file is an empty list.
async fn listed(path: &Path, country: &'static Country, number: &Number) -> Result<bool, NotDialled> {
    let (path, number) = (path.to_owned(), number.clone());
    let shown = path.display().to_string();
    let read = move || {
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        if length > limits::DO_NOT_CALL_BYTES_MAX {
            return Err(std::io::Error::other(format!("it is longer than {} bytes", limits::DO_NOT_CALL_BYTES_MAX)));
        }
        for line in BufReader::new(file.take(limits::DO_NOT_CALL_BYTES_MAX)).lines() {
            let line = line?;
            if country.number(line.split('#').next().unwrap_or_default()).as_ref() == Some(&number) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let list = |error| NotDialled::List { path: shown.clone(), error };
    tokio::task::spawn_blocking(read).await.map_err(|error| list(std::io::Error::other(error)))?.map_err(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_list_is_read_as_people_write_it_and_an_unreadable_one_forbids_everything() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.txt");
        let country = Country::usual();
        let number = country.number("3125550142").unwrap();
        assert!(!listed(&path, country, &number).await.unwrap(), "no file is an empty list");
        std::fs::write(&path, "# no calls\n+1 773 555 0100\n(312) 555-0142   # asked us on Monday\n").unwrap();
        assert!(listed(&path, country, &number).await.unwrap());
        assert!(!listed(&path, country, &country.number("3125550143").unwrap()).await.unwrap());
        assert_eq!(listed(dir.path(), country, &number).await.unwrap_err().code(), "no_do_not_call_list");
    }
}
