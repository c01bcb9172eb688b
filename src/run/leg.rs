//! A leg of media: from an SDP offer to a socket, a place in the media thread and a seat with the listening one.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::audio;
use crate::base::{LegId, Seed};
use crate::call::Tune;
use crate::hear;
use crate::listen::{self, Seat};
use crate::media::{self, Leg, LegSetup, Playback, Renegotiation};
use crate::rt::Producer;
use crate::rtp::SourceRule;
use crate::sdp::{CodecKind, Direction, Negotiated, OfferError, Session};

use super::house::{House, Ours};
use super::hub::LegNews;

/// Why a call cannot be answered.
#[derive(Debug)]
pub struct Refusal {
    /// The SIP status to answer with.
    pub status: u16,
    /// In words.
    pub why: String,
}

impl From<OfferError> for Refusal {
    fn from(error: OfferError) -> Self {
        Self { status: error.status(), why: error.to_string() }
    }
}

/// What the sound threads get.
pub struct Prepared {
    leg: Box<Leg>,
    /// None: nobody listens to the words.
    seat: Option<Box<Seat>>,
    id: LegId,
    direction: media::Direction,
}

/// A leg that is ready to begin.
pub struct OpenLeg {
    /// Its name.
    pub id: LegId,
    /// Our SDP: the answer, or our offer when there was none.
    pub description: Bytes,
    /// For later offers.
    pub session: Session,
    /// Where our sound goes in.
    pub playback: Producer<Playback>,
    /// For the sound threads.
    pub setup: Prepared,
    /// The way of its sound, for the log.
    pub path: String,
}

/// Opens a leg that answers `offer`, at the address `ours`.
pub fn open(house: &House, ours: Ours, offer: Option<&[u8]>) -> Result<OpenLeg, Refusal> {
    open_with(house, ours, offer, |id, ends| Some(Seat::new(id, ends.captured, ends.gate, hear::Settings::default())))
}

/// Opens a leg that answers `offer`, or offers, to somebody whose words are not ours to hear.
pub fn open_unheard(house: &House, ours: Ours, offer: Option<&[u8]>) -> Result<OpenLeg, Refusal> {
    open_with(house, ours, offer, |_, _| None)
}

/// The ends of a leg that hear.
struct Hearing {
    captured: crate::rt::Consumer<crate::base::Captured>,
    gate: std::sync::Arc<crate::rt::Gate>,
}

type Seated = fn(LegId, Hearing) -> Option<Box<Seat>>;

fn open_with(house: &House, ours: Ours, offer: Option<&[u8]>, seated: Seated) -> Result<OpenLeg, Refusal> {
    let local = if house.media_address.is_unspecified() { ours.local } else { house.media_address };
    // 480 and not 503, which would send the trunk away altogether: it is this call that finds no place.
    let unavailable = |why: String| Refusal { status: 480, why };
    let socket = house.ports.open(house.media_bind(local)).map_err(|error| unavailable(error.to_string()))?;
    let port = socket.local_addr().map_err(|error| unavailable(error.to_string()))?.port();
    let mut seed = house.seed();
    let mut session = Session::new(ours.told.unwrap_or(local), port, seed.fork(1));
    let codecs: Vec<CodecKind> = ours.sound.codecs.into_iter().flatten().collect();
    if !codecs.is_empty() {
        session = session.with_codecs(codecs);
    }
    let (description, agreed) = answer_or_offer(&mut session, offer)?;
    let id = house.hub.new_leg();
    let source_rule = if ours.sound.is_strict { SourceRule::Strict } else { SourceRule::Latch };
    let path = path(agreed.as_ref());
    let (leg, ends) =
        Leg::new(LegSetup { source_rule, ..setup(id, socket, agreed.as_ref(), seed) }).map_err(|error| unavailable(error.to_string()))?;
    let directed = agreed.as_ref().map_or(media::Direction::SendReceive, |agreed| direction(agreed.direction));
    let seat = seated(id, Hearing { captured: ends.captured, gate: ends.gate });
    Ok(OpenLeg { id, description, session, playback: ends.playback, setup: Prepared { leg, seat, id, direction: directed }, path })
}

fn setup(id: LegId, socket: std::net::UdpSocket, agreed: Option<&Negotiated>, seed: Seed) -> LegSetup {
    LegSetup {
        id,
        socket,
        codec: agreed.map_or(audio::Codec::Pcmu, |agreed| codec(agreed.codec.kind)),
        telephone_event: agreed.and_then(|agreed| agreed.telephone_event),
        remote: agreed.map(|agreed| agreed.remote),
        source_rule: SourceRule::Latch,
        seed,
    }
}

fn path(agreed: Option<&Negotiated>) -> String {
    let codec = agreed.map_or("codec to be agreed", |agreed| agreed.codec.kind.name());
    format!("rtp -> order, gaps -> {codec} -> capture ring -> ear; voice -> playback ring -> {codec} -> rtp every 20 ms")
}

/// Our SDP for `offer`, or an offer of ours where there is none, with what is agreed by it.
pub fn answer_or_offer(session: &mut Session, offer: Option<&[u8]>) -> Result<(Bytes, Option<Negotiated>), Refusal> {
    match offer {
        Some(offer) => {
            let (answer, agreed) = session.answer(offer)?;
            Ok((answer, Some(agreed)))
        }
        None => Ok((session.offer(), None)),
    }
}

/// Hands the leg to the sound threads; its news go to `mailbox`.
pub fn begin(house: &House, prepared: Prepared, mailbox: mpsc::Sender<LegNews>) {
    house.hub.subscribe(prepared.id, mailbox);
    if let Some(seat) = prepared.seat {
        house.hub.listen(listen::Order::Add(seat));
    }
    house.hub.media(media::Order::Add(prepared.leg));
    house.hub.media(media::Order::Direct(prepared.id, prepared.direction));
}

/// Takes the leg away from them; its last news follow.
pub fn end(house: &House, leg: LegId) {
    house.hub.listen(listen::Order::Remove(leg));
    house.hub.media(media::Order::Remove(leg));
}

/// The same for a leg that nobody listened to.
pub fn end_unheard(house: &House, leg: LegId) {
    house.hub.media(media::Order::Remove(leg));
}

/// A call's tune as the media thread names it.
pub const fn tune(tune: Tune) -> Option<audio::Tune> {
    match tune {
        Tune::None => None,
        Tune::Ringing => Some(audio::Tune::Ringing),
        Tune::Hold => Some(audio::Tune::Hold),
    }
}

/// What a new agreement means to the media thread.
pub fn renegotiation(agreed: &Negotiated) -> Renegotiation {
    Renegotiation {
        codec: codec(agreed.codec.kind),
        telephone_event: agreed.telephone_event,
        remote: Some(agreed.remote),
        direction: direction(agreed.direction),
    }
}

/// The signalling's codec as the media thread names it.
pub const fn codec(kind: CodecKind) -> audio::Codec {
    match kind {
        CodecKind::Pcmu => audio::Codec::Pcmu,
        CodecKind::Pcma => audio::Codec::Pcma,
    }
}

const fn direction(direction: Direction) -> media::Direction {
    match direction {
        Direction::SendRecv => media::Direction::SendReceive,
        Direction::SendOnly => media::Direction::SendOnly,
        Direction::RecvOnly => media::Direction::ReceiveOnly,
        Direction::Inactive => media::Direction::Inactive,
    }
}
