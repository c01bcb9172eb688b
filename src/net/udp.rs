//! One UDP listener of the signalling side.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::UdpSocket;

use super::sockets;
use crate::base::limits::SIP_DATAGRAM_BYTES_MAX;

/// What arrived, and from where.
#[derive(Debug)]
pub struct Datagram {
    /// The sender, as the network shows it.
    pub remote: SocketAddr,
    /// The payload.
    pub bytes: Vec<u8>,
}

/// A bound socket; clones share it.
#[derive(Clone, Debug)]
pub struct UdpFlow {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
}

impl UdpFlow {
    /// Listens on `address`; port 0 lets the system choose.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = sockets::udp(address)?;
        let local = socket.local_addr()?;
        Ok(Self { socket: Arc::new(socket), local })
    }

    /// Where it listens.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The next datagram. A report of an unreachable peer (ICMP) is not a failure of ours: it is passed over.
    pub async fn receive(&self, buffer: &mut Vec<u8>) -> Datagram {
        loop {
            buffer.resize(SIP_DATAGRAM_BYTES_MAX, 0);
            if let Ok((length, remote)) = self.socket.recv_from(buffer).await {
                return Datagram { remote, bytes: buffer.get(..length).unwrap_or_default().to_vec() };
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sends `bytes` without ever waiting; what the network refuses is lost, as any datagram may be: SIP sends again.
    pub fn send(&self, remote: SocketAddr, bytes: &[u8]) {
        // By the socket itself: the runtime would have us wait where the system takes the datagram at once.
        if let Err(error) = SockRef::from(&*self.socket).send_to(bytes, &remote.into()) {
            tracing::debug!(%remote, %error, "datagram not sent");
        }
    }
}
