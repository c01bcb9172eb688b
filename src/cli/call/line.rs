//! The telephone itself: one SIP endpoint, one leg of media, polled together.
//!
//! Neither side has a task: [`Line::poll`] is called every few milliseconds, takes what has come, and does what is due.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use bytes::Bytes;

use crate::audio;
use crate::base::clock::Clock;
use crate::base::limits::SIP_DATAGRAM_BYTES_MAX;
use crate::base::{Instant, LegId, Seed, entropy};
use crate::media::{self, Leg, LegEnds, LegSetup, Media, MediaHandle, MediaSettings, Order, Renegotiation, Report, Tapped};
use crate::rt::{Consumer, ring};
use crate::rtp::SourceRule;
use crate::sdp::{self, CodecKind, Negotiated};
use crate::sip::{Command, Endpoint, Event, Flow, Invite, Output, Peer, Settings, SipCall};

/// The phone's one leg.
pub(super) const LEG: LegId = LegId(1);

/// Frames of both sides that wait between two polls: five seconds of each, because a busy machine may stall us for as long.
const TAP_FRAMES: usize = 512;

/// Datagrams taken in one poll.
const DATAGRAMS_PER_POLL: usize = 16;

/// Whom to call, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Dialled {
    pub(super) target: String,
    pub(super) from_user: String,
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) codecs: Vec<CodecKind>,
}

/// The telephone could not be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Media(#[from] media::SpawnError),
    #[error("cannot make the leg of media: {0}")]
    Leg(std::io::Error),
    #[error(transparent)]
    Entropy(#[from] entropy::NoEntropy),
    #[error("the media thread takes no orders")]
    Deaf,
    #[error("the far end's SDP does not fit: {0}")]
    Sdp(#[from] sdp::OfferError),
    #[error("the far end answered without SDP")]
    NoSdp,
}

/// What has happened.
#[derive(Debug)]
pub(super) enum News {
    /// The SIP side.
    Sip(Event),
    /// The media side.
    Media(Report),
    /// A frame heard or said, and when it was taken from the media thread.
    Sound(Instant, Box<Tapped>),
}

/// A call of ours, from the INVITE on.
#[derive(Debug)]
pub(super) struct Line {
    clock: Clock,
    socket: UdpSocket,
    flow: Flow,
    endpoint: Endpoint,
    call: SipCall,
    session: sdp::Session,
    media: MediaHandle,
    media_socket: UdpSocket,
    seed: Seed,
    ends: Option<LegEnds>,
    sounds: Option<Consumer<Tapped>>,
    codec: Option<audio::Codec>,
    datagrams: u64,
}

impl Line {
    /// Sends the INVITE.
    pub(super) fn dial(clock: Clock, dialled: &Dialled) -> Result<Self, LineError> {
        let bind = |address| {
            let bound = UdpSocket::bind(address).and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
            bound.map_err(|source| LineError::Bind { address, source })
        };
        let socket = bind(dialled.local)?;
        let local = socket.local_addr().map_err(LineError::Leg)?;
        let media_socket = bind(SocketAddr::new(local.ip(), 0))?;
        let media_port = media_socket.local_addr().map_err(LineError::Leg)?.port();
        let mut seed = Seed::new(entropy::number()?);
        let settings = Settings {
            user_agent: concat!("Nightbell-call/", env!("CARGO_PKG_VERSION")).to_owned(),
            trusted: vec![Peer::from(dialled.remote.ip())],
            contact_user: dialled.from_user.clone(),
            hears_refer: true,
            ..Settings::default()
        };
        let mut endpoint = Endpoint::new(settings, seed.fork(1));
        let mut session = sdp::Session::new(local.ip(), media_port, seed.fork(2)).with_codecs(dialled.codecs.clone());
        // The thread ends by itself when its handle is dropped: nobody waits for it.
        let (media, _) = Media::spawn(MediaSettings::default(), clock)?;
        let flow = Flow::udp(local, dialled.remote);
        let invite = Invite { from_user: dialled.from_user.clone(), ..Invite::new(flow, dialled.target.clone(), session.offer()) };
        let call = endpoint.invite(clock.now(), invite);
        let mut line = Self {
            clock,
            socket,
            flow,
            endpoint,
            call,
            session,
            media,
            media_socket,
            seed,
            ends: None,
            sounds: None,
            codec: None,
            datagrams: 0,
        };
        line.flush(&mut Vec::new());
        Ok(line)
    }

    /// Our call's name, for commands.
    pub(super) fn call(&self) -> SipCall {
        self.call
    }

    /// What both ends speak, once it is agreed.
    pub(super) fn codec(&self) -> Option<audio::Codec> {
        self.codec
    }

    /// The ends of the leg, once there is one.
    pub(super) fn ends(&mut self) -> Option<&mut LegEnds> {
        self.ends.as_mut()
    }

    /// Orders the SIP side.
    pub(super) fn command(&mut self, command: Command) {
        self.endpoint.handle_command(self.clock.now(), command);
    }

    /// Orders the media side.
    pub(super) fn order(&mut self, order: Order) -> Result<(), LineError> {
        self.media.order(order).map_err(|_| LineError::Deaf)
    }

    /// Takes what has come on all ways and appends it to `news`; sends what is due.
    pub(super) fn poll(&mut self, now: Instant, news: &mut Vec<News>) {
        let mut buffer = vec![0; SIP_DATAGRAM_BYTES_MAX];
        for _ in 0..DATAGRAMS_PER_POLL {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    self.datagrams += 1;
                    self.endpoint.handle_datagram(now, self.flow.towards(from), &buffer[..length]);
                }
                // Nobody listens there (ICMP); the transaction's own timer decides what that means.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => break,
            }
        }
        if self.endpoint.poll_deadline().is_some_and(|due| due <= now) {
            self.endpoint.handle_timeout(now);
        }
        self.flush(news);
        while let Some(report) = self.media.poll_report() {
            news.push(News::Media(report));
        }
        while let Some(tapped) = self.sounds.as_mut().and_then(Consumer::pop) {
            // Read after the frame: a time from before it would put the whole side too early for good.
            news.push(News::Sound(self.clock.now(), Box::new(tapped)));
        }
    }

    fn flush(&mut self, news: &mut Vec<News>) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Event(event) => news.push(News::Sip(event)),
                // What the network refuses is lost, as any datagram may be: SIP sends again.
                Output::Send { flow, bytes } => drop(self.socket.send_to(&bytes, flow.remote)),
            }
        }
    }

    /// The far end has answered our offer: sound begins.
    pub(super) fn answered(&mut self, sdp: Option<&Bytes>) -> Result<(), LineError> {
        let negotiated = self.session.accept_answer(sdp.ok_or(LineError::NoSdp)?)?;
        self.agree(negotiated)
    }

    /// The far end wants other media.
    pub(super) fn reoffered(&mut self, offer: Option<&Bytes>) -> Result<(), LineError> {
        let call = self.call;
        let Some(offer) = offer else {
            let sdp = Some(self.session.offer());
            self.command(Command::Answer { call, sdp });
            return Ok(());
        };
        match self.session.answer(offer) {
            Ok((answer, negotiated)) => {
                self.agree(negotiated)?;
                self.command(Command::Answer { call, sdp: Some(answer) });
            }
            Err(error) => self.command(Command::RejectOffer { call, status: error.status() }),
        }
        Ok(())
    }

    fn agree(&mut self, agreed: Negotiated) -> Result<(), LineError> {
        let codec = match agreed.codec.kind {
            CodecKind::Pcmu => audio::Codec::Pcmu,
            CodecKind::Pcma => audio::Codec::Pcma,
        };
        let remote = (!agreed.remote.ip().is_unspecified()).then_some(agreed.remote);
        self.codec = Some(codec);
        if self.ends.is_none() {
            self.begin(codec, agreed.telephone_event, remote)?;
        }
        let direction = direction(agreed.direction);
        self.order(Order::Renegotiate(LEG, Renegotiation { codec, telephone_event: agreed.telephone_event, remote, direction }))
    }

    fn begin(&mut self, codec: audio::Codec, telephone_event: Option<u8>, remote: Option<SocketAddr>) -> Result<(), LineError> {
        let setup = LegSetup {
            id: LEG,
            socket: self.media_socket.try_clone().map_err(LineError::Leg)?,
            codec,
            telephone_event,
            remote,
            source_rule: SourceRule::Latch,
            seed: self.seed.fork(3),
        };
        let (leg, ends) = Leg::new(setup).map_err(LineError::Leg)?;
        let (tap, sounds) = ring(TAP_FRAMES);
        self.order(Order::Add(leg))?;
        self.order(Order::Tap(LEG, Some(Box::new(tap))))?;
        self.ends = Some(ends);
        self.sounds = Some(sounds);
        Ok(())
    }

    /// The far end has answered an offer of ours that came with a 200.
    pub(super) fn acked(&mut self, sdp: &Bytes) -> Result<(), LineError> {
        let negotiated = self.session.accept_answer(sdp)?;
        self.agree(negotiated)
    }

    /// SIP messages received so far.
    pub(super) fn datagrams(&self) -> u64 {
        self.datagrams
    }
}

fn direction(agreed: sdp::Direction) -> media::Direction {
    match agreed {
        sdp::Direction::SendRecv => media::Direction::SendReceive,
        sdp::Direction::SendOnly => media::Direction::SendOnly,
        sdp::Direction::RecvOnly => media::Direction::ReceiveOnly,
        sdp::Direction::Inactive => media::Direction::Inactive,
    }
}
