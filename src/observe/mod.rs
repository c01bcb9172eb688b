//! Logs and measures. Nothing personal is in either: what is personal is a [`crate::base::Pii`], which prints `[pii]`.

mod log;
mod measure;

pub use log::{Format, start, subscriber};
pub use measure::{Kind, Measure, text};
