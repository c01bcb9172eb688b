//! Keys as named events. RFC 4733.

use std::collections::VecDeque;

use super::Header;
use crate::base::RtpTime;

/// Events 0 to 15 are keys (RFC 4733 §3.2).
pub const KEY_EVENTS: &str = "0123456789*#ABCD";

/// Periods of 20 ms that a key of ours lasts: 100 ms (RFC 4733 §2.5.1.2 and Q.24 want 40 at least).
const KEY_PERIODS: u16 = 5;

/// Times that the last packet is sent (RFC 4733 §2.5.1.4).
const END_PACKETS: u16 = 3;

/// Periods of silence after a key: 60 ms.
const PAUSE_PERIODS: u16 = 3;

/// Keys that wait to be sent. Full: the newest is refused.
const KEYS_WAITING_MAX: usize = 32;

/// The payload: event, end flag with volume, duration.
const EVENT_BYTES: usize = 4;

/// A key's volume in dBm0 below zero (RFC 4733 §2.3.3).
const VOLUME: u8 = 10;

/// The longest duration of one segment (RFC 4733 §2.5.1.3).
const SEGMENT: u32 = 0xffff;

/// The character of an event, when it is a key.
pub fn digit_of(event: u8) -> Option<char> {
    KEY_EVENTS.chars().nth(usize::from(event))
}

/// The event of a key's character.
pub fn event_of(digit: char) -> Option<u8> {
    KEY_EVENTS.chars().position(|key| key == digit.to_ascii_uppercase()).and_then(|place| u8::try_from(place).ok())
}

/// A key that was pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPress {
    /// Its event number, 0 to 15.
    pub event: u8,
    /// When it began, on the sender's clock.
    pub began: RtpTime,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    ssrc: u32,
    event: u8,
    began: RtpTime,
    duration: u32,
    ended: bool,
}

/// Makes one press out of however many packets tell of it, at the first of them, so that a lost end loses nothing.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    current: Option<Current>,
}

impl Keys {
    /// Takes one packet of the agreed telephone-event type. Other events than keys, and what is too short, are ignored.
    pub fn handle_packet(&mut self, header: &Header, payload: &[u8]) -> Option<KeyPress> {
        let &[event, flags, high, low] = payload.first_chunk::<EVENT_BYTES>()?;
        digit_of(event)?;
        let duration = u32::from(u16::from_be_bytes([high, low]));
        let heard = Current { ssrc: header.ssrc, event, began: header.time, duration, ended: flags & 0x80 != 0 };
        match &mut self.current {
            Some(current) if current.ssrc == heard.ssrc && header.time.since(current.began) < 0 => None,
            Some(current) if current.ssrc == heard.ssrc && continues(current, &heard, header.marker) => {
                current.duration = current.duration.max(heard.duration);
                current.began = heard.began;
                current.ended |= heard.ended;
                None
            }
            _ => {
                self.current = Some(heard);
                Some(KeyPress { event, began: heard.began })
            }
        }
    }
}

/// Whether `heard` tells of the same press as `current`.
fn continues(current: &Current, heard: &Current, marker: bool) -> bool {
    if heard.began == current.began {
        // A repeated or late packet. Another event with the same beginning cannot be.
        return true;
    }
    if heard.event != current.event || marker || current.ended {
        return false;
    }
    let moved = u32::try_from(heard.began.since(current.began)).unwrap_or(u32::MAX);
    // A long press goes on in another segment (§2.5.1.3); and gateways exist that move the beginning with every packet.
    let next_segment = moved >= SEGMENT / 2 && current.duration >= SEGMENT / 2 && moved <= current.duration.max(SEGMENT) + 1_600;
    let moving_beginning = heard.duration > current.duration && moved <= 2 * (heard.duration - current.duration);
    next_segment || moving_beginning
}

/// A packet of a key of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPacket {
    /// The payload.
    pub payload: [u8; EVENT_BYTES],
    /// The key's beginning, the timestamp of all its packets.
    pub began: RtpTime,
    /// Set on the first one.
    pub marker: bool,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    event: u8,
    began: RtpTime,
    period: u16,
}

/// Sends keys one after another, a packet a period.
#[derive(Clone, Debug)]
pub struct KeySender {
    waiting: VecDeque<u8>,
    sending: Option<Sending>,
    pause: u16,
}

impl Default for KeySender {
    fn default() -> Self {
        Self { waiting: VecDeque::with_capacity(KEYS_WAITING_MAX), sending: None, pause: 0 }
    }
}

impl KeySender {
    /// Queues a key by its event number; false when it is none or too many wait.
    pub fn press(&mut self, event: u8) -> bool {
        let fits = digit_of(event).is_some() && self.waiting.len() < KEYS_WAITING_MAX;
        if fits {
            self.waiting.push_back(event);
        }
        fits
    }

    /// The packet that takes the place of sound in this period, whose timestamp is `time` and which lasts `step`; nothing when sound goes.
    pub fn next_packet(&mut self, time: RtpTime, step: u16) -> Option<KeyPacket> {
        let sending = match self.sending {
            Some(sending) => sending,
            None if self.pause > 0 => {
                self.pause -= 1;
                return None;
            }
            None => Sending { event: self.waiting.pop_front()?, began: time, period: 0 },
        };
        let ends = sending.period + 1 >= KEY_PERIODS;
        let duration = step.saturating_mul((sending.period + 1).min(KEY_PERIODS)).to_be_bytes();
        let flags = if ends { 0x80 | VOLUME } else { VOLUME };
        let packet =
            KeyPacket { payload: [sending.event, flags, duration[0], duration[1]], began: sending.began, marker: sending.period == 0 };
        let done = sending.period + 1 >= KEY_PERIODS + END_PACKETS - 1;
        self.sending = (!done).then_some(Sending { period: sending.period + 1, ..sending });
        self.pause = if done { PAUSE_PERIODS } else { 0 };
        Some(packet)
    }

    /// Whether a key is being sent or waits.
    pub fn is_busy(&self) -> bool {
        self.sending.is_some() || !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    fn header(time: u32, marker: bool) -> Header {
        Header { ssrc: 1, sequence: 0, time: RtpTime(time), marker, payload_type: 101 }
    }

    /// Time, marker, event, end, duration.
    type Told = (u32, bool, u8, bool, u16);

    fn presses(packets: &[Told]) -> Vec<u8> {
        let mut keys = Keys::default();
        let heard = packets.iter().filter_map(|(time, marker, event, end, duration)| {
            let [high, low] = duration.to_be_bytes();
            keys.handle_packet(&header(*time, *marker), &[*event, if *end { 0x8a } else { 10 }, high, low])
        });
        heard.map(|press| press.event).collect()
    }

    #[test]
    fn event_numbers_are_keys_and_back() {
        for (event, digit) in KEY_EVENTS.chars().enumerate() {
            assert_eq!(digit_of(u8::try_from(event).unwrap()), Some(digit));
            assert_eq!(event_of(digit).map(usize::from), Some(event));
        }
        assert_eq!((digit_of(16), event_of('x'), event_of('d')), (None, None, Some(15)));
    }

    /// RFC 4733 §2.5.1: one press a key, by table.
    #[test]
    fn a_press_counts_once_however_it_is_told() {
        let table: [(&str, &[Told], &[u8]); 9] = [
            (
                "updates and three ends",
                &[(0, true, 5, false, 160), (0, false, 5, false, 320), (0, false, 5, true, 480), (0, false, 5, true, 480)],
                &[5],
            ),
            ("only an end came", &[(0, false, 5, true, 480)], &[5]),
            ("the end was lost, another key", &[(0, true, 5, false, 160), (960, true, 6, false, 160)], &[5, 6]),
            ("the end was lost, the same key again", &[(0, true, 5, false, 800), (1_600, true, 5, false, 160)], &[5, 5]),
            ("both the end and the marker were lost", &[(0, true, 5, false, 800), (1_600, false, 5, false, 320)], &[5, 5]),
            ("a late packet of the key before", &[(0, true, 5, true, 480), (960, true, 6, false, 160), (0, false, 5, true, 480)], &[5, 6]),
            (
                "a press of twelve seconds in two segments",
                &[(0, true, 1, false, 65_535), (65_535, false, 1, false, 320), (65_535, false, 1, true, 640)],
                &[1],
            ),
            (
                "a beginning that moves with each packet",
                &[(0, true, 9, false, 160), (160, false, 9, false, 320), (320, false, 9, true, 480)],
                &[9],
            ),
            ("a hook flash is no key", &[(0, true, 16, false, 160)], &[]),
        ];
        for (name, packets, expected) in table {
            assert_eq!(presses(packets), expected, "{name}");
        }
        assert_eq!(Keys::default().handle_packet(&header(0, true), &[5, 10, 0]), None);
    }

    #[test]
    fn keys_sent_are_keys_heard_through_any_loss_that_leaves_one_packet() {
        let mut seed = Seed::new(8);
        for _ in 0..200 {
            let pressed: Vec<u8> = (0..=seed.below(8)).map(|_| u8::try_from(seed.below(16)).unwrap()).collect();
            let (mut sender, mut keys, mut heard, mut time) = (KeySender::default(), Keys::default(), Vec::new(), RtpTime(seed.next_u32()));
            assert!(pressed.iter().all(|event| sender.press(*event)));
            let mut arrived = 0;
            while sender.is_busy() {
                if let Some(packet) = sender.next_packet(time, 160) {
                    let last = packet.payload[1] & 0x80 != 0;
                    let lost = seed.one_in(2) && !(last && arrived == 0);
                    arrived = if packet.marker { 0 } else { arrived };
                    if !lost {
                        arrived += 1;
                        let header = Header { ssrc: 1, sequence: 0, time: packet.began, marker: packet.marker, payload_type: 101 };
                        heard.extend(keys.handle_packet(&header, &packet.payload).map(|press| press.event));
                    }
                }
                time = time.plus(160);
            }
            assert_eq!(heard, pressed);
        }
    }

    /// RFC 4733 §2.5.1.2: five periods of growing duration, the end three times, then a pause.
    #[test]
    fn a_key_is_sent_as_the_standard_says() {
        let mut sender = KeySender::default();
        sender.press(7);
        sender.press(8);
        let sent: Vec<_> = (0..11_u32).map(|n| sender.next_packet(RtpTime(n * 160), 160)).collect();
        let durations: Vec<_> =
            sent[..7].iter().flatten().map(|packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        assert!(sent[..7].iter().flatten().all(|packet| packet.began == RtpTime(0) && packet.payload[0] == 7));
        assert_eq!(sent[..7].iter().flatten().filter(|packet| packet.payload[1] & 0x80 != 0).count(), 3);
        assert!(sent[7..10].iter().all(Option::is_none));
        let second = sent[10].unwrap();
        assert_eq!((second.payload[0], second.began, second.marker), (8, RtpTime(1_600), true));
    }
}
