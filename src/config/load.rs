//! Reads a configuration file.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::check::{self, Depth};
use super::error::Problem;
use super::{Config, ConfigErrors, raw};
use crate::base::limits;

/// What a command line says over the file.
#[derive(Clone, Default, Debug)]
pub struct Overrides {
    /// Takes the place of all listeners: `127.0.0.1:5060` or `udp:127.0.0.1:5060`.
    pub sip: Option<String>,
    /// Takes the place of the status page's address.
    pub http: Option<String>,
    /// Takes the place of the data directory; relative to the working directory.
    pub data: Option<PathBuf>,
}

impl Config {
    /// Reads and checks `path`.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        Self::load_with(path, &Overrides::default())
    }

    /// Reads and checks `path` and the agents that it names, with what the command line says over it.
    pub fn load_with(path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        Self::load_to(path, overrides, Depth::Agents)
    }

    /// As [`Config::load_with`], but looks at no agent: for what needs to know only where things are.
    pub fn settings(path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        Self::load_to(path, overrides, Depth::Settings)
    }

    fn load_to(path: &Path, overrides: &Overrides, depth: Depth) -> Result<Self, ConfigErrors> {
        Self::of(path, &read(path)?, overrides, depth)
    }

    /// Checks `text` as if it stood in `path`; looks at no agent.
    pub(super) fn of_text(path: &Path, text: &str, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        Self::of(path, text, overrides, Depth::Settings)
    }

    fn of(path: &Path, text: &str, overrides: &Overrides, depth: Depth) -> Result<Self, ConfigErrors> {
        let (raw, mut problems) = raw::read(text);
        // What could not be read at all is told alone: everything would seem to be missing.
        let config = if problems.is_empty() { check::check(path, text, &raw, depth, &mut problems) } else { None };
        let Some(mut config) = config else { return Err(ConfigErrors::new(path, problems)) };
        config
            .put_over(overrides)
            .map_err(|what| ConfigErrors { file: PathBuf::from("command line"), problems: vec![Problem::missing(&what)] })?;
        Ok(config)
    }

    fn put_over(&mut self, overrides: &Overrides) -> Result<(), String> {
        if let Some(sip) = &overrides.sip {
            self.sip.listen = vec![check::listener(sip)?];
        }
        if let Some(http) = &overrides.http {
            self.http.listen = check::http_address(http)?;
        }
        if let Some(data) = &overrides.data {
            self.store.data.clone_from(data);
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, ConfigErrors> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(limits::CONFIG_BYTES_MAX + 1).read_to_string(&mut text));
    read.map_err(|error| ConfigErrors::one(path, format!("cannot be read: {error}")))?;
    if text.len() as u64 > limits::CONFIG_BYTES_MAX {
        return Err(ConfigErrors::one(path, format!("is longer than {} bytes: this is no configuration", limits::CONFIG_BYTES_MAX)));
    }
    Ok(text)
}
