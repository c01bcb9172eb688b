//! A person's telephone, by hand: it rings, is answered or not, hears what it is told, presses keys and talks. And two who talk at once.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use nightbell::audio::{Codec, Tone, rms};
use nightbell::base::Rate;

use crate::ua::{Message, Ua};
use crate::wait;

/// Samples of one packet.
const FRAME: usize = 160;

/// Sound of one end: what it sends in step with the wall, and what it hears.
pub struct Sound {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    sequence: u16,
    time: u32,
    source: u32,
    /// What it sends: silence without one.
    pub tone: Option<Tone>,
    /// All that it heard, packet after packet.
    pub heard: Vec<i16>,
    /// Keys that it heard.
    pub keys: Vec<u8>,
    key_time: Option<u32>,
}

impl Sound {
    pub fn new(socket: UdpSocket, remote: Option<SocketAddr>, source: u32) -> Self {
        Self { socket, remote, sequence: 1, time: 0, source, tone: None, heard: Vec::new(), keys: Vec::new(), key_time: None }
    }

    fn packet(&mut self, kind: u8, time: u32, payload: &[u8]) {
        let Some(remote) = self.remote else { return };
        let mut packet = vec![0x80, kind];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(time.to_be_bytes());
        packet.extend(self.source.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        let _ = self.socket.send_to(&packet, remote);
    }

    /// Sends one packet and takes what has come.
    fn step(&mut self) {
        let mut pcm = [0; FRAME];
        if let Some(tone) = &mut self.tone {
            tone.fill(&mut pcm);
        }
        let mut payload = [0; FRAME];
        Codec::Pcmu.encode(&pcm, &mut payload);
        self.packet(0, self.time, &payload);
        self.time = self.time.wrapping_add(160);
        let mut buffer = [0; 2_048];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            let time = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]);
            match buffer[1] & 0x7f {
                0 if length == 12 + FRAME => {
                    let mut pcm = [0; FRAME];
                    Codec::Pcmu.decode(&buffer[12..length], &mut pcm);
                    self.heard.extend(pcm);
                }
                101 if self.key_time != Some(time) => {
                    self.key_time = Some(time);
                    self.keys.push(buffer[12]);
                }
                _ => {}
            }
        }
    }

    /// Presses a key: RFC 4733 §2.5, 100 ms and three ends.
    pub fn press(&mut self, key: u8) {
        let began = self.time;
        for step in 1..=8_u16 {
            let end = if step > 5 { 0x8a } else { 0x0a };
            let lasted = (step.min(5) * 160).to_be_bytes();
            self.packet(101, began, &[key, end, lasted[0], lasted[1]]);
            wait::pause(Duration::from_millis(20));
        }
        self.time = began.wrapping_add(8 * 160);
    }

    /// The sound of the last so many milliseconds.
    pub fn last(&self, ms: usize) -> &[i16] {
        &self.heard[self.heard.len().saturating_sub(ms * 8)..]
    }

    /// Milliseconds of the heard sound that were no silence, by packets.
    pub fn loud_ms(&self) -> usize {
        20 * self.heard.chunks(FRAME).filter(|frame| rms(frame) > 200).count()
    }
}

/// Lets all of them send and hear for so long.
pub fn talk(ends: &mut [&mut Sound], ms: u64) {
    let began = wait::now_ms();
    for frame in 0..ms / 20 {
        for end in ends.iter_mut() {
            end.step();
        }
        let due = began + (frame + 1) * 20;
        wait::pause(Duration::from_millis(due.saturating_sub(wait::now_ms())));
    }
}

/// The same until `done` says so, or `limit` has passed: then the test fails with `why`.
pub fn talk_until<T>(ends: &mut [&mut Sound], limit: Duration, why: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let until = wait::now_ms() + u64::try_from(limit.as_millis()).unwrap();
    while wait::now_ms() < until {
        if let Some(found) = done() {
            return found;
        }
        talk(ends, 20);
    }
    panic!("not within {limit:?}: {why}");
}

/// The answer to a request, with what RFC 3261 §8.2.6 copies.
pub fn response(request: &Message, status: &str, tag: &str, extra: &str, body: &str) -> String {
    let copied = ["Via", "From", "Call-ID", "CSeq", "Record-Route"];
    let mut text = format!("SIP/2.0 {status}\r\n");
    for line in request.text.lines().skip(1).take_while(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default().trim();
        if copied.iter().any(|copied| copied.eq_ignore_ascii_case(name)) {
            text.push_str(line);
            text.push_str("\r\n");
        } else if name.eq_ignore_ascii_case("To") {
            let tag = if line.contains("tag=") { String::new() } else { format!(";tag={tag}") };
            text.extend([line, &tag, "\r\n"]);
        }
    }
    let end = format!("{extra}Content-Length: {}\r\n\r\n{body}", body.len());
    text + &end
}

fn bind(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// A telephone on somebody's desk.
pub struct Desk {
    sip: UdpSocket,
    daemon: Option<SocketAddr>,
    rtp: Option<UdpSocket>,
    invite: Option<Message>,
    tag: String,
}

impl Desk {
    pub fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    /// One whose signalling is at this address.
    pub fn at(address: &str) -> Self {
        let sip = bind(address);
        let tag = format!("desk-{}", sip.local_addr().unwrap().port());
        Self { sip, daemon: None, rtp: Some(bind("127.0.0.1:0")), invite: None, tag }
    }

    pub fn uri(&self) -> String {
        format!("sip:office@{}", self.sip.local_addr().unwrap())
    }

    /// The next message, if one is there.
    pub fn poll(&mut self) -> Option<Message> {
        let mut buffer = vec![0; 65_536];
        let (length, from) = self.sip.recv_from(&mut buffer).ok()?;
        self.daemon = Some(from);
        Some(Message { text: String::from_utf8_lossy(&buffer[..length]).into_owned() })
    }

    fn send(&self, text: &str) {
        self.sip.send_to(text.as_bytes(), self.daemon.unwrap()).unwrap();
    }

    /// An INVITE that has come, answered with 180. Repeats count once.
    pub fn rings(&mut self) -> Option<Message> {
        let message = self.poll().filter(|message| message.line().starts_with("INVITE "))?;
        if self.invite.is_none() {
            self.send(&response(&message, "180 Ringing", &self.tag, &self.contact(), ""));
            self.invite = Some(message.clone());
        }
        Some(message)
    }

    fn contact(&self) -> String {
        format!("Contact: <{}>\r\n", self.uri())
    }

    /// Answers a request with 200.
    pub fn ok(&self, request: &Message) {
        self.send(&response(request, "200 OK", &self.tag, "", ""));
    }

    /// Answers the call; its sound.
    pub fn answer(&mut self) -> Sound {
        let invite = self.invite.clone().unwrap();
        let rtp = self.rtp.take().unwrap();
        let port = rtp.local_addr().unwrap().port();
        let sdp = format!(
            "v=0\r\no=- 5 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        );
        let extra = format!("{}Content-Type: application/sdp\r\n", self.contact());
        self.send(&response(&invite, "200 OK", &self.tag, &extra, &sdp));
        Sound::new(rtp, Some(remote(&invite)), u32::from(port))
    }

    /// Refuses it.
    pub fn refuse(&mut self, status: &str) {
        let invite = self.invite.take().unwrap();
        self.send(&response(&invite, status, &self.tag, "", ""));
    }

    /// A request of this method that has come, answered with 200; a CANCEL ends the INVITE with 487.
    pub fn takes(&mut self, method: &str) -> Option<Message> {
        let message = self.poll().filter(|message| message.line().starts_with(method))?;
        self.send(&response(&message, "200 OK", &self.tag, "", ""));
        if method == "CANCEL" {
            let invite = self.invite.clone().unwrap();
            self.send(&response(&invite, "487 Request Terminated", &self.tag, "", ""));
        }
        Some(message)
    }

    /// Asks the daemon to call somebody else instead of this telephone (RFC 3515).
    pub fn refer(&mut self, to: &str) {
        self.request("REFER", &format!("Refer-To: <{to}>\r\nContact: <{}>\r\n", self.uri()));
    }

    /// Hangs up.
    pub fn bye(&mut self) {
        self.request("BYE", "Reason: Q.850;cause=16;text=\"Desk down\"\r\n");
    }

    fn request(&self, method: &str, extra: &str) {
        let invite = self.invite.as_ref().unwrap();
        let header = |name: &str| invite.header(name).unwrap().to_owned();
        let target = header("Contact").trim_matches(['<', '>']).to_owned();
        let us = self.sip.local_addr().unwrap();
        self.send(&format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK-{}-{method};rport\r\nMax-Forwards: 70\r\nFrom: {};tag={}\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\n{extra}Content-Length: 0\r\n\r\n",
            self.tag,
            header("To"),
            self.tag,
            header("From"),
            header("Call-ID"),
            if method == "BYE" { 8 } else { 7 },
        ));
    }
}

/// Where a message's SDP wants its sound.
pub fn remote(message: &Message) -> SocketAddr {
    let port: u16 = message.sdp("m=audio ").unwrap().split(' ').next().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A caller by hand: their telephone, and their sound.
pub fn caller(daemon: SocketAddr) -> (Ua, Sound) {
    let mut ua = Ua::new(daemon);
    let offer = ua.offer("0 101", "a=rtpmap:101 telephone-event/8000\r\n");
    let ok = ua.call(&offer);
    let socket = ua.rtp.try_clone().unwrap();
    (ua, Sound::new(socket, Some(remote(&ok)), 77))
}

/// A tone to talk with.
#[expect(clippy::unnecessary_wraps, reason = "it goes where silence may stand as well")]
pub fn tone(hertz: f32) -> Option<Tone> {
    Some(Tone::new(hertz, Rate::K8, 8_000))
}
