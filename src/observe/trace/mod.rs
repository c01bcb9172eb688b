//! The messages of the last calls, for `nightbell sip trace`: a bounded ring, a ladder to read, hints where we know them, a file for other tools.
//!
//! It holds numbers and names, so it stays in memory and goes to the owner's control socket alone. Passwords' traces are masked before they are kept.

mod hint;
mod ladder;
mod mask;
mod pcap;
mod ring;
#[cfg(test)]
mod tests;

pub use hint::hints;
pub use ladder::{Detail, ladder};
pub use pcap::pcap;
pub use ring::{Asked, Exchange, Line, Passing, Towards, Trace};
