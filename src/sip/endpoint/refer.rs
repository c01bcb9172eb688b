//! REFER in: a peer asks us to call somebody. Declined, unless the shell has said that it decides. RFC 3515 §2.4.

use bytes::Bytes;

use super::Endpoint;
use super::call::Phase;
use super::inbound::Received;
use super::reply::Reply;
use super::table::{Owner, TxnId};
use crate::base::{Instant, Pii};
use crate::sip::message::name;
use crate::sip::typed::reason_phrase;
use crate::sip::values::NameAddr;
use crate::sip::{Event, Method, SipCall, lex};

impl Endpoint {
    pub(super) fn on_refer(&mut self, now: Instant, id: TxnId, call: Option<SipCall>, received: &Received) {
        let Some(call) = call.filter(|_| self.settings.hears_refer) else {
            self.reply(now, id, Reply::refuse(603, "this endpoint places no calls on request"));
            return;
        };
        let mut targets = received.message.all(name::REFER_TO);
        let target = targets.next().and_then(NameAddr::parse).map(|target| lex::text(&target.uri));
        let (Some(target), None) = (target, targets.next()) else {
            self.reply(now, id, Reply::refuse(400, "RFC 3515 2.4.1: exactly one Refer-To"));
            return;
        };
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up && !known.told && known.referred.is_none())
        else {
            self.reply(now, id, Reply::refuse(603, "one call is placed on request at a time"));
            return;
        };
        known.referred = Some(id);
        self.tell(Event::Referred { call, target: Pii::new(target), replaces: None, own: None });
    }

    /// 202, and the first NOTIFY of the subscription that comes with it (RFC 3515 §2.4.4).
    pub(super) fn accept_refer(&mut self, now: Instant, call: SipCall) {
        let Some(id) = self.calls.get(&call).and_then(|known| known.referred) else {
            self.counters.ignored_commands += 1;
            return;
        };
        self.reply(now, id, Reply::new(202).of_dialog());
        self.notify_refer(now, call, 100);
    }

    pub(super) fn reject_refer(&mut self, now: Instant, call: SipCall, status: u16) {
        let Some(id) = self.calls.get_mut(&call).and_then(|known| known.referred.take()) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let status = if (400..=699).contains(&status) { status } else { 603 };
        self.reply(now, id, Reply::refuse(status, "not called"));
    }

    /// A final status ends the subscription.
    pub(super) fn notify_refer(&mut self, now: Instant, call: SipCall, status: u16) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up && known.referred.is_some()) else {
            self.counters.ignored_commands += 1;
            return;
        };
        let over = status >= 200;
        if over {
            known.referred = None;
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
