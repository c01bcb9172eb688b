//! One tick of all legs, without a thread, so that it can be tested at any speed.

use std::sync::Arc;

use super::leg::Leg;
use super::orders::{Order, Report};
use super::stats::MediaStats;
use crate::base::clock::Clock;
use crate::base::limits::{LEGS_MAX, MEDIA_ORDERS_MAX, MEDIA_REPORTS_MAX, PTIME_MS};
use crate::base::{Instant, LegId};
use crate::rt::{Consumer, Producer, Trash, TrashBin, ring, trash};

/// How often the core wants to be ticked.
pub const TICK_MS: u64 = 5;

/// Orders done in one tick. More wait for the next.
const ORDERS_PER_TICK: usize = 64;

const _: () = assert!(PTIME_MS.is_multiple_of(TICK_MS), "a leg's points are ticks");

/// The ends of the core that stay outside.
#[derive(Debug)]
pub struct MediaPorts {
    /// Orders in.
    pub orders: Producer<Order>,
    /// Reports out.
    pub reports: Consumer<Report>,
    /// Memory of legs that ended: empty it from time to time, or orders come to wait.
    pub trash: TrashBin,
    /// Counts, readable at any time.
    pub stats: Arc<MediaStats>,
}

/// What a tick left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ticked {
    /// Something was reported.
    pub told: bool,
    /// The thread shall end.
    pub stop: bool,
}

/// All legs.
#[derive(Debug)]
pub struct MediaCore {
    legs: Vec<Box<Leg>>,
    orders: Consumer<Order>,
    out: Out,
    trash: Trash,
    clock: Option<Clock>,
}

/// The way of reports.
#[derive(Debug)]
struct Out {
    reports: Producer<Report>,
    stats: Arc<MediaStats>,
    told: bool,
}

impl Out {
    fn tell(&mut self, report: Report) {
        self.told = true;
        if self.reports.push(report).is_err() {
            self.stats.reports_dropped.add(1);
        }
    }
}

impl MediaCore {
    /// A core without legs. `clock`, when given, is read after each packet that is sent to measure its deviation; otherwise the tick's own time
    /// is taken for it.
    pub fn new(clock: Option<Clock>) -> (Self, MediaPorts) {
        let (orders, orders_out) = ring(MEDIA_ORDERS_MAX);
        let (reports_in, reports) = ring(MEDIA_REPORTS_MAX);
        let (trash_in, bin) = trash(2 * LEGS_MAX);
        let stats = Arc::new(MediaStats::default());
        let out = Out { reports: reports_in, stats: Arc::clone(&stats), told: false };
        let core = Self { legs: Vec::with_capacity(LEGS_MAX), orders: orders_out, out, trash: trash_in, clock };
        (core, MediaPorts { orders, reports, trash: bin, stats })
    }

    /// Does the orders, sends what is due, takes what came.
    pub fn tick(&mut self, now: Instant) -> Ticked {
        self.out.told = false;
        let mut stop = self.orders.is_abandoned() && self.orders.is_empty();
        for _ in 0..ORDERS_PER_TICK {
            // An order may hand memory back: without room for it, orders wait.
            if !self.trash.has_room() {
                break;
            }
            let Some(order) = self.orders.pop() else { break };
            stop |= matches!(order, Order::Stop);
            self.perform(now, order);
        }
        self.send(now);
        self.receive(now);
        if stop {
            self.remove_all();
        }
        Ticked { told: self.out.told, stop }
    }

    /// Legs at present.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    fn send(&mut self, now: Instant) {
        let Self { legs, out, clock, .. } = self;
        for leg in legs {
            if let Some(late_by) = leg.say(now, &mut |report| out.tell(report)) {
                let since = clock.map_or(std::time::Duration::ZERO, |clock| clock.now().since(now));
                out.stats.send_deviation.record(late_by + since);
            }
        }
    }

    fn receive(&mut self, now: Instant) {
        let Self { legs, out, .. } = self;
        for place in 0..legs.len() {
            let other = legs[place].bridged_to().and_then(|other| legs.iter().position(|leg| leg.id() == other));
            let mut tell = |report| out.tell(report);
            match other.and_then(|other| legs.get_disjoint_mut([place, other]).ok()) {
                Some([leg, other]) => leg.hear(now, other.bridge_mut(), &mut tell),
                None => legs[place].hear(now, None, &mut tell),
            }
        }
    }

    fn perform(&mut self, now: Instant, order: Order) {
        match order {
            Order::Add(leg) => self.add(now, leg),
            Order::Remove(id) => self.remove(id),
            Order::Renegotiate(id, agreed) => self.with(id, |leg| leg.renegotiate(&agreed)),
            Order::Pause(id) => self.with(id, |leg| leg.gate().pause()),
            Order::Resume(id) => self.with(id, |leg| leg.gate().resume()),
            Order::FlushBelow(id, turn) => self.with(id, |leg| leg.gate().flush_below(turn)),
            Order::Bridge(one, other) => self.bridge(one, other),
            Order::Unbridge(id) => self.unbridge(id),
            Order::Tune(id, tune) => self.with(id, |leg| leg.tune(tune)),
            Order::Tap(id, tap) => self.tap(id, tap),
            Order::SendDigit(id, digit) => self.press(id, digit),
            Order::Direct(id, direction) => self.with(id, |leg| leg.direct(direction)),
            Order::Stop => {}
        }
    }

    fn place(&self, id: LegId) -> Option<usize> {
        self.legs.iter().position(|leg| leg.id() == id)
    }

    fn with(&mut self, id: LegId, act: impl FnOnce(&mut Leg)) {
        match self.place(id) {
            Some(place) => act(&mut self.legs[place]),
            None => self.out.tell(Report::Refused { leg: id }),
        }
    }

    fn add(&mut self, now: Instant, mut leg: Box<Leg>) {
        let id = leg.id();
        if self.legs.len() >= LEGS_MAX || self.place(id).is_some() {
            self.out.tell(Report::Refused { leg: id });
            self.throw(leg);
            return;
        }
        // On the grid of ticks, so that a tick that comes a little late does not put the leg's points between two ticks.
        let grid = now.as_millis() / TICK_MS * TICK_MS;
        let group = u64::from(id.0) % (PTIME_MS / TICK_MS);
        leg.begin(Instant::from_millis(grid + group * TICK_MS));
        self.legs.push(leg);
        self.out.stats.legs_added.add(1);
    }

    fn remove(&mut self, id: LegId) {
        let Some(place) = self.place(id) else { return self.out.tell(Report::Refused { leg: id }) };
        self.unbridge_quietly(id);
        let mut leg = self.legs.swap_remove(place);
        leg.finish(&mut |report| self.out.tell(report));
        self.out.tell(Report::Removed { leg: id, stats: leg.stats() });
        self.out.stats.legs_removed.add(1);
        self.throw(leg);
    }

    fn remove_all(&mut self) {
        while let Some(id) = self.legs.last().map(|leg| leg.id()) {
            self.remove(id);
        }
    }

    fn bridge(&mut self, one: LegId, other: LegId) {
        if one == other || self.place(one).is_none() {
            return self.out.tell(Report::Refused { leg: one });
        }
        if self.place(other).is_none() {
            return self.out.tell(Report::Refused { leg: other });
        }
        self.unbridge_quietly(one);
        self.unbridge_quietly(other);
        self.with(one, |leg| leg.bridge_to(Some(other)));
        self.with(other, |leg| leg.bridge_to(Some(one)));
    }

    fn unbridge(&mut self, id: LegId) {
        if self.place(id).is_none() {
            self.out.tell(Report::Refused { leg: id });
        }
        self.unbridge_quietly(id);
    }

    fn unbridge_quietly(&mut self, id: LegId) {
        for leg in &mut self.legs {
            if leg.bridged_to() == Some(id) || (leg.id() == id && leg.bridged_to().is_some()) {
                leg.bridge_to(None);
            }
        }
    }

    fn tap(&mut self, id: LegId, tap: Option<Box<super::Tap>>) {
        let former = if let Some(place) = self.place(id) {
            self.legs[place].tap(tap)
        } else {
            self.out.tell(Report::Refused { leg: id });
            tap
        };
        if let Some(former) = former {
            self.throw(former);
        }
    }

    fn press(&mut self, id: LegId, digit: char) {
        match self.place(id) {
            Some(place) if self.legs[place].press(digit) => {}
            Some(_) => self.out.tell(Report::DigitRefused { leg: id, digit }),
            None => self.out.tell(Report::Refused { leg: id }),
        }
    }

    /// Room was asked for before the order was taken; only at the end of the thread, which may free, can there be none.
    fn throw(&mut self, thing: Box<dyn Send>) {
        drop(self.trash.throw(thing));
    }
}

#[cfg(test)]
mod tests;
