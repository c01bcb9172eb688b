//! Why an offer or an answer cannot be taken.

use crate::base::{Fault, Retry};

/// An offer or an answer that cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OfferError {
    /// It is no SDP.
    #[error("the session description cannot be read: {detail}")]
    Syntax {
        /// What the parser said.
        detail: String,
    },
    /// There is no audio, or only refused or encrypted audio.
    #[error("no plain RTP audio; the peer offers {offered}")]
    NoAudio {
        /// The media and their transports.
        offered: String,
    },
    /// Nothing that both speak.
    #[error("no codec in common; the peer offers {offered}")]
    NoCommonCodec {
        /// The formats of the audio line.
        offered: String,
    },
    /// The audio has no address, or a name in its place.
    #[error("the audio has no address that is a number")]
    NoAddress,
    /// IPv6 where we speak IPv4, or the other way around.
    #[error("the audio's address is of the other family than ours")]
    OtherFamily,
}

impl OfferError {
    /// The status that refuses it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Syntax { .. } => 400,
            Self::NoAudio { .. } | Self::NoCommonCodec { .. } | Self::NoAddress | Self::OtherFamily => 488,
        }
    }

    /// Whose fault it is.
    pub const fn fault(&self) -> Fault {
        Fault::Peer
    }

    /// Whether the same offer may be taken later.
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }
}
