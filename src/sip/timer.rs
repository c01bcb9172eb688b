//! Timers as lists: a machine names its timers in an enum, and the list sizes its table.

use crate::base::Instant;

/// The kinds of timers of one machine.
pub trait TimerKind: Copy + Eq + 'static {
    /// All of them, each at the place of its [`TimerKind::index`].
    const ALL: &'static [Self];
    /// The place in the table.
    fn index(self) -> usize;
}

/// When each timer of one machine goes off. `N` is the number of kinds.
#[derive(Clone, Debug)]
pub struct TimerTable<T, const N: usize> {
    at: [Option<Instant>; N],
    kind: std::marker::PhantomData<T>,
}

impl<T: TimerKind, const N: usize> Default for TimerTable<T, N> {
    fn default() -> Self {
        const { assert!(T::ALL.len() == N, "a place for each kind") };
        Self { at: [None; N], kind: std::marker::PhantomData }
    }
}

impl<T: TimerKind, const N: usize> TimerTable<T, N> {
    /// Sets a timer, instead of its earlier time if it had one.
    pub fn set(&mut self, timer: T, at: Instant) {
        if let Some(place) = self.at.get_mut(timer.index()) {
            *place = Some(at);
        }
    }

    /// Stops a timer.
    pub fn stop(&mut self, timer: T) {
        if let Some(place) = self.at.get_mut(timer.index()) {
            *place = None;
        }
    }

    /// Stops them all.
    pub fn stop_all(&mut self) {
        self.at = [None; N];
    }

    /// Whether a timer runs.
    pub fn is_set(&self, timer: T) -> bool {
        self.at.get(timer.index()).is_some_and(Option::is_some)
    }

    /// When the next one goes off.
    pub fn next(&self) -> Option<Instant> {
        self.at.iter().flatten().min().copied()
    }

    /// A timer whose time has come, the earliest first; it is stopped.
    pub fn pop_due(&mut self, now: Instant) -> Option<T> {
        let due = T::ALL.iter().copied().filter_map(|timer| self.at.get(timer.index()).copied().flatten().map(|at| (at, timer)));
        let (at, timer) = due.min_by_key(|(at, _)| *at)?;
        (at <= now).then(|| {
            self.stop(timer);
            timer
        })
    }
}
