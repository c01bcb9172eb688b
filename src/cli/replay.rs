//! `nightbell replay`: a recorded call again, through the same agent, and whether it decides the same.

use std::sync::Arc;

use serde_json::json;

use super::args::ReplayArgs;
use super::failure::{Done, Failure};
use crate::base::{CallId, Instant};
use crate::call::{Call, Journalled, Output};
use crate::config::Config;
use crate::dialogue::{Decision, Kernel};
use crate::run::Opened;
use crate::store::{JournalEntry, MasterKey, Reader};

/// One decision, as it was recorded and as it is made again.
struct Pair {
    recorded: Option<Decision>,
    repeated: Option<Decision>,
}

impl Pair {
    fn is_same(&self) -> bool {
        self.recorded == self.repeated
    }
}

/// Replays and compares.
pub(super) fn replay(args: &ReplayArgs) -> Done {
    let config = args.place.load(None, None)?;
    let entries = journal(args, &config)?;
    let opened: Opened = entries
        .iter()
        .find(|entry| entry.kind == "opened")
        .ok_or_else(|| Failure::failed("this call's journal does not say how it was opened: it cannot be replayed"))
        .and_then(|entry| serde_json::from_slice(&entry.payload).map_err(Failure::failed))?;
    let agent = config.agents.get(&opened.agent).cloned();
    let agent = agent.ok_or_else(|| Failure::not_found(format!("the configuration has no agent {:?} any more", opened.agent)))?;
    let same_version = agent.version() == opened.agent_version;
    let call = Call::new(opened.settings, Kernel::new(Arc::clone(&agent), opened.facts), Instant::ZERO);
    let pairs = pairs(decisions(&entries)?, again(call, &entries)?);
    tell(args, &pairs, same_version)
}

fn journal(args: &ReplayArgs, config: &Config) -> Result<Vec<JournalEntry>, Failure> {
    let id = CallId::parse(&args.call).ok_or_else(|| Failure::not_found(format!("{:?} is no call: see `nightbell calls`", args.call)))?;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(std::path::PathBuf::from);
    let key = MasterKey::find(&config.store.data, credentials.as_deref()).map_err(Failure::failed)?;
    let reader = Reader::open(&config.store.data, &key).map_err(Failure::failed)?;
    let entries = reader.journal(&id).map_err(Failure::failed)?;
    if entries.is_empty() {
        return Err(Failure::not_found(format!("no call {id} with a journal: see `nightbell calls`")));
    }
    Ok(entries)
}

fn decisions(entries: &[JournalEntry]) -> Result<Vec<Decision>, Failure> {
    let recorded = entries.iter().filter(|entry| entry.kind == "decision");
    recorded.map(|entry| serde_json::from_slice(&entry.payload).map_err(Failure::failed)).collect()
}

fn again(mut call: Call, entries: &[JournalEntry]) -> Result<Vec<Decision>, Failure> {
    let mut repeated = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind == "input") {
        let Journalled { at_us, local, input } = serde_json::from_slice(&entry.payload).map_err(Failure::failed)?;
        match input {
            Some(input) => call.handle(Instant::from_micros(at_us), local, input),
            None => call.handle_timeout(Instant::from_micros(at_us), local),
        }
        while let Some(output) = call.poll_output() {
            if let Output::Decision(decision) = output {
                repeated.push(decision);
            }
        }
    }
    Ok(repeated)
}

fn pairs(recorded: Vec<Decision>, repeated: Vec<Decision>) -> Vec<Pair> {
    let length = recorded.len().max(repeated.len());
    let (mut recorded, mut repeated) = (recorded.into_iter(), repeated.into_iter());
    (0..length).map(|_| Pair { recorded: recorded.next(), repeated: repeated.next() }).collect()
}

fn tell(args: &ReplayArgs, pairs: &[Pair], same_version: bool) -> Done {
    let same = pairs.iter().filter(|pair| pair.is_same()).count();
    if args.json {
        let decisions: Vec<_> =
            pairs.iter().map(|pair| json!({ "recorded": pair.recorded, "repeated": pair.repeated, "same": pair.is_same() })).collect();
        println!("{}", json!({ "same_agent": same_version, "decisions": decisions, "same": same, "of": pairs.len() }));
    } else {
        for pair in pairs {
            let words =
                |decision: &Option<Decision>| decision.as_ref().map_or("(nothing)".to_owned(), |it| format!("{}: {}", it.rule, it.why));
            if pair.is_same() {
                println!("same   {}", words(&pair.recorded));
            } else {
                println!("other  recorded {} | now {}", words(&pair.recorded), words(&pair.repeated));
            }
        }
        println!("{same} of {} decisions are the same", pairs.len());
        if !same_version {
            println!("The agent's files have changed since this call, so differences are to be expected.");
        }
    }
    if same == pairs.len() { Ok(()) } else { Err(Failure::failed("the call would be decided differently now")) }
}
