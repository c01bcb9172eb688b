//! Who passes as one of our own telephones. Nonces carry their own proof, so that asking costs no memory; a wrong name, a wrong secret
//! and no such account look the same and take the same time. RFC 7616 §3.3, §5; RFC 8760 §2.
//!
//! What an attacker may grow here is bounded: only a nonce that was answered rightly is remembered, for its counts (`SIP_NONCES_MAX`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};

use super::challenge::Scheme;
use super::{Algorithm, Hash, Offered, Proof, Qop};
use crate::base::limits::{SIP_CHALLENGES_MAX, SIP_NONCES_MAX};
use crate::base::{Instant, Secret, sha256};
use crate::sip::message::{Message, Start, name};
use crate::sip::{Uri, lex};

/// How long a nonce serves. After that its answer is "too old", and a phone answers again by itself.
const NONCE_LIFE: Duration = Duration::from_mins(5);

/// How far behind the highest count a request may come: UDP changes the order.
const COUNTS_BEHIND: u32 = 64;

/// What the answer to a challenge is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// This account's.
    Passed(String),
    /// Right, but of a nonce that is too old, of an earlier start of the program, or used up: ask again.
    Stale,
    /// None, or one to a challenge that was never ours.
    Denied,
    /// A wrong one, to a challenge that this very address got from us: so the address is its own.
    Wrong,
}

/// When a nonce was made, in seconds, and which of that second it is.
type NonceId = (u32, u32);

/// The counts that one nonce has seen.
#[derive(Clone, Copy, Debug)]
struct Counts {
    highest: u32,
    /// Bit `n`: the count `highest - n` was seen.
    seen: u64,
}

/// The door of one realm.
#[derive(Debug)]
pub struct Guard {
    key: Secret<[u8; 32]>,
    realm: String,
    offered: Offered,
    made: u32,
    counts: BTreeMap<NonceId, Counts>,
    /// Nonces up to this one are too old, whatever their age: their counts are forgotten.
    floor: Option<NonceId>,
}

impl Guard {
    /// A door for `realm`. Whoever knows `key` can make nonces.
    #[must_use]
    pub const fn new(key: Secret<[u8; 32]>, realm: String) -> Self {
        Self { key, realm, offered: Offered::Both, made: 0, counts: BTreeMap::new(), floor: None }
    }

    /// The same with these challenges alone.
    #[must_use]
    pub const fn offering(mut self, offered: Offered) -> Self {
        self.offered = offered;
        self
    }

    /// The WWW-Authenticate headers of a 401: SHA-256 first, because a peer takes the topmost that it knows (RFC 8760 §2.3), then MD5.
    pub fn challenges(&mut self, now: Instant, source: IpAddr, verdict: &Verdict) -> Vec<String> {
        self.made = self.made.wrapping_add(1);
        let nonce = self.nonce((seconds(now), self.made), source);
        let stale = if *verdict == Verdict::Stale { ", stale=true" } else { "" };
        let challenge = |hash: &Hash| {
            let hash = *hash;
            let algorithm = Algorithm { hash, is_session: false }.name();
            format!("Digest realm={}, nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}", lex::quote(&self.realm))
        };
        self.offered.hashes().iter().map(challenge).collect()
    }

    /// What the request's Authorization is worth. `secret_of` knows the accounts.
    pub fn judge<'a>(&mut self, now: Instant, source: IpAddr, request: &Message, secret_of: impl Fn(&str) -> Option<&'a str>) -> Verdict {
        let schemes = request.all(name::AUTHORIZATION).flat_map(Scheme::read).filter(Scheme::is_digest);
        let ours = schemes.take(SIP_CHALLENGES_MAX).find(|scheme| scheme.get("realm") == Some(self.realm.as_bytes()));
        let Some((answer, scheme)) = ours.and_then(|scheme| Answer::of(&scheme).map(|answer| (answer, scheme))) else {
            return Verdict::Denied;
        };
        let user = lex::text(&answer.user);
        // An unknown user is measured against a secret that nobody has, so that it takes as long to say no.
        let nobody = self.seal(&[b"nobody", &answer.user]);
        let known = secret_of(&user);
        let secret = known.unwrap_or(&nobody);
        let expected = answer.proof(request, &self.realm, secret).response();
        let is_right = equal(expected.as_bytes(), scheme.get("response").unwrap_or_default());
        if !is_right || known.is_none() {
            return if self.is_ours(source, &answer).is_some() { Verdict::Wrong } else { Verdict::Denied };
        }
        // The password is right, so this is no guess: asked again, and nobody is the worse for it.
        if !answer.is_about(request) {
            return Verdict::Denied;
        }
        if self.use_nonce(now, source, &answer) { Verdict::Passed(user) } else { Verdict::Stale }
    }

    /// A tag for a response that no transaction remembers: the same for each repeat, and nobody else's (RFC 3261 §8.2.7).
    pub fn tag(&self, request: &Message) -> String {
        let value = |header| request.get(header).unwrap_or_default();
        let sum = self.seal(&[b"tag", value(name::CALL_ID), value(name::CSEQ), value(name::FROM)]);
        sum.get(..16).unwrap_or_default().to_owned()
    }

    /// Nonces whose counts are remembered.
    pub fn remembered(&self) -> usize {
        self.counts.len()
    }

    fn seal(&self, parts: &[&[u8]]) -> String {
        let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(self.key.expose()) else { return String::new() };
        for part in parts {
            mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            mac.update(part);
        }
        sha256::hex(&mac.finalize().into_bytes())
    }

    fn nonce(&self, (second, number): NonceId, source: IpAddr) -> String {
        let plain = format!("{second:08x}{number:08x}");
        let proof = self.seal(&[b"nonce", plain.as_bytes(), source.to_canonical().to_string().as_bytes()]);
        format!("{plain}{}", proof.get(..32).unwrap_or_default())
    }

    /// When the nonce was made, if we have made it, and for this source.
    fn is_ours(&self, source: IpAddr, answer: &Answer) -> Option<NonceId> {
        let part = |range: std::ops::Range<usize>| u32::from_str_radix(std::str::from_utf8(answer.nonce.get(range)?).ok()?, 16).ok();
        let id = (part(0..8)?, part(8..16)?);
        equal(self.nonce(id, source).as_bytes(), &answer.nonce).then_some(id)
    }

    /// Whether the nonce is ours, made for this source, young, and this count of it new.
    fn use_nonce(&mut self, now: Instant, source: IpAddr, answer: &Answer) -> bool {
        let Some(id) = self.is_ours(source, answer) else { return false };
        let age = u64::from(seconds(now).saturating_sub(id.0));
        if age > NONCE_LIFE.as_secs() || self.floor.is_some_and(|floor| id <= floor) {
            return false;
        }
        let count = answer.count.as_ref().and_then(|written| u32::from_str_radix(std::str::from_utf8(written).ok()?, 16).ok());
        // A phone of RFC 2069 counts nothing: each nonce serves it once.
        let count = if answer.qop.is_some() { count } else { Some(1) };
        count.is_some_and(|count| self.use_count(id, count))
    }

    fn use_count(&mut self, id: NonceId, count: u32) -> bool {
        if let Some(counts) = self.counts.get_mut(&id) {
            return counts.take(count);
        }
        if self.counts.len() >= SIP_NONCES_MAX
            && let Some((oldest, _)) = self.counts.pop_first()
        {
            self.floor = self.floor.max(Some(oldest));
        }
        self.counts.insert(id, Counts { highest: count, seen: 1 });
        self.floor.is_none_or(|floor| id > floor)
    }
}

impl Counts {
    fn take(&mut self, count: u32) -> bool {
        if count > self.highest {
            let up = count - self.highest;
            self.seen = self.seen.checked_shl(up).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let bit = 1_u64.checked_shl(behind).filter(|_| behind < COUNTS_BEHIND);
        let is_new = bit.is_some_and(|bit| self.seen & bit == 0);
        self.seen |= bit.unwrap_or(0);
        is_new
    }
}

/// What an Authorization header states.
struct Answer {
    algorithm: Algorithm,
    user: Vec<u8>,
    nonce: Vec<u8>,
    uri: Vec<u8>,
    qop: Option<Qop>,
    count: Option<Vec<u8>>,
    client: Vec<u8>,
}

impl Answer {
    fn of(scheme: &Scheme) -> Option<Self> {
        let algorithm = Algorithm::named(scheme.get("algorithm").unwrap_or(b"MD5"))?;
        // We offer SHA-256 and MD5; a session variant or a hash that was not offered is no answer to us.
        let offered = !algorithm.is_session && algorithm.hash != Hash::Sha512Trunc;
        let qop = match scheme.get("qop").map(<[u8]>::to_ascii_lowercase).as_deref() {
            None => None,
            Some(b"auth") => Some(Qop::Auth),
            Some(_) => return None,
        };
        offered.then_some(Self {
            algorithm,
            user: scheme.get("username")?.to_vec(),
            nonce: scheme.get("nonce")?.to_vec(),
            uri: scheme.get("uri")?.to_vec(),
            qop,
            count: scheme.get("nc").map(<[u8]>::to_vec),
            client: scheme.get("cnonce").unwrap_or_default().to_vec(),
        })
    }

    fn proof<'a>(&'a self, request: &'a Message, realm: &'a str, secret: &'a str) -> Proof<'a> {
        let method = match &request.start {
            Start::Request { method, .. } => method.as_str(),
            Start::Response { .. } => "",
        };
        Proof {
            algorithm: self.algorithm,
            user: &self.user,
            realm: realm.as_bytes(),
            secret: secret.as_bytes(),
            nonce: &self.nonce,
            quality: self.qop.map(|qop| (qop, self.count.as_deref().unwrap_or_default(), self.client.as_slice())),
            method: method.as_bytes(),
            uri: &self.uri,
            body: &[],
        }
    }

    /// Whether the answer was made for this Request-URI: an answer overheard elsewhere calls no other number (RFC 3261 §22.4).
    fn is_about(&self, request: &Message) -> bool {
        let Start::Request { uri, .. } = &request.start else { return false };
        let (Some(stated), Some(asked)) = (Uri::parse(&self.uri), Uri::parse(uri)) else { return false };
        // Some telephones leave the user out of it (RFC 3261 §22.4 only warns of a difference); the nonce's count keeps it from being used twice.
        (stated.user.is_none() || stated.user == asked.user) && stated.host.eq_ignore_ascii_case(&asked.host)
    }
}

fn seconds(now: Instant) -> u32 {
    u32::try_from(now.as_millis() / 1_000).unwrap_or(u32::MAX)
}

/// Whether the two are the same, in a time that does not tell where they differ.
fn equal(ours: &[u8], theirs: &[u8]) -> bool {
    let differing = ours.iter().zip(theirs).fold(0, |sum, (ours, theirs)| sum | (ours ^ theirs));
    ours.len() == theirs.len() && std::hint::black_box(differing) == 0
}
