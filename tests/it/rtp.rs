//! Sound on the wire, and packets of strangers.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::daemon::Daemon;
use crate::ua::{Ua, packet, silence};
use crate::wait;

#[test]
fn wall_packets_come_every_20_ms_without_a_hole() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    ua.call(&offer);
    let (_, first, _) = ua.packet(Duration::from_secs(2)).unwrap();
    let begin = wait::now_ms();
    for number in 1..=100_u16 {
        let (payload_type, sequence, payload) =
            ua.packet(Duration::from_millis(200)).unwrap_or_else(|| panic!("packet {number} is missing"));
        assert_eq!((payload_type, sequence, payload.len()), (0, first.wrapping_add(number), 160));
    }
    let took = wait::now_ms() - begin;
    assert!((1_940..=2_080).contains(&took), "100 packets took {took} ms");
    ua.bye();
}

#[test]
fn wall_a_stranger_neither_gets_the_sound_nor_ends_it() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    let ok = ua.call(&offer);
    let port: u16 = ok.sdp("m=audio ").and_then(|line| line.split(' ').next()?.parse().ok()).unwrap();
    let media = SocketAddr::from(([127, 0, 0, 1], port));
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    for number in 0..100_u16 {
        ua.rtp.send_to(&silence(number, 1), media).unwrap();
        stranger.send_to(&silence(number + 500, 2), media).unwrap();
        stranger.send_to(&[0xff; 40], media).unwrap();
        assert!(ua.packet(Duration::from_millis(300)).is_some(), "our sound goes on at packet {number}");
    }
    assert!(packet(&stranger, Duration::from_millis(100)).is_none(), "a stranger hears nothing");
    ua.bye();
}
