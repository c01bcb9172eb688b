//! From a command to what does it.

use std::process::ExitCode;

use clap::Parser as _;

use super::args::{CallArgs, Cli, Command, ReplayArgs, RunArgs, TalkArgs};
use super::failure::Done;
use super::{calling, calls, check, drain, models, replay, route_test, run, sip, status, talk, trunk};

/// The commands that other rooms bring.
pub struct Commands {
    /// `nightbell run`
    pub run: fn(&RunArgs) -> Done,
    /// `nightbell call`
    pub call: fn(&CallArgs) -> Done,
    /// `nightbell talk`
    pub talk: fn(&TalkArgs) -> Done,
    /// `nightbell replay`
    pub replay: fn(&ReplayArgs) -> Done,
}

/// What this build has.
const COMMANDS: Commands = Commands { run: run::run, call: super::call::run, talk: talk::talk, replay: replay::replay };

/// Parses the command line and does what it says; the exit code.
pub fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help and version are no errors; clap knows where each is printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match perform(&command, &COMMANDS) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.told(),
    }
}

fn perform(command: &Command, commands: &Commands) -> Done {
    match command {
        Command::Run(args) => (commands.run)(args),
        Command::Call(args) => (commands.call)(args),
        Command::Talk(args) => (commands.talk)(args),
        Command::Replay(args) => (commands.replay)(args),
        Command::Calls(args) => calls::show(args),
        Command::RouteTest(args) => route_test::test(args),
        Command::Dial(args) => calling::dial(args),
        Command::Consents(args) => calling::consents(args),
        Command::Dnc(args) => calling::dnc(args),
        Command::Check(args) => check::check(args),
        Command::Status(args) => status::show(args),
        Command::Drain(args) => drain::drain(args),
        Command::Models(args) => models::perform(args),
        Command::Sip(args) => sip::perform(args),
        Command::Trunk(args) => trunk::perform(args),
    }
}
