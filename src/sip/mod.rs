//! SIP: wire, transactions, dialogs, endpoint. Pure: see [`Endpoint`]. RFC 3261, 3326, 3515, 3581, 5626, 6026.

mod arrival;
mod caps;
mod check;
mod command;
mod dialog;
pub mod digest;
mod endpoint;
mod event;
mod flow;
mod invite;
mod lex;
pub mod locate;
pub mod message;
mod method;
mod reason;
mod settings;
mod shield;
pub mod stream;
mod timer;
mod transaction;
mod typed;
mod uri;
mod values;
pub mod wire;

pub use arrival::{Arrival, Party};
pub use caps::{Allowance, Bearing, Caps, OverCap, Ticket};
pub use command::Command;
pub use endpoint::Endpoint;
pub use event::{Counters, EndCause, Event, Output, Probe, SipCall};
pub use flow::{Flow, HostPort, NotAPeer, Peer, Transport};
pub use invite::{AccountId, Invite, Replaces};
pub use method::Method;
pub use reason::{Causes, Reason};
pub use settings::{Settings, Strangers};
pub use shield::{Notice, Offence, Report as ShieldReport, Seen, Shield, Standing, Verdict};
pub use uri::{Uri, with_headers};
