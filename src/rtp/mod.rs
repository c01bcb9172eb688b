//! One RTP session's arithmetic: order, gaps, keys, pace and who may be heard. Pure: see [`Receiver`], [`Pacer`], [`Source`]. RFC 3550, RFC 4733.

mod dtmf;
mod pacer;
mod receive;
mod shelf;
mod source;
mod stats;
mod wire;

pub use dtmf::{KEY_EVENTS, KeyPacket, KeyPress, KeySender, Keys, digit_of, event_of};
pub use pacer::{BURST_MAX, Owed, Pacer};
pub use receive::{Arrival, Piece, Receiver};
pub use shelf::{Load, Payload};
pub use source::{Admission, Source, SourceRule};
pub use stats::{Jitter, ReceiveStats};
pub use wire::{DATAGRAM_BYTES_MAX, HEADER_BYTES, Header, Malformed, Packet, is_rtcp, parse, write};
