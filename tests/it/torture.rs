//! The torture messages of RFC 4475, live: each gets the answer that the table names, at the place that RFC 3261 §18.2.2 and RFC 3581 §4 name, and after
//! each a call goes as if nothing had been.

#[path = "../shared/torture.rs"]
mod table;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use table::{Class, TABLE, corpus};

use crate::daemon::Daemon;
use crate::ua::{Message, Ua};
use crate::wait;

/// Where these messages come from: an address of its own on this machine, so that port 5060 is free there.
const HOME: [u8; 4] = [127, 0, 0, 9];

/// How long silence is waited for.
const SILENCE: Duration = Duration::from_millis(120);

/// The sender and the ports that the messages' Vias name.
struct Peer {
    /// Answers so far: a refusal of an INVITE is sent again until its ACK comes, and none comes here.
    seen: RefCell<HashSet<String>>,
    sender: UdpSocket,
    by_the_book: UdpSocket,
    odd_port: UdpSocket,
}

/// Where an answer arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Sender,
    Port5060,
    Port5050,
}

fn bind(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::from((HOME, port))).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

impl Peer {
    fn new() -> Self {
        Self { seen: RefCell::default(), sender: bind(0), by_the_book: bind(5060), odd_port: bind(5050) }
    }

    fn next(&self, limit: Duration) -> Option<(Place, Message)> {
        let mut buffer = vec![0; 65_536];
        wait::within(limit, || {
            let sockets = [(Place::Sender, &self.sender), (Place::Port5060, &self.by_the_book), (Place::Port5050, &self.odd_port)];
            sockets.iter().find_map(|(place, socket)| {
                let (length, _) = socket.recv_from(&mut buffer).ok()?;
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let message = Message { text };
                let is_new = self.seen.borrow_mut().insert(message.text.clone());
                let is_repeated = message.header("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"));
                (is_new || !is_repeated).then_some((*place, message))
            })
        })
    }

    /// Forgets whatever comes late.
    fn clear(&self) {
        while self.next(Duration::ZERO).is_some() {}
    }
}

/// RFC 3261 §18.2.2: to the sender's address at the port of its Via, 5060 where it names none; RFC 3581 §4: to the very port where it asks for that.
fn place_of(file: &str) -> Place {
    match file {
        // rport; a Via that nobody can read, or that is of another version.
        "mpart01" | "badinv01" | "badvers" => Place::Sender,
        // Via: SIP/2.0/UDP 192.0.2.59:5050
        "quotbal" => Place::Port5050,
        _ => Place::Port5060,
    }
}

/// The message with its sound at this machine instead of a documentation network, so that no test sends into the world.
fn kept_home(bytes: &[u8]) -> Vec<u8> {
    let (from, to) = (&b"c=IN IP4 192.0.2."[..], &b"c=IN IP4 127.0.0."[..]);
    let mut out = bytes.to_vec();
    for at in 0..out.len().saturating_sub(from.len()) {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
        }
    }
    out
}

/// A request within the call that `ok` has answered.
fn within_call(ok: &Message, method: &str) -> String {
    let header = |name: &str| ok.header(name).unwrap_or_else(|| panic!("no {name}: {}", ok.text)).to_owned();
    let cseq = header("CSeq");
    let number: u32 = cseq.split(' ').next().unwrap().parse().unwrap();
    let number = if method == "ACK" { number } else { number + 1 };
    let target = header("Contact").trim_start_matches('<').split('>').next().unwrap().to_owned();
    format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bK-{method}-{number}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
         CSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n",
        header("From"),
        header("To"),
        header("Call-ID")
    )
}

/// Ends what a sound INVITE has begun.
fn end_call(peer: &Peer, to: SocketAddr) -> Result<(), String> {
    let ended = wait::within(Duration::from_secs(5), || {
        peer.next(Duration::ZERO).map(|(_, message)| message).filter(|message| message.status() >= 200)
    });
    let Some(last) = ended else { return Err("no final answer".to_owned()) };
    let send = |text: String| peer.sender.send_to(text.as_bytes(), to).unwrap();
    send(within_call(&last, "ACK"));
    if last.status() < 300 {
        send(within_call(&last, "BYE"));
        let of_bye = |message: &Message| message.header("CSeq").is_some_and(|cseq| cseq.ends_with("BYE"));
        let done = wait::within(Duration::from_secs(5), || peer.next(Duration::ZERO).filter(|(_, message)| of_bye(message)));
        return done.map(|_| ()).ok_or_else(|| "the BYE is not answered".to_owned());
    }
    Ok(())
}

fn honest_call(daemon: &Daemon) {
    let mut ua = Ua::new(daemon.sip);
    let offer = ua.offer("0", "");
    ua.call(&offer);
    assert!(ua.packet(Duration::from_secs(2)).is_some(), "sound comes");
    ua.bye();
}

#[test]
fn wall_every_torture_message_is_answered_as_its_rfc_says_and_a_call_follows() {
    let Some(folder) = corpus() else {
        println!("skipped: no corpora/rfc4475 beside the project");
        return;
    };
    let Some(mut daemon) = Daemon::start() else { return };
    let (peer, mut wrong) = (Peer::new(), Vec::new());
    for torture in &TABLE {
        peer.clear();
        let bytes = kept_home(&std::fs::read(folder.join(format!("{}.dat", torture.file))).unwrap());
        peer.sender.send_to(&bytes, daemon.sip).unwrap();
        let silent = matches!(torture.class, Class::Taken | Class::Dropped);
        let answer = peer.next(if silent { SILENCE } else { Duration::from_secs(2) });
        let seen = answer.as_ref().map(|(place, message)| (*place, message.status()));
        let wanted = match torture.class {
            Class::Answered(status) => Some((place_of(torture.file), status)),
            Class::Taken | Class::Dropped => None,
        };
        if seen != wanted {
            wrong.push(format!("{} (RFC 4475 §{}): {seen:?}, wanted {wanted:?}", torture.file, torture.section));
        }
        if let Some((_, message)) = answer.filter(|_| !matches!(torture.file, "badinv01" | "badvers"))
            && !message.header("Via").is_some_and(|via| via.contains("received=127.0.0.9"))
        {
            wrong.push(format!("{}: the Via does not say where it came from: {}", torture.file, message.text));
        }
        if torture.class == Class::Answered(100)
            && let Err(why) = end_call(&peer, daemon.sip)
        {
            wrong.push(format!("{}: {why}", torture.file));
        }
        assert!(daemon.is_alive(), "{}", torture.file);
        honest_call(&daemon);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a stream does otherwise than a datagram (RFC 3261 §18.3): it waits for what a length promises, and goes on after it.
fn over_tcp(file: &str, class: Class) -> Vec<u16> {
    match (file, class) {
        // Content-Length promises more than there is, or the head never ends: the rest is waited for.
        ("clerr" | "baddn" | "test", _) => vec![],
        // No Content-Length, which a stream cannot do without.
        ("inv2543", _) => vec![400],
        // Two sound requests, one after the other: REGISTER and INVITE.
        ("dblreq", Class::Answered(first)) => vec![first, 100],
        (_, Class::Answered(status)) => vec![status],
        (_, Class::Taken | Class::Dropped) => vec![],
    }
}

#[test]
fn wall_every_torture_message_is_answered_over_tcp_on_its_own_connection() {
    let Some(folder) = corpus() else {
        println!("skipped: no corpora/rfc4475 beside the project");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let Some(mut daemon) = crate::transports::daemon(&home, &["udp:127.0.0.1:0", "tcp:127.0.0.1:0"], "") else { return };
    let tcp = daemon.listens("tcp", "127.");
    let mut wrong = Vec::new();
    for torture in &TABLE {
        let bytes = kept_home(&std::fs::read(folder.join(format!("{}.dat", torture.file))).unwrap());
        let mut stream = TcpStream::connect(tcp).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        stream.write_all(&bytes).unwrap();
        let wanted = over_tcp(torture.file, torture.class);
        let (mut text, mut buffer) = (Vec::new(), [0; 8_192]);
        let statuses = |text: &[u8]| -> Vec<u16> {
            let text = String::from_utf8_lossy(text).into_owned();
            text.split("SIP/2.0 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
        };
        let limit = if wanted.is_empty() { SILENCE } else { Duration::from_secs(2) };
        wait::within(limit, || {
            if let Ok(length) = stream.read(&mut buffer) {
                text.extend_from_slice(&buffer[..length]);
            }
            (!wanted.is_empty() && wanted.iter().all(|status| statuses(&text).contains(status))).then_some(())
        });
        let seen = statuses(&text);
        if !seen.starts_with(&wanted[..wanted.len().min(1)])
            || (wanted.is_empty() && !seen.is_empty())
            || !wanted.iter().all(|status| seen.contains(status))
        {
            wrong.push(format!("{} (RFC 4475 §{}): {seen:?}, wanted {wanted:?}", torture.file, torture.section));
        }
        assert!(daemon.is_alive(), "{}", torture.file);
        let mut again = TcpStream::connect(tcp).unwrap();
        again.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut ua = Ua::new(daemon.sip);
        again.write_all(ua.request("OPTIONS", "", "").replace("SIP/2.0/UDP", "SIP/2.0/TCP").as_bytes()).unwrap();
        let length = again.read(&mut buffer).unwrap();
        assert!(buffer[..length].starts_with(b"SIP/2.0 200"), "after {}: {}", torture.file, String::from_utf8_lossy(&buffer[..length]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
