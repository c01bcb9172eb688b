//! Whom a door leads to, and how a caller gets there. Part of the journal: a call keeps the plan it began with.

use serde::{Deserialize, Serialize};

use crate::base::Pii;
use crate::base::civil::DateTime;
use crate::dialogue::Hours;

/// How a caller is put through to one person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The caller's side calls the person instead of us (RFC 3515).
    Refer,
    /// We call the person, and join the two legs in the box.
    Bridge,
    /// The first; where the caller's side does not do that, the second.
    #[default]
    Auto,
}

/// In which order the people of a group are rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All at once; the first to take the call has it.
    #[default]
    Together,
    /// One after another.
    InTurn,
}

/// What a person hears before the caller is joined to them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Briefing {
    /// Who calls and what about; then a key takes the call. A mailbox presses no key, so it never swallows a caller.
    #[default]
    Spoken,
    /// Nothing: whoever answers has the caller at once.
    None,
}

/// One telephone that may be rung.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// The name in the configuration's `[people]`, or the URI of somebody who is no entry there.
    pub who: Pii<String>,
    /// How long it may ring.
    pub ring_ms: u64,
    /// When somebody is there; `None` is always.
    pub hours: Option<Hours>,
    /// What is said first.
    pub briefing: Briefing,
}

impl Member {
    /// Whether the telephone may be rung now.
    pub fn is_there(&self, local: DateTime) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.open_at(local))
    }
}

/// Whom a door leads to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// How; a group is always rung by us.
    pub means: Means,
    /// In which order, where there are several.
    pub order: Order,
    /// One for a person, all of them for a group.
    pub members: Vec<Member>,
}

impl Plan {
    /// What holds for a name that nobody planned for: the caller's side is asked to call it.
    pub fn of_name(name: &str, ring_ms: u64) -> Self {
        let member = Member { who: Pii::new(name.to_owned()), ring_ms, hours: None, briefing: Briefing::None };
        Self { means: Means::Refer, order: Order::Together, members: vec![member] }
    }

    /// How this plan is begun.
    pub(super) fn means(&self) -> Means {
        if self.members.len() == 1 { self.means } else { Means::Bridge }
    }
}
