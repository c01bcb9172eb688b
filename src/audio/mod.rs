//! Codecs, tones and the arithmetic of sound. Pure.

mod cadence;
mod codec;
mod conceal;
mod level;
mod mix;
mod resample;
mod tone;

pub use cadence::{Cadence, Tune};
pub use codec::Codec;
pub use conceal::Concealer;
pub use level::{dbov, rms};
pub use mix::{mix_into, scale};
pub use resample::{Resampler, UnfitRates};
pub use tone::{Tone, dtmf_pair, find_dtmf, tone_share};
