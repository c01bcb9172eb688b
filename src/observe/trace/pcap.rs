//! The messages as a capture file, for sngrep or Wireshark. Whatever carried them, each is written as one UDP packet, and its secrets stay masked.

use std::net::{IpAddr, SocketAddr};

use super::ring::{Exchange, Line, Towards};

/// LINKTYPE_RAW: a packet begins with its IP header.
const RAW: u32 = 101;

/// The file's bytes.
pub fn pcap(exchanges: &[Exchange]) -> Vec<u8> {
    let mut lines: Vec<&Line> = exchanges.iter().flat_map(|exchange| &exchange.lines).collect();
    lines.sort_by_key(|line| line.at_us);
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, RAW] {
        out.extend(u32::to_le_bytes(word));
    }
    for line in lines {
        let (from, to) = match line.towards {
            Towards::Us => (line.remote, line.local),
            Towards::Them => (line.local, line.remote),
        };
        let packet = packet(from, to, line.text.as_bytes());
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let (seconds, micros) = (line.at_ms / 1_000, line.at_ms.rem_euclid(1_000) * 1_000);
        for word in [u32::try_from(seconds).unwrap_or(0), u32::try_from(micros).unwrap_or(0), length, length] {
            out.extend(word.to_le_bytes());
        }
        out.extend(packet);
    }
    out
}

fn packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut udp = Vec::with_capacity(payload.len() + 8);
    for half in [from.port(), to.port(), length, 0] {
        udp.extend(half.to_be_bytes());
    }
    udp.extend(payload);
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut head = vec![0x45, 0];
            head.extend(length.saturating_add(20).to_be_bytes());
            head.extend([0, 0, 0, 0, 64, 17, 0, 0]);
            head.extend(from.octets());
            head.extend(to.octets());
            let sum = checksum(&head).to_be_bytes();
            head.splice(10..12, sum);
            [head, udp].concat()
        }
        (from, to) => {
            let wide = |ip| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            let mut head = vec![0x60, 0, 0, 0];
            head.extend(length.to_be_bytes());
            head.extend([17, 64]);
            head.extend(wide(from));
            head.extend(wide(to));
            [head, udp].concat()
        }
    }
}

/// RFC 791 §3.1.
fn checksum(head: &[u8]) -> u16 {
    let sum: u32 = head.chunks(2).map(|pair| pair.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(u16::MAX)
}
