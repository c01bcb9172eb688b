//! Noises, each from a seed: their power is 1 before scaling.

use nightbell::base::Seed;

use crate::corpus::Clip;

/// A kind of noise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noise {
    White,
    Pink,
    Street,
    Babble,
    Hum,
    Dtmf,
    Clicks,
    Music,
    Ringback,
}

impl Noise {
    pub const UNDER_SPEECH: [Self; 4] = [Self::White, Self::Pink, Self::Street, Self::Babble];
    pub const ALONE: [Self; 5] = [Self::Hum, Self::Dtmf, Self::Clicks, Self::Music, Self::Ringback];

    /// `len` samples at 8 kHz, mean power 1.
    pub fn make(self, len: usize, seed: u64, voices: &[Clip]) -> Vec<f64> {
        let mut seed = Seed::new(seed);
        let mut sound = match self {
            Self::White => (0..len).map(|_| bell(&mut seed)).collect(),
            Self::Pink => pink(len, &mut seed),
            Self::Street => street(len, &mut seed),
            Self::Babble => babble(len, &mut seed, voices),
            Self::Hum => (0..len).map(|i| tone(50, i) + 0.5 * tone(150, i) + 0.3 * tone(250, i) + 0.2 * tone(350, i)).collect(),
            Self::Dtmf => keys(len, &mut seed),
            Self::Clicks => (0..len).map(|i| if i % 4_000 < 20 { f64::from(i32::from(i % 2 == 0) * 2 - 1) } else { 0.0 }).collect(),
            Self::Music => music(len, &mut seed),
            Self::Ringback => (0..len).map(|i| if i % 48_000 < 16_000 { tone(440, i) + tone(480, i) } else { 0.0 }).collect(),
        };
        let power = sound.iter().map(|x| x * x).sum::<f64>() / len.max(1) as f64;
        let gain = 1.0 / power.max(1e-12).sqrt();
        for x in &mut sound {
            *x *= gain;
        }
        sound
    }
}

fn tone(hertz: u32, at: usize) -> f64 {
    (std::f64::consts::TAU * f64::from(hertz) * at as f64 / 8_000.0).sin()
}

fn unit(seed: &mut Seed) -> f64 {
    f64::from(seed.next_u32()) / f64::from(u32::MAX)
}

/// Nearly normal: twelve uniform numbers.
fn bell(seed: &mut Seed) -> f64 {
    (0..12).map(|_| unit(seed)).sum::<f64>() - 6.0
}

/// Kellet's three-pole filter.
fn pink(len: usize, seed: &mut Seed) -> Vec<f64> {
    let mut poles = [0.0_f64; 3];
    let mut next = || {
        let white = bell(seed);
        poles[0] = 0.997_65 * poles[0] + white * 0.099_046;
        poles[1] = 0.963 * poles[1] + white * 0.296_516_4;
        poles[2] = 0.57 * poles[2] + white * 1.052_691_3;
        poles.iter().sum::<f64>() + white * 0.184_8
    };
    (0..len).map(|_| next()).collect()
}

/// Low rumble, a little hiss, and cars that swell and pass every few seconds.
fn street(len: usize, seed: &mut Seed) -> Vec<f64> {
    let (mut low, mut lower, mut swell) = (0.0_f64, 0.0_f64, 0.0_f64);
    (0..len)
        .map(|i| {
            let white = bell(seed);
            low = 0.95 * low + white;
            lower = 0.99 * lower + 0.1 * low;
            swell = 0.9995 * swell + 0.02 * bell(seed);
            (3.0 * lower + 0.5 * low) * (1.0 + 0.8 * swell.abs()) * (1.0 + 0.2 * (i as f64 * 0.0005).sin())
        })
        .collect()
}

/// Seven people at once who never stop: the speech of clips, joined.
fn babble(len: usize, seed: &mut Seed, voices: &[Clip]) -> Vec<f64> {
    let mut sound = vec![0.0; len];
    for _ in 0..7 {
        let mut at = 0;
        while at < len && !voices.is_empty() {
            let clip = &voices[usize::try_from(seed.below(voices.len() as u64)).unwrap_or(0)];
            let gain = 0.01 / clip.power.max(1e-9).sqrt();
            for &(from, to) in &clip.runs {
                for &sample in clip.pcm[from..to].iter().take(len - at) {
                    sound[at] += f64::from(sample) / 32_768.0 * gain;
                    at += 1;
                }
            }
            at += usize::try_from(seed.below(2_000)).unwrap_or(0) + 1;
            at = at.min(len);
        }
    }
    sound
}

/// Keys of a telephone, 100 to 500 ms each, with pauses as long.
fn keys(len: usize, seed: &mut Seed) -> Vec<f64> {
    let mut sound = Vec::with_capacity(len);
    while sound.len() < len {
        let (row, column) = ([697, 770, 852, 941][seed.below(4) as usize], [1_209, 1_336, 1_477][seed.below(3) as usize]);
        let hold = 800 + seed.below(3_200) as usize;
        sound.extend((0..hold).map(|i| tone(row, i) + tone(column, i)));
        sound.extend(std::iter::repeat_n(0.0, hold));
    }
    sound.truncate(len);
    sound
}

/// Struck chords, four a second, each dying away.
fn music(len: usize, seed: &mut Seed) -> Vec<f64> {
    let mut root = 262;
    (0..len)
        .map(|i| {
            if i % 2_000 == 0 {
                root = [262, 294, 330, 392, 349, 220][seed.below(6) as usize];
            }
            let chord: f64 =
                (1..6).map(|h| (tone(root * h, i) + tone(root * h * 5 / 4, i) + tone(root * h * 3 / 2, i)) / f64::from(h)).sum();
            chord * (-3.0 * (i % 2_000) as f64 / 2_000.0).exp()
        })
        .collect()
}
