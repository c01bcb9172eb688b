//! Where packets wait for one that is missing: a place for each of the next few sequence numbers.

use super::Packet;
use crate::base::RtpTime;

/// The longest payload that is taken: 120 ms of G.711. Longer: dropped and counted.
const PAYLOAD_BYTES_MAX: usize = 960;

/// Packets held while one is missing. A packet further ahead gives the hole up at once.
pub(super) const HELD_MAX: u16 = 16;

/// A payload by value.
#[derive(Clone, Copy)]
pub struct Payload {
    len: u16,
    bytes: [u8; PAYLOAD_BYTES_MAX],
}

impl Payload {
    fn copy(payload: &[u8]) -> Option<Self> {
        let mut bytes = [0; PAYLOAD_BYTES_MAX];
        bytes.get_mut(..payload.len())?.copy_from_slice(payload);
        Some(Self { len: u16::try_from(payload.len()).ok()?, bytes })
    }

    /// The octets.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} octets)", self.len)
    }
}

/// What a packet carries, as its payload type says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Load {
    /// So many samples of sound.
    Sound(u32),
    /// Something that only takes its place in the sequence: keys, comfort noise.
    Other,
}

impl Load {
    /// Samples of sound.
    pub fn samples(self) -> u32 {
        match self {
            Self::Sound(samples) => samples,
            Self::Other => 0,
        }
    }
}

/// A packet that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) sequence: u16,
    pub(super) time: RtpTime,
    pub(super) load: Load,
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) payload: Payload,
    /// Samples of time before it that neither sound nor gap stands for, by the wall; used only when its timestamp says nothing.
    pub(super) uncovered: u64,
}

impl Held {
    /// A packet by value; nothing when it is too long to be a telephone's.
    pub(super) fn new(packet: &Packet<'_>, load: Load) -> Option<Self> {
        let header = packet.header;
        let payload = Payload::copy(packet.payload)?;
        let (sequence, time, marker, payload_type) = (header.sequence, header.time, header.marker, header.payload_type);
        Some(Self { sequence, time, load, marker, payload_type, payload, uncovered: 0 })
    }
}

/// The places.
#[derive(Debug)]
pub(super) struct Shelf {
    places: [Option<Held>; HELD_MAX as usize],
    count: u16,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { places: [None; HELD_MAX as usize], count: 0 }
    }
}

impl Shelf {
    pub(super) fn get(&self, sequence: u16) -> Option<&Held> {
        self.places[place(sequence)].as_ref().filter(|held| held.sequence == sequence)
    }

    pub(super) fn holds(&self, sequence: u16) -> bool {
        self.get(sequence).is_some()
    }

    /// Puts a packet in its place, which must be free; `uncovered` goes with it.
    pub(super) fn put(&mut self, held: &Held, uncovered: u64) {
        let place = &mut self.places[place(held.sequence)];
        debug_assert!(place.is_none(), "two packets within the shelf's length have one place");
        self.count += u16::from(place.is_none());
        *place = Some(Held { uncovered, ..*held });
    }

    /// Frees a packet's place.
    pub(super) fn take(&mut self, sequence: u16) {
        if self.holds(sequence) {
            self.places[place(sequence)] = None;
            self.count -= 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.places = [None; HELD_MAX as usize];
        self.count = 0;
    }

    pub(super) fn len(&self) -> u64 {
        u64::from(self.count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

fn place(sequence: u16) -> usize {
    usize::from(sequence % HELD_MAX)
}
