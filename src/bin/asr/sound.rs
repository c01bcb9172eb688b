//! Telephone sound as Whisper wants it: 16 kHz, floating point.

/// Half the taps of the interpolation filter on each side.
const HALF: usize = 24;

/// Samples between -1 and 1.
pub fn as_floats(pcm: &[i16]) -> Vec<f32> {
    pcm.iter().map(|sample| f32::from(*sample) / 32_768.0).collect()
}

/// Twice the rate: every second sample is the sound's own, the others are interpolated by a windowed sinc (a half-band filter of 4 `HALF` - 1 taps),
/// so that the mirror image above 4 kHz stays out.
pub fn doubled(pcm: &[i16]) -> Vec<f32> {
    let taps = taps();
    let input = as_floats(pcm);
    let at = |place: Option<usize>| place.and_then(|place| input.get(place)).copied().unwrap_or(0.0);
    let mut output = Vec::with_capacity(2 * input.len());
    for place in 0..input.len() {
        let sides = taps.iter().enumerate().map(|(k, tap)| tap * (at(place.checked_sub(k)) + at(Some(place + 1 + k))));
        output.push(at(Some(place)));
        output.push(sides.sum());
    }
    output
}

/// The filter's right half: a sinc at odd half-samples under a Hann window, with a gain of one at rest.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn taps() -> Vec<f32> {
    let raw = (0..HALF).map(|k| {
        let x = k as f32 + 0.5;
        let window = 0.5 + 0.5 * (std::f32::consts::PI * x / (HALF as f32 + 0.5)).cos();
        (std::f32::consts::PI * x).sin() / (std::f32::consts::PI * x) * window
    });
    let raw: Vec<f32> = raw.collect();
    let sum: f32 = raw.iter().sum();
    raw.iter().map(|tap| tap * 0.5 / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a tone of modest size")]
    fn a_tone_keeps_its_shape_at_twice_the_rate() {
        let angle = |place: usize, hertz: f32| std::f32::consts::TAU * 1_000.0 * place as f32 / hertz;
        let tone: Vec<i16> = (0..800).map(|place| (angle(place, 8_000.0).sin() * 16_000.0) as i16).collect();
        let doubled = doubled(&tone);
        assert_eq!(doubled.len(), 1_600);
        let worst =
            (100..1_500).map(|place| (doubled[place] - angle(place, 16_000.0).sin() * 16_000.0 / 32_768.0).abs()).fold(0.0, f32::max);
        assert!(worst < 0.002, "{worst}");
    }
}
