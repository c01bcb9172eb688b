//! A call arrives: who answers it, or with what words it is refused.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::base::clock::unix_millis;
use crate::base::limits::CALLS_MAX;
use crate::base::{CallId, Pii};
use crate::call::{Briefing, Member, Order};
use crate::dialogue::Agent;
use crate::route::{Action, Carriage, Choice, Query, Via};
use crate::sip::{Arrival, Command, Party, SipCall};

use super::line::{self, Opening};
use super::news::SipNews;
use super::onward::{self, Onward, Passing, To};
use super::plans;
use super::roll::InProgress;
use super::switchboard::{NEWS_MAX, Switchboard};

/// What becomes of a call that arrived.
enum Fate {
    /// The agent answers, after these people were rung.
    Answered { agent: Arc<Agent>, first: Vec<String> },
    /// It is passed on, and no agent hears it.
    PassedOn(Onward),
    /// It is refused, in words.
    Refused { status: u16, words: String },
}

impl Switchboard {
    pub(super) fn incoming(&mut self, arrival: Arrival) {
        if let Some(old) = arrival.replaces.filter(|old| self.lines.contains_key(old)) {
            return self.news(old, SipNews::Replacing { by: arrival.call, offer: arrival.offer });
        }
        let via = self.via(&arrival);
        let caller = number(arrival.caller().expose());
        let local = self.house.zone.at(unix_millis());
        let query = Query { dialled: arrival.request_user.expose(), caller: &caller, via: via.clone(), local };
        let decision = self.config.plan.decide(&query);
        let fate = self.within_caps(self.fate(&decision.choice, &arrival, &via), &arrival);
        let rule = decision.rule().unwrap_or("none");
        match fate {
            Fate::Refused { status, words } => {
                tracing::warn!(status, reason = words, rule, "call refused");
                let reject = Command::Reject { call: arrival.call, status, reason: Some(words) };
                self.endpoint.handle_command(self.clock.now(), reject);
            }
            Fate::Answered { agent, first } => {
                tracing::info!(rule, agent = agent.name(), people_first = first.len(), "call routed");
                self.answered(arrival, caller, agent, &first);
            }
            Fate::PassedOn(onward) => {
                tracing::info!(rule, emergency = onward.emergency.is_some(), "call passed on");
                self.passed_on(arrival, caller, &via, onward);
            }
        }
    }

    /// By what the call came: a telephone of ours that has proven itself, a trunk that calls from such an address, or just a trusted peer.
    fn via(&self, arrival: &Arrival) -> Via {
        if let Some(phone) = &arrival.phone {
            return Via::Phone(phone.clone());
        }
        self.house.trunks.of_arrival(arrival).map_or(Via::Peer, Via::Trunk)
    }

    /// The same, unless the trunk has its share already. A call for help is nobody's share.
    fn within_caps(&self, fate: Fate, arrival: &Arrival) -> Fate {
        if matches!(&fate, Fate::Refused { .. } | Fate::PassedOn(Onward { emergency: Some(_), .. })) {
            return fate;
        }
        match self.house.doorman.admit(arrival.call, arrival.flow.remote.ip()) {
            Ok(()) => fate,
            Err(over) => Fate::Refused { status: over.status(), words: over.to_string() },
        }
    }

    fn fate(&self, choice: &Choice, arrival: &Arrival, via: &Via) -> Fate {
        let full = self.roll.len() >= CALLS_MAX;
        let refused = |status, words: &str| Fate::Refused { status, words: words.to_owned() };
        let agent = |name: &str| self.config.agents.get(name).cloned();
        match choice {
            // First of all, and whatever else is going on: nobody counts lines for a call for help.
            Choice::Emergency(number) => {
                Fate::PassedOn(Onward { emergency: Some(number.clone()), to: To::Trunks(self.emergency_ways(number, via)) })
            }
            Choice::Nobody => Fate::Refused {
                status: 404,
                words: format!("no route for what was dialled: add it under [[route]] in {}", self.config.file.display()),
            },
            Choice::Do(Action::Reject { status, words }) => refused(*status, words),
            Choice::Do(_) if full => refused(486, "all lines are busy"),
            Choice::Do(Action::Agent(name)) => {
                agent(name).map_or_else(|| refused(480, "its agent is not there"), |agent| Fate::Answered { agent, first: Vec::new() })
            }
            Choice::Do(Action::First { people, agent: name }) => {
                agent(name).map_or_else(|| refused(480, "its agent is not there"), |agent| Fate::Answered { agent, first: people.clone() })
            }
            Choice::Do(Action::People(people)) => {
                let plan = plans::first(people, Order::Together, &self.house.people);
                Fate::PassedOn(Onward { emergency: None, to: To::People(plan.members.into_iter().map(at_once).collect()) })
            }
            Choice::Do(Action::Outside) => self.outside(arrival),
        }
    }

    /// A telephone of ours calls out: as far as the dial plan allows, and not one number further.
    fn outside(&self, arrival: &Arrival) -> Fate {
        let dialled = self.config.plan.book.read_from_inside(arrival.request_user.expose());
        match self.config.dial_plan.ways(&dialled) {
            Ok(ways) => Fate::PassedOn(Onward { emergency: None, to: To::Trunks(ways) }),
            Err(refusal) => Fate::Refused { status: refusal.status(), words: refusal.to_string() },
        }
    }

    fn emergency_ways(&self, number: &str, via: &Via) -> Vec<Carriage> {
        let came_by = if let Via::Trunk(name) = via { Some(name.as_str()) } else { None };
        self.config.dial_plan.emergency_ways(number, came_by)
    }

    fn answered(&mut self, arrival: Arrival, caller: String, agent: Arc<Agent>, first: &[String]) {
        let call = arrival.call;
        let dialled = arrival.request_user.expose().clone();
        let (id, news) = self.enter(call, &arrival.call_id, &dialled, agent.name());
        let local = self.house.ours(arrival.flow);
        let max_forwards = arrival.max_forwards.saturating_sub(1);
        let first = (!first.is_empty()).then(|| plans::first(first, Order::Together, &self.house.people));
        let from = Pii::new(caller);
        let trunk = self.house.trunks.of_arrival(&arrival);
        let transfer = trunk.and_then(|trunk| self.house.trunks.transfer(&trunk)).unwrap_or_default();
        let opening =
            Opening { sip: call, id, from, dialled, agent, offer: arrival.offer, local, max_forwards, first, transfer, calling: None };
        tokio::spawn(line::answer(Arc::clone(&self.house), opening, news));
    }

    fn passed_on(&mut self, arrival: Arrival, caller: String, via: &Via, onward: Onward) {
        let (sip, local) = (arrival.call, self.house.ours(arrival.flow));
        let shown = onward.emergency.clone().unwrap_or_else(|| "put through".to_owned());
        let (id, news) = self.enter(sip, &arrival.call_id, &shown, "nobody: put through");
        let passing = Passing {
            sip,
            id,
            from: Pii::new(caller),
            by: via.told(),
            dialled: arrival.request_user,
            offer: arrival.offer,
            local,
            max_forwards: arrival.max_forwards.saturating_sub(1),
            onward,
        };
        tokio::spawn(onward::pass_on(Arc::clone(&self.house), passing, news));
    }

    /// A new call in the list of those in progress, and where its news arrive.
    fn enter(&mut self, call: SipCall, sip_call_id: &str, dialled: &str, agent: &str) -> (CallId, mpsc::Receiver<SipNews>) {
        let started_ms = unix_millis();
        let id = CallId::new(started_ms, self.seed.next_u64());
        let (news_in, news) = mpsc::channel(NEWS_MAX);
        self.lines.insert(call, news_in);
        self.house.trace.name(sip_call_id, &id.to_string());
        self.roll.enter(call, InProgress { call_id: id.to_string(), started_ms, to: dialled.to_owned(), agent: agent.to_owned() });
        (id, news)
    }
}

/// Whoever picks up has the caller at once: a brief is for a caller whom an agent has talked to.
fn at_once(member: Member) -> Member {
    Member { briefing: Briefing::None, ..member }
}

/// The caller's number where there is one, or else the user part or host that was shown.
fn number(party: &Party) -> String {
    if party.user.is_empty() { party.host.clone() } else { party.user.clone() }
}
