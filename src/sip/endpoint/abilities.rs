//! What the two ends can do beyond the plain protocol. RFC 3261 §19.2, §20.5, §20.32, §20.37.

use crate::sip::Method;
use crate::sip::message::{Message, name};

/// The option tags that we know, for Supported.
pub(super) const SUPPORTED: &str = "100rel, timer, replaces, norefersub";

/// What a peer stumbles over is not said to it.
pub(super) const fn supported(timers: Bears, reliable: Bears) -> &'static str {
    match (timers, reliable) {
        (Bears::Well, Bears::Well) => SUPPORTED,
        (Bears::Badly, Bears::Well) => "100rel, replaces, norefersub",
        (Bears::Well, Bears::Badly) => "timer, replaces, norefersub",
        (Bears::Badly, Bears::Badly) => "replaces, norefersub",
    }
}

/// How a peer bears an extension, by our configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bears {
    /// As its RFC says.
    Well,
    /// Not at all, whatever the peer says.
    Badly,
}

/// The tags in Require that we cannot fulfil.
pub(super) fn unknown_options(message: &Message) -> Vec<String> {
    let known = |tag: &String| SUPPORTED.split(", ").any(|known| known.eq_ignore_ascii_case(tag));
    message.list(name::REQUIRE).map(crate::sip::lex::text).filter(|tag| !known(tag)).collect()
}

/// Whether a list of option tags has this one.
pub(super) fn has_option(message: &Message, header: &str, tag: &str) -> bool {
    message.list(header).any(|found| found.eq_ignore_ascii_case(tag.as_bytes()))
}

/// What the peer has said of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Abilities {
    /// It takes UPDATE (RFC 3311 §4).
    pub(super) takes_update: bool,
    /// It acknowledges provisional responses (RFC 3262).
    pub(super) acks_provisional: bool,
    /// It insists on doing so.
    pub(super) wants_reliable: bool,
    /// It keeps session timers (RFC 4028).
    pub(super) keeps_time: bool,
}

impl Abilities {
    /// What a message of the peer's says; Allow may be missing, and then what it said before stands.
    pub(super) fn note(&mut self, message: &Message) {
        if message.get(name::ALLOW).is_some() {
            self.takes_update = message.list(name::ALLOW).any(|method| method == Method::Update.as_str().as_bytes());
        }
        self.wants_reliable = has_option(message, name::REQUIRE, "100rel");
        self.acks_provisional = self.wants_reliable || has_option(message, name::SUPPORTED, "100rel");
        self.keeps_time = has_option(message, name::SUPPORTED, "timer") || has_option(message, name::REQUIRE, "timer");
    }

    pub(super) fn of(message: &Message) -> Self {
        let mut abilities = Self::default();
        abilities.note(message);
        abilities
    }
}
