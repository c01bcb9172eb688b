//! An agent: everything the owner wrote about one desk of the business. Immutable; a call keeps the version it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::guard;
use super::hours::Hours;
use super::knowledge::{Knowledge, Topic};
use super::prompt;
use super::slots::SlotKey;
use super::wording::{Wording, WordingError};
use crate::base::civil::{Date, Zone};

/// A home or another thing to rent, with what may be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// Bedrooms; 0 is a studio.
    pub beds: u8,
    /// As it is spoken: "one-bedroom apartment".
    pub name: String,
    /// Rent in whole dollars a month.
    pub rent: u32,
    /// Free from this day; `None` is at once.
    pub from: Option<Date>,
    /// How many are free. 0: none, and the caller is told so.
    pub free: u16,
    /// A sentence more, in the owner's words.
    pub note: Option<String>,
}

/// A price of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// As it is spoken: "the application fee".
    pub name: String,
    /// What callers say for it.
    pub also: Vec<String>,
    /// The whole answer, in the owner's words.
    pub answer: String,
}

/// What can be booked.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookable {
    /// The name in records and in speech: "tour".
    pub resource: String,
    /// When.
    pub hours: Hours,
    /// How long one takes; times are offered on this grid.
    pub minutes: u16,
    /// How many may hold the same time.
    pub capacity: u16,
    /// How long before it one must book.
    pub notice_minutes: u32,
    /// How far ahead one may book.
    pub horizon_days: u16,
}

/// How requests (repairs) are taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    /// What is promised for an ordinary one, a whole sentence in the owner's words.
    pub promise: String,
    /// What is promised for an urgent one.
    pub urgent_promise: String,
    /// Words that make one urgent.
    pub urgent: Vec<String>,
    /// Working minutes until an ordinary one is seen to.
    pub due_minutes: u32,
    /// Minutes, day or night, until an urgent one is seen to.
    pub urgent_due_minutes: u32,
}

/// A targeted question before the action. Each is asked once at most, and never when its answer is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualify {
    /// What it finds out.
    pub slot: SlotKey,
    /// The question.
    pub ask: String,
}

/// A person or desk that calls can be put through to.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// The name in the configuration's `[people]`: "office".
    pub target: String,
    /// As it is spoken: "the office".
    pub spoken: String,
    /// When somebody is there; `None`: try at any time.
    pub hours: Option<Hours>,
    /// Working minutes within which a callback is promised.
    pub callback_minutes: u32,
}

/// What an emergency is here and what is said first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// The words that make one.
    pub words: Vec<String>,
    /// What is said before anything else.
    pub say: String,
    /// The target that the call is put through to.
    pub target: String,
    /// Minutes within which somebody calls back if nobody answers.
    pub callback_minutes: u32,
}

/// What an agent is made of.
#[derive(Clone, Debug)]
pub struct AgentParts {
    /// The name: calls to `sip:NAME@` reach it.
    pub name: String,
    /// The business.
    pub business: String,
    /// SHA-256 of the agent's files, in hex.
    pub version: String,
    /// Where its clocks hang.
    pub zone: Zone,
    /// The first sentences: who this is, that it is an AI, what it can do, go ahead.
    pub greeting: String,
    /// What it can help with, to go into "I can ...".
    pub abilities: String,
    /// When the business is open.
    pub hours: Hours,
    /// The way to people.
    pub door: Door,
    /// Emergencies, where they are this desk's matter.
    pub emergency: Option<Emergency>,
    /// What can be booked.
    pub bookable: Option<Bookable>,
    /// How requests are taken.
    pub requests: Option<Requests>,
    /// What is said about matters of another desk.
    pub elsewhere: Option<String>,
    /// Homes to rent.
    pub homes: Vec<Home>,
    /// Prices.
    pub prices: Vec<Price>,
    /// The targeted questions.
    pub qualify: Vec<Qualify>,
    /// Topics of the knowledge file.
    pub topics: Vec<Topic>,
    /// Said first, as long as they hold.
    pub bulletins: Vec<String>,
    /// Never to be said.
    pub forbidden: Vec<String>,
    /// The owner's own wording of scripted sentences, by key.
    pub wording: BTreeMap<String, String>,
}

/// Why parts do not make an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// A sentence of the owner's cannot be used.
    #[error(transparent)]
    Wording(#[from] WordingError),
    /// The greeting does not say that it is an AI.
    #[error("the greeting must say that the caller speaks with an AI: write \"I'm an AI assistant\" into it")]
    NoDisclosure,
    /// A text of the knowledge claims that something was done, which only a receipt may say.
    #[error("{place} says {claim:?}: an answer cannot say that something was done for the caller; write what one can do instead")]
    Claims {
        /// Where it stands.
        place: String,
        /// The words.
        claim: String,
    },
    /// A forbidden phrase stands in the owner's own text.
    #[error("{place} says {phrase:?}, which the agent may never say")]
    Forbidden {
        /// Where it stands.
        place: String,
        /// The phrase.
        phrase: String,
    },
    /// Something is empty that must not be.
    #[error("{what} is empty")]
    Empty {
        /// What.
        what: &'static str,
    },
}

/// One desk of the business, checked.
pub struct Agent {
    pub(super) parts: AgentParts,
    pub(super) knowledge: Knowledge,
    pub(super) wording: Wording,
    /// Numbers, days and names that stand in the owner's own texts.
    pub(super) grounds: BTreeSet<String>,
    prefix_compact: Arc<str>,
    prefix_full: Arc<str>,
}

impl Agent {
    /// Checks `parts`.
    pub fn new(parts: AgentParts) -> Result<Self, AgentError> {
        for (what, text) in [
            ("the agent's name", &parts.name),
            ("the business's name", &parts.business),
            ("what the agent can help with", &parts.abilities),
        ] {
            if text.trim().is_empty() {
                return Err(AgentError::Empty { what });
            }
        }
        let disclosed =
            super::words::plain(&parts.greeting).iter().any(|word| matches!(word.as_str(), "ai" | "automated" | "robot" | "virtual"));
        if !disclosed {
            return Err(AgentError::NoDisclosure);
        }
        let wording = Wording::new(&parts.wording)?;
        for (place, text) in texts(&parts) {
            if let Some(claim) = guard::claim_in(&text) {
                return Err(AgentError::Claims { place, claim: claim.to_owned() });
            }
            if let Some(phrase) = guard::forbidden_in(&text, &parts.forbidden) {
                return Err(AgentError::Forbidden { place, phrase: phrase.to_owned() });
            }
        }
        let grounds = texts(&parts)
            .into_iter()
            .map(|(_, text)| text)
            .chain(wording.texts().map(str::to_owned))
            .flat_map(|text| guard::to_ground(&text))
            .collect();
        let prices = parts.prices.iter().map(|price| {
            let asked = price.also.iter().map(|also| format!("how much is the {also}"));
            Topic { title: price.name.clone(), answer: crate::base::text::sentences(&price.answer), asked: asked.collect() }
        });
        let knowledge = Knowledge::new(parts.topics.iter().cloned().chain(prices).collect());
        let prefix_compact = prompt::compact_prefix(&parts).into();
        let prefix_full = prompt::full_prefix(&parts).into();
        Ok(Self { parts, knowledge, wording, grounds, prefix_compact, prefix_full })
    }

    /// The name: calls to `sip:NAME@` reach it.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The business.
    pub fn business(&self) -> &str {
        &self.parts.business
    }

    /// SHA-256 of the agent's files, in hex.
    pub fn version(&self) -> &str {
        &self.parts.version
    }

    /// Where its clocks hang.
    pub fn zone(&self) -> &Zone {
        &self.parts.zone
    }

    /// The names of the doors that its calls can be put through to; the configuration must know them.
    pub fn targets(&self) -> Vec<&str> {
        let mut targets = vec![self.parts.door.target.as_str()];
        targets.extend(self.parts.emergency.iter().map(|emergency| emergency.target.as_str()));
        targets.dedup();
        targets
    }

    /// The prompt prefix that every call of this agent shares.
    pub fn prefix(&self, style: prompt::PromptStyle) -> Arc<str> {
        match style {
            prompt::PromptStyle::Compact => Arc::clone(&self.prefix_compact),
            prompt::PromptStyle::Full => Arc::clone(&self.prefix_full),
        }
    }

    /// Sentences that are the same in every call: worth synthesising before the first one.
    pub fn fixed_sentences(&self) -> Vec<String> {
        let mut fixed = crate::base::text::sentences(&self.parts.greeting);
        fixed.extend(self.wording.fixed().flat_map(crate::base::text::sentences));
        fixed.extend(self.parts.emergency.iter().flat_map(|emergency| crate::base::text::sentences(&emergency.say)));
        fixed.extend(self.knowledge.topics().iter().flat_map(|topic| topic.answer.clone()));
        fixed
    }

    /// Words the recogniser should expect: names of the business, its topics and its homes.
    pub fn vocabulary(&self) -> String {
        let mut vocabulary = vec![self.parts.business.clone()];
        vocabulary.extend(self.knowledge.topics().iter().map(|topic| topic.title.clone()));
        vocabulary.extend(self.parts.homes.iter().map(|home| home.name.clone()));
        vocabulary.join(", ")
    }
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Agent({} {})", self.parts.name, self.parts.version.get(..12).unwrap_or(&self.parts.version))
    }
}

/// Every text of the owner's that may be spoken, with the place where it stands.
fn texts(parts: &AgentParts) -> Vec<(String, String)> {
    let mut texts = vec![
        ("the greeting".to_owned(), parts.greeting.clone()),
        ("abilities".to_owned(), parts.abilities.clone()),
        ("the business's name".to_owned(), parts.business.clone()),
        ("the door's name".to_owned(), parts.door.spoken.clone()),
    ];
    texts.extend(parts.topics.iter().map(|topic| (format!("topic {:?}", topic.title), topic.answer.join(" "))));
    texts.extend(parts.prices.iter().map(|price| (format!("price {:?}", price.name), price.answer.clone())));
    texts.extend(
        parts
            .homes
            .iter()
            .map(|home| (format!("home {:?}", home.name), format!("{} {}", home.name, home.note.clone().unwrap_or_default()))),
    );
    texts.extend(parts.qualify.iter().map(|question| (format!("question {:?}", question.ask), question.ask.clone())));
    texts.extend(parts.bulletins.iter().map(|text| ("a bulletin".to_owned(), text.clone())));
    texts.extend(parts.emergency.iter().map(|emergency| ("the emergency's words".to_owned(), emergency.say.clone())));
    texts.extend(parts.elsewhere.iter().map(|text| ("elsewhere".to_owned(), text.clone())));
    if let Some(requests) = &parts.requests {
        texts.push(("the promise".to_owned(), requests.promise.clone()));
        texts.push(("the urgent promise".to_owned(), requests.urgent_promise.clone()));
    }
    texts
}
