//! What the command line understands. `--help` is the manual: its words are these.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::call::PhoneArgs;
use super::calling::{ConsentsArgs, DialArgs, DncArgs};
use super::route_test::RouteTestArgs;
use super::script::Script;
use super::trunk::TrunkArgs;

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed; the last line says why
  2  the command line or the configuration is wrong
  3  the daemon is not running
  4  there is no such call, agent or pack";

/// Answers a small business's telephone, with speech recognition, a language model and a voice that run on this machine.
#[derive(Debug, Parser)]
#[command(name = "nightbell", version, after_help = EXIT_CODES, disable_help_subcommand = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer calls until told to stop.
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Call an address as a telephone would, say something, and hear the answer.
    #[command(after_help = EXIT_CODES)]
    Call(CallArgs),
    /// Talk to an agent in writing: no telephone, the same decisions.
    #[command(after_help = EXIT_CODES)]
    Talk(TalkArgs),
    /// Show the calls that were answered, newest first, or one of them with every word.
    #[command(after_help = EXIT_CODES)]
    Calls(CallsArgs),
    /// Run a recorded call through the agent again, and show whether it decides the same.
    #[command(after_help = EXIT_CODES)]
    Replay(ReplayArgs),
    /// Say who would answer a call, and why nobody else. Calls nobody.
    #[command(after_help = EXIT_CODES)]
    RouteTest(RouteTestArgs),
    /// Let an agent call somebody, within the rules of [outbound].
    #[command(after_help = EXIT_CODES)]
    Dial(DialArgs),
    /// Show who agreed to be called, put it on record, take it back.
    #[command(after_help = EXIT_CODES)]
    Consents(ConsentsArgs),
    /// Show the list of those who want no calls, or put somebody on it.
    #[command(after_help = EXIT_CODES)]
    Dnc(DncArgs),
    /// Check the configuration, the agents, the models and the data directory, and start nothing.
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Show what the running daemon does.
    #[command(after_help = EXIT_CODES)]
    Status(StatusArgs),
    /// Take no new calls while those in progress go on to their end: before an update, say.
    #[command(after_help = EXIT_CODES)]
    Drain(DrainArgs),
    /// List, fetch, verify and choose the models.
    #[command(after_help = EXIT_CODES)]
    Models(ModelsArgs),
    /// Look at the signalling of the running daemon.
    #[command(after_help = EXIT_CODES)]
    Sip(SipArgs),
    /// Join a PBX or a provider, and see how the trunks stand.
    #[command(after_help = EXIT_CODES)]
    Trunk(TrunkArgs),
}

/// Where the configuration and the data are.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// The configuration [default: /etc/nightbell/nightbell.toml, or else config/demo/nightbell.toml].
    #[arg(long, global = true, value_name = "FILE", env = "NIGHTBELL_CONFIG")]
    pub config: Option<PathBuf>,
    /// The data directory, in place of the one in the configuration.
    #[arg(long, global = true, value_name = "DIR", env = "NIGHTBELL_DATA")]
    pub data: Option<PathBuf>,
}

/// `nightbell run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
    /// Where calls arrive, in place of every listener in the configuration: `127.0.0.1:5060` or `udp:127.0.0.1:5060`.
    #[arg(long, value_name = "ADDR")]
    pub sip: Option<String>,
    /// Where the status page is, in place of the one in the configuration; an address of this machine only.
    #[arg(long, value_name = "ADDR")]
    pub http: Option<String>,
}

/// `nightbell call`
#[derive(Debug, Args)]
pub struct CallArgs {
    /// Whom to call: a SIP URI such as sip:leasing@127.0.0.1:5060.
    #[arg(value_name = "URI")]
    pub uri: String,
    /// What to say, play and press, in the order written.
    #[command(flatten)]
    pub script: Script,
    /// Who calls: a SIP URI, or its user alone.
    #[arg(long, value_name = "USER", default_value = "sip:caller@127.0.0.1")]
    pub from: String,
    /// The address to call from; a free port where its port is 0 [default: chosen by the system].
    #[arg(long, value_name = "ADDR")]
    pub local: Option<String>,
    /// What the telephone does beyond its script.
    #[command(flatten)]
    pub phone: PhoneArgs,
    /// Write both sides of the call to this file: WAV, this end left, the far end right.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Hang up this many seconds after the script has ended and nothing more was said.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub linger: u64,
    /// Hang up after this many seconds in any case.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub limit: u64,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
    /// Accepted as by every command; the test caller itself needs neither.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell talk`
#[derive(Debug, Args)]
pub struct TalkArgs {
    /// The agent, as the configuration's routes name it.
    #[arg(value_name = "AGENT")]
    pub agent: String,
    /// Who understands what is written.
    #[arg(long, value_enum, default_value_t = Understanding::Models)]
    pub engine: Understanding,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// Who understands what the caller says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Understanding {
    /// The built-in matcher alone: no model is started.
    Matcher,
    /// The language model, with the matcher beside it, as on a call.
    Models,
}

/// `nightbell calls`
#[derive(Debug, Args)]
pub struct CallsArgs {
    /// One call, with every word.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// How many calls to show.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Print JSON: an array, newest first; one object where an ID is given.
    #[arg(long)]
    pub json: bool,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The call, as `nightbell calls` names it.
    #[arg(value_name = "CALL")]
    pub call: String,
    /// Print JSON instead of lines.
    #[arg(long)]
    pub json: bool,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell drain`
#[derive(Args, Clone, Debug)]
pub struct DrainArgs {
    /// Take new calls again.
    #[arg(long)]
    pub off: bool,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `nightbell models`
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ModelsCommand,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Show every pack: what is in it, how large it is, whether it is installed.
    List,
    /// Install a pack from the internet. What was cut is resumed; nothing counts as installed before its SHA-256 was checked.
    Fetch {
        /// Which one.
        #[arg(value_name = "PACK")]
        pack: String,
    },
    /// Read every installed file and compare its SHA-256; fails when one is not right, or the pack that is named is not installed.
    Verify {
        /// Only this one.
        #[arg(value_name = "PACK")]
        pack: Option<String>,
        /// Print nothing.
        #[arg(long)]
        quiet: bool,
    },
    /// Show which pack would be used now, and what it can and cannot hear.
    Choose,
}

/// `nightbell sip`
#[derive(Debug, Args)]
pub struct SipArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SipCommand,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// What to do with the signalling.
#[derive(Debug, Subcommand)]
pub enum SipCommand {
    /// Show the messages of a call as a ladder with times, and what looks wrong. They hold numbers and names; passwords are masked.
    Trace(TraceArgs),
}

/// `nightbell sip trace`
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// A call, as `nightbell calls` names it, or the beginning of a Call-ID [default: the newest calls].
    #[arg(value_name = "CALL")]
    pub call: Option<String>,
    /// How many of the newest calls.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub last: usize,
    /// Count registrations, OPTIONS and the like too.
    #[arg(long)]
    pub all: bool,
    /// Show every message whole.
    #[arg(long)]
    pub full: bool,
    /// Write the messages into this file as well, for sngrep or Wireshark.
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// Print JSON instead of lines.
    #[arg(long)]
    pub json: bool,
}
