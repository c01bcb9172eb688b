//! The only file that names `sdp_types`: texts to what we need of them, and back.

use std::net::IpAddr;

use bytes::Bytes;

use super::Direction;
use super::error::OfferError;

/// Media lines of one description. More: it cannot be read.
const MEDIA_MAX: usize = 16;

/// Formats of one media line that are looked at.
const FORMATS_MAX: usize = 64;

/// A session description as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Description {
    pub(super) media: Vec<MediaLine>,
}

/// One media line and what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MediaLine {
    pub(super) media: String,
    pub(super) port: u16,
    pub(super) proto: String,
    /// As written.
    pub(super) formats: String,
    /// The line's own address, else the session's.
    pub(super) address: Option<IpAddr>,
    pub(super) direction: Direction,
    pub(super) ptime_ms: Option<u8>,
    pub(super) maps: Vec<Map>,
}

/// `a=rtpmap:101 telephone-event/8000`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Map {
    pub(super) payload_type: u8,
    pub(super) name: String,
    pub(super) rate: u32,
}

impl MediaLine {
    /// The payload types in the peer's order of preference.
    pub(super) fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.split_ascii_whitespace().take(FORMATS_MAX).filter_map(|format| format.parse().ok()).filter(|number| *number < 128)
    }

    pub(super) fn map(&self, payload_type: u8) -> Option<&Map> {
        self.maps.iter().find(|map| map.payload_type == payload_type)
    }
}

/// Reads a description. Texts that are not UTF-8 are taken as Latin-1: nothing we read is among them.
pub(super) fn parse(bytes: &[u8]) -> Result<Description, OfferError> {
    let text = std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned);
    let session = sdp_types::Session::parse(text.as_bytes()).map_err(|error| OfferError::Syntax { detail: error.to_string() })?;
    if session.medias.len() > MEDIA_MAX {
        return Err(OfferError::Syntax { detail: format!("{} media lines", session.medias.len()) });
    }
    let address = session.connection.as_ref().and_then(address_of);
    let direction = direction_of(&session.attributes).unwrap_or_default();
    let media = session.medias.iter().map(|media| media_line(media, address, direction)).collect();
    Ok(Description { media })
}

fn media_line(media: &sdp_types::Media, address: Option<IpAddr>, direction: Direction) -> MediaLine {
    let own = media.connections.first();
    MediaLine {
        media: media.media.clone(),
        port: media.port,
        proto: media.proto.clone(),
        formats: media.fmt.clone(),
        address: own.map_or(address, address_of),
        direction: direction_of(&media.attributes).unwrap_or(direction),
        ptime_ms: attribute(&media.attributes, "ptime").and_then(|value| value.trim().parse().ok()),
        maps: media.attributes.iter().filter(|attribute| attribute.attribute == "rtpmap").filter_map(map_of).take(FORMATS_MAX).collect(),
    }
}

fn address_of(connection: &sdp_types::Connection) -> Option<IpAddr> {
    connection.connection_address.split('/').next()?.trim().parse().ok()
}

fn direction_of(attributes: &[sdp_types::Attribute]) -> Option<Direction> {
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    attributes.iter().find_map(|attribute| all.into_iter().find(|direction| direction.as_str() == attribute.attribute))
}

fn attribute<'a>(attributes: &'a [sdp_types::Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.attribute == name)?.value.as_deref()
}

fn map_of(attribute: &sdp_types::Attribute) -> Option<Map> {
    let (number, encoding) = attribute.value.as_deref()?.trim().split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let (name, rate) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let channels_are_one = parts.next().is_none_or(|channels| channels == "1");
    let payload_type = number.parse().ok().filter(|number| *number < 128)?;
    channels_are_one.then_some(Map { payload_type, name, rate })
}

/// What we write: one description, its lines as they are to stand.
pub(super) struct Written<'a> {
    pub(super) id: u64,
    pub(super) version: u64,
    pub(super) address: IpAddr,
    pub(super) lines: &'a [WrittenLine],
}

/// A line we write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct WrittenLine {
    pub(super) media: String,
    pub(super) port: u16,
    pub(super) proto: String,
    pub(super) formats: String,
    /// Name and value.
    pub(super) attributes: Vec<(&'static str, Option<String>)>,
}

/// As sent.
pub(super) fn write(written: &Written<'_>) -> Bytes {
    let origin = sdp_types::Origin {
        username: Some("-".to_owned()),
        ..sdp_types::Origin::with_ip_addr(written.id, written.version, written.address)
    };
    let mut session = sdp_types::Session::new(origin, "-");
    session.set_connection(written.address);
    session.add_time(sdp_types::Time::new(0, 0));
    for line in written.lines {
        let attributes =
            line.attributes.iter().map(|(name, value)| sdp_types::Attribute { attribute: (*name).to_owned(), value: value.clone() });
        session.add_media(sdp_types::Media {
            media: line.media.clone(),
            port: line.port,
            num_ports: None,
            proto: line.proto.clone(),
            fmt: line.formats.clone(),
            media_title: None,
            connections: Vec::new(),
            bandwidths: Vec::new(),
            key: None,
            attributes: attributes.collect(),
        });
    }
    let mut bytes = Vec::with_capacity(256);
    // Writing into memory does not fail.
    let _ = session.write(&mut bytes);
    Bytes::from(bytes)
}
