//! A call's legs to people: what the call wants of them, handed on.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::leg;
use super::line::{Line, News};
use super::news::Aim;
use super::second::{self, Errand, WISHES_MAX, Wish};
use crate::base::Pii;
use crate::call::{Context, Input, LegNews, LegNo, Line as Wire, Member, Output, Parting, Tune};
use crate::config::{At, Reach};
use crate::listen::{self, Attention};
use crate::media;
use crate::sip::{Command, SipCall, with_headers};

impl Line {
    /// Does what is about people; everything else is handed back.
    pub(super) async fn people(&mut self, output: Output) {
        match output {
            Output::Refer { who, context } => self.refer(&who, &context).await,
            Output::Ring { leg, member, context } => self.ring(leg, member, context),
            Output::Alert => self.house.sip(Command::Ring { call: self.sip }).await,
            Output::Accept => self.accept().await,
            Output::Tell { leg, text } => self.wish(leg, Wish::Tell(text)),
            Output::Hush { leg } => self.wish(leg, Wish::Hush),
            Output::Bridge { leg } => {
                self.attend(Attention::Shut);
                self.joined = Some(leg);
                self.wish(leg, Wish::Bridge(self.leg));
            }
            Output::Attend => self.attend(Attention::Open),
            Output::Tune { leg: LegNo::CALLER, tune } => self.tune(tune),
            Output::Tune { leg, tune } => self.wish(leg, Wish::Tune(tune)),
            Output::Press { leg: LegNo::CALLER, key } => {
                self.house.hub.media(media::Order::SendDigit(self.leg, key));
            }
            Output::Press { leg, key } => self.wish(leg, Wish::Press(key)),
            Output::Drop { leg, why } => self.drop_leg(leg, why),
            Output::AnswerRefer { leg: LegNo::CALLER, answer } => self.answer_refer(answer).await,
            Output::AnswerRefer { leg, answer } => self.wish(leg, Wish::AnswerRefer(answer)),
            Output::NotifyRefer { leg, status } => self.wish(leg, Wish::NotifyRefer(status)),
            _ => {}
        }
    }

    /// The call is answered, and its sound begins.
    async fn accept(&mut self) {
        self.house.sip(Command::Accept { call: self.sip, answer: self.description.clone() }).await;
        self.begin_sound();
    }

    /// Our 200 is on its way: sound may flow.
    pub(super) fn begin_sound(&mut self) {
        let Some(prepared) = self.prepared.take() else { return };
        leg::begin(&self.house, prepared, self.legs_in.clone());
        self.tell(Input::Line(Wire::Accepted));
    }

    /// Whoever we called has answered: sound flows, and the ear finds out who it is.
    pub(super) fn begin_called(&mut self, agreed: &crate::sdp::Negotiated) {
        let Some(prepared) = self.prepared.take() else { return };
        leg::begin(&self.house, prepared, self.legs_in.clone());
        self.house.hub.media(media::Order::Renegotiate(self.leg, leg::renegotiation(agreed)));
        self.house.hub.listen(listen::Order::Screen(self.leg));
        self.tell(Input::Line(Wire::Answered));
    }

    fn ring(&mut self, no: LegNo, member: Member, context: Context) {
        let replaces = match self.aim.take() {
            Some(Aim::Ours(other)) => return self.claim(no, other),
            Some(Aim::Theirs(replaces)) => Some(replaces),
            None => None,
        };
        let (wishes_in, wishes) = mpsc::channel(WISHES_MAX);
        self.seconds.insert(no, wishes_in);
        let errand = Errand {
            leg: no,
            member,
            context,
            id: self.id.clone(),
            agent: self.agent.clone(),
            from: self.from.clone(),
            max_forwards: self.max_forwards,
            ways: None,
            emergency: false,
            replaces,
        };
        tokio::spawn(second::ring(Arc::clone(&self.house), errand, wishes, self.own_in.clone()));
    }

    /// A person joins the caller to whom they have reached by another call of ours: that call's leg becomes this one's.
    fn claim(&self, no: LegNo, other: SipCall) {
        let (house, news) = (Arc::clone(&self.house), self.own_in.clone());
        tokio::spawn(async move {
            let told = match house.claim(other).await {
                Some(wishes) => News::Claimed(no, wishes),
                None => News::LastOfLeg(no, LegNews::Failed(481), None),
            };
            let _ = news.send(told).await;
        });
    }

    pub(super) fn claimed(&mut self, no: LegNo, wishes: mpsc::Sender<Wish>) {
        if wishes.try_send(Wish::Rehome(no, self.own_in.clone())).is_err() {
            return self.tell(Input::Leg { leg: no, news: LegNews::Gone });
        }
        self.seconds.insert(no, wishes);
        self.tell(Input::Leg { leg: no, news: LegNews::Answered });
    }

    /// Another call of ours takes over the leg that the caller talks to: to this call its person has gone.
    pub(super) fn give_leg(&mut self, claim: oneshot::Sender<mpsc::Sender<Wish>>) {
        let Some((leg, wishes)) = self.joined.and_then(|leg| Some((leg, self.seconds.remove(&leg)?))) else { return };
        if claim.send(wishes).is_ok() {
            self.tell(Input::Leg { leg, news: LegNews::Gone });
        }
    }

    fn wish(&mut self, no: LegNo, wish: Wish) {
        let Some(wishes) = self.seconds.get(&no) else { return };
        if wishes.try_send(wish).is_err() {
            // It cannot follow: it ends by losing its wishes' other end.
            tracing::warn!(call_id = %self.id, leg = no.0, "a second leg does not take its orders");
            self.seconds.remove(&no);
            self.tell(Input::Leg { leg: no, news: LegNews::Gone });
        }
    }

    fn drop_leg(&mut self, no: LegNo, why: Parting) {
        let Some(wishes) = self.seconds.remove(&no) else { return };
        // Full: letting go ends it as well, only without the reason.
        let _ = wishes.try_send(Wish::Drop(why, self.reason.clone()));
    }

    fn attend(&self, attention: Attention) {
        self.house.hub.listen(listen::Order::Attend(self.leg, attention));
    }

    fn tune(&self, tune: Tune) {
        self.house.hub.media(media::Order::Tune(self.leg, leg::tune(tune)));
    }

    async fn answer_refer(&mut self, answer: Result<(), u16>) {
        let call = self.sip;
        match answer {
            Ok(()) => self.house.sip(Command::AcceptRefer { call }).await,
            Err(status) => self.house.sip(Command::RejectRefer { call, status }).await,
        }
    }

    async fn refer(&mut self, who: &Pii<String>, context: &Context) {
        let person = self.house.people.get(who.expose());
        let Some((uri, travels)) = person.and_then(|person| match &person.at {
            At::One(Reach::Uri(uri)) => Some((uri.clone(), person.context.clone())),
            _ => None,
        }) else {
            tracing::error!(call_id = %self.id, "no uri of this person under [people]: the caller is told that nobody answers");
            self.tell(Input::Line(Wire::ReferFailed(404)));
            return;
        };
        let target = match super::context::header(&travels, &self.id, context) {
            Some((name, value)) => with_headers(&uri, &[(name.as_str(), value.expose().as_str())]),
            None => uri,
        };
        self.house.sip(Command::Refer { call: self.sip, target }).await;
    }
}
