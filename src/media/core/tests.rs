//! Legs over real loopback sockets, in virtual time.

mod hearing;
mod saying;

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};

use super::*;
use crate::audio::{Codec, Tone, rms, tone_share};
use crate::base::{CapturedKind, Frame, Rate, Samples, Seed, TurnId};
use crate::media::{Direction, LegEnds, LegSetup, Playback, Renegotiation, Side, Tapped};
use crate::rtp::{HEADER_BYTES, Header, Packet, SourceRule, parse, write};

/// A core with its ports, a clock of its own and the ends of its legs.
struct World {
    core: MediaCore,
    ports: MediaPorts,
    now: Instant,
    ends: BTreeMap<u32, LegEnds>,
    reports: Vec<Report>,
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn setup(id: u32, socket: UdpSocket, remote: Option<SocketAddr>) -> LegSetup {
    LegSetup {
        id: LegId(id),
        socket,
        codec: Codec::Pcmu,
        telephone_event: Some(101),
        remote,
        source_rule: SourceRule::Latch,
        seed: Seed::new(u64::from(id)),
    }
}

impl World {
    fn new() -> Self {
        let (core, ports) = MediaCore::new(None);
        Self { core, ports, now: Instant::from_millis(1_000), ends: BTreeMap::new(), reports: Vec::new() }
    }

    fn add(&mut self, setup: LegSetup) {
        let id = setup.id;
        let (leg, ends) = Leg::new(setup).unwrap();
        self.ends.insert(id.0, ends);
        self.order(Order::Add(leg));
    }

    /// Two legs of this core that talk to each other.
    fn add_pair(&mut self, one: u32, other: u32) {
        let (a, b) = (socket(), socket());
        let (at_a, at_b) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        self.add(setup(one, a, Some(at_b)));
        self.add(setup(other, b, Some(at_a)));
    }

    /// A leg and the far end's socket.
    fn add_with_peer(&mut self, id: u32) -> (UdpSocket, SocketAddr) {
        let (ours, theirs) = (socket(), socket());
        let at = ours.local_addr().unwrap();
        self.add(setup(id, ours, Some(theirs.local_addr().unwrap())));
        (theirs, at)
    }

    fn order(&mut self, order: Order) {
        self.ports.orders.push(order).unwrap();
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms / TICK_MS {
            self.core.tick(self.now);
            self.now += std::time::Duration::from_millis(TICK_MS);
            while let Some(report) = self.ports.reports.pop() {
                self.reports.push(report);
            }
        }
    }

    fn say(&mut self, id: u32, turn: u32, clip: u32, sound: &[i16]) {
        for item in Playback::clip(TurnId(turn), clip, Rate::K8, sound) {
            self.ends.get_mut(&id).unwrap().playback.push(item).unwrap();
        }
    }

    fn gate(&self, id: u32) -> &crate::rt::Gate {
        &self.ends[&id].gate
    }

    /// Where a leg receives.
    fn address(&mut self, id: u32) -> SocketAddr {
        self.run(20);
        self.core.legs.iter().find(|leg| leg.id() == LegId(id)).unwrap().local_address()
    }

    /// All sound a leg heard since the last call.
    fn heard(&mut self, id: u32) -> Vec<i16> {
        let captured = &mut self.ends.get_mut(&id).unwrap().captured;
        std::iter::from_fn(|| captured.pop()).flat_map(|one| one.frame.samples().to_vec()).collect()
    }

    fn played(&self) -> Vec<(u32, u32, u64, bool)> {
        let told = self.reports.iter().filter_map(|report| match report {
            Report::Played { turn, clip, samples, finished, .. } => Some((turn.0, *clip, samples.0, *finished)),
            _ => None,
        });
        told.collect()
    }
}

/// Sound that survives μ-law unchanged and never repeats a frame: every sample is a code word's value.
fn ramp(samples: usize) -> Vec<i16> {
    let mut seed = Seed::new(5);
    let codes: Vec<u8> = (0..samples).map(|_| seed.next_u32().to_le_bytes()[0] & 0xbf).collect();
    let mut pcm = vec![0; samples];
    Codec::Pcmu.decode(&codes, &mut pcm);
    pcm
}

fn received(socket: &UdpSocket) -> Vec<(Header, Vec<u8>)> {
    let mut buffer = [0; 1_500];
    let mut packets = Vec::new();
    while let Ok((length, _)) = socket.recv_from(&mut buffer) {
        let Packet { header, payload } = parse(&buffer[..length]).unwrap();
        packets.push((header, payload.to_vec()));
    }
    packets
}

fn send(socket: &UdpSocket, to: SocketAddr, header: Header, payload: &[u8]) {
    let mut buffer = [0; 1_500];
    let length = write(&header, payload, &mut buffer).unwrap();
    assert_eq!(length, HEADER_BYTES + payload.len());
    socket.send_to(&buffer[..length], to).unwrap();
}

fn nth(number: u16) -> Header {
    Header { ssrc: 7, sequence: number, time: crate::base::RtpTime(u32::from(number) * 160), marker: false, payload_type: 0 }
}

/// What lies between the silence before and after.
fn sound_of(whole: &[i16]) -> Vec<i16> {
    let first = whole.iter().position(|sample| *sample != 0).unwrap_or(whole.len());
    let last = whole.iter().rposition(|sample| *sample != 0).unwrap_or(0);
    whole.get(first..=last).unwrap_or_default().to_vec()
}
