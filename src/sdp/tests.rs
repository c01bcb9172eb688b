//! Offers as telephones write them, and what we answer.

use super::*;
use crate::base::Seed;

fn session() -> Session {
    Session::new("192.0.2.1".parse().unwrap(), 40_000, Seed::new(1))
}

fn offer(lines: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n{lines}")
}

fn media_lines(sdp: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(sdp).lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
}

fn origin(sdp: &[u8]) -> String {
    String::from_utf8_lossy(sdp).lines().find(|line| line.starts_with("o=")).unwrap().to_owned()
}

/// RFC 3551 §6: 0 and 8 need no rtpmap.
#[test]
fn static_payload_types_need_no_rtpmap() {
    let (answer, agreed) = session().answer(offer("m=audio 5004 RTP/AVP 18 0 8\r\n").as_bytes()).unwrap();
    assert_eq!(agreed.codec, Codec { payload_type: 0, kind: CodecKind::Pcmu });
    assert_eq!((agreed.telephone_event, agreed.ptime_ms, agreed.direction), (None, 20, Direction::SendRecv));
    assert_eq!(agreed.remote, "198.51.100.7:5004".parse().unwrap());
    assert_eq!(media_lines(&answer), ["m=audio 40000 RTP/AVP 0"]);
    assert!(answer.starts_with(b"v=0\r\no=- ") && answer.windows(2).all(|pair| pair[1] != b'\n' || pair[0] == b'\r'));
}

/// RFC 4733 §2.4.1: telephone-event has the clock rate of the codec beside it, and keeps the number of the offer.
#[test]
fn telephone_event_keeps_the_offers_number_and_the_codecs_rate() {
    let lines = "m=audio 5004 RTP/AVP 111 97 8 96\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n";
    let (answer, agreed) = session().answer(offer(lines).as_bytes()).unwrap();
    assert_eq!((agreed.codec.payload_type, agreed.telephone_event, agreed.ptime_ms), (8, Some(96), 30));
    assert_eq!(media_lines(&answer), ["m=audio 40000 RTP/AVP 8 96"]);
    assert!(String::from_utf8_lossy(&answer).contains("a=fmtp:96 0-15\r\n"));
}

#[test]
fn a_dynamic_number_may_name_a_plain_codec_and_a_static_one_may_be_renamed() {
    let (_, agreed) = session().answer(offer("m=audio 4 RTP/AVP 107\r\na=rtpmap:107 pcma/8000/1\r\n").as_bytes()).unwrap();
    assert_eq!(agreed.codec, Codec { payload_type: 107, kind: CodecKind::Pcma });
    let renamed = session().answer(offer("m=audio 4 RTP/AVP 0\r\na=rtpmap:0 G723/8000\r\n").as_bytes());
    assert!(matches!(renamed, Err(OfferError::NoCommonCodec { .. })));
}

/// RFC 3264 §6.1, §8.4: each direction is answered by its mirror, and an address of zeros means hold.
#[test]
fn hold_is_answered_by_its_mirror() {
    let table = [
        ("a=sendrecv\r\n", Direction::SendRecv),
        ("a=sendonly\r\n", Direction::RecvOnly),
        ("a=recvonly\r\n", Direction::SendOnly),
        ("a=inactive\r\n", Direction::Inactive),
        ("c=IN IP4 0.0.0.0\r\n", Direction::RecvOnly),
        ("c=IN IP4 0.0.0.0\r\na=sendonly\r\n", Direction::RecvOnly),
        ("c=IN IP4 0.0.0.0\r\na=inactive\r\n", Direction::Inactive),
    ];
    for (attribute, ours) in table {
        let (answer, agreed) = session().answer(offer(&format!("m=audio 5004 RTP/AVP 8\r\n{attribute}")).as_bytes()).unwrap();
        assert_eq!(agreed.direction, ours, "{attribute}");
        assert!(String::from_utf8_lossy(&answer).contains(&format!("a={}\r\n", ours.as_str())), "{attribute}");
    }
    let (_, held) = session().answer(offer("a=sendonly\r\nm=audio 5004 RTP/AVP 8\r\n").as_bytes()).unwrap();
    assert_eq!(held.direction, Direction::RecvOnly, "a direction of the session counts for its media");
}

/// RFC 3264 §6: every line has its answer at the same place, a refused one with port 0.
#[test]
fn every_line_keeps_its_place_and_refused_ones_have_port_zero() {
    let lines =
        "m=video 6000 RTP/AVP 31\r\nm=audio 6002 RTP/SAVP 0\r\nm=audio 6004 RTP/AVP 0\r\nm=image 6006 udptl t38\r\na=T38FaxVersion:0\r\n";
    let mut session = session();
    let (answer, agreed) = session.answer(offer(lines).as_bytes()).unwrap();
    let expected = ["m=video 0 RTP/AVP 31", "m=audio 0 RTP/SAVP 0", "m=audio 40000 RTP/AVP 0", "m=image 0 udptl t38"];
    assert_eq!(media_lines(&answer), expected);
    assert_eq!(agreed.remote.port(), 6004);
    assert_eq!(media_lines(&session.offer()).len(), 4, "a later offer of ours keeps the places");
}

/// RFC 3264 §6: the answer repeats the transport of the offer.
#[test]
fn the_answer_repeats_the_transport() {
    let (answer, _) = session().answer(offer("m=audio 5004 RTP/AVPF 8\r\n").as_bytes()).unwrap();
    assert_eq!(media_lines(&answer), ["m=audio 40000 RTP/AVPF 8"]);
}

/// RFC 3264 §8: the version in o= grows by one when the description changes, and only then.
#[test]
fn the_version_grows_only_with_a_change() {
    let mut session = session();
    let plain = offer("m=audio 5004 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    let first = origin(&session.answer(plain.as_bytes()).unwrap().0);
    assert_eq!(origin(&session.answer(plain.as_bytes()).unwrap().0), first);
    let held = origin(&session.answer(plain.replace("a=rtpmap", "a=sendonly\r\na=rtpmap").as_bytes()).unwrap().0);
    assert_ne!(held, first);
    let version = |line: &str| line.split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    assert_eq!(version(&held), version(&first) + 1);
}

#[test]
fn our_offer_and_its_answer_agree() {
    let mut ours = session();
    let mut theirs = Session::new("192.0.2.2".parse().unwrap(), 50_000, Seed::new(2));
    let (answer, there) = theirs.answer(&ours.offer()).unwrap();
    let here = ours.accept_answer(&answer).unwrap();
    assert_eq!((here.codec, here.telephone_event), (there.codec, there.telephone_event));
    assert_eq!(here.telephone_event, Some(101));
    assert_eq!((here.remote.port(), there.remote.port()), (50_000, 40_000));
    ours.set_direction(Direction::SendOnly);
    let (answer, there) = theirs.answer(&ours.offer()).unwrap();
    assert_eq!((ours.accept_answer(&answer).unwrap().direction, there.direction), (Direction::SendOnly, Direction::RecvOnly));
}

#[test]
fn what_cannot_be_taken_says_why() {
    let mut session = session();
    let mut status = |text: String| session.answer(text.as_bytes()).map(|_| ()).map_err(|error| error.status());
    assert_eq!(status("hello".to_owned()), Err(400));
    assert_eq!(status(offer("m=audio 5004 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n")), Err(488));
    assert_eq!(status(offer("m=audio 5004 RTP/SAVP 0\r\n")), Err(488));
    assert_eq!(status(offer("m=audio 0 RTP/AVP 0\r\n")), Err(488));
    assert_eq!(status(offer("m=audio 4 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n")), Err(488));
    assert_eq!(status("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n".to_owned()), Err(488));
}

#[test]
fn ipv6_is_spoken_where_we_have_it() {
    let mut session = Session::new("2001:db8::9".parse().unwrap(), 4_000, Seed::new(1));
    let sdp = "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n";
    let (answer, agreed) = session.answer(sdp.as_bytes()).unwrap();
    assert_eq!(agreed.remote, "[2001:db8::1]:5004".parse().unwrap());
    assert!(String::from_utf8_lossy(&answer).contains("c=IN IP6 2001:db8::9\r\n"));
}

proptest::proptest! {
    #[test]
    fn no_offer_can_make_it_panic(noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), at in 0_usize..200, byte: u8) {
        let _ = session().answer(&noise);
        let mut text = offer("m=audio 5004/2 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n").into_bytes();
        let place = at % text.len();
        text[place] = byte;
        let _ = session().answer(&text);
        let _ = session().accept_answer(&text);
    }
}
