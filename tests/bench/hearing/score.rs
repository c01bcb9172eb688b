//! What was heard, held against where somebody spoke.

use crate::corpus::{Clip, GRID};
use crate::listeners::{Log, Said};

/// A voice that begins this long after the one before is an onset of its own.
const APART: usize = 2_400;

/// One sound's result.
#[derive(Default)]
pub struct Score {
    frames: usize,
    frames_missed: usize,
    onsets: usize,
    onsets_missed: usize,
    latencies: Vec<usize>,
    false_voices: usize,
    silence: usize,
    cuts: usize,
    end_delay: Option<usize>,
}

impl Score {
    /// Compares `log` with the runs of `clip`.
    pub fn of(clip: &Clip, log: &Log) -> Self {
        let heard = utterances(log, clip.pcm.len());
        let mut score = Self::default();
        let (first, last) = (clip.runs.first().map_or(0, |run| run.0), clip.runs.last().map_or(0, |run| run.1));
        for &(from, to) in &clip.runs {
            for at in (from..to).step_by(GRID) {
                score.frames += 1;
                // The recogniser gets 300 ms before the trigger; here only 120 ms are granted, which every onset within its own delay needs.
                let covered = heard.iter().any(|&(began, end, _)| at + 960 >= began && at < end + GRID);
                score.frames_missed += usize::from(!covered);
            }
        }
        let mut silent_since = 0;
        for &(from, to) in &clip.runs {
            let open = heard.iter().any(|&(began, _, told)| began < from && from < told);
            if from >= silent_since + APART && !open {
                score.onsets += 1;
                match heard.iter().find(|&&(began, _, _)| began >= from && began < from + 6_400) {
                    Some(&(began, _, _)) => score.latencies.push((began - from) / 8),
                    None => score.onsets_missed += 1,
                }
            }
            silent_since = to;
        }
        let near = |at: usize| clip.runs.iter().any(|&(from, to)| at + 1_600 >= from && at <= to + 2_400);
        score.false_voices = heard.iter().filter(|(began, _, _)| !near(*began)).count();
        score.silence = clip.pcm.len().saturating_sub(clip.runs.iter().map(|(from, to)| to - from).sum());
        score.cuts = heard.iter().filter(|&&(began, _, told)| began >= first && told > first && told < last).count();
        score.end_delay = heard.iter().map(|&(_, _, told)| told).find(|&told| told >= last).map(|told| (told - last) / 8);
        score
    }
}

/// (told to begin, last voiced, told to end) of each utterance that reached the recogniser.
fn utterances(log: &Log, len: usize) -> Vec<(usize, usize, usize)> {
    let mut heard = Vec::new();
    let mut began = None;
    for (at, said) in log {
        match *said {
            Said::Began => began = Some(*at),
            Said::Ended { last_voiced, speech } => {
                if let Some(began) = began.take().filter(|_| speech) {
                    heard.push((began, last_voiced, *at));
                }
            }
            Said::Pause | Said::Resume(_) | Said::Yield | Said::Settling => {}
        }
    }
    heard.extend(began.map(|began| (began, len, usize::MAX / 2)));
    heard
}

/// The results of a condition.
#[derive(Default)]
pub struct Sums {
    clips: usize,
    total: Score,
    cut_clips: usize,
    end_delays: Vec<usize>,
    endless: usize,
}

impl Sums {
    pub fn add(&mut self, score: &Score) {
        self.clips += 1;
        let total = &mut self.total;
        total.frames += score.frames;
        total.frames_missed += score.frames_missed;
        total.onsets += score.onsets;
        total.onsets_missed += score.onsets_missed;
        total.latencies.extend(&score.latencies);
        total.false_voices += score.false_voices;
        total.silence += score.silence;
        total.cuts += score.cuts;
        self.cut_clips += usize::from(score.cuts > 0);
        match score.end_delay {
            Some(delay) if delay < 5_000 => self.end_delays.push(delay),
            _ => self.endless += 1,
        }
    }

    pub fn head() -> &'static str {
        "| condition | listener | voiced missed % | onsets missed | onset p50/p95 ms | false voices / min | orders cut % (cuts an order) | end p50/p95 ms | no end |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    }

    pub fn row(&mut self, condition: &str, listener: &str) -> String {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        format!(
            "| {condition} | {listener} | {:.1} | {} / {} | {} / {} | {:.1} | {:.0} ({:.2}) | {} / {} | {} |",
            share(self.total.frames_missed, self.total.frames),
            self.total.onsets_missed,
            self.total.onsets,
            quantile(&mut self.total.latencies, 50),
            quantile(&mut self.total.latencies, 95),
            self.total.false_voices as f64 / (self.total.silence.max(1) as f64 / 480_000.0),
            share(self.cut_clips, self.clips),
            self.total.cuts as f64 / self.clips.max(1) as f64,
            quantile(&mut self.end_delays, 50),
            quantile(&mut self.end_delays, 95),
            self.endless,
        )
    }
}

/// The value below which so many per cent lie; 0 of nothing.
pub fn quantile(values: &mut [usize], per_cent: usize) -> usize {
    values.sort_unstable();
    values.get((values.len() * per_cent / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(0)
}
