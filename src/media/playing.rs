//! What a leg says: frames out of the ring, counted by clip, held by the gate and dropped below the floor.

use std::sync::Arc;

use super::orders::{Playback, Report};
use super::stats::LegStats;
use crate::base::{LegId, Rate, Samples, TurnId};
use crate::rt::{Consumer, Gate};

/// The clip that is being played.
#[derive(Clone, Copy, Debug)]
struct Clip {
    turn: TurnId,
    number: u32,
    samples: u64,
    finished: bool,
}

impl Clip {
    fn begun(item: &Playback) -> Self {
        Self { turn: item.turn, number: item.clip, samples: 0, finished: false }
    }

    fn is_of(&self, item: &Playback) -> bool {
        self.turn == item.turn && self.number == item.clip
    }

    fn report(&self, leg: LegId) -> Report {
        Report::Played { leg, turn: self.turn, clip: self.number, samples: Samples(self.samples), finished: self.finished }
    }
}

/// The playing side of one leg.
#[derive(Debug)]
pub(super) struct Playing {
    leg: LegId,
    ring: Consumer<Playback>,
    gate: Arc<Gate>,
    /// The clip that was begun and whose end was not told.
    clip: Option<Clip>,
    /// The clip that was flushed last.
    flushed: Option<Clip>,
    /// The turn of the clip that ended last, until the ring is found empty behind it.
    ended: Option<TurnId>,
    was_paused: bool,
    starved: bool,
}

impl Playing {
    pub(super) fn new(leg: LegId, ring: Consumer<Playback>, gate: Arc<Gate>) -> Self {
        Self { leg, ring, gate, clip: None, flushed: None, ended: None, was_paused: false, starved: false }
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Drops what lies below the floor: bounded by the ring. Done in every tick, so that a flush does not wait for the next period.
    pub(super) fn flush(&mut self, stats: &mut LegStats, out: &mut impl FnMut(Report)) {
        let floor = self.gate.floor();
        let mut changed = false;
        if let Some(clip) = self.clip.take_if(|clip| clip.turn < floor) {
            out(clip.report(self.leg));
            self.flushed = Some(clip);
            changed = true;
        }
        while self.ring.peek().is_some_and(|item| item.turn < floor) {
            let Some(item) = self.ring.pop() else { break };
            changed = true;
            stats.flushed_samples += item.frame.samples().len() as u64;
            // Each clip is told once, also when its frames come in after the flush.
            if !self.flushed.is_some_and(|clip| clip.is_of(&item)) {
                let clip = Clip::begun(&item);
                out(clip.report(self.leg));
                self.flushed = Some(clip);
            }
        }
        self.ended.take_if(|turn| *turn < floor);
        if changed {
            self.gate.set_playing(self.turn_with_sound());
        }
    }

    /// Fills `period` with what goes to the far end now, silence where nothing does; says which turn's sound it was.
    pub(super) fn next_period(
        &mut self,
        period: &mut [i16],
        rate: Rate,
        stats: &mut LegStats,
        out: &mut impl FnMut(Report),
    ) -> Option<TurnId> {
        period.fill(0);
        let paused = self.gate.is_paused();
        if paused && !self.was_paused {
            self.tell_progress(out);
        }
        self.was_paused = paused;
        let item = if paused { None } else { self.next_item(rate, stats) };
        match item {
            Some(item) => self.play(&item, period, stats, out),
            // A frame that waits below the floor is dropped and told in the next tick.
            None if paused || !self.ring.is_empty() => {}
            None => self.run_dry(stats, out),
        }
        self.gate.set_playing(self.turn_with_sound());
        item.map(|item| item.turn)
    }

    /// Tells how far the present clip came, because the leg ends.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(Report)) {
        self.tell_clip(out);
        self.gate.set_playing(None);
        self.gate.set_playing_level(0);
    }

    /// The next frame of a fitting rate; others are dropped, bounded by the ring.
    fn next_item(&mut self, rate: Rate, stats: &mut LegStats) -> Option<Playback> {
        loop {
            if self.ring.peek()?.turn < self.gate.floor() {
                // The floor rose a moment ago: the next tick drops and tells.
                return None;
            }
            let item = self.ring.pop()?;
            if item.frame.rate() == rate {
                return Some(item);
            }
            stats.playback_misfits += 1;
        }
    }

    fn play(&mut self, item: &Playback, period: &mut [i16], stats: &mut LegStats, out: &mut impl FnMut(Report)) {
        if !self.clip.is_some_and(|clip| clip.is_of(item)) {
            self.tell_clip(out);
            self.clip = Some(Clip::begun(item));
            out(Report::Began { leg: self.leg, turn: item.turn, clip: item.clip });
        }
        self.starved = false;
        self.ended = None;
        let sound = item.frame.samples();
        let count = sound.len().min(period.len());
        period[..count].copy_from_slice(&sound[..count]);
        stats.played_samples += count as u64;
        if let Some(clip) = &mut self.clip {
            clip.samples += count as u64;
            clip.finished = item.last;
        }
        if item.last {
            self.tell_clip(out);
            self.ended = Some(item.turn);
        }
    }

    /// The ring is empty and the gate is open.
    fn run_dry(&mut self, stats: &mut LegStats, out: &mut impl FnMut(Report)) {
        if let Some(turn) = self.ended.take() {
            out(Report::Idle { leg: self.leg, turn });
        }
        if let Some(clip) = self.clip.filter(|_| !self.starved) {
            self.starved = true;
            stats.starved += 1;
            out(Report::Starved { leg: self.leg, turn: clip.turn, clip: clip.number });
        }
    }

    fn turn_with_sound(&self) -> Option<TurnId> {
        let waiting = self.ring.peek().map(|item| item.turn);
        self.clip.map(|clip| clip.turn).or(waiting)
    }

    fn tell_progress(&mut self, out: &mut impl FnMut(Report)) {
        if let Some(clip) = self.clip {
            out(clip.report(self.leg));
        }
    }

    fn tell_clip(&mut self, out: &mut impl FnMut(Report)) {
        if let Some(clip) = self.clip.take() {
            out(clip.report(self.leg));
        }
    }
}
