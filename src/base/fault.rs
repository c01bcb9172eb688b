//! Whose fault an error is, and whether trying again can help: every error type answers both.

/// Where the cause lies; statistics count by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The far end sent something wrong.
    Peer,
    /// The network lost or delayed something.
    Network,
    /// A worker died, stalled or answered wrongly.
    Engine,
    /// The disk or the database failed.
    Store,
    /// The configuration asks for something impossible.
    Config,
    /// A bug of ours.
    Ours,
}

/// Whether the same thing may work later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Retry {
    /// It will fail again in the same way.
    Never,
    /// It may work when tried again.
    Later,
}
