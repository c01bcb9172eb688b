//! What a person who was rung is told: words to the synthesis, their sound into the leg's ring, and when all of it was played.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::house::House;
use super::voice::{FEED, Feeder, Made, Mouth};
use crate::base::{LegId, Pii, StreamId, TurnId};
use crate::call::Answer;
use crate::media::Playback;
use crate::rt::Producer;

/// Pieces of sound that wait for one leg at once.
const MADE_MAX: usize = 64;

/// The voice on a leg that a call placed.
pub struct Telling {
    mouth: Mouth,
    feeder: Feeder,
    made: mpsc::Receiver<Made>,
    tick: tokio::time::Interval,
    turn: TurnId,
    /// Clips of the turn, and how many of them were played.
    clips: u32,
    played: u32,
    /// Nothing more will be made of the turn.
    complete: bool,
    /// What is said when synthesis makes nothing.
    stock: Option<Arc<[i16]>>,
    told: bool,
}

impl Telling {
    /// A voice whose sound goes into `ring`.
    pub fn open(house: &House, leg: LegId, agent: &str, ring: Producer<Playback>) -> Self {
        let stream = StreamId { slot: u16::try_from(leg.0 % 65_536).unwrap_or(0), generation: leg.0 };
        let (made_in, made) = mpsc::channel(MADE_MAX);
        let mut tick = tokio::time::interval(FEED);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self {
            mouth: Mouth::open(house, stream, agent, made_in),
            feeder: Feeder::new(ring),
            made,
            tick,
            turn: TurnId(0),
            clips: 0,
            played: 0,
            complete: false,
            stock: None,
            told: true,
        }
    }

    /// Says `text`; where synthesis makes nothing of it, `stock` from memory.
    pub fn tell(&mut self, text: Pii<String>, stock: Option<Arc<[i16]>>) {
        self.turn = self.turn.next();
        (self.clips, self.played, self.complete, self.stock, self.told) = (0, 0, false, stock, false);
        if !self.mouth.speak(self.turn, text) {
            self.fail();
        }
    }

    /// Nothing more is said; sound below the turn that is answered is to be dropped.
    pub fn hush(&mut self) -> TurnId {
        let floor = self.turn.next();
        self.turn = floor;
        self.told = true;
        self.mouth.flush_below(floor);
        self.feeder.flush_below(floor);
        floor
    }

    /// Takes what synthesis makes next, or fills the ring up; true when with it all was told. May be dropped at any point.
    pub async fn go_on(&mut self) -> bool {
        let waiting = self.feeder.is_waiting();
        tokio::select! {
            Some(made) = self.made.recv() => self.take(made),
            _ = self.tick.tick(), if waiting => {
                self.feeder.feed();
                false
            }
            else => std::future::pending().await,
        }
    }

    fn take(&mut self, made: Made) -> bool {
        match made {
            Made::Sound { turn, pcm, .. } if turn == self.turn && !pcm.is_empty() => {
                self.clips += 1;
                self.feeder.clip(turn, &pcm);
            }
            Made::Told(Answer::Spoken { turn }) if turn == self.turn => self.complete = true,
            Made::Told(Answer::Mute { turn, .. }) if turn == self.turn => self.fail(),
            Made::Sound { .. } | Made::Told(_) => {}
        }
        self.is_told()
    }

    /// A clip was played to its end; true when with it all was told.
    pub fn played(&mut self, turn: TurnId, _clip: u32) -> bool {
        if turn == self.turn {
            self.played += 1;
        }
        self.feeder.feed();
        self.is_told()
    }

    fn fail(&mut self) {
        self.complete = true;
        if let Some(pcm) = self.stock.take().filter(|_| self.clips == 0) {
            self.clips += 1;
            self.feeder.clip(self.turn, &pcm);
        }
    }

    fn is_told(&mut self) -> bool {
        let now = !self.told && self.complete && self.played >= self.clips;
        self.told |= now;
        now
    }
}
