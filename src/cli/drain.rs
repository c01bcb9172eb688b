//! `nightbell drain`: no new calls, and those in progress go on.

use super::args::DrainArgs;
use super::failure::{Done, Failure};
use super::print;
use crate::run::control::{self, AskError, Request};

pub(super) fn drain(args: &DrainArgs) -> Done {
    let data = args.place.data_dir()?;
    let answer = match control::ask(&data, &Request::Drain { off: args.off }) {
        Ok(answer) => answer,
        Err(AskError::NotRunning) => return Err(Failure::not_running(format!("not running (no daemon answers at {})", data.display()))),
        Err(error) => return Err(Failure::failed(error)),
    };
    let calls = answer.get("calls").and_then(serde_json::Value::as_u64).unwrap_or_default();
    print::lines([if args.off {
        format!("New calls are taken again; {calls} in progress.")
    } else {
        format!(
            "New calls are refused with 503; {calls} in progress go on. When `nightbell status` shows none, it may be stopped. --off takes calls again."
        )
    }])
}
