//! The thread around the core.

use std::sync::Arc;
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use super::core::{MediaCore, MediaPorts, TICK_MS};
use super::orders::{Order, Report};
use super::stats::MediaStats;
use crate::base::clock::Clock;
use crate::rt::{Consumer, Producer, Ticker, TrashBin, ask_for_real_time};

/// How the thread runs.
#[derive(Clone, Debug, Default)]
pub struct MediaSettings {
    /// The level of real-time priority to ask for (1 to 99); refused politely without the privilege.
    pub real_time_level: Option<u8>,
    /// Who is unparked when there are reports.
    pub wake: Option<Thread>,
}

/// The thread could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the media thread could not be started: {0}")]
pub struct SpawnError(#[from] std::io::Error);

/// The media thread.
#[derive(Debug)]
pub struct Media;

/// The shell's end of the media thread. When it is dropped, the thread ends.
#[derive(Debug)]
pub struct MediaHandle {
    ports: MediaPorts,
}

impl Media {
    /// Starts the thread; its times are those of `clock`.
    pub fn spawn(settings: MediaSettings, clock: Clock) -> Result<(MediaHandle, JoinHandle<()>), SpawnError> {
        let (core, ports) = MediaCore::new(Some(clock));
        let stats = Arc::clone(&ports.stats);
        let thread = std::thread::Builder::new().name("media".to_owned()).spawn(move || run(core, &settings, clock, &stats))?;
        Ok((MediaHandle { ports }, thread))
    }
}

impl MediaHandle {
    /// Orders something; a full ring hands the order back.
    pub fn order(&mut self, order: Order) -> Result<(), Order> {
        self.ports.orders.push(order)
    }

    /// The oldest report; frees on the way what the thread handed back.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.ports.trash.empty();
        self.ports.reports.pop()
    }

    /// The thread's counts.
    pub fn stats(&self) -> &Arc<MediaStats> {
        &self.ports.stats
    }

    /// The ends one by one, for a shell that orders and reads in different places.
    pub fn split(self) -> (Producer<Order>, Consumer<Report>, TrashBin, Arc<MediaStats>) {
        (self.ports.orders, self.ports.reports, self.ports.trash, self.ports.stats)
    }
}

fn run(mut core: MediaCore, settings: &MediaSettings, clock: Clock, stats: &MediaStats) {
    if let Some(level) = settings.real_time_level {
        stats.set_priority(ask_for_real_time(level));
    }
    let mut ticker = Ticker::start(clock, Duration::from_millis(TICK_MS));
    let mut missed = 0;
    loop {
        let now = ticker.wait();
        let ticked = core.tick(now);
        let took = clock.now().since(now);
        stats.tick_time.record(took);
        stats.tick_overruns.add(u64::from(took >= Duration::from_millis(TICK_MS)));
        stats.ticks_missed.add(ticker.missed() - missed);
        missed = ticker.missed();
        if let (true, Some(wake)) = (ticked.told, &settings.wake) {
            wake.unpark();
        }
        if ticked.stop {
            return;
        }
    }
}
