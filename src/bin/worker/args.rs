//! A worker's arguments: `--name value` pairs. The daemon writes them, people only read them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// One argument.
#[derive(Debug)]
pub struct Flag {
    /// Without the dashes.
    pub name: &'static str,
    /// What its value is.
    pub value: &'static str,
    /// What it is for.
    pub help: &'static str,
}

/// The arguments as given.
#[derive(Debug)]
pub struct Args(BTreeMap<&'static str, String>);

impl Args {
    /// Reads the program's arguments; `None` when help was asked for and printed.
    pub fn read(program: &str, flags: &'static [Flag]) -> Result<Option<Self>, String> {
        let mut given = BTreeMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if word == "--help" || word == "-h" {
                print_help(program, flags);
                return Ok(None);
            }
            let flag = word.strip_prefix("--").and_then(|name| flags.iter().find(|flag| flag.name == name));
            let flag = flag.ok_or_else(|| format!("unknown argument {word:?}; --help lists them"))?;
            let value = words.next().ok_or_else(|| format!("--{} wants {}", flag.name, flag.value))?;
            given.insert(flag.name, value);
        }
        Ok(Some(Self(given)))
    }

    /// The text of an argument.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The path of an argument.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// The number of an argument, or `default` without it.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        let wrong = |_| format!("--{name} wants a whole number");
        self.text(name).map_or(Ok(default), |text| text.parse().map_err(wrong))
    }
}

fn print_help(program: &str, flags: &[Flag]) {
    println!("{program}: one engine of nightbell, in a process of its own.");
    println!("The daemon starts it, with its socket as standard input; started by hand it only prints this.\n");
    for flag in flags {
        println!("  --{} {}\n        {}", flag.name, flag.value, flag.help);
    }
}
