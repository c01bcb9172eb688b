//! What a ladder shows to somebody who has seen many: the usual faults of a trunk's configuration, in words.

use super::ring::{Exchange, Line, Towards};

/// The hints for one exchange; most have none.
pub fn hints(exchange: &Exchange) -> Vec<String> {
    let lines: Vec<&Line> = exchange.lines.iter().collect();
    [no_codec(&lines), not_let_in(&lines), refused(&lines), nobody_there(&lines), no_ack(&lines), private_sound(&lines)]
        .into_iter()
        .flatten()
        .collect()
}

/// The codecs that a message's SDP lists.
pub(super) fn codecs(line: &Line) -> Vec<String> {
    let Some(media) = line.sdp("m=audio ").next() else { return Vec::new() };
    let formats = media.split_whitespace().skip(2);
    let maps: Vec<&str> = line.sdp("a=rtpmap:").collect();
    let named = |format: &str| {
        let found = maps.iter().find_map(|map| map.strip_prefix(format)?.strip_prefix(' '));
        let by_map = found.map(|codec| codec.split('/').next().unwrap_or_default().to_owned());
        by_map.or_else(|| usual(format).map(str::to_owned)).unwrap_or_else(|| format.to_owned())
    };
    formats.map(named).filter(|codec| codec != "telephone-event").collect()
}

/// RFC 3551 §6: the formats that need no rtpmap.
fn usual(format: &str) -> Option<&'static str> {
    Some(match format {
        "0" => "PCMU",
        "3" => "GSM",
        "4" => "G723",
        "8" => "PCMA",
        "9" => "G722",
        "13" => "CN",
        "18" => "G729",
        _ => return None,
    })
}

fn no_codec(lines: &[&Line]) -> Option<String> {
    let refusal = lines.iter().find(|line| matches!(line.status(), Some(488 | 606)))?;
    let offer = lines.iter().find(|line| line.method() == "INVITE" && line.towards != refusal.towards && !codecs(line).is_empty())?;
    let offered = codecs(offer).join(", ");
    Some(match refusal.towards {
        Towards::Them => format!("488: the peer offers only {offered}; allow PCMU or PCMA there"),
        Towards::Us => format!("488: the peer takes none of {offered}; allow one of them there"),
    })
}

fn not_let_in(lines: &[&Line]) -> Option<String> {
    let challenges: Vec<&&Line> =
        lines.iter().filter(|line| line.towards == Towards::Us && matches!(line.status(), Some(401 | 407))).collect();
    let last = challenges.last()?;
    let (header, status) = if last.status() == Some(401) { ("WWW-Authenticate", 401) } else { ("Proxy-Authenticate", 407) };
    let realm = last.header(header).and_then(|value| value.split("realm=\"").nth(1)?.split('"').next()).unwrap_or("?");
    let sent = lines.iter().filter(|line| line.towards == Towards::Them);
    let answered = sent.filter(|line| line.header("Authorization").or_else(|| line.header("Proxy-Authorization")).is_some()).count();
    if answered == 0 {
        return Some(format!(
            "{status}: the peer wants a password for the realm {realm:?}, and no trunk has one: set user, secret_file and realms"
        ));
    }
    let accepted = lines.iter().any(|line| line.towards == Towards::Us && matches!(line.status(), Some(200..=299)));
    (challenges.len() > 1 && !accepted).then(|| {
        format!("{status} again: the peer does not take our password for the realm {realm:?}: check user, auth_user and the secret's file")
    })
}

fn refused(lines: &[&Line]) -> Option<String> {
    let refusal = lines.iter().rev().find(|line| line.towards == Towards::Us && line.status().is_some_and(|status| status >= 400))?;
    let words = match refusal.status()? {
        403 => "the peer forbids it: is our address allowed there, and is the number that we show one of this account's?",
        404 | 484 | 604 => "the peer does not know this number as we write it: see number_format of the trunk",
        420 => "the peer knows none of what we require: see the quirks of its recipe",
        423 => "the peer wants longer registrations: raise expires_s",
        480 | 486 | 600 => "nobody there takes the call now",
        481 => "the peer no longer knows this call: it may have been started again",
        482 | 483 => "the call came back to itself: look for a route that points at its own origin",
        500 | 502 | 503 | 504 => "the peer has trouble of its own, or treats our address as unknown",
        _ => return None,
    };
    Some(format!("{}: {words}", refusal.status()?))
}

fn nobody_there(lines: &[&Line]) -> Option<String> {
    let unanswered = lines.iter().find(|line| {
        let ours = line.towards == Towards::Them && line.status().is_none() && !line.again && line.method() != "ACK";
        let repeats = lines.iter().filter(|other| other.again && other.towards == Towards::Them && other.start() == line.start()).count();
        let heard = lines.iter().any(|other| other.towards == Towards::Us && other.status().is_some() && other.seq() == line.seq());
        ours && repeats >= 2 && !heard
    })?;
    Some(format!("{} does not answer: wrong address or port, or a firewall between", unanswered.remote))
}

/// RFC 3261 §13.3.1.4: our 200 is sent again until its ACK comes.
fn no_ack(lines: &[&Line]) -> Option<String> {
    let repeats = lines
        .iter()
        .filter(|line| line.again && line.towards == Towards::Them && line.status() == Some(200) && line.method() == "INVITE")
        .count();
    let acked = lines.iter().any(|line| line.towards == Towards::Us && line.method() == "ACK");
    let contact =
        lines.iter().find(|line| line.towards == Towards::Them && line.status() == Some(200)).and_then(|line| line.header("Contact"));
    (repeats >= 2 && !acked).then(|| {
        format!(
            "no ACK comes to our 200: the peer cannot reach {}; set advertised to the address that it sees",
            contact.unwrap_or("our Contact")
        )
    })
}

fn private_sound(lines: &[&Line]) -> Option<String> {
    let theirs = lines.iter().find(|line| line.towards == Towards::Us && line.sdp("c=").next().is_some())?;
    let place: std::net::Ipv4Addr = theirs.sdp("c=").next()?.rsplit(' ').next()?.parse().ok()?;
    let remote = match theirs.remote.ip().to_canonical() {
        std::net::IpAddr::V4(remote) => remote,
        std::net::IpAddr::V6(_) => return None,
    };
    (place.is_private() && !remote.is_private() && !remote.is_loopback())
        .then(|| format!("the peer at {remote} wants its sound at {place}, which is behind a NAT: sound goes to where its own comes from"))
}
