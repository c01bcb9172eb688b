//! The thread itself: its timer, its priority, its end.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::limits::{LEGS_MAX, LISTEN_ORDERS_MAX, LISTEN_REPORTS_MAX};
use crate::rt::{Consumer, Priority, Producer, Ticker, TrashBin, ask_for_real_time, ring, trash};

use super::{ListenCore, ListenReport, ListenStats, Order};

/// Sound comes every 20 ms, at any moment within them: half of that is the longest it waits here.
const PERIOD: Duration = Duration::from_millis(10);

/// Below the media thread's, which must never wait for us.
const PRIORITY: u8 = 10;

/// Called on the listening thread after a tick that left reports to read. It must neither block nor allocate.
pub type Wake = Box<dyn Fn() + Send>;

/// The shell's end. Dropping it ends the thread.
#[derive(Debug)]
pub struct Handle {
    /// Orders to the thread.
    pub orders: Producer<Order>,
    /// What was heard.
    pub reports: Consumer<ListenReport>,
    /// What the thread is done with: empty it now and then.
    pub trash: TrashBin,
    /// What the thread counts about itself.
    pub stats: Arc<ListenStats>,
}

/// Starts the listening thread. Fails when the system gives no thread.
pub fn spawn(clock: Clock, wake: Wake) -> io::Result<(Handle, JoinHandle<()>)> {
    let (orders, orders_in) = ring(LISTEN_ORDERS_MAX);
    let (reports_out, reports) = ring(LISTEN_REPORTS_MAX);
    let (thrown, bin) = trash(LEGS_MAX);
    let stats = Arc::new(ListenStats::default());
    let core = ListenCore::new(orders_in, reports_out, thrown, Arc::clone(&stats));
    let counted = Arc::clone(&stats);
    let thread = std::thread::Builder::new().name("listen".to_owned()).spawn(move || run(core, clock, &wake, &counted))?;
    Ok((Handle { orders, reports, trash: bin, stats }, thread))
}

fn run(mut core: ListenCore, clock: Clock, wake: &Wake, stats: &ListenStats) {
    if ask_for_real_time(PRIORITY) != Priority::RealTime {
        stats.priority_refused.add(1);
    }
    let mut ticker = Ticker::start(clock, PERIOD);
    let mut missed = 0;
    while !core.is_abandoned() {
        let now = ticker.wait();
        if core.tick(now) {
            wake();
        }
        stats.work.record(clock.now().since(now));
        stats.missed_ticks.add(ticker.missed() - missed);
        missed = ticker.missed();
    }
}
