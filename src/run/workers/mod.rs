//! The daemon's side of the three workers: starts them, watches them, starts them again, and carries requests to them. A shell: who is
//! started and killed when is decided by [`crate::engine::Health`].
//!
//! One thread of its own, with a small runtime, keeps the workers: the kernel's "die with your parent" is tied to the thread that started a
//! process, and a busy daemon must not make a healthy worker look stalled.

mod handle;
mod keeper;
mod link;
mod settings;

pub use handle::Engines;
pub use settings::{EngineSettings, ModelPaths, Threads};
