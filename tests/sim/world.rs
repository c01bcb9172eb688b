//! One whole call in virtual time: two telephones' signalling, the network between them, the call, its engines, its records and its sound.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nightbell::base::civil::{DateTime, Span};
use nightbell::base::{Instant, Pii, Seed, TurnId};
use nightbell::call::{Answer, Call, Engine, Filed, Hearing, Input, Journalled, LegNews, LegNo, Line, Output, Settings, Sound};
use nightbell::dialogue::{Agent, CallFacts, Kernel, Record};
use nightbell::sip::{self, Command, EndCause, Endpoint, Event, Flow, Invite, SipCall};

use crate::actions::{Act, Mood, Person};
use crate::disk::Disk;
use crate::engines::{Engines, Made};
use crate::model::Shadow;
use crate::netem::Net;
use crate::phones::Phones;
use crate::sound::Loudspeaker;
use crate::speech::{Speech, Stage};

/// The caller's side of the wire.
pub const CALLER: usize = 0;
/// Ours.
const BOX: usize = 1;
/// No call may live longer.
const LONGEST: Duration = Duration::from_mins(40);
/// How long a call that is gone waits for its records at least.
const LINGER: Duration = Duration::from_secs(3);
/// Nor take more steps.
const STEPS_MAX: u32 = 100_000;

/// Something that will happen.
#[derive(Clone, Debug)]
pub enum Ev {
    /// A datagram arrives.
    Datagram { to: usize, bytes: Bytes },
    /// The call hears this.
    Tell(Input),
    /// A moment of an utterance.
    Speech { utterance: u32, stage: Stage },
    /// The caller thinks.
    Think,
    /// An engine goes or comes.
    Engine { engine: Engine, up: bool },
    /// The disk is reached.
    Commit { effect: nightbell::dialogue::EffectId, record: Record },
    /// The telephone that our REFER rang tells how it goes.
    Office(u16),
    /// A telephone that we rang tells this.
    Phone { leg: LegNo, news: LegNews },
}

/// Everything.
pub struct World {
    pub now: Instant,
    pub seed: Seed,
    pub queue: BTreeMap<(Instant, u64), Ev>,
    last: u64,
    pub ends: [Endpoint; 2],
    pub net: Net,
    pub call: Option<Call>,
    pub began: Instant,
    wall: DateTime,
    pub caller_sip: SipCall,
    pub box_sip: Option<SipCall>,
    pub caller_up: bool,
    pub caller_over: bool,
    pub connected: bool,
    pub hung_up: bool,
    gone_at: Instant,
    /// The caller hangs up while a record is being written.
    pub hasty: bool,
    pub engines: Engines,
    pub sound: Loudspeaker,
    pub disk: Disk,
    pub person: Person,
    pub speech: Speech,
    pub shadow: Shadow,
    pub phones: Phones,
    settings: Settings,
    /// People are rung before the agent answers.
    pub people_first: bool,
    agent: Arc<Agent>,
    facts: CallFacts,
    pub ringing: bool,
    /// When somebody was last heard, or could not have been.
    pub quiet_from: Instant,
    sound_told: Instant,
    pub journal: Vec<Journalled>,
    pub outputs: Vec<Output>,
    pub trace: Vec<String>,
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, if side == CALLER { 1 } else { 2 }], 5060))
}

fn flow(side: usize) -> Flow {
    Flow::udp(address(side), address(1 - side))
}

impl World {
    /// The world of this number, with somebody about to dial.
    pub fn new(number: u64, agents: &[Arc<Agent>]) -> Self {
        let mut seed = Seed::new(number ^ 0x6e69_6768_7462_656c);
        // Seeds of their own: the numbers of earlier finds keep their worlds.
        let mut people = Seed::new(number ^ 0x0070_686f_6e65_7321);
        let trusted = vec!["192.0.2.0/24".parse().unwrap()];
        let ours = sip::Settings { trusted: trusted.clone(), ..sip::Settings::default() };
        let theirs = sip::Settings { hears_refer: true, ..ours.clone() };
        let ends = [Endpoint::new(theirs, seed.fork(1)), Endpoint::new(ours, seed.fork(2))];
        let moods = [Mood::Willing, Mood::Fickle, Mood::Curious, Mood::Silent, Mood::Keys, Mood::Person, Mood::Wild, Mood::Willing];
        let mood = moods[usize::try_from(seed.below(8)).unwrap()];
        let agent = Arc::clone(&agents[usize::try_from(seed.below(agents.len() as u64)).unwrap()]);
        let number = seed.one_in(2).then(|| Pii::new("+13125550188".to_owned()));
        let facts = CallFacts { caller_number: number, dialled: agent.name().to_owned(), number_trusted: false, calling: None };
        let wall = ["2026-11-24T10:00", "2026-11-22T12:00", "2026-11-25T17:50"][usize::try_from(seed.below(3)).unwrap()];
        let person = Person::new(seed.fork(3), mood);
        Self {
            now: Instant::ZERO,
            queue: BTreeMap::new(),
            last: 0,
            ends,
            net: Net::fair(seed.fork(4)),
            call: None,
            began: Instant::ZERO,
            wall: wall.parse().unwrap(),
            caller_sip: SipCall::default(),
            box_sip: None,
            caller_up: false,
            caller_over: false,
            connected: false,
            hung_up: false,
            gone_at: Instant::ZERO,
            hasty: false,
            engines: Engines::new(seed.fork(5)),
            sound: Loudspeaker::default(),
            disk: Disk::fair(seed.fork(6)),
            person,
            speech: Speech::default(),
            shadow: Shadow::default(),
            phones: Phones::new(people.fork(1)),
            settings: Settings { people: Phones::people(&mut people), ..Settings::default() },
            people_first: false,
            agent,
            facts,
            ringing: false,
            quiet_from: Instant::ZERO,
            sound_told: Instant::ZERO,
            journal: Vec::new(),
            outputs: Vec::new(),
            trace: Vec::new(),
            seed,
        }
    }

    /// Makes this happen after `delay`.
    pub fn after(&mut self, delay: Duration, event: Ev) {
        self.last += 1;
        self.queue.insert((self.now + delay, self.last), event);
    }

    /// A delay below `millis`.
    pub fn some(&mut self, millis: u64) -> Duration {
        Duration::from_millis(1 + self.seed.below(millis))
    }

    /// A line of the ladder.
    pub fn note(&mut self, who: &str, what: &str) {
        let ms = self.now.as_millis();
        self.trace.push(format!("{:>4}.{:03}  {who:<8} {what}", ms / 1_000, ms % 1_000));
    }

    /// Dials, and lives until nothing is left to happen.
    pub fn live(&mut self) {
        let note = format!("{} calls {}, {} on the wall", self.person_kind(), self.facts.dialled, self.wall);
        self.note("world", &note);
        let invite = Invite {
            from_user: "10".to_owned(),
            ..Invite::new(flow(CALLER), format!("sip:{}@192.0.2.2", self.facts.dialled), Bytes::from_static(b"v=0\r\n"))
        };
        self.caller_sip = self.ends[CALLER].invite(self.now, invite);
        self.after(Duration::from_millis(300), Ev::Think);
        self.settle();
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < STEPS_MAX, "the call goes on and on");
            assert!(self.now - Instant::ZERO < LONGEST, "every call ends in time");
        }
        self.at_the_end();
    }

    fn person_kind(&self) -> String {
        format!("{:?} ({:?} office)", self.person.mood, self.person.office)
    }

    fn step(&mut self) -> bool {
        let own = self.queue.first_key_value().map(|((at, _), _)| *at);
        let sip = self.ends.iter().filter_map(Endpoint::poll_deadline).min();
        let call = self.call.as_ref().and_then(Call::poll_deadline).map(|at| self.began + at.since(Instant::ZERO));
        let (engines, sound) = (self.engines.deadline(), self.sound.deadline());
        let Some(at) = [own, sip, call, engines, sound].into_iter().flatten().min() else { return false };
        self.now = self.now.max(at);
        if own == Some(at) {
            if let Some((_, event)) = self.queue.pop_first() {
                self.happen(event);
            }
        } else if sound == Some(at) {
            let told = self.sound.pass(self.now);
            self.report(told);
        } else if engines == Some(at) {
            for made in self.engines.pass(self.now) {
                self.made(made);
            }
        } else if sip == Some(at) {
            let now = self.now;
            self.ends.iter_mut().filter(|end| end.poll_deadline().is_some_and(|due| due <= now)).for_each(|end| end.handle_timeout(now));
        } else {
            self.wake();
        }
        self.settle();
        true
    }

    fn happen(&mut self, event: Ev) {
        match event {
            Ev::Datagram { to, bytes } => self.ends[to].handle_datagram(self.now, flow(to), &bytes),
            Ev::Tell(input) => self.tell(input),
            Ev::Speech { utterance, stage } => self.speech_moment(utterance, stage),
            Ev::Think => self.think(),
            Ev::Engine { engine, up } => {
                self.note("engine", &format!("{engine:?} {}", if up { "is back" } else { "dies" }));
                self.engines.set_up(engine, up, self.now);
                let health = Ev::Tell(Input::Engine(Answer::Health { engine, up }));
                let delay = self.some(20);
                self.after(delay, health);
            }
            Ev::Commit { effect, record } => {
                let filed = self.disk.commit(effect, &record);
                self.note(
                    "disk",
                    &format!("{} {}", record.kind(), if self.disk.rows.contains_key(&effect) { "is kept" } else { "is not kept" }),
                );
                let delay = self.disk.delay();
                if !self.disk.loses_answer() {
                    self.after(delay, Ev::Tell(Input::Filed(filed)));
                }
            }
            Ev::Office(status) => self.office(status),
            Ev::Phone { leg, news } => self.phone(leg, news),
        }
    }

    /// The call's own clock.
    pub fn call_now(&self) -> Instant {
        Instant::from_micros(self.now.as_micros().saturating_sub(self.began.as_micros()))
    }

    pub fn local(&self) -> DateTime {
        let seconds = i64::try_from(self.now.as_millis() / 1_000).unwrap();
        self.wall.checked_add(Span::new().seconds(seconds)).unwrap()
    }

    /// Tells the call something, as its task does.
    pub fn tell(&mut self, input: Input) {
        let (now, local) = (self.call_now(), self.local());
        if matches!(input, Input::Filed(Filed::Committed { .. })) && self.call.as_ref().is_some_and(Call::is_over) {
            assert!(self.now - self.gone_at >= LINGER, "the records are waited for before the call is over");
        }
        let Some(call) = self.call.as_mut().filter(|call| !call.is_over()) else { return };
        self.journal.push(Journalled { at_us: now.as_micros(), local, input: Some(input.clone()) });
        match &input {
            Input::Line(Line::Gone { .. }) => self.shadow.gone = true,
            Input::Hearing(Hearing::Began(_)) => self.shadow.voiced = true,
            Input::Hearing(Hearing::Ended { .. }) => self.shadow.voiced = false,
            Input::Line(Line::ReferProgress(200..=299)) if self.ringing => self.shadow.person = true,
            Input::Filed(Filed::Committed { effect, .. }) => {
                if let Some(row) = self.disk.rows.get_mut(effect) {
                    row.told = true;
                }
            }
            _ => {}
        }
        call.handle(now, local, input);
    }

    fn wake(&mut self) {
        let (now, local) = (self.call_now(), self.local());
        if let Some(call) = self.call.as_mut() {
            self.journal.push(Journalled { at_us: now.as_micros(), local, input: None });
            call.handle_timeout(now, local);
        }
    }

    /// Everything that what happened brings about at once.
    fn settle(&mut self) {
        loop {
            for side in [CALLER, BOX] {
                while let Some(output) = self.ends[side].poll_output() {
                    match output {
                        sip::Output::Send { bytes, .. } => self.send(side, &bytes),
                        sip::Output::Event(event) if side == CALLER => self.at_caller(&event),
                        sip::Output::Event(event) => self.at_box(event),
                    }
                }
                self.ends[side].check_invariants();
            }
            let Some(output) = self.call.as_mut().and_then(Call::poll_output) else { break };
            let now = self.call_now();
            self.shadow.output(now, &output, &self.disk, &self.sound);
            self.outputs.push(output.clone());
            self.perform(output);
        }
        let now = self.call_now();
        self.shadow.sweep(now);
        let waits = self.phones.rings_for_caller() && self.connected && !self.shadow.gone;
        assert!(!waits || self.phones.tune == nightbell::call::Tune::Ringing, "a caller who waits for a telephone hears it ring");
        self.nobody_waits_in_silence();
    }

    fn send(&mut self, side: usize, bytes: &Bytes) {
        let text = String::from_utf8_lossy(bytes);
        let first = text.lines().next().unwrap_or_default().replace(" SIP/2.0", "").replace("SIP/2.0 ", "");
        let ways = self.net.carry(self.now);
        let fate = match ways.len() {
            0 => "  (lost)",
            1 => "",
            _ => "  (twice)",
        };
        self.note(if side == CALLER { "-->" } else { "<--" }, &format!("{first}{fate}"));
        for way in ways {
            self.after(way, Ev::Datagram { to: 1 - side, bytes: bytes.clone() });
        }
    }

    fn at_box(&mut self, event: Event) {
        match event {
            Event::Incoming(arrival) => {
                let call = arrival.call;
                assert!(self.call.is_none(), "one INVITE is one call, however often it comes");
                self.box_sip = Some(call);
                self.began = self.now;
                let kernel = Kernel::new(Arc::clone(&self.agent), self.facts.clone());
                self.call = Some(Call::new(self.settings.clone(), kernel, Instant::ZERO));
                if self.people_first {
                    self.shadow.seen.insert("first");
                    let plan = self.settings.people["office"].clone();
                    return self.tell(Input::First(plan));
                }
                self.accept();
            }
            Event::Acked { .. } => self.connect(),
            Event::ReferAccepted { .. } => self.tell(Input::Line(Line::ReferAccepted)),
            Event::ReferProgress { status, .. } => self.tell(Input::Line(Line::ReferProgress(status))),
            Event::ReferFailed { status, .. } => self.tell(Input::Line(Line::ReferFailed(status))),
            Event::Cancelled { .. } => self.gone(false),
            Event::Ended { cause, .. } => self.gone(matches!(cause, EndCause::NoAck | EndCause::Timeout)),
            _ => {}
        }
    }

    fn accept(&mut self) {
        let Some(call) = self.box_sip else { return };
        self.ends[BOX].handle_command(self.now, Command::Accept { call, answer: Bytes::from_static(b"v=0\r\n") });
        self.tell(Input::Line(Line::Accepted));
    }

    fn connect(&mut self) {
        if !std::mem::replace(&mut self.connected, true) {
            self.tell(Input::Line(Line::Connected));
        }
    }

    fn gone(&mut self, failed: bool) {
        self.note("box", "the line is gone");
        self.hung_up = true;
        self.gone_at = self.now;
        let told = self.sound.flush_below(self.now, TurnId(u32::MAX));
        self.engines.flush_below(TurnId(u32::MAX));
        self.tell(Input::Line(Line::Gone { failed }));
        self.report(told);
    }

    /// Reports of the media thread, in order and a moment later.
    pub fn report(&mut self, told: Vec<Sound>) {
        for sound in told {
            let delay = self.some(25);
            self.sound_told = self.sound_told.max(self.now + delay);
            let delay = self.sound_told - self.now;
            self.after(delay, Ev::Tell(Input::Sound(sound)));
        }
    }

    fn made(&mut self, made: Made) {
        match made {
            Made::Told(answer) => self.tell(Input::Engine(answer)),
            Made::Clip { turn, start, end, samples } => self.play(turn, start, end, samples),
        }
    }

    fn play(&mut self, turn: TurnId, start: usize, end: usize, samples: u64) {
        let (clip, told) = self.sound.add(self.now, turn, samples);
        self.shadow.clip(turn, start, end);
        self.tell(Input::Engine(Answer::Clip { turn, clip, start, end, samples }));
        self.report(told);
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Transcribe { utterance, attempt, .. } => {
                let text = self.speech.so_far(utterance, self.now);
                self.engines.transcribe(self.now, utterance, attempt, text);
            }
            Output::Understand { request, ask, .. } => self.engines.understand(self.now, request, ask.prompt),
            Output::Speak { turn, text } => {
                self.note("box", &format!("says {:?}", text.expose()));
                self.engines.speak(self.now, turn, text.into_inner());
            }
            Output::SpeakStock { turn, stock } => {
                self.note("box", &format!("says from memory {:?}", stock.text()));
                let chars = stock.text().len();
                self.play(turn, 0, chars, 480 * u64::try_from(chars).unwrap());
                self.tell(Input::Engine(Answer::Spoken { turn }));
            }
            Output::FlushBelow(turn) => {
                self.engines.flush_below(turn);
                let told = self.sound.flush_below(self.now, turn);
                self.report(told);
            }
            Output::Expect(expected) => self.person.expected = expected,
            Output::Commit { effect, record } => {
                if std::mem::take(&mut self.hasty) && !self.caller_over {
                    self.act(Act::HangUp);
                }
                let delay = self.disk.delay() + self.disk.stuck_for();
                self.after(delay, Ev::Commit { effect, record });
            }
            Output::LookUp { effect, from, .. } => {
                let filed = self.disk.look_up(effect, from);
                let delay = self.disk.delay();
                self.after(delay, Ev::Tell(Input::Filed(filed)));
            }
            Output::FileTransfer { .. } => {
                self.disk.transferred = true;
                let delay = self.disk.delay();
                self.after(delay, Ev::Tell(Input::Filed(Filed::TransferFiled)));
            }
            Output::Refer { who, .. } => self.refer(who.expose()),
            Output::Alert => {
                if let Some(call) = self.box_sip {
                    self.ends[BOX].handle_command(self.now, Command::Ring { call });
                }
            }
            Output::Accept => self.accept(),
            Output::Hangup => self.hang_up(),
            Output::Decision(decision) => {
                if ["not-transferred", "transfer-cancelled", "transferred"].contains(&decision.rule.as_str()) {
                    self.ringing = false;
                }
                if decision.rule == "late-receipt" {
                    self.shadow.seen.insert("late");
                }
                self.note("kernel", &format!("{}: {}", decision.rule, decision.why));
            }
            Output::Over { outcome } => self.note("box", &format!("over: {}", outcome.as_str())),
            Output::CancelRefer | Output::Turn(_) | Output::Forget { .. } => {}
            about_people => self.at_phones(&about_people),
        }
    }

    fn refer(&mut self, target: &str) {
        self.ringing = true;
        if let Some(call) = self.box_sip {
            self.ends[BOX].handle_command(self.now, Command::Refer { call, target: format!("sip:{target}@192.0.2.9") });
        }
    }

    fn hang_up(&mut self) {
        if std::mem::replace(&mut self.hung_up, true) {
            return;
        }
        let all_said = !self.sound.is_busy() && !self.engines.is_speaking();
        let put_through = self.shadow.person;
        assert!(all_said || put_through, "the last words are heard before we hang up");
        self.note("box", "hangs up");
        if let Some(call) = self.box_sip {
            self.ends[BOX].handle_command(self.now, Command::Hangup { call, reason: None });
        }
    }

    fn at_the_end(&mut self) {
        for (side, end) in self.ends.iter().enumerate() {
            assert_eq!((end.calls(), end.transactions()), (0, 0), "nothing is left in the tables of side {side}");
        }
        if self.call.is_none() {
            return;
        }
        assert!(self.shadow.outcome.is_some(), "every call has an outcome");
        assert!(self.phones.are_quiet(), "no leg outlives the call");
        let (mut again, mut outputs) =
            (Call::new(self.settings.clone(), Kernel::new(Arc::clone(&self.agent), self.facts.clone()), Instant::ZERO), Vec::new());
        for entry in &self.journal {
            let now = Instant::from_micros(entry.at_us);
            match entry.input.clone() {
                Some(input) => again.handle(now, entry.local, input),
                None => again.handle_timeout(now, entry.local),
            }
            while let Some(output) = again.poll_output() {
                outputs.push(output);
            }
        }
        assert!(outputs == self.outputs, "the journal replays to the same call");
    }
}
