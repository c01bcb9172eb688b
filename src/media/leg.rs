//! One leg: its socket, what it hears and what it says.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use super::bridge::{Bridge, PERIOD};
use super::hearing::{Hearing, Listeners};
use super::orders::{Direction, LegEnds, LegSetup, Renegotiation, Report, Side, Tap, Tapped};
use super::playing::Playing;
use super::stats::LegStats;
use crate::audio::{Cadence, Codec, Tune, mix_into, rms};
use crate::base::limits::{CAPTURE_RING_MS, PLAYBACK_RING_MS, PTIME_MS};
use crate::base::{Frame, Instant, LegId, Samples, Seed};
use crate::rt::{Gate, ring};
use crate::rtp::{HEADER_BYTES, Header, KeySender, Pacer, event_of, write};

/// Datagrams thrown away before a leg begins: more than a socket's buffer usually holds.
const STALE_MAX: usize = 1_024;

/// Our largest packet.
const PACKET_BYTES: usize = HEADER_BYTES + PERIOD;

/// A leg as the media thread owns it. Made outside, because making it takes memory.
#[derive(Debug)]
pub struct Leg {
    id: LegId,
    socket: UdpSocket,
    codec: Codec,
    telephone_event: Option<u8>,
    direction: Direction,
    hearing: Hearing,
    playing: Playing,
    keys: KeySender,
    seed: Seed,
    pacer: Option<Pacer>,
    bridge: Option<Bridge>,
    cadence: Option<Cadence>,
    tap: Option<Box<Tap>>,
    /// Samples of time that passed on the sending side.
    said: u64,
    stats: LegStats,
}

impl Leg {
    /// Makes a leg and the ends that stay outside. What waits at the socket came before the leg (the port's former user may have sent it) and is
    /// thrown away. Fails when the socket cannot be made non-blocking.
    pub fn new(setup: LegSetup) -> std::io::Result<(Box<Self>, LegEnds)> {
        setup.socket.set_nonblocking(true)?;
        for _ in 0..STALE_MAX {
            if setup.socket.recv_from(&mut [0; 1]).is_err() {
                break;
            }
        }
        let frames = |ms: u64| usize::try_from(ms / PTIME_MS).unwrap_or(1);
        let (captured_in, captured) = ring(frames(CAPTURE_RING_MS));
        let (playback, playback_out) = ring(frames(PLAYBACK_RING_MS));
        let gate = Arc::new(Gate::new());
        let mut hearing = Hearing::new(setup.id, setup.source_rule, setup.remote, setup.codec, captured_in);
        hearing.agree(setup.codec, setup.telephone_event);
        let leg = Box::new(Self {
            id: setup.id,
            socket: setup.socket,
            codec: setup.codec,
            telephone_event: setup.telephone_event,
            direction: Direction::default(),
            hearing,
            playing: Playing::new(setup.id, playback_out, Arc::clone(&gate)),
            keys: KeySender::default(),
            seed: setup.seed,
            pacer: None,
            bridge: None,
            cadence: None,
            tap: None,
            said: 0,
            stats: LegStats::default(),
        });
        Ok((leg, LegEnds { captured, playback, gate }))
    }

    /// Its name.
    pub fn id(&self) -> LegId {
        self.id
    }

    #[cfg(test)]
    pub(super) fn local_address(&self) -> std::net::SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(super) fn stats(&self) -> LegStats {
        LegStats { receive: self.hearing.receive_stats(), ..self.stats }
    }

    pub(super) fn gate(&self) -> &Gate {
        self.playing.gate()
    }

    /// From now on the leg sends; its first packet is due at `first`.
    pub(super) fn begin(&mut self, first: Instant) {
        self.pacer = Some(Pacer::new(first, self.codec.rate(), &mut self.seed));
    }

    pub(super) fn renegotiate(&mut self, agreed: &Renegotiation) {
        (self.codec, self.telephone_event) = (agreed.codec, agreed.telephone_event);
        self.hearing.agree(agreed.codec, agreed.telephone_event);
        self.hearing.relatch(agreed.remote);
        self.direction = agreed.direction;
    }

    pub(super) fn direct(&mut self, direction: Direction) {
        self.direction = direction;
    }

    /// Plays a tune from its beginning, or none.
    pub(super) fn tune(&mut self, tune: Option<Tune>) {
        self.cadence = tune.map(|tune| Cadence::new(tune, self.codec.rate()));
    }

    /// Queues a key; false when it cannot be sent.
    pub(super) fn press(&mut self, digit: char) -> bool {
        self.telephone_event.is_some() && event_of(digit).is_some_and(|event| self.keys.press(event))
    }

    pub(super) fn bridge_to(&mut self, other: Option<LegId>) {
        self.stats.bridge_dropped += self.bridge.as_mut().map_or(0, Bridge::take_dropped);
        self.bridge = other.map(Bridge::new);
    }

    pub(super) fn bridged_to(&self) -> Option<LegId> {
        self.bridge.as_ref().map(|bridge| bridge.other)
    }

    /// The buffer that another leg fills while this one is bridged to it.
    pub(super) fn bridge_mut(&mut self) -> Option<&mut Bridge> {
        self.bridge.as_mut()
    }

    /// Puts another recorder in place and gives the former one back.
    pub(super) fn tap(&mut self, tap: Option<Box<Tap>>) -> Option<Box<Tap>> {
        std::mem::replace(&mut self.tap, tap)
    }

    /// Takes what came. `bridge` is the buffer of the leg that this one is put through to.
    pub(super) fn hear(&mut self, now: Instant, bridge: Option<&mut Bridge>, out: &mut impl FnMut(Report)) {
        let mut listeners = Listeners { tap: self.tap.as_deref_mut(), bridge };
        if self.direction.receives() {
            self.hearing.hear(now, &self.socket, &mut listeners, &mut self.stats, out);
        } else {
            self.hearing.ignore(now, &self.socket, &mut listeners, &mut self.stats);
        }
    }

    /// Drops what was flushed, and sends what is due; says how late the first packet goes out after its point, when one does.
    pub(super) fn say(&mut self, now: Instant, out: &mut impl FnMut(Report)) -> Option<Duration> {
        self.playing.flush(&mut self.stats, out);
        let owed = self.pacer.as_mut()?.owed(now)?;
        self.stats.periods_skipped += u64::from(owed.skipped);
        self.said += u64::from(owed.skipped) * PERIOD as u64;
        for _ in 0..owed.packets {
            self.say_period(out);
            self.said += PERIOD as u64;
        }
        Some(owed.late_by)
    }

    /// Tells how far playback came, because the leg ends.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(Report)) {
        self.stats.bridge_dropped += self.bridge.as_mut().map_or(0, Bridge::take_dropped);
        self.playing.finish(out);
    }

    fn say_period(&mut self, out: &mut impl FnMut(Report)) {
        let Some(pacer) = &mut self.pacer else { return };
        let Some(target) = self.hearing.target().filter(|_| self.direction.sends()) else {
            // Nobody can hear: playback waits, time goes on.
            pacer.skip();
            return;
        };
        let mut packet = [0; PACKET_BYTES];
        let step = u16::try_from(pacer.step()).unwrap_or(0);
        let key = self.telephone_event.and_then(|kind| self.keys.next_packet(pacer.time(), step).map(|key| (kind, key)));
        let length = if let Some((kind, key)) = key {
            write(&pacer.next_event(kind, key.began, key.marker), &key.payload, &mut packet)
        } else {
            let header = pacer.next(self.codec.payload_type());
            self.write_sound(&header, &mut packet, out)
        };
        let sent = length.is_some_and(|length| self.socket.send_to(&packet[..length], target).is_ok());
        self.stats.sent += u64::from(sent);
        self.stats.send_failed += u64::from(!sent);
    }

    fn write_sound(&mut self, header: &Header, packet: &mut [u8; PACKET_BYTES], out: &mut impl FnMut(Report)) -> Option<usize> {
        let mut period = [0; PERIOD];
        let turn = self.playing.next_period(&mut period, self.codec.rate(), &mut self.stats, out);
        if let Some(cadence) = &mut self.cadence {
            cadence.mix_into(&mut period);
        }
        self.playing.gate().set_playing_level(rms(&period));
        if let Some(bridge) = &mut self.bridge {
            mix_into(&mut period, &bridge.next_period());
        }
        if let Some(tap) = &mut self.tap {
            // The ring counts what it refuses.
            let frame = Frame::new(self.codec.rate(), &period);
            let _ = tap.push(Tapped { side: Side::Said, at: Samples(self.said), frame, turn });
        }
        let mut payload = [0; PERIOD];
        let length = self.codec.encode(&period, &mut payload);
        write(header, &payload[..length], packet)
    }
}
