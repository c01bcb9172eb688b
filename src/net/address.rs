//! From names to addresses, and which of our own addresses a peer can reach.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// A name that could not be turned into an address.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The name service does not know it, or did not answer.
    #[error("cannot resolve {host}: {source}")]
    Lookup {
        /// As asked.
        host: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The name service did not answer rightly.
    #[error("cannot resolve {host}: {what}")]
    Failed {
        /// As asked.
        host: String,
        /// What it said.
        what: String,
    },
    /// The name service did not answer at all.
    #[error("cannot resolve {host}: no name service answers. See whether this machine reaches the one in /etc/resolv.conf")]
    Silent {
        /// As asked.
        host: String,
    },
    /// The name service cannot be asked.
    #[error("cannot read how names are resolved here: {what}")]
    Setup {
        /// What is wrong.
        what: String,
    },
    /// Not a URI that leads to a server.
    #[error("{uri:?} leads to no server: write \"sip:pbx.example\", \"sip:192.0.2.10:5080;transport=tcp\" or \"sips:provider.example\"")]
    NoUri {
        /// As written.
        uri: String,
    },
    /// It answered with nothing.
    #[error("{host} has no address")]
    Nothing {
        /// As asked.
        host: String,
    },
}

/// The first address of `host`, which may be an address already; IPv6 ones may stand in brackets.
pub async fn resolve(host: &str, port: u16) -> Result<SocketAddr, ResolveError> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = plain.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    let mut found =
        tokio::net::lookup_host((plain, port)).await.map_err(|source| ResolveError::Lookup { host: host.to_owned(), source })?;
    found.next().ok_or_else(|| ResolveError::Nothing { host: host.to_owned() })
}

/// The address of ours from which the system would send to `peer`. Nothing is sent: connecting a datagram socket only chooses a route.
pub fn local_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_reached_from_loopback() {
        assert_eq!(local_towards(([127, 0, 0, 1], 5060).into()), Some(IpAddr::from([127, 0, 0, 1])));
    }
}
