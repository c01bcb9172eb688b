//! The thread that hears. Real-time: see [`ListenCore`] for one tick of it and [`spawn`] for the thread.
//!
//! ```text
//! media -> [capture ring of each leg] -> hear::Ear -> the leg's gate (pause, resume, flush): at once, waiting for nobody
//!                                                  -> [report ring] -> the shell, which is woken
//! shell -> [order ring] -> add a leg, remove it, expect this kind of answer
//! ```
//! REAL-TIME: nothing here may lock, allocate, free or log in a tick; the only system calls are the sleep between ticks and what the
//! shell's own wake needs. Legs come and go in boxes that are made and freed elsewhere.

mod seat;
mod table;
mod thread;

pub use seat::{Attention, Seat};
pub use table::{ListenCore, ListenReport, ListenStats, Order};
pub use thread::{Handle, Wake, spawn};

#[cfg(test)]
mod tests;
