//! Messages in, a ladder out.

use super::*;
use crate::base::limits;

const INVITE: &str = "INVITE sip:leasing@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\nFrom: <sip:10@h>;tag=1\r\nTo: <sip:l@h>\r\ni: abc@h\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 4000 RTP/AVP 18 101\r\na=rtpmap:101 telephone-event/8000\r\n";

fn response(status: &str) -> String {
    format!(
        "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\nCall-ID: abc@h\r\nCSeq: 1 INVITE\r\nContact: <sip:n@192.0.2.1>\r\n\r\n"
    )
}

fn pass(trace: &Trace, millis: u64, towards: Towards, text: &str) {
    trace.pass(&Passing {
        at_ms: 1_700_000_000_000 + i64::try_from(millis).unwrap(),
        at_us: 1_000 * millis,
        towards,
        transport: "UDP",
        local: "192.0.2.1:5060".parse().unwrap(),
        remote: "192.0.2.2:5060".parse().unwrap(),
        bytes: text.as_bytes(),
    });
}

fn newest(trace: &Trace) -> Exchange {
    trace.find(&Asked { last: 1, ..Asked::default() }).pop().unwrap()
}

#[test]
fn a_call_is_a_ladder_with_times_directions_and_repetitions() {
    let trace = Trace::default();
    pass(&trace, 0, Towards::Us, INVITE);
    pass(&trace, 3, Towards::Them, &response("100 Trying"));
    pass(&trace, 500, Towards::Us, INVITE);
    pass(&trace, 1_520, Towards::Them, &response("488 Not Acceptable Here"));
    trace.name("abc@h", "018f-1");
    let shown = ladder(&newest(&trace), Detail::Lines).join("\n");
    let expected = "call 018f-1  Call-ID abc@h
            them 192.0.2.2:5060 (UDP)    us 192.0.2.1:5060
     0.000 s  ---->  INVITE sip:leasing@192.0.2.1  [1]
                     sound G729 at 192.0.2.2:4000
     0.003 s  <----  100 Trying  [1 INVITE]
     0.500 s  ---->  INVITE sip:leasing@192.0.2.1  [1]  (again)
     1.520 s  <----  488 Not Acceptable Here  [1 INVITE]
  hint: 488: the peer offers only G729; allow PCMU or PCMA there";
    assert_eq!(shown, expected);
    let full = ladder(&newest(&trace), Detail::Full).join("\n");
    assert!(full.contains("| Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1") && full.contains("| m=audio 4000"), "{full}");
}

#[test]
fn passwords_and_keys_are_masked_before_they_are_kept() {
    let trace = Trace::default();
    let text = INVITE.replace(
        "CSeq",
        "AUTHORIZATION : Digest username=\"10\", realm=\"pbx\",\r\n nonce=\"n0nce\", response=\"deadbeef\", cnonce=\"c0\"\r\nProxy-Authorization: Basic c2VjcmV0\r\nCSeq",
    ) + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:a2V5a2V5\r\n";
    pass(&trace, 0, Towards::Us, &text);
    let kept = &newest(&trace).lines[0].text;
    for secret in ["deadbeef", "n0nce", "c0\"", "c2VjcmV0", "a2V5"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    assert!(kept.contains("username=\"10\"") && kept.contains("realm=\"pbx\"") && kept.contains("m=audio 4000"), "{kept}");
}

#[test]
fn hints_name_the_usual_faults() {
    let hinted = |passing: &[(Towards, String)]| {
        let trace = Trace::default();
        for (place, (towards, text)) in passing.iter().enumerate() {
            pass(&trace, place as u64, *towards, text);
        }
        hints(&newest(&trace)).join("\n")
    };
    let (us, them) = (Towards::Us, Towards::Them);
    let invite = INVITE.to_owned();
    let ok = response("200 OK");
    assert!(hinted(&[(us, invite.clone()), (them, ok.clone()), (them, ok.clone()), (them, ok.clone())]).contains("set advertised"));
    assert_eq!(hinted(&[(us, invite.clone()), (them, ok.clone())]), "");
    assert!(hinted(&[(them, invite.clone()), (them, invite.clone()), (them, invite.clone())]).contains("192.0.2.2:5060 does not answer"));
    let challenge = response("401 Unauthorized").replace("CSeq", "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"1\"\r\nCSeq");
    assert!(hinted(&[(them, invite.clone()), (us, challenge.clone())]).contains("wants a password for the realm \"pbx\""));
    let with = invite.replace("CSeq: 1", "Authorization: Digest username=\"10\"\r\nCSeq: 2");
    let again = challenge.replace("CSeq: 1", "CSeq: 2");
    assert!(hinted(&[(them, invite.clone()), (us, challenge), (them, with), (us, again)]).contains("does not take our password"));
    assert!(hinted(&[(them, invite.clone()), (us, response("404 Not Found"))]).contains("number_format"));
    assert!(hinted(&[(us, invite.replace("c=IN IP4 192.0.2.2", "c=IN IP4 192.168.1.9")), (them, ok)]).contains("behind a NAT"));
}

#[test]
fn a_flood_hides_no_call_and_the_ring_keeps_its_bounds() {
    let trace = Trace::default();
    pass(&trace, 0, Towards::Us, INVITE);
    for number in 0..5_000_u64 {
        let options = INVITE.replace("INVITE", "OPTIONS").replace("abc@h", &format!("o{number}")) + &"x".repeat(4_000);
        pass(&trace, number, Towards::Us, &options);
    }
    for number in 0..1_000_u64 {
        pass(&trace, number, Towards::Us, &INVITE.replace("1 INVITE", &format!("{number} INVITE")));
    }
    let (exchanges, bytes) = trace.size();
    assert!(exchanges <= limits::TRACE_CALLS_MAX && bytes <= limits::TRACE_BYTES_MAX, "{exchanges} {bytes}");
    let call = newest(&trace);
    assert_eq!((call.call_id.as_str(), call.lines.len()), ("abc@h", limits::TRACE_MESSAGES_A_CALL_MAX));
    assert!(call.left_out > 0 && call.lines[0].seq() == "1");
    assert!(
        trace.find(&Asked { call: Some("o4999".to_owned()), ..Asked::default() }).len() == 1,
        "what is no call is found by its Call-ID"
    );
    assert_eq!(trace.find(&Asked { last: 3, all: true, ..Asked::default() }).len(), 3);
}

#[test]
fn a_capture_file_holds_every_message() {
    let trace = Trace::default();
    pass(&trace, 0, Towards::Us, INVITE);
    pass(&trace, 3, Towards::Them, &response("100 Trying"));
    let file = pcap(&[newest(&trace)]);
    assert_eq!((file[..4].to_vec(), file[20]), (vec![0xd4, 0xc3, 0xb2, 0xa1], 101));
    let first = u32::from_le_bytes(file[32..36].try_into().unwrap()) as usize;
    assert_eq!(first, INVITE.len() + 28);
    assert_eq!((&file[40..42], &file[52..60]), (&[0x45, 0][..], &[192, 0, 2, 2, 192, 0, 2, 1][..]), "from them to us");
    assert_eq!(file.len(), 24 + 2 * 16 + first + response("100 Trying").len() + 28);
}
