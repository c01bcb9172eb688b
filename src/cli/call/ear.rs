//! Both sides of a call on one clock: where sound was, how long the silences were, and the recording.

use std::time::Duration;

use crate::audio::rms;
use crate::base::{Instant, Rate, TurnId};
use crate::media::Tapped;

/// Sound is looked at in cells of this many samples: 10 ms.
const CELL: usize = 80;

/// A cell of this level or more is sound (of 32,768): above the noise of G.711, below quiet speech.
const VOICED_RMS: u16 = 120;

/// So many voiced cells of [`ONSET_WINDOW`] are an onset: a click is none.
const ONSET_VOICED: usize = 3;
const ONSET_WINDOW: usize = 5;

/// The rate of both codecs that the phone speaks.
const RATE: Rate = Rate::K8;

/// One side of a call, every sample at its time.
///
/// The media thread counts samples; when each frame was handed over says where that count lies on the clock. Handing over is late by up to a few
/// ticks but never early, so the earliest of all frames is the truth.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// From the mouth to the handing over: what is sent was said during the 20 ms before.
    spoken_before: Duration,
    pcm: Vec<i16>,
    /// Microseconds from the clock's beginning to sample 0.
    began: Option<i64>,
    cells: Vec<bool>,
    /// Of each turn said: its first sample and the one after its last, in the order of the turns.
    turns: Vec<(TurnId, usize, usize)>,
}

impl Side {
    /// The side that sends: a packet carries what was said during the 20 ms before it goes.
    pub(super) fn sending() -> Self {
        Self { spoken_before: Duration::from_millis(20), ..Self::default() }
    }

    /// Takes a frame that was read at `now`.
    pub(super) fn take(&mut self, now: Instant, tapped: &Tapped) {
        let at = usize::try_from(tapped.at.0).unwrap_or(usize::MAX);
        let samples = tapped.frame.samples();
        // A stream that jumps by more than an hour is not a call of ours.
        if tapped.frame.rate() != RATE || at > self.pcm.len().saturating_add(3_600 * 8_000) {
            return;
        }
        if self.pcm.len() < at + samples.len() {
            self.pcm.resize(at + samples.len(), 0);
        }
        self.pcm[at..at + samples.len()].copy_from_slice(samples);
        self.belongs(tapped.turn, at, at + samples.len());
        let lies = micros(now) - sample_micros(at) - i64::try_from(self.spoken_before.as_micros()).unwrap_or(0);
        self.began = Some(self.began.map_or(lies, |before| before.min(lies)));
        let first = at / CELL;
        self.cells.truncate(first);
        // Frames that never came left a hole, which is silence and has its cells like any other.
        for cell in self.cells.len()..self.pcm.len() / CELL {
            self.cells.push(rms(&self.pcm[cell * CELL..(cell + 1) * CELL]) >= VOICED_RMS);
        }
    }

    /// These samples are of `turn`. The turns of a side are those of its script, so they are bounded.
    fn belongs(&mut self, turn: Option<TurnId>, from: usize, to: usize) {
        let Some(turn) = turn else { return };
        match self.turns.last_mut().filter(|last| last.0 == turn) {
            Some(last) => last.2 = to,
            None => self.turns.push((turn, from, to)),
        }
    }

    /// When the sound of a turn began and ended, wherever the clock of the one who ordered it stood: a busy machine plays it with holes and notices
    /// its end late. Frames that were lost on the way here are made up for by `length`, what the turn has of sound from its first to its last.
    pub(super) fn turn(&self, turn: TurnId, length: Duration) -> Option<(Instant, Instant)> {
        let (_, from, to) = self.turns.iter().find(|said| said.0 == turn)?;
        let cells = self.cells.get(from / CELL..to.div_ceil(CELL).min(self.cells.len()))?;
        let (first, last) = (cells.iter().position(|voiced| *voiced)?, cells.iter().rposition(|voiced| *voiced)?);
        let (first, end) = (self.time_of(from / CELL + first), self.time_of(from / CELL + last + 1));
        Some((first, end.max(first + length)))
    }

    /// The time of cell `cell`'s first sample.
    fn time_of(&self, cell: usize) -> Instant {
        let at = self.began.unwrap_or(0) + sample_micros(cell * CELL);
        Instant::from_micros(u64::try_from(at).unwrap_or(0))
    }

    /// The first cell that begins at `time` or later.
    fn cell_at(&self, time: Instant) -> usize {
        let into = (micros(time) - self.began.unwrap_or(0)).max(0);
        usize::try_from(into * 8 / 1_000).unwrap_or(usize::MAX).div_ceil(CELL)
    }

    /// When sound begins at `from` or later.
    pub(super) fn onset(&self, from: Instant) -> Option<Instant> {
        let found = (self.cell_at(from)..self.cells.len()).find(|cell| self.begins_at(*cell))?;
        Some(self.time_of(found))
    }

    fn begins_at(&self, cell: usize) -> bool {
        let window = self.cells.get(cell..(cell + ONSET_WINDOW).min(self.cells.len())).unwrap_or_default();
        self.cells.get(cell) == Some(&true) && window.iter().filter(|voiced| **voiced).count() >= ONSET_VOICED
    }

    /// When the sound that is there at `from` or begins after it falls silent for `quiet` or longer; nothing while it goes on.
    pub(super) fn end(&self, from: Instant, quiet: Duration) -> Option<Instant> {
        let wanted = usize::try_from(quiet.as_millis() / 10).unwrap_or(usize::MAX).max(1);
        let mut last = None;
        for cell in self.cell_at(from)..self.cells.len() {
            if self.cells[cell] {
                last = Some(cell);
            } else if last.is_some_and(|last| cell - last >= wanted) {
                break;
            }
        }
        let last = last?;
        let after = self.cells[last + 1..].iter().take_while(|voiced| !**voiced).count();
        (after >= wanted).then(|| self.time_of(last + 1))
    }

    /// When the last sound that began before `until` ended.
    pub(super) fn last_sound(&self, until: Instant) -> Option<Instant> {
        let end = self.cell_at(until).min(self.cells.len());
        self.cells[..end].iter().rposition(|voiced| *voiced).map(|cell| self.time_of(cell + 1))
    }

    /// Whether there was sound in the `before` that ended at `at`.
    pub(super) fn sounded(&self, at: Instant, before: Duration) -> bool {
        let end = self.cell_at(at).min(self.cells.len());
        let begin = end.saturating_sub(usize::try_from(before.as_millis() / 10).unwrap_or(0));
        self.cells[begin..end].iter().any(|voiced| *voiced)
    }
}

/// How long a clip's sound is, from its first to its last.
pub(super) fn sound_in(pcm: &[i16]) -> Duration {
    let voiced = |cell: &[i16]| cell.len() == CELL && rms(cell) >= VOICED_RMS;
    let first = pcm.chunks(CELL).position(voiced);
    let last = pcm.chunks_exact(CELL).rposition(voiced);
    let cells = first.zip(last).map_or(0, |(first, last)| (last + 1).saturating_sub(first));
    Duration::from_millis(10) * u32::try_from(cells).unwrap_or(0)
}

/// Both sides as one stereo file, the caller on the left: 16 bits, 8 kHz, aligned in time.
pub(super) fn write_recording(path: &std::path::Path, caller: &Side, agent: &Side) -> Result<(), hound::Error> {
    let spec = hound::WavSpec { channels: 2, sample_rate: RATE.hertz(), bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(path, spec)?;
    let start = [caller, agent].iter().filter_map(|side| side.began).min().unwrap_or(0);
    let lead = |side: &Side| usize::try_from((side.began.unwrap_or(start) - start) * 8 / 1_000).unwrap_or(0);
    let (left, right) = (lead(caller), lead(agent));
    for at in 0..(left + caller.pcm.len()).max(right + agent.pcm.len()) {
        let sample = |side: &Side, lead: usize| at.checked_sub(lead).and_then(|at| side.pcm.get(at)).copied().unwrap_or(0);
        file.write_sample(sample(caller, left))?;
        file.write_sample(sample(agent, right))?;
    }
    file.finalize()
}

fn micros(at: Instant) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX / 2)
}

fn sample_micros(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX / 2_000).saturating_mul(1_000) / 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Frame, Samples};
    use crate::media;

    /// A side that heard `pattern`: (milliseconds, loud or not), handed over `late` ms after each frame's time.
    fn side(pattern: &[(u64, bool)], late: u64) -> Side {
        let mut side = Side::default();
        let mut at = 0;
        for (ms, loud) in pattern {
            for _ in 0..ms / 20 {
                let level = if *loud { 2_000 } else { 0 };
                let frame = Frame::new(RATE, &[level; 160]);
                // Every third frame is read one tick later than it could be.
                let now = Instant::from_millis(1_000 + at / 8 + late + (at / 160 % 3) * 5);
                side.take(now, &Tapped { side: media::Side::Heard, at: Samples(at), frame, turn: None });
                at += 160;
            }
        }
        side
    }

    #[test]
    fn onsets_and_ends_are_found_to_the_cell() {
        let side = side(&[(200, false), (500, true), (300, false), (400, true), (800, false)], 0);
        let at = |ms: u64| Instant::from_millis(1_000 + ms);
        assert_eq!(side.onset(at(0)), Some(at(200)));
        assert_eq!(side.onset(at(701)), Some(at(1_000)));
        assert_eq!(side.end(at(0), Duration::from_millis(200)), Some(at(700)));
        assert_eq!(side.end(at(0), Duration::from_millis(700)), Some(at(1_400)), "a short pause is no end");
        assert_eq!(side.end(at(0), Duration::from_millis(900)), None, "not silent for long enough yet");
        assert_eq!(side.last_sound(at(9_000)), Some(at(1_400)));
        assert!(side.sounded(at(720), Duration::from_millis(50)) && !side.sounded(at(900), Duration::from_millis(50)));
    }

    #[test]
    fn a_click_is_no_onset() {
        let mut side = side(&[(200, false), (20, true), (400, false)], 0);
        assert_eq!(side.onset(Instant::ZERO), None);
        side.cells.clear();
        assert_eq!(side.onset(Instant::ZERO), None);
    }

    /// What the media thread sends of turns 1 and 2 when it wakes late: `holes` periods of turn 1 were never sent, and the first three of turn 2 went out
    /// in one burst, at points that lie before the moment at which turn 2 was ordered.
    fn two_turns(holes: usize, lost: std::ops::Range<usize>) -> (Side, Instant) {
        let mut side = Side::sending();
        let mut period = 0;
        let mut say = |turn: Option<u32>, loud: bool, count: usize, period: &mut usize| {
            for _ in 0..count {
                let frame = Frame::new(RATE, &[if loud { 2_000 } else { 0 }; 160]);
                let at = Samples(u64::try_from(*period * 160).unwrap());
                let read = Instant::from_millis(1_020 + u64::try_from(*period).unwrap() * 20);
                if !lost.contains(period) {
                    side.take(read, &Tapped { side: media::Side::Said, at, frame, turn: turn.map(TurnId) });
                }
                *period += 1;
            }
        };
        say(None, false, 5, &mut period);
        say(Some(1), true, 20, &mut period);
        period += holes;
        say(Some(1), true, 20, &mut period);
        // The clip ends with a little silence of its own.
        say(Some(1), false, 5, &mut period);
        say(None, false, 50, &mut period);
        let ordered = Instant::from_millis(1_000 + u64::try_from(period + 4).unwrap() * 20);
        say(Some(2), true, 10, &mut period);
        (side, ordered)
    }

    #[test]
    fn a_turn_ends_where_its_own_sound_does_however_late_anybody_noticed() {
        let length = Duration::from_millis(800);
        let (side, ordered) = two_turns(0, 0..0);
        assert_eq!(side.turn(TurnId(1), length), Some((Instant::from_millis(1_100), Instant::from_millis(1_900))));
        let before = Instant::from_micros(ordered.as_micros() - 50_000);
        let (second, _) = side.turn(TurnId(2), Duration::ZERO).unwrap();
        assert!(
            side.last_sound(before) > Some(second),
            "counted back from the next turn's order, its own beginning would be taken for the end"
        );
        let (side, _) = two_turns(30, 0..0);
        assert_eq!(side.turn(TurnId(1), length).unwrap().1, Instant::from_millis(2_500), "played with a hole");
        let (side, _) = two_turns(0, 30..200);
        assert_eq!(side.turn(TurnId(1), length).unwrap().1, Instant::from_millis(1_900), "its last frames were lost on the way here");
        assert_eq!(side.turn(TurnId(2), length), None);
    }

    #[test]
    fn the_sound_of_a_clip_is_counted_without_the_silence_around_it() {
        let pcm: Vec<i16> = [vec![0; 400], vec![2_000; 1_600], vec![0; 800], vec![2_000; 800], vec![0; 330]].concat();
        assert_eq!(sound_in(&pcm), Duration::from_millis(400));
        assert_eq!(sound_in(&[]), Duration::ZERO);
    }

    #[test]
    fn a_recording_keeps_both_sides_aligned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let (caller, agent) = (side(&[(100, true)], 0), side(&[(100, true)], 40));
        write_recording(&path, &caller, &agent).unwrap();
        let samples: Vec<i16> = hound::WavReader::open(&path).unwrap().into_samples().map(Result::unwrap).collect();
        assert_eq!(samples.len(), 2 * (800 + 320));
        assert_eq!((samples[0], samples[1], samples[2 * 319 + 1], samples[2 * 320 + 1]), (2_000, 0, 0, 2_000));
    }
}
