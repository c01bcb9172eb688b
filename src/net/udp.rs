//! One UDP listener of the signalling side.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;

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
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
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
                return Datagram { remote, bytes: buffer[..length].to_vec() };
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sends `bytes`; what the network refuses is lost, as any datagram may be: SIP sends again.
    pub async fn send(&self, remote: SocketAddr, bytes: &[u8]) {
        if let Err(error) = self.socket.send_to(bytes, remote).await {
            tracing::debug!(%remote, %error, "datagram not sent");
        }
    }
}
