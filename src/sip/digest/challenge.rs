//! What WWW-Authenticate, Proxy-Authenticate, Authorization and Authentication-Info say. RFC 7616 §3.3 to §3.5, RFC 3261 §20.

use super::{Algorithm, Qop};
use crate::base::limits::SIP_CHALLENGES_MAX;
use crate::sip::lex;
use crate::sip::message::{Message, name};

/// One authentication scheme with its parameters, unquoted; names in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Scheme {
    name: Vec<u8>,
    params: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Scheme {
    /// Every scheme in one header line. Challenges and their parameters are both separated by commas: a parameter whose name has a word
    /// before it begins the next challenge (RFC 7235 §4.1).
    pub(super) fn read(line: &[u8]) -> Vec<Self> {
        let mut schemes: Vec<Self> = Vec::new();
        for element in lex::split(line, b',').unwrap_or_default() {
            let (mut name, value) = match lex::find(element, b'=').ok().flatten() {
                Some(at) => element.split_at(at),
                None => (element, &[][..]),
            };
            name = lex::trim(name);
            let begins = schemes.is_empty() || name.iter().any(u8::is_ascii_whitespace) || (value.is_empty() && !name.is_empty());
            if begins {
                let gap = name.iter().position(u8::is_ascii_whitespace).unwrap_or(name.len());
                let (scheme, rest) = name.split_at(gap);
                if schemes.len() >= SIP_CHALLENGES_MAX {
                    break;
                }
                schemes.push(Self { name: scheme.to_ascii_lowercase(), params: Vec::new() });
                name = lex::trim(rest);
            }
            if let (Some(last), false) = (schemes.last_mut(), name.is_empty()) {
                let value = lex::unquote(lex::trim(value.get(1..).unwrap_or_default()));
                last.params.push((name.to_ascii_lowercase(), value));
            }
        }
        schemes
    }

    pub(super) fn is_digest(&self) -> bool {
        self.name == b"digest"
    }

    /// The parameter `name`; the first of its kind counts.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.params.iter().find(|(found, _)| found == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }
}

/// What a peer asks before it serves us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Whether a proxy asks (407) and not the end itself (401): the answer has another header.
    pub(super) is_proxy: bool,
    /// Whose passwords are meant.
    pub realm: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(super) opaque: Option<Vec<u8>>,
    /// `Err` with the name of one that we do not know.
    pub(super) algorithm: Result<Algorithm, Vec<u8>>,
    /// Whether the challenge named its algorithm: only then does the answer (RFC 2617 §3.2.2).
    pub(super) is_algorithm_named: bool,
    pub(super) qop: Option<Qop>,
    /// Whether only the nonce was too old (RFC 7616 §3.3).
    pub stale: bool,
}

impl Challenge {
    /// The challenges in a 401 or 407, in their order, at most [`SIP_CHALLENGES_MAX`].
    pub fn all(message: &Message) -> Vec<Self> {
        let of = |header: &'static str, is_proxy: bool| {
            let schemes = message.all(header).flat_map(Scheme::read).filter(Scheme::is_digest);
            schemes.filter_map(move |scheme| Self::of(&scheme, is_proxy)).collect::<Vec<_>>()
        };
        let mut all = of(name::WWW_AUTHENTICATE, false);
        all.extend(of(name::PROXY_AUTHENTICATE, true));
        all.truncate(SIP_CHALLENGES_MAX);
        all
    }

    fn of(scheme: &Scheme, is_proxy: bool) -> Option<Self> {
        let named = scheme.get("algorithm");
        let algorithm = named.map_or(Algorithm::named(b"MD5"), Algorithm::named);
        // Of several qualities we take "auth"; "auth-int" where it is asked alone; none for a peer of RFC 2069.
        let qualities = scheme.get("qop").map(<[u8]>::to_ascii_lowercase);
        let has =
            |wanted: &[u8]| qualities.as_ref().is_some_and(|list| list.split(|&byte| byte == b',').any(|one| lex::trim(one) == wanted));
        let qop = if has(b"auth") { Some(Qop::Auth) } else { has(b"auth-int").then_some(Qop::AuthInt) };
        Some(Self {
            is_proxy,
            realm: scheme.get("realm")?.to_vec(),
            nonce: scheme.get("nonce")?.to_vec(),
            opaque: scheme.get("opaque").map(<[u8]>::to_vec),
            algorithm: algorithm.ok_or_else(|| named.unwrap_or_default().to_vec()),
            is_algorithm_named: named.is_some(),
            qop,
            stale: scheme.is_true("stale"),
        })
    }
}
