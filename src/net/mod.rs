//! Sockets of the signalling side and ports for media: binding and addresses. The protocols are in `sip` and `media`.

mod address;
mod ports;
mod udp;

pub use address::{ResolveError, local_towards, resolve};
pub use ports::{MediaPorts, PortsError};
pub use udp::{Datagram, UdpFlow};
