//! `nightbell run`: the daemon in the foreground.

use super::args::RunArgs;
use super::failure::{Done, Failure};
use crate::run::RunError;

/// Answers calls until told to stop.
pub(super) fn run(args: &RunArgs) -> Done {
    let config = args.place.load(args.sip.as_deref(), args.http.as_deref())?;
    crate::observe::start(crate::observe::Format::Lines);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;
    runtime.block_on(crate::run::run(config)).map_err(|error| match error {
        RunError::Models(_) => Failure::usage(error),
        _ => Failure::failed(error),
    })
}
