//! A call arrives: who answers it, or with what words it is refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::base::clock::unix_millis;
use crate::base::limits::CALLS_MAX;
use crate::base::{CallId, Pii};
use crate::net::local_towards;
use crate::sip::{Arrival, Command, Flow, Party};

use super::line::{self, Opening};
use super::roll::InProgress;
use super::switchboard::{NEWS_MAX, Switchboard};

impl Switchboard {
    pub(super) fn incoming(&mut self, arrival: Arrival) {
        let (call, flow) = (arrival.call, arrival.flow);
        let dialled = arrival.request_user.expose().as_str();
        let agent = self.config.agent_for(dialled).and_then(|name| self.config.agents.get(name)).cloned();
        let refusal = match &agent {
            None => Some((404, format!("no route for what was dialled: add it under [[route]] in {}", self.config.file.display()))),
            Some(_) if self.roll.len() >= CALLS_MAX => Some((486, "all lines are busy".to_owned())),
            Some(_) => None,
        };
        let now = self.clock.now();
        if let Some((status, reason)) = refusal {
            tracing::warn!(status, reason, "call refused");
            self.endpoint.handle_command(now, Command::Reject { call, status, reason: Some(reason) });
            return;
        }
        let Some(agent) = agent else { return };
        let started_ms = unix_millis();
        let id = CallId::new(started_ms, self.seed.next_u64());
        let (news_in, news) = mpsc::channel(NEWS_MAX);
        self.lines.insert(call, news_in);
        let entry = InProgress { call_id: id.to_string(), started_ms, to: dialled.to_owned(), agent: agent.name().to_owned() };
        self.roll.enter(call, entry);
        let (from, dialled) = (Pii::new(number(arrival.caller().expose())), dialled.to_owned());
        let max_forwards = arrival.max_forwards.saturating_sub(1);
        let (offer, local) = (arrival.offer, reachable(flow));
        let opening = Opening { sip: call, id, from, dialled, agent, offer, local, max_forwards, first: None };
        tokio::spawn(line::answer(Arc::clone(&self.house), opening, news));
    }
}

/// The caller's number where there is one, or else the user part or host that was shown.
fn number(party: &Party) -> String {
    if party.user.is_empty() { party.host.clone() } else { party.user.clone() }
}

/// Our address as this caller can reach it.
fn reachable(flow: Flow) -> IpAddr {
    let local: SocketAddr = flow.local;
    if local.ip().is_unspecified() { local_towards(flow.remote).unwrap_or(local.ip()) } else { local.ip() }
}
