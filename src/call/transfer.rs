//! A caller on the way to a person: asked for by REFER, and done only with the NOTIFY in hand (RFC 3515 §2.4.4).

use crate::dialogue::{EffectId, TransferProgress};

/// The transfer that is under way, if any.
#[derive(Clone, Debug, Default)]
pub struct Transfer {
    effect: Option<EffectId>,
    succeeded: bool,
}

impl Transfer {
    /// The kernel wants the caller put through.
    pub fn begin(&mut self, effect: EffectId) {
        self.effect = Some(effect);
    }

    /// The kernel changed its mind.
    pub fn cancel(&mut self) {
        self.effect = None;
    }

    /// Whether another telephone rings, as far as we know.
    pub fn is_under_way(&self) -> bool {
        self.effect.is_some()
    }

    /// Whether a person has the call.
    pub fn has_succeeded(&self) -> bool {
        self.succeeded
    }

    /// A status of the other leg came, by NOTIFY or as the refusal of our REFER. What the kernel must hear of it.
    pub fn status(&mut self, status: u16) -> Option<(EffectId, TransferProgress)> {
        let effect = self.effect?;
        let progress = match status {
            100..=199 => TransferProgress::Started,
            200..=299 => {
                self.succeeded = true;
                TransferProgress::Succeeded { evidence: format!("NOTIFY {status}") }
            }
            _ => TransferProgress::Declined { status },
        };
        if status >= 200 {
            self.effect = None;
        }
        Some((effect, progress))
    }

    /// Nobody answered in time.
    pub fn timed_out(&mut self) -> Option<(EffectId, TransferProgress)> {
        self.effect.take().map(|effect| (effect, TransferProgress::TimedOut))
    }
}
