//! REGISTER out, and what comes of it. RFC 3261 §10.2, RFC 3327, RFC 3581, RFC 3608, RFC 5626 §4.2.

use super::Endpoint;
use super::inbound::Received;
use super::table::{Owner, TxnId};
use crate::base::{Instant, limits};
use crate::sip::digest::AuthTrouble;
use crate::sip::message::{Message, Start, name};
use crate::sip::method::ALLOW;
use crate::sip::register::{Outcome, Register, RegisterAnswer, RegistrationId};
use crate::sip::values::{NameAddr, address_params};
use crate::sip::{AccountId, Event, Flow, HostPort, Method, Uri, lex};

/// A REGISTER that waits for its answer.
#[derive(Debug)]
pub(super) struct Registering {
    pub(super) account: AccountId,
    pub(super) seq: u32,
    pub(super) trouble: Option<AuthTrouble>,
    txn: Option<TxnId>,
    flow: Flow,
    contact: String,
    told: HostPort,
}

impl Endpoint {
    pub(super) fn send_register(&mut self, now: Instant, register: Register) {
        let flow = register.flow;
        let told = self.sent_by(flow);
        let contact = format!("sip:{}@{told}{}", register.contact_user, flow.transport.uri_param());
        let (id, account, seq, expires_s) = (register.id, register.account, register.seq, register.expires_s);
        let known = Registering { account, seq, trouble: None, txn: None, flow, contact: contact.clone(), told };
        self.registering.insert(id, known);
        let address = format!("<sip:{}@{}>", register.user, register.domain);
        let sound = Uri::parse(contact.as_bytes()).is_some() && NameAddr::parse(address.as_bytes()).is_some();
        if !sound || !self.trusts(flow) || !self.has_room(true) {
            return self.on_register_lost(id, None, 503);
        }
        let mut request = Message::request(Method::Register, format!("sip:{}", register.domain).into_bytes())
            .with(name::MAX_FORWARDS, "70")
            .with(name::FROM, format!("{address};tag={}", self.fresh()))
            .with(name::TO, address)
            .with(name::CALL_ID, register.call_id)
            .with(name::CSEQ, format!("{seq} REGISTER"));
        // RFC 5626 §4.2: the same instance and reg-id tell the registrar which Contact this one takes the place of.
        let outbound = register.instance.as_ref().map(|instance| format!(";+sip.instance=\"<urn:uuid:{instance}>\";reg-id=1"));
        request.push(name::CONTACT, format!("<{contact}>{};expires={expires_s}", outbound.as_deref().unwrap_or_default()));
        if let Some(old) = register.replaces.filter(|old| *old != contact) {
            request.push(name::CONTACT, format!("<{old}>;expires=0"));
        }
        request.push(name::EXPIRES, expires_s.to_string());
        request.push(name::ALLOW, ALLOW);
        request.push(name::SUPPORTED, if outbound.is_some() { "path, outbound" } else { "path" });
        let branch = self.sign(flow, &mut request);
        let txn = self.open_client(now, flow, Owner::Registration(id), request, branch);
        if let Some(known) = self.registering.get_mut(&id) {
            known.txn = Some(txn);
        }
    }

    pub(super) fn on_register_response(&mut self, id: RegistrationId, txn: TxnId, status: u16, received: &Received) {
        if status < 200 || self.registering.get(&id).is_none_or(|known| known.txn != Some(txn)) {
            return;
        }
        let message = &received.message;
        let seconds = |name| message.get(name).and_then(|value| value.split(|byte| !byte.is_ascii_digit()).next()).and_then(seconds);
        let reason = match &message.start {
            Start::Response { reason, .. } => lex::plain_text(reason, limits::SIP_TEXT_LETTERS_MAX),
            Start::Request { .. } => String::new(),
        };
        let via = &received.core.via;
        let routes = message.list(name::SERVICE_ROUTE).take(limits::SERVICE_ROUTES_MAX);
        let (min, retry, routes) = (seconds(name::MIN_EXPIRES), seconds(name::RETRY_AFTER), routes.map(lex::text).collect());
        let Some(known) = self.registering.remove(&id) else { return };
        let granted_s = granted(message, &known.contact).or_else(|| seconds(name::EXPIRES));
        let seen =
            HostPort { host: via.received.clone().unwrap_or_else(|| via.host.clone()), port: via.seen_port.unwrap_or(known.told.port) };
        let answer = RegisterAnswer {
            id,
            flow: known.flow,
            outcome: Outcome::Answered(status),
            reason,
            seq: known.seq,
            contact: known.contact,
            told: known.told,
            seen: seen.host.parse::<std::net::IpAddr>().is_ok().then_some(seen),
            granted_s,
            min_expires_s: min,
            retry_after_s: retry,
            service_routes: routes,
            trouble: known.trouble,
        };
        self.tell(Event::Registered(Box::new(answer)));
    }

    /// No response: 408 when it was waited for, anything else when it could not be sent.
    pub(super) fn on_register_lost(&mut self, id: RegistrationId, txn: Option<TxnId>, status: u16) {
        if self.registering.get(&id).is_none_or(|known| known.txn != txn) {
            return;
        }
        let Some(known) = self.registering.remove(&id) else { return };
        let answer = RegisterAnswer {
            id,
            flow: known.flow,
            outcome: if status == 408 { Outcome::Silent } else { Outcome::Unreachable },
            reason: String::new(),
            seq: known.seq,
            contact: known.contact,
            told: known.told,
            seen: None,
            granted_s: None,
            min_expires_s: None,
            retry_after_s: None,
            service_routes: Vec::new(),
            trouble: known.trouble,
        };
        self.tell(Event::Registered(Box::new(answer)));
    }
}

fn seconds(digits: &[u8]) -> Option<u32> {
    lex::number(digits, u64::from(u32::MAX)).and_then(|seconds| u32::try_from(seconds).ok())
}

/// How long the registrar keeps our Contact: it lists everybody's (RFC 3261 §10.2.4).
fn granted(message: &Message, ours: &str) -> Option<u32> {
    let ours = Uri::parse(ours.as_bytes())?;
    let is_ours = |uri: &Uri| {
        uri.user == ours.user && uri.host.eq_ignore_ascii_case(&ours.host) && uri.port.unwrap_or(5060) == ours.port.unwrap_or(5060)
    };
    let listed = message.list(name::CONTACT).find(|contact| NameAddr::parse(contact).is_some_and(|address| is_ours(&address.uri())))?;
    lex::param_value(&address_params(listed)?, "expires").and_then(seconds)
}
