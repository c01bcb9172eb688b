//! Asking the system to run this thread before others.

/// What the system answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// The thread runs under `SCHED_FIFO`.
    RealTime,
    /// The system refused with this error number (EPERM without the privilege): the thread runs as any other, and deviations are larger under load.
    Refused(i32),
}

/// Asks for `SCHED_FIFO` at `level` (1 lowest, 99 highest) for the calling thread.
#[cfg(target_os = "linux")]
pub fn ask_for_real_time(level: u8) -> Priority {
    let wish = libc::sched_param { sched_priority: i32::from(level.clamp(1, 99)) };
    // SAFETY: `wish` lives through the call, which only reads it; thread 0 means the calling thread.
    let answer = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const wish) };
    if answer == 0 { Priority::RealTime } else { Priority::Refused(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) }
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub fn ask_for_real_time(_level: u8) -> Priority {
    Priority::Refused(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_answered_either_way() {
        let answer = std::thread::spawn(|| ask_for_real_time(1)).join().unwrap();
        assert!(matches!(answer, Priority::RealTime | Priority::Refused(_)));
    }
}
