//! Logs, measures, and the trace of the signalling. Nothing personal is in the first two: what is personal is a [`crate::base::Pii`], which prints `[pii]`.

mod log;
mod measure;
pub mod trace;

pub use log::{Format, start, subscriber};
pub use measure::{Kind, Measure, text};
