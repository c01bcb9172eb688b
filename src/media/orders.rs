//! What goes into the media thread, and what comes out of it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use super::{Leg, LegStats};
use crate::audio::{Codec, Tune};
use crate::base::limits::PTIME_MS;
use crate::base::{Captured, Frame, LegId, Rate, Samples, Seed, TurnId};
use crate::rt::{Consumer, Gate, Producer};
use crate::rtp::SourceRule;

/// What a leg is made from.
#[derive(Debug)]
pub struct LegSetup {
    /// Its name, never used twice.
    pub id: LegId,
    /// Its socket, bound to the address and port that were signalled. The leg makes it non-blocking.
    pub socket: UdpSocket,
    /// How sound is written, both ways.
    pub codec: Codec,
    /// The payload type of RFC 4733 events, when agreed.
    pub telephone_event: Option<u8>,
    /// The far end by signalling; nothing (or port 0, or 0.0.0.0) when it is not known.
    pub remote: Option<SocketAddr>,
    /// Whose packets are heard.
    pub source_rule: SourceRule,
    /// Where the random beginnings of source, sequence and timestamp come from.
    pub seed: Seed,
}

/// The ends of a leg that stay outside.
#[derive(Debug)]
pub struct LegEnds {
    /// What the leg hears, in order, without hole or overlap.
    pub captured: Consumer<Captured>,
    /// What the leg shall say.
    pub playback: Producer<Playback>,
    /// Pause, resume and flush without waiting for anybody.
    pub gate: Arc<Gate>,
}

/// A frame to be said: at most 20 ms at the codec's rate (another rate is dropped and counted). A shorter one is followed by silence to the full
/// 20 ms, so only the last of a clip should be short.
#[derive(Clone, Copy, Debug)]
pub struct Playback {
    /// The turn it belongs to: dropped when the floor is above it.
    pub turn: TurnId,
    /// Which clause or utterance of that turn.
    pub clip: u32,
    /// The sound.
    pub frame: Frame,
    /// Whether the clip ends with it.
    pub last: bool,
}

impl Playback {
    /// A whole clip, cut into frames of 20 ms of which the last is marked.
    pub fn clip(turn: TurnId, clip: u32, rate: Rate, sound: &[i16]) -> impl Iterator<Item = Self> {
        let full = usize::try_from(Samples::from_millis(PTIME_MS, rate).0).unwrap_or(usize::MAX);
        let count = sound.len().div_ceil(full);
        sound.chunks(full).enumerate().map(move |(place, piece)| Self {
            turn,
            clip,
            frame: Frame::new(rate, piece),
            last: place + 1 == count,
        })
    }
}

/// Which ways sound goes, from our side (RFC 3264 §6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    /// Both.
    #[default]
    SendReceive,
    /// We send only: the far end is held by us.
    SendOnly,
    /// We receive only: the far end holds us.
    ReceiveOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether packets go out.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }

    /// Whether packets are heard.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendReceive | Self::ReceiveOnly)
    }
}

/// What a new offer or answer changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Renegotiation {
    /// How sound is written, both ways.
    pub codec: Codec,
    /// The payload type of RFC 4733 events, when agreed.
    pub telephone_event: Option<u8>,
    /// The far end by signalling. One more latch is allowed.
    pub remote: Option<SocketAddr>,
    /// Which ways sound goes.
    pub direction: Direction,
}

/// Which side of a leg a tapped frame comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// From the far end.
    Heard,
    /// To the far end, as sent.
    Said,
}

/// A frame for a recorder.
#[derive(Clone, Copy, Debug)]
pub struct Tapped {
    /// Its side.
    pub side: Side,
    /// Place of the first sample on that side's clock: samples heard, or samples of time sent.
    pub at: Samples,
    /// The sound; for [`Side::Heard`] a gap is silence.
    pub frame: Frame,
    /// For [`Side::Said`]: the turn that the sound belongs to, none for silence.
    pub turn: Option<TurnId>,
}

/// Where a recorder's frames go. Full: the newest is dropped and counted by the ring.
pub type Tap = Producer<Tapped>;

/// What the media thread shall do. Orders are done within one tick.
#[derive(Debug)]
pub enum Order {
    /// Begin a leg: from now on it sends every 20 ms.
    Add(Box<Leg>),
    /// End a leg. Its memory and socket come back through the trash.
    Remove(LegId),
    /// A new offer or answer was agreed.
    Renegotiate(LegId, Renegotiation),
    /// Hold playback, keep the tail. The same as [`Gate::pause`].
    Pause(LegId),
    /// Go on with it. The same as [`Gate::resume`].
    Resume(LegId),
    /// Drop what belongs to earlier turns. The same as [`Gate::flush_below`].
    FlushBelow(LegId, TurnId),
    /// Let two legs hear each other, from one to the other and back. Playback to each of them is mixed in.
    Bridge(LegId, LegId),
    /// Part a leg from the one it is bridged to.
    Unbridge(LegId),
    /// Play a tune to the far end, under everything else, until another or none is ordered. It is no playback: it is not paused, flushed or told.
    Tune(LegId, Option<Tune>),
    /// Give a recorder both sides of a leg; nothing ends it.
    Tap(LegId, Option<Box<Tap>>),
    /// Press a key (`0`-`9`, `*`, `#`, `A`-`D`) towards the far end.
    SendDigit(LegId, char),
    /// Change which ways sound goes, without a new agreement on anything else.
    Direct(LegId, Direction),
    /// End all legs and the thread.
    Stop,
}

/// What the media thread tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// The first packet of the far end is heard: it can hear us as well, in all likelihood.
    FirstPacket {
        /// The leg.
        leg: LegId,
    },
    /// A key was pressed.
    Digit {
        /// The leg.
        leg: LegId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
        /// When, on the leg's capture clock.
        at: Samples,
    },
    /// The first sound of a clip goes to the far end.
    Began {
        /// The leg.
        leg: LegId,
        /// The turn.
        turn: TurnId,
        /// The clip.
        clip: u32,
    },
    /// How much of a clip has gone to the far end. Told when the clip ends, when it is paused, when it is flushed (also with 0 samples, for a clip
    /// that had not begun), when another clip comes in its place, and when the leg is removed.
    Played {
        /// The leg.
        leg: LegId,
        /// The turn.
        turn: TurnId,
        /// The clip.
        clip: u32,
        /// Samples of that clip that were sent so far: exact.
        samples: Samples,
        /// Whether that was all of it.
        finished: bool,
    },
    /// A clip was played to its end and nothing waits behind it.
    Idle {
        /// The leg.
        leg: LegId,
        /// The turn of that clip.
        turn: TurnId,
    },
    /// A clip was begun but its next frame is not here in time: the far end hears silence meanwhile. Told once each time.
    Starved {
        /// The leg.
        leg: LegId,
        /// The turn.
        turn: TurnId,
        /// The clip.
        clip: u32,
    },
    /// No packet came for [`crate::base::limits::RTP_SILENT_MS`] although the leg receives. Told once; [`Report::RtpBack`] follows if one comes.
    RtpSilent {
        /// The leg.
        leg: LegId,
    },
    /// Packets come again.
    RtpBack {
        /// The leg.
        leg: LegId,
    },
    /// The far end is heard from another address than before.
    Moved {
        /// The leg.
        leg: LegId,
        /// The address.
        to: SocketAddr,
    },
    /// A key could not be sent: no events were agreed, too many keys wait, or it is none.
    DigitRefused {
        /// The leg.
        leg: LegId,
        /// The key.
        digit: char,
    },
    /// An order named a leg that does not exist, or a leg could not be added because all places are taken or its name is.
    Refused {
        /// The leg.
        leg: LegId,
    },
    /// The leg has ended.
    Removed {
        /// The leg.
        leg: LegId,
        /// What is known of its streams.
        stats: LegStats,
    },
}
