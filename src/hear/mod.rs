//! What the caller is doing: voice activity, end of turn, barge-in. Pure: see [`Ear`].
//!
//! ```text
//! captured frame -> leg clock (lost frames become silence) -> sense: neural voice score, level, noise floor, echo -> Hop of 16 ms
//! Hop -> utterance: onset, pause, end of turn -> Heard
//! Hop -> barge: the caller's voice over ours -> Pause, then Resume or Yield
//! ```
//! Figures and how they were measured: `docs/hearing.md`.

mod barge;
mod caller;
mod clock;
mod ear;
mod echo;
mod heard;
mod level;
mod onset;
mod outbox;
mod screen;
mod sense;
mod tone;
mod turn;
mod vad;

pub use ear::Ear;
pub use heard::{EndReason, Expectation, FalseStop, Heard, Hold, Verdict};
pub use level::Level;
pub use screen::Answerer;
pub use turn::Settings;

#[cfg(test)]
mod tests;
