//! `nightbell dial`, `nightbell consents`, `nightbell dnc`: calls that agents place, and whom they may call.

use std::io::Write as _;
use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::args::Place;
use super::failure::{Done, Failure};
use super::print;
use crate::base::civil::Zone;
use crate::base::clock::unix_millis;
use crate::config::Config;
use crate::route::Purpose;
use crate::run::Dial;
use crate::run::control::{self, AskError, Request};
use crate::store::{ConsentRow, MasterKey, Reader, StoreError};

/// Why an agent calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Why {
    /// They asked to be called back.
    Callback,
    /// An appointment of theirs.
    Reminder,
    /// They asked about the business's services.
    Lead,
}

impl From<Why> for Purpose {
    fn from(why: Why) -> Self {
        match why {
            Why::Callback => Self::Callback,
            Why::Reminder => Self::Reminder,
            Why::Lead => Self::Lead,
        }
    }
}

/// `nightbell dial`
#[derive(Debug, Args)]
pub struct DialArgs {
    /// Whom to call.
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// Which agent talks.
    #[arg(long, value_name = "AGENT")]
    pub agent: String,
    /// Why.
    #[arg(long, value_enum, default_value_t = Why::Callback)]
    pub why: Why,
    /// Only say whether it would be called, and why not.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell consents`
#[derive(Debug, Args)]
pub struct ConsentsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ConsentsCommand,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// What to do with consents.
#[derive(Debug, Subcommand)]
pub enum ConsentsCommand {
    /// Put on record that somebody agreed to be called; the daemon has to run.
    Add {
        /// Whose number.
        #[arg(value_name = "NUMBER")]
        number: String,
        /// For what.
        #[arg(long, value_enum, default_value_t = Why::Callback)]
        kind: Why,
        /// Where it is written or was said: "web form of 22 November".
        #[arg(long, value_name = "TEXT")]
        source: String,
    },
    /// Show them.
    List {
        /// Of this number only.
        #[arg(value_name = "NUMBER")]
        number: Option<String>,
        /// Print a JSON array instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Take every consent of a number back; the daemon has to run.
    Withdraw {
        /// Whose number.
        #[arg(value_name = "NUMBER")]
        number: String,
    },
}

/// `nightbell dnc`
#[derive(Debug, Args)]
pub struct DncArgs {
    /// What to do with the list.
    #[command(subcommand)]
    pub command: DncCommand,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// What to do with the list of those who want no calls.
#[derive(Debug, Subcommand)]
pub enum DncCommand {
    /// Put a number on it. It counts from the next call on.
    Add {
        /// Whose number.
        #[arg(value_name = "NUMBER")]
        number: String,
    },
    /// Show it.
    List,
}

pub(super) fn dial(args: &DialArgs) -> Done {
    let data = args.place.data_dir()?;
    let dial = Dial { number: args.number.clone(), agent: args.agent.clone(), why: args.why.into(), dry_run: args.dry_run };
    let answer = asked(&data, &Request::Dial(dial))?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let refused = answer.get("refused").is_some();
    if args.json {
        print::json(&answer)?;
        return if refused { Err(Failure::failed("")) } else { Ok(()) };
    }
    if refused {
        return Err(Failure::failed(format!("not called: {}", text("why"))));
    }
    let detail = |name: &str| answer.get("details").and_then(|details| details.get(name)).cloned().unwrap_or_default();
    let said = if args.dry_run { "it would be called".to_owned() } else { format!("calling: {}", text("call_id")) };
    let consent = detail("consent");
    print::lines([
        said,
        format!("  consent: {}", consent.as_str().unwrap_or_default()),
        format!("  by: {}, for at most {} cents", detail("by"), detail("costs_at_most_cents")),
    ])
}

pub(super) fn consents(args: &ConsentsArgs) -> Done {
    let config = args.place.settings()?;
    let data = &config.store.data;
    match &args.command {
        ConsentsCommand::Add { number, kind, source } => {
            let (number, kind) = (full(&config, number)?, Purpose::from(*kind).as_str().to_owned());
            let row = ConsentRow { number, kind, source: source.clone(), at_ms: unix_millis() };
            asked(data, &Request::AddConsent(row))?;
            print::lines(["on record".to_owned()])
        }
        ConsentsCommand::Withdraw { number } => {
            let taken = asked(data, &Request::WithdrawConsents { number: full(&config, number)? })?;
            print::lines([format!("taken back: {taken}")])
        }
        ConsentsCommand::List { number, json } => {
            let number = number.as_ref().map(|number| full(&config, number)).transpose()?;
            let rows = rows(data, number.as_deref())?;
            let line = |row: &ConsentRow| format!("{}  {:<8}  {}  {}", row.number, row.kind, Zone::utc().at(row.at_ms).date(), row.source);
            if *json { print::json(&rows) } else { print::lines(rows.iter().map(line)) }
        }
    }
}

/// From the daemon, or from the data directory when none runs.
fn rows(data: &Path, number: Option<&str>) -> Result<Vec<ConsentRow>, Failure> {
    match control::ask(data, &Request::Consents { number: number.map(str::to_owned) }) {
        Ok(answer) => serde_json::from_value(answer).map_err(Failure::failed),
        Err(AskError::NotRunning) => {
            let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
            let key = MasterKey::find(data, credentials.as_deref().map(Path::new));
            match key.and_then(|key| Reader::open(data, &key)).and_then(|reader| reader.consents(number)) {
                Err(StoreError::Absent(_) | StoreError::KeyMissing(_)) => Ok(Vec::new()),
                other => other.map_err(Failure::failed),
            }
        }
        Err(error) => Err(Failure::failed(error)),
    }
}

pub(super) fn dnc(args: &DncArgs) -> Done {
    let config = args.place.settings()?;
    let Some(outbound) = &config.outbound else {
        return Err(Failure::usage("agents do not call out: there is no [outbound] in the configuration"));
    };
    let path = &outbound.do_not_call;
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    match &args.command {
        DncCommand::Add { number } => {
            let number = full(&config, number)?;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
            // The file may have been edited by hand and end without a line's end.
            writeln!(file, "\n{number}").map_err(failed)?;
            print::lines([format!("on the list: {}", path.display())])
        }
        DncCommand::List => match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => print::lines(["the list is empty".to_owned()]),
            text => print::lines(text.map_err(failed)?.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned)),
        },
    }
}

fn full(config: &Config, number: &str) -> Result<String, Failure> {
    let country = config.plan.book.country;
    let full = country.number(number).ok_or_else(|| Failure::usage(format!("{number:?} is no telephone number")))?;
    Ok(full.as_str().to_owned())
}

fn asked(data: &Path, request: &Request) -> Result<Value, Failure> {
    control::ask(data, request).map_err(|error| match error {
        AskError::NotRunning => Failure::not_running("not running: it is the daemon that calls and keeps the records"),
        other => Failure::failed(other),
    })
}
