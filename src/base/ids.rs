//! Names of things, each a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One call, for its whole life and in every record: 26 characters that sort by time of arrival.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(String);

impl CallId {
    /// A call that began at `unix_millis`, told from its neighbours by `entropy`.
    pub fn new(unix_millis: i64, entropy: u64) -> Self {
        Self(format!("{:011x}-{:014x}", unix_millis.max(0), entropy & 0xff_ffff_ffff_ffff))
    }

    /// An id as read from a record or a command line.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (plain && !text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The id as written in records.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One leg of media: an RTP session with one far end. Never used twice while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct LegId(pub u32);

/// One turn of the agent. Everything made for the caller carries it: an interruption raises the floor, and what is below is dropped wherever it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct TurnId(pub u32);

impl TurnId {
    /// The turn after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A stream inside a worker: a slot that is used again, and the generation that tells its users apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct StreamId {
    /// The place in the worker's table.
    pub slot: u16,
    /// Counts the users of that place.
    pub generation: u32,
}
