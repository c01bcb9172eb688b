//! The signalling task: drives the SIP endpoint over the wires, and hands each call's news to that call's task.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::base::Seed;
use crate::base::clock::{Clock, unix_millis};
use crate::base::limits::CALLS_MAX;
use crate::config::Config;
use crate::net::Arrived;
use crate::observe::trace::{Passing, Towards};
use crate::sip::{EndCause, Endpoint, Event, Flow, HostPort, Output, Peer, SipCall};

use super::doorman::Doorman;
use super::house::House;
use super::news::{self, SipNews};
use super::place::Order;
use super::roll::Roll;
use super::wires::Wires;

/// News of one call that wait at once.
pub(super) const NEWS_MAX: usize = 64;

/// Orders that wait at once, of all calls.
pub const ORDERS_MAX: usize = 4 * CALLS_MAX;

/// The signalling task's own.
pub struct Switchboard {
    pub(super) endpoint: Endpoint,
    pub(super) clock: Clock,
    pub(super) wires: Wires,
    pub(super) house: Arc<House>,
    pub(super) config: Arc<Config>,
    pub(super) lines: HashMap<SipCall, mpsc::Sender<SipNews>>,
    pub(super) roll: Roll,
    pub(super) seed: Seed,
}

/// What the switchboard needs besides the house.
pub struct Desk {
    /// What it speaks over.
    pub wires: Wires,
    /// What arrives there.
    pub arrived: mpsc::Receiver<Arrived>,
    /// Who is served, and what we call ourselves.
    pub settings: crate::sip::Settings,
    /// The calls in progress.
    pub roll: Roll,
}

impl Switchboard {
    /// A switchboard that serves `desk`.
    pub fn new(house: Arc<House>, config: Arc<Config>, desk: Desk) -> (Self, mpsc::Receiver<Arrived>) {
        let mut seed = house.seed();
        let endpoint = Endpoint::new(desk.settings, seed.fork(7));
        let (clock, lines) = (house.clock, HashMap::new());
        (Self { endpoint, clock, wires: desk.wires, house, config, lines, roll: desk.roll, seed }, desk.arrived)
    }

    /// Serves until `orders` is closed.
    pub async fn run(mut self, mut arrived: mpsc::Receiver<Arrived>, mut orders: mpsc::Receiver<Order>) {
        loop {
            self.drain();
            let due = self.endpoint.poll_deadline().map(|at| self.clock.to_std(at));
            let timer = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(news) = arrived.recv() => self.arrived(news),
                order = orders.recv() => match order {
                    Some(order) => self.order(order),
                    None => return,
                },
                () = timer => self.endpoint.handle_timeout(self.clock.now()),
            }
        }
    }

    fn arrived(&mut self, news: Arrived) {
        let now = self.clock.now();
        match news {
            Arrived::Message { flow, bytes } => self.take(flow, &bytes),
            Arrived::Broken { flow, broken } => {
                self.endpoint.handle_broken(now, flow, &broken);
                self.drain();
                self.wires.close(flow);
            }
            Arrived::Unreachable { flow, .. } => {
                self.endpoint.handle_unreachable(now, flow);
                self.house.trunks.lost(flow);
            }
            Arrived::Closed { flow } => {
                self.endpoint.handle_closed(now, flow);
                self.house.trunks.lost(flow);
            }
            Arrived::Moved { peer, ours } => {
                self.endpoint.handle_moved(now, peer, ours);
                self.house.trunks.moved(peer);
            }
            Arrived::Seen { peer, public } => {
                self.advertise(peer.ip().into(), Some(public.into()));
                self.house.trunks.moved(peer);
            }
        }
    }

    /// What the peers of a block are told that our address is, for the signalling and for sound.
    pub(super) fn advertise(&mut self, peer: Peer, host: Option<HostPort>) {
        self.wires.note_told(peer, host.as_ref().and_then(|host| host.host.parse().ok()));
        self.endpoint.advertise(peer, host);
    }

    /// A message; what was let in is in the trace, and a connection over which something came that was not is closed.
    fn take(&mut self, flow: Flow, bytes: &[u8]) {
        let (now, kept_out) = (self.clock.now(), self.endpoint.kept_out());
        self.endpoint.handle_datagram(now, flow, bytes);
        if self.endpoint.kept_out() == kept_out {
            self.trace(Towards::Us, flow, bytes);
        } else if flow.transport.is_reliable() {
            self.drain();
            self.wires.close(flow);
        }
        self.house.doorman.look(&self.endpoint);
    }

    fn trace(&self, towards: Towards, flow: Flow, bytes: &[u8]) {
        let (at_ms, at_us, transport) = (unix_millis(), self.clock.now().as_micros(), flow.transport.via_name());
        self.house.trace.pass(&Passing { at_ms, at_us, towards, transport, local: flow.local, remote: flow.remote, bytes });
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => {
                    self.trace(Towards::Them, flow, &bytes);
                    self.wires.send(flow, bytes);
                }
                Output::Event(event) => self.event(event),
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(arrival) => {
                self.wires.watch(arrival.call, arrival.flow.remote);
                self.incoming(*arrival);
            }
            Event::Noticed(notice) => Doorman::notice(&notice),
            Event::Registered(_) | Event::Probed { .. } | Event::Unauthorised { .. } => self.house.trunks.tell(&event),
            Event::PhoneRegistered { ref contact, .. } => {
                self.wires.keep(contact.flow);
                self.house.phone_book.tell(&event);
            }
            Event::PhoneGone { ref contact, .. } => {
                self.wires.release(contact.flow);
                self.house.phone_book.tell(&event);
            }
            Event::Acked { call, sdp } => {
                self.house.doorman.acknowledged(call);
                self.news(call, SipNews::Acked(sdp));
            }
            Event::Cancelled { call, reason } => self.over(call, SipNews::Gone { failed: false, reason }),
            // The task that has the call keeps it under its new name.
            Event::Ended { call, cause: EndCause::Replaced { by } } => {
                if let Some(line) = self.lines.remove(&call) {
                    self.lines.insert(by, line);
                }
                self.roll.rename(call, by);
                self.wires.unwatch(call);
            }
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

    pub(super) fn news(&mut self, call: SipCall, news: SipNews) {
        let Some(line) = self.lines.get(&call) else { return };
        // A task that has gone needs none.
        if let Err(mpsc::error::TrySendError::Full(_)) = line.try_send(news) {
            tracing::error!("a call does not take its news");
        }
    }

    fn over(&mut self, call: SipCall, last: SipNews) {
        self.news(call, last);
        self.lines.remove(&call);
        self.house.doorman.over(call);
        self.wires.unwatch(call);
        self.roll.leave(call);
    }
}
