//! What a datagram shows before it is parsed: its kind, and whether its sender names itself as a scanner.

/// How much of a datagram is looked at for the name of a scanner.
const LOOKED_AT: usize = 2_048;

/// What the first word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A request that may open something: INVITE, REGISTER, OPTIONS, or a method that nobody knows.
    Opening,
    /// What belongs to something open: ACK, BYE, CANCEL and the like, and every response.
    Running,
    /// No message: a keep-alive, or noise.
    Other,
}

/// Names that the tools of scanners give themselves, in lower case.
const SCANNERS: [&[u8]; 14] = [
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sundayddr",
    b"sipcli",
    b"sip-scan",
    b"sipscan",
    b"sipsak",
    b"siparmyknife",
    b"vaxsipuseragent",
    b"pplsip",
    b"eyebeam release 3007n",
    b"smap ",
    b"sivus",
];

/// The first word of a datagram, where it looks like a method or a version.
pub(super) fn kind(datagram: &[u8]) -> Kind {
    let text = datagram.trim_ascii_start();
    let end = text.iter().take(32).position(|byte| *byte == b' ');
    let Some(word) = end.and_then(|end| text.get(..end)).filter(|word| !word.is_empty()) else { return Kind::Other };
    match word {
        b"ACK" | b"BYE" | b"CANCEL" | b"INFO" | b"UPDATE" | b"PRACK" | b"NOTIFY" | b"REFER" => Kind::Running,
        _ if word.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) => Kind::Running,
        _ => Kind::Opening,
    }
}

/// Whether a User-Agent, From, To or Contact of this datagram names a scanner, however it is spelt.
pub(super) fn names_a_scanner(datagram: &[u8]) -> bool {
    let head = datagram.get(..LOOKED_AT).unwrap_or(datagram).to_ascii_lowercase();
    let mut lines = head.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    lines.any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
        let tells = matches!(name, b"user-agent" | b"from" | b"f" | b"to" | b"t" | b"contact" | b"m");
        tells && SCANNERS.iter().any(|scanner| line.windows(scanner.len()).any(|part| part == *scanner))
    })
}
