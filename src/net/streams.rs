//! The table of connections: who may open one, which one a message goes over, and what is told when one ends. RFC 3261 §18, RFC 5626, RFC 5923.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::connection::{self, End};
use super::patience::Kept;
use super::sockets;
use super::tls::Tls;
use crate::base::clock::Clock;
use crate::base::limits;
use crate::sip::stream::Broken;
use crate::sip::{Flow, Peer, Transport};

/// What the network tells.
#[derive(Debug)]
pub enum Arrived {
    /// A message, or a datagram.
    Message {
        /// The way it came.
        flow: Flow,
        /// As it came.
        bytes: Bytes,
    },
    /// A stream that cannot be read any further. Whoever has refused the message closes the connection.
    Broken {
        /// The connection.
        flow: Flow,
        /// What could be read.
        broken: Broken,
    },
    /// What waited to be sent was not.
    Unreachable {
        /// The way.
        flow: Flow,
        /// In words.
        why: String,
    },
    /// A connection has ended with nothing waiting to be sent.
    Closed {
        /// The connection.
        flow: Flow,
    },
    /// The system sends to a peer from another address of ours now.
    Moved {
        /// The peer.
        peer: SocketAddr,
        /// The address now.
        ours: IpAddr,
    },
    /// Outside we are seen at another address now.
    Seen {
        /// The peer that this counts for.
        peer: SocketAddr,
        /// The address now, and the port of our datagrams.
        public: SocketAddr,
    },
}

/// An order to one connection.
#[derive(Debug)]
pub(super) enum Order {
    Send(Bytes),
    Close,
}

struct Open {
    id: u64,
    orders: mpsc::Sender<Order>,
    kept: watch::Sender<Kept>,
}

/// What the connection's task holds.
pub(super) struct Seat {
    pub(super) id: u64,
    pub(super) flow: Flow,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) orders_in: mpsc::Sender<Order>,
    pub(super) kept: watch::Receiver<Kept>,
}

#[derive(Default)]
struct Table {
    open: HashMap<(Transport, SocketAddr), Open>,
    names: HashMap<SocketAddr, String>,
    welcome: Vec<Peer>,
    /// Ways that something depends on, whether a connection stands there or not.
    kept: HashSet<(Transport, SocketAddr)>,
    last_id: u64,
    counts: StreamCounts,
}

/// What was counted since the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct StreamCounts {
    /// Connections at this moment.
    pub open: usize,
    /// Connections of strangers, closed at once.
    pub strangers: u64,
    /// Connections closed at once because there were too many.
    pub refused: u64,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: u64,
}

pub(super) struct Shared {
    table: Mutex<Table>,
    pub(super) tls: Arc<Tls>,
    pub(super) arrived: mpsc::Sender<Arrived>,
    pub(super) clock: Clock,
}

/// All connections; clones share the table.
#[derive(Clone)]
pub struct Streams(pub(super) Arc<Shared>);

impl Streams {
    /// A table without connections, whose peers may be `welcome`; news go to `arrived`.
    pub fn new(clock: Clock, tls: Arc<Tls>, welcome: Vec<Peer>, arrived: mpsc::Sender<Arrived>) -> Self {
        let table = Mutex::new(Table { welcome, ..Table::default() });
        Self(Arc::new(Shared { table, tls, arrived, clock }))
    }

    /// Accepts connections for ever. Strangers, and those beyond the bounds, are closed at once.
    pub async fn listen(self, transport: Transport, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, remote)) => self.accepted(transport, stream, remote),
                Err(error) => {
                    // Out of descriptors, most likely: waiting lets some be closed.
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn accepted(&self, transport: Transport, stream: TcpStream, remote: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        let flow = Flow { transport, local, remote };
        let Some(seat) = self.admit(flow) else { return };
        sockets::tune(&stream);
        tokio::spawn(connection::inbound(self.clone(), seat, stream));
    }

    /// A place in the table for a connection from outside.
    fn admit(&self, flow: Flow) -> Option<Seat> {
        let mut table = self.0.table();
        if !table.welcome.iter().any(|peer| peer.contains(flow.remote.ip())) {
            table.counts.strangers += 1;
            return None;
        }
        if table.is_full(flow.remote.ip()) {
            table.counts.refused += 1;
            return None;
        }
        Some(table.enter(flow))
    }

    /// Sends over the connection to `flow.remote`, and opens one where there is none. Never waits.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        let mut table = self.0.table();
        if let Some(open) = table.open.get(&key(flow)) {
            if open.orders.try_send(Order::Send(bytes)).is_ok() {
                return;
            }
            // A peer that does not read what it is sent: its task ends with this entry, and tells of it.
            table.open.remove(&key(flow));
            return;
        }
        if table.is_full(flow.remote.ip()) {
            table.counts.refused += 1;
            drop(table);
            return self.0.report(Arrived::Unreachable { flow, why: "too many connections at once".to_owned() });
        }
        let seat = table.enter(flow);
        let name = table.names.get(&flow.remote).cloned();
        drop(table);
        let sent = seat.orders_in.try_send(Order::Send(bytes));
        debug_assert!(sent.is_ok(), "a new queue has room");
        tokio::spawn(connection::outbound(self.clone(), seat, name));
    }

    /// Closes a connection once everything before this was written.
    pub fn close(&self, flow: Flow) {
        if let Some(open) = self.0.table().open.remove(&key(flow)) {
            let _ = open.orders.try_send(Order::Close);
        }
    }

    /// Asks from now on whether the connection there lives, this one and each that follows it.
    pub fn keep(&self, flow: Flow) {
        let mut table = self.0.table();
        if table.kept.len() < limits::KEPT_FLOWS_MAX {
            table.kept.insert(key(flow));
        }
        if let Some(open) = table.open.get(&key(flow)) {
            open.kept.send_replace(Kept::Yes);
        }
    }

    /// Nothing depends on the connection any more: it is closed when it has been idle.
    pub fn release(&self, flow: Flow) {
        let mut table = self.0.table();
        table.kept.remove(&key(flow));
        if let Some(open) = table.open.get(&key(flow)) {
            open.kept.send_replace(Kept::No);
        }
    }

    /// The name that the certificate at `remote` must have (RFC 5922 §4).
    pub fn expect_name(&self, remote: SocketAddr, name: &str) {
        let mut table = self.0.table();
        if table.names.len() >= limits::SERVER_NAMES_MAX && !table.names.contains_key(&remote) {
            table.names.clear();
        }
        table.names.insert(remote, name.to_owned());
    }

    /// Replaces the list of those who may open connections.
    pub fn set_welcome(&self, welcome: Vec<Peer>) {
        self.0.table().welcome = welcome;
    }

    /// What was counted.
    pub fn counts(&self) -> StreamCounts {
        let table = self.0.table();
        StreamCounts { open: table.open.len(), ..table.counts }
    }

    /// Leaves the table, and tells how the connection ended.
    pub(super) async fn leave(&self, mut seat: Seat, end: End) {
        {
            let mut table = self.0.table();
            if table.open.get(&key(seat.flow)).is_some_and(|open| open.id == seat.id) {
                table.open.remove(&key(seat.flow));
            }
            table.counts.handshakes_failed += u64::from(end.handshake_failed);
        }
        seat.orders.close();
        let mut unsent = end.unsent;
        while let Ok(order) = seat.orders.try_recv() {
            unsent |= matches!(order, Order::Send(_));
        }
        let (flow, why) = (seat.flow, end.why);
        tracing::debug!(remote = %flow.remote, transport = flow.transport.uri_name(), %why, unsent, "connection over");
        let news = if unsent { Arrived::Unreachable { flow, why } } else { Arrived::Closed { flow } };
        let _ = self.0.arrived.send(news).await;
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells something without waiting: the teller may be the one who listens.
    fn report(self: &Arc<Self>, news: Arrived) {
        let shared = Arc::clone(self);
        tokio::spawn(async move { shared.arrived.send(news).await });
    }
}

impl Table {
    fn is_full(&self, source: IpAddr) -> bool {
        let of_source = self.open.keys().filter(|(_, remote)| remote.ip() == source).count();
        self.open.len() >= limits::STREAMS_MAX || of_source >= limits::STREAMS_A_SOURCE_MAX
    }

    fn enter(&mut self, flow: Flow) -> Seat {
        self.last_id += 1;
        let id = self.last_id;
        let (orders_in, orders) = mpsc::channel(limits::STREAM_QUEUE_MAX);
        let (kept_in, kept) = watch::channel(if self.kept.contains(&key(flow)) { Kept::Yes } else { Kept::No });
        self.open.insert(key(flow), Open { id, orders: orders_in.clone(), kept: kept_in });
        Seat { id, flow, orders, orders_in, kept }
    }
}

const fn key(flow: Flow) -> (Transport, SocketAddr) {
    (flow.transport, flow.remote)
}

#[cfg(test)]
mod tests;
