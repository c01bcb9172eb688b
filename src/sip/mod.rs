//! SIP: wire, transactions, dialogs, endpoint. Pure: see [`Endpoint`]. RFC 3261, 3326, 3515, 3581, 5626, 6026.

mod check;
mod dialog;
pub mod digest;
mod endpoint;
mod event;
mod flow;
mod lex;
pub mod message;
mod method;
mod settings;
pub mod stream;
mod timer;
mod transaction;
mod typed;
mod uri;
mod values;
pub mod wire;

pub use endpoint::Endpoint;
pub use event::{Command, Counters, EndCause, Event, Invite, Output, Party, Probe, Reason, SipCall};
pub use flow::{Flow, HostPort, NotAPeer, Peer, Transport};
pub use method::Method;
pub use settings::Settings;
pub use uri::Uri;
