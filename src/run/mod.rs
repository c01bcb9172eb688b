//! Every task of the daemon: the switchboard (signalling), one task a call, the sound hub, the keeper of the workers, the control socket.

mod arrivals;
mod context;
pub mod control;
mod daemon;
mod desk;
mod house;
mod hub;
mod leg;
mod line;
mod news;
mod orders;
mod people;
mod place;
mod plans;
mod roll;
mod scribe;
mod second;
mod stock;
mod switchboard;
mod telling;
mod voice;
mod ways;
pub mod workers;

pub use daemon::{RunError, Started, run};
pub use house::Opened;
pub use scribe::Scribe;
