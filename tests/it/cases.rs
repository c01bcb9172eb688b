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
    left("anonymous", "3125550148"),
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
    ends("refer-unauthorised", "3125550171", "callback"),
    outside("refer-in"),
    ends("key-rtp", "3125550173", "transferred"),
];
