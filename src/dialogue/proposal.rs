//! What somebody thinks the caller meant: the language model, the built-in matcher or the keypad. The kernel decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::slots::{SlotKey, SlotValues};
use crate::base::{Fault, Pii};

/// What the caller wants with one utterance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the meaning; the prompt carries a line on each")]
pub enum Intent {
    Greeting,
    Hours,
    Price,
    Area,
    Location,
    Book,
    Reschedule,
    Cancel,
    GiveName,
    GivePhone,
    GiveTime,
    GiveAddress,
    Yes,
    No,
    Human,
    Robot,
    Maintenance,
    Outage,
    Availability,
    Question,
    Message,
    Callback,
    Repeat,
    Wait,
    Goodbye,
    Status,
    Emergency,
    Other,
}

impl Intent {
    /// Every intent with the line that explains it to a language model.
    pub const ALL: [(Self, &'static str, &'static str); 28] = [
        (Self::Greeting, "greeting", "says hello and nothing more"),
        (Self::Hours, "hours", "asks when the business is open"),
        (Self::Price, "price", "asks what something costs"),
        (Self::Area, "area", "asks which area is served"),
        (Self::Location, "location", "asks where the business is"),
        (Self::Book, "book", "wants an appointment, a visit or a tour"),
        (Self::Reschedule, "reschedule", "wants to move an existing appointment"),
        (Self::Cancel, "cancel", "wants to cancel an appointment"),
        (Self::GiveName, "give_name", "says their name"),
        (Self::GivePhone, "give_phone", "says a telephone number"),
        (Self::GiveTime, "give_time", "says a day or a time"),
        (Self::GiveAddress, "give_address", "says an address or a unit number"),
        (Self::Yes, "yes", "agrees"),
        (Self::No, "no", "disagrees or declines"),
        (Self::Human, "human", "wants to speak with a person"),
        (Self::Robot, "robot", "asks whether this is a machine"),
        (Self::Maintenance, "maintenance", "reports that something is broken"),
        (Self::Outage, "outage", "reports that power, water, gas, heat or internet is out"),
        (Self::Availability, "availability", "asks what is free to rent"),
        (Self::Question, "question", "asks anything else about the business"),
        (Self::Message, "message", "wants to leave a message"),
        (Self::Callback, "callback", "wants to be called back"),
        (Self::Repeat, "repeat", "did not understand and wants it again"),
        (Self::Wait, "wait", "asks for a moment"),
        (Self::Goodbye, "goodbye", "says goodbye or needs nothing more"),
        (Self::Status, "status", "asks about an existing appointment or request"),
        (Self::Emergency, "emergency", "somebody or the building is in danger: gas, fire, flood"),
        (Self::Other, "other", "anything else"),
    ];

    /// The name in prompt, grammar and journal.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(intent, ..)| *intent == self).map_or("other", |(_, name, _)| name)
    }

    /// The intent with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(intent, ..)| *intent)
    }
}

/// Who proposes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The language model, under the grammar.
    Llm,
    /// The built-in matcher.
    Matcher,
    /// The telephone's keys.
    Keypad,
    /// The number that the network showed.
    CallerId,
}

/// What the caller may have meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The wish.
    pub intent: Intent,
    /// The values said with it.
    pub slots: SlotValues,
    /// 0 to 1.
    pub confidence: f32,
    /// Who says so.
    pub source: Source,
}

/// A language model's text that is no proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// It is not the JSON object that the grammar describes.
    #[error("the model's answer is not the JSON object that was asked for, at column {column}")]
    NotJson {
        /// Where reading stopped.
        column: usize,
    },
    /// It names an intent that does not exist or is not legal in this state.
    #[error("intent {name:?} is not legal here")]
    IllegalIntent {
        /// The intent as written.
        name: String,
    },
    /// It names a slot that does not exist or is not legal in this state.
    #[error("slot {name:?} is not legal here")]
    IllegalSlot {
        /// The slot as written.
        name: String,
    },
    /// A value is longer than the grammar permits.
    #[error("the value of {name:?} is too long")]
    TooLong {
        /// The slot.
        name: String,
    },
}

impl ProposalError {
    /// Always the engine's fault: the grammar should have made it impossible.
    pub const fn fault(&self) -> Fault {
        Fault::Engine
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    intent: String,
    #[serde(default)]
    slots: BTreeMap<String, String>,
}

/// Bytes of a model's answer that are read at all.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Characters of one slot's value: the grammar's own bound.
pub(super) const VALUE_CHARS_MAX: usize = 40;

/// The proposal in a model's `json`, checked against what is legal.
pub(super) fn parse(json: &str, confidence: f32, legal: &super::grammar::Legal) -> Result<Proposal, ProposalError> {
    let text = json.trim();
    if text.len() > ANSWER_BYTES_MAX {
        return Err(ProposalError::NotJson { column: ANSWER_BYTES_MAX });
    }
    let raw: Raw = serde_json::from_str(text).map_err(|error| ProposalError::NotJson { column: error.column() })?;
    let intent = Intent::parse(&raw.intent)
        .filter(|intent| legal.intents.contains(intent))
        .ok_or_else(|| ProposalError::IllegalIntent { name: short(&raw.intent) })?;
    let mut slots = SlotValues::new();
    for (name, value) in raw.slots {
        let key = SlotKey::parse(&name)
            .filter(|key| legal.slots.contains(key))
            .ok_or_else(|| ProposalError::IllegalSlot { name: short(&name) })?;
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(ProposalError::TooLong { name: short(&name) });
        }
        if !value.trim().is_empty() {
            slots.insert(key, Pii::new(value.trim().to_owned()));
        }
    }
    let confidence = if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 };
    Ok(Proposal { intent, slots, confidence, source: Source::Llm })
}

fn short(name: &str) -> String {
    name.chars().take(VALUE_CHARS_MAX).collect()
}
