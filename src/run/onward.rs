//! A call that no agent hears: a telephone of the business calls out or calls a person, or somebody calls for help. Two legs, joined in the box.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::house::{House, Ours};
use super::hub::LegNews as SoundNews;
use super::leg::{self, OpenLeg, Prepared};
use super::line::{NEWS_MAX, News};
use super::news::SipNews;
use super::second::{self, Errand, WISHES_MAX, Wish};
use super::ways::Way;
use crate::base::clock::unix_millis;
use crate::base::{CallId, LegId, Pii};
use crate::call::{Briefing, Context, LegNews, LegNo, Member, Parting};
use crate::media::{self, Report};
use crate::route::Carriage;
use crate::sdp::Session;
use crate::sip::{Command, SipCall};
use crate::store::{NewCall, Notice, Outcome};

/// How long it may ring, where nobody says otherwise.
const RING: Duration = Duration::from_mins(2);

/// How long two people may talk through us.
const LONGEST: Duration = Duration::from_hours(6);

/// Where a call goes on.
#[derive(Debug)]
pub(super) struct Onward {
    /// The emergency number that was dialled: the call is never refused for want of a line, and the owner is told.
    pub(super) emergency: Option<String>,
    /// Where to.
    pub(super) to: To,
}

/// Where to.
#[derive(Debug)]
pub(super) enum To {
    /// A number: the trunks in the order in which they are tried.
    Trunks(Vec<Carriage>),
    /// People and groups, rung together.
    People(Vec<Member>),
}

/// The call, as it arrived.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) sip: SipCall,
    pub(super) id: CallId,
    /// Who calls.
    pub(super) from: Pii<String>,
    /// By what it came, in words.
    pub(super) by: String,
    pub(super) dialled: Pii<String>,
    pub(super) offer: Option<Bytes>,
    pub(super) local: Ours,
    pub(super) max_forwards: u8,
    pub(super) onward: Onward,
}

/// Rings the other side, joins the two, and stays until one of them hangs up.
pub(super) async fn pass_on(house: Arc<House>, passing: Passing, sip_news: mpsc::Receiver<SipNews>) {
    let opened = leg::open_unheard(&house, passing.local, passing.offer.as_deref());
    let leg = match opened {
        Ok(leg) => leg,
        Err(refusal) => {
            tracing::warn!(call_id = %passing.id, status = refusal.status, why = %refusal.why, "call refused");
            let (status, reason) = (refusal.status, Some(refusal.why));
            return house.sip(Command::Reject { call: passing.sip, status, reason }).await;
        }
    };
    if let Some(number) = &passing.onward.emergency {
        tell_owner(&house, &passing, number).await;
    }
    begin_record(&house, &passing).await;
    let id = passing.id.clone();
    let mut relay = Relay::new(Arc::clone(&house), &passing, leg);
    relay.ring(passing).await;
    let answered = relay.run(sip_news).await;
    let outcome = if answered { Outcome::Transferred } else { Outcome::Abandoned };
    if let Err(error) = house.store.end_call(id.clone(), unix_millis(), outcome, None).await {
        tracing::error!(call_id = %id, %error, "the call's end is not on record");
    }
}

/// A call for help goes on whether or not this can be written down.
async fn tell_owner(house: &House, passing: &Passing, number: &str) {
    tracing::warn!(call_id = %passing.id, number, by = passing.by, "emergency call");
    let text = format!("Somebody dialled {number} {}. The call was put through at once (call {}).", passing.by, passing.id);
    let notice = Notice { at_ms: unix_millis(), kind: "emergency_call".to_owned(), text };
    if let Err(error) = house.store.write(move |ledger| ledger.notice(&notice)).await {
        tracing::error!(%error, "the notice of an emergency call is not on record");
    }
}

async fn begin_record(house: &House, passing: &Passing) {
    // The number that a telephone of ours calls belongs to somebody else: it is sealed with the caller's.
    let from = format!("{} -> {}", passing.from.expose(), passing.dialled.expose());
    let to = passing.onward.emergency.clone().unwrap_or_else(|| "put through".to_owned());
    let (id, agent) = (passing.id.clone(), String::new());
    let call = NewCall { id, started_ms: unix_millis(), from: Pii::new(from), to, agent_version: agent.clone(), agent };
    if let Err(error) = house.store.begin_call(call).await {
        tracing::error!(call_id = %passing.id, %error, "the call goes on without a record");
    }
}

struct Relay {
    house: Arc<House>,
    id: CallId,
    sip: SipCall,
    leg: LegId,
    session: Session,
    description: Bytes,
    prepared: Option<Prepared>,
    sound_in: mpsc::Sender<SoundNews>,
    sound: mpsc::Receiver<SoundNews>,
    own_in: mpsc::Sender<News>,
    own: mpsc::Receiver<News>,
    seconds: HashMap<LegNo, mpsc::Sender<Wish>>,
    joined: Option<LegNo>,
    rings: bool,
    /// What the caller is told when nobody answers.
    status: u16,
    /// The caller's side has told its last.
    gone: bool,
    until: tokio::time::Instant,
}

impl Relay {
    fn new(house: Arc<House>, passing: &Passing, leg: OpenLeg) -> Self {
        let (sound_in, sound) = mpsc::channel(NEWS_MAX);
        let (own_in, own) = mpsc::channel(NEWS_MAX);
        Self {
            house,
            id: passing.id.clone(),
            sip: passing.sip,
            leg: leg.id,
            session: leg.session,
            description: leg.description,
            prepared: Some(leg.setup),
            sound_in,
            sound,
            own_in,
            own,
            seconds: HashMap::new(),
            joined: None,
            rings: false,
            status: 480,
            gone: false,
            until: tokio::time::Instant::now() + RING,
        }
    }

    /// Rings everybody who is meant.
    async fn ring(&mut self, passing: Passing) {
        let Passing { from, max_forwards, onward, .. } = passing;
        let emergency = onward.emergency.is_some();
        let errand = |leg, member, ways: Option<Vec<Way>>| Errand {
            leg,
            member,
            context: Context::default(),
            id: self.id.clone(),
            agent: String::new(),
            from: from.clone(),
            max_forwards,
            ways,
            emergency,
            replaces: None,
        };
        let errands: Vec<Errand> = match onward.to {
            To::Trunks(carriages) if emergency => {
                let ways = self.house.emergency_ways(&carriages).await;
                if ways.is_empty() {
                    tracing::error!(call_id = %self.id, "an emergency call, and no trunk that could carry it");
                }
                vec![errand(LegNo(1), nobody_in_particular(), Some(ways))]
            }
            To::Trunks(carriages) => match self.house.ways_by(&carriages) {
                Ok(ways) => vec![errand(LegNo(1), nobody_in_particular(), Some(ways))],
                Err(why) => {
                    tracing::warn!(call_id = %self.id, %why, "no trunk takes the call");
                    self.status = why.status();
                    Vec::new()
                }
            },
            To::People(members) => (1..).zip(members).map(|(leg, member)| errand(LegNo(leg), member, None)).collect(),
        };
        for errand in errands {
            let (wishes_in, wishes) = mpsc::channel(WISHES_MAX);
            self.seconds.insert(errand.leg, wishes_in);
            tokio::spawn(second::ring(Arc::clone(&self.house), errand, wishes, self.own_in.clone()));
        }
    }

    /// True when somebody answered.
    async fn run(&mut self, mut sip_news: mpsc::Receiver<SipNews>) -> bool {
        while !self.gone && !self.seconds.is_empty() {
            tokio::select! {
                news = sip_news.recv() => self.signalled(news.unwrap_or(SipNews::Gone { failed: true, reason: None })).await,
                Some(news) = self.own.recv() => self.other_side(news).await,
                Some(news) = self.sound.recv() => self.heard(&news),
                () = tokio::time::sleep_until(self.until) => break,
            }
        }
        self.end().await;
        self.joined.is_some()
    }

    async fn signalled(&mut self, news: SipNews) {
        let call = self.sip;
        match news {
            SipNews::Gone { .. } => self.gone = true,
            SipNews::Acked(Some(answer)) | SipNews::OfferAnswered(Some(answer)) => {
                if let Ok(agreed) = self.session.accept_answer(&answer) {
                    self.house.hub.media(media::Order::Renegotiate(self.leg, leg::renegotiation(&agreed)));
                }
            }
            SipNews::Reoffer(None) => {
                let sdp = Some(self.session.offer());
                self.house.sip(Command::Answer { call, sdp }).await;
            }
            SipNews::Reoffer(Some(offer)) => match self.session.answer(&offer) {
                Ok((answer, agreed)) => {
                    self.house.hub.media(media::Order::Renegotiate(self.leg, leg::renegotiation(&agreed)));
                    self.house.sip(Command::Answer { call, sdp: Some(answer) }).await;
                }
                Err(error) => self.house.sip(Command::RejectOffer { call, status: error.status() }).await,
            },
            SipNews::Digit(key) => self.press(key),
            SipNews::Referred { .. } => self.house.sip(Command::RejectRefer { call, status: 603 }).await,
            _ => {}
        }
    }

    async fn other_side(&mut self, news: News) {
        match news {
            News::Leg(_, LegNews::Ringing) if !self.rings => {
                self.rings = true;
                self.house.sip(Command::Ring { call: self.sip }).await;
            }
            News::Leg(no, LegNews::Answered) if self.joined.is_none() => self.join(no).await,
            News::Leg(no, LegNews::Key(key)) if self.joined == Some(no) => {
                self.house.hub.media(media::Order::SendDigit(self.leg, key));
            }
            News::Leg(no, LegNews::Referred { .. }) => self.wish(no, Wish::AnswerRefer(Err(603))),
            News::LastOfLeg(no, last, _) => {
                self.seconds.remove(&no);
                if let LegNews::Failed(status) = last {
                    self.status = status;
                }
                if self.joined == Some(no) {
                    self.seconds.clear();
                }
            }
            _ => {}
        }
    }

    async fn join(&mut self, no: LegNo) {
        for (_, other) in self.seconds.extract_if(|other, _| *other != no) {
            let _ = other.try_send(Wish::Drop(Parting::Elsewhere, None));
        }
        self.house.sip(Command::Accept { call: self.sip, answer: self.description.clone() }).await;
        if let Some(prepared) = self.prepared.take() {
            leg::begin(&self.house, prepared, self.sound_in.clone());
        }
        self.joined = Some(no);
        self.until = tokio::time::Instant::now() + LONGEST;
        self.wish(no, Wish::Bridge(self.leg));
        tracing::info!(call_id = %self.id, "two telephones are joined");
    }

    fn heard(&mut self, news: &SoundNews) {
        if let SoundNews::Media(Report::Digit { digit, .. }) = *news {
            self.press(digit);
        }
    }

    fn press(&mut self, key: char) {
        if let Some(no) = self.joined {
            self.wish(no, Wish::Press(key));
        }
    }

    fn wish(&mut self, no: LegNo, wish: Wish) {
        if self.seconds.get(&no).is_some_and(|wishes| wishes.try_send(wish).is_err()) {
            self.seconds.remove(&no);
        }
    }

    async fn end(&mut self) {
        for (_, wishes) in self.seconds.drain() {
            let parting = if self.joined.is_some() || self.gone { Parting::Over } else { Parting::NoAnswer };
            let _ = wishes.try_send(Wish::Drop(parting, None));
        }
        if self.prepared.take().is_none() {
            leg::end_unheard(&self.house, self.leg);
            self.house.hub.unsubscribe(self.leg);
        }
        if self.gone {
            return;
        }
        let call = self.sip;
        let order = match self.joined {
            Some(_) => Command::Hangup { call, reason: None },
            None => Command::Reject { call, status: self.status, reason: Some(in_words(self.status)) },
        };
        self.house.sip(order).await;
    }
}

/// A number has no name under `[people]`.
fn nobody_in_particular() -> Member {
    let ring_ms = u64::try_from(RING.as_millis()).unwrap_or(u64::MAX);
    Member { who: Pii::new(String::new()), ring_ms, hours: None, briefing: Briefing::None }
}

fn in_words(status: u16) -> String {
    match status {
        404 => "there is nobody of that name or number".to_owned(),
        408 | 480 => "nobody answered, or nothing there can be reached".to_owned(),
        486 | 600 => "the line is busy".to_owned(),
        403 => "the number may not be called".to_owned(),
        603 => "the call was declined".to_owned(),
        other => format!("the other side answered {other}"),
    }
}
