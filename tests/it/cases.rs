//! The behaviours that sipp plays, and what each leaves on record.

/// One behaviour: the scenario, what else sipp is told, and what stays on record.
pub struct Case {
    pub file: &'static str,
    pub arguments: &'static [&'static str],
    /// The caller's number, and how its call ended; with no end, no call of that number is on record.
    pub record: Option<(&'static str, Option<&'static str>)>,
}

/// A call that the caller ends before anything was decided.
const fn left(file: &'static str, number: &'static str) -> Case {
    ends(file, number, "abandoned")
}

/// A call with this outcome.
const fn ends(file: &'static str, number: &'static str, outcome: &'static str) -> Case {
    Case { file, arguments: &[], record: Some((number, Some(outcome))) }
}

/// A call that is refused: it is not on record.
const fn refused(file: &'static str, number: &'static str) -> Case {
    Case { file, arguments: &[], record: Some((number, None)) }
}

/// No call at all.
const fn outside(file: &'static str) -> Case {
    Case { file, arguments: &[], record: None }
}

/// What everybody may do who is trusted, with the demonstration's configuration.
pub const CALLS_IN: &[Case] = &[
    left("basic", "3125550101"),
    left("pcma", "3125550102"),
    left("codec-order", "3125550103"),
    refused("no-codec", "3125550104"),
    left("second-stream", "3125550105"),
    refused("bad-sdp", "3125550106"),
    refused("content-type", "3125550107"),
    refused("require", "3125550108"),
    refused("accept", "3125550109"),
    left("offerless", "3125550110"),
    left("offerless-no-answer", "3125550111"),
    left("cancel-late", "3125550113"),
    outside("cancel-stray"),
    outside("bye-stray"),
    ends("no-ack", "3125550116", "failed"),
    left("hold", "3125550117"),
    left("hold-old", "3125550118"),
    left("hold-inactive", "3125550119"),
    left("hold-recvonly", "3125550120"),
    left("version", "3125550121"),
    left("reinvite-offerless", "3125550122"),
    left("reinvite-refused", "3125550123"),
    left("reinvite-crossing", "3125550124"),
    left("reinvite-codec", "3125550125"),
    left("cseq", "3125550126"),
    left("update-offer", "3125550127"),
    left("update-bare", "3125550128"),
    outside("options"),
    left("options-in-call", "3125550131"),
    outside("method-unknown"),
    outside("method-not-here"),
    outside("message-refused"),
    outside("subscribe-refused"),
    outside("scheme"),
    outside("forwards-zero"),
    outside("loop"),
    left("merged", "3125550139"),
    outside("rport"),
    outside("vias"),
    left("compact", "3125550142"),
    left("folded", "3125550143"),
    left("long-header", "3125550144"),
    left("many-headers", "3125550145"),
    left("record-route", "3125550146"),
    left("display-name", "3125550147"),
    left("anonymous", "anonymous"),
    left("info-relay", "3125550150"),
    left("info-dtmf", "3125550151"),
    left("info-unknown", "3125550152"),
    left("notify-stray", "3125550153"),
    left("reason-bye", "3125550154"),
    left("timer-none", "3125550158"),
    left("prack-supported", "3125550160"),
    left("diversion", "3125550162"),
    left("history-info", "3125550163"),
    left("asserted", "3125550164"),
    left("smuggled", "3125550165"),
    left("user-to-user", "3125550166"),
    ends("refer-done", "3125550167", "transferred"),
    ends("refer-busy", "3125550168", "callback"),
    ends("refer-gone", "3125550169", "callback"),
    left("refer-hung-up", "3125550170"),
    outside("refer-in"),
    ends("key-rtp", "3125550173", "transferred"),
    refused("timer-small", "3125550155"),
    left("timer-uac", "3125550156"),
    left("timer-uas", "3125550157"),
    left("prack-stray", "3125550161"),
    left("replaces", "3125550220"),
    refused("replaces-stray", "3125550221"),
];

/// When a person is rung.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// As the call comes in, before the agent answers.
    First,
    /// The same at a telephone number, by a trunk with a password.
    FirstByTrunk,
    /// When the caller has asked the agent for a person.
    Asked,
}

/// Two behaviours at once: a caller, and somebody whom the box rings because of the call.
pub struct Pair {
    pub caller: &'static str,
    pub called: &'static str,
    /// When the person is rung.
    pub rung: Rung,
    /// What the configuration says of the person, beside the name and the address.
    pub person: &'static str,
    /// Who is reached where the called one says that they have moved.
    pub elsewhere: Option<&'static str>,
    /// How the call ends.
    pub outcome: &'static str,
}

const fn pair(caller: &'static str, called: &'static str, person: &'static str, outcome: &'static str) -> Pair {
    Pair { caller, called, rung: Rung::Asked, person, elsewhere: None, outcome }
}

const fn first(caller: &'static str, called: &'static str, person: &'static str, outcome: &'static str) -> Pair {
    Pair { caller, called, rung: Rung::First, person, elsewhere: None, outcome }
}

/// A person at a number whom the trunk does not reach in the end.
const fn by_trunk(called: &'static str) -> Pair {
    Pair { caller: "first-nobody", called, rung: Rung::FirstByTrunk, person: "ring_s = 10", elsewhere: None, outcome: "abandoned" }
}

const BRIDGED: &str = "transfer = \"bridge\"";
const BRIDGED_SOON: &str = "transfer = \"bridge\"\nring_s = 5";
const BRIDGED_AT_ONCE: &str = "transfer = \"bridge\"\nbrief = false";

/// A caller presses 0, and a person is rung.
pub const ASKED_BY_KEY: &[Pair] = &[
    pair("asks", "person-accepts-by-key", BRIDGED, "transferred"),
    pair("asks-stays", "person-declines-by-key", BRIDGED, "callback"),
    pair("asks-stays", "person-leaves-the-brief", BRIDGED, "callback"),
    pair("asks-stays", "person-busy", BRIDGED, "callback"),
    pair("asks-stays", "person-declines", BRIDGED, "callback"),
    pair("asks-stays", "person-down", BRIDGED, "callback"),
    pair("asks-stays", "person-silent", BRIDGED_SOON, "callback"),
    pair("asks-stays", "person-crosses", BRIDGED_SOON, "callback"),
    pair("asks-leaves", "person-given-up", BRIDGED, "abandoned"),
    pair("asks-refused", "person-accepts-by-key", "transfer = \"auto\"", "transferred"),
    pair("asks-declined", "person-busy", "transfer = \"auto\"", "callback"),
    pair("asks", "person-takes", BRIDGED_AT_ONCE, "transferred"),
    pair("asks", "person-early", BRIDGED_AT_ONCE, "transferred"),
    pair("asks", "person-forks", BRIDGED_AT_ONCE, "transferred"),
    pair("asks", "person-holds", BRIDGED_AT_ONCE, "transferred"),
    pair("asks", "person-updates", BRIDGED_AT_ONCE, "transferred"),
    pair("asks", "person-reliable", BRIDGED_AT_ONCE, "transferred"),
    pair("asks-stays", "person-interval", BRIDGED, "callback"),
    pair("asks-stays", "person-context", "transfer = \"bridge\"\ncontext = \"user-to-user\"", "callback"),
    Pair { elsewhere: Some("person-takes"), ..pair("asks", "person-moved", BRIDGED_AT_ONCE, "transferred") },
];

/// One more argument list for a scenario: nothing is compared with the record.
const fn with(file: &'static str, arguments: &'static [&'static str]) -> Case {
    Case { file, arguments, record: None }
}

/// The business's own telephones, from a network where nobody is trusted without a password.
pub const PHONES: &[Case] = &[
    outside("phone-both"),
    outside("phone-wrong-secret"),
    outside("phone-unknown"),
    outside("phone-unasked"),
    with("phone-both", &["-t", "t1"]),
    with("phone-unasked", &["-t", "t1"]),
];

/// The same, asked for MD5 alone: sipp knows no other.
pub const PHONES_WITH_MD5: &[Case] = &[outside("phone-joins"), outside("phone-brief"), outside("phone-leaves"), outside("phone-asks")];

/// From where nobody is known at all.
pub const STRANGERS: &[Case] = &[
    with("stranger-invite", &["-i", "127.0.0.4", "-mi", "127.0.0.4"]),
    with("stranger-options", &["-i", "127.0.0.4", "-mi", "127.0.0.4"]),
    with("stranger-register", &["-i", "127.0.0.4", "-mi", "127.0.0.4"]),
];

/// From a trunk that may have one call at once; and what no route takes.
pub const TRUNKS: &[Case] = &[
    Case { file: "caps", arguments: &["-i", "127.0.0.5", "-mi", "127.0.0.5"], record: Some(("3125550233", Some("abandoned"))) },
    Case {
        file: "not-dialled",
        arguments: &["-i", "127.0.0.2", "-mi", "127.0.0.2", "-s", "elsewhere"],
        record: Some(("3125550149", None)),
    },
    Case { file: "rejected", arguments: &["-i", "127.0.0.2", "-mi", "127.0.0.2", "-s", "closed"], record: Some(("3125550236", None)) },
    Case { file: "by-hour", arguments: &["-i", "127.0.0.2", "-mi", "127.0.0.2", "-s", "by-hour"], record: Some(("3125550238", None)) },
];

/// The same by other ways.
pub const OVER_TCP: &[Case] = &[
    with("basic", &["-t", "t1"]),
    with("hold", &["-t", "t1"]),
    with("offerless", &["-t", "t1"]),
    with("cancel-late", &["-t", "t1"]),
    with("compact", &["-t", "t1"]),
    with("require", &["-t", "t1"]),
    with("key-rtp", &["-t", "t1"]),
    left("large", "3125550237"),
];

/// The same over IPv6.
pub const OVER_IPV6: &[Case] = &[with("basic", &[]), with("rport", &[]), with("hold", &[]), with("basic", &["-t", "t1"])];

/// Many at once.
pub const BURST: &[Case] = &[with("burst", &["-m", "50", "-l", "50", "-r", "50"])];

/// The staff are rung before the agent answers.
pub const RUNG_FIRST: &[Pair] = &[
    first("first-nobody", "person-busy", BRIDGED, "abandoned"),
    first("first-nobody", "person-silent", BRIDGED_SOON, "abandoned"),
    first("first-nobody", "person-crosses", BRIDGED_SOON, "abandoned"),
    first("first-person", "person-takes", BRIDGED_AT_ONCE, "transferred"),
    first("first-talks", "person-is-left", BRIDGED_AT_ONCE, "transferred"),
    first("cancel", "person-given-up", BRIDGED, "abandoned"),
    by_trunk("person-challenges"),
    by_trunk("person-challenges-as-proxy"),
    by_trunk("person-foreign-realm"),
    first("prack-required", "person-silent", BRIDGED_SOON, "abandoned"),
    Pair { elsewhere: Some("person-takes"), ..first("first-person", "person-moved", BRIDGED_AT_ONCE, "transferred") },
];
