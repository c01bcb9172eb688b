//! The pure endpoint alone, in virtual time: no socket, no task, no other part of the daemon.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use nightbell::base::clock::Clock;
use nightbell::base::{Instant, Seed};
use nightbell::sip::{Command, Endpoint, Event, Flow, Output, Settings};

use crate::memory::live;
use crate::row;

/// Calls that begin in one second of virtual time.
const CALLS_A_SECOND: usize = 100;

/// Seconds until as many transactions end as begin: Timer J and its like are 32 s.
const WARM_S: u64 = 40;

/// Seconds that are measured then.
const MEASURED_S: u64 = 100;

/// Dialogs whose memory is counted.
const DIALOGS: usize = 1_000;

const ANSWER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 101\r\n\
a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n";

/// Ours, the messages that a caller sends it, and what it cost.
struct Rig {
    endpoint: Endpoint,
    flow: Flow,
    now: Instant,
    calls: usize,
    cost: Duration,
    sent: Vec<Bytes>,
}

impl Rig {
    fn new() -> Result<Self, String> {
        let trusted = vec!["192.0.2.0/24".parse().map_err(|error| format!("{error}"))?];
        let settings = Settings { trusted, calls_max: 4 * DIALOGS, ..Settings::default() };
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into());
        let endpoint = Endpoint::new(settings, Seed::new(7));
        Ok(Self { endpoint, flow, now: Instant::ZERO, calls: 0, cost: Duration::ZERO, sent: Vec::new() })
    }

    /// Lets the endpoint take these, answer every INVITE and send what it wants; what that takes of this thread's time is counted.
    fn take(&mut self, datagrams: &[Vec<u8>]) {
        self.sent.clear();
        let before = on_processor();
        for datagram in datagrams {
            self.endpoint.handle_datagram(self.now, self.flow, datagram);
            self.drain();
        }
        self.cost += on_processor().saturating_sub(before);
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Event(Event::Incoming(arrival)) => {
                    let command = Command::Accept { call: arrival.call, answer: Bytes::from_static(ANSWER) };
                    self.endpoint.handle_command(self.now, command);
                }
                Output::Send { bytes, .. } => self.sent.push(bytes),
                Output::Event(_) => {}
            }
        }
    }

    /// Lets time pass; timers count as well.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let before = on_processor();
        while let Some(due) = self.endpoint.poll_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.cost += on_processor().saturating_sub(before);
        self.now = end;
    }

    /// `count` calls are placed, answered and acknowledged; the BYE that ends each.
    fn establish(&mut self, count: usize) -> Result<Vec<Vec<u8>>, String> {
        let first = self.calls;
        self.calls += count;
        let invites: Vec<Vec<u8>> = (first..self.calls).map(|call| request("INVITE", call, 1, "", ANSWER)).collect();
        self.take(&invites);
        let answers: Vec<Bytes> = self.sent.iter().filter(|bytes| bytes.starts_with(b"SIP/2.0 200")).cloned().collect();
        if answers.len() != count {
            return Err(format!("{} of {count} calls were answered", answers.len()));
        }
        let tags: Vec<String> = answers.iter().map(|answer| tag(answer)).collect();
        let of = |method: &str, sequence| -> Vec<Vec<u8>> {
            (first..).zip(&tags).map(|(call, tag)| request(method, call, sequence, tag, b"")).collect()
        };
        self.take(&of("ACK", 1));
        Ok(of("BYE", 2))
    }
}

/// A message of the caller's.
fn request(method: &str, call: usize, sequence: u32, tag: &str, body: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(1_024);
    let _ = write!(
        text,
        "{method} sip:leasing@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{method}{call};rport\r\nMax-Forwards: 70\r\n\
         From: \"A caller\" <sip:3125550188@192.0.2.2>;tag=caller{call}\r\nTo: <sip:leasing@192.0.2.1>{tag}\r\nCall-ID: bench-{call}@192.0.2.2\r\n\
         CSeq: {sequence} {method}\r\nContact: <sip:3125550188@192.0.2.2:5060>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n\
         Supported: timer, 100rel\r\nUser-Agent: bench\r\n"
    );
    if !body.is_empty() {
        text.push_str("Content-Type: application/sdp\r\n");
    }
    let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// `;tag=..` of an answer's To.
fn tag(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let to = text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap_or_default();
    to.find(";tag=").map_or_else(String::new, |at| to[at..].to_owned())
}

/// This thread's time on a processor so far; what others took does not count.
fn on_processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Prints cost and memory.
pub fn bench(_: Clock) -> Result<(), String> {
    println!("the endpoint alone, in virtual time: datagrams in, datagrams and events out");
    memory_of_a_dialog()?;
    let mut rig = Rig::new()?;
    let second = Duration::from_secs(1);
    for at in 0..WARM_S + MEASURED_S {
        if at == WARM_S {
            rig.cost = Duration::ZERO;
        }
        let byes = rig.establish(CALLS_A_SECOND)?;
        rig.take(&byes);
        rig.pass(second);
    }
    let calls = MEASURED_S * CALLS_A_SECOND as u64;
    let each = rig.cost.as_secs_f64() * 1e6 / calls as f64;
    let method = format!("INVITE, 100, 200, ACK, BYE, 200 and all timers; this thread's time on a processor over {calls} calls");
    row("a call answered and hung up", &format!("{each:.1} us of processor"), &method);
    row("so a second of one core carries", &format!("{:.0} calls", 1e6 / each), "the reciprocal: nothing but the endpoint");
    let left = format!("{} calls, {} transactions", rig.endpoint.calls(), rig.endpoint.transactions());
    row("  in its tables meanwhile", &left, &format!("{CALLS_A_SECOND} calls a second of virtual time, 32 s after each"));
    Ok(())
}

fn memory_of_a_dialog() -> Result<(), String> {
    let mut rig = Rig::new()?;
    let before = live();
    let byes = rig.establish(DIALOGS)?;
    rig.sent = Vec::new();
    drop(byes);
    let with_transactions = live().saturating_sub(before) / DIALOGS;
    rig.pass(Duration::from_mins(1));
    rig.sent = Vec::new();
    let alone = live().saturating_sub(before) / DIALOGS;
    let (calls, transactions) = (rig.endpoint.calls(), rig.endpoint.transactions());
    row("memory of a dialog", &format!("{alone} bytes"), &format!("allocator's count over {calls} calls up, {transactions} transactions"));
    row("  just after its ACK", &format!("{with_transactions} bytes"), "the same with the transaction of its INVITE");
    Ok(())
}
