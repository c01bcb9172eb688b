//! A dialog: who with whom, by which way, and where the numbers stand. RFC 3261 §12.

use super::check::Core;
use super::message::{Header, Message, Start, name};
use super::values::{NameAddr, cseq};
use super::{Method, Uri, lex, with_headers};

/// One end of a dialog, ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    /// As written.
    pub call_id: Vec<u8>,
    /// Our tag.
    pub local_tag: Vec<u8>,
    /// The peer's tag: `None` until it has answered; empty for a peer of RFC 2543 that has none.
    pub remote_tag: Option<Vec<u8>>,
    /// The number of our last request.
    pub local_seq: u32,
    /// The credentials in our last INVITE, for its ACK.
    pub passes: Vec<Header>,
    remote_seq: Option<u32>,
    local: Vec<u8>,
    remote: Vec<u8>,
    target: Vec<u8>,
    routes: Vec<Vec<u8>>,
}

/// What a new dialog of ours begins with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The Call-ID.
    pub call_id: Vec<u8>,
    /// Our tag.
    pub local_tag: Vec<u8>,
    /// From, without the tag.
    pub local: Vec<u8>,
    /// The Request-URI and To.
    pub target: Vec<u8>,
    /// The number of the INVITE.
    pub seq: u32,
    /// The routes that it takes, each in its brackets.
    pub routes: Vec<Vec<u8>>,
}

impl Dialog {
    /// The dialog that the peer's INVITE opens (RFC 3261 §12.1.1).
    pub fn of_callee(message: &Message, core: &Core, local_tag: Vec<u8>, first_seq: u32) -> Self {
        Self {
            call_id: core.call_id.clone(),
            remote_tag: Some(core.from.tag.clone().unwrap_or_default()),
            local_seq: first_seq,
            passes: Vec::new(),
            remote_seq: Some(core.seq),
            local: with_tag(message.get(name::TO).unwrap_or_default(), &local_tag),
            remote: message.get(name::FROM).unwrap_or_default().to_vec(),
            target: contact(message).unwrap_or_else(|| core.from.uri.clone()),
            routes: message.list(name::RECORD_ROUTE).map(<[u8]>::to_vec).collect(),
            local_tag,
        }
    }

    /// The dialog that our INVITE may open (RFC 3261 §12.1.2).
    pub fn of_caller(opening: Opening) -> Self {
        Self {
            call_id: opening.call_id,
            remote_tag: None,
            local_seq: opening.seq,
            passes: Vec::new(),
            remote_seq: None,
            local: with_tag(&opening.local, &opening.local_tag),
            remote: [b"<", opening.target.as_slice(), b">"].concat(),
            target: opening.target,
            routes: opening.routes,
            local_tag: opening.local_tag,
        }
    }

    /// The dialog that an INVITE of ours may open, from the INVITE itself.
    pub fn of_invite(invite: &Message) -> Option<Self> {
        let Start::Request { uri, .. } = &invite.start else { return None };
        let (from, seq) = (invite.get(name::FROM)?, invite.get(name::CSEQ).and_then(cseq)?.0);
        Some(Self {
            call_id: invite.get(name::CALL_ID)?.to_vec(),
            remote_tag: None,
            local_seq: seq,
            remote_seq: None,
            local_tag: NameAddr::parse(from)?.tag?,
            local: from.to_vec(),
            passes: [name::AUTHORIZATION, name::PROXY_AUTHORIZATION].iter().flat_map(|pass| headers_of(invite, pass)).collect(),
            remote: invite.get(name::TO)?.to_vec(),
            target: uri.clone(),
            routes: Vec::new(),
        })
    }

    /// The callee has answered: its tag, its Contact, and the way in reverse.
    pub fn confirm(&mut self, response: &Message, core: &Core) {
        self.remote_tag = Some(core.to.tag.clone().unwrap_or_default());
        self.remote = response.get(name::TO).unwrap_or_default().to_vec();
        self.refresh(response);
        self.routes = response.list(name::RECORD_ROUTE).map(<[u8]>::to_vec).collect();
        self.routes.reverse();
    }

    /// The peer may have moved (RFC 3261 §12.2.1.2).
    pub fn refresh(&mut self, message: &Message) {
        if let Some(contact) = contact(message) {
            self.target = contact;
        }
    }

    /// Takes the number of a request of the peer's; false when it does not grow (RFC 3261 §12.2.2).
    pub fn take_seq(&mut self, seq: u32) -> bool {
        let grows = self.remote_seq.is_none_or(|last| seq > last);
        if grows {
            self.remote_seq = Some(seq);
        }
        grows
    }

    /// The next request of ours, without Via.
    pub fn request(&mut self, method: Method) -> Message {
        self.local_seq = self.local_seq.saturating_add(1);
        self.request_numbered(method, self.local_seq)
    }

    /// A request with the number of an earlier one: ACK. Without Via. RFC 3261 §12.2.1.1.
    pub fn request_numbered(&self, method: Method, seq: u32) -> Message {
        let first_is_loose = self.routes.first().is_none_or(|route| is_loose(route));
        let (uri, routes) = if first_is_loose {
            (self.target.clone(), self.routes.clone())
        } else {
            // A strict router takes its own address as Request-URI, and the target comes last.
            let first = self.routes.first().and_then(|route| NameAddr::parse(route)).map_or_else(|| self.target.clone(), |route| route.uri);
            let mut rest: Vec<Vec<u8>> = self.routes.iter().skip(1).cloned().collect();
            rest.push([b"<", self.target.as_slice(), b">"].concat());
            (first, rest)
        };
        let cseq = format!("{seq} {method}");
        let mut request = Message::request(method, uri);
        for route in routes {
            request.push(name::ROUTE, route);
        }
        request
            .with(name::MAX_FORWARDS, "70")
            .with(name::FROM, self.local.clone())
            .with(name::TO, self.remote.clone())
            .with(name::CALL_ID, self.call_id.clone())
            .with(name::CSEQ, cseq)
    }

    /// The peer's address with this dialog as its Replaces, for a Refer-To (RFC 3891 §6.1): the tags as the peer sees them.
    pub fn as_refer_to(&self) -> Option<String> {
        let tag = |tag: &[u8]| if tag.is_empty() { "0".to_owned() } else { lex::text(tag) };
        let remote_tag = tag(self.remote_tag.as_ref()?);
        let replaces = format!("{};to-tag={remote_tag};from-tag={}", lex::text(&self.call_id), tag(&self.local_tag));
        let target = lex::text(&self.target);
        let bare = target.split('?').next().unwrap_or_default();
        Some(with_headers(bare, &[(name::REPLACES, &replaces)]))
    }

    /// Where the next request would go by the book: the first route, or the peer's Contact.
    pub fn next_hop(&self) -> Uri {
        let route = self.routes.first().and_then(|route| NameAddr::parse(route)).map(|route| route.uri());
        route.or_else(|| Uri::parse(&self.target)).unwrap_or_default()
    }
}

fn headers_of(message: &Message, name: &str) -> Vec<Header> {
    message.headers.iter().filter(|header| header.name == name).cloned().collect()
}

fn is_loose(route: &[u8]) -> bool {
    NameAddr::parse(route).is_some_and(|route| route.uri().has_param("lr"))
}

fn contact(message: &Message) -> Option<Vec<u8>> {
    let contact = NameAddr::parse(message.list(name::CONTACT).next()?)?;
    contact.uri().is_callable().then_some(contact.uri)
}

/// The address with `tag`; a bare URI gets brackets, so that its parameters stay its own.
pub fn with_tag(address: &[u8], tag: &[u8]) -> Vec<u8> {
    let address = lex::trim(address);
    [address, b";tag=", tag].concat()
}
