//! Every reason for which a call wants to be woken.

use crate::base::Instant;

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// When to greet although neither ACK nor a packet has come.
    Greet,
    /// When to give up finding out who answered a call of ours.
    Screen,
    /// When to say something into the caller's silence.
    Silence,
    /// When to give up on the language model and take the matcher's word.
    Understand,
    /// When to recognise again what could not be recognised.
    Recognise,
    /// When to try again to say what could not be said.
    Speak,
    /// When to tell the caller that it takes longer.
    Late,
    /// When to say something into a silence in which the caller waits for us.
    Patience,
    /// When to go on without an answer of the records.
    Records,
    /// When an interrupted turn's last reports must have come.
    Settle,
    /// When something is due on the way to a person.
    Handover,
    /// When to end a call that goes on for ever.
    Longest,
    /// When to stop waiting for the records of a call that is gone.
    Linger,
}

impl Timer {
    const ALL: [Self; 13] = [
        Self::Greet,
        Self::Screen,
        Self::Silence,
        Self::Understand,
        Self::Recognise,
        Self::Speak,
        Self::Late,
        Self::Patience,
        Self::Records,
        Self::Settle,
        Self::Handover,
        Self::Longest,
        Self::Linger,
    ];
}

/// One place a timer.
#[derive(Clone, Debug, Default)]
pub struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    /// Wakes at `at`, in place of any earlier wish of the same timer.
    pub fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    /// Does not wake.
    pub fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// No timer wakes.
    pub fn stop_all(&mut self) {
        self.0 = [None; Timer::ALL.len()];
    }

    /// Whether it will wake.
    pub fn runs(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    /// Whether any other than this one runs.
    pub fn any_but(&self, timer: Timer) -> bool {
        Timer::ALL.into_iter().any(|other| other != timer && self.runs(other))
    }

    /// The next point at which one is due.
    pub fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// The earliest timer that is due at `now`, taken out.
    pub fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = Timer::ALL.into_iter().filter_map(|timer| self.0[timer as usize].map(|at| (at, timer)));
        let (_, timer) = due.filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at)?;
        self.stop(timer);
        Some(timer)
    }
}
