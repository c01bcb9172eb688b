//! What is fuzzed: each function takes any bytes and gives them to a parser that ships. None may panic, hang, or break what it promises.
//!
//! `tests/fuzz/main.rs` drives them on the stable toolchain with a bounded mutator, `fuzz/` with libFuzzer on nightly.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use nightbell::base::{Instant, Pii, Secret, Seed};
use nightbell::sdp::Session;
use nightbell::sip::digest::{Answered, Credentials, Guard, Verdict, Wallet};
use nightbell::sip::message::{Message, Start, name};
use nightbell::sip::stream::Framer;
use nightbell::sip::wire::{Framed, frame};
use nightbell::sip::{Command, Endpoint, Event, Flow, Method, Output, PhoneAccount, Phones, Settings, Strangers, Transport, Uri, values};

/// A target: it gets anything at all.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("wire", wire),
    ("stream", stream),
    ("uri", uri),
    ("addresses", addresses),
    ("digest", digest),
    ("sdp", sdp),
    ("session", session),
    ("endpoint", endpoint),
];

/// RFC 3261 §7: a datagram. What is read without fault reads the same when it is written again.
pub fn wire(data: &[u8]) {
    let Ok(Framed::Message { message, broken }) = frame(&Bytes::copy_from_slice(data)) else { return };
    if broken.is_some() {
        let _ = message.encode();
        return;
    }
    let written = message.encode();
    let Ok(Framed::Message { message: again, broken: None }) = frame(&written) else {
        panic!("what we write, we read: {written:?}");
    };
    assert_eq!(message.headers, again.headers, "the same headers");
    assert_eq!(message.body, again.body, "the same body");
}

/// RFC 3261 §18.3: a stream, cut into pieces of any size. However it is cut, the same pieces come out.
pub fn stream(data: &[u8]) {
    let Some((cuts, bytes)) = data.split_at_checked(8) else { return };
    let pieces = |sizes: &mut dyn Iterator<Item = usize>| {
        let (mut framer, mut rest, mut found) = (Framer::default(), bytes, Vec::new());
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(1).clamp(1, rest.len());
            framer.push(&rest[..size]);
            rest = &rest[size..];
            loop {
                match framer.next_piece() {
                    Ok(Some(piece)) => found.push(format!("{piece:?}")),
                    Ok(None) => break,
                    Err(_) => return found,
                }
            }
        }
        found
    };
    let whole = pieces(&mut std::iter::repeat(bytes.len().max(1)));
    let cut = pieces(&mut cuts.iter().cycle().map(|size| usize::from(*size)));
    assert_eq!(whole, cut, "cuts change nothing");
}

/// RFC 3261 §19.1.
pub fn uri(data: &[u8]) {
    if let Some(uri) = Uri::parse(data) {
        assert!(!uri.scheme.is_empty() && uri.scheme.bytes().all(|byte| !byte.is_ascii_uppercase()), "a scheme in lower case");
    }
}

/// RFC 3261 §20.10, §20.42, §20.16: addresses with names, lists of Vias, CSeq.
pub fn addresses(data: &[u8]) {
    if let Some(address) = values::NameAddr::parse(data) {
        let party = address.party();
        let shown = [party.display, party.user, party.host].concat();
        assert!(!shown.chars().any(char::is_control), "no control characters reach those who read: {shown:?}");
    }
    let _ = values::Via::parse(data).map(|via| via.unique_branch().map(<[u8]>::len));
    let _ = values::cseq(data);
}

fn message_with(header: &str, value: &[u8]) -> Message {
    let plain: Vec<u8> = value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect();
    Message::request(Method::Register, b"sip:h".to_vec()).with(header, plain)
}

/// RFC 7616: a challenge to us, and an answer to ours. Nobody comes in without the secret.
pub fn digest(data: &[u8]) {
    let here = address(2);
    let mut wallet =
        Wallet::new(Credentials { user: "10".to_owned(), secret: Pii::new("secret".to_owned()), realms: vec!["*".to_owned()] });
    for answered in [Answered::No, Answered::Yes] {
        for header in ["WWW-Authenticate", "Proxy-Authenticate"] {
            let _ = wallet.take(here, &message_with(header, data), answered);
            let mut request = message_with("X", b"");
            wallet.sign(here, &mut request, &mut Seed::new(7));
            wire(&request.encode());
        }
        wallet.note(here, &message_with("Authentication-Info", data));
    }
    let mut guard = Guard::new(Secret::new([7; 32]), "nightbell".to_owned());
    let verdict =
        guard.judge(Instant::from_millis(9), here.ip(), &message_with("Authorization", data), |_| Some("a secret of sixteen letters"));
    assert!(!matches!(verdict, Verdict::Passed(_)), "nobody guesses a secret");
}

fn session_of(seed: u64) -> Session {
    Session::new(address(1).ip(), 4_000, Seed::new(seed))
}

/// RFC 8866, RFC 3264: an offer to us. What is answered has as many lines as were offered.
pub fn sdp(data: &[u8]) {
    let mut session = session_of(1);
    if let Ok((answer, _)) = session.answer(data) {
        let lines = |text: &[u8]| text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"m=")).count();
        assert_eq!(lines(&answer), lines(data), "a line for a line: {}", String::from_utf8_lossy(&answer));
        assert!(session_of(2).answer(&answer).is_ok(), "what we write, we read");
    }
}

/// RFC 3264 §8: offers and answers one after the other, within one session.
pub fn session(data: &[u8]) {
    let mut session = session_of(3);
    for part in data.split(|byte| *byte == 0xfe).take(16) {
        match part.split_first() {
            Some((choice, rest)) if choice & 1 == 0 => {
                let _ = session.answer(rest);
            }
            Some((_, rest)) => {
                let offer = session.offer();
                assert!(session_of(4).answer(&offer).is_ok(), "what we write, we read");
                let _ = session.accept_answer(rest);
            }
            None => {}
        }
    }
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5060))
}

/// The whole endpoint: datagrams of a known peer and of strangers, orders of the shell, and time, all from the same bytes.
pub fn endpoint(data: &[u8]) {
    let trusted = vec!["192.0.2.0/24".parse().unwrap_or_else(|_| address(0).ip().into())];
    let phones = Phones {
        networks: vec![address(9).ip().into(), SocketAddr::from(([198, 51, 100, 9], 0)).ip().into()],
        realm: "nightbell".to_owned(),
        digest: nightbell::sip::digest::Offered::Both,
        key: Secret::new([7; 32]),
        accounts: vec![PhoneAccount {
            phone: "desk".to_owned(),
            user: "10".to_owned(),
            secret: Pii::new("secret".to_owned()),
            contacts_max: 2,
        }],
        expires_min_s: 60,
        expires_max_s: 600,
    };
    let settings = Settings { trusted, phones: Some(phones), strangers: Strangers::Refuse, hears_refer: true, ..Settings::default() };
    let mut endpoint = Endpoint::new(settings, Seed::new(1));
    let mut now = Instant::from_millis(1);
    let (mut calls, mut sent) = (Vec::new(), Vec::new());
    for (place, part) in data.split(|byte| *byte == 0xfe).take(64).enumerate() {
        let [choice, rest @ ..] = part else { continue };
        now += Duration::from_millis(u64::from(*choice) * 8);
        let flow = Flow { transport: if choice & 1 == 0 { Transport::Udp } else { Transport::Tcp }, local: address(1), remote: address(2) };
        match choice % 16 {
            0..=8 => endpoint.handle_datagram(now, flow, rest),
            9 => endpoint.handle_datagram(now, Flow { remote: SocketAddr::from(([198, 51, 100, *choice], 5060)), ..flow }, rest),
            // The peer repeats what we sent: a loop, or an answer to ourselves.
            10 => sent.iter().take(4).for_each(|bytes: &Bytes| endpoint.handle_datagram(now, flow, bytes)),
            11 => endpoint.handle_timeout(now),
            _ => {
                let call = calls.get(place % (calls.len() + 1)).copied().unwrap_or_default();
                endpoint.handle_command(now, command(*choice, call, rest));
            }
        }
        while let Some(output) = endpoint.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    must_be_sound(&bytes);
                    sent.push(bytes);
                    sent.truncate(32);
                }
                Output::Event(Event::Incoming(arrival)) => calls.push(arrival.call),
                Output::Event(_) => {}
            }
        }
    }
    for _ in 0..4_000 {
        let Some(at) = endpoint.poll_deadline() else { break };
        endpoint.handle_timeout(at.max(now));
        while endpoint.poll_output().is_some() {}
    }
    endpoint.check_invariants();
}

fn command(choice: u8, call: nightbell::sip::SipCall, rest: &[u8]) -> Command {
    let text = String::from_utf8_lossy(rest).into_owned();
    let bytes = Bytes::copy_from_slice(rest);
    match choice / 16 {
        0 => Command::Ring { call },
        1..=3 => Command::Accept { call, answer: bytes },
        4 => Command::Reject { call, status: 486, reason: Some(text) },
        5 => Command::Hangup { call, reason: None },
        6 => Command::Cancel { call },
        7 | 8 => Command::Offer { call, sdp: bytes },
        9 => Command::Refer { call, target: text },
        10 => Command::RejectOffer { call, status: 488 },
        11 => Command::NotifyRefer { call, status: 200 },
        12 => Command::AcceptRefer { call },
        _ => Command::Answer { call, sdp: Some(bytes) },
    }
}

/// What we send is a message without fault, whatever we were told: nothing of a peer's can add a line to it.
fn must_be_sound(bytes: &Bytes) {
    match frame(bytes) {
        Ok(Framed::KeepAlive) => {}
        Ok(Framed::Message { message, broken }) => {
            // A response repeats what it answers, faults included; a request is ours alone.
            if let Start::Request { .. } = message.start {
                assert_eq!(broken, None, "{bytes:?}");
            }
            let heads = message.all(name::CALL_ID).count();
            assert!(heads <= 1, "one Call-ID: {bytes:?}");
        }
        Err(malformed) => panic!("{malformed}: {bytes:?}"),
    }
}
