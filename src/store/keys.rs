//! The key to the database: where it comes from, and how it is first made.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::base::{Secret, entropy, sha256};

/// The credential's name, as in `LoadCredential=nightbell-key:...` of a systemd unit.
const CREDENTIAL: &str = "nightbell-key";
/// The file in the data directory.
const FILE: &str = "nightbell.key";

/// The key that everything else is derived from.
#[derive(Clone, Debug)]
pub struct MasterKey(pub(super) Secret<[u8; 32]>);

impl MasterKey {
    /// A key from `bytes`.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The key of the database in `dir`: the credential in `credentials` (systemd's `$CREDENTIALS_DIRECTORY`), else the file beside the database.
    pub fn find(dir: &Path, credentials: Option<&Path>) -> Result<Self, StoreError> {
        if let Some(found) = read(credentials.map(|folder| folder.join(CREDENTIAL)))? {
            return Ok(found);
        }
        read(Some(dir.join(FILE)))?.ok_or_else(|| StoreError::KeyMissing(dir.to_owned()))
    }

    /// As [`MasterKey::find`], and makes a key file (and `dir`, for its owner alone) where there is neither key nor database.
    pub fn find_or_make(dir: &Path, credentials: Option<&Path>) -> Result<Self, StoreError> {
        match Self::find(dir, credentials) {
            Err(StoreError::KeyMissing(_)) if !dir.join(super::ledger::FILE).exists() => make(dir),
            other => other,
        }
    }
}

fn read(path: Option<PathBuf>) -> Result<Option<MasterKey>, StoreError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::File { path, source }),
    };
    if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(Some(MasterKey::new(raw)));
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    sha256::from_hex(text).map(|raw| Some(MasterKey::new(raw))).ok_or(StoreError::KeyMalformed(path))
}

/// Makes a key file. It is on the disk before it is used: a database whose key was lost to a power cut could never be opened.
fn make(dir: &Path) -> Result<MasterKey, StoreError> {
    super::ledger::prepare(dir)?;
    let raw = entropy::bytes::<32>()?;
    let path = dir.join(FILE);
    let new = dir.join("nightbell.key.new");
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        writeln!(file, "{}", sha256::hex(&raw))?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        fs::File::open(dir)?.sync_all()
    };
    write().map_err(|source| StoreError::File { path: path.clone(), source })?;
    Ok(MasterKey::new(raw))
}
