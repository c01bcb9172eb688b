//! Sockets of the signalling side and ports for media: listeners, connections, certificates, names and addresses. The protocols are in `sip` and
//! `media`.

mod address;
mod connection;
mod patience;
mod ports;
mod resolve;
mod sockets;
mod streams;
mod stun;
mod tls;
mod udp;

pub use address::{ResolveError, local_towards, resolve};
pub use ports::{MediaPorts, PortsError};
pub use resolve::{Place, Places, Resolver};
pub use sockets::tcp as tcp_listener;
pub use streams::{Arrived, StreamCounts, Streams};
pub use stun::{Asked, STUN_PORT, is_stun};
pub use tls::{Tls, TlsError, TlsFiles};
pub use udp::{Datagram, UdpFlow};
