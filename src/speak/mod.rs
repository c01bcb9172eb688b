//! From written sentences to speech: clauses, words for numbers and abbreviations, and what of it the caller has heard.

mod clauses;
mod normal;
mod queue;

pub use clauses::{Clause, clauses};
pub use normal::to_words;
pub use queue::{Heard, SpeechQueue};
