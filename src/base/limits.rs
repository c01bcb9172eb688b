//! Every bound of the program, and how the bounds relate. What happens when one is reached stands beside it.

/// Calls at once. Full: the next one is refused with 486.
pub const CALLS_MAX: usize = 256;

/// Legs of media at once: a call has one, and a second while it is put through. Full: no second leg, the caller is told.
pub const LEGS_MAX: usize = 2 * CALLS_MAX;

/// The packet time we send, in milliseconds.
pub const PTIME_MS: u64 = 20;

/// Sound that a capture ring holds. Full: the newest frame is dropped and counted.
pub const CAPTURE_RING_MS: u64 = 1_000;

/// Sound that a playback ring holds. Full: the producer waits.
pub const PLAYBACK_RING_MS: u64 = 2_000;

/// How long a packet that is out of order is waited for. Later: a typed gap.
pub const REORDER_WAIT_MS: u64 = 60;

/// A UDP datagram of SIP. Larger: dropped and counted.
pub const SIP_DATAGRAM_BYTES_MAX: usize = 65_535;

/// Headers of one SIP message. More: 400.
pub const SIP_HEADERS_MAX: usize = 256;

/// SIP transactions at once. Full: new requests get 503 statelessly.
pub const SIP_TRANSACTIONS_MAX: usize = 8 * CALLS_MAX;

/// One utterance of the caller that the recogniser gets. Longer: it is cut there and the rest begins a new one.
pub const UTTERANCE_MS_MAX: u64 = 28_000;

/// Characters of one utterance after recognition. Longer: cut.
pub const UTTERANCE_CHARS_MAX: usize = 600;

/// Characters of one sentence we speak. Longer: cut at a word.
pub const SENTENCE_CHARS_MAX: usize = 400;

/// One frame between daemon and worker. Larger: the connection is closed.
pub const WORKER_FRAME_BYTES_MAX: usize = 4 << 20;

/// Requests that wait for one worker. Full: refused at once, and the call takes its scripted way.
pub const WORKER_QUEUE_MAX: usize = 2 * CALLS_MAX;

/// Orders that wait for the database's writer. Full: refused at once, and the caller is told what cannot be confirmed.
pub const STORE_QUEUE_MAX: usize = 4 * CALLS_MAX;

/// One text in the database. Longer: refused.
pub const STORE_TEXT_BYTES_MAX: usize = 16 << 10;

/// One entry of a call's journal. Longer: refused.
pub const JOURNAL_ENTRY_BYTES_MAX: usize = 1 << 20;

/// Calls that one question to the database returns. More: the newest ones.
pub const CALLS_LISTED_MAX: usize = 10_000;

/// One line on the control socket. Longer: the connection is closed.
pub const CONTROL_LINE_BYTES_MAX: usize = 64 << 10;

/// One answer from the control socket: a list of calls may be long. Longer: the client gives up.
pub const CONTROL_ANSWER_BYTES_MAX: usize = 64 << 20;

/// Connections to the control socket at once. Full: the next one waits.
pub const CONTROL_CONNECTIONS_MAX: usize = 16;

/// A configuration file. Larger: refused.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Errors shown of one configuration file. More: the rest shows when these are mended.
pub const CONFIG_ERRORS_MAX: usize = 50;

const _: () = {
    assert!(STORE_TEXT_BYTES_MAX >= 8 * UTTERANCE_CHARS_MAX, "an utterance fits whatever its script");
    assert!(LEGS_MAX >= CALLS_MAX, "every call needs a leg");
    assert!(REORDER_WAIT_MS < PLAYBACK_RING_MS, "reordering must not outlast the playback ring");
    assert!(CAPTURE_RING_MS >= 5 * PTIME_MS, "the listening thread may be late by a few frames");
    assert!(UTTERANCE_MS_MAX < 30_000, "whisper hears 30 s at most");
};
