//! Two endpoints and the network between them, in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, Seed};
use crate::sip::{Command, Endpoint, Event, Flow, Invite, Output, Settings, SipCall};

/// Where each of the two lives.
pub(super) fn address(side: usize) -> SocketAddr {
    let text = if side == 0 { "192.0.2.1:5060" } else { "192.0.2.2:5060" };
    text.parse().unwrap()
}

pub(super) fn settings() -> Settings {
    Settings { trusted: vec!["192.0.2.0/24".parse().unwrap()], ..Settings::default() }
}

/// How the network mistreats datagrams: one in `loss` is lost, one in `twice` comes twice; 0 for never.
#[derive(Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) loss: u64,
    pub(super) twice: u64,
    pub(super) delay_ms_max: u64,
    /// One in so many answers to an INVITE comes from a second phone as well.
    pub(super) fork: u64,
}

pub(super) struct Rig {
    pub(super) now: Instant,
    pub(super) ends: [Endpoint; 2],
    pub(super) events: [Vec<Event>; 2],
    /// Everything sent, with its time in milliseconds, its sender and its text.
    pub(super) wire: Vec<(u64, usize, String)>,
    pub(super) weather: Weather,
    queue: VecDeque<(Instant, usize, Bytes)>,
    seed: Seed,
}

impl Rig {
    pub(super) fn new(seed: u64) -> Self {
        let mut seed = Seed::new(seed);
        let ends = [Endpoint::new(settings(), seed.fork(1)), Endpoint::new(settings(), seed.fork(2))];
        let (events, weather) = ([Vec::new(), Vec::new()], Weather::default());
        Self { now: Instant::ZERO, ends, events, wire: Vec::new(), weather, queue: VecDeque::new(), seed }
    }

    pub(super) fn flow(side: usize) -> Flow {
        Flow::udp(address(side), address(1 - side))
    }

    pub(super) fn invite(&mut self, offer: &'static str) -> SipCall {
        self.place(Invite {
            from_user: "10".to_owned(),
            from_display: "Anna \"A\"".to_owned(),
            ..Invite::new(Self::flow(0), "sip:20@192.0.2.2", Bytes::from_static(offer.as_bytes()))
        })
    }

    pub(super) fn place(&mut self, invite: Invite) -> SipCall {
        let call = self.ends[0].invite(self.now, invite);
        self.drain();
        call
    }

    pub(super) fn command(&mut self, side: usize, command: Command) {
        self.ends[side].handle_command(self.now, command);
        self.drain();
    }

    /// Moves what was sent onto the network.
    pub(super) fn drain(&mut self) {
        for side in 0..2 {
            while let Some(output) = self.ends[side].poll_output() {
                match output {
                    Output::Event(event) => self.events[side].push(event),
                    Output::Send { bytes, flow } => {
                        assert_eq!(flow.remote, address(1 - side), "every message goes to the peer");
                        self.wire.push((self.now.as_millis(), side, String::from_utf8_lossy(&bytes).into_owned()));
                        self.carry(side, &bytes);
                    }
                }
            }
        }
    }

    /// The same where a third party has spoken by hand: what is sent goes nowhere.
    pub(super) fn drain_to_hand(&mut self) {
        while let Some(output) = self.ends[0].poll_output() {
            match output {
                Output::Event(event) => self.events[0].push(event),
                Output::Send { bytes, .. } => self.wire.push((self.now.as_millis(), 0, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
    }

    fn carry(&mut self, side: usize, bytes: &Bytes) {
        let copies = if self.weather.loss > 0 && self.seed.one_in(self.weather.loss) {
            0
        } else if self.weather.twice > 0 && self.seed.one_in(self.weather.twice) {
            2
        } else {
            1
        };
        let mut arrivals = vec![bytes.clone(); copies];
        if self.weather.fork > 0 && side == 1 && self.seed.one_in(self.weather.fork) {
            arrivals.extend(of_another_phone(bytes));
        }
        for bytes in arrivals {
            let delay = Duration::from_millis(1 + self.seed.below(self.weather.delay_ms_max));
            self.queue.push_back((self.now + delay, 1 - side, bytes));
        }
    }

    /// One step: the next datagram or the next timer, whichever comes first; false when nothing is left, or nothing before `end`.
    pub(super) fn step(&mut self, end: Instant) -> bool {
        let arrival = self.queue.iter().enumerate().min_by_key(|(place, (at, ..))| (*at, *place)).map(|(place, (at, ..))| (*at, place));
        let deadline = self.ends.iter().filter_map(Endpoint::poll_deadline).min();
        let next = [arrival.map(|(at, _)| at), deadline].into_iter().flatten().min();
        let Some(at) = next.filter(|at| *at <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.now = self.now.max(at);
        match arrival.filter(|(arrives, _)| *arrives == at) {
            Some((_, place)) => {
                let (_, to, bytes) = self.queue.remove(place).unwrap();
                self.ends[to].handle_datagram(self.now, Self::flow(to), &bytes);
            }
            None => self.ends.iter_mut().for_each(|endpoint| endpoint.handle_timeout(at)),
        }
        self.drain();
        true
    }

    /// Lets `millis` pass.
    pub(super) fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while self.step(end) {}
    }

    /// The call that has just come in at the callee's.
    pub(super) fn incoming(&self) -> SipCall {
        let calls = self.events[1].iter().filter_map(|event| match event {
            Event::Incoming(arrival) => Some(arrival.call),
            _ => None,
        });
        calls.last().unwrap()
    }

    /// First lines of what `side` sent, with their times.
    pub(super) fn lines(&self, side: usize) -> Vec<(u64, String)> {
        let sent = self.wire.iter().filter(|(_, sender, _)| *sender == side);
        sent.map(|(at, _, text)| (*at, text.lines().next().unwrap_or_default().replace(" SIP/2.0", "").replace("SIP/2.0 ", ""))).collect()
    }

    pub(super) fn assert_empty(&self) {
        for endpoint in &self.ends {
            let left: Vec<_> =
                endpoint.txns.values().map(|txn| (&txn.machine, txn.server_key().map(|key| String::from_utf8_lossy(key)))).collect();
            assert_eq!((endpoint.calls(), endpoint.transactions(), endpoint.poll_deadline()), (0, 0, None), "{left:?}");
        }
    }
}

/// The same answer to an INVITE as another phone behind a forking proxy would give it: with a tag of its own.
fn of_another_phone(bytes: &Bytes) -> Option<Bytes> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_one = text.starts_with("SIP/2.0 1") || text.starts_with("SIP/2.0 2");
    let to = text.lines().find(|line| line.starts_with("To: ") && line.contains(";tag="))?;
    let is_to_invite = text.lines().any(|line| line.starts_with("CSeq: ") && line.ends_with(" INVITE"));
    (is_one && is_to_invite).then(|| Bytes::from(text.replacen(to, &format!("{to}-other"), 1)))
}
