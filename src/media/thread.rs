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

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::audio::{Codec, Tone, tone_share};
    use crate::base::{Frame, LegId, Rate, Seed, TurnId};
    use crate::media::{Leg, LegEnds, LegSetup, Playback};
    use crate::rtp::SourceRule;

    fn pair(handle: &mut MediaHandle, first: u32) -> [LegEnds; 2] {
        let sockets = [(); 2].map(|()| UdpSocket::bind(("127.0.0.1", 0)).unwrap());
        let remotes = [sockets[1].local_addr().unwrap(), sockets[0].local_addr().unwrap()];
        let mut id = first;
        let ends = sockets.into_iter().zip(remotes).map(|(socket, remote)| {
            let seed = Seed::new(u64::from(id));
            let setup = LegSetup {
                id: LegId(id),
                socket,
                codec: Codec::Pcmu,
                telephone_event: None,
                remote: Some(remote),
                source_rule: SourceRule::Strict,
                seed,
            };
            id += 1;
            let (leg, ends) = Leg::new(setup).unwrap();
            handle.order(Order::Add(leg)).unwrap();
            ends
        });
        ends.collect::<Vec<_>>().try_into().unwrap()
    }

    /// Two legs in the real thread for a second: the tone arrives, the shell is woken, the thread ends when told.
    #[test]
    fn wall_a_tone_crosses_the_thread_and_the_shell_is_woken() {
        let clock = Clock::start();
        let settings = MediaSettings { real_time_level: Some(10), wake: Some(std::thread::current()) };
        let (mut handle, thread) = Media::spawn(settings, clock).unwrap();
        let [mut one, mut other] = pair(&mut handle, 1);
        let mut tone = Tone::new(400.0, Rate::K8, 9_000);
        let mut pcm = [0; 160];
        for place in 0..50 {
            tone.fill(&mut pcm);
            one.playback.push(Playback { turn: TurnId(1), clip: 0, frame: Frame::new(Rate::K8, &pcm), last: place == 49 }).unwrap();
        }
        let (mut heard, mut idle) = (Vec::new(), false);
        while !idle && clock.now().as_millis() < 10_000 {
            // Woken by a report, and by itself so that the ring of one second does not overflow.
            std::thread::park_timeout(Duration::from_millis(200));
            while let Some(report) = handle.poll_report() {
                idle |= report == Report::Idle { leg: LegId(1), turn: TurnId(1) };
            }
            while let Some(captured) = other.captured.pop() {
                heard.extend_from_slice(captured.frame.samples());
            }
        }
        assert!(idle, "the end of the clip was never told");
        assert!(tone_share(&heard[800..7_200], Rate::K8, 400.0) > 0.7);
        let stats = Arc::clone(handle.stats());
        assert!(stats.priority().is_some());
        assert!(stats.send_deviation.counts().iter().sum::<u64>() > 50);
        handle.order(Order::Stop).unwrap();
        thread.join().unwrap();
        assert_eq!((stats.legs_added.get(), stats.legs_removed.get()), (2, 2));
    }

    #[test]
    fn wall_the_thread_ends_with_its_handle() {
        let (handle, thread) = Media::spawn(MediaSettings::default(), Clock::start()).unwrap();
        drop(handle);
        thread.join().unwrap();
    }
}
