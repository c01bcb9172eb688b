//! How loud: decibels, and the noise floor of a line.

/// Loudness in decibels relative to a full-scale square wave: 0 is the loudest, -96 about the last bit.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Level(pub f32);

impl Level {
    /// Quieter than anything a telephone line carries.
    pub const SILENCE: Self = Self(-96.0);

    /// The level of this mean power, where 1 is a full-scale square wave.
    pub fn of_power(power: f32) -> Self {
        Self((10.0 * power.max(1e-12).log10()).max(Self::SILENCE.0))
    }

    /// The level of this root mean square of 16-bit samples.
    pub fn of_rms(rms: u16) -> Self {
        let ratio = f32::from(rms) / 32_768.0;
        Self::of_power(ratio * ratio)
    }

    /// How many decibels this is above `other`.
    pub fn above(self, other: Self) -> f32 {
        self.0 - other.0
    }

    /// This level, `decibels` louder.
    #[must_use]
    pub fn plus(self, decibels: f32) -> Self {
        Self(self.0 + decibels)
    }
}

/// Pieces of 16 ms in one box of the floor's memory: 192 ms.
const BOX_HOPS: u32 = 12;

/// Boxes remembered: together about 1.5 s, longer than a voice goes without a dip between words, short enough to learn a new noise soon.
const BOXES: usize = 8;

/// Minimum statistics: the floor is the least smoothed power of the last 1.5 s (after Martin, 2001), so it needs no idea of who speaks.
pub(super) struct Floor {
    smooth: f32,
    least_now: f32,
    hops: u32,
    boxes: [f32; BOXES],
    oldest: usize,
}

/// The least power a line is believed to have: below it, everything is silence.
const POWER_MIN: f32 = 3e-8; // -75 dB

/// The minimum of a fluctuating noise lies below its mean; this much in decibels, for noise smoothed as here.
const BIAS: f32 = 2.0;

impl Floor {
    pub(super) fn new() -> Self {
        Self { smooth: POWER_MIN, least_now: f32::MAX, hops: 0, boxes: [POWER_MIN; BOXES], oldest: 0 }
    }

    /// Learns the power of the next 16 ms; says the floor.
    pub(super) fn learn(&mut self, power: f32) -> Level {
        let power = power.clamp(POWER_MIN, 1.0);
        self.smooth += if power > self.smooth { 0.3 } else { 0.6 } * (power - self.smooth);
        self.least_now = self.least_now.min(self.smooth);
        self.hops += 1;
        if self.hops == BOX_HOPS {
            self.boxes[self.oldest] = self.least_now;
            self.oldest = (self.oldest + 1) % BOXES;
            self.hops = 0;
            self.least_now = f32::MAX;
        }
        self.level()
    }

    /// The floor.
    pub(super) fn level(&self) -> Level {
        let least = self.boxes.iter().fold(self.least_now, |least, &one| least.min(one));
        Level::of_power(least.min(1.0)).plus(BIAS)
    }
}

/// How much louder a line must be made for the detector, which is deaf to voices far below -30 dB.
///
/// The gain falls at once with a loud piece and rises slowly, and noise is never lifted above [`NOISE_MAX`]: so the quiet caller is heard and
/// the noisy line is not made noisier.
pub(super) struct Gain {
    peak: Level,
}

/// Where a voice is brought to.
const VOICE_AIM: Level = Level(-22.0);

/// Where noise may be brought to.
const NOISE_MAX: Level = Level(-55.0);

/// The most gain in decibels.
const GAIN_MAX_DB: f32 = 24.0;

/// Decibels that a loud piece is forgotten by in each piece of 16 ms: 10 a second.
const RELEASE_DB: f32 = 0.16;

impl Gain {
    pub(super) fn new() -> Self {
        Self { peak: Level(-40.0) }
    }

    /// The factor for a piece this loud on a line with this floor.
    pub(super) fn factor(&mut self, level: Level, floor: Level) -> f32 {
        self.peak = Level((self.peak.0 - RELEASE_DB).max(level.0));
        let decibels = VOICE_AIM.above(self.peak).min(NOISE_MAX.above(floor)).clamp(0.0, GAIN_MAX_DB);
        10.0_f32.powf(decibels / 20.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_is_zero_and_half_is_six_decibels_less() {
        assert!(Level::of_rms(32_767).0.abs() < 0.01);
        assert!((Level::of_rms(16_384).0 + 6.02).abs() < 0.01);
        assert_eq!(Level::of_rms(0), Level::SILENCE);
    }

    #[test]
    fn the_floor_learns_a_louder_noise_within_two_seconds_and_a_quieter_one_at_once() {
        let mut floor = Floor::new();
        for _ in 0..125 {
            floor.learn(1e-4);
        }
        assert!((floor.level().0 + 40.0).abs() < 3.0, "{:?}", floor.level());
        for _ in 0..20 {
            floor.learn(1e-6);
        }
        assert!((floor.level().0 + 60.0).abs() < 3.0, "{:?}", floor.level());
    }

    #[test]
    fn a_quiet_voice_is_lifted_and_a_noisy_line_is_not() {
        let mut gain = Gain::new();
        for _ in 0..100 {
            gain.factor(Level(-45.0), Level(-75.0));
        }
        assert!(gain.factor(Level(-45.0), Level(-79.0)) > 13.0);
        assert!((gain.factor(Level(-20.0), Level(-75.0)) - 1.0).abs() < 0.01, "a loud piece takes the gain away at once");
        let mut noisy = Gain::new();
        assert!((noisy.factor(Level(-45.0), Level(-50.0)) - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_voice_with_dips_does_not_lift_the_floor() {
        let mut floor = Floor::new();
        for hop in 0..600 {
            let voiced = hop % 40 < 25;
            floor.learn(if voiced { 1e-2 } else { 1e-6 });
        }
        assert!(floor.level().0 < -50.0, "{:?}", floor.level());
    }
}
