//! What stands between a leg's playback ring and the wire.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::base::TurnId;

/// The mark beside a turn's number that says that there is one.
const PRESENT: u64 = 1 << 32;

/// What the listening thread may do to a leg's playback without waiting for anybody, and what the media thread lets it know.
/// Shared by `Arc`; all atomics.
#[derive(Debug, Default)]
pub struct Gate {
    paused: AtomicBool,
    floor: AtomicU32,
    playing: AtomicU64,
    level: AtomicU16,
}

impl Gate {
    /// An open gate with its floor at turn 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds playback: silence from the next tick on, and what is in the ring stays there.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Release);
    }

    /// Lets playback go on with the sample after the last one that was sent.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Release);
    }

    /// Whether playback is held.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Raises the floor to `turn`: sound of earlier turns is dropped wherever it is. A lower turn than the present floor changes nothing.
    pub fn flush_below(&self, turn: TurnId) {
        self.floor.fetch_max(turn.0, Ordering::AcqRel);
    }

    /// The first turn that may still be heard.
    pub fn floor(&self) -> TurnId {
        TurnId(self.floor.load(Ordering::Acquire))
    }

    /// The turn that has sound to play now; it stays while the gate is paused, and through a short lack of frames in the middle of a clip.
    pub fn playing(&self) -> Option<TurnId> {
        let packed = self.playing.load(Ordering::Acquire);
        (packed & PRESENT != 0).then(|| TurnId(u32::try_from(packed & u64::from(u32::MAX)).unwrap_or(u32::MAX)))
    }

    /// For the media thread: which turn has sound to play.
    pub fn set_playing(&self, turn: Option<TurnId>) {
        self.playing.store(turn.map_or(0, |turn| PRESENT | u64::from(turn.0)), Ordering::Release);
    }

    /// Root mean square of the last frame that was sent (0 to 32767), so that an echo of it can be told from the caller's own voice.
    pub fn playing_level(&self) -> u16 {
        self.level.load(Ordering::Relaxed)
    }

    /// For the media thread: the level of the frame just sent.
    pub fn set_playing_level(&self, rms: u16) {
        self.level.store(rms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_only_rises() {
        let gate = Gate::new();
        gate.flush_below(TurnId(7));
        gate.flush_below(TurnId(3));
        assert_eq!(gate.floor(), TurnId(7));
    }

    #[test]
    fn turn_zero_is_told_from_nothing() {
        let gate = Gate::new();
        assert_eq!(gate.playing(), None);
        gate.set_playing(Some(TurnId(0)));
        assert_eq!(gate.playing(), Some(TurnId(0)));
        gate.set_playing(Some(TurnId(u32::MAX)));
        assert_eq!(gate.playing(), Some(TurnId(u32::MAX)));
        gate.set_playing(None);
        assert_eq!(gate.playing(), None);
    }

    #[test]
    fn pause_and_resume_are_seen() {
        let gate = Gate::new();
        gate.pause();
        assert!(gate.is_paused());
        gate.resume();
        assert!(!gate.is_paused());
    }
}
