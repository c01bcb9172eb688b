//! Orders to the records that have not been answered, and how long each is waited for.

use std::time::Duration;

use crate::base::Instant;
use crate::base::limits::FILINGS_OPEN_MAX;
use crate::dialogue::EffectId;

/// What was ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paper {
    /// A record to keep.
    Commit,
    /// A look into the calendar.
    LookUp,
    /// That a person has the caller.
    Transfer,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Order {
    effect: EffectId,
    paper: Paper,
    since: Instant,
    /// Given up towards the caller; its answer is still taken.
    late: bool,
}

/// The orders of one call.
#[derive(Clone, Debug, Default)]
pub struct Filing(Vec<Order>);

impl Filing {
    /// Something was ordered of the records.
    pub fn ordered(&mut self, since: Instant, effect: EffectId, paper: Paper) {
        if self.0.len() >= FILINGS_OPEN_MAX {
            self.0.remove(0);
        }
        self.0.push(Order { effect, paper, since, late: false });
    }

    /// The records have answered.
    pub fn answered(&mut self, effect: EffectId) {
        self.0.retain(|order| order.effect != effect || order.paper == Paper::Transfer);
    }

    /// The transfer is on record, or never will be.
    pub fn transfer_answered(&mut self) {
        self.0.retain(|order| order.paper != Paper::Transfer);
    }

    /// Whether the caller waits for an answer.
    pub fn is_awaited(&self) -> bool {
        self.0.iter().any(|order| !order.late)
    }

    /// Whether something may still be put on record.
    pub fn is_open(&self) -> bool {
        self.0.iter().any(|order| order.paper != Paper::LookUp)
    }

    /// When the patience with the oldest order ends.
    pub fn due(&self, patience: Duration) -> Option<Instant> {
        self.0.iter().filter(|order| !order.late).map(|order| order.since + patience).min()
    }

    /// What has not been answered for so long. A look-up is forgotten; a commit may still take place, so its answer goes on being waited for.
    pub fn take_late(&mut self, now: Instant, patience: Duration) -> Vec<(EffectId, Paper)> {
        let mut late = Vec::new();
        for order in self.0.iter_mut().filter(|order| !order.late && order.since + patience <= now) {
            order.late = true;
            late.push((order.effect, order.paper));
        }
        self.0.retain(|order| !(order.late && order.paper == Paper::LookUp));
        late
    }

    /// Nobody waits any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(8);

    #[test]
    fn a_late_commit_is_told_once_and_still_waited_for_and_a_late_look_up_is_forgotten() {
        let at = Instant::from_millis;
        let mut filing = Filing::default();
        filing.ordered(at(0), EffectId(1), Paper::LookUp);
        filing.ordered(at(1_000), EffectId(2), Paper::Commit);
        assert_eq!(filing.due(PATIENCE), Some(at(8_000)));
        assert_eq!(filing.take_late(at(8_000), PATIENCE), [(EffectId(1), Paper::LookUp)]);
        assert_eq!(filing.take_late(at(9_000), PATIENCE), [(EffectId(2), Paper::Commit)]);
        assert_eq!((filing.take_late(at(20_000), PATIENCE), filing.due(PATIENCE)), (Vec::new(), None));
        assert!(!filing.is_awaited() && filing.is_open(), "the caller waits no more, the records may still answer");
        filing.answered(EffectId(2));
        assert!(!filing.is_open());
    }

    #[test]
    fn orders_are_bounded() {
        let mut filing = Filing::default();
        for effect in 0..100 {
            filing.ordered(Instant::ZERO, EffectId(effect), Paper::Commit);
        }
        assert_eq!(filing.0.len(), FILINGS_OPEN_MAX);
    }
}
