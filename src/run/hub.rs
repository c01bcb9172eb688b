//! The way between the sound threads and the calls' tasks.
//!
//! Orders go down through locks that only shells take; reports come up on a plain thread that the sound threads wake, and are handed to the mailbox
//! of the call that owns the leg. A call that does not empty its mailbox loses reports (counted), never delays another.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::LegId;
use crate::base::clock::Clock;
use crate::listen::{self, ListenReport, ListenStats};
use crate::media::{self, Media, MediaSettings, MediaStats, Report};
use crate::rt::{Consumer, Producer, TrashBin};

/// How long the reporting thread sleeps when nobody wakes it: a bound on lost wake-ups, and when it empties the trash.
const NAP: Duration = Duration::from_millis(100);

/// Something a sound thread tells about one leg.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "boxing it would be an allocation for every frame of sound")]
pub enum LegNews {
    /// From the media thread.
    Media(Report),
    /// From the listening thread.
    Heard(ListenReport),
}

/// Where a leg's news go.
pub type Mailbox = mpsc::Sender<LegNews>;

/// Why the sound threads could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The media thread.
    #[error("cannot start the media thread: {0}")]
    Media(#[from] media::SpawnError),
    /// The listening or the reporting thread.
    #[error("cannot start a sound thread: {0}")]
    Thread(#[from] io::Error),
}

struct Ends {
    media: Producer<media::Order>,
    listen: Producer<listen::Order>,
}

/// Orders to the sound threads; clones share them.
#[derive(Clone)]
pub struct Hub {
    ends: Arc<Mutex<Ends>>,
    mailboxes: Arc<Mutex<HashMap<LegId, Mailbox>>>,
    next_leg: Arc<AtomicU32>,
    lost: Arc<AtomicU64>,
    media_stats: Arc<MediaStats>,
    listen_stats: Arc<ListenStats>,
}

/// The media thread comes before the listening one, which asks for 10: a packet late is heard, a frame listened to late is not.
const MEDIA_LEVEL: u8 = 11;

impl Hub {
    /// Starts the media thread, the listening thread and the one that carries their reports.
    pub fn start(clock: Clock) -> Result<Self, HubError> {
        // The sound threads wake the reporter, and the reporter reads what they make: so it starts first and is given its ends afterwards.
        let (ends_in, ends_of) = std::sync::mpsc::sync_channel::<Up>(1);
        let thread = std::thread::Builder::new().name("sound-reports".to_owned()).spawn(move || {
            if let Ok(up) = ends_of.recv() {
                up.carry();
            }
        })?;
        let reporter = thread.thread().clone();
        let media_settings = MediaSettings { wake: Some(reporter.clone()), real_time_level: Some(MEDIA_LEVEL) };
        let (media, _) = Media::spawn(media_settings, clock)?;
        let (listen, _) = listen::spawn(clock, Box::new(move || reporter.unpark()))?;
        let mailboxes: Arc<Mutex<HashMap<LegId, Mailbox>>> = Arc::default();
        let lost = Arc::new(AtomicU64::new(0));
        let (orders, reports, trash, media_stats) = media.split();
        let listen_stats = Arc::clone(&listen.stats);
        let up = Up {
            media: reports,
            listen: listen.reports,
            trash: [trash, listen.trash],
            mailboxes: Arc::clone(&mailboxes),
            lost: Arc::clone(&lost),
        };
        let _ = ends_in.send(up);
        let ends = Arc::new(Mutex::new(Ends { media: orders, listen: listen.orders }));
        Ok(Self { ends, mailboxes, next_leg: Arc::new(AtomicU32::new(1)), lost, media_stats, listen_stats })
    }

    /// Whether both sound threads are there.
    pub fn is_up(&self) -> bool {
        let ends = lock(&self.ends);
        !ends.media.is_abandoned() && !ends.listen.is_abandoned()
    }

    /// A name for a new leg.
    pub fn new_leg(&self) -> LegId {
        LegId(self.next_leg.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets the news of `leg` go to `mailbox`.
    pub fn subscribe(&self, leg: LegId, mailbox: Mailbox) {
        lock(&self.mailboxes).insert(leg, mailbox);
    }

    /// Nobody wants the news of `leg` any more.
    pub fn unsubscribe(&self, leg: LegId) {
        lock(&self.mailboxes).remove(&leg);
    }

    /// An order to the media thread. False when its queue is full: the thread is far behind.
    pub fn media(&self, order: media::Order) -> bool {
        lock(&self.ends).media.push(order).is_ok()
    }

    /// An order to the listening thread. False when its queue is full.
    pub fn listen(&self, order: listen::Order) -> bool {
        lock(&self.ends).listen.push(order).is_ok()
    }

    /// Reports that found their mailbox full.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// What the media thread counts about itself.
    pub fn media_stats(&self) -> &MediaStats {
        &self.media_stats
    }

    /// What the listening thread counts about itself.
    pub fn listen_stats(&self) -> &ListenStats {
        &self.listen_stats
    }
}

/// A lock that a panicking holder cannot take away: what it guards here is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The upward way, on its own thread.
struct Up {
    media: Consumer<Report>,
    listen: Consumer<ListenReport>,
    trash: [TrashBin; 2],
    mailboxes: Arc<Mutex<HashMap<LegId, Mailbox>>>,
    lost: Arc<AtomicU64>,
}

impl Up {
    fn carry(mut self) {
        while !self.media.is_abandoned() {
            std::thread::park_timeout(NAP);
            while let Some(report) = self.media.pop() {
                self.deliver(leg_of(&report), LegNews::Media(report));
            }
            while let Some(report) = self.listen.pop() {
                self.deliver(report.leg, LegNews::Heard(report));
            }
            for bin in &mut self.trash {
                bin.empty();
            }
        }
    }

    fn deliver(&self, leg: LegId, news: LegNews) {
        let mailbox = lock(&self.mailboxes).get(&leg).cloned();
        if mailbox.is_some_and(|mailbox| mailbox.try_send(news).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn leg_of(report: &Report) -> LegId {
    match *report {
        Report::FirstPacket { leg }
        | Report::Digit { leg, .. }
        | Report::Began { leg, .. }
        | Report::Played { leg, .. }
        | Report::Idle { leg, .. }
        | Report::Starved { leg, .. }
        | Report::RtpSilent { leg }
        | Report::RtpBack { leg }
        | Report::Moved { leg, .. }
        | Report::DigitRefused { leg, .. }
        | Report::Refused { leg }
        | Report::Removed { leg, .. } => leg,
    }
}
