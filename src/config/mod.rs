//! Configuration in two stages: as written (`raw`), and as meant ([`Config`]), with every problem told at once by file and line.

pub mod agent;
mod check;
pub mod edit;
mod error;
mod load;
mod meant;
pub mod models;
mod network;
mod raw;
pub mod recipes;

pub use error::{ConfigErrors, Problem};
pub use load::Overrides;
pub use meant::{
    Advertised, At, Business, CallerId, Caps, Config, Context, Engines, Http, Listener, Media, NumberFormat, Outbound, PackChoice, Person,
    Phone, Reach, Sip, Store, Tls, TransferBy, Trunk,
};
pub use network::Network;

#[cfg(test)]
mod routes_tests;
#[cfg(test)]
mod tests;
