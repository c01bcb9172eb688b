//! The business's own telephones: who may register, where each is reached, until when. RFC 3261 §10.3, RFC 5626 §6.
//!
//! Pure and bounded: accounts are configured, and each has a few Contacts at most. The way a phone registered by is the way it is called by,
//! whatever its Contact says: most of them sit behind some NAT.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::digest::{Guard, Offered};
use super::message::{Message, name};
use super::values::{NameAddr, address_params};
use super::{Flow, Peer, lex};
use crate::base::{Instant, Pii, Secret, limits};

/// A telephone that may register.
#[derive(Clone, Debug)]
pub struct PhoneAccount {
    /// Its name in the configuration.
    pub phone: String,
    /// Its user name.
    pub user: String,
    /// Its password.
    pub secret: Pii<String>,
    /// How many places it may be registered at, at most [`limits::PHONE_CONTACTS_MAX`].
    pub contacts_max: usize,
}

/// The business's own telephones.
#[derive(Clone, Debug)]
pub struct Phones {
    /// Where they may register and call from.
    pub networks: Vec<Peer>,
    /// The realm in our challenges.
    pub realm: String,
    /// Which challenges they get.
    pub digest: Offered,
    /// Whoever knows it can make our nonces.
    pub key: Secret<[u8; 32]>,
    /// All of them.
    pub accounts: Vec<PhoneAccount>,
    /// The shortest registration, in seconds. Less: 423.
    pub expires_min_s: u32,
    /// The longest, in seconds. More: cut down to it.
    pub expires_max_s: u32,
}

/// One place where a telephone is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneContact {
    /// The URI that it registered: the Request-URI of calls to it.
    pub target: String,
    /// The way it registered by: the way of calls to it.
    pub flow: Flow,
}

#[derive(Clone, Debug)]
struct Binding {
    contact: PhoneContact,
    until: Instant,
    call_id: Vec<u8>,
    seq: u32,
    /// Instance and reg-id: another Contact of the same two takes its place (RFC 5626 §6).
    outbound: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why a REGISTER is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// RFC 3261 §10.3, step 6.
    Wildcard,
    /// A Contact that is no SIP address, or too long.
    BadContact,
    /// RFC 3261 §10.3, step 7.
    TooBrief,
    /// RFC 3261 §10.3, step 7: it was overtaken by a later one.
    OutOfOrder,
}

/// What a REGISTER has changed.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) registered: Vec<PhoneContact>,
    pub(super) gone: Vec<PhoneContact>,
    /// Whether the phone keeps flows, and we have understood that.
    pub(super) outbound: bool,
}

struct Wanted {
    target: String,
    expires_s: u32,
    outbound: Option<(Vec<u8>, Vec<u8>)>,
}

/// The registrar.
#[derive(Debug)]
pub(super) struct Registrar {
    pub(super) guard: Guard,
    networks: Vec<Peer>,
    /// By user name.
    accounts: BTreeMap<String, PhoneAccount>,
    /// By user name; the one registered longest ago first.
    bindings: BTreeMap<String, Vec<Binding>>,
    pub(super) expires_min_s: u32,
    expires_max_s: u32,
}

impl Registrar {
    pub(super) fn new(phones: &Phones) -> Self {
        Self {
            guard: Guard::new(phones.key.clone(), phones.realm.clone()).offering(phones.digest),
            networks: phones.networks.clone(),
            accounts: phones.accounts.iter().map(|account| (account.user.clone(), account.clone())).collect(),
            bindings: BTreeMap::new(),
            expires_min_s: phones.expires_min_s,
            expires_max_s: phones.expires_max_s.max(phones.expires_min_s),
        }
    }

    /// Whether telephones may speak from there.
    pub(super) fn serves(&self, source: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(source))
    }

    /// Whether a telephone is registered by this way.
    pub(super) fn reaches(&self, flow: Flow) -> bool {
        self.bindings.values().flatten().any(|binding| binding.contact.flow.is_same_way(flow))
    }

    /// Whether the account `user` is registered by this way.
    pub(super) fn is_at(&self, user: &str, flow: Flow) -> bool {
        self.bindings.get(user).is_some_and(|all| all.iter().any(|binding| binding.contact.flow.is_same_way(flow)))
    }

    /// Until when the account `user` is registered by this way.
    pub(super) fn until(&self, user: &str, flow: Flow) -> Option<Instant> {
        let all = self.bindings.get(user)?.iter();
        all.filter(|binding| binding.contact.flow.is_same_way(flow)).map(|binding| binding.until).max()
    }

    /// The name of the telephone with this user name.
    pub(super) fn phone(&self, user: &str) -> Option<&str> {
        self.accounts.get(user).map(|account| account.phone.as_str())
    }

    /// What the request's credentials are worth.
    pub(super) fn judge(&mut self, now: Instant, source: IpAddr, request: &Message) -> super::digest::Verdict {
        let accounts = &self.accounts;
        self.guard.judge(now, source, request, |user| accounts.get(user).map(|account| account.secret.expose().as_str()))
    }

    /// Takes the REGISTER of `user`, who has shown the password.
    pub(super) fn take(
        &mut self,
        now: Instant,
        user: &str,
        flow: Flow,
        (message, call_id, seq): (&Message, &[u8], u32),
    ) -> Result<Change, Refusal> {
        let contacts: Vec<&[u8]> = message.list(name::CONTACT).take(2 * limits::PHONE_CONTACTS_MAX).collect();
        let default = message.get(name::EXPIRES).and_then(seconds).unwrap_or(self.expires_max_s);
        let all = self.bindings.entry(user.to_owned()).or_default();
        if contacts.contains(&&b"*"[..]) {
            if contacts.len() > 1 || default != 0 || message.get(name::EXPIRES).is_none() {
                return Err(Refusal::Wildcard);
            }
            if all.iter().any(|known| known.call_id == call_id && known.seq >= seq) {
                return Err(Refusal::OutOfOrder);
            }
            return Ok(Change { gone: std::mem::take(all).into_iter().map(|known| known.contact).collect(), ..Change::default() });
        }
        let wanted = contacts.into_iter().map(|contact| wanted(contact, default)).collect::<Option<Vec<_>>>().ok_or(Refusal::BadContact)?;
        // All or nothing (RFC 3261 §10.3): everything is looked at before anything is changed.
        for one in &wanted {
            if one.expires_s > 0 && one.expires_s < self.expires_min_s {
                return Err(Refusal::TooBrief);
            }
            if all.iter().any(|known| is_same(known, one) && known.call_id == call_id && known.seq >= seq) {
                return Err(Refusal::OutOfOrder);
            }
        }
        let mut change = Change { outbound: wanted.iter().any(|one| one.outbound.is_some()), ..Change::default() };
        let most = self.accounts.get(user).map_or(1, |account| account.contacts_max).clamp(1, limits::PHONE_CONTACTS_MAX);
        for one in wanted {
            let before = all.iter().position(|known| is_same(known, &one)).map(|place| all.remove(place).contact);
            let contact = PhoneContact { target: one.target, flow };
            // A refresh from the same place is no news of somebody gone.
            change.gone.extend(before.filter(|before| one.expires_s == 0 || *before != contact));
            if one.expires_s > 0 {
                if all.len() >= most {
                    change.gone.push(all.remove(0).contact);
                }
                let until = now + Duration::from_secs(u64::from(one.expires_s.min(self.expires_max_s)));
                change.registered.push(contact.clone());
                all.push(Binding { contact, until, call_id: call_id.to_vec(), seq, outbound: one.outbound });
            }
        }
        Ok(change)
    }

    /// The Contacts of `user` as a 200 lists them.
    pub(super) fn listed(&self, now: Instant, user: &str) -> Vec<String> {
        let all = self.bindings.get(user).map(Vec::as_slice).unwrap_or_default();
        all.iter().map(|known| format!("<{}>;expires={}", known.contact.target, (known.until - now).as_secs().max(1))).collect()
    }

    /// What has ended by now, with the telephone's name.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(String, PhoneContact)> {
        self.remove(|known| known.until <= now)
    }

    /// What was registered over a connection that is gone (RFC 5626 §7).
    pub(super) fn lose(&mut self, flow: Flow) -> Vec<(String, PhoneContact)> {
        self.remove(|known| known.contact.flow.transport.is_reliable() && known.contact.flow.is_same_way(flow))
    }

    fn remove(&mut self, is_over: impl Fn(&Binding) -> bool) -> Vec<(String, PhoneContact)> {
        let mut gone = Vec::new();
        for (user, all) in &mut self.bindings {
            let phone = self.accounts.get(user).map(|account| account.phone.clone()).unwrap_or_default();
            gone.extend(all.iter().filter(|known| is_over(known)).map(|known| (phone.clone(), known.contact.clone())));
            all.retain(|known| !is_over(known));
        }
        gone
    }

    /// When the next Contact ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.bindings.values().flatten().map(|known| known.until).min()
    }
}

fn is_same(known: &Binding, wanted: &Wanted) -> bool {
    match (&known.outbound, &wanted.outbound) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => known.contact.target == wanted.target,
    }
}

fn wanted(contact: &[u8], default: u32) -> Option<Wanted> {
    let address = NameAddr::parse(contact).filter(|address| address.uri.len() <= limits::PHONE_CONTACT_BYTES_MAX)?;
    let uri = address.uri();
    if !matches!(uri.scheme.as_str(), "sip" | "sips") || uri.has_headers {
        return None;
    }
    let params = address_params(contact)?;
    let expires_s = lex::param_value(&params, "expires").map_or(default, |value| seconds(value).unwrap_or(default));
    let bounded = |name| lex::param_value(&params, name).filter(|value| value.len() <= limits::PHONE_CONTACT_BYTES_MAX).map(lex::unquote);
    let outbound = bounded("+sip.instance").zip(bounded("reg-id"));
    Some(Wanted { target: lex::text(&address.uri), expires_s, outbound })
}

fn seconds(written: &[u8]) -> Option<u32> {
    lex::number(written, u64::MAX).map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
}
