//! UDP ports for media, from the configured range.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU16, Ordering};

/// No port could be opened.
#[derive(Debug, thiserror::Error)]
#[error("no free media port from {first} to {last} on {address}: widen [media] ports, or find out what else uses them")]
pub struct PortsError {
    address: IpAddr,
    first: u16,
    last: u16,
}

/// Hands out sockets on even ports (RFC 3550 §11), each time from the place after the last one, so that a port rests before its next use.
#[derive(Debug)]
pub struct MediaPorts {
    range: RangeInclusive<u16>,
    next: AtomicU16,
}

impl MediaPorts {
    /// Ports of `range`, its odd ones left out.
    pub fn new(range: RangeInclusive<u16>) -> Self {
        Self { next: AtomicU16::new(*range.start()), range }
    }

    /// A non-blocking socket on the next free even port of `address`.
    pub fn open(&self, address: IpAddr) -> Result<UdpSocket, PortsError> {
        let (first, last) = (*self.range.start(), *self.range.end());
        for _ in 0..=(last.saturating_sub(first) / 2) {
            let port = self.following();
            let Ok(socket) = UdpSocket::bind(SocketAddr::new(address, port)) else { continue };
            if socket.set_nonblocking(true).is_ok() {
                return Ok(socket);
            }
        }
        Err(PortsError { address, first, last })
    }

    fn following(&self) -> u16 {
        let (first, last) = (*self.range.start(), *self.range.end());
        let even = first.saturating_add(first % 2);
        let step = |port: u16| if port.saturating_add(3) > last || port < even { even } else { port + 2 };
        let before = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |port| Some(step(port)));
        let port = before.unwrap_or(even);
        if port < even || !port.is_multiple_of(2) { even } else { port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_come_on_different_even_ports_until_the_range_is_full() {
        let ports = MediaPorts::new(41_001..=41_010);
        let open: Vec<UdpSocket> = (0..4).map(|_| ports.open(IpAddr::from([127, 0, 0, 1])).unwrap()).collect();
        let mut numbers: Vec<u16> = open.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 4);
        assert!(numbers.iter().all(|port| port.is_multiple_of(2) && (41_002..=41_010).contains(port)), "{numbers:?}");
        drop(open);
    }
}
