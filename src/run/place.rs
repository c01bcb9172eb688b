//! Calls that we place: an order to the switchboard, and where the news of the new call go.

use tokio::sync::{mpsc, oneshot};

use super::house::House;
use super::news::SipNews;
use super::second::Wish;
use super::switchboard::{NEWS_MAX, Switchboard};
use crate::sip::{Command, Invite, SipCall};

/// What the switchboard is ordered to do.
#[derive(Debug)]
pub enum Order {
    /// Something about a call that is there.
    Sip(Command),
    /// A new call.
    Place(Placing),
    /// The leg that this call is joined to: it goes over to whoever asks.
    Claim {
        /// The call that gives it up.
        call: SipCall,
        /// Where the leg's orders go from now on; dropped where there is none.
        claim: oneshot::Sender<mpsc::Sender<Wish>>,
    },
}

/// A call to place.
#[derive(Debug)]
pub struct Placing {
    /// What it is.
    pub invite: Box<Invite>,
    /// Where its news go.
    pub news: mpsc::Sender<SipNews>,
    /// Where its name and its Call-ID go.
    pub placed: oneshot::Sender<(SipCall, String)>,
}

/// A call of ours that is on its way.
#[derive(Debug)]
pub struct Placed {
    /// The signalling's name for it.
    pub call: SipCall,
    /// Its Call-ID.
    pub call_id: String,
    /// What becomes of it; the last of them is `Failed`, `Redirected` or `Gone`.
    pub news: mpsc::Receiver<SipNews>,
}

impl House {
    /// Takes over the leg that another call of ours is joined to. None where there is no such.
    pub async fn claim(&self, call: SipCall) -> Option<mpsc::Sender<Wish>> {
        let (claim, claimed) = oneshot::channel();
        self.switchboard.send(Order::Claim { call, claim }).await.ok()?;
        claimed.await.ok()
    }

    /// Places a call. None when the switchboard is gone.
    pub async fn place(&self, invite: Invite) -> Option<Placed> {
        let (news_in, news) = mpsc::channel(NEWS_MAX);
        let (placed, call) = oneshot::channel();
        let placing = Placing { invite: Box::new(invite), news: news_in, placed };
        self.switchboard.send(Order::Place(placing)).await.ok()?;
        let (call, call_id) = call.await.ok()?;
        Some(Placed { call, call_id, news })
    }
}

impl Switchboard {
    pub(super) fn order(&mut self, order: Order) {
        let now = self.clock.now();
        match order {
            Order::Claim { call, claim } => self.news(call, SipNews::Claimed(claim)),
            Order::Sip(Command::Advertise { peer, host }) => self.advertise(peer, host),
            Order::Sip(command) => self.endpoint.handle_command(now, command),
            Order::Place(Placing { invite, news, placed }) => {
                let peer = invite.flow.remote;
                let call = self.endpoint.invite(now, *invite);
                self.wires.watch(call, peer);
                // Whatever the endpoint has to tell of the call is told after this: its events are drained later.
                self.lines.insert(call, news);
                let call_id = self.endpoint.call_id(call).unwrap_or_default();
                if placed.send((call, call_id)).is_err() {
                    self.endpoint.handle_command(now, Command::Hangup { call, reason: None });
                }
            }
        }
    }
}
