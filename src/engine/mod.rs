//! What the daemon and its three workers say to each other, and who works on what when. Pure.
//!
//! A worker is a process of its own (speech recognition, language, voice). [`wire`] is the protocol, compiled into both sides;
//! [`Batch`] decides inside a worker which requests enter its next step; [`Health`] decides in the daemon when a worker is started,
//! asked for a sign of life, killed and started again; [`Scripted`] stands for all three in simulations and tests.

mod batch;
mod clause;
mod health;
mod scripted;
pub mod wire;
mod work;

pub use batch::{Batch, BatchOutput, BatchSettings, Job, Urgency};
pub use clause::{clauses, is_stop};
pub use health::{Health, HealthOutput};
pub use scripted::{Scripted, ScriptedAnswer, ScriptedSettings, ScriptedWork};
pub use work::{
    EngineError, EngineEvent, Speak, SpeechChunk, Transcribe, Transcript, Understand, Understood, WorkerKind, WorkerState, WorkerStatus,
};
