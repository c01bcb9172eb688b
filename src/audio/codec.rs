//! G.711 in both laws. The only file that names `audio_codec_algorithms`. ITU-T G.711; RFC 3551 §4.5.14.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

use crate::base::Rate;

/// How sound is written in RTP.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Codec {
    /// G.711 μ-law: North America and Japan.
    Pcmu,
    /// G.711 A-law: the rest of the world.
    Pcma,
}

impl Codec {
    /// The static payload type (RFC 3551 table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The codec with this static payload type.
    pub const fn from_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// The name in SDP's `rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The rate of what is decoded, which for both laws is RTP's clock rate as well.
    pub const fn rate(self) -> Rate {
        Rate::K8
    }

    /// How many samples a payload of `bytes` octets holds.
    pub const fn samples_in(self, bytes: usize) -> usize {
        bytes
    }

    /// Decodes as much of `payload` as `pcm` holds; says how many samples that is.
    pub fn decode(self, payload: &[u8], pcm: &mut [i16]) -> usize {
        let count = payload.len().min(pcm.len());
        let pairs = pcm.iter_mut().zip(payload);
        match self {
            Self::Pcmu => pairs.for_each(|(sample, byte)| *sample = decode_ulaw(*byte)),
            Self::Pcma => pairs.for_each(|(sample, byte)| *sample = decode_alaw(*byte)),
        }
        count
    }

    /// Encodes as much of `pcm` as `payload` holds; says how many octets that is.
    pub fn encode(self, pcm: &[i16], payload: &mut [u8]) -> usize {
        let count = pcm.len().min(payload.len());
        let pairs = payload.iter_mut().zip(pcm);
        match self {
            Self::Pcmu => pairs.for_each(|(byte, sample)| *byte = encode_ulaw(*sample)),
            Self::Pcma => pairs.for_each(|(byte, sample)| *byte = encode_alaw(*sample)),
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ITU-T G.711 table 2a and 2b: the first decoded values of both laws.
    #[test]
    fn known_code_words_decode_to_the_table() {
        let mut pcm = [0; 4];
        assert_eq!(Codec::Pcmu.decode(&[0x00, 0x80, 0xff, 0x7f], &mut pcm), 4);
        assert_eq!(pcm, [-32_124, 32_124, 0, 0]);
        assert_eq!(Codec::Pcma.decode(&[0xd5, 0x55, 0xaa, 0x2a], &mut pcm), 4);
        assert_eq!(pcm, [8, -8, 32_256, -32_256]);
    }

    #[test]
    fn every_code_word_survives_the_way_through_linear() {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            for byte in 0..=255_u8 {
                let (mut pcm, mut back, mut again) = ([0], [0], [0]);
                codec.decode(&[byte], &mut pcm);
                codec.encode(&pcm, &mut back);
                codec.decode(&back, &mut again);
                assert_eq!(pcm, again, "{codec:?} {byte:#x}");
            }
        }
    }

    #[test]
    fn the_shorter_side_bounds_the_work() {
        assert_eq!(Codec::Pcmu.decode(&[0; 9], &mut [0; 4]), 4);
        assert_eq!(Codec::Pcma.encode(&[0; 3], &mut [0; 4]), 3);
        assert_eq!(Codec::from_payload_type(Codec::Pcma.payload_type()), Some(Codec::Pcma));
    }
}
