//! What comes in: who may speak, what it is, what is wrong with it, whose it is. RFC 3261 §8.2, §18.

use bytes::Bytes;

use super::Endpoint;
use super::abilities::unknown_options;
use super::reply::{Echo, Reply, SDP, fallback_flow};
use super::table::{Opened, TxnId};
use crate::base::Instant;
use crate::sip::check::{Core, check};
use crate::sip::message::{Message, Start, name};
use crate::sip::method::ALLOW;
use crate::sip::transaction::Verdict;
use crate::sip::values::Via;
use crate::sip::wire::{Framed, Malformed, frame};
use crate::sip::{Flow, Method, SipCall, Uri, lex};

/// A sound request or response, and the way it came.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) flow: Flow,
    pub(super) message: Message,
    pub(super) core: Core,
    /// The telephone of ours that has shown its password.
    pub(super) phone: Option<String>,
    /// Its user name.
    pub(super) user: Option<String>,
}

impl Received {
    /// The body, when there is one.
    pub(super) fn body(&self) -> Option<Bytes> {
        (!self.message.body.is_empty()).then(|| self.message.body.clone())
    }

    /// The content type without its parameters, in lower case.
    pub(super) fn content_type(&self) -> String {
        let written = self.message.get(name::CONTENT_TYPE).unwrap_or_default();
        let end = lex::find(written, b';').ok().flatten().unwrap_or(written.len());
        lex::text(lex::trim(written.get(..end).unwrap_or_default())).to_ascii_lowercase()
    }

    /// The SDP in it; a body of another type is none.
    pub(super) fn sdp(&self) -> Option<Bytes> {
        self.body().filter(|_| self.content_type() == SDP)
    }

    /// The Request-URI, taken apart.
    pub(super) fn request_uri(&self) -> Uri {
        match &self.message.start {
            Start::Request { uri, .. } => Uri::parse(uri).unwrap_or_default(),
            Start::Response { .. } => Uri::default(),
        }
    }
}

impl Endpoint {
    pub(super) fn take_datagram(&mut self, now: Instant, flow: Flow, datagram: &Bytes) {
        if !self.lets_in(now, flow, datagram) {
            return;
        }
        match frame(datagram) {
            Ok(Framed::KeepAlive) => self.counters.keep_alives += 1,
            Ok(Framed::Message { message, broken }) => {
                let core = broken.map_or_else(|| check(&message), Err);
                match (core, &message.start) {
                    (Ok(core), Start::Request { .. }) => self.on_request(now, Received { flow, message, core, phone: None, user: None }),
                    (Ok(core), Start::Response { status, .. }) => {
                        let status = *status;
                        self.on_response(now, status, &Received { flow, message, core, phone: None, user: None });
                    }
                    (Err(malformed), Start::Request { method, .. }) if *method != Method::Ack => {
                        self.refuse_malformed(flow, &message, malformed);
                    }
                    (Err(_), _) => self.counters.unreadable += 1,
                }
            }
            Err(_) => self.counters.unreadable += 1,
        }
    }

    /// Whether requests of ours may go there.
    pub(super) fn may_reach(&self, flow: Flow) -> bool {
        self.trusts(flow) || self.registrar.as_ref().is_some_and(|registrar| registrar.reaches(flow))
    }

    /// Whether this peer is believed without a password.
    pub(super) fn trusts(&self, flow: Flow) -> bool {
        self.settings.trusted.iter().any(|peer| peer.contains(flow.remote.ip()))
    }

    /// Refuses without a transaction, naming the rule in the reason phrase and in a Warning.
    pub(super) fn refuse_malformed(&mut self, flow: Flow, message: &Message, malformed: Malformed) {
        let Some(top) = message.all(name::VIA).next() else {
            self.counters.unreadable += 1;
            return;
        };
        self.counters.malformed += 1;
        let top = lex::split(top, b',').ok().and_then(|elements| Via::parse(elements.first()?));
        let flow = self.response_flow(flow, top.as_ref());
        let echo = Echo::of(message, flow, self.fresh());
        let mut response = self.compose(&echo, flow, Reply::refuse(malformed.status, malformed.to_string()));
        if let Start::Response { reason, .. } = &mut response.start {
            reason.extend_from_slice(format!(" ({})", malformed.rule).as_bytes());
        }
        self.send(flow, response.encode());
    }

    fn on_request(&mut self, now: Instant, mut received: Received) {
        self.counters.requests += 1;
        let method = received.core.method.clone();
        let key = server_key(&received, &method);
        if let Some(&id) = self.by_server_key.get(&key) {
            self.counters.repeats += u64::from(method != Method::Ack);
            self.follow(id, received.flow);
            if self.on_known_request(now, id, &method) == Verdict::Deliver {
                self.on_ack(now, &received);
            }
            return;
        }
        if method == Method::Ack {
            return self.on_ack(now, &received);
        }
        if !self.lets_pass(now, &mut received) {
            return;
        }
        let received = &received;
        let flow = self.response_flow(received.flow, Some(&received.core.via));
        let echo = Echo::of(&received.message, received.flow, self.fresh());
        let in_dialog = self.is_of_a_call(received);
        let sender = received.flow.remote.ip().to_canonical();
        if !self.has_room(in_dialog) || !(in_dialog || self.has_share(sender)) {
            return self.refuse_without_room(&echo, flow);
        }
        let merge_key = received.core.to.tag.is_none().then(|| merge_key(&received.core));
        let merged = method != Method::Cancel && merge_key.as_ref().is_some_and(|key| self.by_merge_key.contains_key(key));
        let merge_key = merge_key.filter(|_| !merged && method != Method::Cancel);
        let fallback = fallback_flow(received.flow, &received.core.via);
        let counts = (!in_dialog).then_some(sender);
        let id = self.open_server(flow, Opened { method: method.clone(), key, merge_key, echo, fallback, counts });
        if merged {
            self.reply(now, id, Reply::refuse(482, "RFC 3261 8.2.2.2: this request has come by another way already"));
        } else if let Err(refusal) = self.screen(received) {
            self.reply(now, id, refusal);
        } else {
            self.dispatch(now, id, received);
        }
    }

    /// RFC 3261 §8.2.1 to §8.2.3, in that order.
    fn screen(&self, received: &Received) -> Result<(), Reply> {
        let (method, message) = (&received.core.method, &received.message);
        match method {
            Method::Register if self.registrar.is_some() => {}
            Method::Register | Method::Subscribe | Method::Message | Method::Publish => {
                return Err(Reply::refuse(405, format!("this endpoint takes no {method}")).with(name::ALLOW, ALLOW));
            }
            Method::Other(_) => return Err(Reply::refuse(501, "an unknown method").with(name::ALLOW, ALLOW)),
            _ => {}
        }
        if *method == Method::Cancel {
            return Ok(());
        }
        if !received.request_uri().is_callable() {
            return Err(Reply::refuse(416, "RFC 3261 8.2.2.1: the Request-URI is sip, sips or tel"));
        }
        let ours = self.sent_by(received.flow);
        let passed_us =
            message.list(name::VIA).filter_map(Via::parse).any(|via| via.host == ours.host && via.port.unwrap_or(5060) == ours.port);
        if passed_us {
            return Err(Reply::refuse(482, "RFC 3261 16.3: this request has been here before"));
        }
        let unsupported = unknown_options(message);
        if !unsupported.is_empty() {
            return Err(Reply::refuse(420, "an extension in Require is not known here").with(name::UNSUPPORTED, unsupported.join(", ")));
        }
        let encoding = message.get(name::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity"));
        if encoding && !message.body.is_empty() {
            return Err(Reply::refuse(415, "bodies are taken as they are").with("Accept-Encoding", "identity"));
        }
        let wants_sdp = matches!(method, Method::Invite | Method::Update | Method::Prack);
        if wants_sdp && received.body().is_some() && received.content_type() != SDP {
            return Err(Reply::refuse(415, "an offer is SDP").with(name::ACCEPT, SDP));
        }
        let takes_sdp = |accepts: &[u8]| {
            let kind = lex::text(accepts).to_ascii_lowercase();
            let kind = kind.split(';').next().unwrap_or_default().trim();
            matches!(kind, SDP | "application/*" | "*/*")
        };
        if *method == Method::Invite && message.get(name::ACCEPT).is_some() && !message.list(name::ACCEPT).any(takes_sdp) {
            return Err(Reply::refuse(406, "the answer would be SDP, which Accept leaves out"));
        }
        Ok(())
    }

    fn dispatch(&mut self, now: Instant, id: TxnId, received: &Received) {
        let method = &received.core.method;
        if *method == Method::Cancel {
            return self.on_cancel(now, id, received);
        }
        if received.core.to.tag.is_none() {
            return match method {
                Method::Invite => self.on_invite(now, id, received),
                Method::Options => self.on_options(now, id, None),
                Method::Register => self.on_register(now, id, received),
                Method::Refer => self.on_refer(now, id, None, received),
                _ => self.refuse_strange(now, id),
            };
        }
        let Some(call) = self.dialog_of(&received.core) else { return self.refuse_strange(now, id) };
        let grows = self.calls.get_mut(&call).is_some_and(|known| {
            let from_tag = received.core.from.tag.clone().unwrap_or_default();
            let is_confirmed = known.dialog.remote_tag.as_ref() == Some(&from_tag);
            let grows = known.dialog_for(Some(&from_tag)).is_some_and(|dialog| dialog.take_seq(received.core.seq));
            // The peer's address may change under a running call: what it sends last is where it is.
            if grows && is_confirmed {
                known.flow = received.flow;
            }
            grows
        });
        if !grows {
            self.reply(now, id, Reply::refuse(500, "RFC 3261 12.2.2: the number in CSeq grows").with(name::RETRY_AFTER, "1"));
            return;
        }
        match method {
            Method::Invite => self.on_reinvite(now, id, call, received),
            Method::Update => self.on_update(now, id, call, received),
            Method::Bye => self.on_bye(now, id, call, received),
            Method::Info => self.on_info(now, id, call, received),
            Method::Notify => self.on_notify(now, id, call, received),
            Method::Refer => self.on_refer(now, id, Some(call), received),
            Method::Prack => self.on_prack(now, id, call, received),
            _ => self.on_options(now, id, Some(call)),
        }
    }

    fn refuse_strange(&mut self, now: Instant, id: TxnId) {
        self.reply(now, id, Reply::refuse(481, "RFC 3261 12.2.2: no such call here"));
    }

    /// Whether this belongs to a call that is here: a tag in To alone is soon written.
    fn is_of_a_call(&self, received: &Received) -> bool {
        let cancels = received.core.method == Method::Cancel && self.by_server_key.contains_key(&server_key(received, &Method::Invite));
        cancels || self.dialog_of(&received.core).is_some()
    }

    /// The call to whose dialog, confirmed or early, this request of the peer's belongs.
    pub(super) fn dialog_of(&self, core: &Core) -> Option<SipCall> {
        let key = (core.call_id.clone(), core.to.tag.clone()?);
        let call = *self.by_dialog.get(&key)?;
        let known = self.calls.get(&call)?;
        let early = known.early.iter().filter_map(|early| early.dialog.remote_tag.as_ref());
        let mut tags = known.dialog.remote_tag.iter().chain(early);
        let from_tag = core.from.tag.as_deref().unwrap_or_default();
        tags.any(|tag| tag == from_tag).then_some(call)
    }
}

/// What a server transaction is found by: branch, sender and method, or for RFC 2543 everything that does not change (RFC 3261 §17.2.3).
pub(super) fn server_key(received: &Received, method: &Method) -> Vec<u8> {
    let core = &received.core;
    let method = if *method == Method::Ack { Method::Invite } else { method.clone() };
    let sent_by = format!("{}:{}", core.via.host.to_ascii_lowercase(), core.via.port.unwrap_or(5060));
    if let Some(branch) = core.via.unique_branch() {
        return [&b"3261"[..], branch, sent_by.as_bytes(), method.as_str().as_bytes()].join(&0);
    }
    let branch = core.via.branch.as_deref().unwrap_or_default();
    let from_tag = core.from.tag.as_deref().unwrap_or_default();
    let seq = core.seq.to_string();
    [&b"2543"[..], branch, sent_by.as_bytes(), method.as_str().as_bytes(), &core.call_id, from_tag, seq.as_bytes()].join(&0)
}

/// What a request that was forked and met again has in common with its twin (RFC 3261 §8.2.2.2).
fn merge_key(core: &Core) -> Vec<u8> {
    let from_tag = core.from.tag.as_deref().unwrap_or_default();
    [from_tag, &core.call_id, core.seq.to_string().as_bytes(), core.method.as_str().as_bytes()].join(&0)
}
