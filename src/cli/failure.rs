//! How a command ends when it does not succeed: a line for the reader, a code for the script.

use std::fmt::Display;
use std::process::ExitCode;

/// Why a command did not succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// The line for the reader.
    pub what: String,
}

impl Failure {
    /// It was tried and failed.
    pub fn failed(what: impl Display) -> Self {
        Self { code: 1, what: what.to_string() }
    }

    /// The command line or the configuration is wrong.
    pub fn usage(what: impl Display) -> Self {
        Self { code: 2, what: what.to_string() }
    }

    /// The daemon is not running.
    pub fn not_running(what: impl Display) -> Self {
        Self { code: 3, what: what.to_string() }
    }

    /// There is no such call, agent or pack.
    pub fn not_found(what: impl Display) -> Self {
        Self { code: 4, what: what.to_string() }
    }

    /// Tells the reader, and is the exit code.
    pub(super) fn told(&self) -> ExitCode {
        if !self.what.is_empty() {
            eprintln!("nightbell: {}", self.what);
        }
        ExitCode::from(self.code)
    }
}

/// What a command comes to.
pub type Done = Result<(), Failure>;
