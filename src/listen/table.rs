//! One tick of the listening thread, as a machine without a thread.

use crate::base::limits::{LEGS_MAX, LISTEN_ORDERS_MAX};
use crate::base::{Instant, LegId};
use crate::hear::{Expectation, Heard, Verdict};
use crate::rt::{Consumer, Counter, Deviations, Producer, Trash};

use std::sync::Arc;

use super::{Attention, Seat};

/// What the shell asks of the listening thread.
pub enum Order {
    /// Listen to this leg. A leg of the same name is replaced.
    Add(Box<Seat>),
    /// Stop listening to it; its playback is released if we held it.
    Remove(LegId),
    /// Hear it or let it pass unheard: what people say to each other is not ours.
    Attend(LegId, Attention),
    /// This kind of answer is expected on the leg from now on.
    Expect(LegId, Expectation),
    /// A call of ours was just answered on the leg: find out by whom.
    Screen(LegId),
    /// What early recognition thinks of an utterance after its `Settling`.
    Judge {
        /// The leg.
        leg: LegId,
        /// The utterance.
        utterance: u32,
        /// The thought.
        verdict: Verdict,
    },
}

/// What was heard, on which leg, and when it was.
#[derive(Clone, Copy, Debug)]
pub struct ListenReport {
    /// The leg.
    pub leg: LegId,
    /// What.
    pub heard: Heard,
    /// The tick it was heard in.
    pub at: Instant,
}

/// What the listening thread counts about itself.
#[derive(Debug, Default)]
pub struct ListenStats {
    /// Frames heard.
    pub frames: Counter,
    /// Ticks skipped because one took too long or the thread was not woken.
    pub missed_ticks: Counter,
    /// How long the work of a tick took.
    pub work: Deviations,
    /// Legs refused because the table was full, and orders about legs that are not there.
    pub misdirected: Counter,
    /// One when the system refused real-time priority: listening may then be late under load.
    pub priority_refused: Counter,
    /// Reports dropped because the shell did not take them.
    pub lost_reports: Counter,
}

/// All legs' ears, and the rings to the shell.
pub struct ListenCore {
    #[expect(clippy::vec_box, reason = "a seat is large, and comes and goes in the box it was made in")]
    seats: Vec<Box<Seat>>,
    orders: Consumer<Order>,
    reports: Producer<ListenReport>,
    trash: Trash,
    stats: Arc<ListenStats>,
}

impl ListenCore {
    /// A core without legs. All its memory is taken here.
    pub fn new(orders: Consumer<Order>, reports: Producer<ListenReport>, trash: Trash, stats: Arc<ListenStats>) -> Self {
        Self { seats: Vec::with_capacity(LEGS_MAX), orders, reports, trash, stats }
    }

    /// Whether the shell let go of its end: nobody will order or read any more.
    pub fn is_abandoned(&self) -> bool {
        self.orders.is_abandoned()
    }

    /// One tick: takes orders, hears what waits on each leg, reports. Says whether there is anything to read for the shell.
    pub fn tick(&mut self, now: Instant) -> bool {
        self.take_orders();
        let waiting = self.reports.len();
        for seat in &mut self.seats {
            let frames = seat.listen(now);
            self.stats.frames.add(frames as u64);
            hand_over(seat, &mut self.reports, now);
        }
        self.reports.len() > waiting || waiting > 0
    }

    /// Legs that are listened to.
    pub fn legs(&self) -> usize {
        self.seats.len()
    }

    /// An order that must throw something away waits until there is room for it.
    fn take_orders(&mut self) {
        for _ in 0..LISTEN_ORDERS_MAX {
            if !self.trash.has_room() {
                return;
            }
            match self.orders.pop() {
                None => return,
                Some(Order::Add(seat)) => self.add(seat),
                Some(Order::Remove(leg)) => self.remove(leg),
                Some(Order::Attend(leg, attention)) => self.with(leg, |seat| seat.attend(attention)),
                Some(Order::Expect(leg, expectation)) => self.with(leg, |seat| seat.expect(expectation)),
                Some(Order::Screen(leg)) => self.with(leg, Seat::screen),
                Some(Order::Judge { leg, utterance, verdict }) => self.with(leg, |seat| seat.judge(utterance, verdict)),
            }
        }
    }

    fn add(&mut self, seat: Box<Seat>) {
        if let Some(present) = self.seats.iter_mut().find(|present| present.leg() == seat.leg()) {
            let mut replaced = std::mem::replace(present, seat);
            replaced.leave();
            self.throw(replaced);
        } else if self.seats.len() < LEGS_MAX {
            self.seats.push(seat);
        } else {
            self.stats.misdirected.add(1);
            self.throw(seat);
        }
    }

    fn remove(&mut self, leg: LegId) {
        let Some(place) = self.seats.iter().position(|seat| seat.leg() == leg) else {
            self.stats.misdirected.add(1);
            return;
        };
        let mut seat = self.seats.swap_remove(place);
        seat.leave();
        self.throw(seat);
    }

    fn with(&mut self, leg: LegId, act: impl FnOnce(&mut Seat)) {
        match self.seats.iter_mut().find(|seat| seat.leg() == leg) {
            Some(seat) => act(seat),
            None => self.stats.misdirected.add(1),
        }
    }

    /// The caller saw that there is room, and only this thread throws.
    fn throw(&mut self, seat: Box<Seat>) {
        self.stats.lost_reports.add(seat.lost_reports());
        let thrown = self.trash.throw(seat);
        debug_assert!(thrown.is_ok(), "the trash had room");
    }
}

/// Moves what one ear reports into the ring; what does not fit waits in the ear.
fn hand_over(seat: &mut Seat, reports: &mut Producer<ListenReport>, at: Instant) {
    while reports.vacant() > 0 {
        let Some(heard) = seat.report() else { return };
        let pushed = reports.push(ListenReport { leg: seat.leg(), heard, at });
        debug_assert!(pushed.is_ok(), "the ring had room");
    }
}
