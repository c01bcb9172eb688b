//! The conductor of one call: pure, four doors, no work of its own. It routes what happens to the rooms that know what to do:
//!
//! - [`Caller`](caller): utterances on their way from the ear through recognition to one joined sentence;
//! - [`Voice`](voice): our turns, what of each was heard, and what to do when synthesis fails in the middle of one;
//! - [`Handover`]: a caller on the way to a person, and with them;
//! - the dialogue kernel decides what is said and done.

mod act;
mod attend;
mod caller;
mod event;
mod filing;
mod handover;
mod machine;
mod output;
mod outward;
#[cfg(test)]
mod outward_tests;
mod patience;
mod people;
mod speaking;
mod timers;
mod voice;

pub use event::{
    Answer, Context, Engine, Failure, Filed, Hearing, Input, Journalled, Line, Output, Sound, Stock, Transcript, TurnRecord, Who,
};
pub use handover::{Briefing, Handover, LegNews, LegNo, Means, Member, Order, Parting, Plan, Tune};
pub use machine::{Call, Settings};
