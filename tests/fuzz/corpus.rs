//! What the mutator begins with: sound inputs written for the purpose, the torture messages of RFC 4475 where they are, and what was found before.

use std::path::Path;

use crate::torture;

const INVITE: &str = "INVITE sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bK2\r\nMax-Forwards: 70\r\nFrom: \"A \\\"B\\\"\" <sip:10@192.0.2.2>;tag=1\r\nTo: <sip:20@192.0.2.1>\r\nCall-ID: abc@h\r\nCSeq: 1 INVITE\r\nContact: <sip:10@192.0.2.2;ob>;expires=3\r\nRecord-Route: <sip:p;lr>\r\nP-Asserted-Identity: <tel:+13125550188>\r\nDiversion: <sip:30@h>;reason=no-answer\r\nSession-Expires: 1800;refresher=uac\r\nSupported: 100rel, timer, replaces\r\nUser-to-User: 56a390f3d2b7310023;encoding=hex\r\nContent-Type: application/sdp\r\nContent-Length: 137\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
const COMPACT: &str = "INVITE tel:+13125550123 SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK9\r\nf: <tel:+1201>;tag=1\r\nt :\r\n <sip:c@d>\r\ni: y\r\nCSeq: 7\r\n INVITE\r\nm: <sip:a@b>\r\nl: 0\r\n\r\n";
const OK: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: abc@h\r\nCSeq: 1 INVITE\r\nContact: <sip:[2001:db8::1]:5060;transport=udp>\r\nContent-Length: 0\r\n\r\n";
const CHALLENGE: &str = "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm=\"pbx\", nonce=\"84a4\", algorithm=SHA-256, qop=\"auth,auth-int\", stale=FALSE\r\nContent-Length: 0\r\n\r\n";
const BYE: &str = "BYE sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK3\r\nFrom: <sip:10@h>;tag=1\r\nTo: <sip:20@h>;tag=x\r\nCall-ID: abc@h\r\nCSeq: 2 BYE\r\nReason: Q.850;cause=16;text=\"Normal call clearing\"\r\n\r\n";
const CANCEL: &str = "CANCEL sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport\r\nFrom: <sip:10@192.0.2.2>;tag=1\r\nTo: <sip:20@192.0.2.1>\r\nCall-ID: abc@h\r\nCSeq: 1 CANCEL\r\n\r\n";
const REGISTER: &str = "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK4;rport\r\nMax-Forwards: 70\r\nFrom: <sip:10@h>;tag=1\r\nTo: <sip:10@h>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\nContact: <sip:10@192.0.2.2>;+sip.instance=\"<urn:uuid:0>\";reg-id=1;expires=60, *\r\nAuthorization: Digest username=\"10\", realm=\"nightbell\", nonce=\"00\", uri=\"sip:192.0.2.1\", response=\"00\", qop=auth, nc=00000001, cnonce=\"1\"\r\nContent-Length: 0\r\n\r\n";
const REFER: &str = "REFER sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK5\r\nFrom: <sip:10@h>;tag=1\r\nTo: <sip:20@h>\r\nCall-ID: q\r\nCSeq: 3 REFER\r\nRefer-To: <sip:30@h?Replaces=abc%40h%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\nContact: <sip:10@h>\r\n\r\n";
const INFO: &str = "INFO sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK6\r\nFrom: <sip:10@h>;tag=1\r\nTo: <sip:20@h>;tag=x\r\nCall-ID: abc@h\r\nCSeq: 7 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 22\r\n\r\nSignal=5\r\nDuration=160\n";

const MESSAGES: [&str; 9] = [INVITE, COMPACT, OK, CHALLENGE, BYE, CANCEL, REGISTER, REFER, INFO];

const URIS: [&str; 9] = [
    "sip:%75ser:secret@[2001:db8::1]:5070;transport=UDP;lr?Route=%3Csip:x%3E",
    "sips:a@b.example",
    "tel:+1-201-555-0123;phone-context=example.com;ext=5",
    "urn:service:sos.police",
    "sip:192.0.2.1",
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
    "sip:user;par=u%40example.net@example.com",
    "sip:[::ffff:192.0.2.1]",
    "SIP:a@b;maddr=239.255.255.1;ttl=15",
];

const ADDRESSES: [&str; 8] = [
    "\"A. \\\"Bell, <x>\" <sip:bell@example.com;lr>;x=1;tag=88",
    "sip:j.user@example.com;tag=2",
    "Anna <tel:+1201>",
    "SIP  / 2.0 / UDP  192.0.2.2 : 5070 ; branch = z9hG4bKa ;rport;received=192.0.2.9;maddr=h;ttl=1",
    "SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK;alias",
    "314159 INVITE",
    "<sip:a%0d%0aX:%20y@h>;tag=1",
    "*",
];

const DIGESTS: [&str; 4] = [
    "Digest realm=\"a, \\\"b\\\"\", nonce=\"n\", opaque=\"o\", algorithm=SHA-512-256-sess, qop=\"auth,auth-int\", stale=true",
    "Digest username=\"10\", realm=\"nightbell\", nonce=\"00000000-1-2\", uri=\"sip:h\", response=\"0123456789abcdef0123456789abcdef\", qop=auth, nc=00000001, cnonce=\"c\", algorithm=MD5",
    "Basic realm=\"x\", Digest realm=\"y\", nonce=\"z\"",
    "Digest username*=UTF-8''J%C3%A4s%C3%B8n, userhash=true, realm=\"nightbell\", nonce=\"\"",
];

const DESCRIPTIONS: [&str; 4] = [
    "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendonly\r\n",
    "v=0\r\no=u 1 2 IN IP6 2001:db8::1\r\ns= \r\nt=0 0\r\nm=video 0 RTP/AVP 99\r\nm=audio 4000/2 RTP/SAVP 9 0\r\nc=IN IP6 2001:db8::2\r\na=rtpmap:9 G722/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\na=rtcp:4005\r\nm=audio 0 RTP/AVP 0\r\n",
    "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 8\n",
    "v=0\r\no=- 18446744073709551615 18446744073709551615 IN IP4 h\r\ns=-\r\nb=AS:64\r\nt=0 0\r\na=group:BUNDLE a\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:a\r\na=rtpmap:111 opus/48000/2\r\na=inactive\r\n",
];

/// Inputs for one target.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let texts: Vec<Vec<u8>> = match target {
        "uri" => bytes(&URIS),
        "addresses" => [bytes(&ADDRESSES), bytes(&URIS)].concat(),
        "digest" => bytes(&DIGESTS),
        "sdp" => bytes(&DESCRIPTIONS),
        "session" => rows(&DESCRIPTIONS, &[0, 1, 0, 1]),
        "stream" => {
            [prefixed(&MESSAGES), torture_messages().into_iter().map(|message| [&[7; 8][..], &message].concat()).collect()].concat()
        }
        "endpoint" => [calls(), torture_messages().into_iter().map(|message| [&[0][..], &message].concat()).collect()].concat(),
        _ => [bytes(&MESSAGES), torture_messages()].concat(),
    };
    [found(target), texts].concat()
}

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Streams of all messages, cut in different ways.
fn prefixed(texts: &[&str]) -> Vec<Vec<u8>> {
    let all = texts.concat();
    let cut = |sizes: [u8; 8]| [&sizes[..], all.as_bytes(), b"\r\n\r\n", all.as_bytes()].concat();
    vec![cut([1; 8]), cut([255, 1, 2, 3, 5, 8, 13, 21]), cut([0, 0, 100, 0, 9, 4, 2, 1])]
}

/// Texts after one another, each with a byte before it that chooses what it is for.
fn rows(texts: &[&str], choices: &[u8]) -> Vec<Vec<u8>> {
    let row = |shift: usize| {
        let parts =
            choices.iter().enumerate().map(|(place, choice)| [&[*choice][..], texts[(place + shift) % texts.len()].as_bytes()].concat());
        parts.collect::<Vec<_>>().join(&0xfe)
    };
    (0..texts.len()).map(row).collect()
}

/// Rows for the endpoint: messages from the peer (0), orders (12 to 15 and a kind above them), time (11), repetitions (10).
fn calls() -> Vec<Vec<u8>> {
    let sdp = DESCRIPTIONS[0];
    let row = |parts: &[(u8, &str)]| {
        parts.iter().map(|(choice, text)| [&[*choice][..], text.as_bytes()].concat()).collect::<Vec<_>>().join(&0xfe)
    };
    vec![
        row(&[(0, INVITE), (12, ""), (28, sdp), (0, BYE), (11, "")]),
        row(&[(0, INVITE), (0, CANCEL), (28, sdp), (0, INVITE)]),
        row(&[(0, INVITE), (28, sdp), (0, INFO), (124, sdp), (0, OK), (10, ""), (156, "sip:30@h"), (11, "")]),
        row(&[(0, REFER), (204, ""), (188, ""), (0, REGISTER), (0, CHALLENGE), (9, INVITE)]),
        row(&[(0, COMPACT), (78, "busy"), (92, ""), (11, ""), (10, "")]),
    ]
}

fn torture_messages() -> Vec<Vec<u8>> {
    let Some(folder) = torture::corpus() else { return Vec::new() };
    read(&folder)
}

/// Inputs that once broke this target.
fn found(target: &str) -> Vec<Vec<u8>> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(target))
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}
