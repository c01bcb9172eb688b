//! Two sounds into one.

/// Adds `other` to `samples`, limited to 16 bits; what exceeds the shorter one is left as it is.
pub fn mix_into(samples: &mut [i16], other: &[i16]) {
    for (sample, added) in samples.iter_mut().zip(other) {
        *sample = sample.saturating_add(*added);
    }
}

/// Multiplies every sample by `gain_q8` / 256 (256 leaves it, 128 halves it), limited to 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
pub fn scale(samples: &mut [i16], gain_q8: u16) {
    for sample in samples {
        let product = (i32::from(*sample) * i32::from(gain_q8)) >> 8;
        *sample = product.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_saturates_and_scaling_halves() {
        let mut sound = [30_000, -30_000, 10, 7];
        mix_into(&mut sound, &[10_000, -10_000, 5]);
        assert_eq!(sound, [32_767, -32_768, 15, 7]);
        scale(&mut sound, 128);
        assert_eq!(sound, [16_383, -16_384, 7, 3]);
    }
}
