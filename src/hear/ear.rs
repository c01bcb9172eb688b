//! The ear of one leg: routes each hop to onset, utterance and barge-in, and says what it heard.

use std::time::Duration;

use crate::audio::rms;
use crate::base::{Captured, CapturedKind, Frame, Instant, Samples, TurnId};

use super::barge::{Barge, Move};
use super::caller::Caller;
use super::clock::{LegClock, Place};
use super::echo::Echo;
use super::level::Level;
use super::onset::{Bar, Begun, Onset};
use super::outbox::{Outbox, Preroll};
use super::screen::Screen;
use super::sense::{Hop, Sense};
use super::turn::{Step, Utterance, hangover_ms};
use super::vad::HOP_MS;
use super::{EndReason, Expectation, FalseStop, Heard, Hold, Settings, Verdict};

/// Frames are missed after this; from then on the silence is counted by the clock.
const STARVED: Duration = Duration::from_millis(120);

/// A hop.
const HOP: Duration = Duration::from_millis(HOP_MS);

/// Gap hops in a row that count as a continuing voice: lost packets are no pause.
const GAP_HOPS_BRIDGED: u32 = 4;

/// Evidence asked for in addition after each false stop in a turn.
const FALSE_STOP_EVIDENCE: f32 = 1.0;

/// The ear of one leg. It never allocates after it was made.
pub struct Ear {
    settings: Settings,
    expectation: Expectation,
    clock: LegClock,
    sense: Sense,
    echo: Echo,
    caller: Caller,
    onset: Onset,
    barge: Barge,
    open: Option<Utterance>,
    preroll: Preroll,
    outbox: Outbox,
    screen: Option<Screen>,
    next_utterance: u32,
    patience_ms: u64,
    ended_at: Option<Samples>,
    gap_hops: u32,
    heard_until: Option<Instant>,
}

/// A pause that proved too short for this caller makes us this much more patient.
const PATIENCE_STEP_MS: u64 = 100;

/// The most patience.
const PATIENCE_MS_MAX: u64 = 400;

/// A voice this soon after the end of a turn, with nothing said by us in between, was the same turn: we were too quick.
const CUT_OFF_MS: u64 = 500;

impl Ear {
    /// An ear that has heard nothing yet and expects anything.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            expectation: Expectation::Open,
            clock: LegClock::new(),
            sense: Sense::new(),
            echo: Echo::new(),
            caller: Caller::default(),
            onset: Onset::default(),
            barge: Barge::default(),
            open: None,
            preroll: Preroll::new(),
            outbox: Outbox::new(),
            screen: None,
            next_utterance: 1,
            patience_ms: 0,
            ended_at: None,
            gap_hops: 0,
            heard_until: None,
        }
    }

    /// From now on this kind of answer is expected.
    pub fn expect(&mut self, expectation: Expectation) {
        self.expectation = expectation;
    }

    /// A call of ours was just answered: find out by whom.
    pub fn screen(&mut self) {
        self.screen = Some(Screen::default());
        self.sense.names_tones = true;
    }

    /// What early recognition thinks of `utterance`, whose `Settling` it followed. Stale verdicts are ignored.
    pub fn judge(&mut self, utterance: u32, verdict: Verdict) {
        if let Some(open) = self.open.as_mut().filter(|open| open.number == utterance && open.silent_ms() > 0) {
            open.verdict = Some(verdict);
        }
    }

    /// Hears the next frame. `playing` is our turn that has sound now, and `played_level` the root mean square of the frame last played.
    pub fn handle_frame(&mut self, now: Instant, captured: &Captured, playing: Option<TurnId>, played_level: u16) {
        self.heard_until = Some(now);
        let played = if playing.is_some() { Level::of_rms(played_level) } else { Level::SILENCE };
        match self.clock.place(captured) {
            Place::Follows => {}
            Place::After(hole) => self.fill(hole, playing),
            Place::Anew => self.start_anew(captured),
        }
        let heard = Level::of_rms(rms(captured.frame.samples()));
        self.echo.note(played, heard, self.open.is_none());
        self.hear(&captured.frame, captured.kind, playing);
    }

    /// Counts silence by the clock when no frames come any more.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(until) = self.heard_until.filter(|_| self.open.is_some()) else { return };
        if now < until + STARVED {
            return;
        }
        let hops = (now.since(until).as_millis() / HOP.as_millis()).min(256);
        for _ in 0..hops {
            self.step_open(None);
        }
        self.heard_until = Some(now);
    }

    /// The next report, oldest first.
    pub fn poll_output(&mut self) -> Option<Heard> {
        self.outbox.poll()
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.open.as_ref().and(self.heard_until).map(|until| until + STARVED)
    }

    /// What playback has to do now. It holds whether or not the reports were polled.
    pub fn hold(&self) -> Hold {
        self.barge.hold()
    }

    /// Reports dropped because nobody polled them in time.
    pub fn lost_reports(&self) -> u64 {
        self.outbox.lost()
    }

    fn hear(&mut self, frame: &Frame, kind: CapturedKind, playing: Option<TurnId>) {
        self.preroll.keep(self.clock.next(), frame);
        if let Some(open) = &self.open {
            self.outbox.say(Heard::Audio { utterance: open.number, frame: *frame });
        }
        self.clock.pass(frame.samples().len());
        let hops = self.sense.hear(frame, kind, &mut self.clock);
        for hop in hops.iter() {
            self.handle_hop(&hop, playing);
        }
    }

    fn handle_hop(&mut self, hop: &Hop, playing: Option<TurnId>) {
        self.gap_hops = if hop.gap { self.gap_hops + 1 } else { 0 };
        self.screen_hop(hop);
        if self.open.is_some() {
            let voiced = self.is_voiced(hop);
            if voiced && !hop.gap {
                self.caller.speaks(hop.level);
                self.weigh_over_ours(hop, playing);
            }
            self.step_open(Some(hop).filter(|_| voiced));
        } else {
            self.caller.rests();
            if let Some(begun) = self.weigh(hop, playing) {
                self.begin(hop, begun, playing);
            }
        }
    }

    fn screen_hop(&mut self, hop: &Hop) {
        let voiced = hop.score >= self.settings.voiced_score && hop.above_floor >= self.settings.floor_margin_db;
        if let Some(who) = self.screen.as_mut().and_then(|screen| screen.hear(hop, voiced)) {
            self.outbox.say(Heard::Answered { who });
        }
        if self.screen.is_some_and(Screen::is_over) {
            self.screen = None;
            self.sense.names_tones = false;
        }
    }

    /// Whether a hop belongs to the voice of the open utterance.
    fn is_voiced(&self, hop: &Hop) -> bool {
        if hop.gap {
            return self.gap_hops <= GAP_HOPS_BRIDGED && self.open.as_ref().is_some_and(|open| open.silent_ms() == 0);
        }
        let settings = &self.settings;
        hop.score >= settings.voiced_score
            && hop.above_floor >= settings.floor_margin_db
            && hop.level >= self.echo.expected()
            && hop.level >= self.caller.bar(settings.behind_voiced_db)
    }

    /// Sums the evidence for a voice that begins; the bar is higher while we play.
    fn weigh(&mut self, hop: &Hop, playing: Option<TurnId>) -> Option<Begun> {
        let settings = &self.settings;
        let loud = hop.above_floor >= settings.floor_margin_db
            && hop.level.above(self.echo.expected()) >= settings.echo_margin_db
            && hop.level >= self.caller.bar(settings.behind_onset_db);
        let bar = if playing.is_none() {
            Bar { pivot: settings.onset_score, enough: settings.onset_evidence }
        } else {
            #[expect(clippy::cast_precision_loss, reason = "three at most")]
            let raised = self.barge.false_stops(playing) as f32 * FALSE_STOP_EVIDENCE;
            Bar { pivot: settings.onset_score_playing, enough: settings.onset_evidence_playing + raised }
        };
        self.onset.weigh(hop, loud, bar)
    }

    /// A voice that was there before we began to play, and goes on over ours.
    fn weigh_over_ours(&mut self, hop: &Hop, playing: Option<TurnId>) {
        if playing.is_none() || matches!(self.barge.hold(), Hold::Paused(_)) {
            return;
        }
        if let Some(begun) = self.weigh(hop, playing) {
            self.pause_if_over(begun, playing);
        }
    }

    fn begin(&mut self, hop: &Hop, begun: Begun, playing: Option<TurnId>) {
        let number = self.next_utterance;
        self.next_utterance = number.wrapping_add(1);
        self.learn_patience(begun.at, playing);
        self.open = Some(Utterance::begin(number, hop.end, begun.voiced_hops));
        self.outbox.say(Heard::VoiceBegan { utterance: number, at: begun.at });
        self.pause_if_over(begun, playing);
        let preroll = Samples::from_millis(self.settings.preroll_ms, self.clock.rate());
        let from = Samples(begun.at.0.saturating_sub(preroll.0));
        for frame in self.preroll.since(from) {
            self.outbox.say(Heard::Audio { utterance: number, frame: *frame });
        }
    }

    fn pause_if_over(&mut self, begun: Begun, playing: Option<TurnId>) {
        let Some(open) = self.open else { return };
        if let Some(what) = self.barge.voice_over(playing, begun.voiced_hops) {
            self.tell(what, open.number);
        }
    }

    /// The caller went on so soon after an end that the end came too early.
    fn learn_patience(&mut self, at: Samples, playing: Option<TurnId>) {
        let soon = Samples::from_millis(CUT_OFF_MS, self.clock.rate()).0;
        let cut_off = playing.is_none() && self.ended_at.is_some_and(|ended| at.0.saturating_sub(ended.0) < soon);
        if cut_off {
            self.patience_ms = (self.patience_ms + PATIENCE_STEP_MS).min(PATIENCE_MS_MAX);
        }
    }

    /// One hop for the open utterance; `voiced` carries the hop when it is part of the voice.
    fn step_open(&mut self, voiced: Option<&Hop>) {
        let Some(mut open) = self.open else { return };
        let hangover = hangover_ms(self.expectation, open.voiced_ms(), open.verdict, self.patience_ms);
        let step = open.step(voiced.map(|hop| hop.end), self.settings.settle_ms, hangover);
        self.open = Some(open);
        if let Some(what) = self.barge.step(voiced.is_some(), &self.settings) {
            self.tell(what, open.number);
        }
        match step {
            Step::Goes => {}
            Step::Settled => self.outbox.say(Heard::Settling { utterance: open.number, last_voiced: open.last_voiced }),
            Step::Continued => self.outbox.say(Heard::Continued { utterance: open.number }),
            Step::Ends(why) => self.end(open, why),
        }
    }

    fn end(&mut self, open: Utterance, why: EndReason) {
        if let Some(what) = self.barge.close(&self.settings) {
            self.tell(what, open.number);
        }
        let over_ours = self.barge.went_on_over(open.number);
        let why = match why {
            EndReason::Cut => EndReason::Cut,
            _ if open.voiced_ms() < self.settings.speech_ms_min => EndReason::NoSpeech,
            _ if over_ours => EndReason::Backchannel,
            why => why,
        };
        let Utterance { number: utterance, last_voiced, .. } = open;
        let silent_ms = Samples(self.clock.next().0.saturating_sub(last_voiced.0)).to_millis(self.clock.rate());
        self.outbox.say(Heard::Ended { utterance, last_voiced, silent_ms, voiced_ms: open.voiced_ms(), why });
        self.open = None;
        self.onset.clear();
        self.ended_at = Some(self.clock.next());
        if why == EndReason::Cut {
            self.preroll.clear();
        }
    }

    fn tell(&mut self, what: Move, utterance: u32) {
        let heard = match what {
            Move::Pause => Heard::Pause { utterance },
            Move::Yield => Heard::Yield { utterance },
            Move::Resume(why) => Heard::Resume { utterance, why: self.name_false_stop(why) },
        };
        self.barge.mark(what, utterance);
        self.outbox.say(heard);
    }

    /// A short voice that died when we fell silent may have been our own.
    fn name_false_stop(&mut self, why: FalseStop) -> FalseStop {
        if self.echo.blame() { FalseStop::Echo } else { why }
    }

    /// Lost frames become silence, so that the recogniser's time and ours stay true.
    fn fill(&mut self, hole: Samples, playing: Option<TurnId>) {
        let rate = self.clock.rate();
        let mut left = usize::try_from(hole.0).unwrap_or(0);
        let whole = Frame::silence(rate);
        while left > 0 {
            let frame = if left >= whole.samples().len() { whole } else { Frame::new(rate, &whole.samples()[..left]) };
            left -= frame.samples().len();
            self.hear(&frame, CapturedKind::Gap, playing);
        }
    }

    /// Another clock, another rate: what was open ends here, and nothing kept may be mixed with what comes.
    fn start_anew(&mut self, captured: &Captured) {
        if let Some(open) = self.open {
            self.end(open, EndReason::Silence);
        }
        self.clock.restart(captured);
        self.onset.clear();
        self.preroll.clear();
        self.sense.realign();
        self.ended_at = None;
        self.gap_hops = 0;
    }
}
