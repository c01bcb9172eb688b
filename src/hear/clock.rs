//! The leg's own sample clock, as seen from the captured frames: what follows, what is missing, what starts anew.

use crate::base::{Captured, Rate, Samples};

/// How a captured frame continues the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It follows at once.
    Follows,
    /// This much is missing before it: the ring was full.
    After(Samples),
    /// It does not continue anything: the first frame, another rate, a jump.
    Anew,
}

/// Where the next sample belongs.
#[derive(Debug)]
pub(super) struct LegClock {
    rate: Rate,
    next: Option<Samples>,
    hop_end: Samples,
}

/// A hole of more than this is a jump. Filling it would feign silence that nobody heard, and cost time.
const HOLE_MS_MAX: u64 = 1_000;

impl LegClock {
    pub(super) fn new() -> Self {
        Self { rate: Rate::K8, next: None, hop_end: Samples(0) }
    }

    /// Tells how `captured` continues, without moving.
    pub(super) fn place(&self, captured: &Captured) -> Place {
        let Some(next) = self.next.filter(|_| captured.frame.rate() == self.rate) else { return Place::Anew };
        match captured.at.0.checked_sub(next.0) {
            Some(0) => Place::Follows,
            Some(hole) if Samples(hole).to_millis(self.rate) <= HOLE_MS_MAX => Place::After(Samples(hole)),
            _ => Place::Anew,
        }
    }

    /// Starts anew at `captured`; hops are counted from its first sample.
    pub(super) fn restart(&mut self, captured: &Captured) {
        self.rate = captured.frame.rate();
        self.next = Some(captured.at);
        self.hop_end = captured.at;
    }

    /// Moves over `samples` of sound.
    pub(super) fn pass(&mut self, samples: usize) {
        if let Some(next) = &mut self.next {
            next.0 = next.0.saturating_add(samples as u64);
        }
    }

    /// Moves over one hop of `millis`; says where it begins and ends.
    pub(super) fn hop(&mut self, millis: u64) -> (Samples, Samples) {
        let begin = self.hop_end;
        self.hop_end = Samples(begin.0.saturating_add(Samples::from_millis(millis, self.rate).0));
        (begin, self.hop_end)
    }

    /// The place of the next sample.
    pub(super) fn next(&self) -> Samples {
        self.next.unwrap_or_default()
    }

    /// The rate of the leg.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CapturedKind, Frame};

    fn at(at: u64) -> Captured {
        Captured { at: Samples(at), kind: CapturedKind::Sound, frame: Frame::silence(Rate::K8) }
    }

    #[test]
    fn a_hole_is_measured_and_a_jump_starts_anew() {
        let mut clock = LegClock::new();
        assert_eq!(clock.place(&at(0)), Place::Anew);
        clock.restart(&at(0));
        clock.pass(160);
        assert_eq!(clock.place(&at(160)), Place::Follows);
        assert_eq!(clock.place(&at(480)), Place::After(Samples(320)));
        assert_eq!(clock.place(&at(80)), Place::Anew);
        assert_eq!(clock.place(&at(u64::MAX)), Place::Anew);
    }
}
