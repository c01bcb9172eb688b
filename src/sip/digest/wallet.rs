//! Our credentials with one PBX or provider: what we answer to its challenges, and to which we do not. RFC 7616 §3.4, RFC 3261 §22.

use std::net::SocketAddr;

use super::challenge::{Challenge, Scheme};
use super::{Hash, Proof, quoted};
use crate::base::limits::SIP_CHALLENGES_MAX;
use crate::base::{Pii, Seed};
use crate::sip::lex;
use crate::sip::message::{Message, Start, name};

/// Who we are with a PBX or provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub secret: Pii<String>,
    /// The realms that may have an answer made with it; `*` is any. A challenge of another gets none.
    pub realms: Vec<String>,
}

/// Why a challenge has no answer, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthTrouble {
    /// It is of another realm.
    #[error(
        "the other side asks for the password of realm {asked:?}, but the configuration allows {allowed}: if that is your PBX or provider, write realms = [{asked:?}]"
    )]
    WrongRealm {
        /// The realm it names.
        asked: String,
        /// The realms that the configuration names.
        allowed: String,
    },
    /// It wants a hash that we do not have.
    #[error("the other side asks for Digest with {algorithm:?}, which is not known here: let it offer MD5, SHA-256 or SHA-512-256")]
    UnknownAlgorithm {
        /// As it spells it.
        algorithm: String,
    },
    /// It refused without saying what it wants.
    #[error("the other side wants a password but sent no Digest challenge: let it use SIP Digest")]
    NoChallenge,
    /// Our answer was not taken.
    #[error("the other side did not take user {user:?} and its secret for realm {realm:?}: one of the two is wrong")]
    Refused {
        /// Who we said we are.
        user: String,
        /// The realm it named.
        realm: String,
    },
    /// Nobody told us who we are there.
    #[error("the other side wants a user and a password, and the configuration has none for it: write user = \"...\" and a secret")]
    NoCredentials,
}

/// A challenge that was answered, for the requests that follow.
#[derive(Clone, Debug)]
struct Session {
    peer: SocketAddr,
    challenge: Challenge,
    count: u32,
}

/// Credentials, and what the peer last asked. The next request answers at once, and saves a round.
#[derive(Clone, Debug)]
pub struct Wallet {
    credentials: Credentials,
    sessions: Vec<Session>,
}

impl Wallet {
    /// Credentials that nobody has asked for yet.
    pub const fn new(credentials: Credentials) -> Self {
        Self { credentials, sessions: Vec::new() }
    }

    /// Takes the challenges of a 401 or 407 from `peer`; `Err` where none of them gets an answer.
    ///
    /// Of several in one realm the topmost that we know counts (RFC 8760 §2.4: the peer lists them by preference). Several realms, as forking
    /// proxies collect them (RFC 3261 §22.3), are answered each. `answered`: whether the request had an answer to a fresh challenge already.
    pub fn take(&mut self, peer: SocketAddr, response: &Message, answered: Answered) -> Result<(), AuthTrouble> {
        let challenges = Challenge::all(response);
        let mut chosen: Vec<Challenge> = Vec::new();
        let (mut foreign, mut unknown) = (None, None);
        for challenge in challenges {
            let same = |one: &Challenge| one.is_proxy == challenge.is_proxy && one.realm == challenge.realm;
            if !self.serves(&challenge.realm) {
                foreign.get_or_insert(challenge.realm);
            } else if let Err(algorithm) = &challenge.algorithm {
                unknown.get_or_insert(algorithm.clone());
            } else if !chosen.iter().any(same) {
                chosen.push(challenge);
            }
        }
        let Some(first) = chosen.first() else {
            return Err(match (foreign, unknown) {
                (_, Some(algorithm)) => AuthTrouble::UnknownAlgorithm { algorithm: lex::text(&algorithm) },
                (Some(realm), None) => AuthTrouble::WrongRealm { asked: lex::text(&realm), allowed: self.allowed() },
                (None, None) => AuthTrouble::NoChallenge,
            });
        };
        if answered == Answered::Yes && !chosen.iter().any(|challenge| challenge.stale) {
            let realm = lex::text(&first.realm);
            self.forget(peer);
            return Err(AuthTrouble::Refused { user: self.credentials.user.clone(), realm });
        }
        for challenge in chosen {
            self.sessions.retain(|known| {
                known.peer != peer || known.challenge.realm != challenge.realm || known.challenge.is_proxy != challenge.is_proxy
            });
            if self.sessions.len() >= SIP_CHALLENGES_MAX {
                self.sessions.remove(0);
            }
            self.sessions.push(Session { peer, challenge, count: 0 });
        }
        Ok(())
    }

    /// `peer` keeps asking, each time as if our nonce were too old: the secret is not tried any further.
    pub fn give_up(&mut self, peer: SocketAddr, response: &Message) -> AuthTrouble {
        self.forget(peer);
        let realm = Challenge::all(response).first().map(|challenge| lex::text(&challenge.realm)).unwrap_or_default();
        AuthTrouble::Refused { user: self.credentials.user.clone(), realm }
    }

    /// Forgets what `peer` asked.
    pub fn forget(&mut self, peer: SocketAddr) {
        self.sessions.retain(|known| known.peer != peer);
    }

    /// Writes the answers to everything that `peer` has asked into `request`, in place of older ones. True when there was something to write.
    pub fn sign(&mut self, peer: SocketAddr, request: &mut Message, seed: &mut Seed) -> bool {
        let is_answer = |header: &crate::sip::message::Header| {
            header.name.eq_ignore_ascii_case(name::AUTHORIZATION) || header.name.eq_ignore_ascii_case(name::PROXY_AUTHORIZATION)
        };
        request.headers.retain(|header| !is_answer(header));
        let mut answers = Vec::new();
        for session in self.sessions.iter_mut().filter(|session| session.peer == peer) {
            session.count = session.count.saturating_add(1);
            let header = if session.challenge.is_proxy { name::PROXY_AUTHORIZATION } else { name::AUTHORIZATION };
            let client = format!("{:016x}{:016x}", seed.next_u64(), seed.next_u64());
            answers.push((header, answer(&self.credentials, session, request, &client)));
        }
        let any = !answers.is_empty();
        for (header, value) in answers {
            request.push(header, value);
        }
        any
    }

    /// A 2xx may bring the next nonce (RFC 7616 §3.5).
    pub fn note(&mut self, peer: SocketAddr, response: &Message) {
        for (header, is_proxy) in [(name::AUTHENTICATION_INFO, false), (name::PROXY_AUTHENTICATION_INFO, true)] {
            let Some(line) = response.get(header) else { continue };
            // The header has parameters alone: a scheme in front makes it readable as any other.
            let schemes = Scheme::read(&[b"Digest ", line].concat());
            let Some(next) = schemes.first().and_then(|scheme| scheme.get("nextnonce")).filter(|next| !next.is_empty()) else { continue };
            for session in self.sessions.iter_mut().filter(|known| known.peer == peer && known.challenge.is_proxy == is_proxy) {
                session.challenge.nonce = next.to_vec();
                session.count = 0;
            }
        }
    }

    fn serves(&self, realm: &[u8]) -> bool {
        self.credentials.realms.iter().any(|ours| ours == "*" || ours.as_bytes().eq_ignore_ascii_case(realm))
    }

    fn allowed(&self) -> String {
        match self.credentials.realms.as_slice() {
            [] => "none".to_owned(),
            realms => realms.iter().map(|realm| format!("{realm:?}")).collect::<Vec<_>>().join(" and "),
        }
    }
}

/// Whether a request already carried an answer to a challenge that came for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// It did: another challenge means no, unless the nonce was too old.
    Yes,
    /// It did not, or only one to an earlier request's challenge.
    No,
}

fn answer(credentials: &Credentials, session: &Session, request: &Message, client: &str) -> Vec<u8> {
    let (method, uri) = match &request.start {
        Start::Request { method, uri } => (method.as_str(), uri.as_slice()),
        Start::Response { .. } => ("", &[][..]),
    };
    let challenge = &session.challenge;
    let algorithm = challenge.algorithm.clone().unwrap_or(super::Algorithm { hash: Hash::Md5, is_session: false });
    let count = format!("{:08x}", session.count);
    let proof = Proof {
        algorithm,
        user: credentials.user.as_bytes(),
        realm: &challenge.realm,
        secret: credentials.secret.expose().as_bytes(),
        nonce: &challenge.nonce,
        quality: challenge.qop.map(|qop| (qop, count.as_bytes(), client.as_bytes())),
        method: method.as_bytes(),
        uri,
        body: &request.body,
    };
    let mut out = b"Digest username=".to_vec();
    out.extend(quoted(credentials.user.as_bytes()));
    let response = proof.response();
    for (name, value) in [(", realm=", &challenge.realm), (", nonce=", &challenge.nonce), (", uri=", &uri.to_vec())] {
        out.extend_from_slice(name.as_bytes());
        out.extend(quoted(value));
    }
    out.extend_from_slice(format!(", response=\"{response}\"").as_bytes());
    if challenge.is_algorithm_named {
        out.extend_from_slice(format!(", algorithm={}", algorithm.name()).as_bytes());
    }
    if let Some(opaque) = &challenge.opaque {
        out.extend_from_slice(b", opaque=");
        out.extend(quoted(opaque));
    }
    if let Some(qop) = challenge.qop {
        out.extend_from_slice(format!(", qop={}, nc={count}, cnonce=\"{client}\"", qop.name()).as_bytes());
    }
    out
}
