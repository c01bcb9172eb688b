//! How loud this caller speaks, so that voices behind the caller are not taken for the caller.

use super::level::Level;

/// Voiced hops after which the caller's loudness is known: one second of voice.
const KNOWN_HOPS: u32 = 64;

/// Hops after which the bar falls by a decibel when nobody was heard: one second. The caller may have moved away from the telephone.
const RELAX_HOPS: f32 = 62.5;

/// The loudness of the caller's voice, in the mean.
#[derive(Debug, Default)]
pub(super) struct Caller {
    mean_db: f32,
    hops: u32,
    unheard_hops: u32,
}

impl Caller {
    /// Learns from a hop of the caller's voice.
    pub(super) fn speaks(&mut self, level: Level) {
        self.hops = self.hops.saturating_add(1);
        self.unheard_hops = 0;
        #[expect(clippy::cast_precision_loss, reason = "64 at most")]
        let first = 1.0 / self.hops.min(KNOWN_HOPS) as f32;
        let pace = if level.0 > self.mean_db { 2.0 * first } else { first };
        self.mean_db += pace.min(1.0) * (level.0 - self.mean_db);
    }

    /// A hop passes in which nobody is heard.
    pub(super) fn rests(&mut self) {
        self.unheard_hops = self.unheard_hops.saturating_add(1);
    }

    /// Below this it is not the caller, when a voice may be this far below the caller's mean; nothing is known at first.
    pub(super) fn bar(&self, below_db: f32) -> Level {
        #[expect(clippy::cast_precision_loss, reason = "decibels need few digits")]
        let relaxed = self.unheard_hops as f32 / RELAX_HOPS;
        if self.hops < KNOWN_HOPS { Level::SILENCE } else { Level(self.mean_db - below_db - relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_behind_the_caller_is_told_by_its_loudness_once_the_caller_is_known() {
        let mut caller = Caller::default();
        assert_eq!(caller.bar(14.0), Level::SILENCE);
        (0..100).for_each(|_| caller.speaks(Level(-22.0)));
        assert!((caller.bar(14.0).0 + 36.0).abs() < 0.5);
        (0..1_250).for_each(|_| caller.rests());
        assert!((caller.bar(14.0).0 + 56.0).abs() < 0.5, "after 20 s a quieter voice is heard again");
    }
}
