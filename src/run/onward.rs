//! A call that no agent hears: a telephone of the business calls out or calls a person, or somebody calls for help.

use crate::route::Carriage;
use crate::sip::{Arrival, Command};

use super::switchboard::Switchboard;

/// Where a call goes on.
#[derive(Debug)]
pub(super) struct Onward {
    /// Somebody calls for help: it is never refused for want of a line, and the owner is told.
    pub(super) emergency: bool,
    /// The places, in the order in which they are tried.
    pub(super) to: Vec<To>,
}

/// One place.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// A number, by a trunk.
    Trunk(Carriage),
    /// Somebody under `[people]`.
    Person(String),
}

impl Switchboard {
    pub(super) fn passed_on(&mut self, arrival: &Arrival, onward: &Onward) {
        let words = format!("none of {} places can be reached", onward.to.len());
        self.endpoint.handle_command(self.clock.now(), Command::Reject { call: arrival.call, status: 480, reason: Some(words) });
    }
}
