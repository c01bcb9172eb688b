//! Digest access authentication: what a challenge asks, what answers it, and who may pass. RFC 7616, RFC 8760, RFC 3261 §22.
//!
//! `Wallet` is the asking side's (ours towards a PBX or provider), `Guard` the answering side's (ours towards our own telephones).

mod challenge;
mod guard;
#[cfg(test)]
mod tests;
mod wallet;

use md5::Md5;
use sha2::{Digest as _, Sha512_256};

use crate::base::sha256;

pub use challenge::Challenge;
pub use guard::{Guard, Verdict};
pub use wallet::{Answered, AuthTrouble, Credentials, Wallet};

/// A hash that Digest may be asked for. SHA-512-256 is the strongest; MD5 is what most PBXs still ask for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Hash {
    /// RFC 2617.
    Md5,
    /// RFC 7616.
    Sha256,
    /// RFC 7616; FIPS 180-4 calls it SHA-512/256.
    Sha512Trunc,
}

impl Hash {
    /// The digest of `parts` with colons between them, in lower-case hexadecimal digits (RFC 7616 §3.3).
    fn of(self, parts: &[&[u8]]) -> String {
        let whole = parts.join(&b':');
        match self {
            Self::Md5 => sha256::hex(&Md5::digest(&whole)),
            Self::Sha256 => sha256::hex(&sha256::of(&whole)),
            Self::Sha512Trunc => sha256::hex(&Sha512_256::digest(&whole)),
        }
    }
}

/// Which challenges our own telephones get. RFC 8760 §2.4 wants the one they know picked out of several; older telephones give up at the first name that
/// is new to them (baresip 1, sipp 3.6), and for those there is MD5 alone.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Offered {
    /// SHA-256, then MD5.
    #[default]
    Both,
    /// MD5 alone.
    Md5,
    /// SHA-256 alone.
    Sha256,
}

impl Offered {
    /// The hashes, in the order of the headers.
    pub const fn hashes(self) -> &'static [Hash] {
        match self {
            Self::Both => &[Hash::Sha256, Hash::Md5],
            Self::Md5 => &[Hash::Md5],
            Self::Sha256 => &[Hash::Sha256],
        }
    }
}

/// A hash, and whether its first step is taken once a session: `-sess`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Algorithm {
    /// The hash.
    pub hash: Hash,
    /// Whether the nonces are mixed into the first step (RFC 7616 §3.4.2).
    pub is_session: bool,
}

impl Algorithm {
    /// The algorithm that `name` spells, in any case; none for one we do not know.
    pub fn named(name: &[u8]) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (plain, is_session) = name.strip_suffix(b"-sess").map_or((name.as_slice(), false), |plain| (plain, true));
        let hash = match plain {
            b"md5" => Hash::Md5,
            b"sha-256" => Hash::Sha256,
            b"sha-512-256" => Hash::Sha512Trunc,
            _ => return None,
        };
        Some(Self { hash, is_session })
    }

    /// As the register of algorithms spells it.
    pub const fn name(self) -> &'static str {
        match (self.hash, self.is_session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512Trunc, false) => "SHA-512-256",
            (Hash::Sha512Trunc, true) => "SHA-512-256-sess",
        }
    }
}

/// How much of the request is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Qop {
    /// Its method and its URI.
    Auth,
    /// Its body as well.
    AuthInt,
}

impl Qop {
    const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// Everything that goes into a response.
struct Proof<'a> {
    algorithm: Algorithm,
    user: &'a [u8],
    realm: &'a [u8],
    secret: &'a [u8],
    nonce: &'a [u8],
    /// The quality, nonce count and client nonce; none where the challenge is of RFC 2069.
    quality: Option<(Qop, &'a [u8], &'a [u8])>,
    method: &'a [u8],
    uri: &'a [u8],
    body: &'a [u8],
}

impl Proof<'_> {
    /// RFC 7616 §3.4.1 to §3.4.3.
    fn response(&self) -> String {
        let hash = self.algorithm.hash;
        let mut first = hash.of(&[self.user, self.realm, self.secret]);
        if self.algorithm.is_session {
            let client = self.quality.map_or(&[][..], |(_, _, client)| client);
            first = hash.of(&[first.as_bytes(), self.nonce, client]);
        }
        let second = match self.quality {
            Some((Qop::AuthInt, ..)) => hash.of(&[self.method, self.uri, hash.of(&[self.body]).as_bytes()]),
            _ => hash.of(&[self.method, self.uri]),
        };
        match self.quality {
            Some((qop, count, client)) => hash.of(&[first.as_bytes(), self.nonce, count, client, qop.name().as_bytes(), second.as_bytes()]),
            None => hash.of(&[first.as_bytes(), self.nonce, second.as_bytes()]),
        }
    }
}

/// With quotes, and a backslash before what needs one; bytes stay bytes, because both sides hash them.
fn quoted(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 2);
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(if byte < b' ' { b' ' } else { byte });
    }
    out.push(b'"');
    out
}
