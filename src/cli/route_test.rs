//! `nightbell route-test`: who would answer, and why nobody else. Nothing is called, and no daemon is needed.

use clap::Args;
use serde_json::{Value, json};

use super::args::Place;
use super::failure::{Done, Failure};
use super::print;
use crate::base::civil::DateTime;
use crate::base::clock::unix_millis;
use crate::config::Config;
use crate::route::{Action, Carriage, Choice, Decision, Query, Via};

/// `nightbell route-test`
#[derive(Debug, Args)]
pub struct RouteTestArgs {
    /// What is dialled: a number, an extension, a name.
    #[arg(long, value_name = "NUMBER")]
    pub to: String,
    /// Who calls; leave it out for a withheld number.
    #[arg(long, value_name = "NUMBER", default_value = "anonymous")]
    pub from: String,
    /// When, on the wall at the business: "2026-12-24 18:00" [default: now].
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// By which trunk it comes.
    #[arg(long, value_name = "NAME", conflicts_with = "phone")]
    pub trunk: Option<String>,
    /// From which telephone of the business.
    #[arg(long, value_name = "NAME")]
    pub phone: Option<String>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

pub(super) fn test(args: &RouteTestArgs) -> Done {
    let config = args.place.settings()?;
    let local = local(args.at.as_deref(), &config)?;
    let via = via(args, &config)?;
    let query = Query { dialled: &args.to, caller: &args.from, via: via.clone(), local };
    let decision = config.plan.decide(&query);
    let ways = ways(&config, &decision, args, &via);
    if args.json { print::json(&as_json(&decision, ways.as_ref(), local)) } else { print::lines(in_words(&decision, ways.as_ref(), local)) }
}

fn local(at: Option<&str>, config: &Config) -> Result<DateTime, Failure> {
    let Some(text) = at else { return Ok(config.business.zone.at(unix_millis())) };
    text.trim().parse().map_err(|_| Failure::usage(format!("{text:?} is no time: write --at \"2026-12-24 18:00\"")))
}

fn via(args: &RouteTestArgs, config: &Config) -> Result<Via, Failure> {
    match (&args.trunk, &args.phone) {
        (Some(trunk), _) if config.trunks.contains_key(trunk) => Ok(Via::Trunk(trunk.clone())),
        (Some(trunk), _) => Err(Failure::usage(format!("there is no [trunk.{trunk}]"))),
        (None, Some(phone)) if config.phones.contains_key(phone) => Ok(Via::Phone(phone.clone())),
        (None, Some(phone)) => Err(Failure::usage(format!("there is no [phones.{phone}]"))),
        (None, None) => Ok(Via::Peer),
    }
}

/// The trunks of a call that leaves the house, or why it does not.
fn ways(config: &Config, decision: &Decision, args: &RouteTestArgs, via: &Via) -> Option<Result<Vec<Carriage>, String>> {
    match &decision.choice {
        Choice::Emergency(number) => {
            let came_by = if let Via::Trunk(name) = via { Some(name.as_str()) } else { None };
            let ways = config.dial_plan.emergency_ways(number, came_by);
            let none = "no trunk carries it: write a [trunk.NAME], or trunks under [emergency]".to_owned();
            Some(if ways.is_empty() { Err(none) } else { Ok(ways) })
        }
        Choice::Do(Action::Outside) => {
            let dialled = config.plan.book.read_from_inside(&args.to);
            Some(config.dial_plan.ways(&dialled).map_err(|why| format!("refused with {}: {why}", why.status())))
        }
        _ => None,
    }
}

fn in_words(decision: &Decision, ways: Option<&Result<Vec<Carriage>, String>>, local: DateTime) -> Vec<String> {
    let mut lines = vec![format!("{:?} {} {:02}:{:02}", local.weekday(), local.date(), local.hour(), local.minute())];
    lines.extend(decision.lines().into_iter().map(|line| format!("  {line}")));
    lines.push(decision.told());
    match ways {
        Some(Ok(ways)) => lines.extend(ways.iter().map(|way| format!("  by trunk {:?} as {}", way.trunk, way.user))),
        Some(Err(why)) => lines.push(format!("  {why}")),
        None => {}
    }
    lines
}

fn as_json(decision: &Decision, ways: Option<&Result<Vec<Carriage>, String>>, local: DateTime) -> Value {
    let choice = match &decision.choice {
        Choice::Emergency(number) => json!({ "emergency": number }),
        Choice::Nobody => json!({ "reject": { "status": 404 } }),
        Choice::Do(Action::Agent(agent)) => json!({ "agent": agent }),
        Choice::Do(Action::First { people, agent }) => json!({ "first": people, "agent": agent }),
        Choice::Do(Action::People(people)) => json!({ "people": people }),
        Choice::Do(Action::Outside) => json!({ "outside": true }),
        Choice::Do(Action::Reject { status, words }) => json!({ "reject": { "status": status, "words": words } }),
    };
    let steps: Vec<Value> = decision
        .steps
        .iter()
        .map(|step| json!({ "rule": step.rule, "line": step.line, "fits": step.unfit.is_none(), "why": step.unfit }))
        .collect();
    let ways = ways.map(|ways| match ways {
        Ok(ways) => {
            json!(ways.iter().map(|way| json!({ "trunk": way.trunk, "number": way.user, "shows": way.caller })).collect::<Vec<_>>())
        }
        Err(why) => json!({ "refused": why }),
    });
    json!({ "at": local.to_string(), "decision": choice, "told": decision.told(), "rule": decision.rule(), "looked_at": steps, "ways": ways })
}
