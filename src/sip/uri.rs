//! URIs: `sip:`, `sips:` and `tel:` taken apart, any other scheme kept as a name.

use super::lex;

/// A URI taken apart. The text it came from stays with whoever must repeat it byte for byte.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Uri {
    /// In lower case.
    pub scheme: String,
    /// Before the @ without the password, or the number of a `tel:`; escapes resolved.
    pub user: Option<String>,
    /// A name or an address, an IPv6 address without brackets; empty for `tel:` and for opaque schemes.
    pub host: String,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// Parameters in lower case, with their values.
    pub params: Vec<(String, Option<String>)>,
    /// Whether `?header=value` follows.
    pub has_headers: bool,
    /// Those headers, escapes resolved.
    pub headers: Vec<(String, String)>,
}

impl Uri {
    /// Reads a URI (RFC 3261 §19.1, RFC 3966, RFC 3986). `None` where it breaks the grammar.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let colon = bytes.iter().position(|&byte| byte == b':')?;
        let (scheme, rest) = (bytes.get(..colon)?, bytes.get(colon + 1..)?);
        let scheme_is_sound = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !scheme_is_sound || rest.is_empty() || bytes.iter().any(|&byte| byte <= b' ' || matches!(byte, b'<' | b'>' | b'"' | 0x7f)) {
            return None;
        }
        let scheme = lex::text(scheme).to_ascii_lowercase();
        match scheme.as_str() {
            "sip" | "sips" => Self::parse_sip(scheme, rest),
            "tel" => Self::parse_tel(scheme, rest),
            _ => Some(Self { scheme, ..Self::default() }),
        }
    }

    fn parse_sip(scheme: String, rest: &[u8]) -> Option<Self> {
        let (userinfo, after) = match rest.iter().position(|&byte| byte == b'@') {
            Some(at) => (Some(rest.get(..at)?), rest.get(at + 1..)?),
            None => (None, rest),
        };
        let user = match userinfo {
            Some(info) => {
                let user = info.split(|&byte| byte == b':').next().unwrap_or_default();
                if user.is_empty() {
                    return None;
                }
                Some(lex::text(&lex::unescape(user)))
            }
            None => None,
        };
        let (location, headers) = match after.iter().position(|&byte| byte == b'?') {
            Some(at) => (after.get(..at)?, after.get(at + 1..)),
            None => (after, None),
        };
        let mut parts = location.split(|&byte| byte == b';');
        let (host, port) = host_port(parts.next()?)?;
        let params = parts.map(uri_param).collect::<Option<Vec<_>>>()?;
        let has_headers = headers.is_some();
        let headers = headers.unwrap_or_default().split(|&byte| byte == b'&').filter_map(uri_header).take(HEADERS_MAX).collect();
        Some(Self { scheme, user, host, port, params, has_headers, headers })
    }

    fn parse_tel(scheme: String, rest: &[u8]) -> Option<Self> {
        let mut parts = rest.split(|&byte| byte == b';');
        let number = parts.next()?;
        let sound = !number.is_empty()
            && number.iter().all(|&byte| byte.is_ascii_hexdigit() || matches!(byte, b'+' | b'*' | b'#' | b'-' | b'.' | b'(' | b')'));
        let params = parts.map(uri_param).collect::<Option<Vec<_>>>()?;
        sound.then(|| Self { scheme, user: Some(lex::text(number)), params, ..Self::default() })
    }

    /// Whether the parameter `name` is there.
    pub fn has_param(&self, name: &str) -> bool {
        self.params.iter().any(|(found, _)| found == name)
    }

    /// Whether this scheme can be called: `sip`, `sips` or `tel`.
    pub fn is_callable(&self) -> bool {
        matches!(self.scheme.as_str(), "sip" | "sips" | "tel")
    }
}

/// Headers of one URI that are looked at.
const HEADERS_MAX: usize = 16;

fn uri_header(part: &[u8]) -> Option<(String, String)> {
    let at = part.iter().position(|&byte| byte == b'=')?;
    let resolved = |bytes: &[u8]| lex::text(&lex::unescape(bytes));
    Some((resolved(part.get(..at)?), resolved(part.get(at + 1..)?))).filter(|(name, _)| !name.is_empty())
}

/// The URI with headers behind it, escaped as RFC 3261 §19.1.1 asks: for a Refer-To.
pub fn with_headers(uri: &str, headers: &[(&str, &str)]) -> String {
    let mut out = uri.to_owned();
    let mut mark = if uri.contains('?') { '&' } else { '?' };
    for (name, value) in headers {
        out.push(mark);
        for byte in name.bytes() {
            out.push_str(&escaped_in_header(byte));
        }
        out.push('=');
        for byte in value.bytes() {
            out.push_str(&escaped_in_header(byte));
        }
        mark = '&';
    }
    out
}

/// hnv-unreserved and unreserved of RFC 3261 §25.1.
fn escaped_in_header(byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte);
    if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

fn uri_param(part: &[u8]) -> Option<(String, Option<String>)> {
    let (name, value) = match part.iter().position(|&byte| byte == b'=') {
        Some(at) => (part.get(..at)?, Some(lex::text(&lex::unescape(part.get(at + 1..)?)))),
        None => (part, None),
    };
    (!name.is_empty()).then(|| (lex::text(&lex::unescape(name)).to_ascii_lowercase(), value))
}

/// `host`, `host:port`, `[2001:db8::1]:port`. `None` where it breaks the grammar.
pub fn host_port(bytes: &[u8]) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(inside) = bytes.strip_prefix(b"[") {
        let end = inside.iter().position(|&byte| byte == b']')?;
        let address = lex::text(inside.get(..end)?);
        address.parse::<std::net::Ipv6Addr>().ok()?;
        (address, inside.get(end + 1..)?)
    } else {
        let end = bytes.iter().position(|&byte| byte == b':').unwrap_or(bytes.len());
        let name = bytes.get(..end)?;
        let sound = !name.is_empty() && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        if !sound {
            return None;
        }
        (lex::text(name), bytes.get(end..)?)
    };
    let port = match lex::trim(port) {
        b"" => None,
        written => Some(u16::try_from(lex::number(written.strip_prefix(b":")?, 65_535)?).ok()?),
    };
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_of_every_kind_are_taken_apart() {
        let uri = Uri::parse(b"SIP:%75ser:secret@[2001:db8::1]:5070;transport=UDP;lr").unwrap();
        assert_eq!(
            (uri.scheme.as_str(), uri.user.as_deref(), uri.host.as_str(), uri.port),
            ("sip", Some("user"), "2001:db8::1", Some(5070))
        );
        assert!(uri.has_param("lr") && uri.has_param("transport") && !uri.has_headers);
        let tel = Uri::parse(b"tel:+1-201-555-0123;phone-context=x").unwrap();
        assert_eq!(tel.user.as_deref(), Some("+1-201-555-0123"));
        assert!(Uri::parse(b"urn:service:sos").is_some_and(|uri| !uri.is_callable()));
        let headed = Uri::parse(b"sip:a@b?Route=%3Cx%3E&b=&=c").unwrap();
        assert!(headed.has_headers);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(headed.headers, [pair("Route", "<x>"), pair("b", "")]);
        let written = with_headers("sip:a@b", &[("Replaces", "x@y;to-tag=1"), ("c", "\r\n&")]);
        assert_eq!(written, "sip:a@b?Replaces=x%40y%3Bto-tag%3D1&c=%0D%0A%26");
        assert_eq!(Uri::parse(written.as_bytes()).unwrap().headers, [pair("Replaces", "x@y;to-tag=1"), pair("c", "\r\n&")]);
        for broken in
            ["", "sip", "sip:", "sip:@host", "sip:a b@c", "<sip:a@b>", "sip:a@b:port", "sip:a@b:70000", "sip:a@[::1", "1sip:a", "sip:a@b;;"]
        {
            assert_eq!(Uri::parse(broken.as_bytes()), None, "{broken}");
        }
    }
}
