//! The command line as people and scripts use it.

use clap::{CommandFactory as _, Parser as _};

use super::args::{Cli, Command, ModelsCommand, SipCommand, Understanding};
use super::script::Step;

fn parsed(line: &[&str]) -> Command {
    Cli::try_parse_from(["nightbell"].iter().chain(line)).unwrap().command
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_says_what_it_does_and_what_its_exit_codes_mean() {
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let help = command.render_long_help().to_string();
        for word in ["Usage:", "--config <FILE>", "--data <DIR>", "Exit codes:", "3  the daemon is not running"] {
            assert!(help.contains(word), "{}: {word}: {help}", command.get_name());
        }
    }
}

#[test]
fn what_a_caller_does_keeps_its_order() {
    let line = ["call", "sip:leasing@127.0.0.1", "--say", "hello", "--digits", "0", "--wav", "a.wav", "--say", "bye", "--json"];
    let Command::Call(call) = parsed(&line) else { unreachable!() };
    let steps = [Step::Say("hello".into()), Step::Digits("0".into()), Step::Wav("a.wav".into()), Step::Say("bye".into())];
    assert_eq!(call.script.steps, steps);
    assert!(call.json && call.record.is_none());
    assert!(Cli::try_parse_from(["nightbell", "call", "sip:a@b", "--digits", "x"]).is_err());
}

#[test]
fn every_command_parses() {
    assert!(matches!(parsed(&["run", "--sip", "127.0.0.1:5060", "--data", "d"]), Command::Run(args) if args.place.data.is_some()));
    assert!(matches!(parsed(&["talk", "leasing", "--engine", "models"]), Command::Talk(args) if args.engine == Understanding::Models));
    assert!(matches!(parsed(&["calls", "abc", "--json"]), Command::Calls(args) if args.json && args.id.is_some()));
    assert!(matches!(parsed(&["replay", "abc"]), Command::Replay(_)));
    assert!(matches!(parsed(&["models", "fetch", "cpu"]), Command::Models(args) if matches!(args.command, ModelsCommand::Fetch { .. })));
    assert!(matches!(parsed(&["check", "--config", "x"]), Command::Check(_)));
    assert!(matches!(parsed(&["route-test", "--to", "911", "--phone", "desk"]), Command::RouteTest(args) if args.from == "anonymous"));
    assert!(matches!(parsed(&["dial", "3125550142", "--agent", "a", "--dry-run"]), Command::Dial(args) if args.dry_run));
    assert!(matches!(parsed(&["consents", "add", "3125550142", "--kind", "lead", "--source", "fair"]), Command::Consents(_)));
    assert!(matches!(parsed(&["dnc", "add", "3125550142"]), Command::Dnc(_)));
    assert!(matches!(parsed(&["status"]), Command::Status(_)));
    let Command::Sip(sip) = parsed(&["sip", "trace", "abc", "--full", "--pcap", "f", "--config", "c"]) else { unreachable!() };
    let SipCommand::Trace(trace) = sip.command;
    assert!(trace.call.as_deref() == Some("abc") && trace.full && trace.last == 1 && trace.pcap.is_some() && sip.place.config.is_some());
}
