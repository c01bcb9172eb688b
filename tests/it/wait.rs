//! Waiting with a deadline: the only place of these tests that knows the wall clock.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// Asks `what` again and again until it gives something; fails with `why` after `limit`.
pub fn until<T>(limit: Duration, why: &str, mut what: impl FnMut() -> Option<T>) -> T {
    match within(limit, &mut what) {
        Some(found) => found,
        None => panic!("not within {limit:?}: {why}"),
    }
}

/// Asks `what` again and again until it gives something, or `limit` has passed.
#[expect(clippy::disallowed_methods, reason = "tests in real time poll with a deadline")]
pub fn within<T>(limit: Duration, mut what: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        if let Some(found) = what() {
            return Some(found);
        }
        if begin.elapsed() > limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for so long: for what keeps step with the wall, as sound does.
#[expect(clippy::disallowed_methods, reason = "sound is sent in step with the wall")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// The end of a child; after `limit` it is killed, and the test fails.
pub fn exit(child: &mut Child, limit: Duration, who: &str) -> ExitStatus {
    if let Some(status) = within(limit, || child.try_wait().unwrap()) {
        return status;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{who} was still running after {limit:?}");
}

/// Milliseconds on a clock of this process.
#[expect(clippy::disallowed_methods, reason = "tests in real time measure")]
pub fn now_ms() -> u64 {
    use std::sync::OnceLock;
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let begin = *BEGIN.get_or_init(Instant::now);
    u64::try_from(begin.elapsed().as_millis()).unwrap()
}
