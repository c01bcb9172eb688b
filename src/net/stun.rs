//! Which address of ours somebody outside sees: the Binding request of STUN, asked from the socket that it is asked about. RFC 8489 §5, §6, §14.2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where STUN servers listen.
pub const STUN_PORT: u16 = 3478;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const MAPPED_ADDRESS: [u8; 2] = [0x00, 0x01];

/// Whether a datagram on a SIP socket is one of STUN: no SIP message begins with these bits, and the cookie stands in its place (§6.3).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|byte| *byte < 4) && datagram.get(4..8) == Some(&COOKIE[..])
}

/// A question under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Asked([u8; 12]);

impl Asked {
    /// A question with this transaction ID, which nobody may be able to guess.
    pub const fn new(id: [u8; 12]) -> Self {
        Self(id)
    }

    /// The Binding request.
    pub fn request(self) -> [u8; 20] {
        let mut request = [0; 20];
        for (place, byte) in request.iter_mut().zip(BINDING_REQUEST.into_iter().chain([0, 0]).chain(COOKIE).chain(self.0)) {
            *place = byte;
        }
        request
    }

    /// The address in a Binding response to this question; none when it is another message, or says nothing of the kind.
    pub fn answer(self, datagram: &[u8]) -> Option<SocketAddr> {
        let (head, attributes) = datagram.split_first_chunk::<20>()?;
        let length = usize::from(u16::from_be_bytes([*head.get(2)?, *head.get(3)?]));
        let ours = head.starts_with(&BINDING_SUCCESS) && is_stun(datagram) && head.ends_with(&self.0);
        let mut rest = attributes.get(..length).filter(|_| ours)?;
        let mut plain = None;
        // Every attribute is four octets at least, so this ends.
        while let Some((header, after)) = rest.split_first_chunk::<4>() {
            let [high, low, long, short] = *header;
            let size = usize::from(u16::from_be_bytes([long, short]));
            let value = after.get(..size)?;
            match [high, low] {
                XOR_MAPPED_ADDRESS => return self.unmasked(address(value)?),
                // Servers of RFC 3489 know this one alone.
                MAPPED_ADDRESS => plain = address(value),
                _ => {}
            }
            rest = after.get(size.next_multiple_of(4)..).unwrap_or_default();
        }
        plain
    }

    /// §14.2: port and address are masked, so that no middle box rewrites them.
    fn unmasked(self, masked: SocketAddr) -> Option<SocketAddr> {
        let port = masked.port() ^ u16::from_be_bytes([COOKIE[0], COOKIE[1]]);
        let cookie = u32::from_be_bytes(COOKIE);
        let ip = match masked.ip() {
            IpAddr::V4(ip) => IpAddr::from(Ipv4Addr::from(u32::from(ip) ^ cookie)),
            IpAddr::V6(ip) => {
                let mut id = [0; 16];
                let (_, tail) = id.split_first_chunk_mut::<4>()?;
                tail.iter_mut().zip(self.0).for_each(|(place, byte)| *place = byte);
                let mask = (u128::from(cookie) << 96) | u128::from_be_bytes(id);
                IpAddr::from(Ipv6Addr::from(u128::from(ip) ^ mask))
            }
        };
        Some(SocketAddr::new(ip, port))
    }
}

/// §14.1: an octet of nothing, the family, the port, the address.
fn address(value: &[u8]) -> Option<SocketAddr> {
    let (&[_, family, high, low], rest) = value.split_first_chunk::<4>()?;
    let ip = match family {
        1 => IpAddr::from(<[u8; 4]>::try_from(rest).ok()?),
        2 => IpAddr::from(<[u8; 16]>::try_from(rest).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction ID of the examples.
    const ID: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn response(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&BINDING_SUCCESS[..], &length, &COOKIE, &ID, attributes].concat()
    }

    /// RFC 5769 §2.2 and §2.3: the mapped addresses of the sample responses.
    #[test]
    fn the_sample_responses_are_read() {
        let v4 = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let software = [0x80, 0x22, 0x00, 0x0b, b't', b'e', b's', b't', b' ', b'v', b'e', b'c', b't', b'o', b'r', b' '];
        assert_eq!(Asked(ID).answer(&response(&[&software[..], &v4].concat())), Some("192.0.2.1:32853".parse().unwrap()));
        let v6 = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe,
            0xd2, 0xb9, 0xd9,
        ];
        let wanted = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(Asked(ID).answer(&response(&v6)), Some(wanted));
    }

    #[test]
    fn what_is_no_answer_to_this_question_is_none() {
        let v4 = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let good = response(&v4);
        assert_eq!(Asked([0; 12]).answer(&good), None, "another question's");
        for cut in 0..good.len() {
            assert_eq!(Asked(ID).answer(&good[..cut]), None);
        }
        assert_eq!(Asked(ID).answer(&response(&[0x00, 0x20, 0xff, 0xff])), None, "longer than it is");
        let request = Asked(ID).request();
        assert!(is_stun(&request) && Asked(ID).answer(&request).is_none());
        assert!(!is_stun(b"OPTIONS sip:a@b SIP/2.0\r\n") && !is_stun(b"") && !is_stun(b"\r\n\r\n"));
    }

    /// RFC 3489 §11.2.1: an older server answers unmasked.
    #[test]
    fn an_unmasked_address_is_taken_where_there_is_no_other() {
        let old = [0x00, 0x01, 0x00, 0x08, 0x00, 0x01, 0x13, 0xc4, 203, 0, 113, 9];
        assert_eq!(Asked(ID).answer(&response(&old)), Some("203.0.113.9:5060".parse().unwrap()));
    }
}
