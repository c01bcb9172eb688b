//! Calling out, as meant.

use std::path::PathBuf;

use crate::route::Rules;

/// How agents call out.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Whom they may call, when, how often and for how much.
    pub rules: Rules,
    /// The file of numbers that want no calls, one a line.
    pub do_not_call: PathBuf,
    /// Whether the hours are meant where the called person probably is; else at the business.
    pub hours_there: bool,
}
