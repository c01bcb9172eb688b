//! What the shield tells people: a line at times for the log, and a table for `nightbell status`.

use std::net::IpAddr;

use serde::Serialize;

use super::guard::Standing;

/// One line for the log: at most one a source and minute, and so many a minute of all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Who.
    pub source: IpAddr,
    /// What it does, in words.
    pub why: &'static str,
    /// Its datagrams and connections so far.
    pub seen: u64,
    /// Seconds of silence from now on; none where it is not banned.
    pub banned_s: Option<u64>,
    /// Lines that were left out since the last one, of all sources.
    pub unsaid: u64,
}

/// One source in the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Seen {
    /// Its address, or its network for IPv6.
    pub source: String,
    /// Who it is to us.
    pub standing: Standing,
    /// Datagrams and connections.
    pub seen: u64,
    /// Those that were dropped or refused.
    pub dropped: u64,
    /// Seconds since the last of them.
    pub ago_s: u64,
    /// Seconds that it stays banned.
    pub banned_s: Option<u64>,
}

/// What the shield has done.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// Datagrams and connections of strangers that met silence.
    pub silenced: u64,
    /// Those that met the one refusal.
    pub refused: u64,
    /// Datagrams of known peers and of phones beyond their pace.
    pub paced: u64,
    /// Bans that hold.
    pub bans: usize,
    /// Bans ever spoken.
    pub bans_total: u64,
    /// Sources in the table.
    pub sources: usize,
    /// Those of whom most was dropped, the worst first.
    pub worst: Vec<Seen>,
}
