//! Every bound of the program, and how the bounds relate. What happens when one is reached stands beside it.

/// Calls at once. Full: the next one is refused with 486.
pub const CALLS_MAX: usize = 256;

/// Legs of media at once: a call has one, and a second while it is put through. Full: no second leg, the caller is told.
pub const LEGS_MAX: usize = 2 * (CALLS_MAX + EMERGENCY_CALLS_MAX);

/// Telephones that are rung for one caller at once. More in a group: the first ones.
pub const LEGS_RUNG_MAX: usize = 8;

/// The packet time we send, in milliseconds.
pub const PTIME_MS: u64 = 20;

/// Sound that a capture ring holds. Full: the newest frame is dropped and counted.
pub const CAPTURE_RING_MS: u64 = 1_000;

/// Sound that a playback ring holds. Full: the producer waits.
pub const PLAYBACK_RING_MS: u64 = 2_000;

/// How long a packet that is out of order is waited for. Later: a typed gap.
pub const REORDER_WAIT_MS: u64 = 60;

/// How long nothing at all may come before silence is counted in step with the wall. Later: its sound is dropped and counted.
pub const STALL_WAIT_MS: u64 = 200;

/// How long a leg may be without a packet before that is reported.
pub const RTP_SILENT_MS: u64 = 5_000;

/// Orders to the media thread that may wait. Full: the order is handed back.
pub const MEDIA_ORDERS_MAX: usize = 4 * LEGS_MAX;

/// Reports of the media thread that may wait. Full: the newest is dropped and counted.
pub const MEDIA_REPORTS_MAX: usize = 16 * LEGS_MAX;

/// Sound that a leg put through keeps for the other side. Full: the oldest is dropped.
pub const BRIDGE_MS_MAX: u64 = 160;

/// A UDP datagram of SIP. Larger: dropped and counted.
pub const SIP_DATAGRAM_BYTES_MAX: usize = 65_535;

/// Start line and headers of one message on a stream. Longer: 400, and the connection is closed.
pub const SIP_HEAD_BYTES_MAX: usize = 32 << 10;

/// One message on a stream. Longer: 413, and the connection is closed.
pub const SIP_STREAM_MESSAGE_BYTES_MAX: usize = 64 << 10;

/// The largest request of ours that goes by UDP where the peer has TCP (RFC 3261 §18.1.1). Larger: by TCP.
pub const SIP_UDP_REQUEST_BYTES_MAX: usize = 1_300;

/// Peers remembered as having no TCP. Full: forgotten, and asked again.
pub const SIP_WITHOUT_TCP_MAX: usize = 256;

/// Connections for signalling at once, both ways, those whose handshake is not over included. Full: the next one is closed at once.
pub const STREAMS_MAX: usize = 1_024;

/// Connections from one address at once. Full: the next one is closed at once.
pub const STREAMS_A_SOURCE_MAX: usize = 128;

/// Messages that wait to be written to one connection. Full: its peer does not read, and the connection is closed.
pub const STREAM_QUEUE_MAX: usize = 64;

/// How long it may take until a connection of ours stands, its TLS handshake included. Longer: the peer cannot be reached.
pub const STREAM_CONNECT_MS_MAX: u64 = 5_000;

/// How long a peer's TLS handshake may take. Longer: closed.
pub const STREAM_HANDSHAKE_MS_MAX: u64 = 5_000;

/// How long a new connection may be silent. Longer: closed.
pub const STREAM_FIRST_MS_MAX: u64 = 10_000;

/// How long one message may take to arrive, from its first octet to its last. Longer: closed.
pub const STREAM_MESSAGE_MS_MAX: u64 = 10_000;

/// How long one message may take to be written. Longer: closed.
pub const STREAM_WRITE_MS_MAX: u64 = 5_000;

/// How long a connection may be idle that nothing is kept for. Longer: closed.
pub const STREAM_IDLE_MS_MAX: u64 = 15 * 60_000;

/// How often a connection that is kept is asked whether it lives (RFC 5626 §4.4.1 wants it below two minutes).
pub const STREAM_PING_EVERY_MS: u64 = 95_000;

/// How long the answer may take, of a peer that has answered before. Longer: closed.
pub const STREAM_PONG_MS_MAX: u64 = 10_000;

/// How often a kept way of datagrams gets a line break, so that no NAT forgets it.
pub const DATAGRAM_KEEP_EVERY_MS: u64 = 25_000;

/// Ways that are kept alive at once. Full: the next one is not.
pub const KEPT_FLOWS_MAX: usize = 256;

/// Names that certificates must have, by address. Full: all are forgotten, and told again with the next resolution.
pub const SERVER_NAMES_MAX: usize = 256;

/// How long one question to the name service waits, and each of two tries.
pub const DNS_ANSWER_MS_MAX: u64 = 1_000;

/// How long all questions about one URI may take. Longer: what was good last is used, or else nothing is.
pub const DNS_WAIT_MS_MAX: u64 = 4_000;

/// How long a name service that did not answer is not asked again, where something was good last.
pub const DNS_PAUSE_MS: u64 = 30_000;

/// Servers, and addresses of each, that one URI may lead to. More: passed over.
pub const DNS_PLACES_MAX: usize = 16;

/// URIs whose places are remembered. Full: all are forgotten, and asked for again.
pub const DNS_REMEMBERED_MAX: usize = 256;

/// Headers of one SIP message. More: 400.
pub const SIP_HEADERS_MAX: usize = 256;

/// SIP transactions at once. Over UDP an answered INVITE and an answered BYE each stay 32 s for repeats (RFC 3261 timer J, RFC 6026 timer L),
/// so that 150 calls a second that are answered and hung up keep 9,600 of them. Measured: 2.5 KiB each, 40 MiB for a full table.
/// Full: new requests get 503 statelessly.
pub const SIP_TRANSACTIONS_MAX: usize = 64 * CALLS_MAX;

/// Early dialogs of one call of ours: phones that ring at once behind a forking proxy. More: those are heard ringing, and not acknowledged.
pub const SIP_EARLY_DIALOGS_MAX: usize = 8;

/// Contacts of a 3xx, and diversions of a call, that are handed up. More: the first ones.
pub const SIP_LISTED_MAX: usize = 5;

/// Letters of a name, a number or a text of the peer's that are handed up. More: cut.
pub const SIP_TEXT_LETTERS_MAX: usize = 256;

/// Octets of a header that is handed up as written, such as User-to-User. More: as if it were not there.
pub const SIP_HEADER_BYTES_MAX: usize = 1_024;

/// How long a session may go on unrefreshed, in seconds (RFC 4028 §4 recommends half an hour).
pub const SIP_SESSION_EXPIRES_S: u32 = 1_800;

/// The shortest session timer that is taken, in seconds. RFC 4028 §4 allows no less.
pub const SIP_SESSION_MIN_S: u32 = 90;

/// Challenges of one response, and answers of one request, that are looked at. More: left unread.
pub const SIP_CHALLENGES_MAX: usize = 8;

/// Nonces of ours whose counts are remembered against replay. Full: the oldest is forgotten, and it and all before it count as too old.
pub const SIP_NONCES_MAX: usize = 4_096;

/// Contacts of one account of a telephone of ours. Full: the one that was registered longest ago goes.
pub const PHONE_CONTACTS_MAX: usize = 16;

/// News of the trunks that wait at once. Full: the newest is dropped and counted in the log; the next answer tells the same.
pub const TRUNK_NEWS_MAX: usize = 256;

/// One Contact of a telephone of ours, in octets. Longer: 400.
pub const PHONE_CONTACT_BYTES_MAX: usize = 512;

/// Routes that a registrar may have us take (RFC 3608). More: the first ones.
pub const SERVICE_ROUTES_MAX: usize = 4;

/// Transactions that one address may have opened outside of calls. More: answered 480 without a transaction.
pub const SIP_TRANSACTIONS_A_PEER_MAX: usize = SIP_TRANSACTIONS_MAX / 2;

/// Calls that one trunk may begin within a second; its section may say fewer. More: 480.
pub const CAPS_CALLS_A_SECOND_MAX: u64 = 400;

/// Calls of one peer at once that were not acknowledged yet. More: 480.
pub const CAPS_HALF_OPEN_MAX: u64 = 64;

/// Peers without a section of their own whose use is counted. Full: those without a call are forgotten; none can be left then, for lack of calls.
pub const CAPS_PEERS_MAX: usize = 2 * CALLS_MAX;

/// Messages that the trace keeps of one call. More: the oldest after the first few are forgotten.
pub const TRACE_MESSAGES_A_CALL_MAX: usize = 200;

/// Calls and other exchanges that the trace keeps. Full: the exchange that was quiet for longest is forgotten, calls last.
pub const TRACE_CALLS_MAX: usize = 512;

/// Bytes that the trace keeps of all messages together. Full: as above.
pub const TRACE_BYTES_MAX: usize = 16 << 20;

/// Bytes that the trace keeps of one message. Longer: cut.
pub const TRACE_MESSAGE_BYTES_MAX: usize = 8 << 10;

/// Known peers whose pace is kept, each by address and port. Full: the one that was quiet for longest is forgotten.
pub const SHIELD_KNOWN_MAX: usize = 512;

/// Addresses in the phones' networks whose pace and offences are kept. Full: the one that was quiet for longest is forgotten.
pub const SHIELD_PHONES_MAX: usize = 1_024;

/// Strangers whose offences are kept. Full: the one that was quiet for longest is forgotten.
pub const SHIELD_STRANGERS_MAX: usize = 4_096;

/// Bans at once. Full: the one with the weakest proof that ends soonest is lifted.
pub const SHIELD_BANS_MAX: usize = 1_024;

/// Registrations that no ban touches. Full: the one that ends soonest loses that.
pub const SHIELD_VOUCHED_MAX: usize = 1_024;

/// Lines for the log that wait. Full: left out and counted.
pub const SHIELD_NOTICES_MAX: usize = 32;

/// Lines about abuse that may come at once, and one a second after that. More: left out and counted.
pub const SHIELD_LINES_AT_ONCE_MAX: u32 = 20;

/// New requests a second from one known peer, and as many other messages. More: dropped; SIP sends again what matters.
pub const SHIELD_KNOWN_A_SECOND_MAX: u32 = 1_000;

/// The same from one address in the phones' networks that holds no registration.
pub const SHIELD_PHONE_A_SECOND_MAX: u32 = 20;

/// Refusals a second to all strangers together, where they get any. More: silence.
pub const SHIELD_REFUSALS_A_SECOND_MAX: u32 = 20;

/// Offences until a ban; a wrong password counts for two.
pub const SHIELD_STRIKES_MAX: u32 = 10;

/// A time without an offence after which the earlier ones are forgotten.
pub const SHIELD_MEMORY_MS: u64 = 600_000;

/// The first ban of a source; each one after it is four times as long.
pub const SHIELD_BAN_MS_MIN: u64 = 60_000;

/// The longest. After so long without a new one, the bans of a source are forgotten.
pub const SHIELD_BAN_MS_MAX: u64 = 86_400_000;

/// One utterance of the caller that the recogniser gets. Longer: it is cut there and the rest begins a new one.
pub const UTTERANCE_MS_MAX: u64 = 28_000;

/// Characters of one utterance after recognition. Longer: cut.
pub const UTTERANCE_CHARS_MAX: usize = 600;

/// Records of one call whose commit gave no answer in time and whose receipts may still come. Full: the oldest is no longer waited for.
pub const COMMITS_OVERDUE_MAX: usize = 4;

/// Orders of one call to the records that are not answered. Full: the oldest is no longer waited for.
pub const FILINGS_OPEN_MAX: usize = 8;

/// Characters of one sentence we speak. Longer: cut at a word.
pub const SENTENCE_CHARS_MAX: usize = 400;

/// One frame between daemon and worker. Larger: the connection is closed.
pub const WORKER_FRAME_BYTES_MAX: usize = 4 << 20;

/// Requests that wait for one worker. Full: refused at once, and the call takes its scripted way.
pub const WORKER_QUEUE_MAX: usize = 2 * CALLS_MAX;

/// Reports that one leg's ear keeps for whoever polls it. Full: dropped and counted.
pub const EAR_REPORTS_MAX: usize = 96;

/// Frames of sound among them; the rest of the room belongs to events. Full: the newest frame is dropped and counted.
pub const EAR_SOUND_MAX: usize = 72;

/// Frames that an ear keeps of the time before an onset: 300 ms and what deciding takes, at 10 ms a frame. Full: the oldest is forgotten.
pub const PREROLL_FRAMES_MAX: usize = 56;

/// Orders that wait for the listening thread. Full: the shell tries again.
pub const LISTEN_ORDERS_MAX: usize = 2 * LEGS_MAX;

/// Reports of the listening thread that wait for the shell. Full: they wait in each leg's ear, and playback is held or released all the same.
pub const LISTEN_REPORTS_MAX: usize = 2_048;

/// Frames of one leg that the listening thread takes in one tick of 10 ms. More: in the next tick.
pub const LISTEN_FRAMES_A_TICK_MAX: usize = 16;
/// Chunks of one sentence that may wait for their reader. Full: the sentence is cancelled, its reader has gone to sleep.
pub const SPEAK_CHUNKS_MAX: usize = 64;

/// How long a worker may load its model. Longer: killed and started again.
pub const WORKER_LOAD_MS_MAX: u64 = 120_000;

/// How often a worker is asked for a sign of life.
pub const WORKER_PING_EVERY_MS: u64 = 500;

/// How long it may take to give one. Longer: it is stalled, and killed.
pub const WORKER_PONG_MS_MAX: u64 = 2_000;

/// How long one step of a worker may take. Longer: it is stalled, and killed.
pub const WORKER_STEP_MS_MAX: u64 = 60_000;

/// The shortest wait before a dead worker is started again; doubled at each failure.
pub const WORKER_BACKOFF_MS_MIN: u64 = 200;

/// The longest.
pub const WORKER_BACKOFF_MS_MAX: u64 = 5_000;

/// How long a worker must have been ready before its earlier failures are forgotten.
pub const WORKER_STEADY_MS: u64 = 10_000;

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

/// A request to place a call. Larger: refused with 413.
pub const API_BODY_BYTES_MAX: usize = 4 << 10;

/// The do-not-call list. Larger: unreadable, and nobody is called.
pub const DO_NOT_CALL_BYTES_MAX: u64 = 64 << 20;

/// Emergency calls beside a full house. More of them at once: they are refused as any call is in a house that burns.
pub const EMERGENCY_CALLS_MAX: usize = 8;

/// Calls that the signalling has room for: two for each caller who is put through, and those for help. Full: 486.
pub const SIP_CALLS_MAX: usize = 2 * (CALLS_MAX + EMERGENCY_CALLS_MAX);

/// Errors shown of one configuration file. More: the rest shows when these are mended.
pub const CONFIG_ERRORS_MAX: usize = 50;

const _: () = {
    assert!(STREAMS_A_SOURCE_MAX < STREAMS_MAX, "one source never has all connections");
    assert!(STREAM_PING_EVERY_MS + STREAM_PONG_MS_MAX < STREAM_IDLE_MS_MAX, "what is kept is asked before it counts as idle");
    assert!(SIP_HEAD_BYTES_MAX < SIP_STREAM_MESSAGE_BYTES_MAX, "a head leaves room for a body");
    assert!(PREROLL_FRAMES_MAX < EAR_SOUND_MAX, "the sound before an onset must fit");
    assert!(EAR_SOUND_MAX < EAR_REPORTS_MAX, "events need room of their own");
    assert!(STORE_TEXT_BYTES_MAX >= 8 * UTTERANCE_CHARS_MAX, "an utterance fits whatever its script");
    assert!(SIP_TRANSACTIONS_MAX >= 150 * 2 * 32, "150 calls a second that are answered and hung up fit");
    assert!(SIP_SESSION_MIN_S <= SIP_SESSION_EXPIRES_S && SIP_SESSION_MIN_S >= 90, "RFC 4028: a session timer is 90 s or more");
    assert!(LEGS_MAX >= CALLS_MAX, "every call needs a leg");
    assert!(REORDER_WAIT_MS < PLAYBACK_RING_MS, "reordering must not outlast the playback ring");
    assert!(STALL_WAIT_MS > REORDER_WAIT_MS, "a hole is given up before the stream counts as silent");
    assert!(BRIDGE_MS_MAX >= 2 * REORDER_WAIT_MS, "a gap that was waited for arrives at once");
    assert!(CAPTURE_RING_MS >= 5 * PTIME_MS, "the listening thread may be late by a few frames");
    assert!(4 * 16 * UTTERANCE_MS_MAX < WORKER_FRAME_BYTES_MAX as u64, "an utterance at 16 kHz fits into a frame twice");
    assert!(WORKER_BACKOFF_MS_MIN < WORKER_BACKOFF_MS_MAX, "the wait grows");
    assert!(WORKER_BACKOFF_MS_MAX < WORKER_STEADY_MS, "a worker that keeps dying keeps waiting");
    assert!(TRACE_BYTES_MAX >= TRACE_MESSAGES_A_CALL_MAX * TRACE_MESSAGE_BYTES_MAX, "one call fits into the trace");
    assert!(4 * CAPS_HALF_OPEN_MAX <= CALLS_MAX as u64, "one peer cannot take every line by never acknowledging");
    assert!(SHIELD_BAN_MS_MIN < SHIELD_BAN_MS_MAX, "bans grow");
    assert!(SHIELD_STRIKES_MAX > 2, "a mistyped password is no ban");
    assert!(8 * SIP_TRANSACTIONS_A_PEER_MAX < 7 * SIP_TRANSACTIONS_MAX, "one peer cannot take the room of all");
    assert!(UTTERANCE_MS_MAX < 30_000, "whisper hears 30 s at most");
};
