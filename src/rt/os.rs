//! The two system calls of the real-time threads. The only file of this room that names `libc`, and the only `unsafe` of it.

use crate::base::Instant;
use crate::base::clock::Clock;

/// Sleeps until `at` on `clock` by an absolute point of the monotonic clock; returns at once when it has passed. A signal does not shorten it.
#[cfg(target_os = "linux")]
pub(super) fn sleep_until(clock: &Clock, at: Instant) {
    let left = clock.until(at);
    if left.is_zero() {
        return;
    }
    let mut point = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `point` is a valid timespec to write to for the whole call.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut point) } != 0 {
        return;
    }
    let nanos = i64::from(left.subsec_nanos()) + point.tv_nsec;
    point.tv_sec += i64::try_from(left.as_secs()).unwrap_or(0) + nanos / 1_000_000_000;
    point.tv_nsec = nanos % 1_000_000_000;
    loop {
        // SAFETY: `point` is a valid absolute time to read; with TIMER_ABSTIME no remaining time is written, so that pointer may be null.
        let answer = unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const point, std::ptr::null_mut()) };
        if answer != libc::EINTR {
            return;
        }
    }
}

/// Sleeps until `at` on `clock`; returns at once when it has passed.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "the one place where a real-time thread sleeps")]
pub(super) fn sleep_until(clock: &Clock, at: Instant) {
    std::thread::sleep(clock.until(at));
}

/// Asks for `SCHED_FIFO` at `level` for the calling thread; the error number when refused. Threads and processes that it makes do not inherit it.
#[cfg(target_os = "linux")]
pub(super) fn ask_for_fifo(level: u8) -> Result<(), i32> {
    let wish = libc::sched_param { sched_priority: i32::from(level) };
    // SAFETY: `wish` lives through the call, which only reads it; thread 0 means the calling thread.
    let answer = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const wish) };
    if answer == 0 { Ok(()) } else { Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) }
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(super) fn ask_for_fifo(_level: u8) -> Result<(), i32> {
    Err(0)
}
