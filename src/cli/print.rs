//! Output that may be cut off: `nightbell calls | head` is no error.

use std::io::{self, Write as _};

use super::failure::{Done, Failure};

/// Prints lines.
pub(super) fn lines(lines: impl IntoIterator<Item = String>) -> Done {
    let mut out = io::stdout().lock();
    for line in lines {
        match writeln!(out, "{line}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other.map_err(Failure::failed)?,
        }
    }
    Ok(())
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Done {
    lines([serde_json::to_string_pretty(value).map_err(Failure::failed)?])
}
