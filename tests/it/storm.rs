//! Floods and scanners on loopback, bounded: a call that is up keeps its sound, an honest one is answered, memory stays, scanners learn nothing.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::daemon::{Daemon, root};
use crate::sipp::installed;
use crate::ua::{Message, Ua};
use crate::wait;

const METHODS: [&str; 15] = [
    "OPTIONS",
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "REGISTER",
    "SUBSCRIBE",
    "MESSAGE",
    "PRACK",
    "PUBLISH",
    "WHATEVER",
    "INVITE",
];
const EACH: u32 = 20_000;

/// A configuration of the demo's that trusts nobody but 127.0.0.7 (these tools call from 127.0.0.1 whatever they are told), and has `more` in [sip].
fn distrusting(folder: &std::path::Path, more: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(root().join("config/demo/nightbell.toml")).unwrap();
    let listen = "listen = [\"udp:127.0.0.1:0\"]";
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        lines.push(match line.split(' ').next() {
            Some("listen") if line.contains("udp:") => format!("{listen}\n{more}"),
            Some("trusted") => "trusted = [\"127.0.0.7\"]".to_owned(),
            Some("folder") => format!("folder = \"{}\"", root().join("config/demo/agents").display()),
            _ => line.to_owned(),
        });
    }
    let file = folder.join("nightbell.toml");
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

fn flood(to: SocketAddr, method: &str, number: u32) -> String {
    format!(
        "{method} sip:leasing@{to} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.66;branch=z9hG4bKf{method}{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:flood@127.0.0.66>;tag={number}\r\nTo: <sip:leasing@{to}>\r\nCall-ID: f{method}{number}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:flood@127.0.0.66>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Listens to the call's sound until told to stop; the longest hole in milliseconds, and the packets that came.
fn listen(ua: &Ua, stop: &AtomicBool) -> (u64, u32) {
    let (mut last, mut hole, mut packets) = (wait::now_ms(), 0, 0);
    while !stop.load(Ordering::Relaxed) {
        if ua.packet(Duration::from_millis(20)).is_some() {
            let now = wait::now_ms();
            hole = hole.max(now - last);
            (last, packets) = (now, packets + 1);
        }
    }
    (hole, packets)
}

/// A call that asks again until it is answered, as every telephone does (RFC 3261 §17.1.1.2).
fn patient_call(daemon: &Daemon, from: &str) -> Ua {
    let mut ua = Ua::at(from, daemon.sip);
    let offer = ua.offer("0", "");
    let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    let ok = wait::until(Duration::from_secs(20), "an honest call is answered", || {
        ua.send(&invite);
        let mut answers = std::iter::from_fn(|| ua.next(Duration::from_millis(500)));
        answers.find(|message: &Message| message.status() >= 200)
    });
    assert_eq!(ok.status(), 200, "{}", ok.text);
    ua.take_tag(&ok);
    let ack = ua.request("ACK", "", "");
    ua.send(&ack);
    ua
}

#[test]
fn wall_a_call_outlives_a_flood_of_every_method() {
    let Some(mut daemon) = Daemon::start() else { return };
    let mut up = patient_call(&daemon, "127.0.0.1");
    assert!(up.packet(Duration::from_secs(2)).is_some(), "sound comes");
    let before = daemon.memory_kib();
    let attacker = UdpSocket::bind("127.0.0.66:0").unwrap();
    let stop = AtomicBool::new(false);
    let (hole, packets) = std::thread::scope(|scope| {
        let ear = scope.spawn(|| listen(&up, &stop));
        for method in METHODS {
            for number in 0..EACH {
                attacker.send_to(flood(daemon.sip, method, number).as_bytes(), daemon.sip).unwrap();
                if number % 200 == 0 {
                    wait::within(Duration::from_millis(5), || None::<()>);
                }
            }
            let mut honest = patient_call(&daemon, "127.0.0.1");
            honest.bye_again();
        }
        stop.store(true, Ordering::Relaxed);
        ear.join().unwrap()
    });
    assert!(daemon.is_alive());
    println!("longest hole {hole} ms in {packets} packets; memory {before} -> {} KiB", daemon.memory_kib());
    assert!(packets > 100 && hole < 400, "the call keeps its sound: a hole of {hole} ms in {packets} packets");
    assert!(daemon.memory_kib() < before + 96 * 1_024, "memory: {before} -> {} KiB", daemon.memory_kib());
    up.bye_again();
}

/// A tool of sipvicious from an address that nobody knows; what it printed.
fn scan(program: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).env("HOME", folder.path()).current_dir(folder.path()).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if wait::within(Duration::from_secs(12), || child.try_wait().unwrap()).is_none() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn wall_sipvicious_learns_nothing_and_is_banned() {
    if !installed("svmap", "--version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for more in ["", "strangers = \"refuse\""] {
        let Some(daemon) = Daemon::start_at(distrusting(folder.path(), more), &[]) else { return };
        let port = daemon.sip.port().to_string();
        let map = scan("svmap", &["-b", "127.0.0.2", "-P", "0", "-p", &port, "127.0.0.1", "-m", "OPTIONS"]);
        let war = scan("svwar", &["-p", &port, "127.0.0.1", "-e", "100-120", "-m", "REGISTER", "--maximumtime", "5"]);
        let crack = scan("svcrack", &["-p", &port, "127.0.0.1", "-u", "100", "-r", "1-20"]);
        println!("--- svmap\n{map}\n--- svwar\n{war}\n--- svcrack\n{crack}");
        assert!(!map.contains("Nightbell") && !map.contains(&format!("127.0.0.1:{port}")), "nothing was found: {map}");
        assert!(!war.contains("reqauth") && !war.contains("noauth"), "no extension was found: {war}");
        assert!(!crack.to_lowercase().contains("password for"), "{crack}");
        let shield = daemon.status()["sip"]["shield"].clone();
        assert!(shield["bans_total"].as_u64().is_some_and(|bans| bans >= 2), "{shield:#}");
        let worst = shield["worst"].as_array().cloned().unwrap_or_default();
        for source in ["127.0.0.1", "127.0.0.2"] {
            assert!(worst.iter().any(|seen| seen["source"] == source && seen["banned_s"].is_u64()), "{source}: {shield:#}");
        }
        assert!(daemon.log().contains("kept out"), "{}", daemon.log());
        patient_call(&daemon, "127.0.0.7").bye_again();
    }
}

#[test]
fn wall_the_trace_shows_a_call_as_a_ladder() {
    let Some(daemon) = Daemon::start() else { return };
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("18", "a=rtpmap:18 G729/8000\r\n");
    let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    ua.send(&invite);
    assert_eq!(ua.answer().status(), 488);
    let refused = daemon.say(&["sip", "trace", &ua.call_id]);
    for wanted in
        ["---->  INVITE sip:leasing@", "sound G729", "<----  488", "hint: 488: the peer offers only G729; allow PCMU or PCMA there"]
    {
        assert!(refused.contains(wanted), "{wanted}: {refused}");
    }
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    ua.call(&offer);
    ua.bye();
    let call = daemon.last_call().0["call_id"].as_str().unwrap().to_owned();
    let ladder = daemon.say(&["sip", "trace", &call, "--full"]);
    let places: Vec<_> = ["INVITE sip:", "100 Trying", "200 OK", "ACK sip:", "BYE sip:"].iter().map(|word| ladder.find(word)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{ladder}");
    assert!(ladder.contains(&format!("call {call}")) && ladder.contains("| v=0"), "{ladder}");
}
