//! What came of a REGISTER, and in words what to change when it was refused.

use super::RegistrationId;
use crate::sip::digest::AuthTrouble;
use crate::sip::{Flow, HostPort};

/// How a REGISTER ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With this status.
    Answered(u16),
    /// Nobody answered.
    Silent,
    /// It could not be sent.
    Unreachable,
}

/// What came of a REGISTER.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterAnswer {
    /// Whose.
    pub id: RegistrationId,
    /// The way it went.
    pub flow: Flow,
    /// How it ended.
    pub outcome: Outcome,
    /// The reason phrase.
    pub reason: String,
    /// The number in CSeq of the last request; one or two more than in the order when the registrar asked for a password.
    pub seq: u32,
    /// The Contact that was sent, without brackets.
    pub contact: String,
    /// The address in it.
    pub told: HostPort,
    /// Where the registrar saw us, as received and rport in its answer say (RFC 3581 §4).
    pub seen: Option<HostPort>,
    /// How long the registration lasts, in seconds.
    pub granted_s: Option<u32>,
    /// Min-Expires, in seconds.
    pub min_expires_s: Option<u32>,
    /// Retry-After, in seconds.
    pub retry_after_s: Option<u32>,
    /// The routes that calls through this registrar take (RFC 3608).
    pub service_routes: Vec<String>,
    /// Why there was no answer to the registrar's challenge.
    pub trouble: Option<AuthTrouble>,
}

/// Why we are not registered, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegistrationTrouble {
    /// Its address is not known.
    #[error("the registrar's address is not known: check server, and that this machine can resolve names")]
    NoAddress,
    /// The password.
    #[error("{0}")]
    Auth(AuthTrouble),
    /// It says no.
    #[error("the registrar answered {status} {reason}: user or secret is wrong, or the account may not be used from here")]
    Forbidden {
        /// 401, 403 or 407.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// It does not know us.
    #[error("the registrar answered {status} {reason}: it knows no {address}: check user and domain")]
    Unknown {
        /// 404, 410 or 604.
        status: u16,
        /// Its words.
        reason: String,
        /// Our address there.
        address: String,
    },
    /// It sends us elsewhere.
    #[error("the registrar answered {status} {reason}: it wants to be reached at another address: write that one under server")]
    Moved {
        /// 300 to 399.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// It is in trouble itself.
    #[error("the registrar answered {status} {reason}: that is its own trouble; it is asked again")]
    Failing {
        /// 500 to 699.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// Anything else.
    #[error(
        "the registrar answered {status} {reason}: it does not take what we send; compare user, domain and expires_s with its settings"
    )]
    Refused {
        /// 400 to 499.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// Nobody answers.
    #[error("nobody answers at {server}: check server, its port and its transport, and the firewalls between")]
    Silent {
        /// Where.
        server: String,
    },
    /// The way is closed.
    #[error("{server} cannot be reached: check server, its port and its transport, and whether it is up")]
    Unreachable {
        /// Where.
        server: String,
    },
}

impl RegistrationTrouble {
    /// What `answer` means for the registration of `address`.
    pub(super) fn of(answer: &RegisterAnswer, address: &str) -> Self {
        let server = format!("{} {}", answer.flow.transport, answer.flow.remote);
        let reason = answer.reason.clone();
        if let Some(trouble) = &answer.trouble {
            return Self::Auth(trouble.clone());
        }
        match answer.outcome {
            Outcome::Silent => Self::Silent { server },
            Outcome::Unreachable => Self::Unreachable { server },
            Outcome::Answered(status) => match status {
                401 | 403 | 407 => Self::Forbidden { status, reason },
                404 | 410 | 604 => Self::Unknown { status, reason, address: address.to_owned() },
                300..=399 => Self::Moved { status, reason },
                408 => Self::Silent { server },
                500.. => Self::Failing { status, reason },
                _ => Self::Refused { status, reason },
            },
        }
    }

    /// Whether another server, or the same one a little later, may well say yes; otherwise somebody has to change something first.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Failing { .. } | Self::Silent { .. } | Self::Unreachable { .. } | Self::NoAddress)
    }
}
