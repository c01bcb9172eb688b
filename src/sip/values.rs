//! Structured header values: addresses with names, Via, CSeq.

use std::net::IpAddr;

use super::{Method, Party, Uri, lex, uri};
use crate::base::limits;

/// `"Name" <uri>;params`, as From, To, Contact, Route and Refer-To hold it (RFC 3261 §20.10).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameAddr {
    /// Unquoted.
    pub display: Vec<u8>,
    /// As written.
    pub uri: Vec<u8>,
    /// The tag, where there is one.
    pub tag: Option<Vec<u8>>,
    /// How much a Contact is wanted, in thousandths (RFC 3261 §20.10).
    pub q: u16,
}

impl NameAddr {
    /// Reads one address. `None` where it breaks the grammar.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = lex::trim(bytes);
        let (display, uri, rest) = if let Some(open) = lex::find(bytes, b'<').ok()? {
            let inside = bytes.get(open + 1..)?;
            let close = inside.iter().position(|&byte| byte == b'>')?;
            (lex::trim(bytes.get(..open)?), lex::trim(inside.get(..close)?), inside.get(close + 1..)?)
        } else {
            let end = bytes.iter().position(|&byte| byte == b';').unwrap_or(bytes.len());
            let uri = lex::trim(bytes.get(..end)?);
            // Without brackets a comma, a question mark or a semicolon would belong to the header (RFC 3261 §20).
            if uri.iter().any(|byte| matches!(byte, b',' | b'?')) {
                return None;
            }
            (&[][..], uri, bytes.get(end..)?)
        };
        Uri::parse(uri)?;
        let params = lex::params(rest)?;
        let tag = lex::param_value(&params, "tag").map(<[u8]>::to_vec);
        let q = lex::param_value(&params, "q").and_then(thousandths).unwrap_or(1_000);
        Some(Self { display: lex::unquote(display), uri: uri.to_vec(), tag, q })
    }

    /// The URI taken apart.
    pub fn uri(&self) -> Uri {
        Uri::parse(&self.uri).unwrap_or_default()
    }

    /// Who that is, fit to be read by people and by rules.
    pub fn party(&self) -> Party {
        let uri = self.uri();
        let plain = |text: &[u8]| lex::plain_text(text, limits::SIP_TEXT_LETTERS_MAX);
        Party { display: plain(&self.display), user: plain(uri.user.unwrap_or_default().as_bytes()), host: plain(uri.host.as_bytes()) }
    }
}

/// The parameters of an address that belong to the header and not to the URI.
pub fn address_params(bytes: &[u8]) -> Option<Vec<lex::Param<'_>>> {
    let after = match lex::find(bytes, b'<').ok()? {
        Some(open) => {
            let inside = bytes.get(open + 1..)?;
            let close = inside.iter().position(|&byte| byte == b'>')?;
            inside.get(close + 1..)?
        }
        None => bytes.get(lex::find(bytes, b';').ok()?.unwrap_or(bytes.len())..)?,
    };
    lex::params(after)
}

/// One hop of the way a request came (RFC 3261 §20.42).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Via {
    /// `UDP` and the like, in upper case.
    pub transport: String,
    /// Where the sender says it listens.
    pub host: String,
    /// The port it says; 5060 when none.
    pub port: Option<u16>,
    /// The transaction's name.
    pub branch: Option<Vec<u8>>,
    /// Whether the response shall go to the port the request came from (RFC 3581).
    pub rport: bool,
    /// Where the response shall go instead, as an address (RFC 3261 §18.2.2).
    pub maddr: Option<IpAddr>,
    /// Where the request was seen to come from, when a response says so (RFC 3261 §18.2.1).
    pub received: Option<String>,
    /// The port it was seen to come from (RFC 3581 §4).
    pub seen_port: Option<u16>,
}

/// What every branch of a present-day client begins with.
pub const COOKIE: &[u8] = b"z9hG4bK";

impl Via {
    /// Reads one Via. `None` where it breaks the grammar.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = lex::find(bytes, b';').ok()?.unwrap_or(bytes.len());
        let (head, rest) = (bytes.get(..end)?, bytes.get(end..)?);
        let mut protocol = head.splitn(3, |&byte| byte == b'/');
        let name = lex::trim(protocol.next()?);
        let version = lex::trim(protocol.next()?);
        if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
            return None;
        }
        let after = lex::trim(protocol.next()?);
        let gap = after.iter().position(u8::is_ascii_whitespace)?;
        let transport = after.get(..gap)?;
        let sent_by: Vec<u8> = after.get(gap..)?.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let (host, port) = uri::host_port(&sent_by)?;
        let params = lex::params(rest)?;
        if !lex::is_token(transport) {
            return None;
        }
        let branch = lex::param_value(&params, "branch").map(<[u8]>::to_vec);
        let rport = lex::has_param(&params, "rport");
        let maddr = lex::param_value(&params, "maddr").and_then(|address| lex::text(address).trim_matches(['[', ']']).parse().ok());
        let received = lex::param_value(&params, "received").map(|ip| lex::text(ip).trim_matches(['[', ']']).to_owned());
        let seen_port = lex::param_value(&params, "rport").and_then(|port| u16::try_from(lex::number(port, 65_535)?).ok());
        let transport = lex::text(transport).to_ascii_uppercase();
        Some(Self { transport, host, port, branch, rport, maddr, received, seen_port })
    }

    /// The branch, if it is one that names its transaction by itself: the cookie and something more.
    pub fn unique_branch(&self) -> Option<&[u8]> {
        let branch = self.branch.as_deref()?;
        let cookie = branch.get(..COOKIE.len())?;
        (cookie.eq_ignore_ascii_case(COOKIE) && branch.len() > COOKIE.len()).then_some(branch)
    }
}

/// `0.25` as 250 (RFC 3261 §25.1, qvalue).
fn thousandths(q: &[u8]) -> Option<u16> {
    let q: f32 = std::str::from_utf8(q).ok()?.parse().ok()?;
    // A float is cut to its range, and what is no number becomes 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (q.clamp(0.0, 1.0) * 1_000.0).round() as u16;
    Some(thousandths)
}

/// `776656 1 INVITE` (RFC 3262 §7.2): the response's number, and the request it belongs to.
pub fn rack(bytes: &[u8]) -> Option<(u32, u32, Method)> {
    let bytes = lex::trim(bytes);
    let gap = bytes.iter().position(u8::is_ascii_whitespace)?;
    let number = lex::number(bytes.get(..gap)?, u64::from(u32::MAX))?;
    let (seq, method) = cseq(bytes.get(gap..)?)?;
    Some((u32::try_from(number).ok()?, seq, method))
}

/// `314159 INVITE` (RFC 3261 §20.16): the number stays below 2^31.
pub fn cseq(bytes: &[u8]) -> Option<(u32, Method)> {
    let bytes = lex::trim(bytes);
    let gap = bytes.iter().position(u8::is_ascii_whitespace)?;
    let number = lex::number(bytes.get(..gap)?, (1 << 31) - 1)?;
    let method = lex::trim(bytes.get(gap..)?);
    if !lex::is_token(method) {
        return None;
    }
    Some((u32::try_from(number).ok()?, Method::named(&lex::text(method))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gives_its_name_its_uri_and_its_tag() {
        let from = NameAddr::parse(b"\"A. \\\"Bell, <x>\" <sip:bell@example.com;lr>;x=1;tag=88").unwrap();
        assert_eq!(from.display, b"A. \"Bell, <x>");
        assert_eq!((from.uri.as_slice(), from.tag.as_deref()), (&b"sip:bell@example.com;lr"[..], Some(&b"88"[..])));
        let bare = NameAddr::parse(b"sip:j.user@example.com;tag=2").unwrap();
        assert_eq!((bare.uri.as_slice(), bare.tag.as_deref()), (&b"sip:j.user@example.com"[..], Some(&b"2"[..])));
        for broken in [&b"\"open <sip:a@b>"[..], b"<sip:a@b", b"sip:a@b?c=d", b"\"name\" sip:a@b", b"<sip:a@b>;;", b"<sip:a@b> x", b""] {
            assert_eq!(NameAddr::parse(broken), None);
        }
    }

    #[test]
    fn a_rack_and_a_q_are_read() {
        assert_eq!(rack(b" 776656  1 INVITE"), Some((776_656, 1, Method::Invite)));
        assert_eq!([&b"1 INVITE"[..], b"", b"x 1 INVITE", b"4294967296 1 INVITE"].map(rack), [None, None, None, None]);
        let q = |text: &str| NameAddr::parse(text.as_bytes()).map(|contact| contact.q);
        let table = [("<sip:a@b>", 1_000), ("<sip:a@b>;q=0.25", 250), ("<sip:a@b>;q=7", 1_000), ("<sip:a@b>;q=x", 1_000)];
        assert!(table.into_iter().all(|(text, thousandths)| q(text) == Some(thousandths)));
    }

    #[test]
    fn a_via_may_be_full_of_spaces() {
        let via = Via::parse(b"SIP  / 2.0 / UDP  192.0.2.2 : 5070 ; branch = z9hG4bKa ;rport").unwrap();
        assert_eq!((via.host.as_str(), via.port, via.rport, via.unique_branch()), ("192.0.2.2", Some(5070), true, Some(&b"z9hG4bKa"[..])));
        assert_eq!(Via::parse(b"SIP/2.0/UDP h;branch=z9hG4bK").unwrap().unique_branch(), None);
        assert!(Via::parse(b"SIP/2.0/UDP 192.0.2.15;;,;,,").is_none() && Via::parse(b"SIP/2.0/UDP").is_none());
    }
}
