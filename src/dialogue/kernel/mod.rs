//! The kernel of one call: `machine` routes, the other files each hold one narrow task.

mod answer;
mod booking;
mod brief;
mod close;
mod doors;
mod hear;
mod late;
mod machine;
mod outward;
mod quiet;
mod reach;
mod records;
mod say;
mod state;

#[cfg(test)]
mod properties;

pub use brief::Brief;
pub use machine::Kernel;
pub use state::{CallFacts, Calling, Stage};
