//! A piece of sound, typed by its rate.

use super::Samples;

/// How many samples a second. Telephone codecs use 8 kHz, G.722 and recognisers 16, Opus 48.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Rate {
    /// 8,000 Hz.
    K8,
    /// 16,000 Hz.
    K16,
    /// 48,000 Hz.
    K48,
}

impl Rate {
    /// Samples a second.
    pub const fn hertz(self) -> u32 {
        match self {
            Self::K8 => 8_000,
            Self::K16 => 16_000,
            Self::K48 => 48_000,
        }
    }
}

/// Samples in 20 ms at the highest rate.
pub const FRAME_SAMPLES_MAX: usize = 960;

/// Up to 20 ms of sound of one channel, 16-bit linear, without any allocation.
#[derive(Clone, Copy)]
pub struct Frame {
    rate: Rate,
    len: u16,
    pcm: [i16; FRAME_SAMPLES_MAX],
}

impl Frame {
    /// `samples` at `rate`; what exceeds [`FRAME_SAMPLES_MAX`] is cut off.
    pub fn new(rate: Rate, samples: &[i16]) -> Self {
        let mut pcm = [0; FRAME_SAMPLES_MAX];
        let len = samples.len().min(FRAME_SAMPLES_MAX);
        pcm[..len].copy_from_slice(&samples[..len]);
        Self { rate, len: u16::try_from(len).unwrap_or(0), pcm }
    }

    /// 20 ms of digital silence.
    pub fn silence(rate: Rate) -> Self {
        let len = u16::try_from(Samples::from_millis(20, rate).0).unwrap_or(0);
        Self { rate, len, pcm: [0; FRAME_SAMPLES_MAX] }
    }

    /// The rate of [`Frame::samples`].
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The sound.
    pub fn samples(&self) -> &[i16] {
        &self.pcm[..usize::from(self.len)]
    }

    /// The sound, to change in place.
    pub fn samples_mut(&mut self) -> &mut [i16] {
        &mut self.pcm[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} samples at {} Hz)", self.len, self.rate.hertz())
    }
}

/// What stands behind a captured frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CapturedKind {
    /// Sound as received.
    Sound,
    /// Nothing arrived in time: the frame is silence that keeps the sample clock true.
    Gap,
}

/// A frame on its way from the media thread to the listening thread.
#[derive(Clone, Copy, Debug)]
pub struct Captured {
    /// Place of the first sample on the leg's own clock, counted from the leg's first frame at the frame's rate.
    pub at: Samples,
    /// Sound or gap.
    pub kind: CapturedKind,
    /// The samples.
    pub frame: Frame,
}
