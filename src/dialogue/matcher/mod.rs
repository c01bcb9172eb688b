//! The built-in matcher: phrases, numbers, days and times, names. It needs no model, and where it is certain it beats one.

mod agreement;
mod cues;
mod phrases;
mod slots;

use super::agent::Agent;
use super::event::Expected;
use super::knowledge::KNOWN;
use super::proposal::{Intent, Proposal, Source};
use super::slots::SlotKey;
use super::words::words;
use crate::base::civil::DateTime;

pub use slots::{problem, tidy_name, ungrounded};

/// What `utterance` means after `expected` was asked.
pub fn propose(agent: &Agent, expected: Expected, _local: DateTime, utterance: &str) -> Proposal {
    let words = words(utterance);
    let mut values = slots::find(&words, expected);
    let (mut intent, mut confidence) = cues::best(&words, expected);
    if let Some(emergency) = &agent.parts.emergency
        && super::guard::contains_any(utterance, &emergency.words).is_some()
    {
        (intent, confidence) = (Intent::Emergency, 1.0);
    }
    if expected == Expected::Name
        && (confidence < 0.6 || matches!(intent, Intent::Yes | Intent::Greeting))
        && let Some(name) = slots::bare_name(&words)
    {
        values.insert(SlotKey::Name, crate::base::Pii::new(name));
        (intent, confidence) = (Intent::GiveName, 0.85);
    }
    if confidence < 0.6 {
        (intent, confidence) = by_values(&values, expected).unwrap_or((intent, confidence));
    }
    let when = values.contains_key(&SlotKey::Day) || values.contains_key(&SlotKey::Time);
    // "Could it be Saturday at two?" is a question in form only.
    if intent == Intent::Question && confidence < 0.7 && when && agent.knowledge.find(utterance).is_none_or(|hit| hit.score < KNOWN) {
        (intent, confidence) = (Intent::GiveTime, 0.8);
    }
    if confidence < 0.6
        && let Some(hit) = agent.knowledge.find(utterance).filter(|hit| hit.score >= KNOWN)
    {
        (intent, confidence) = (Intent::Question, hit.score.min(0.8));
    }
    Proposal { intent, slots: values, confidence, source: Source::Matcher }
}

/// Without a phrase that tells, the values tell: an answer to what was asked first.
fn by_values(values: &super::slots::SlotValues, expected: Expected) -> Option<(Intent, f32)> {
    let asked = match expected {
        Expected::Name => SlotKey::Name,
        Expected::Phone => SlotKey::Phone,
        Expected::Day | Expected::Time => SlotKey::Time,
        Expected::Unit => SlotKey::Unit,
        Expected::Beds => SlotKey::Beds,
        _ => SlotKey::Topic,
    };
    let of = |key: SlotKey| match key {
        SlotKey::Name => Some((Intent::GiveName, 0.85)),
        SlotKey::Phone => Some((Intent::GivePhone, 0.95)),
        SlotKey::Day | SlotKey::Time => Some((Intent::GiveTime, 0.9)),
        SlotKey::Unit | SlotKey::Address => Some((Intent::GiveAddress, 0.85)),
        SlotKey::Beds => Some((if expected == Expected::Beds { Intent::Other } else { Intent::Availability }, 0.85)),
        _ => None,
    };
    if values.contains_key(&asked) {
        return of(asked);
    }
    [SlotKey::Phone, SlotKey::Day, SlotKey::Time, SlotKey::Unit, SlotKey::Beds, SlotKey::Name]
        .into_iter()
        .find(|key| values.contains_key(key))
        .and_then(of)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod measure;
