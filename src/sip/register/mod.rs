//! A registration of ours with a PBX or a provider: made, refreshed, moved to another server, taken back. Pure: see [`Registration`].
//! RFC 3261 §10.2, RFC 3581, RFC 3608, RFC 5626.

mod answer;
mod machine;
#[cfg(test)]
mod tests;

pub use answer::{Outcome, RegisterAnswer, RegistrationTrouble};
pub use machine::{Registration, RegistrationState};

use super::{AccountId, Flow, HostPort};

/// One registration of ours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct RegistrationId(pub u16);

/// Whether a registration is kept over one flow of its own (RFC 5626).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Outbound {
    /// Contact carries our instance and a reg-id; a registrar that knows neither ignores them (RFC 3261 §20.10).
    #[default]
    Stated,
    /// A plain Contact, for a registrar that takes offence.
    Unstated,
}

/// What a registration is told once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationSettings {
    /// Which one.
    pub id: RegistrationId,
    /// Whose credentials it may use.
    pub account: AccountId,
    /// The domain that is registered with: the Request-URI, and the host of our address.
    pub domain: String,
    /// The user of our address there.
    pub user: String,
    /// The user of our Contact: calls come to it.
    pub contact_user: String,
    /// How long it shall last, in seconds.
    pub expires_s: u32,
    /// Whether the address that the registrar sees us at is the one we tell (RFC 3581).
    pub learns: Learns,
    /// Whether it states its flow.
    pub outbound: Outbound,
    /// The UUID of this box with this registrar: the same after a restart (RFC 5626 §4.1).
    pub instance: String,
}

/// What becomes of the address that a registrar sees us at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Learns {
    /// It is told from then on.
    Address,
    /// Nothing: the configuration knows better.
    #[default]
    Nothing,
}

/// A REGISTER to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// Whose.
    pub id: RegistrationId,
    /// The way it goes.
    pub flow: Flow,
    /// Whose credentials it may use.
    pub account: AccountId,
    /// The Request-URI's and our address's host.
    pub domain: String,
    /// The user of our address.
    pub user: String,
    /// The user of our Contact.
    pub contact_user: String,
    /// How long it shall last, in seconds; 0 takes it back.
    pub expires_s: u32,
    /// A Contact of ours from before that is no longer right, without brackets.
    pub replaces: Option<String>,
    /// Our instance, where the flow is stated.
    pub instance: Option<String>,
    /// The same for all of one registration.
    pub call_id: String,
    /// The number in CSeq; the answer tells how far it went.
    pub seq: u32,
}

/// What a [`Registration`] wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistrationOutput {
    /// Send this.
    Register(Box<Register>),
    /// Via and Contact tell this peer another address of ours from now on.
    Advertise(Flow, HostPort),
    /// [`Registration::state`] has changed.
    Changed,
}
