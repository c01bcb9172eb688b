//! A worker's place in the system: it never takes the processor from sound, and never outlives its daemon.

use std::os::unix::process::parent_id;

/// How much less than the daemon the computing threads matter.
const NICENESS: i32 = 10;

/// The kernel ends this process when the thread that started it ends. The closed socket does the same; this also works in the middle of a step.
pub fn end_with_parent() {
    let parent = parent_id();
    // SAFETY: PR_SET_PDEATHSIG takes one integer and touches no memory of ours.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // The parent may have died in between; then nobody would be left to tell.
    if parent_id() != parent {
        std::process::exit(1);
    }
}

/// A panic on any thread ends the process: the daemon starts a new one, which is better than half a worker.
pub fn end_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        print(info);
        std::process::exit(101);
    }));
}

/// The calling thread, and those it starts, yield to everything else: niced, and batch work where the kernel permits it. On Linux both belong to
/// the thread. Needs no privilege.
pub fn be_polite() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: both take numbers, and one a pointer to a structure that lives on this stack for the call.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS);
        libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters);
    }
}
