//! A message as read and as written.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Method, lex};

/// The names of the headers that this program reads or writes.
pub mod name {
    #![expect(missing_docs, reason = "each is the header it spells")]
    pub const ACCEPT: &str = "Accept";
    pub const ALLOW: &str = "Allow";
    pub const AUTHENTICATION_INFO: &str = "Authentication-Info";
    pub const AUTHORIZATION: &str = "Authorization";
    pub const CALL_ID: &str = "Call-ID";
    pub const CONTACT: &str = "Contact";
    pub const CONTENT_ENCODING: &str = "Content-Encoding";
    pub const CONTENT_LENGTH: &str = "Content-Length";
    pub const CONTENT_TYPE: &str = "Content-Type";
    pub const CSEQ: &str = "CSeq";
    pub const DIVERSION: &str = "Diversion";
    pub const EVENT: &str = "Event";
    pub const EXPIRES: &str = "Expires";
    pub const FROM: &str = "From";
    pub const HISTORY_INFO: &str = "History-Info";
    pub const MAX_FORWARDS: &str = "Max-Forwards";
    pub const MIN_EXPIRES: &str = "Min-Expires";
    pub const MIN_SE: &str = "Min-SE";
    pub const PATH: &str = "Path";
    pub const PRIVACY: &str = "Privacy";
    pub const PROXY_AUTHENTICATE: &str = "Proxy-Authenticate";
    pub const PROXY_AUTHENTICATION_INFO: &str = "Proxy-Authentication-Info";
    pub const PROXY_AUTHORIZATION: &str = "Proxy-Authorization";
    pub const P_ASSERTED_IDENTITY: &str = "P-Asserted-Identity";
    pub const RACK: &str = "RAck";
    pub const REASON: &str = "Reason";
    pub const RECORD_ROUTE: &str = "Record-Route";
    pub const REFER_SUB: &str = "Refer-Sub";
    pub const REFER_TO: &str = "Refer-To";
    pub const REFERRED_BY: &str = "Referred-By";
    pub const REPLACES: &str = "Replaces";
    pub const REQUIRE: &str = "Require";
    pub const RETRY_AFTER: &str = "Retry-After";
    pub const ROUTE: &str = "Route";
    pub const RSEQ: &str = "RSeq";
    pub const SERVER: &str = "Server";
    pub const SERVICE_ROUTE: &str = "Service-Route";
    pub const SESSION_EXPIRES: &str = "Session-Expires";
    pub const SUBSCRIPTION_STATE: &str = "Subscription-State";
    pub const SUPPORTED: &str = "Supported";
    pub const TO: &str = "To";
    pub const UNSUPPORTED: &str = "Unsupported";
    pub const USER_AGENT: &str = "User-Agent";
    pub const USER_TO_USER: &str = "User-to-User";
    pub const VIA: &str = "Via";
    pub const WARNING: &str = "Warning";
    pub const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
}

/// The full name behind a compact one (RFC 3261 §7.3.3 and the register of header fields); any other name as it is.
pub fn full_name(written: &str) -> &str {
    let [letter] = written.as_bytes() else { return written };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => name::REFERRED_BY,
        b'c' => name::CONTENT_TYPE,
        b'd' => "Request-Disposition",
        b'e' => name::CONTENT_ENCODING,
        b'f' => name::FROM,
        b'i' => name::CALL_ID,
        b'j' => "Reject-Contact",
        b'k' => name::SUPPORTED,
        b'l' => name::CONTENT_LENGTH,
        b'm' => name::CONTACT,
        b'n' => "Identity-Info",
        b'o' => name::EVENT,
        b'r' => name::REFER_TO,
        b's' => "Subject",
        b't' => name::TO,
        b'u' => "Allow-Events",
        b'v' => name::VIA,
        b'x' => name::SESSION_EXPIRES,
        b'y' => "Identity",
        _ => written,
    }
}

/// The first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// `INVITE sip:.. SIP/2.0`
    Request {
        /// What is asked.
        method: Method,
        /// Whom, as written.
        uri: Vec<u8>,
    },
    /// `SIP/2.0 200 OK`
    Response {
        /// 100 to 699.
        status: u16,
        /// The words after it, as written.
        reason: Vec<u8>,
    },
}

/// One header line, unfolded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The full name.
    pub name: String,
    /// As written, without the space around it.
    pub value: Vec<u8>,
}

/// A request or a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The first line.
    pub start: Start,
    /// The headers in order, without Content-Length.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Bytes,
}

impl Message {
    /// A request with nothing in it yet.
    pub const fn request(method: Method, uri: Vec<u8>) -> Self {
        Self { start: Start::Request { method, uri }, headers: Vec::new(), body: Bytes::new() }
    }

    /// A response with nothing in it yet.
    pub const fn response(status: u16, reason: Vec<u8>) -> Self {
        Self { start: Start::Response { status, reason }, headers: Vec::new(), body: Bytes::new() }
    }

    /// The first header of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_slice())
    }

    /// Every header of that name, line by line.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_slice())
    }

    /// Every element of the comma-separated headers of that name; nothing of a line whose quotes never close.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name).flat_map(|line| lex::split(line, b',').unwrap_or_default()).filter(|element| !element.is_empty())
    }

    /// Adds a header at the end.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.headers.push(Header { name: name.to_owned(), value: value.into() });
    }

    /// Adds a header at the end, and is the message again.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.push(name, value);
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: Bytes) -> Self {
        self.push(name::CONTENT_TYPE, content_type);
        self.body = body;
        self
    }

    /// As sent, with Content-Length.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(512 + self.body.len());
        match &self.start {
            Start::Request { method, uri } => {
                out.put_slice(method.as_str().as_bytes());
                out.put_u8(b' ');
                out.put_slice(uri);
                out.put_slice(b" SIP/2.0\r\n");
            }
            Start::Response { status, reason } => {
                out.put_slice(format!("SIP/2.0 {status:03} ").as_bytes());
                out.put_slice(reason);
                out.put_slice(b"\r\n");
            }
        }
        for header in &self.headers {
            out.put_slice(header.name.as_bytes());
            out.put_slice(b": ");
            // A line break inside a value would be a header of somebody else's making.
            out.extend(header.value.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
            out.put_slice(b"\r\n");
        }
        out.put_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        out.put_slice(&self.body);
        out.freeze()
    }
}
