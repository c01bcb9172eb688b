//! What a leg hears: datagrams in, frames, keys and news out.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::orders::{Report, Side, Tap, Tapped};
use super::stats::LegStats;
use crate::audio::Codec;
use crate::base::limits::RTP_SILENT_MS;
use crate::base::{Captured, CapturedKind, FRAME_SAMPLES_MAX, Frame, Instant, LegId, Rate, Samples};
use crate::rt::Producer;
use crate::rtp::{
    Admission, Arrival, DATAGRAM_BYTES_MAX, Keys, Load, Packet, Piece, Receiver, Source, SourceRule, digit_of, is_rtcp, parse,
};

/// Datagrams that one leg takes in one tick: a tick brings one at most, and a standstill is caught up within a few.
const DATAGRAMS_PER_TICK: usize = 32;

/// Comfort noise has this payload type (RFC 3389 §5).
const COMFORT_NOISE: u8 = 13;

/// Where heard sound goes beside the capture ring.
pub(super) struct Listeners<'a> {
    /// A recorder.
    pub(super) tap: Option<&'a mut Tap>,
    /// The leg that this one is put through to.
    pub(super) bridge: Option<&'a mut super::bridge::Bridge>,
}

/// The hearing side of one leg.
#[derive(Debug)]
pub(super) struct Hearing {
    leg: LegId,
    source: Source,
    receiver: Receiver,
    keys: Keys,
    codec: Codec,
    telephone_event: Option<u8>,
    captured: Producer<Captured>,
    heard_any: bool,
    last_packet: Option<Instant>,
    silent_told: bool,
}

impl Hearing {
    pub(super) fn new(leg: LegId, rule: SourceRule, remote: Option<SocketAddr>, codec: Codec, captured: Producer<Captured>) -> Self {
        Self {
            leg,
            source: Source::new(rule, remote),
            receiver: Receiver::new(codec.rate()),
            keys: Keys::default(),
            codec,
            telephone_event: None,
            captured,
            heard_any: false,
            last_packet: None,
            silent_told: false,
        }
    }

    /// What was agreed on keys and codec.
    pub(super) fn agree(&mut self, codec: Codec, telephone_event: Option<u8>) {
        (self.codec, self.telephone_event) = (codec, telephone_event);
    }

    /// One more latch, to this address.
    pub(super) fn relatch(&mut self, remote: Option<SocketAddr>) {
        self.source.relatch(remote);
    }

    /// Where packets go to.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.source.target()
    }

    pub(super) fn receive_stats(&self) -> crate::rtp::ReceiveStats {
        self.receiver.stats()
    }

    /// Takes what waits at the socket.
    pub(super) fn hear(
        &mut self,
        now: Instant,
        socket: &UdpSocket,
        listeners: &mut Listeners<'_>,
        stats: &mut LegStats,
        out: &mut impl FnMut(Report),
    ) {
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..DATAGRAMS_PER_TICK {
            match socket.recv_from(&mut datagram) {
                Ok((length, from)) => {
                    if let Some(packet) = self.admitted(now, &datagram[..length], from, stats, out) {
                        self.take(now, &packet, stats, out);
                        self.hand_on(listeners, stats);
                    }
                }
                // An ICMP answer to what was sent before; the next call reads on.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => break,
            }
        }
        self.receiver.handle_timeout(now);
        self.hand_on(listeners, stats);
        self.watch_silence(now, out);
    }

    /// Throws away what waits at the socket, because the leg is not to hear: the far end's silence is not watched meanwhile.
    pub(super) fn ignore(&mut self, now: Instant, socket: &UdpSocket, listeners: &mut Listeners<'_>, stats: &mut LegStats) {
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..DATAGRAMS_PER_TICK {
            if socket.recv_from(&mut datagram).is_err() {
                break;
            }
        }
        self.last_packet = Some(now);
        self.receiver.handle_timeout(now);
        self.hand_on(listeners, stats);
    }

    fn admitted<'a>(
        &mut self,
        now: Instant,
        datagram: &'a [u8],
        from: SocketAddr,
        stats: &mut LegStats,
        out: &mut impl FnMut(Report),
    ) -> Option<Packet<'a>> {
        if is_rtcp(datagram) {
            stats.rtcp += 1;
            return None;
        }
        let Ok(packet) = parse(datagram) else {
            stats.malformed += 1;
            return None;
        };
        if self.load_of(&packet).is_none() {
            stats.unagreed += 1;
            return None;
        }
        let before = self.source.heard();
        match self.source.admit(now, from, &packet.header) {
            Admission::Dropped => {
                stats.foreign += 1;
                return None;
            }
            Admission::Latched if before.is_some() => out(Report::Moved { leg: self.leg, to: from }),
            Admission::Latched | Admission::Heard => {}
        }
        self.last_packet = Some(now);
        if !self.heard_any {
            self.heard_any = true;
            out(Report::FirstPacket { leg: self.leg });
        }
        if std::mem::take(&mut self.silent_told) {
            out(Report::RtpBack { leg: self.leg });
        }
        Some(packet)
    }

    /// What a packet carries. Both laws are taken whichever was agreed: their types are static, and a new agreement may overtake packets.
    fn load_of(&self, packet: &Packet<'_>) -> Option<Load> {
        let payload_type = packet.header.payload_type;
        if Some(payload_type) == self.telephone_event || payload_type == COMFORT_NOISE {
            return Some(Load::Other);
        }
        let codec = Codec::from_payload_type(payload_type)?;
        u32::try_from(codec.samples_in(packet.payload.len())).ok().map(Load::Sound)
    }

    fn take(&mut self, now: Instant, packet: &Packet<'_>, stats: &mut LegStats, out: &mut impl FnMut(Report)) {
        let Some(load) = self.load_of(packet) else { return };
        if Some(packet.header.payload_type) == self.telephone_event
            && let Some(press) = self.keys.handle_packet(&packet.header, packet.payload)
            && let Some(digit) = digit_of(press.event)
        {
            stats.digits += 1;
            out(Report::Digit { leg: self.leg, digit, at: self.receiver.place(press.began) });
        }
        self.receiver.handle_packet(now, packet, load);
    }

    fn hand_on(&mut self, listeners: &mut Listeners<'_>, stats: &mut LegStats) {
        while let Some(arrival) = self.receiver.poll_output() {
            self.hand_on_one(&arrival, listeners, stats);
        }
    }

    fn hand_on_one(&mut self, arrival: &Arrival, listeners: &mut Listeners<'_>, stats: &mut LegStats) {
        let rate = self.codec.rate();
        let mut pcm = [0; FRAME_SAMPLES_MAX];
        let (kind, sound) = match &arrival.piece {
            Piece::Sound { payload, skip, payload_type } => {
                let codec = Codec::from_payload_type(*payload_type).unwrap_or(self.codec);
                let count = codec.decode(payload.bytes(), &mut pcm);
                let skip = usize::try_from(*skip).unwrap_or(count).min(count);
                (CapturedKind::Sound, &pcm[skip..count])
            }
            Piece::Gap => (CapturedKind::Gap, &pcm[..usize::try_from(arrival.samples).unwrap_or(0).min(FRAME_SAMPLES_MAX)]),
        };
        if let (Some(bridge), CapturedKind::Sound) = (listeners.bridge.as_deref_mut(), kind) {
            bridge.push(sound);
        }
        let mut at = arrival.at;
        for piece in sound.chunks(frame_samples(rate)) {
            let frame = Frame::new(rate, piece);
            if let Some(tap) = listeners.tap.as_deref_mut() {
                // The ring counts what it refuses.
                let _ = tap.push(Tapped { side: Side::Heard, at, frame, turn: None });
            }
            stats.capture_dropped += u64::from(self.captured.push(Captured { at, kind, frame }).is_err());
            at = Samples(at.0 + piece.len() as u64);
        }
    }

    fn watch_silence(&mut self, now: Instant, out: &mut impl FnMut(Report)) {
        let since = *self.last_packet.get_or_insert(now);
        if !self.silent_told && now.since(since) >= Duration::from_millis(RTP_SILENT_MS) {
            self.silent_told = true;
            out(Report::RtpSilent { leg: self.leg });
        }
    }
}

/// Samples of a full frame at `rate`.
fn frame_samples(rate: Rate) -> usize {
    usize::try_from(Samples::from_millis(crate::base::limits::PTIME_MS, rate).0).unwrap_or(FRAME_SAMPLES_MAX)
}
