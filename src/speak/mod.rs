//! From written sentences to speech: clauses, words for numbers and abbreviations, and what of it the caller has heard.

mod clauses;
mod heard;
mod normal;

pub use clauses::{Clause, clauses};
pub use heard::share;
pub use normal::to_words;
