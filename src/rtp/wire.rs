//! RTP packets as bytes. The only file that names `rtp_rs`. RFC 3550 §5.1, RFC 5761 §4.

use rtp_rs::{RtpPacketBuilder, RtpReader, RtpReaderError};

use crate::base::RtpTime;

/// The fixed header without contributing sources or extension.
pub const HEADER_BYTES: usize = 12;

/// The largest datagram that is read: what an Ethernet frame carries. Larger: cut by the system and refused or misread as one short packet.
pub const DATAGRAM_BYTES_MAX: usize = 1_500;

/// The header fields that we write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Synchronisation source.
    pub ssrc: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub time: RtpTime,
    /// Marker bit: the first packet of a talk spurt or of a key.
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
}

/// A packet as read; the payload is without padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// The fields of the fixed header.
    pub header: Header,
    /// What is carried.
    pub payload: &'a [u8],
}

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its header.
    #[error("RFC 3550 §5.1: shorter than its header")]
    Short,
    /// Another version than 2.
    #[error("RFC 3550 §5.1: version {0} instead of 2")]
    Version(u8),
    /// The count of padding octets does not fit.
    #[error("RFC 3550 §5.1: {0} octets of padding do not fit")]
    Padding(u8),
}

/// Whether a datagram on a port shared by both is RTCP (RFC 5761 §4: packet types 192 to 223).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.len() >= 8 && datagram[0] >> 6 == 2 && (192..=223).contains(&datagram[1])
}

/// Reads one packet.
pub fn parse(datagram: &[u8]) -> Result<Packet<'_>, Malformed> {
    let reader = RtpReader::new(datagram).map_err(|error| match error {
        RtpReaderError::UnsupportedVersion(version) => Malformed::Version(version),
        RtpReaderError::PaddingLengthInvalid(count) => Malformed::Padding(count),
        RtpReaderError::BufferTooShort(_) | RtpReaderError::HeadersTruncated { .. } => Malformed::Short,
    })?;
    let header = Header {
        ssrc: reader.ssrc(),
        sequence: u16::from(reader.sequence_number()),
        time: RtpTime(reader.timestamp()),
        marker: reader.mark(),
        payload_type: reader.payload_type(),
    };
    Ok(Packet { header, payload: reader.payload() })
}

/// Writes a packet into `buffer`; says its length, or nothing when it does not fit.
pub fn write(header: &Header, payload: &[u8], buffer: &mut [u8]) -> Option<usize> {
    RtpPacketBuilder::new()
        .payload_type(header.payload_type & 0x7f)
        .marked(header.marker)
        .sequence(header.sequence.into())
        .ssrc(header.ssrc)
        .timestamp(header.time.0)
        .payload(payload)
        .build_into(buffer)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    const HEADER: Header = Header { ssrc: 0xdead_beef, sequence: 65_535, time: RtpTime(0x8000_0001), marker: true, payload_type: 101 };

    /// RFC 3550 §5.1, by hand.
    #[test]
    fn a_packet_has_the_octets_of_the_figure() {
        let mut buffer = [0; 64];
        let length = write(&HEADER, &[1, 2, 3], &mut buffer).unwrap();
        assert_eq!(buffer[..length], [0x80, 0xe5, 0xff, 0xff, 0x80, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3]);
        assert_eq!(parse(&buffer[..length]), Ok(Packet { header: HEADER, payload: &[1, 2, 3] }));
        assert_eq!(write(&HEADER, &[0; 60], &mut buffer), None);
    }

    /// RFC 3550 §5.1: contributing sources, an extension and padding surround the payload.
    #[test]
    fn what_surrounds_the_payload_is_left_out() {
        let mut bytes = vec![0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 7, 7, 7, 7];
        bytes.extend([5, 6, 0, 0, 3]);
        assert_eq!(parse(&bytes).unwrap().payload, [5, 6]);
        *bytes.last_mut().unwrap() = 6;
        assert_eq!(parse(&bytes), Err(Malformed::Padding(6)));
    }

    /// RFC 5761 §4.
    #[test]
    fn rtcp_is_told_from_rtp_with_a_marker() {
        assert!(is_rtcp(&[0x80, 200, 0, 6, 0, 0, 0, 1]));
        assert!(!is_rtcp(&[0x80, 0x80 | 8, 0, 6, 0, 0, 0, 1]));
        assert!(!is_rtcp(&[0x80, 200]));
    }

    #[test]
    fn hostile_bytes_never_panic() {
        let mut seed = Seed::new(11);
        for _ in 0..20_000 {
            let mut bytes: Vec<u8> = (0..seed.below(64)).map(|_| seed.next_u32().to_le_bytes()[0]).collect();
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            if let Ok(packet) = parse(&bytes) {
                assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
            is_rtcp(&bytes);
        }
        assert_eq!(parse(&[0; 11]), Err(Malformed::Short));
        assert_eq!(parse(&[0x40; 12]), Err(Malformed::Version(1)));
    }
}
