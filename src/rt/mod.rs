//! Rings, gates, counts and the one timer of the real-time threads.
//!
//! REAL-TIME: nothing here locks, allocates, logs or makes a system call after it was made, but for the sleep in `tick` and the freeing in
//! [`TrashBin::empty`], which belongs to the other side.

mod counters;
mod gate;
mod os;
mod priority;
mod ring;
mod tick;
mod trash;

pub use counters::{Counter, DEVIATION_EDGES_US, Deviations};
pub use gate::Gate;
pub use priority::{Priority, ask_for_real_time};
pub use ring::{Consumer, Producer, ring};
pub use tick::Ticker;
pub use trash::{Trash, TrashBin, trash};
