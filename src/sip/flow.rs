//! The way a message came, and the way the next one goes.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// What carries the messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    /// One message a datagram; the transactions repeat what is lost.
    Udp,
    /// A stream of messages, each as long as its Content-Length says.
    Tcp,
    /// The same inside TLS.
    Tls,
}

impl Transport {
    /// The name in a Via (RFC 3261 §20.42).
    pub const fn via_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The name in a URI's transport parameter and in a configuration.
    pub const fn uri_name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// What a URI of ours says of it: nothing for UDP, which is what a URI without a parameter means (RFC 3263 §4.1).
    pub const fn uri_param(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
        }
    }

    /// The transport of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls].into_iter().find(|transport| transport.uri_name().eq_ignore_ascii_case(name))
    }

    /// The port where none is written (RFC 3261 §19.1.2).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// Whether the transport repeats by itself what is lost.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

impl std::fmt::Display for Transport {
    /// As a configuration writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.uri_name())
    }
}

/// One path between us and a peer. Where the transport is a stream, transport and remote address name the connection, and `local` is where we
/// listen for that transport: what Via and Contact say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Flow {
    /// What carries the messages.
    pub transport: Transport,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

impl Flow {
    /// A UDP path.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, remote }
    }

    /// Whether both are the same connection, or the same way of datagrams: what Via says of us does not matter.
    pub fn is_same_way(self, other: Self) -> bool {
        (self.transport, self.remote) == (other.transport, other.remote)
    }

    /// The same path to another place.
    #[must_use]
    pub const fn towards(self, remote: SocketAddr) -> Self {
        Self { remote, ..self }
    }
}

/// A host and its port, as Via and Contact state them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPort {
    /// A name or an address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl HostPort {
    /// The host as a URI shows it: an IPv6 address in brackets.
    pub fn host_only(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

/// The addresses of a peer that is listened to: one address, or a block of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    address: IpAddr,
    prefix: u8,
}

/// A peer could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is not an address such as 192.0.2.7, nor a block such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct NotAPeer {
    /// The text as written.
    pub text: String,
}

impl Peer {
    /// Whether `address` belongs to this peer. An IPv4 address that came through an IPv6 socket counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let cut = 32_u32.saturating_sub(u32::from(self.prefix));
                u32::from(ours).checked_shr(cut).unwrap_or(0) == u32::from(theirs).checked_shr(cut).unwrap_or(0)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let cut = 128_u32.saturating_sub(u32::from(self.prefix));
                u128::from(ours).checked_shr(cut).unwrap_or(0) == u128::from(theirs).checked_shr(cut).unwrap_or(0)
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Peer {
    type Err = NotAPeer;

    fn from_str(text: &str) -> Result<Self, NotAPeer> {
        let fail = || NotAPeer { text: text.to_owned() };
        let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(address, prefix)| (address, Some(prefix)));
        let whole = Self::from(address.parse::<IpAddr>().map_err(|_| fail())?);
        match prefix.map(str::parse::<u8>) {
            None => Ok(whole),
            Some(Ok(prefix)) if prefix <= whole.prefix => Ok(Self { prefix, ..whole }),
            Some(_) => Err(fail()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_have_names_and_ports() {
        assert_eq!(
            ["TCP", "tls", "udp", "sctp"].map(Transport::named),
            [Some(Transport::Tcp), Some(Transport::Tls), Some(Transport::Udp), None]
        );
        assert_eq!([Transport::Udp, Transport::Tcp, Transport::Tls].map(Transport::default_port), [5060, 5060, 5061]);
    }

    #[test]
    fn a_peer_is_an_address_or_a_block() {
        let block: Peer = "192.0.2.0/24".parse().unwrap();
        assert!(block.contains("192.0.2.255".parse().unwrap()) && !block.contains("192.0.3.0".parse().unwrap()));
        assert!(block.contains("::ffff:192.0.2.9".parse().unwrap()), "an IPv6 socket shows IPv4 peers mapped");
        let one: Peer = "2001:db8::1".parse().unwrap();
        assert!(one.contains("2001:db8::1".parse().unwrap()) && !one.contains("2001:db8::2".parse().unwrap()));
        let all: Peer = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("8.8.8.8".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
        assert!("192.0.2.0/33".parse::<Peer>().is_err() && "pbx".parse::<Peer>().is_err());
    }
}
