//! What two ends agree on.

use std::net::SocketAddr;

/// A codec that we speak.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CodecKind {
    /// G.711 mu-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
}

impl CodecKind {
    /// All of them, our first choice first.
    pub const ALL: [Self; 2] = [Self::Pcma, Self::Pcmu];

    /// The payload type that RFC 3551 §6 fixed for it.
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The name in an rtpmap.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The clock rate in an rtpmap.
    pub const fn clock_rate(self) -> u32 {
        8_000
    }

    /// The codec of that name and rate.
    pub fn named(name: &str, rate: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name) && kind.clock_rate() == rate)
    }
}

/// A codec and its number in this call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Codec {
    /// The number in the RTP header.
    pub payload_type: u8,
    /// The codec.
    pub kind: CodecKind,
}

/// Who may send (RFC 8866 §6.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// The end that says it.
    SendOnly,
    /// The other end.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    /// The attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the end that says it sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the end that says it listens.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same agreement as the other end says it.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            same => same,
        }
    }

    /// What remains when both this and `other` are wanted.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self.sends() && other.sends(), self.receives() && other.receives()) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

/// The outcome of an offer and its answer, for the media thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiated {
    /// What both ends send.
    pub codec: Codec,
    /// The payload type of telephone-event at the codec's clock rate, where both know it (RFC 4733).
    pub telephone_event: Option<u8>,
    /// Where the peer listens. Its address is unspecified while an old-fashioned hold lasts.
    pub remote: SocketAddr,
    /// What we may do: we send where it [`Direction::sends`].
    pub direction: Direction,
    /// The packet time the peer wishes, in milliseconds; 20 when it does not say.
    pub ptime_ms: u8,
}
