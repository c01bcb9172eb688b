//! What the kernel remembers of a call. Small and typed: a long call holds no more than a short one.

use serde::{Deserialize, Serialize};

use crate::base::Pii;
use crate::base::civil::{Date, DateTime};
use crate::dialogue::event::{EffectId, Expected, Receipt};
use crate::dialogue::slots::SlotKey;
use crate::dialogue::when::TimeSaid;

/// What is known when the call begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFacts {
    /// The number that the network showed.
    pub caller_number: Option<Pii<String>>,
    /// What was dialled.
    pub dialled: String,
    /// Whether the trunk vouches for the number. It is a hint in any case, never a proof.
    pub number_trusted: bool,
    /// We called, and why; none when they did.
    #[serde(default)]
    pub calling: Option<Calling>,
}

/// Why we call somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calling {
    /// They asked to be called back.
    Callback,
    /// An appointment of theirs.
    Reminder,
    /// They asked about what the business offers.
    Lead,
}

/// How far the call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was said yet.
    #[default]
    Greet,
    /// Questions and answers.
    Inform,
    /// Details are asked.
    Qualify,
    /// Something is being done.
    Act,
    /// Something is read back.
    Confirm,
    /// The goodbye is said.
    Close,
    /// A person has the call.
    Handed,
    /// Over.
    Ended,
}

/// The question that is open: what "yes" and "no" mean now.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) enum Asked {
    #[default]
    Open,
    Anything,
    Day,
    Times(Vec<DateTime>),
    Name,
    Phone,
    CallerNumber,
    Unit,
    Problem,
    Qualify(SlotKey),
    Confirm,
    WhatToChange,
    OfferBooking,
    OfferCallback,
    OfferHuman,
    BeforeGoodbye,
    Message,
}

impl Asked {
    pub(super) fn expected(&self) -> Expected {
        match self {
            Self::Anything => Expected::Anything,
            Self::Day => Expected::Day,
            Self::Times(times) if times.len() == 1 => Expected::YesNo,
            Self::Times(_) => Expected::Time,
            Self::Name => Expected::Name,
            Self::Phone => Expected::Phone,
            Self::Unit => Expected::Unit,
            Self::Problem => Expected::Problem,
            Self::Qualify(SlotKey::Beds) => Expected::Beds,
            Self::Qualify(SlotKey::Service) => Expected::Service,
            Self::Confirm => Expected::Confirm,
            Self::CallerNumber | Self::OfferBooking | Self::OfferCallback | Self::OfferHuman | Self::BeforeGoodbye => Expected::YesNo,
            Self::Message => Expected::Message,
            Self::Open | Self::WhatToChange | Self::Qualify(_) => Expected::Open,
        }
    }

    /// Whether "yes" and "no" answer it.
    pub(super) fn is_yes_no(&self) -> bool {
        matches!(self.expected(), Expected::YesNo | Expected::Confirm)
    }
}

/// A booking in the making.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Booking {
    pub day: Option<Date>,
    pub time: Option<TimeSaid>,
    pub chosen: Option<DateTime>,
    /// The booking of this call that the new one takes the place of.
    pub replaces: Option<String>,
    /// Qualification questions gone through.
    pub qualified: usize,
    /// Commits that failed because the time was taken meanwhile.
    pub taken: u8,
}

/// A request in the making.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Request {
    pub problem: Option<Pii<String>>,
    pub urgent: bool,
}

/// A callback in the making.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Callback {
    pub reason: Pii<String>,
    /// An emergency's callback is due in so many minutes of plain time.
    pub plain_minutes: Option<u32>,
}

/// The narrow task at hand.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Task {
    Booking(Booking),
    /// Giving up the booking with this receipt id.
    Cancelling(String),
    Request(Request),
    Message(Option<Pii<String>>),
    Callback(Callback),
}

/// An answer that is awaited from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waiting {
    LookUp,
    Commit,
}

/// What happens once a turn has been played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// The words of the transfer were heard: to the door, or to the emergency's.
    Transfer(Which),
    /// The goodbye was heard.
    HangUp,
}

/// Which door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    People,
    Emergency,
}

/// A transfer under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ringing {
    pub effect: EffectId,
    pub which: Which,
}

/// Something that was done, with its proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Done {
    pub effect: EffectId,
    pub receipt: Receipt,
    /// For a booking: its time.
    pub start: Option<DateTime>,
    /// Whether it took the place of an earlier one.
    pub moved: bool,
}
