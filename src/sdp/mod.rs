//! SDP offer and answer for one audio stream. Pure: see [`Session`]. RFC 3264, RFC 8866.

mod codec;
mod error;
mod session;
mod syntax;
#[cfg(test)]
mod tests;

pub use codec::{Codec, CodecKind, Direction, Negotiated};
pub use error::OfferError;
pub use session::Session;
