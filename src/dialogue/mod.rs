//! The dialogue kernel: a pure step from (state, event) to effects. The language model proposes, the kernel decides, and what it says must be true.
//!
//! ```text
//! words -> numbers, when, matcher ─┐
//! prompt + grammar -> (model) -> proposal ─┤
//!                                          v
//! event ─────────────────────────> kernel::step -> effects (Say, LookUp, Commit, Transfer, HangUp, Journal)
//!                                     guard: every sentence against receipts, knowledge and slots
//! ```

mod agent;
mod clock;
mod event;
mod fuzzy;
mod grammar;
mod guard;
mod hours;
mod kernel;
mod knowledge;
mod matcher;
mod numbers;
mod prompt;
mod proposal;
mod record;
mod slots;
mod times;
mod when;
mod wording;
mod words;

#[cfg(test)]
mod scenarios;

pub use agent::{Agent, AgentError, AgentParts, Bookable, Door, Emergency, Home, Price, Qualify, Requests};
pub use event::{Busy, CommitFailure, Decision, Effect, EffectId, Event, Expected, Organ, Receipt, Sentence, SpeechAct, TransferProgress};
pub use hours::{Hours, Span};
pub use kernel::{Brief, CallFacts, Calling, Kernel, Stage};
pub use knowledge::Topic;
pub use prompt::{PromptStyle, UnderstandingRequest};
pub use proposal::{Intent, Proposal, ProposalError, Source};
pub use record::{Outcome, Record};
pub use slots::{Slot, SlotKey, SlotValues, Slots};
pub use wording::WordingError;
