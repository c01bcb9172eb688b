//! The torture messages of RFC 4475, and mutations of sound messages.

use bytes::Bytes;
use proptest::prelude::*;

use super::rig::{address, settings};
use crate::base::{Instant, Seed};
use crate::sip::check::check;
use crate::sip::wire::{Framed, frame};
use crate::sip::{Endpoint, Flow, Output};

#[path = "../../../../tests/shared/torture.rs"]
mod table;

use table::Class::{self, Answered, Dropped, Taken};
use table::{TABLE, corpus};

fn class_of(bytes: &[u8]) -> Class {
    let settings = crate::sip::Settings { trusted: vec!["0.0.0.0/0".parse().unwrap()], ..settings() };
    let mut endpoint = Endpoint::new(settings, Seed::new(1));
    endpoint.handle_datagram(Instant::ZERO, Flow::udp("198.51.100.1:5060".parse().unwrap(), address(1)), bytes);
    while let Some(output) = endpoint.poll_output() {
        if let Output::Send { bytes, .. } = output {
            return Answered(String::from_utf8_lossy(&bytes).split(' ').nth(1).unwrap().parse().unwrap());
        }
    }
    if endpoint.counters().stray_responses == 1 { Taken } else { Dropped }
}

#[test]
fn the_torture_messages_of_rfc_4475_are_classed() {
    let Some(folder) = corpus() else {
        println!("skipped: no corpora/rfc4475 beside the project");
        return;
    };
    let mut wrong = Vec::new();
    for torture in &TABLE {
        let bytes = std::fs::read(folder.join(format!("{}.dat", torture.file))).unwrap();
        let class = class_of(&bytes);
        if class != torture.class {
            wrong.push((torture.file, torture.section, class, torture.class));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

const SOUND: [&str; 4] = [
    "INVITE sip:20@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport,\r\n SIP/2.0/TCP h;branch=z9hG4bK2\r\nMax-Forwards: 70\r\nf: \"A \\\"B\\\"\" <sip:10@h>;tag=1\r\nt: <sip:20@192.0.2.1>\r\ni: abc@h\r\nCSeq: 1 INVITE\r\nm: <sip:10@192.0.2.2;ob>;expires=3\r\nRecord-Route: <sip:p;lr>\r\nc: application/sdp\r\nl: 4\r\n\r\nv=0\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:[2001:db8::1]:5060;transport=udp>\r\nContent-Length: 0\r\n\r\n",
    "INFO sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK9\r\nFrom: <tel:+1201>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 7 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 9\r\n\r\nSignal=5\n",
    "CANCEL sip:20@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport\r\nFrom: <sip:10@h>;tag=1\r\nTo: <sip:20@192.0.2.1>\r\nCall-ID: abc@h\r\nCSeq: 1 CANCEL\r\n\r\n",
];

#[test]
fn the_messages_to_mutate_are_sound() {
    for text in SOUND {
        let Ok(Framed::Message { message, broken: None }) = frame(&Bytes::from(text)) else { panic!("{text}") };
        assert!(check(&message).is_ok(), "{text}");
        let Ok(Framed::Message { message: again, broken: None }) = frame(&message.encode()) else { panic!("{text}") };
        assert_eq!(again, message, "what is written reads the same");
    }
}

/// One way to spoil a message.
fn spoil(text: &mut Vec<u8>, kind: u8, at: usize, byte: u8) {
    let place = at % text.len().max(1);
    match kind % 5 {
        _ if text.is_empty() => text.push(byte),
        0 => text[place] = byte,
        1 => text.insert(place, byte),
        2 => drop(text.remove(place)),
        3 => text.truncate(place.max(1)),
        _ => {
            let piece: Vec<u8> = text[place..].iter().take(usize::from(byte)).copied().collect();
            text.extend(piece);
        }
    }
}

proptest! {
    #[test]
    fn no_mutation_of_a_message_can_make_it_panic(which in 0_usize..4, changes in prop::collection::vec((any::<u8>(), any::<usize>(), any::<u8>()), 1..8)) {
        let mut endpoint = Endpoint::new(settings(), Seed::new(1));
        let flow = Flow::udp(address(0), address(1));
        endpoint.handle_datagram(Instant::ZERO, flow, SOUND[0].as_bytes());
        let mut text = SOUND[which].as_bytes().to_vec();
        for (kind, at, byte) in changes {
            spoil(&mut text, kind, at, byte);
            endpoint.handle_datagram(Instant::ZERO, flow, &text);
        }
        while let Some(at) = endpoint.poll_deadline() {
            endpoint.handle_timeout(at);
        }
    }

    #[test]
    fn no_noise_can_make_it_panic(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut endpoint = Endpoint::new(settings(), Seed::new(1));
        endpoint.handle_datagram(Instant::ZERO, Flow::udp(address(0), address(1)), &noise);
        prop_assert_eq!(endpoint.calls(), 0);
    }
}
