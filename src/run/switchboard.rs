//! The signalling task: drives the SIP endpoint over its sockets, and hands each call's news to that call's task.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::base::clock::{Clock, unix_millis};
use crate::base::limits::CALLS_MAX;
use crate::base::{CallId, Pii, Seed};
use crate::config::Config;
use crate::net::{UdpFlow, local_towards};
use crate::sip::{Arrival, Command, EndCause, Endpoint, Event, Flow, Output, Party, SipCall};

use super::house::House;
use super::line::{self, Opening, SipNews};

/// News of one call that wait at once.
const NEWS_MAX: usize = 64;

/// Orders that wait at once, of all calls.
pub const ORDERS_MAX: usize = 4 * CALLS_MAX;

/// A call in progress, for those who look.
#[derive(Clone, Debug, serde::Serialize)]
pub struct InProgress {
    /// Its name.
    pub call_id: String,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// What was dialled.
    pub to: String,
    /// Who answers.
    pub agent: String,
}

/// The calls in progress; clones share the list.
#[derive(Clone, Default)]
pub struct Roll(Arc<Mutex<HashMap<SipCall, InProgress>>>);

impl Roll {
    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<InProgress> {
        let mut all: Vec<InProgress> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by_key(|call| call.started_ms);
        all
    }

    /// The signalling's names of them.
    pub fn sip_calls(&self) -> Vec<SipCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn enter(&self, call: SipCall, entry: InProgress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(call, entry);
    }

    fn leave(&self, call: SipCall) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
    }
}

/// The signalling task's own.
pub struct Switchboard {
    endpoint: Endpoint,
    clock: Clock,
    flows: Vec<UdpFlow>,
    house: Arc<House>,
    config: Arc<Config>,
    lines: HashMap<SipCall, mpsc::Sender<SipNews>>,
    roll: Roll,
    seed: Seed,
}

/// What the switchboard needs besides the house.
pub struct Desk {
    /// Where it listens.
    pub flows: Vec<UdpFlow>,
    /// Who is served, and what we call ourselves.
    pub settings: crate::sip::Settings,
    /// The calls in progress.
    pub roll: Roll,
}

impl Switchboard {
    /// A switchboard that serves `desk`.
    pub fn new(house: Arc<House>, config: Arc<Config>, desk: Desk) -> Self {
        let mut seed = house.seed();
        let endpoint = Endpoint::new(desk.settings, seed.fork(7));
        let (clock, lines) = (house.clock, HashMap::new());
        Self { endpoint, clock, flows: desk.flows, house, config, lines, roll: desk.roll, seed }
    }

    /// Serves until `orders` is closed.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        let (datagrams_in, mut datagrams) = mpsc::channel(ORDERS_MAX);
        for flow in &self.flows {
            tokio::spawn(receive(flow.clone(), datagrams_in.clone()));
        }
        loop {
            self.drain().await;
            let due = self.endpoint.poll_deadline().map(|at| self.clock.to_std(at));
            let timer = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((flow, bytes)) = datagrams.recv() => self.endpoint.handle_datagram(self.clock.now(), flow, &bytes),
                order = orders.recv() => match order {
                    Some(command) => self.endpoint.handle_command(self.clock.now(), command),
                    None => return,
                },
                () = timer => self.endpoint.handle_timeout(self.clock.now()),
            }
        }
    }

    async fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => {
                    if let Some(socket) = self.flows.iter().find(|socket| socket.local().port() == flow.local.port()) {
                        socket.send(flow.remote, &bytes).await;
                    }
                }
                Output::Event(event) => self.event(event),
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(arrival) => self.incoming(*arrival),
            Event::Acked { call, sdp } => self.news(call, SipNews::Acked(sdp)),
            Event::Reoffer { call, offer } => self.news(call, SipNews::Reoffer(offer)),
            Event::Digit { call, digit, .. } => self.news(call, SipNews::Digit(digit)),
            Event::ReferAccepted { call } => self.news(call, SipNews::ReferAccepted),
            Event::ReferProgress { call, status } => self.news(call, SipNews::ReferProgress(status)),
            Event::ReferFailed { call, status } => self.news(call, SipNews::ReferFailed(status)),
            Event::Cancelled { call, .. } => self.over(call, false),
            Event::Ended { call, cause } => {
                let failed = matches!(cause, EndCause::NoAck | EndCause::Timeout);
                self.over(call, failed);
            }
            Event::Failed { call, .. } | Event::Redirected { call, .. } => self.over(call, true),
            _ => {}
        }
    }

    fn incoming(&mut self, arrival: Arrival) {
        let (call, flow) = (arrival.call, arrival.flow);
        let dialled = arrival.request_user.expose().as_str();
        let agent = self.config.agent_for(dialled).and_then(|name| self.config.agents.get(name)).cloned();
        let refusal = match &agent {
            None => Some((404, format!("no route for what was dialled: add it under [[route]] in {}", self.config.file.display()))),
            Some(_) if self.lines.len() >= CALLS_MAX => Some((486, "all lines are busy".to_owned())),
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
        let opening = Opening { sip: call, id, from, dialled, agent, offer: arrival.offer, local: reachable(flow) };
        tokio::spawn(line::answer(Arc::clone(&self.house), opening, news));
    }

    fn news(&mut self, call: SipCall, news: SipNews) {
        let Some(line) = self.lines.get(&call) else { return };
        if line.try_send(news).is_err() {
            tracing::error!("a call does not take its news");
        }
    }

    fn over(&mut self, call: SipCall, failed: bool) {
        self.news(call, SipNews::Gone { failed });
        self.lines.remove(&call);
        self.roll.leave(call);
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

async fn receive(flow: UdpFlow, datagrams: mpsc::Sender<(Flow, Vec<u8>)>) {
    let mut buffer = Vec::new();
    loop {
        let datagram = flow.receive(&mut buffer).await;
        let mut local = flow.local();
        if local.ip().is_unspecified() {
            local.set_ip(local_towards(datagram.remote).unwrap_or(local.ip()));
        }
        if datagrams.send((Flow::udp(local, datagram.remote), datagram.bytes)).await.is_err() {
            return;
        }
    }
}
