//! A leg that a call placed: one task that rings, answers to the call's wishes, and tells it what happens there.
//!
//! When the call lets go of the wishes' other end the leg ends: it never outlives its call.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::doorman::Pass;
use super::house::House;
use super::hub::LegNews as SoundNews;
use super::leg;
use super::line::News;
use super::news::{Aim, SipNews};
use super::place::Placed;
use super::telling::Telling;
use super::ways::Way;
use crate::base::{CallId, LegId, Pii};
use crate::call::{Context, LegNews, LegNo, Member, Parting, Stock, Tune};
use crate::config::Context as Travels;
use crate::media::{self, Report};
use crate::sdp::{Direction, Negotiated, Session};
use crate::sip::{Command, Reason, Replaces, SipCall};

/// Wishes that wait for one leg at once: more, and the call is told that the leg is gone.
pub const WISHES_MAX: usize = 32;

/// Places that are tried when a telephone sends us elsewhere.
const REDIRECTS_MAX: usize = 3;

/// What the call wants of a leg.
#[derive(Debug)]
pub enum Wish {
    /// Say this.
    Tell(Pii<String>),
    /// Say nothing more.
    Hush,
    /// Let it and this leg hear each other.
    Bridge(LegId),
    /// Play this to it.
    Tune(Tune),
    /// Press a key towards it.
    Press(char),
    /// Take its REFER, or refuse it.
    AnswerRefer(Result<(), u16>),
    /// Tell it how that goes.
    NotifyRefer(u16),
    /// Belong to another call from now on, under this name there.
    Rehome(LegNo, mpsc::Sender<News>),
    /// End it.
    Drop(Parting, Option<Reason>),
}

/// What is to be rung, and for whom.
#[derive(Debug)]
pub struct Errand {
    /// The leg's name within the call.
    pub leg: LegNo,
    /// Whom.
    pub member: Member,
    /// What travels along.
    pub context: Context,
    /// The call.
    pub id: CallId,
    /// Whose voice tells the brief.
    pub agent: String,
    /// The number that the person sees.
    pub from: Pii<String>,
    /// Hops left.
    pub max_forwards: u8,
    /// The dialog at the person's telephone that this call takes the place of (RFC 3891).
    pub replaces: Option<Box<Replaces>>,
    /// Where they are, where that is known already.
    pub ways: Option<Vec<Way>>,
    /// A call for help asks no trunk for its share.
    pub emergency: bool,
}

impl Errand {
    /// Leave of the trunk's caps, where a trunk carries the call.
    fn pass(&self, house: &House, way: &Way) -> Result<Option<Pass>, u16> {
        let Some(trunk) = way.trunk.as_ref().filter(|_| !self.emergency) else { return Ok(None) };
        let pass = house.doorman.admit_out(&trunk.name);
        pass.map(Some).map_err(|over| {
            tracing::warn!(call_id = %self.id, trunk = trunk.name, %over, "a trunk does not take the call");
            over.status()
        })
    }
}

/// Rings, and stays with the leg to its end.
pub async fn ring(house: Arc<House>, mut errand: Errand, mut wishes: mpsc::Receiver<Wish>, news: mpsc::Sender<News>) {
    let mut home = Home { no: errand.leg, news };
    let last = run(&house, &mut errand, &mut wishes, &mut home).await;
    let Home { no, news } = home;
    if let Some((last, reason)) = last {
        let _ = news.send(News::LastOfLeg(no, last, reason)).await;
    }
}

/// The call that a leg belongs to.
struct Home {
    no: LegNo,
    news: mpsc::Sender<News>,
}

/// The leg's last news; none when the call gave it up.
async fn run(
    house: &Arc<House>,
    errand: &mut Errand,
    wishes: &mut mpsc::Receiver<Wish>,
    home: &mut Home,
) -> Option<(LegNews, Option<Reason>)> {
    let failed = |status| Some((LegNews::Failed(status), None));
    let (mut ways, travels) = match ways_of(house, errand).await {
        Ok(found) => found,
        Err(status) => return failed(status),
    };
    let (mut status, mut redirects) = (480, 0);
    while !ways.is_empty() {
        let mut second = match Second::place(house, errand, &travels, ways.remove(0)).await {
            Ok(second) => second,
            Err(refused) => {
                status = refused;
                continue;
            }
        };
        let end = second.live(wishes, home).await;
        second.end().await;
        match end {
            End::Failed(why) if matches!(why, 408 | 430 | 500..=599) => status = why,
            End::Failed(why) => return failed(why),
            End::Elsewhere(contacts) => {
                status = 480;
                for contact in contacts {
                    let reach = house.reach(contact.expose()).filter(|_| redirects < REDIRECTS_MAX);
                    redirects += 1;
                    if let Some((reach, _)) = reach {
                        ways.extend(house.ways(&reach).await.unwrap_or_default());
                    }
                }
            }
            End::Gone(reason) => return Some((LegNews::Gone, reason)),
            End::Dropped => return None,
        }
    }
    failed(status)
}

async fn ways_of(house: &House, errand: &mut Errand) -> Result<(Vec<Way>, Travels), u16> {
    if let Some(ways) = errand.ways.take() {
        return Ok((ways, Travels::None));
    }
    let (reach, travels) = house.reach(errand.member.who.expose()).ok_or(404_u16)?;
    let ways = house.ways(&reach).await.map_err(|why| {
        tracing::warn!(call_id = %errand.id, %why, "somebody cannot be called");
        why.status()
    })?;
    Ok((ways, travels))
}

enum End {
    Failed(u16),
    Elsewhere(Vec<Pii<String>>),
    Gone(Option<Reason>),
    Dropped,
}

struct Second<'a> {
    house: &'a Arc<House>,
    no: LegNo,
    id: CallId,
    call: SipCall,
    sip: mpsc::Receiver<SipNews>,
    /// The signalling has told its last.
    over: bool,
    leg: LegId,
    session: Session,
    sound: mpsc::Receiver<SoundNews>,
    telling: Telling,
    /// The other side holds the call, and is said to send its own music meanwhile.
    holds: bool,
    /// What a call that is asked for shall take the place of, until the call is told.
    aim: Option<Aim>,
    parting: Reason,
    /// What it counts against, to its end.
    _pass: Option<Pass>,
}

impl<'a> Second<'a> {
    async fn place(house: &'a Arc<House>, errand: &Errand, travels: &Travels, way: Way) -> Result<Self, u16> {
        let opened = leg::open_unheard(house, house.ours(way.flow), None).map_err(|refusal| {
            tracing::warn!(call_id = %errand.id, why = %refusal.why, "no second leg");
            refusal.status
        })?;
        let pass = errand.pass(house, &way)?;
        let mut invite = way.invite(opened.description, errand.from.expose());
        invite.from_display = errand.context.name.as_ref().map(|name| name.expose().clone()).unwrap_or_default();
        invite.max_forwards = errand.max_forwards;
        invite.replaces = errand.replaces.as_deref().cloned();
        invite.headers.extend(super::context::headers(travels, &errand.id, &errand.context));
        let (sound_in, sound) = mpsc::channel(super::line::NEWS_MAX);
        let Placed { call, call_id, news: sip } = house.place(invite).await.ok_or(503_u16)?;
        house.trace.name(&call_id, errand.id.as_str());
        tracing::info!(call_id = %errand.id, leg = errand.leg.0, to = %way.flow.remote, "a second leg is rung");
        let telling = Telling::open(house, opened.id, &errand.agent, opened.playback);
        leg::begin(house, opened.setup, sound_in);
        let (no, id, session, leg) = (errand.leg, errand.id.clone(), opened.session, opened.id);
        Ok(Self {
            house,
            no,
            id,
            call,
            sip,
            over: false,
            leg,
            session,
            sound,
            telling,
            holds: false,
            aim: None,
            parting: reason(Parting::Over),
            _pass: pass,
        })
    }

    async fn live(&mut self, wishes: &mut mpsc::Receiver<Wish>, home: &mut Home) -> End {
        loop {
            let told = tokio::select! {
                wish = wishes.recv() => match wish {
                    Some(Wish::Drop(parting, passed_on)) => {
                        self.parting = passed_on.filter(|_| parting == Parting::Over).unwrap_or_else(|| reason(parting));
                        return End::Dropped;
                    }
                    None => return End::Dropped,
                    Some(Wish::Rehome(no, news)) => {
                        self.no = no;
                        *home = Home { no, news };
                        None
                    }
                    Some(wish) => {
                        self.wish(wish).await;
                        None
                    }
                },
                told = self.sip.recv() => match self.signalled(told.unwrap_or(SipNews::Gone { failed: true, reason: None })).await {
                    Ok(told) => told,
                    Err(end) => {
                        self.over = true;
                        return end;
                    }
                },
                Some(sound) = self.sound.recv() => self.heard(&sound),
                done = self.telling.go_on() => done.then_some(LegNews::Told),
            };
            let Some(told) = told else { continue };
            let news_of_leg = match self.aim.take() {
                Some(aim) => News::Attended(self.no, told, aim),
                None => News::Leg(self.no, told),
            };
            if home.news.send(news_of_leg).await.is_err() {
                return End::Dropped;
            }
        }
    }

    async fn wish(&mut self, wish: Wish) {
        let call = self.call;
        match wish {
            Wish::Tell(text) => {
                let stock = self.house.phrases.get(Stock::TakeCall);
                self.telling.tell(text, stock);
            }
            Wish::Hush => {
                let turn = self.telling.hush();
                self.house.hub.media(media::Order::FlushBelow(self.leg, turn));
            }
            Wish::Bridge(other) => {
                self.house.hub.media(media::Order::Bridge(other, self.leg));
                tracing::info!(call_id = %self.id, leg = self.no.0, "two legs are joined");
            }
            Wish::Tune(tune) => {
                self.house.hub.media(media::Order::Tune(self.leg, leg::tune(tune)));
            }
            Wish::Press(key) => {
                self.house.hub.media(media::Order::SendDigit(self.leg, key));
            }
            Wish::AnswerRefer(Ok(())) => self.house.sip(Command::AcceptRefer { call }).await,
            Wish::AnswerRefer(Err(status)) => self.house.sip(Command::RejectRefer { call, status }).await,
            Wish::NotifyRefer(status) => self.house.sip(Command::NotifyRefer { call, status }).await,
            Wish::Rehome(..) | Wish::Drop(..) => {}
        }
    }

    async fn signalled(&mut self, told: SipNews) -> Result<Option<LegNews>, End> {
        match told {
            SipNews::Progress(180..=189) => Ok(Some(LegNews::Ringing)),
            SipNews::Answered(answer) => self.answered(answer).await,
            SipNews::Failed(status) => Err(End::Failed(status)),
            SipNews::Redirected(contacts) => Err(End::Elsewhere(contacts)),
            SipNews::Gone { reason, .. } => Err(End::Gone(reason)),
            SipNews::Digit(digit) => Ok(Some(LegNews::Key(digit))),
            SipNews::Reoffer(offer) => Ok(self.reoffered(offer).await),
            SipNews::OfferAnswered(Some(answer)) | SipNews::Acked(Some(answer)) => {
                let agreed = self.session.accept_answer(&answer).ok();
                Ok(agreed.and_then(|agreed| self.agree(&agreed)))
            }
            SipNews::Referred { target, aim } => {
                self.aim = aim;
                Ok(Some(LegNews::Referred { to: target }))
            }
            SipNews::Moved(flow) => {
                self.session.set_address(self.house.ours(flow).shown());
                let sdp = self.session.offer();
                self.house.sip(Command::Offer { call: self.call, sdp }).await;
                Ok(None)
            }
            SipNews::Replacing { by, offer } => {
                self.place_taken(by, offer).await;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    async fn answered(&mut self, answer: Option<Bytes>) -> Result<Option<LegNews>, End> {
        let agreed = answer.and_then(|answer| self.session.accept_answer(&answer).inspect_err(|error| self.misfit(error)).ok());
        let Some(agreed) = agreed else {
            self.house.sip(Command::Hangup { call: self.call, reason: Some(Reason::sip(488, "the answer does not fit our offer")) }).await;
            return Err(End::Failed(488));
        };
        self.agree(&agreed);
        Ok(Some(LegNews::Answered))
    }

    fn misfit(&self, error: &crate::sdp::OfferError) {
        tracing::warn!(call_id = %self.id, leg = self.no.0, %error, "the person's telephone answered our offer with something else");
    }

    /// Another telephone takes this one's place (RFC 3891): the leg goes on with it.
    async fn place_taken(&mut self, by: SipCall, offer: Option<Bytes>) {
        match leg::answer_or_offer(&mut self.session, offer.as_deref()) {
            Ok((answer, agreed)) => {
                agreed.inspect(|agreed| drop(self.agree(agreed)));
                self.house.sip(Command::Accept { call: by, answer }).await;
                self.call = by;
            }
            Err(refusal) => self.house.sip(Command::Reject { call: by, status: refusal.status, reason: Some(refusal.why) }).await,
        }
    }

    async fn reoffered(&mut self, offer: Option<Bytes>) -> Option<LegNews> {
        let call = self.call;
        let Some(offer) = offer else {
            let sdp = Some(self.session.offer());
            self.house.sip(Command::Answer { call, sdp }).await;
            return None;
        };
        match self.session.answer(&offer) {
            Ok((answer, agreed)) => {
                let told = self.agree(&agreed);
                self.house.sip(Command::Answer { call, sdp: Some(answer) }).await;
                told
            }
            Err(error) => {
                self.house.sip(Command::RejectOffer { call, status: error.status() }).await;
                None
            }
        }
    }

    /// Other media hold from now on. Whoever holds us without sending anything leaves the caller to our music.
    fn agree(&mut self, agreed: &Negotiated) -> Option<LegNews> {
        self.house.hub.media(media::Order::Renegotiate(self.leg, leg::renegotiation(agreed)));
        let held = !matches!(agreed.direction, Direction::SendRecv | Direction::SendOnly);
        let changed = std::mem::replace(&mut self.holds, held) != held;
        (changed && (!held || agreed.direction == Direction::Inactive)).then_some(LegNews::Held(held))
    }

    fn heard(&mut self, sound: &SoundNews) -> Option<LegNews> {
        let SoundNews::Media(report) = sound else { return None };
        match *report {
            Report::Digit { digit, .. } => Some(LegNews::Key(digit)),
            Report::Played { turn, clip, finished: true, .. } => self.telling.played(turn, clip).then_some(LegNews::Told),
            Report::RtpSilent { .. } if self.holds => Some(LegNews::Held(true)),
            Report::RtpBack { .. } if self.holds => Some(LegNews::Held(false)),
            _ => None,
        }
    }

    async fn end(self) {
        leg::end_unheard(self.house, self.leg);
        self.house.hub.unsubscribe(self.leg);
        if !self.over {
            self.house.sip(Command::Hangup { call: self.call, reason: Some(self.parting) }).await;
        }
        tracing::info!(call_id = %self.id, leg = self.no.0, "a second leg is over");
    }
}

/// RFC 3326 §2: a telephone that was rung in vain shows no missed call when somebody else took it.
fn reason(parting: Parting) -> Reason {
    match parting {
        Parting::Elsewhere => Reason::sip(200, "Call completed elsewhere"),
        Parting::Over => Reason::q850(16, "Normal call clearing"),
        Parting::NoAnswer => Reason::q850(19, "No answer from user"),
        Parting::Declined => Reason::q850(21, "Call rejected"),
    }
}
