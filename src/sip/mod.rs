//! SIP: wire, transactions, dialogs, endpoint. Pure: see [`Endpoint`]. RFC 3261, 3326, 3515, 3581, 5626, 6026.

mod caps;
mod check;
mod dialog;
mod endpoint;
mod event;
mod flow;
mod lex;
pub mod message;
mod method;
mod settings;
mod shield;
pub mod stream;
mod timer;
mod transaction;
mod typed;
mod uri;
mod values;
pub mod wire;

pub use caps::{Allowance, Bearing, Caps, OverCap, Ticket};
pub use endpoint::Endpoint;
pub use event::{Command, Counters, EndCause, Event, Invite, Output, Party, Probe, Reason, SipCall};
pub use flow::{Flow, HostPort, NotAPeer, Peer, Transport};
pub use method::Method;
pub use settings::{Settings, Strangers};
pub use shield::{Notice, Offence, Report as ShieldReport, Seen, Shield, Standing, Verdict};
pub use uri::Uri;
