//! The moves that are legal in a state, and the grammar (GBNF of llama.cpp) that lets a model decode nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::agent::AgentParts;
use super::event::Expected;
use super::proposal::Intent;
use super::slots::SlotKey;

/// Legal moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Legal {
    /// What the caller may be taken to want.
    pub intents: BTreeSet<Intent>,
    /// What may be filled in.
    pub slots: BTreeSet<SlotKey>,
}

impl Legal {
    /// What `agent` can do at all. The doors (a person, again, goodbye, emergency, the question for the robot) are always among them.
    pub fn of_agent(agent: &AgentParts) -> Self {
        let mut intents: BTreeSet<Intent> = Intent::ALL.iter().map(|(intent, ..)| *intent).collect();
        let mut slots: BTreeSet<SlotKey> = SlotKey::ALL.into_iter().collect();
        if agent.bookable.is_none() {
            for intent in [Intent::Reschedule, Intent::Cancel] {
                intents.remove(&intent);
            }
        }
        if agent.homes.is_empty() {
            slots.remove(&SlotKey::Beds);
        }
        if agent.requests.is_none() {
            slots.remove(&SlotKey::Utility);
        }
        Self { intents, slots }
    }

    /// What is legal after `expected` was asked: agreeing needs something to agree to.
    pub fn after(mut self, expected: Expected) -> Self {
        if expected == Expected::Open {
            self.intents.remove(&Intent::Yes);
            self.intents.remove(&Intent::No);
        }
        self
    }

    /// The grammar: one object, intents by name, at most six slots, every string bounded.
    pub fn grammar(&self) -> Arc<str> {
        let intents: Vec<String> = self.intents.iter().map(|intent| format!("\"{}\"", intent.as_str())).collect();
        let pairs: Vec<String> = self.slots.iter().map(|key| pair(*key)).collect();
        format!(
            "root ::= \"{{\\\"intent\\\":\\\"\" intent \"\\\",\\\"slots\\\":{{\" (pair (\",\" pair){{0,5}})? \"}}}}\"\n\
             intent ::= {}\n\
             pair ::= {}\n\
             text ::= [A-Za-z0-9 :'.-]{{1,40}}\n\
             digits ::= [0-9]{{1,15}}\n",
            intents.join(" | "),
            pairs.join(" | ")
        )
        .into()
    }
}

fn pair(key: SlotKey) -> String {
    let value = match key {
        SlotKey::Phone | SlotKey::Number | SlotKey::People => "digits",
        SlotKey::Beds => "[0-4]",
        _ => "text",
    };
    format!("\"\\\"{}\\\":\\\"\" {value} \"\\\"\"", key.as_str())
}
