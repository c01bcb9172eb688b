//! Who is measured: our ear, and two plain energy thresholds to compare it with.

use nightbell::base::{Captured, CapturedKind, Frame, Instant, Rate, Samples, TurnId};
use nightbell::hear::{Ear, EndReason, Expectation, FalseStop, Heard, Hold, Settings};

/// Samples of a frame.
pub const FRAME: usize = 160;

/// What a listener says, with the sample at which it said it: the end of the frame that told it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Began,
    Ended { last_voiced: usize, speech: bool },
    Pause,
    Resume(FalseStop),
    Yield,
    Settling,
}

/// What was said about a sound.
pub type Log = Vec<(usize, Said)>;

/// What the line brings in the next frame, what we play on it meanwhile, and how loud.
pub struct Moment {
    pub heard: [i16; FRAME],
    pub playing: Option<TurnId>,
    pub level: u16,
}

/// Our ear on a sound, while nothing of ours plays.
pub fn ear(pcm: &[i16], settings: Settings, expectation: Expectation) -> Log {
    let mut frames = pcm.as_chunks::<FRAME>().0.iter();
    ear_on(settings, expectation, |_| frames.next().map(|heard| Moment { heard: *heard, playing: None, level: 0 }))
}

/// Our ear on a line that answers to what the ear wants of playback.
pub fn ear_on(settings: Settings, expectation: Expectation, mut line: impl FnMut(Hold) -> Option<Moment>) -> Log {
    let mut ear = Ear::new(settings);
    ear.expect(expectation);
    let mut log = Log::new();
    let mut at = 0;
    while let Some(moment) = line(ear.hold()) {
        let captured = Captured { at: Samples(at as u64), kind: CapturedKind::Sound, frame: Frame::new(Rate::K8, &moment.heard) };
        at += FRAME;
        ear.handle_frame(Instant::from_millis(at as u64 / 8), &captured, moment.playing, moment.level);
        while let Some(heard) = ear.poll_output() {
            log.extend(said(&heard).map(|said| (at, said)));
        }
    }
    log
}

fn said(heard: &Heard) -> Option<Said> {
    Some(match heard {
        Heard::VoiceBegan { .. } => Said::Began,
        Heard::Ended { last_voiced, why, .. } => {
            Said::Ended { last_voiced: usize::try_from(last_voiced.0).unwrap_or(0), speech: *why != EndReason::NoSpeech }
        }
        Heard::Pause { .. } => Said::Pause,
        Heard::Resume { why, .. } => Said::Resume(*why),
        Heard::Yield { .. } => Said::Yield,
        Heard::Settling { .. } => Said::Settling,
        Heard::Audio { .. } | Heard::Continued { .. } | Heard::Answered { .. } => return None,
    })
}

/// How an energy threshold finds its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Threshold {
    /// -40 dB of full scale, whatever the line.
    Fixed,
    /// 9 dB above the quietest 20 ms of the last three seconds.
    AboveFloor,
}

/// The plain way: three loud frames of 20 ms begin an utterance, 700 ms without one end it.
pub fn energy(pcm: &[i16], threshold: Threshold) -> Log {
    let mut log = Log::new();
    let levels: Vec<f64> = pcm.chunks_exact(FRAME).map(|frame| crate::corpus::decibels(crate::corpus::power(frame))).collect();
    let (mut loud_run, mut quiet_run, mut open, mut last_voiced) = (0, 0, false, 0);
    for (place, level) in levels.iter().enumerate() {
        let floor = levels[place.saturating_sub(150)..=place].iter().fold(0.0_f64, |least, one| least.min(*one)).max(-65.0);
        let bar = if threshold == Threshold::Fixed { -40.0 } else { floor + 9.0 };
        let end = (place + 1) * FRAME;
        if *level > bar {
            (loud_run, quiet_run, last_voiced) = (loud_run + 1, 0, end);
        } else {
            (loud_run, quiet_run) = (0, quiet_run + 1);
        }
        if !open && loud_run == 3 {
            open = true;
            log.push((end, Said::Began));
        }
        if open && quiet_run == 35 {
            open = false;
            log.push((end, Said::Ended { last_voiced, speech: true }));
        }
    }
    log
}
