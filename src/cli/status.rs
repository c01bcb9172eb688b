//! `nightbell status`: what the daemon says of itself.

use serde_json::{Value, json};

use super::args::StatusArgs;
use super::failure::{Done, Failure};
use super::print;
use crate::run::control::{self, AskError, Request};

pub(super) fn show(args: &StatusArgs) -> Done {
    let data = args.place.data_dir()?;
    match control::ask(&data, &Request::Status) {
        Ok(status) if args.json => print::json(&status),
        Ok(status) => print::lines(lines(&status, "")),
        Err(AskError::NotRunning) => {
            if args.json {
                print::json(&json!({ "running": false, "data": data }))?;
                return Err(Failure::not_running(""));
            }
            Err(Failure::not_running(format!("not running (no daemon answers at {})", data.join(control::SOCKET).display())))
        }
        Err(error) => Err(Failure::failed(error)),
    }
}

/// A JSON object as `name: value` lines, indented by depth.
fn lines(value: &Value, indent: &str) -> Vec<String> {
    let Value::Object(fields) = value else { return vec![format!("{indent}{value}")] };
    let line = |(name, value): (&String, &Value)| match value {
        Value::Object(_) => {
            let mut lines_below = vec![format!("{indent}{name}:")];
            lines_below.extend(lines(value, &format!("{indent}  ")));
            lines_below
        }
        Value::String(text) => vec![format!("{indent}{name}: {text}")],
        other => vec![format!("{indent}{name}: {other}")],
    };
    fields.iter().flat_map(line).collect()
}
