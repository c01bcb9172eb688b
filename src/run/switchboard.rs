//! The signalling task: drives the SIP endpoint over its sockets, and hands each call's news to that call's task.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::base::Seed;
use crate::base::clock::Clock;
use crate::base::limits::CALLS_MAX;
use crate::config::Config;
use crate::net::{UdpFlow, local_towards};
use crate::sip::{EndCause, Endpoint, Event, Flow, Output, SipCall};

use super::house::House;
use super::news::{self, SipNews};
use super::place::Order;
use super::roll::Roll;

/// News of one call that wait at once.
pub(super) const NEWS_MAX: usize = 64;

/// Orders that wait at once, of all calls.
pub const ORDERS_MAX: usize = 4 * CALLS_MAX;

/// The signalling task's own.
pub struct Switchboard {
    pub(super) endpoint: Endpoint,
    pub(super) clock: Clock,
    pub(super) flows: Vec<UdpFlow>,
    pub(super) house: Arc<House>,
    pub(super) config: Arc<Config>,
    pub(super) lines: HashMap<SipCall, mpsc::Sender<SipNews>>,
    pub(super) roll: Roll,
    pub(super) seed: Seed,
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
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
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
                    Some(order) => self.order(order),
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
            Event::Cancelled { call, reason } => self.over(call, SipNews::Gone { failed: false, reason }),
            Event::Ended { call, cause } => {
                let failed = matches!(cause, EndCause::NoAck | EndCause::Timeout);
                let reason = if let EndCause::Bye { reason } = cause { reason } else { None };
                self.over(call, SipNews::Gone { failed, reason });
            }
            Event::Failed { call, status, why, .. } => {
                tracing::info!(status, why, "a call of ours was not answered");
                self.over(call, SipNews::Failed(status));
            }
            Event::Redirected { call, contacts, .. } => self.over(call, SipNews::Redirected(contacts)),
            event => {
                if let Some((call, news)) = news::of_event(event) {
                    self.news(call, news);
                }
            }
        }
    }

    fn news(&mut self, call: SipCall, news: SipNews) {
        let Some(line) = self.lines.get(&call) else { return };
        // A task that has gone needs none.
        if let Err(mpsc::error::TrySendError::Full(_)) = line.try_send(news) {
            tracing::error!("a call does not take its news");
        }
    }

    fn over(&mut self, call: SipCall, last: SipNews) {
        self.news(call, last);
        self.lines.remove(&call);
        self.roll.leave(call);
    }
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
