//! The caller: goes through its turns by what it hears, and measures.

use std::time::Duration;

use super::ear::{Side, sound_in};
use super::line::{LEG, Line, LineError, News};
use super::plan::{Act, Cue, Turn};
use super::report::{CallReport, TurnReport};
use crate::base::{Frame, Instant, Rate, TurnId};
use crate::media::{self, LegStats, Order, Playback, Report};
use crate::sip::{Command, EndCause, Event};

/// How long a BYE waits for its answer, and the leg for its counts.
const LEAVE: Duration = Duration::from_secs(2);

/// What a key and the pause after it take at most.
const KEY: Duration = Duration::from_millis(260);

/// So much silence after an interruption is the far end's falling silent.
const SILENCED: Duration = Duration::from_millis(200);

/// Samples in a frame of 20 ms.
const FRAME: usize = 160;

/// What to do with a REFER.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum OnRefer {
    /// Say that the person was reached.
    Accept,
    /// Refuse it with 603.
    Decline,
    /// Take it, and say that the person is busy.
    Busy,
}

/// How the caller behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    /// So much silence ends the far end's turn.
    pub(super) quiet: Duration,
    /// How long to wait for an answer.
    pub(super) patience: Duration,
    /// How long to stay after the last answer.
    pub(super) linger: Duration,
    /// How long the call may last.
    pub(super) limit: Duration,
    pub(super) on_refer: OnRefer,
}

/// Where the call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nobody has answered.
    Calling { since: Instant },
    /// The INVITE is taken back.
    Cancelling { since: Instant },
    /// The far end's turn; what it said before `from` does not count.
    Listening { from: Instant, answered: bool },
    /// Our sound; so many samples of it are handed to the media thread.
    Talking { handed: usize },
    /// Our keys.
    Pressing { until: Instant },
    /// The BYE is sent, at so many datagrams.
    Leaving { since: Instant, datagrams: u64 },
    /// The far end has gone.
    Over,
}

/// A turn that was begun.
#[derive(Clone, Copy, Debug)]
struct Begun {
    at: Instant,
    /// When its last sound (or key) was over.
    end: Option<Instant>,
}

/// The caller on one call.
#[derive(Debug)]
pub(super) struct Caller {
    line: Line,
    manners: Manners,
    turns: Vec<Turn>,
    /// How long the sound of each is.
    lengths: Vec<Duration>,
    begun: Vec<Begun>,
    stage: Stage,
    dialled: Instant,
    answered: Option<Instant>,
    ended: Option<Instant>,
    said: Side,
    heard: Side,
    stats: Option<LegStats>,
    report: CallReport,
    notices: Vec<String>,
}

impl Caller {
    pub(super) fn new(now: Instant, line: Line, turns: Vec<Turn>, manners: Manners) -> Self {
        Self {
            line,
            manners,
            lengths: turns.iter().map(|turn| if let Act::Sound(pcm) = &turn.act { sound_in(pcm) } else { Duration::ZERO }).collect(),
            turns,
            begun: Vec::new(),
            stage: Stage::Calling { since: now },
            dialled: now,
            answered: None,
            ended: None,
            said: Side::sending(),
            heard: Side::default(),
            stats: None,
            report: CallReport::default(),
            notices: Vec::new(),
        }
    }

    /// What happened since the last question, for somebody who watches.
    pub(super) fn notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Does what is due; false when the call is over and counted.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let mut news = Vec::new();
        self.line.poll(now, &mut news);
        for item in news {
            if let Err(error) = self.take(now, item) {
                self.fail(now, error.to_string());
            }
        }
        if let Err(error) = self.act(now) {
            self.fail(now, error.to_string());
        }
        self.goes_on(now)
    }

    /// Ends the call, because the person at the keyboard wants it.
    pub(super) fn hang_up(&mut self, now: Instant, by: &'static str) {
        match self.stage {
            Stage::Calling { .. } => {
                self.report.ended_by = by;
                self.line.command(Command::Cancel { call: self.line.call() });
                self.stage = Stage::Cancelling { since: now };
            }
            Stage::Cancelling { .. } | Stage::Leaving { .. } | Stage::Over => {}
            Stage::Listening { .. } | Stage::Talking { .. } | Stage::Pressing { .. } => {
                self.report.ended_by = by;
                self.ended = Some(now);
                self.line.command(Command::Hangup { call: self.line.call(), reason: None });
                self.stage = Stage::Leaving { since: now, datagrams: self.line.datagrams() };
                self.remove_leg();
            }
        }
    }

    fn fail(&mut self, now: Instant, why: String) {
        self.report.error.get_or_insert(why);
        self.hang_up(now, "caller");
    }

    fn remove_leg(&mut self) {
        // Without the order there are no counts, and nothing else is lost.
        let _ = self.line.order(Order::Remove(LEG));
    }

    fn take(&mut self, now: Instant, item: News) -> Result<(), LineError> {
        match item {
            News::Sip(event) => self.signalled(now, event)?,
            News::Media(Report::Played { finished: true, .. }) if matches!(self.stage, Stage::Talking { .. }) => self.listen(now),
            News::Media(Report::DigitRefused { .. }) => self.fail(now, "the far end takes no keys (no telephone-event)".to_owned()),
            News::Media(Report::Removed { stats, .. }) => self.stats = Some(stats),
            News::Media(_) => {}
            News::Sound(taken, tapped) => match tapped.side {
                media::Side::Said => self.said.take(taken, &tapped),
                media::Side::Heard => self.heard.take(taken, &tapped),
            },
        }
        Ok(())
    }

    fn signalled(&mut self, now: Instant, event: Event) -> Result<(), LineError> {
        match event {
            Event::Answered { sdp, .. } => {
                self.answered = Some(now);
                self.notices.push("answered".to_owned());
                self.stage = Stage::Listening { from: now, answered: false };
                self.line.answered(sdp.as_ref())?;
            }
            Event::Failed { status, reason, .. } => {
                let (by, why) = match status {
                    408 => ("no answer", "nobody answers there".to_owned()),
                    _ => ("refused", format!("refused with {status} {reason}")),
                };
                self.over(now, by);
                self.report.error.get_or_insert(why);
            }
            Event::Redirected { status, .. } => {
                self.over(now, "refused");
                self.report.error.get_or_insert(format!("sent elsewhere with {status}"));
            }
            Event::Cancelled { .. } => self.stage = Stage::Over,
            Event::Ended { cause, .. } => self.told_of_end(now, cause),
            Event::Reoffer { offer, .. } => self.line.reoffered(offer.as_ref())?,
            Event::Acked { sdp: Some(sdp), .. } => self.line.acked(&sdp)?,
            Event::Referred { call, target, .. } => self.referred(call, target.into_inner()),
            _ => {}
        }
        Ok(())
    }

    fn told_of_end(&mut self, now: Instant, cause: EndCause) {
        match cause {
            EndCause::Bye { reason } => {
                self.report.reason = reason.map(|reason| reason.to_string());
                self.over(now, "agent");
            }
            EndCause::Timeout | EndCause::NoAck => self.over(now, "lost"),
            EndCause::Replaced { .. } => self.over(now, "replaced"),
            // Our own BYE: its answer is still waited for.
            EndCause::Hangup | EndCause::Rejected { .. } => {}
        }
    }

    fn over(&mut self, now: Instant, by: &'static str) {
        if !matches!(self.stage, Stage::Leaving { .. }) {
            self.report.ended_by = by;
            self.ended = Some(now);
            self.remove_leg();
        }
        self.stage = Stage::Over;
    }

    fn referred(&mut self, call: crate::sip::SipCall, target: String) {
        self.notices.push(format!("asked to call {target}"));
        self.report.refer_to = Some(target);
        let (answer, last) = match self.manners.on_refer {
            OnRefer::Decline => {
                self.report.refer_answer = Some("declined");
                return self.line.command(Command::RejectRefer { call, status: 603 });
            }
            OnRefer::Accept => ("accepted", 200),
            OnRefer::Busy => ("busy", 486),
        };
        self.report.refer_answer = Some(answer);
        self.line.command(Command::AcceptRefer { call });
        self.line.command(Command::NotifyRefer { call, status: last });
    }

    fn act(&mut self, now: Instant) -> Result<(), LineError> {
        match self.stage {
            Stage::Calling { since } if now.since(since) > self.manners.patience => {
                self.report.error.get_or_insert(format!("nobody answered within {} s", self.manners.patience.as_secs()));
                self.hang_up(now, "no answer");
            }
            Stage::Listening { from, answered } => self.hear(now, from, answered)?,
            Stage::Talking { handed } => self.talk(handed),
            Stage::Pressing { until } if now >= until => self.listen(now),
            _ => {}
        }
        if self.answered.is_some_and(|answered| now.since(answered) > self.manners.limit) {
            self.report.error.get_or_insert(format!("the call was still up after {} s", self.manners.limit.as_secs()));
            self.hang_up(now, "limit");
        }
        Ok(())
    }

    /// Our turn is over.
    fn listen(&mut self, now: Instant) {
        let from = self.begun.last().map_or(now, |turn| turn.at);
        let keys = matches!(self.stage, Stage::Pressing { .. });
        self.notices.push(format!("turn {} over", self.begun.len()));
        if let Some(turn) = self.begun.last_mut() {
            turn.end = keys.then_some(now);
        }
        self.stage = Stage::Listening { from: if keys { now } else { from }, answered: false };
    }

    /// Waits for the far end, and for the next turn's cue.
    fn hear(&mut self, now: Instant, from: Instant, answered: bool) -> Result<(), LineError> {
        let said = self.begun.len().checked_sub(1).and_then(|place| self.spoken(place));
        let from = said.map_or(from, |(_, end)| end.max(from));
        let Some(onset) = self.heard.onset(from) else {
            let patience = if answered { self.manners.linger } else { self.manners.patience };
            if now.since(from) > patience {
                if !answered {
                    let after = self.begun.len();
                    self.report.error.get_or_insert(format!("the far end said nothing for {} s after turn {after}", patience.as_secs()));
                }
                self.hang_up(now, "caller");
            }
            return Ok(());
        };
        let cue = self.turns.get(self.begun.len()).map(|turn| turn.cue);
        let ended = self.heard.end(onset, self.manners.quiet);
        let due = match cue {
            Some(Cue::Into(into)) => now >= onset + into,
            Some(Cue::Silence) => ended.is_some(),
            None => {
                if let Some(end) = ended {
                    self.stage = Stage::Listening { from: end, answered: true };
                }
                false
            }
        };
        if due { self.begin(now) } else { Ok(()) }
    }

    fn begin(&mut self, now: Instant) -> Result<(), LineError> {
        let Some(turn) = self.turns.get(self.begun.len()) else { return Ok(()) };
        self.notices.push(format!("turn {}: {}", self.begun.len() + 1, turn.said));
        match &turn.act {
            Act::HangUp => {
                self.begun.push(Begun { at: now, end: Some(now) });
                self.hang_up(now, "caller");
            }
            Act::Sound(_) => {
                self.begun.push(Begun { at: now, end: None });
                self.stage = Stage::Talking { handed: 0 };
                self.talk(0);
            }
            Act::Keys(keys) => {
                let keys: Vec<char> = keys.chars().collect();
                self.begun.push(Begun { at: now, end: None });
                self.stage = Stage::Pressing { until: now + KEY * u32::try_from(keys.len()).unwrap_or(u32::MAX) };
                for key in keys {
                    self.line.order(Order::SendDigit(LEG, key))?;
                }
            }
        }
        Ok(())
    }

    /// Hands over as much of our sound as the ring takes.
    fn talk(&mut self, handed: usize) {
        let Some(place) = self.begun.len().checked_sub(1) else { return };
        let turn = turn_id(place);
        let Some(Turn { act: Act::Sound(pcm), .. }) = self.turns.get(place) else { return };
        let Some(ends) = self.line.ends() else { return };
        let mut handed = handed;
        // Even a turn without any sound has one frame, whose playing ends it.
        while (handed < pcm.len() || (handed == 0 && pcm.is_empty())) && ends.playback.vacant() > 0 {
            let piece = &pcm[handed..(handed + FRAME).min(pcm.len())];
            let frame = if piece.is_empty() { Frame::silence(Rate::K8) } else { Frame::new(Rate::K8, piece) };
            let last = handed + FRAME >= pcm.len();
            if ends.playback.push(Playback { turn, clip: 0, frame, last }).is_err() {
                break;
            }
            handed += piece.len().max(1);
        }
        self.stage = Stage::Talking { handed };
    }

    fn goes_on(&self, now: Instant) -> bool {
        let counted = self.stats.is_some() || self.answered.is_none();
        match self.stage {
            Stage::Over => !counted && self.ended.is_some_and(|ended| now.since(ended) < LEAVE),
            Stage::Leaving { since, datagrams } => now.since(since) < LEAVE && !(counted && self.line.datagrams() > datagrams),
            Stage::Cancelling { since } => now.since(since) < LEAVE,
            _ => true,
        }
    }

    /// What the call came to, and both sides of it.
    pub(super) fn finish(mut self, now: Instant) -> (CallReport, Side, Side) {
        let Some(answered) = self.answered else { return (self.report, self.said, self.heard) };
        let millis = |from: Instant, to: Instant| u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX);
        let end = self.ended.unwrap_or(now);
        self.report.setup_ms = Some(millis(self.dialled, answered));
        self.report.seconds = end.since(answered).as_secs_f64();
        self.report.codec = self.line.codec().map(crate::audio::Codec::name);
        let first = self.heard.onset(answered);
        self.report.first_sound_ms = first.map(|first| millis(answered, first));
        let greeted = self.begun.first().map_or(end, |turn| turn.at);
        self.report.greeting_ms = first.and_then(|first| Some(millis(first, self.heard.last_sound(greeted).filter(|last| *last > first)?)));
        for place in 0..self.begun.len() {
            let turn = self.measure(place, answered, end);
            self.report.turns.push(turn);
        }
        self.report.unsaid = self.turns.len() - self.begun.len();
        self.report.barge_in_ms = self.report.turns.iter().find_map(|turn| turn.barge_in_ms);
        if let Some(stats) = self.stats {
            self.report.received = stats.receive.received;
            self.report.lost = stats.receive.lost;
            self.report.jitter_ms = Duration::from_micros(stats.receive.jitter_us_max).as_secs_f64() * 1_000.0;
        }
        if self.report.unsaid > 0 && self.report.refer_to.is_none() {
            let said = self.begun.len();
            self.report.error.get_or_insert(format!("the call ended after turn {said} of {}", self.turns.len()));
        }
        (self.report, self.said, self.heard)
    }

    /// When the sound of a turn began and ended, as it was sent.
    fn spoken(&self, place: usize) -> Option<(Instant, Instant)> {
        self.said.turn(turn_id(place), *self.lengths.get(place)?)
    }

    fn measure(&self, place: usize, answered: Instant, end: Instant) -> TurnReport {
        let (turn, begun) = (&self.turns[place], self.begun[place]);
        let millis = |from: Instant, to: Instant| u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX);
        let next = self.begun.get(place + 1).map_or(end, |next| next.at);
        let said = self.spoken(place);
        let first = said.map_or(begun.at, |(first, _)| first);
        let over = begun.end.or(said.map(|(_, end)| end)).unwrap_or(begun.at);
        let overlapped = self.heard.sounded(over, Duration::from_millis(50));
        let onset = self.heard.onset(over).filter(|onset| *onset < next);
        let last = self.heard.last_sound(next);
        let interrupts =
            matches!(turn.cue, Cue::Into(_)) && turn.act != Act::HangUp && self.heard.sounded(first, Duration::from_millis(300));
        TurnReport {
            said: turn.said.clone(),
            at_ms: Some(millis(answered, first)),
            gap_ms: onset.filter(|_| !overlapped).map(|onset| millis(over, onset)),
            agent_ms: onset.zip(last).filter(|(onset, last)| last > onset).map(|(onset, last)| millis(onset, last)),
            barge_in_ms: interrupts.then(|| self.heard.end(first, SILENCED)).flatten().map(|silent| millis(first, silent)),
        }
    }
}

/// The media thread's name for the turn at `place` of the script.
fn turn_id(place: usize) -> TurnId {
    TurnId(u32::try_from(place + 1).unwrap_or(u32::MAX))
}
