//! One end of one audio session, over all its offers and answers. RFC 3264.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::syntax::{self, Description, MediaLine, Written, WrittenLine};
use super::{Codec, CodecKind, Direction, Negotiated, OfferError};
use crate::base::{Seed, limits};

/// The number that our offers give telephone-event, as most telephones do.
const TELEPHONE_EVENT: u8 = 101;

/// Our side of the description, from the first offer to the last answer.
#[derive(Clone, Debug)]
pub struct Session {
    local: SocketAddr,
    codecs: Vec<CodecKind>,
    direction: Direction,
    id: u64,
    version: u64,
    /// The lines as last written: the version grows when they change (RFC 3264 §8).
    written: Vec<WrittenLine>,
    /// Which line is the audio.
    audio: usize,
    telephone_event: u8,
    /// The transport of the audio line: an answer repeats the offer's (RFC 3264 §6).
    proto: String,
}

impl Session {
    /// A session whose audio arrives at `address` and `port`.
    pub fn new(address: IpAddr, port: u16, mut seed: Seed) -> Self {
        Self {
            local: SocketAddr::new(address.to_canonical(), port),
            codecs: CodecKind::ALL.to_vec(),
            direction: Direction::SendRecv,
            // RFC 8866 §5.2 asks for a number; below 2^62 nobody's parser overflows.
            id: seed.next_u64() >> 2,
            version: 1,
            written: Vec::new(),
            audio: 0,
            telephone_event: TELEPHONE_EVENT,
            proto: "RTP/AVP".to_owned(),
        }
    }

    /// The same with these codecs alone, our first choice first.
    #[must_use]
    pub fn with_codecs(mut self, codecs: Vec<CodecKind>) -> Self {
        self.codecs = codecs;
        self
    }

    /// Our audio arrives at another address from the next offer or answer on; the port stays.
    pub const fn set_address(&mut self, address: IpAddr) {
        self.local = SocketAddr::new(address.to_canonical(), self.local.port());
    }

    /// What our next offer or answer asks for: [`Direction::SendOnly`] puts the peer on hold.
    pub const fn set_direction(&mut self, direction: Direction) {
        self.direction = direction;
    }

    /// Answers an offer: the first audio that we can speak, every other line refused in its place (RFC 3264 §6).
    pub fn answer(&mut self, offer: &[u8]) -> Result<(Bytes, Negotiated), OfferError> {
        let description = syntax::parse(offer)?;
        let (at, line, codec) = self.choose(&description)?;
        let remote = self.remote(line)?;
        let telephone_event = telephone_event(line, codec.kind);
        let theirs = if remote.ip().is_unspecified() { line.direction.and(Direction::SendOnly) } else { line.direction };
        let direction = theirs.mirrored().and(self.direction);
        self.proto.clone_from(&line.proto);
        let formats: Vec<u8> = std::iter::once(codec.payload_type).chain(telephone_event).collect();
        let lines = description.media.iter().enumerate();
        let lines =
            lines.map(|(place, other)| if place == at { self.audio_line(&formats, &[codec], direction) } else { refused(other) }).collect();
        self.audio = at;
        if let Some(number) = telephone_event {
            self.telephone_event = number;
        }
        let negotiated = Negotiated { codec, telephone_event, remote, direction, ptime_ms: ptime(line) };
        Ok((self.write(lines), negotiated))
    }

    /// Our offer: every codec of ours; lines of earlier descriptions keep their places (RFC 3264 §8).
    pub fn offer(&mut self) -> Bytes {
        let codecs: Vec<Codec> = self.codecs.iter().map(|&kind| Codec { payload_type: kind.static_payload_type(), kind }).collect();
        let formats: Vec<u8> = codecs.iter().map(|codec| codec.payload_type).chain([self.telephone_event]).collect();
        let line = self.audio_line(&formats, &codecs, self.direction);
        let mut lines = self.written.clone();
        match lines.get_mut(self.audio) {
            Some(place) => *place = line,
            None => lines = vec![line],
        }
        self.write(lines)
    }

    /// Takes the answer to [`Session::offer`].
    pub fn accept_answer(&mut self, answer: &[u8]) -> Result<Negotiated, OfferError> {
        let description = syntax::parse(answer)?;
        let line = description.media.get(self.audio).filter(|line| is_plain_audio(line));
        let line = line.ok_or_else(|| OfferError::NoAudio { offered: listed(&description) })?;
        let codec = self.first_codec(line).ok_or_else(|| OfferError::NoCommonCodec { offered: line.formats.clone() })?;
        let remote = self.remote(line)?;
        let theirs = if remote.ip().is_unspecified() { line.direction.and(Direction::SendOnly) } else { line.direction };
        let direction = theirs.mirrored().and(self.direction);
        Ok(Negotiated { codec, telephone_event: telephone_event(line, codec.kind), remote, direction, ptime_ms: ptime(line) })
    }

    fn choose<'a>(&self, description: &'a Description) -> Result<(usize, &'a MediaLine, Codec), OfferError> {
        let mut audio = description.media.iter().enumerate().filter(|(_, line)| is_plain_audio(line)).peekable();
        let first = audio.peek().map(|(_, line)| line.formats.clone());
        let found = audio.find_map(|(at, line)| self.first_codec(line).map(|codec| (at, line, codec)));
        found.ok_or_else(|| match first {
            Some(offered) => OfferError::NoCommonCodec { offered },
            None => OfferError::NoAudio { offered: listed(description) },
        })
    }

    /// The first codec in the peer's order that is ours too: what a static number means need not be said (RFC 3551 §6).
    fn first_codec(&self, line: &MediaLine) -> Option<Codec> {
        line.payload_types().find_map(|payload_type| {
            let kind = match line.map(payload_type) {
                Some(map) => CodecKind::named(&map.name, map.rate),
                None => CodecKind::ALL.into_iter().find(|kind| kind.static_payload_type() == payload_type),
            };
            kind.filter(|kind| self.codecs.contains(kind)).map(|kind| Codec { payload_type, kind })
        })
    }

    fn remote(&self, line: &MediaLine) -> Result<SocketAddr, OfferError> {
        let address = line.address.ok_or(OfferError::NoAddress)?;
        if address.is_ipv4() == self.local.is_ipv4() { Ok(SocketAddr::new(address, line.port)) } else { Err(OfferError::OtherFamily) }
    }

    fn audio_line(&self, formats: &[u8], codecs: &[Codec], direction: Direction) -> WrittenLine {
        let mut attributes = Vec::new();
        for codec in codecs {
            let map = format!("{} {}/{}", codec.payload_type, codec.kind.name(), codec.kind.clock_rate());
            attributes.push(("rtpmap", Some(map)));
        }
        for number in formats.iter().filter(|number| codecs.iter().all(|codec| codec.payload_type != **number)) {
            attributes.push(("rtpmap", Some(format!("{number} telephone-event/8000"))));
            attributes.push(("fmtp", Some(format!("{number} 0-15"))));
        }
        attributes.push(("ptime", Some(limits::PTIME_MS.to_string())));
        attributes.push((direction.as_str(), None));
        let formats = formats.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
        WrittenLine { media: "audio".to_owned(), port: self.local.port(), proto: self.proto.clone(), formats, attributes }
    }

    fn write(&mut self, lines: Vec<WrittenLine>) -> Bytes {
        if !self.written.is_empty() && self.written != lines {
            self.version += 1;
        }
        self.written = lines;
        syntax::write(&Written { id: self.id, version: self.version, address: self.local.ip(), lines: &self.written })
    }
}

fn is_plain_audio(line: &MediaLine) -> bool {
    line.media == "audio" && line.port != 0 && matches!(line.proto.as_str(), "RTP/AVP" | "RTP/AVPF")
}

fn telephone_event(line: &MediaLine, kind: CodecKind) -> Option<u8> {
    line.payload_types().find(|number| {
        line.map(*number).is_some_and(|map| map.name.eq_ignore_ascii_case("telephone-event") && map.rate == kind.clock_rate())
    })
}

fn ptime(line: &MediaLine) -> u8 {
    line.ptime_ms.filter(|ms| (10..=120).contains(ms)).unwrap_or(20)
}

fn refused(line: &MediaLine) -> WrittenLine {
    let (media, proto, formats) = (line.media.clone(), line.proto.clone(), line.formats.clone());
    WrittenLine { media, port: 0, proto, formats, attributes: Vec::new() }
}

fn listed(description: &Description) -> String {
    let lines: Vec<String> = description.media.iter().map(|line| format!("{} {} {}", line.media, line.port, line.proto)).collect();
    if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") }
}
