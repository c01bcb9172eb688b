//! Requests of the business's own telephones: asked for their password, and REGISTER. RFC 3261 §10.3, §22.1.

use super::Endpoint;
use super::inbound::Received;
use super::reply::{Echo, Reply};
use super::table::{TxnId, Wake, rewind};
use crate::base::Instant;
use crate::sip::digest::Verdict;
use crate::sip::message::name;
use crate::sip::registrar::{Change, PhoneContact, Refusal};
use crate::sip::{Event, Flow, Method, Offence};

impl Endpoint {
    /// Whether a new request may pass: a known peer's does, a telephone's once it has shown its password. Whoever has not is asked for it,
    /// in words that tell nothing, and without a trace left in memory.
    ///
    /// Within a call the tags are the proof, which nobody else has seen, together with the address: we do not ask there again, because not
    /// every phone answers a challenge to BYE. CANCEL cannot be asked (RFC 3261 §22.1): one that cancels nothing gets no answer.
    pub(super) fn lets_pass(&mut self, now: Instant, received: &mut Received) -> bool {
        let (method, source) = (&received.core.method, received.flow.remote.ip());
        let is_peer = self.trusts(received.flow) && *method != Method::Register && !self.is_phone_of_ours(received);
        if is_peer || self.registrar.is_none() {
            return true;
        }
        if *method == Method::Cancel {
            return self.trusts(received.flow) || self.by_server_key.contains_key(&super::inbound::server_key(received, &Method::Invite));
        }
        let within = self.dialog_of(&received.core).and_then(|call| self.calls.get(&call));
        if within.is_some_and(|call| call.flow.remote.ip() == source) {
            return true;
        }
        let Some(registrar) = &mut self.registrar else { return true };
        let verdict = registrar.judge(now, source, &received.message);
        if let Verdict::Passed(user) = &verdict {
            received.phone = registrar.phone(user).map(str::to_owned);
            received.user = Some(user.clone());
            return true;
        }
        self.counters.challenged += 1;
        if verdict == Verdict::Wrong {
            self.counters.denied += 1;
            self.handle_offence(now, received.flow, Offence::WrongPassword);
        }
        self.challenge(now, received, &verdict);
        false
    }

    /// A telephone of ours may live in the network of a known peer: then it shows its password as well.
    fn is_phone_of_ours(&self, received: &Received) -> bool {
        let user = received.core.from.uri().user.unwrap_or_default();
        self.registrar.as_ref().is_some_and(|registrar| registrar.is_at(&user, received.flow))
    }

    fn challenge(&mut self, now: Instant, received: &Received, verdict: &Verdict) {
        let Some(registrar) = &mut self.registrar else { return };
        let (tag, source) = (registrar.guard.tag(&received.message), received.flow.remote.ip());
        let challenges = registrar.guard.challenges(now, source, verdict);
        let echo = Echo::of(&received.message, received.flow, tag);
        let flow = self.response_flow(received.flow, Some(&received.core.via));
        let reply = challenges.into_iter().fold(Reply::new(401), |reply, challenge| reply.with(name::WWW_AUTHENTICATE, challenge));
        let response = self.compose(&echo, flow, reply).encode();
        self.send(flow, response);
    }

    pub(super) fn on_register(&mut self, now: Instant, id: TxnId, received: &Received) {
        let Some(user) = received.user.clone() else { return self.refuse_unknown_phone(now, id) };
        let message = &received.message;
        if received.core.to.uri().user.as_deref() != Some(user.as_str()) {
            let refusal = Reply::refuse(403, "RFC 3261 10.3: a telephone registers under its own user name alone");
            self.reply(now, id, refusal);
            return;
        }
        if message.get(name::PATH).is_some() {
            // RFC 3327 §5.3: calls would have to go back by that way, and ours go by the way of the REGISTER.
            let refusal = Reply::refuse(420, "register here directly, not through a proxy that adds Path").with(name::UNSUPPORTED, "path");
            self.reply(now, id, refusal);
            return;
        }
        let Some(registrar) = &mut self.registrar else { return };
        let least = registrar.expires_min_s.to_string();
        let taken = registrar.take(now, &user, received.flow, (message, &received.core.call_id, received.core.seq));
        let reply = match &taken {
            Ok(change) => {
                let ok = if change.outbound { Reply::new(200).with(name::REQUIRE, "outbound") } else { Reply::new(200) };
                registrar.listed(now, &user).into_iter().fold(ok, |reply, contact| reply.with(name::CONTACT, contact))
            }
            Err(Refusal::TooBrief) => Reply::refuse(423, "register for longer").with(name::MIN_EXPIRES, least),
            Err(Refusal::Wildcard) => Reply::refuse(400, "RFC 3261 10.3: Contact * stands alone, with Expires: 0"),
            Err(Refusal::BadContact) => Reply::refuse(400, "RFC 3261 10.3: every Contact is a SIP address of bearable length"),
            Err(Refusal::OutOfOrder) => Reply::refuse(500, "RFC 3261 10.3: a later REGISTER has come already"),
        };
        self.reply(now, id, reply);
        if let Ok(change) = taken {
            self.tell_change(received.phone.as_deref().unwrap_or_default(), change);
            if let Some(until) = self.registrar.as_ref().and_then(|registrar| registrar.until(&user, received.flow)) {
                self.shield.vouch(received.flow.remote, until);
            }
        }
        self.rearm_registrar();
    }

    fn refuse_unknown_phone(&mut self, now: Instant, id: TxnId) {
        self.reply(now, id, Reply::refuse(403, "this telephone is not known here"));
    }

    fn tell_change(&mut self, phone: &str, change: Change) {
        for contact in change.gone {
            self.shield.stop_vouching(contact.flow.remote);
            self.tell(Event::PhoneGone { phone: phone.to_owned(), contact });
        }
        for contact in change.registered {
            self.tell(Event::PhoneRegistered { phone: phone.to_owned(), contact });
        }
    }

    pub(super) fn on_registrar_wake(&mut self, now: Instant) {
        let gone = self.registrar.as_mut().map(|registrar| registrar.expire(now)).unwrap_or_default();
        self.tell_gone(gone);
    }

    /// A connection is gone, and with it whoever was reached by it.
    pub(super) fn lose_phones(&mut self, flow: Flow) {
        let gone = self.registrar.as_mut().map(|registrar| registrar.lose(flow)).unwrap_or_default();
        self.tell_gone(gone);
    }

    fn tell_gone(&mut self, gone: Vec<(String, PhoneContact)>) {
        for (phone, contact) in gone {
            self.shield.stop_vouching(contact.flow.remote);
            self.tell(Event::PhoneGone { phone, contact });
        }
        self.rearm_registrar();
    }

    fn rearm_registrar(&mut self) {
        let next = self.registrar.as_ref().and_then(crate::sip::registrar::Registrar::next);
        let before = std::mem::replace(&mut self.registrar_wake, next);
        rewind(&mut self.wheel, Wake::Registrar, before, next);
    }
}
