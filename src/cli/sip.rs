//! `nightbell sip trace`: the messages of calls, as the running daemon remembers them.

use super::args::{SipArgs, SipCommand, TraceArgs};
use super::failure::{Done, Failure};
use super::print;
use crate::observe::trace::{Asked, Detail, Exchange, ladder, pcap};
use crate::run::control::{self, AskError, Request};

pub(super) fn perform(args: &SipArgs) -> Done {
    let SipCommand::Trace(trace) = &args.command;
    let data = args.place.data_dir()?;
    let asked = Asked { call: trace.call.clone(), last: trace.last, all: trace.all };
    let answer = control::ask(&data, &Request::SipTrace(asked)).map_err(|error| match error {
        AskError::NotRunning => Failure::not_running("not running: the trace is in the memory of the daemon alone"),
        other => Failure::failed(other),
    })?;
    let exchanges: Vec<Exchange> = serde_json::from_value(answer).map_err(Failure::failed)?;
    show(trace, &exchanges)
}

fn show(trace: &TraceArgs, exchanges: &[Exchange]) -> Done {
    if exchanges.is_empty() && !trace.json {
        return Err(Failure::not_found(trace.call.as_ref().map_or_else(
            || "no call was seen since the daemon started".to_owned(),
            |call| format!("no messages of a call {call:?} are remembered"),
        )));
    }
    if let Some(file) = &trace.pcap {
        std::fs::write(file, pcap(exchanges)).map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))?;
    }
    if trace.json {
        return print::json(&exchanges);
    }
    let detail = if trace.full { Detail::Full } else { Detail::Lines };
    let blocks = exchanges.iter().map(|exchange| ladder(exchange, detail).join("\n") + "\n");
    print::lines(blocks)
}
