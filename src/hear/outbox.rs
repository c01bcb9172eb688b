//! What waits to be polled, and the sound just before an onset. Neither allocates after it was made.

use std::collections::VecDeque;

use crate::base::limits::{EAR_REPORTS_MAX, EAR_SOUND_MAX, PREROLL_FRAMES_MAX};
use crate::base::{Frame, Samples};

use super::Heard;

/// The queue of reports.
pub(super) struct Outbox {
    waiting: VecDeque<Heard>,
    lost: u64,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self { waiting: VecDeque::with_capacity(EAR_REPORTS_MAX), lost: 0 }
    }

    #[expect(clippy::large_types_passed_by_value, reason = "it is moved into the queue")]
    pub(super) fn say(&mut self, heard: Heard) {
        let room = if matches!(heard, Heard::Audio { .. }) { EAR_SOUND_MAX } else { EAR_REPORTS_MAX };
        if self.waiting.len() < room {
            self.waiting.push_back(heard);
        } else {
            self.lost = self.lost.saturating_add(1);
        }
    }

    pub(super) fn poll(&mut self) -> Option<Heard> {
        self.waiting.pop_front()
    }

    /// Reports dropped because nobody polled.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}

/// The latest frames, for the time before an onset.
pub(super) struct Preroll {
    frames: VecDeque<(Samples, Frame)>,
}

impl Preroll {
    pub(super) fn new() -> Self {
        Self { frames: VecDeque::with_capacity(PREROLL_FRAMES_MAX) }
    }

    /// Keeps `frame`, which begins at `at`; forgets the oldest when full.
    pub(super) fn keep(&mut self, at: Samples, frame: &Frame) {
        if self.frames.len() == PREROLL_FRAMES_MAX {
            self.frames.pop_front();
        }
        self.frames.push_back((at, *frame));
    }

    /// Forgets everything: it went out already, or belongs to another clock.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
    }

    /// The kept frames that begin at `from` or later, oldest first.
    pub(super) fn since(&self, from: Samples) -> impl Iterator<Item = &Frame> {
        self.frames.iter().filter(move |(at, _)| *at >= from).map(|(_, frame)| frame)
    }
}
