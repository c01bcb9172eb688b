//! The thread that owns RTP: it hears all legs, plays to them, and puts one through to another.
//!
//! REAL-TIME: inside a tick nothing here locks, allocates, frees or logs; the only system calls are those of the legs' sockets and the wake-up of
//! whoever reads the reports. `tests/rt.rs` holds it to that.
//!
//! ```text
//! socket > source rule > order, gaps > keys -> reports
//!                                    > G.711 decode > [capture ring]  -> listen
//!                                                   > bridge of the other leg
//! [playback ring] > floor > gate > clip count > mix tune, bridge > G.711 encode > pacer > socket        (every 20 ms, always)
//! ```
//! A tick is 5 ms: sound is heard at most that long after its packet came, and legs send in four groups a tick apart, so that their work is
//! spread evenly. Each leg sends at absolute points 20 ms apart.

mod bridge;
mod core;
mod hearing;
mod leg;
mod orders;
mod playing;
mod stats;
mod thread;

pub use self::core::{MediaCore, MediaPorts, TICK_MS, Ticked};
pub use leg::Leg;
pub use orders::{Direction, LegEnds, LegSetup, Order, Playback, Renegotiation, Report, Side, Tap, Tapped};
pub use stats::{LegStats, MediaStats};
pub use thread::{Media, MediaHandle, MediaSettings, SpawnError};
