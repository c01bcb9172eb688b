//! Finds the configuration and the data directory.

use std::path::{Path, PathBuf};

use super::args::Place;
use super::failure::Failure;
use crate::config::{Config, ConfigErrors, Overrides};

/// Where the configuration is when nobody says; the first that exists.
const USUAL: [&str; 2] = ["/etc/nightbell/nightbell.toml", "config/demo/nightbell.toml"];

impl Place {
    /// The configuration's file; refused in words when there is none.
    pub fn file(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.config {
            return Ok(file.clone());
        }
        let usual = USUAL.iter().map(Path::new).find(|path| path.exists());
        usual.map(Path::to_owned).ok_or_else(|| Failure::usage(format!("no configuration: write --config FILE, or put it at {}", USUAL[0])))
    }

    /// The configuration, checked, with the command line over it.
    pub fn load(&self, sip: Option<&str>, http: Option<&str>) -> Result<Config, Failure> {
        let overrides = Overrides { sip: sip.map(str::to_owned), http: http.map(str::to_owned), data: self.data.clone() };
        Config::load_with(&self.file()?, &overrides).map_err(wrong)
    }

    /// The configuration without its agents: for what needs to know only where things are.
    pub fn settings(&self) -> Result<Config, Failure> {
        let overrides = Overrides { data: self.data.clone(), ..Overrides::default() };
        Config::settings(&self.file()?, &overrides).map_err(wrong)
    }

    /// The data directory: as said, else the configuration's.
    pub fn data_dir(&self) -> Result<PathBuf, Failure> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(self.settings()?.store.data),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn wrong(errors: ConfigErrors) -> Failure {
    Failure::usage(format!("the configuration is wrong:\n{errors}"))
}
