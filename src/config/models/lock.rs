//! The lock file: the digests of files that the manifest does not know, pinned when they were first fetched.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::base::sha256;

/// The lock file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what we wrote.
    #[error("{}: {what}; remove the file to pin anew", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Digests by address.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    path: PathBuf,
    pinned: BTreeMap<String, String>,
}

impl Lock {
    /// Reads `lock.toml` in `folder`; empty where there is none.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join("lock.toml");
        let pinned = match fs::read_to_string(&path) {
            Ok(text) => super::super::raw::parse_toml(&text).map_err(|what| LockError::Malformed { path: path.clone(), what })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(LockError::File { path, source }),
        };
        Ok(Self { path, pinned })
    }

    /// The digest pinned for `address`.
    pub fn sum(&self, address: &str) -> Option<sha256::Sum> {
        self.pinned.get(address).and_then(|text| sha256::from_hex(text))
    }

    /// Pins `sum` for `address` and writes the file.
    pub fn pin(&mut self, address: &str, sum: &sha256::Sum) -> Result<(), LockError> {
        self.pinned.insert(address.to_owned(), sha256::hex(sum));
        let write = || {
            let new = self.path.with_extension("toml.new");
            let mut file = fs::File::create(&new)?;
            writeln!(file, "# Digests of models, pinned when they were first fetched.")?;
            for (address, sum) in &self.pinned {
                writeln!(file, "{address:?} = {sum:?}")?;
            }
            file.sync_all()?;
            fs::rename(new, &self.path)
        };
        write().map_err(|source| LockError::File { path: self.path.clone(), source })
    }
}
