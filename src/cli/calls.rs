//! `nightbell calls`: asks the daemon, or reads the data directory when none runs.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::args::CallsArgs;
use super::failure::{Done, Failure};
use super::print;
use crate::base::CallId;
use crate::run::control::{self, AskError, Request};
use crate::store::{CallRecord, MasterKey, Reader, StoreError, TurnRecord, Who};

pub(super) fn show(args: &CallsArgs) -> Done {
    let data = args.place.data_dir()?;
    let Some(id) = &args.id else {
        let calls = calls(&data, args.limit)?;
        return if args.json { print::json(&calls) } else { print::lines(overview(&calls)) };
    };
    let unknown = || Failure::not_found(format!("no call has the id {id:?}"));
    let call = call(&data, &CallId::parse(id).ok_or_else(unknown)?)?.ok_or_else(unknown)?;
    if args.json { print::json(&call) } else { print::lines(whole(&call)) }
}

/// The newest calls.
fn calls(data: &Path, limit: usize) -> Result<Vec<CallRecord>, Failure> {
    match asked(data, &Request::Calls { limit })? {
        Some(calls) => Ok(calls),
        None => match reader(data) {
            Err(StoreError::Absent(_)) => Ok(Vec::new()),
            other => other.and_then(|reader| reader.calls(limit)).map_err(Failure::failed),
        },
    }
}

/// One call.
fn call(data: &Path, id: &CallId) -> Result<Option<CallRecord>, Failure> {
    match asked(data, &Request::Call { id: id.clone() })? {
        Some(call) => Ok(call),
        None => match reader(data) {
            Err(StoreError::Absent(_)) => Ok(None),
            other => other.and_then(|reader| reader.call(id)).map_err(Failure::failed),
        },
    }
}

/// The daemon's answer; none when no daemon runs.
fn asked<T: DeserializeOwned>(data: &Path, request: &Request) -> Result<Option<T>, Failure> {
    match control::ask(data, request) {
        Ok(answer) => serde_json::from_value(answer).map(Some).map_err(Failure::failed),
        Err(AskError::NotRunning) => Ok(None),
        Err(error) => Err(Failure::failed(error)),
    }
}

fn reader(data: &Path) -> Result<Reader, StoreError> {
    if !data.join("nightbell.db").exists() {
        return Err(StoreError::Absent(data.to_owned()));
    }
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    Reader::open(data, &MasterKey::find(data, credentials.as_deref().map(Path::new))?)
}

fn overview(calls: &[CallRecord]) -> Vec<String> {
    if calls.is_empty() {
        return vec!["no calls yet".to_owned()];
    }
    let line = |call: &CallRecord| {
        let outcome = call.outcome.map_or("in progress", crate::store::Outcome::as_str);
        let receipts: Vec<&str> = call.receipts.iter().map(|receipt| receipt.id.as_str()).collect();
        let from = call.from.as_deref().unwrap_or("[erased]");
        format!("{}  {}  {outcome:<12} {} -> {} ({})  {}", call.call_id, call.started_at, from, call.to, call.agent, receipts.join(" "))
    };
    calls.iter().map(line).collect()
}

fn whole(call: &CallRecord) -> Vec<String> {
    let mut lines = overview(std::slice::from_ref(call));
    lines.push(String::new());
    lines.extend(call.turns.iter().map(turn));
    lines.extend(call.receipts.iter().map(|receipt| format!("receipt  {} {}", receipt.kind.as_str(), receipt.id)));
    lines
}

fn turn(turn: &TurnRecord) -> String {
    let who = match turn.who {
        Who::Agent => "agent ",
        Who::Caller => "caller",
    };
    let text = turn.text.as_deref().unwrap_or("[erased]");
    let gap = turn.gap_ms.map_or_else(String::new, |gap| format!("  ({gap} ms)"));
    let sure = turn.confidence.map_or_else(String::new, |sure| format!("  [{:.0} %]", sure * 100.0));
    let heard = match (&turn.heard, turn.who) {
        (Some(heard), Who::Agent) if heard != text => format!("  heard: {heard}"),
        _ => String::new(),
    };
    format!("{who}  {text}{sure}{gap}{heard}")
}
