//! Figures out of many, and the state of the machine beside them.

use std::time::Duration;

use nightbell::base::clock::Clock;

/// The value below which `per_cent` of 100 lie: the nearest one that was measured.
pub fn quantile(values: &[f64], per_cent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * per_cent).div_ceil(100).saturating_sub(1)).copied()
}

/// `p50 A, p95 B, worst C ms (n)`.
pub fn spread(values: &[f64]) -> String {
    let told = |per_cent| quantile(values, per_cent).map_or("-".to_owned(), |value| format!("{value:.0}"));
    format!("p50 {} p95 {} worst {} ms ({} measured)", told(50), told(95), told(100), values.len())
}

/// The same of whole numbers.
pub fn spread_of(values: &[u64]) -> String {
    spread(&values.iter().map(|value| *value as f64).collect::<Vec<f64>>())
}

/// Waits; this thread has nothing else to do.
pub fn wait(clock: Clock, seconds: f64) {
    let until = clock.now() + Duration::from_secs_f64(seconds);
    while clock.now() < until {
        std::thread::park_timeout(clock.until(until));
    }
}

/// How busy all cores are during the next `seconds`, in parts of 100, whoever makes them so.
pub fn busy_percent(clock: Clock, seconds: f64) -> f64 {
    let before = processor();
    wait(clock, seconds);
    let after = processor();
    let (all, idle) = (after.0 - before.0, after.1 - before.1);
    if all > 0.0 { 100.0 * (all - idle) / all } else { 0.0 }
}

/// How much of all cores went to others than us since a moment.
pub struct Others {
    began: (f64, f64),
    own_ms: f64,
}

impl Others {
    /// From now on.
    pub fn watch() -> Self {
        Self { began: processor(), own_ms: own_ms() }
    }

    /// In parts of 100 of all cores: what was neither idle nor ours. Ours are this program, the callers that have ended, and the `used_ms` of
    /// the daemon and its workers. The kernel's work for our packets outside our processes counts as others'.
    pub fn percent(&self, used_ms: f64) -> f64 {
        let (all, idle) = processor();
        // Linux counts these in hundredths of a second (USER_HZ).
        let (all, idle) = ((all - self.began.0) * 10.0, (idle - self.began.1) * 10.0);
        let ours = own_ms() - self.own_ms + used_ms;
        if all > 0.0 { (100.0 * (all - idle - ours) / all).max(0.0) } else { 0.0 }
    }
}

/// Processor time of this program and of its children that have ended, in milliseconds.
fn own_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold anything: the fields are counted after it. utime, stime, cutime, cstime.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(4);
    fields.filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// All and idle time of all cores so far.
fn processor() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<f64> = stat.lines().next().unwrap_or("").split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
    (fields.iter().take(8).sum(), fields.iter().skip(3).take(2).sum())
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
