//! What is known about the caller's wish: typed keys, values with where they came from and the turn that set them. The latest statement wins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::proposal::Source;
use crate::base::Pii;

/// What a value is about. The names are those of the understanding prompt and its grammar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotKey {
    /// The caller's name.
    Name,
    /// A day: "tuesday", "next friday", "tomorrow", "march 3".
    Day,
    /// A time of day: "3:30 pm", "3:30", "morning".
    Time,
    /// A service of the business.
    Service,
    /// A telephone number, digits alone.
    Phone,
    /// Some other number.
    Number,
    /// The number of the flat, "402".
    Unit,
    /// Bedrooms, "0" (a studio) to "4".
    Beds,
    /// A town or district.
    Area,
    /// A street address.
    Address,
    /// What is wrong.
    Problem,
    /// Power, water, gas, heat, internet, phone, cable.
    Utility,
    /// How many people.
    People,
    /// A month.
    Month,
    /// What a question is about.
    Topic,
}

impl SlotKey {
    /// Every key, in the order of the prompt.
    pub const ALL: [Self; 15] = [
        Self::Name,
        Self::Day,
        Self::Time,
        Self::Service,
        Self::Phone,
        Self::Number,
        Self::Unit,
        Self::Beds,
        Self::Area,
        Self::Address,
        Self::Problem,
        Self::Utility,
        Self::People,
        Self::Month,
        Self::Topic,
    ];

    /// The key as it is written in prompt, grammar and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Day => "day",
            Self::Time => "time",
            Self::Service => "service",
            Self::Phone => "phone",
            Self::Number => "number",
            Self::Unit => "unit",
            Self::Beds => "beds",
            Self::Area => "area",
            Self::Address => "address",
            Self::Problem => "problem",
            Self::Utility => "utility",
            Self::People => "people",
            Self::Month => "month",
            Self::Topic => "topic",
        }
    }

    /// The key with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }
}

/// Values by key, as one proposal carries them.
pub type SlotValues = BTreeMap<SlotKey, Pii<String>>;

/// One value the kernel holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// The value, in the key's canonical form.
    pub value: Pii<String>,
    /// Who understood it.
    pub source: Source,
    /// How sure that one was, 0 to 1.
    pub confidence: f32,
    /// The caller's turn that set it, counted from 1.
    pub turn: u32,
}

/// Everything known, one value a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slots(BTreeMap<SlotKey, Slot>);

impl Slots {
    /// The value of `key`.
    pub fn get(&self, key: SlotKey) -> Option<&str> {
        self.0.get(&key).map(|slot| slot.value.expose().as_str())
    }

    /// The value of `key` with its origin.
    pub fn slot(&self, key: SlotKey) -> Option<&Slot> {
        self.0.get(&key)
    }

    /// Sets `key`; the latest statement wins. True when the value changed.
    pub fn set(&mut self, key: SlotKey, slot: Slot) -> bool {
        let changed = self.0.get(&key).is_none_or(|old| old.value != slot.value);
        self.0.insert(key, slot);
        changed
    }

    /// Forgets `key`.
    pub fn clear(&mut self, key: SlotKey) {
        self.0.remove(&key);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (SlotKey, &Slot)> {
        self.0.iter().map(|(key, slot)| (*key, slot))
    }
}
