//! What happens on a leg that is not the caller's, and what a handover asks for.

use serde::{Deserialize, Serialize};

use super::plan::Member;
use crate::base::Pii;
use crate::dialogue::{EffectId, TransferProgress};

/// A leg of one call: 0 is the caller's, the others are those that we placed, never numbered twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct LegNo(pub u16);

impl LegNo {
    /// The caller's.
    pub const CALLER: Self = Self(0);
}

/// What happens on a leg that we placed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegNews {
    /// The telephone rings.
    Ringing,
    /// It was answered, and sound may go both ways.
    Answered,
    /// It could not be called, or was not answered: with this status.
    Failed(u16),
    /// What it was to be told was played to the end, or cannot be.
    Told,
    /// A key was pressed there.
    Key(char),
    /// The other side holds the call, or goes on.
    Held(bool),
    /// It asks us to call somebody else instead of it (RFC 3515).
    Referred {
        /// The URI of Refer-To.
        to: Pii<String>,
    },
    /// It has hung up, or broke.
    Gone,
}

/// Why a leg is given up: it is written into BYE or CANCEL (RFC 3326).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parting {
    /// Somebody else has the call.
    Elsewhere,
    /// The call is over.
    Over,
    /// It was asked for long enough.
    NoAnswer,
    /// The person does not want it.
    Declined,
}

/// What the caller, or a person on hold, hears from us meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tune {
    /// Nothing of ours.
    None,
    /// Another telephone rings.
    Ringing,
    /// Please wait.
    Hold,
}

/// What a handover is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The kernel puts a caller through.
    Transfer(EffectId),
    /// People are rung before the call is answered.
    First,
    /// A person passes the caller on.
    PassedOn,
}

/// What a handover asks for, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Ask the caller's side to call this person.
    Refer(Pii<String>),
    /// Call this person on a new leg.
    Ring(LegNo, Member),
    /// Tell this leg who calls.
    Brief(LegNo),
    /// The caller hears this.
    Tune(LegNo, Tune),
    /// Join the caller and this leg.
    Bridge(LegNo),
    /// Give this leg up.
    Drop(LegNo, Parting),
    /// Press a key towards this leg.
    Press(LegNo, char),
    /// Take what a leg asked for by REFER, or not.
    AnswerRefer(LegNo, Result<(), u16>),
    /// Tell it how that goes.
    NotifyRefer(LegNo, u16),
    /// How it goes, for the kernel.
    Progress(Purpose, TransferProgress),
    /// The person has hung up: so does the call.
    Parted,
}
