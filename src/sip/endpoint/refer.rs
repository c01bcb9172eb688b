//! REFER in: a peer asks us to call somebody. Declined, unless the shell has said that it decides. RFC 3515 §2.4, RFC 3891, RFC 4488.

use bytes::Bytes;

use super::Endpoint;
use super::call::{Phase, Referred};
use super::inbound::Received;
use super::reply::Reply;
use super::table::{Owner, TxnId};
use crate::base::{Instant, Pii};
use crate::sip::message::name;
use crate::sip::typed::reason_phrase;
use crate::sip::values::NameAddr;
use crate::sip::{Event, Method, Replaces, SipCall, lex};

impl Endpoint {
    pub(super) fn on_refer(&mut self, now: Instant, id: TxnId, call: Option<SipCall>, received: &Received) {
        let Some(call) = call.filter(|_| self.settings.hears_refer) else {
            self.reply(now, id, Reply::refuse(603, "this endpoint places no calls on request"));
            return;
        };
        let mut targets = received.message.all(name::REFER_TO);
        let target = targets.next().and_then(NameAddr::parse);
        let (Some(target), None) = (target, targets.next()) else {
            self.reply(now, id, Reply::refuse(400, "RFC 3515 2.4.1: exactly one Refer-To"));
            return;
        };
        // RFC 3891 §7.1: of the headers that the URI carries this one alone is taken over.
        let carried = target.uri().headers;
        let written = carried.iter().find(|(header, _)| header.eq_ignore_ascii_case(name::REPLACES));
        let replaces = written.map(|(_, value)| Replaces::parse(value.as_bytes()));
        if replaces == Some(None) {
            self.reply(now, id, Reply::refuse(400, "RFC 3891 6.1: Replaces is a Call-ID, a to-tag and a from-tag"));
            return;
        }
        let replaces = replaces.flatten().map(Box::new);
        let own = replaces.as_ref().and_then(|replaces| self.call_named(replaces)).filter(|own| *own != call);
        let target = lex::text(target.uri.split(|&byte| byte == b'?').next().unwrap_or_default());
        let is_silent = received.message.get(name::REFER_SUB).is_some_and(|written| written.to_ascii_lowercase().starts_with(b"false"));
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up && !known.told && known.referred.is_none())
        else {
            self.reply(now, id, Reply::refuse(603, "one call is placed on request at a time"));
            return;
        };
        known.referred = Some(Referred { txn: id, is_taken: false, is_silent });
        self.tell(Event::Referred { call, target: Pii::new(target), replaces, own });
    }

    /// 202, and the first NOTIFY of the subscription that comes with it (RFC 3515 §2.4.4).
    pub(super) fn accept_refer(&mut self, now: Instant, call: SipCall) {
        let waiting = self.calls.get_mut(&call).and_then(|known| known.referred.as_mut()).filter(|referred| !referred.is_taken);
        let Some(referred) = waiting else {
            self.counters.ignored_commands += 1;
            return;
        };
        referred.is_taken = true;
        let referred = *referred;
        let reply = Reply::new(202).of_dialog();
        let reply = if referred.is_silent { reply.with(name::REFER_SUB, "false") } else { reply };
        self.reply(now, referred.txn, reply);
        self.notify_refer(now, call, 100);
    }

    pub(super) fn reject_refer(&mut self, now: Instant, call: SipCall, status: u16) {
        let Some(referred) = self.calls.get_mut(&call).and_then(|known| known.referred.take_if(|referred| !referred.is_taken)) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let status = if (400..=699).contains(&status) { status } else { 603 };
        self.reply(now, referred.txn, Reply::refuse(status, "not called"));
    }

    /// A final status ends the subscription.
    pub(super) fn notify_refer(&mut self, now: Instant, call: SipCall, status: u16) {
        let Some(known) =
            self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up && known.referred.is_some_and(|referred| referred.is_taken))
        else {
            self.counters.ignored_commands += 1;
            return;
        };
        let over = status >= 200;
        let is_silent = known.referred.is_some_and(|referred| referred.is_silent);
        if over {
            known.referred = None;
        }
        if is_silent {
            // RFC 4488 §4: the peer has asked for no NOTIFY.
            return;
        }
        let state = if over { "terminated;reason=noresource" } else { "active;expires=180" };
        let (flow, mut request) = (known.flow, known.dialog.request(Method::Notify));
        let dialog = known.dialog.clone();
        let way = self.way_of(flow, &dialog);
        request.push(name::EVENT, "refer");
        request.push(name::SUBSCRIPTION_STATE, state);
        request.push(name::CONTACT, self.contact(way));
        let branch = self.sign(way, &mut request);
        let body = Bytes::from(format!("SIP/2.0 {status} {}\r\n", reason_phrase(status)));
        self.open_client(now, way, Owner::Call(call), request.with_body("message/sipfrag;version=2.0", body), branch);
    }
}
