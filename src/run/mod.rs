//! Every task of the daemon: the switchboard (signalling), one task a call, the sound hub, the keeper of the workers, the control socket.

mod agreeing;
mod arrivals;
mod context;
pub mod control;
mod daemon;
mod desk;
mod doorman;
mod house;
mod hub;
mod leg;
mod line;
mod news;
mod onward;
mod orders;
mod outward;
mod people;
mod phones;
mod place;
mod plans;
mod roll;
mod scribe;
mod second;
mod stock;
mod switchboard;
mod telling;
mod trunks;
mod voice;
mod ways;
pub mod wires;
pub mod workers;

pub use daemon::{RunError, Started, run};
pub use doorman::{Doorman, Pass};
pub use house::Opened;
pub use outward::Dial;
pub use scribe::Scribe;
