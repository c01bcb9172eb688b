//! What `nightbell call` says, plays and presses, in the order in which it is written.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

/// One thing that the caller does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Says this.
    Say(String),
    /// Plays this recording.
    Wav(PathBuf),
    /// Presses these keys.
    Digits(String),
    /// Begins the next step so many milliseconds into the far end's speech, instead of after it.
    Interrupt(u64),
    /// Hangs up so many milliseconds into the far end's speech.
    HangUp(u64),
}

/// What the caller does, each step when the far end has stopped speaking.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    /// The steps, in the order written.
    pub steps: Vec<Step>,
}

impl Args for Script {
    fn augment_args(command: Command) -> Command {
        let digits = |text: &str| {
            let keys = !text.is_empty() && text.chars().all(|key| key.is_ascii_digit() || matches!(key, '*' | '#'));
            if keys { Ok(text.to_owned()) } else { Err("keys are 0 to 9, * and #") }
        };
        command
            .arg(repeated("say", "TEXT").help("Say this when the far end has stopped speaking, with espeak-ng or flite"))
            .arg(repeated("wav", "FILE").value_parser(value_parser!(PathBuf)).help("Play this WAV file, in its turn"))
            .arg(repeated("digits", "KEYS").value_parser(digits).alias("digit").help("Press these keys, in their turn"))
            .arg(repeated("interrupt", "MS").value_parser(value_parser!(u64)).help("Begin the next step so long into the far end's speech"))
            .arg(repeated("hang-up", "MS").value_parser(value_parser!(u64)).help("Hang up so long into the far end's speech"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn repeated(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).action(ArgAction::Append)
}

impl FromArgMatches for Script {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut steps: Vec<(usize, Step)> = Vec::new();
        steps.extend(placed(matches, "say", Step::Say));
        steps.extend(placed(matches, "wav", Step::Wav));
        steps.extend(placed(matches, "digits", Step::Digits));
        steps.extend(placed(matches, "interrupt", Step::Interrupt));
        steps.extend(placed(matches, "hang-up", Step::HangUp));
        steps.sort_by_key(|(place, _)| *place);
        Ok(Self { steps: steps.into_iter().map(|(_, step)| step).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of one option, each with its place on the command line.
fn placed<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str, step: fn(T) -> Step) -> Vec<(usize, Step)> {
    let places = matches.indices_of(name).into_iter().flatten();
    let values = matches.get_many::<T>(name).into_iter().flatten().cloned();
    places.zip(values.map(step)).collect()
}
