//! Asking the system to run this thread before others.

use super::os::ask_for_fifo;

/// What the system answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// The thread runs under `SCHED_FIFO`.
    RealTime,
    /// The system refused with this error number (EPERM without the privilege): the thread runs as any other, and deviations are larger under load.
    Refused(i32),
}

/// Asks for `SCHED_FIFO` at `level` (1 lowest, 99 highest) for the calling thread.
pub fn ask_for_real_time(level: u8) -> Priority {
    ask_for_fifo(level.clamp(1, 99)).map_or_else(Priority::Refused, |()| Priority::RealTime)
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
