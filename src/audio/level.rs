//! How loud something is.

/// Root mean square of `samples`, 0 (nothing, or silence) to 32767.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the mean of squares of 16-bit values has a 16-bit root"
)]
pub fn rms(samples: &[i16]) -> u16 {
    if samples.is_empty() {
        return 0;
    }
    let sum: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
    ((sum as f64 / samples.len() as f64).sqrt() as u16).min(32_767)
}

/// The level in decibels relative to overload (RFC 6464: 0 loudest, about -96 the softest step; -127 for digital silence).
pub fn dbov(rms: u16) -> f32 {
    if rms == 0 { -127.0 } else { 20.0 * (f32::from(rms) / 32_768.0).log10() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_known_signals() {
        assert_eq!((rms(&[]), rms(&[0; 8]), rms(&[1_000, -1_000]), rms(&[i16::MIN; 4])), (0, 0, 1_000, 32_767));
        assert!((dbov(16_384) + 6.02).abs() < 0.01);
        assert!((dbov(0) + 127.0).abs() < f32::EPSILON);
    }
}
