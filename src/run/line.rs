//! One call's task: it carries news to [`crate::call::Call`] and does what the call asks for. It decides nothing.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::base::limits::UTTERANCE_MS_MAX;
use crate::base::{CallId, Instant, LegId, Pii, Rate, Samples, StreamId, TurnId};
use crate::call::{Answer, Call, Filed, Hearing, Input, Journalled, LegNews, LegNo, Line as Wire, Plan, Sound};
use crate::config::TransferBy;
use crate::dialogue::{Agent, CallFacts, Calling, Kernel, Outcome};
use crate::hear::Heard;
use crate::listen::ListenReport;
use crate::media::Report;
use crate::sip::{Command, Reason, SipCall};

use super::house::{House, Ours};
use super::hub::LegNews as SoundNews;
use super::leg::{self, OpenLeg, Prepared};
use super::news::{Aim, SipNews};
use super::plans;
use super::scribe::Scribe;
use super::second::Wish;
use super::voice::{FEED, Feeder, Made, Mouth};

/// News that wait for one call at once: some 20 s of sound.
pub(super) const NEWS_MAX: usize = 1_024;

/// What is known of a call when it arrives.
#[derive(Debug)]
pub struct Opening {
    /// The signalling's name for it.
    pub sip: SipCall,
    /// Our name for it.
    pub id: CallId,
    /// Who calls.
    pub from: Pii<String>,
    /// What was dialled.
    pub dialled: String,
    /// Who answers.
    pub agent: Arc<Agent>,
    /// The caller's SDP.
    pub offer: Option<Bytes>,
    /// Our address on the way to the caller.
    pub local: Ours,
    /// Hops left for calls that continue this one.
    pub max_forwards: u8,
    /// Who is rung before the agent answers.
    pub first: Option<Plan>,
    /// Why we call; none when they did.
    pub calling: Option<Calling>,
    /// How the trunk that the call came by puts callers through.
    pub transfer: TransferBy,
}

/// Answers a call and stays with it to its end.
pub async fn answer(house: Arc<House>, opening: Opening, sip_news: mpsc::Receiver<SipNews>) {
    let sip = opening.sip;
    let opened = leg::open(&house, opening.local, opening.offer.as_deref());
    let leg = match opened {
        Ok(leg) => leg,
        Err(refusal) => {
            tracing::warn!(call_id = %opening.id, status = refusal.status, why = %refusal.why, "call refused");
            house.sip(Command::Reject { call: sip, status: refusal.status, reason: Some(refusal.why) }).await;
            return;
        }
    };
    tracing::info!(call_id = %opening.id, agent = opening.agent.name(), caller = ?opening.from, path = %leg.path, "call taken");
    let began = house.clock.now();
    if opening.first.is_none() {
        // The answer goes out before the record is written: nobody waits for a disk to be picked up.
        house.sip(Command::Accept { call: sip, answer: leg.description.clone() }).await;
    }
    begin_record(&house, &opening).await;
    let first = opening.first.clone();
    let mut task = Line::new(house, &opening, leg, began);
    match first {
        None => task.begin_sound(),
        Some(plan) => task.tell(Input::First(plan)),
    }
    task.run(sip_news).await;
}

/// The beginning of a call on disk.
pub(super) async fn begin_record(house: &House, opening: &Opening) {
    let call = crate::store::NewCall {
        id: opening.id.clone(),
        started_ms: crate::base::clock::unix_millis(),
        from: opening.from.clone(),
        to: opening.dialled.clone(),
        agent: opening.agent.name().to_owned(),
        agent_version: opening.agent.version().to_owned(),
    };
    if let Err(error) = house.store.begin_call(call).await {
        tracing::error!(call_id = %opening.id, %error, "the call goes on without a record");
    }
}

/// Answers that come from tasks of this call's own.
pub(super) enum News {
    Engine(Answer),
    Made(Made),
    Filed(Filed),
    /// From a leg that we placed.
    Leg(LegNo, LegNews),
    /// The same, asking for a call that takes the place of this dialog.
    Attended(LegNo, LegNews, Aim),
    /// A leg of another call of ours is this call's now.
    Claimed(LegNo, mpsc::Sender<Wish>),
    /// The same for the last time, with what its peer said of it.
    LastOfLeg(LegNo, LegNews, Option<Reason>),
}

pub(super) struct Line {
    pub(super) house: Arc<House>,
    pub(super) id: CallId,
    pub(super) sip: SipCall,
    pub(super) call: Call,
    pub(super) began: Instant,
    pub(super) leg: LegId,
    pub(super) session: crate::sdp::Session,
    /// The offer is ours, and has no answer yet.
    pub(super) offer_open: bool,
    /// Our SDP, until the call is answered.
    pub(super) description: Bytes,
    /// For the sound threads, until the call is answered.
    pub(super) prepared: Option<Prepared>,
    pub(super) legs: mpsc::Receiver<SoundNews>,
    pub(super) legs_in: mpsc::Sender<SoundNews>,
    /// The legs that we placed.
    pub(super) seconds: HashMap<LegNo, mpsc::Sender<Wish>>,
    pub(super) agent: String,
    pub(super) from: Pii<String>,
    pub(super) max_forwards: u8,
    /// Why the call ends, as whoever hung up said.
    pub(super) reason: Option<Reason>,
    /// What the next leg shall take the place of.
    pub(super) aim: Option<Aim>,
    /// The leg that the caller talks to.
    pub(super) joined: Option<LegNo>,
    /// The caller holds us without sending sound.
    pub(super) held: bool,
    pub(super) own: mpsc::Receiver<News>,
    pub(super) own_in: mpsc::Sender<News>,
    pub(super) stream: StreamId,
    pub(super) mouth: Mouth,
    pub(super) feeder: Feeder,
    /// 8 kHz sound of what the caller is saying or has not been answered for.
    pub(super) utterances: HashMap<u32, Vec<i16>>,
    pub(super) scribe: Scribe,
    pub(super) connected: bool,
    pub(super) hung_up: bool,
    /// What it ended with.
    pub(super) outcome: Outcome,
    /// The SIP side has told its last.
    gone: bool,
}

impl Line {
    pub(super) fn new(house: Arc<House>, opening: &Opening, leg: OpenLeg, began: Instant) -> Self {
        let (own_in, own) = mpsc::channel(NEWS_MAX);
        let stream = StreamId { slot: u16::try_from(leg.id.0 % 65_536).unwrap_or(0), generation: leg.id.0 };
        let (made_in, mut made) = mpsc::channel(64);
        let mouth = Mouth::open(&house, stream, opening.agent.name(), made_in);
        let forward = own_in.clone();
        tokio::spawn(async move {
            while let Some(made) = made.recv().await {
                if forward.send(News::Made(made)).await.is_err() {
                    return;
                }
            }
        });
        let facts = CallFacts {
            caller_number: Some(opening.from.clone()),
            dialled: opening.dialled.clone(),
            number_trusted: false,
            calling: opening.calling,
        };
        let scribe = Scribe::new(house.store.clone(), opening.id.clone(), opening.agent.name().to_owned(), opening.agent.zone().clone());
        let mut settings = house.call_settings.clone();
        settings.people = plans::by_trunk(&settings.people, opening.transfer);
        let opened = house.opened(&opening.agent, &settings, &facts);
        scribe.journal(0, "opened", &opened);
        let kernel = Kernel::new(Arc::clone(&opening.agent), facts);
        let call = Call::new(settings, kernel, Instant::ZERO);
        let (legs_in, legs) = mpsc::channel(NEWS_MAX);
        Self {
            id: opening.id.clone(),
            sip: opening.sip,
            call,
            began,
            leg: leg.id,
            session: leg.session,
            offer_open: opening.offer.is_none(),
            description: leg.description,
            prepared: Some(leg.setup),
            legs,
            legs_in,
            seconds: HashMap::new(),
            agent: opening.agent.name().to_owned(),
            from: opening.from.clone(),
            max_forwards: opening.max_forwards,
            reason: None,
            aim: None,
            joined: None,
            held: false,
            own,
            own_in,
            stream,
            mouth,
            feeder: Feeder::new(leg.playback),
            utterances: HashMap::new(),
            scribe,
            connected: false,
            hung_up: false,
            outcome: Outcome::Abandoned,
            gone: false,
            house,
        }
    }

    pub(super) async fn run(&mut self, mut sip_news: mpsc::Receiver<SipNews>) {
        let mut engine_events = self.house.engines.subscribe();
        let mut feed = tokio::time::interval(FEED);
        feed.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.perform().await;
            if self.call.is_over() {
                break;
            }
            let deadline = self.call.poll_deadline().map(|at| self.house.clock.to_std(self.to_house(at)));
            let due = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Once the call has gone nobody sends here any more, and an ended channel answers at once for ever.
                news = sip_news.recv(), if !self.gone => self.signalled(news.unwrap_or(SipNews::Gone { failed: true, reason: None })).await,
                Some(news) = self.legs.recv() => self.leg_news(&news),
                Some(news) = self.own.recv() => self.own_news(news),
                event = engine_events.recv() => self.engine_event(event.ok().as_ref()),
                _ = feed.tick(), if self.feeder.is_waiting() => self.feeder.feed(),
                () = due => self.wake(),
            }
        }
        self.house.hub.unsubscribe(self.leg);
        tracing::info!(call_id = %self.id, "call over");
    }

    /// The call's own clock: zero when it was answered.
    pub(super) fn now(&self) -> Instant {
        Instant::from_micros(self.house.clock.now().as_micros().saturating_sub(self.began.as_micros()))
    }

    fn to_house(&self, at: Instant) -> Instant {
        self.began + at.since(Instant::ZERO)
    }

    fn local(&self) -> crate::base::civil::DateTime {
        self.house.zone.at(crate::base::clock::unix_millis())
    }

    pub(super) fn tell(&mut self, input: Input) {
        let (now, local) = (self.now(), self.local());
        self.scribe.journal(now.as_millis(), "input", &Journalled { at_us: now.as_micros(), local, input: Some(input.clone()) });
        self.call.handle(now, local, input);
    }

    fn wake(&mut self) {
        let (now, local) = (self.now(), self.local());
        if self.call.poll_deadline().is_some_and(|at| at <= now) {
            self.scribe.journal(now.as_millis(), "input", &Journalled { at_us: now.as_micros(), local, input: None });
            self.call.handle_timeout(now, local);
        }
    }

    async fn signalled(&mut self, news: SipNews) {
        match news {
            SipNews::Acked(answer) => {
                match answer {
                    Some(answer) => self.agreed(&answer).await,
                    None if self.offer_open => return self.end_unanswered().await,
                    None => {}
                }
                self.connect();
            }
            SipNews::Reoffer(offer) => self.reoffered(offer).await,
            SipNews::Moved(ours) => self.moved(ours).await,
            SipNews::Digit(digit) => self.tell(Input::Line(Wire::Key(digit))),
            SipNews::ReferAccepted => self.tell(Input::Line(Wire::ReferAccepted)),
            SipNews::ReferProgress(status) => self.tell(Input::Line(Wire::ReferProgress(status))),
            SipNews::ReferFailed(status) => self.tell(Input::Line(Wire::ReferFailed(status))),
            SipNews::Gone { failed, reason } => {
                self.hung_up = true;
                self.gone = true;
                self.reason = reason;
                if self.prepared.take().is_none() {
                    leg::end(&self.house, self.leg);
                }
                self.tell(Input::Line(Wire::Gone { failed }));
            }
            SipNews::Replacing { by, offer } => {
                if let Some((answer, agreed)) = self.place_taken(by, offer).await {
                    agreed.inspect(|agreed| self.agree(agreed));
                    self.house.sip(Command::Accept { call: by, answer }).await;
                    self.sip = by;
                }
            }
            SipNews::Claimed(claim) => self.give_leg(claim),
            SipNews::Referred { .. } => self.tell(Input::Line(Wire::Referred)),
            SipNews::OfferAnswered(Some(answer)) => self.agreed(&answer).await,
            SipNews::OfferAnswered(None)
            | SipNews::OfferRefused
            | SipNews::Progress(_)
            | SipNews::Answered(_)
            | SipNews::Failed(_)
            | SipNews::Redirected(_) => {}
        }
    }

    fn connect(&mut self) {
        if !std::mem::replace(&mut self.connected, true) {
            self.tell(Input::Line(Wire::Connected));
        }
    }

    fn leg_news(&mut self, news: &SoundNews) {
        match *news {
            SoundNews::Heard(ref report) => self.heard(report),
            SoundNews::Media(Report::FirstPacket { .. }) => self.connect(),
            SoundNews::Media(Report::Digit { digit, .. }) => self.tell(Input::Line(Wire::Key(digit))),
            SoundNews::Media(Report::Began { turn, clip, .. }) => {
                self.tell(Input::Sound(Sound::Played { turn, clip, samples: 1, finished: false }));
            }
            SoundNews::Media(Report::Played { turn, clip, samples, finished, .. }) => {
                self.tell(Input::Sound(Sound::Played { turn, clip, samples: samples.0, finished }));
                self.feeder.feed();
            }
            SoundNews::Media(Report::Removed { stats, .. }) => {
                let (lost, jitter) = (stats.receive.lost, stats.receive.jitter_us);
                tracing::info!(call_id = %self.id, sent = stats.sent, lost, jitter_us = jitter, foreign = stats.foreign, "leg over");
            }
            SoundNews::Media(_) => {}
        }
    }

    fn heard(&mut self, report: &ListenReport) {
        let hearing = match report.heard {
            Heard::VoiceBegan { utterance, .. } => {
                self.utterances.insert(utterance, Vec::new());
                Hearing::Began(utterance)
            }
            Heard::Audio { utterance, frame } => {
                let most = usize::try_from(Samples::from_millis(UTTERANCE_MS_MAX, Rate::K8).0).unwrap_or(usize::MAX);
                if let Some(pcm) = self.utterances.get_mut(&utterance).filter(|pcm| pcm.len() < most) {
                    pcm.extend_from_slice(frame.samples());
                }
                return;
            }
            Heard::Pause { .. } => return,
            Heard::Answered { who } => Hearing::Answered(who),
            Heard::Resume { utterance, .. } => Hearing::Resumed(utterance),
            Heard::Yield { utterance } => Hearing::Yielded(utterance),
            Heard::Settling { utterance, .. } => Hearing::Settling(utterance),
            Heard::Continued { utterance } => Hearing::Continued(utterance),
            Heard::Ended { utterance, silent_ms, voiced_ms, why, .. } => Hearing::Ended { utterance, voiced_ms, silent_ms, why },
        };
        self.tell(Input::Hearing(hearing));
    }

    fn own_news(&mut self, news: News) {
        match news {
            News::Engine(answer) | News::Made(Made::Told(answer)) => self.tell(Input::Engine(answer)),
            News::Filed(filed) => self.tell(Input::Filed(filed)),
            News::Leg(leg, news) => self.tell(Input::Leg { leg, news }),
            News::Claimed(leg, wishes) => self.claimed(leg, wishes),
            News::Attended(leg, news, aim) => {
                self.aim = Some(aim);
                self.tell(Input::Leg { leg, news });
            }
            News::LastOfLeg(leg, news, reason) => {
                self.seconds.remove(&leg);
                self.reason = reason.or(self.reason.take());
                self.tell(Input::Leg { leg, news });
            }
            News::Made(Made::Sound { turn, range, pcm }) => self.play(turn, range, &pcm),
        }
    }

    pub(super) fn play(&mut self, turn: TurnId, range: std::ops::Range<usize>, pcm: &[i16]) {
        if pcm.is_empty() {
            return;
        }
        let clip = self.feeder.clip(turn, pcm);
        let samples = u64::try_from(pcm.len()).unwrap_or(u64::MAX);
        self.tell(Input::Engine(Answer::Clip { turn, clip, start: range.start, end: range.end, samples }));
    }
}
