//! Every socket of the signalling: listeners, connections, keep-alives, and a watch on our own addresses. It carries, and decides nothing.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::base::clock::Clock;
use crate::base::limits::{CALLS_MAX, DATAGRAM_KEEP_EVERY_MS, KEPT_FLOWS_MAX};
use crate::config::Listener;
use crate::net::{Arrived, Asked, StreamCounts, Streams, Tls, TlsError, TlsFiles, UdpFlow, is_stun, local_towards, tcp_listener};
use crate::sip::stream::PING;
use crate::sip::{Flow, Peer, SipCall, Transport};

/// News that wait at once. Full: connections are not read from, and datagrams wait in the system's buffer, which drops.
const NEWS_MAX: usize = 1_024;

/// How often our own addresses and the certificates' files are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// How often a STUN server is asked, and how long each of two questions waits for its answer.
const STUN_EVERY: Duration = Duration::from_mins(1);
const STUN_WAIT: Duration = Duration::from_millis(700);

/// STUN servers that are asked at once.
const STUN_MAX: usize = 32;

/// What the wires need to know.
#[derive(Clone, Debug)]
pub struct WireSettings {
    /// Where to listen.
    pub listen: Vec<Listener>,
    /// The certificates.
    pub tls: TlsFiles,
    /// Who may open connections.
    pub welcome: Vec<Peer>,
}

/// The wires cannot be laid.
#[derive(Debug, thiserror::Error)]
pub enum WiresError {
    /// A socket.
    #[error("cannot listen on {listener}: {error}. Something else may use that port: name another with --sip, or in [sip] listen")]
    Listen {
        /// Which.
        listener: Listener,
        /// What the system said.
        error: std::io::Error,
    },
    /// The certificates.
    #[error("{0}")]
    Tls(#[from] TlsError),
}

struct Inner {
    clock: Clock,
    datagrams: Vec<UdpFlow>,
    /// Where we listen, as bound.
    listening: Vec<Listener>,
    streams: Streams,
    tls: Arc<Tls>,
    news: mpsc::Sender<Arrived>,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    /// Ways of datagrams that are kept open.
    kept: Vec<Flow>,
    /// Peers, and our address as the system would choose it towards each.
    peers: HashMap<SocketAddr, Option<IpAddr>>,
    /// Questions to STUN servers.
    asked: HashMap<Asked, oneshot::Sender<SocketAddr>>,
    /// The peer of each call that came in: our address towards it is watched as well.
    callers: HashMap<SipCall, SocketAddr>,
    /// What peers are told that our address is, where that is not the local one.
    told: Vec<(Peer, IpAddr)>,
    /// STUN servers, by the peer that they are asked for; and what they last said.
    mirrors: HashMap<SocketAddr, (SocketAddr, Option<SocketAddr>)>,
}

impl Watched {
    fn is_needed(&self, peer: SocketAddr) -> bool {
        self.kept.iter().any(|flow| flow.remote == peer) || self.callers.values().any(|known| *known == peer)
    }
}

/// All sockets; clones share them.
#[derive(Clone)]
pub struct Wires(Arc<Inner>);

impl Wires {
    /// Binds every listener and begins to serve them. What arrives comes out of the queue.
    pub async fn start(clock: Clock, settings: WireSettings) -> Result<(Self, mpsc::Receiver<Arrived>), WiresError> {
        let (news, arrived) = mpsc::channel(NEWS_MAX);
        if settings.tls.own.is_none() && settings.listen.iter().any(|listener| listener.transport == Transport::Tls) {
            return Err(TlsError::NoCertificate.into());
        }
        let files = settings.tls;
        let opened = tokio::task::spawn_blocking(move || Tls::open(files)).await;
        let tls = Arc::new(opened.map_err(|error| TlsError::Stopped(error.to_string()))??);
        let streams = Streams::new(clock, Arc::clone(&tls), settings.welcome, news.clone());
        let (mut datagrams, mut listening) = (Vec::new(), Vec::new());
        for listener in settings.listen {
            let failed = |error| WiresError::Listen { listener, error };
            let address = if listener.transport == Transport::Udp {
                let flow = UdpFlow::bind(listener.address).map_err(failed)?;
                datagrams.push(flow.clone());
                flow.local()
            } else {
                let socket = tcp_listener(listener.address).map_err(failed)?;
                let address = socket.local_addr().map_err(failed)?;
                tokio::spawn(streams.clone().listen(listener.transport, socket));
                address
            };
            listening.push(Listener { transport: listener.transport, address });
        }
        let wires = Self(Arc::new(Inner { clock, datagrams, listening, streams, tls, news, watched: Mutex::default() }));
        for socket in &wires.0.datagrams {
            tokio::spawn(wires.clone().receive(socket.clone()));
        }
        tokio::spawn(wires.clone().look_around());
        Ok((wires, arrived))
    }

    /// Where we listen, as bound.
    pub fn listening(&self) -> &[Listener] {
        &self.0.listening
    }

    /// Sends one message. Never waits: what cannot be sent comes back as [`Arrived::Unreachable`], or is lost as a datagram may be.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        if flow.transport.is_reliable() {
            return self.0.streams.send(flow, bytes);
        }
        let Some(socket) = self.socket_of(flow) else {
            tracing::warn!(local = %flow.local, remote = %flow.remote, "nothing listens there to send from");
            return;
        };
        socket.send(flow.remote, &bytes);
    }

    /// Closes a connection once everything before this was written.
    pub fn close(&self, flow: Flow) {
        self.0.streams.close(flow);
    }

    /// Keeps a way open from now on: a connection is asked whether it lives, a way of datagrams gets line breaks for the NATs on it
    /// (RFC 5626 §3.5, §4.4). Our address towards that peer is watched: [`Arrived::Moved`] tells when it is another one.
    pub fn keep(&self, flow: Flow) {
        let mut watched = self.watched();
        if watched.kept.len() >= KEPT_FLOWS_MAX || watched.kept.iter().any(|known| known.is_same_way(flow)) {
            return;
        }
        watched.kept.push(flow);
        watched.peers.entry(flow.remote).or_insert_with(|| local_towards(flow.remote));
        drop(watched);
        if flow.transport.is_reliable() {
            self.0.streams.keep(flow);
        }
    }

    /// Ends what [`Wires::keep`] began.
    pub fn release(&self, flow: Flow) {
        let mut watched = self.watched();
        watched.kept.retain(|known| !known.is_same_way(flow));
        if !watched.is_needed(flow.remote) {
            watched.peers.remove(&flow.remote);
        }
        drop(watched);
        self.0.streams.release(flow);
    }

    /// Watches our address towards the peer of a call, until [`Wires::unwatch`].
    pub fn watch(&self, call: SipCall, peer: SocketAddr) {
        let mut watched = self.watched();
        if watched.callers.len() < 2 * CALLS_MAX {
            watched.callers.insert(call, peer);
            watched.peers.entry(peer).or_insert_with(|| local_towards(peer));
        }
    }

    /// The call is over.
    pub fn unwatch(&self, call: SipCall) {
        let mut watched = self.watched();
        let Some(peer) = watched.callers.remove(&call) else { return };
        if !watched.is_needed(peer) {
            watched.peers.remove(&peer);
        }
    }

    /// The name that the certificate at `remote` must have.
    pub fn expect_name(&self, remote: SocketAddr, name: &str) {
        self.0.streams.expect_name(remote, name);
    }

    /// Replaces the list of those who may open connections.
    pub fn set_welcome(&self, welcome: Vec<Peer>) {
        self.0.streams.set_welcome(welcome);
    }

    /// The way to `remote`, from the listener that is nearest to it; `from` wants one address of ours. None where nothing of ours speaks that
    /// transport in that family of addresses: a connection alone needs no listener.
    pub fn local_flow(&self, transport: Transport, remote: SocketAddr, from: Option<IpAddr>) -> Option<Flow> {
        let towards = from.or_else(|| local_towards(remote));
        let of_family = || self.0.listening.iter().filter(|one| one.transport == transport && one.address.is_ipv4() == remote.is_ipv4());
        let exact = of_family().find(|one| Some(one.address.ip()) == towards);
        let any = exact.or_else(|| of_family().find(|one| one.address.ip().is_unspecified()));
        let chosen = any.or_else(|| of_family().next().filter(|_| from.is_none()));
        let local = match (chosen, towards) {
            (Some(listener), Some(ip)) if listener.address.ip().is_unspecified() => SocketAddr::new(ip, listener.address.port()),
            (Some(listener), _) => listener.address,
            (None, Some(ip)) if transport.is_reliable() => SocketAddr::new(ip, transport.default_port()),
            (None, _) => return None,
        };
        Some(Flow { transport, local, remote })
    }

    /// Reads the certificates again.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        self.0.tls.reload()
    }

    /// What was counted of connections.
    pub fn counts(&self) -> StreamCounts {
        self.0.streams.counts()
    }

    /// Our address as the STUN server sees it, asked from the very socket that datagrams of calls go from; none where it does not answer.
    pub async fn public_address(&self, server: SocketAddr) -> Option<SocketAddr> {
        let flow = self.local_flow(Transport::Udp, server, None)?;
        for _ in 0..2 {
            let asked = Asked::new(crate::base::entropy::bytes().ok()?);
            let (answer_in, answer) = oneshot::channel();
            {
                let mut watched = self.watched();
                if watched.asked.len() >= STUN_MAX {
                    return None;
                }
                watched.asked.insert(asked, answer_in);
            }
            self.send(flow, Bytes::copy_from_slice(&asked.request()));
            let outcome = tokio::time::timeout(STUN_WAIT, answer).await;
            self.watched().asked.remove(&asked);
            if let Ok(Ok(address)) = outcome {
                return Some(address);
            }
        }
        None
    }

    /// Asks the STUN server now and every minute for the address that `peer` is told: [`Arrived::Seen`] tells it, and each change.
    pub fn mirror(&self, peer: SocketAddr, server: SocketAddr) {
        let mut watched = self.watched();
        if watched.mirrors.len() >= STUN_MAX && !watched.mirrors.contains_key(&peer) {
            return;
        }
        let seen = watched.mirrors.get(&peer).filter(|(known, _)| *known == server).and_then(|(_, seen)| *seen);
        watched.mirrors.insert(peer, (server, seen));
        drop(watched);
        tokio::spawn(self.clone().look_into_mirrors());
    }

    /// Notes the address that the peers of a block are told; none for the local one.
    pub fn note_told(&self, peer: Peer, told: Option<IpAddr>) {
        let mut watched = self.watched();
        watched.told.retain(|(known, _)| *known != peer);
        if watched.told.len() < KEPT_FLOWS_MAX {
            watched.told.extend(told.map(|told| (peer, told)));
        }
    }

    /// The address that this peer is told: its sound belongs there as well.
    pub fn told(&self, peer: IpAddr) -> Option<IpAddr> {
        self.watched().told.iter().find(|(known, _)| known.contains(peer)).map(|(_, told)| *told)
    }

    fn socket_of(&self, flow: Flow) -> Option<&UdpFlow> {
        let exact = self.0.datagrams.iter().find(|socket| socket.local() == flow.local);
        let of_port = |socket: &&UdpFlow| socket.local().port() == flow.local.port() && socket.local().is_ipv4() == flow.remote.is_ipv4();
        exact.or_else(|| self.0.datagrams.iter().find(of_port))
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn receive(self, socket: UdpFlow) {
        let mut buffer = Vec::new();
        let mut towards = Nearest::default();
        loop {
            let datagram = socket.receive(&mut buffer).await;
            if is_stun(&datagram.bytes) {
                self.answered(&datagram.bytes);
                continue;
            }
            let mut local = socket.local();
            if local.ip().is_unspecified() {
                local.set_ip(towards.local(self.0.clock, datagram.remote).unwrap_or(local.ip()));
            }
            let news = Arrived::Message { flow: Flow::udp(local, datagram.remote), bytes: datagram.bytes.into() };
            if self.0.news.send(news).await.is_err() {
                return;
            }
        }
    }

    fn answered(&self, datagram: &[u8]) {
        let mut watched = self.watched();
        let found = watched.asked.keys().find_map(|asked| Some((*asked, asked.answer(datagram)?)));
        if let Some((asked, address)) = found
            && let Some(waiting) = watched.asked.remove(&asked)
        {
            let _ = waiting.send(address);
        }
    }

    async fn look_around(self) {
        let (mut ticks, mut kept_ms, mut stun_ms) = (tokio::time::interval(WATCH_EVERY), 0, 0);
        let step = u64::try_from(WATCH_EVERY.as_millis()).unwrap_or(u64::MAX);
        loop {
            ticks.tick().await;
            let tls = Arc::clone(&self.0.tls);
            match tokio::task::spawn_blocking(move || tls.reload_if_changed()).await {
                Ok(Ok(true)) => tracing::info!("the certificates were read again"),
                Ok(Err(error)) => tracing::error!(%error, "the old certificates stay"),
                Ok(Ok(false)) | Err(_) => {}
            }
            if !self.look_at_addresses().await {
                return;
            }
            kept_ms += step;
            if kept_ms >= DATAGRAM_KEEP_EVERY_MS {
                kept_ms = 0;
                let kept = self.watched().kept.clone();
                kept.into_iter().filter(|flow| !flow.transport.is_reliable()).for_each(|flow| self.send(flow, Bytes::from_static(PING)));
            }
            stun_ms += step;
            if stun_ms >= u64::try_from(STUN_EVERY.as_millis()).unwrap_or(u64::MAX) {
                stun_ms = 0;
                tokio::spawn(self.clone().look_into_mirrors());
            }
        }
    }

    /// Whether the system would send from another address than before; false when nobody listens any more.
    async fn look_at_addresses(&self) -> bool {
        let peers: Vec<(SocketAddr, Option<IpAddr>)> = self.watched().peers.iter().map(|(peer, ours)| (*peer, *ours)).collect();
        for (peer, before) in peers {
            // No way at all is no news: the old address may come back.
            let Some(now) = local_towards(peer).filter(|now| Some(*now) != before) else { continue };
            self.watched().peers.entry(peer).and_modify(|ours| *ours = Some(now));
            tracing::warn!(%peer, ours = %now, "our own address is another one now");
            if before.is_some() && self.0.news.send(Arrived::Moved { peer, ours: now }).await.is_err() {
                return false;
            }
        }
        true
    }

    async fn look_into_mirrors(self) {
        let mirrors: Vec<_> = self.watched().mirrors.iter().map(|(peer, (server, seen))| (*peer, *server, *seen)).collect();
        for (peer, server, before) in mirrors {
            let Some(now) = self.public_address(server).await.filter(|now| Some(*now) != before) else { continue };
            self.watched().mirrors.entry(peer).and_modify(|(_, seen)| *seen = Some(now));
            tracing::info!(%peer, public = %now, "seen from outside at this address");
            if self.0.news.send(Arrived::Seen { peer, public: now }).await.is_err() {
                return;
            }
        }
    }
}

/// Our address towards the last peer, for a moment: asking the system costs a socket.
#[derive(Default)]
struct Nearest(Option<(IpAddr, crate::base::Instant, Option<IpAddr>)>);

impl Nearest {
    fn local(&mut self, clock: Clock, remote: SocketAddr) -> Option<IpAddr> {
        let now = clock.now();
        if let Some((peer, until, local)) = self.0
            && peer == remote.ip()
            && now < until
        {
            return local;
        }
        let local = local_towards(remote);
        self.0 = Some((remote.ip(), now + Duration::from_secs(1), local));
        local
    }
}

#[cfg(test)]
mod tests;
