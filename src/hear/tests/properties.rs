//! What holds whatever the line brings.

use std::path::{Path, PathBuf};

use super::line::{Line, voice};
use crate::base::limits::EAR_REPORTS_MAX;
use crate::base::{Captured, CapturedKind, Frame, Instant, Rate, Samples, Seed, TurnId};
use crate::hear::{Ear, Expectation, Heard, Settings, Verdict};

/// Holds the reports to their promises.
#[derive(Default)]
struct Shadow {
    open: Option<u32>,
    paused: bool,
    newest: u32,
}

impl Shadow {
    fn take(&mut self, heard: &Heard) {
        let utterance = heard.utterance();
        match heard {
            Heard::VoiceBegan { .. } => {
                assert!(self.open.is_none() && utterance > self.newest, "a new number, and nothing open");
                (self.open, self.newest) = (Some(utterance), utterance);
            }
            Heard::Pause { .. } => {
                assert!(!self.paused, "paused twice");
                self.paused = true;
            }
            Heard::Resume { .. } | Heard::Yield { .. } => {
                assert!(self.paused, "nothing was paused");
                self.paused = false;
            }
            Heard::Ended { .. } => {
                assert!(!self.paused, "a pause outlived its utterance");
                assert_eq!(self.open.take(), Some(utterance));
            }
            Heard::Audio { .. } | Heard::Settling { .. } | Heard::Continued { .. } | Heard::Answered { .. } => {}
        }
        assert!(self.open == Some(utterance) || matches!(heard, Heard::Ended { .. }), "about the open utterance");
    }
}

#[test]
fn any_line_keeps_the_promises_of_the_reports() {
    let speech = voice(4_000, 1);
    for seed in 0..24 {
        let mut seed = Seed::new(seed);
        let (mut ear, mut shadow, mut now, mut at) = (Ear::new(Settings::default()), Shadow::default(), 0, 0_u64);
        for _ in 0..1_500 {
            let from = usize::try_from(seed.below(speech.len() as u64 - 960)).unwrap();
            let len = [160, 80, 240, 0, 960][usize::try_from(seed.below(5)).unwrap()];
            let rate = if seed.one_in(200) { Rate::K16 } else { Rate::K8 };
            let kind = if seed.one_in(12) { CapturedKind::Gap } else { CapturedKind::Sound };
            let loud = seed.below(60) > 20;
            let frame = if loud { Frame::new(rate, &speech[from..from + len]) } else { Frame::new(rate, &vec![0; len]) };
            at = match seed.below(300) {
                0 => seed.next_u64(),
                1..8 => at.wrapping_add(seed.below(2_000)),
                _ => at,
            };
            let playing = (!seed.one_in(4)).then(|| TurnId(u32::try_from(now / 3_000).unwrap()));
            ear.handle_frame(Instant::from_millis(now), &Captured { at: Samples(at), kind, frame }, playing, 2_000);
            at = at.wrapping_add(len as u64);
            now += seed.below(60);
            match seed.below(40) {
                0 => ear.handle_timeout(Instant::from_millis(now)),
                1 => ear.expect(Expectation::Digits),
                2 => ear.judge(shadow.newest, Verdict::Complete),
                _ => {}
            }
            while let Some(heard) = ear.poll_output() {
                shadow.take(&heard);
            }
        }
        assert_eq!(ear.lost_reports(), 0);
        assert!(shadow.newest > 0, "something was heard");
    }
}

#[test]
fn an_ear_that_nobody_polls_keeps_events_and_drops_sound() {
    let mut line = Line::new();
    let sound = [voice(3_000, 1), vec![0; 16_000]].concat();
    for (place, frame) in sound.chunks(160).enumerate() {
        let captured = Captured { at: Samples(160 * place as u64), kind: CapturedKind::Sound, frame: Frame::new(Rate::K8, frame) };
        line.ear.handle_frame(Instant::from_millis(20 * place as u64), &captured, None, 0);
    }
    assert!(line.ear.lost_reports() > 50);
    line.drain();
    assert!(line.said.len() <= EAR_REPORTS_MAX);
    assert_eq!((line.story().first(), line.story().last()), (Some(&"began"), Some(&"ended")));
}

#[test]
fn people_are_heard_once_and_nobody_before_them() {
    let shared =
        std::env::var_os("NIGHTBELL_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(shared.join("corpora/human/commands")) else {
        println!("skipped: no corpora/human beside the package");
        return;
    };
    let mut names: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "wav")).collect();
    names.sort();
    let mut cut = 0;
    for name in names.iter().step_by(6) {
        let bytes = std::fs::read(name).unwrap();
        let data = bytes.windows(4).position(|four| four == b"data").unwrap() + 8;
        let mut codec = Vec::new();
        codec.extend(bytes[data..].iter().map(|&code| mu_law(code)));
        let mut line = Line::new();
        line.hear(&vec![0; 8_000]).hear(&codec).hear(&vec![0; 16_000]);
        let begun = line.story().iter().filter(|said| **said == "began").count();
        assert!(begun >= 1, "{} was not heard", name.display());
        assert_eq!(line.story().last(), Some(&"ended"));
        cut += begun - 1;
    }
    assert!(cut <= 2, "{cut} of 20 orders were cut in two");
}

/// ITU-T G.711 expansion, written out here so that the ear's test leans on nobody's codec.
fn mu_law(code: u8) -> i16 {
    let code = !code;
    let value = (((i16::from(code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    if code & 0x80 == 0 { value } else { -value }
}
