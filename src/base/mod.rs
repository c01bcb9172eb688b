//! What every other module may use, and which uses nothing of ours: ids, units, time, bounds, seeds, values that do not print.

pub mod civil;
pub mod clock;
pub mod entropy;
mod fault;
mod ids;
pub mod limits;
mod pii;
mod seed;
pub mod sha256;
mod sound;
pub mod text;
mod time;
mod units;

pub use fault::{Fault, Retry};
pub use ids::{CallId, LegId, StreamId, TurnId};
pub use pii::{Pii, Secret};
pub use seed::Seed;
pub use sound::{Captured, CapturedKind, FRAME_SAMPLES_MAX, Frame, Rate};
pub use time::Instant;
pub use units::{Millis, RtpTime, Samples};
