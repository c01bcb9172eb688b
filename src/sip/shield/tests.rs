//! The shield in virtual time.

use std::time::Duration;

use super::*;
use crate::base::{Instant, limits};
use crate::sip::{Flow, Strangers, Transport};

const OPTIONS: &[u8] = b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9:5060\r\n\r\n";
const SCANNER: &[u8] = b"REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nuSER-aGENT : Friendly-Scanner\r\n\r\n";
const BYE: &[u8] = b"BYE sip:100@192.0.2.1 SIP/2.0\r\n\r\n";

fn flow(remote: &str) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), remote.parse().unwrap())
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(1_000 * seconds)
}

#[test]
fn a_stranger_gets_silence_and_is_counted() {
    let mut shield = Shield::new(Strangers::Silence);
    for _ in 0..3 {
        assert_eq!(shield.handle_datagram(at(1), flow("198.51.100.9:5060"), Standing::Stranger, OPTIONS), Verdict::Silence);
    }
    let report = shield.report(at(2), 5);
    assert_eq!((report.silenced, report.bans, report.worst.len()), (3, 0, 1));
    assert_eq!((report.worst[0].source.as_str(), report.worst[0].dropped, report.worst[0].ago_s), ("198.51.100.9", 3, 1));
    let notice = shield.poll_notice().unwrap();
    assert_eq!((notice.why, notice.banned_s), ("asks, and is not known", None));
    assert_eq!(shield.poll_notice(), None, "one line a minute");
}

#[test]
fn a_scanner_is_known_by_its_name_however_it_is_spelt_and_banned_at_once() {
    let mut shield = Shield::new(Strangers::Refuse);
    assert_eq!(shield.handle_datagram(at(1), flow("198.51.100.9:5060"), Standing::Stranger, SCANNER), Verdict::Silence);
    assert_eq!(shield.poll_notice().unwrap().banned_s, Some(60));
    assert_eq!(
        shield.handle_datagram(at(2), flow("198.51.100.9:7070"), Standing::Stranger, OPTIONS),
        Verdict::Silence,
        "banned on every port"
    );
    assert_eq!(
        shield.handle_datagram(at(70), flow("198.51.100.9:7070"), Standing::Stranger, OPTIONS),
        Verdict::Refuse,
        "and no longer than said"
    );
}

#[test]
fn a_stranger_that_keeps_asking_is_banned_for_longer_every_time() {
    let mut shield = Shield::new(Strangers::Refuse);
    let mut now = at(0);
    let mut lengths = Vec::new();
    for _ in 0..8 {
        for _ in 0..limits::SHIELD_STRIKES_MAX {
            shield.handle_datagram(now, flow("198.51.100.9:5060"), Standing::Stranger, OPTIONS);
        }
        let banned = shield.report(now, 1).worst[0].banned_s.unwrap();
        lengths.push(banned);
        now += Duration::from_secs(banned);
    }
    assert_eq!(lengths, [60, 240, 960, 3_840, 15_360, 61_440, 86_400, 86_400]);
}

#[test]
fn the_refusal_of_strangers_is_slow() {
    let mut shield = Shield::new(Strangers::Refuse);
    let verdicts: Vec<Verdict> =
        (0..6).map(|_| shield.handle_datagram(at(1), flow("198.51.100.9:5060"), Standing::Stranger, OPTIONS)).collect();
    assert_eq!(verdicts[..4], [Verdict::Refuse; 4]);
    assert_eq!(verdicts[4..], [Verdict::Silence; 2]);
    let all = (0..200).filter(|last| {
        let from = flow(&format!("198.51.100.{last}:5060"));
        shield.handle_datagram(at(2), from, Standing::Stranger, OPTIONS) == Verdict::Refuse
    });
    assert!(all.count() <= limits::SHIELD_REFUSALS_A_SECOND_MAX as usize, "forged senders do not make a mirror of us");
}

#[test]
fn no_datagram_can_ban_a_known_peer() {
    let mut shield = Shield::new(Strangers::Silence);
    let trunk = flow("203.0.113.7:5060");
    for _ in 0..100 {
        shield.handle_datagram(at(1), trunk, Standing::Known, SCANNER);
        shield.handle_offence(at(1), trunk, Standing::Known, Offence::WrongPassword);
    }
    assert_eq!(shield.report(at(1), 5).bans, 0);
    assert_eq!(shield.handle_datagram(at(2), trunk, Standing::Known, OPTIONS), Verdict::Pass);
    // Even where the address was banned before it became known.
    shield.handle_datagram(at(3), trunk, Standing::Stranger, SCANNER);
    assert_eq!(shield.report(at(3), 5).bans, 1);
    assert_eq!(shield.handle_datagram(at(4), trunk, Standing::Known, OPTIONS), Verdict::Pass);
}

#[test]
fn a_flood_of_new_requests_does_not_silence_what_runs() {
    let mut shield = Shield::new(Strangers::Silence);
    let trunk = flow("203.0.113.7:5060");
    let passed = (0..10_000).filter(|_| shield.handle_datagram(at(1), trunk, Standing::Known, OPTIONS) == Verdict::Pass).count();
    assert_eq!(passed, 2 * limits::SHIELD_KNOWN_A_SECOND_MAX as usize);
    assert_eq!(shield.handle_datagram(at(1), trunk, Standing::Known, BYE), Verdict::Pass);
    assert_eq!(
        shield.handle_datagram(at(1), flow("203.0.113.8:5060"), Standing::Known, OPTIONS),
        Verdict::Pass,
        "the others are not touched"
    );
    assert_eq!(shield.handle_datagram(at(2), trunk, Standing::Known, OPTIONS), Verdict::Pass, "and a second later it is heard again");
}

#[test]
fn a_phone_is_banned_for_wrong_passwords_but_never_by_what_anybody_could_forge() {
    let mut shield = Shield::new(Strangers::Silence);
    let phone = flow("10.0.0.5:5060");
    for _ in 0..50 {
        assert_eq!(shield.handle_datagram(at(1), phone, Standing::Phone, SCANNER), Verdict::Silence, "a scanner's datagram is not read");
    }
    assert_eq!(shield.handle_datagram(at(1), phone, Standing::Phone, OPTIONS), Verdict::Pass, "but may not be the phone's");
    for _ in 0..5 {
        shield.handle_offence(at(2), phone, Standing::Phone, Offence::WrongPassword);
    }
    assert_eq!(shield.handle_datagram(at(3), phone, Standing::Phone, OPTIONS), Verdict::Silence);
    assert_eq!(shield.handle_datagram(at(63), phone, Standing::Phone, OPTIONS), Verdict::Pass);
}

#[test]
fn over_a_connection_the_address_is_proven() {
    let mut shield = Shield::new(Strangers::Silence);
    let phone = Flow { transport: Transport::Tcp, ..flow("10.0.0.5:5060") };
    assert_eq!(shield.handle_datagram(at(1), phone, Standing::Phone, SCANNER), Verdict::Silence);
    assert_eq!(shield.handle_datagram(at(2), phone, Standing::Phone, OPTIONS), Verdict::Silence, "banned at once");
    let other = Flow { transport: Transport::Tcp, ..flow("10.0.0.6:5060") };
    for _ in 0..5 {
        assert_eq!(shield.handle_datagram(at(1), other, Standing::Phone, OPTIONS), Verdict::Pass);
        shield.handle_offence(at(1), other, Standing::Phone, Offence::NotSip);
    }
    assert_eq!(shield.handle_datagram(at(2), other, Standing::Phone, OPTIONS), Verdict::Silence, "noise over a connection counts");
}

#[test]
fn a_living_registration_is_never_silenced() {
    let mut shield = Shield::new(Strangers::Silence);
    let phone = flow("10.0.0.5:5060");
    shield.vouch(phone.remote, at(100));
    for _ in 0..20 {
        shield.handle_offence(at(1), phone, Standing::Phone, Offence::WrongPassword);
        // A neighbour behind the same address is not the phone.
        shield.handle_offence(at(1), flow("10.0.0.5:6060"), Standing::Phone, Offence::WrongPassword);
    }
    assert_eq!(shield.handle_datagram(at(2), phone, Standing::Phone, OPTIONS), Verdict::Pass);
    assert_eq!(shield.handle_datagram(at(2), flow("10.0.0.5:6060"), Standing::Phone, OPTIONS), Verdict::Silence);
    shield.stop_vouching(phone.remote);
    assert_eq!(shield.handle_datagram(at(3), phone, Standing::Phone, OPTIONS), Verdict::Silence);
}

#[test]
fn one_customer_of_ipv6_is_one_source() {
    let mut shield = Shield::new(Strangers::Silence);
    for last in 0..limits::SHIELD_STRIKES_MAX {
        shield.handle_datagram(at(1), flow(&format!("[2001:db8:1:2:{last:x}::1]:5060")), Standing::Stranger, OPTIONS);
    }
    let report = shield.report(at(1), 5);
    assert_eq!((report.sources, report.bans, report.worst[0].source.as_str()), (1, 1, "2001:db8:1:2::/64"));
}

#[test]
fn every_table_keeps_its_bound_and_a_proven_ban_outlives_invented_ones() {
    let mut shield = Shield::new(Strangers::Silence);
    for _ in 0..5 {
        shield.handle_offence(at(1), flow("10.0.0.5:5060"), Standing::Phone, Offence::WrongPassword);
    }
    for number in 0..20_000_u32 {
        let from = flow(&format!("{}:5060", std::net::Ipv4Addr::from(0xc612_0000 + number)));
        shield.handle_datagram(at(2), from, Standing::Stranger, SCANNER);
        shield.handle_datagram(at(2), from, Standing::Known, OPTIONS);
        shield.vouch(from.remote, at(1_000));
    }
    let report = shield.report(at(3), 3);
    assert_eq!((report.bans, report.worst.len()), (limits::SHIELD_BANS_MAX, 3));
    assert_eq!(report.sources, limits::SHIELD_KNOWN_MAX + limits::SHIELD_STRANGERS_MAX + 1);
    assert_eq!(shield.handle_datagram(at(4), flow("10.0.0.5:5060"), Standing::Phone, OPTIONS), Verdict::Silence);
}
