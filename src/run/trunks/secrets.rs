//! Passwords from their files: the first line alone, never in the configuration, never printed.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::base::{Pii, Secret};
use crate::config::Config;
use crate::sip::{PhoneAccount, Phones};

/// The longest password, in bytes.
const SECRET_BYTES_MAX: u64 = 1_024;

/// How long a telephone's registration may last, in seconds.
const PHONE_EXPIRES_MIN_S: u32 = 60;
const PHONE_EXPIRES_MAX_S: u32 = 3_600;

/// A password cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file.
    #[error("the password's file {file} cannot be read: {error}; let it belong to the user that Nightbell runs as")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Nothing in it.
    #[error("the password's file {file} is empty: write the password into its first line")]
    Empty {
        /// Which.
        file: PathBuf,
    },
}

/// The first line of `file`.
pub(super) fn read(file: &Path) -> Result<String, SecretError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| opened.take(SECRET_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| SecretError::Unreadable { file: file.to_owned(), error })?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() { Err(SecretError::Empty { file: file.to_owned() }) } else { Ok(line.to_owned()) }
}

/// The business's own telephones, with their passwords; none where none may register. One whose password cannot be read is left out, and the log
/// says so.
pub fn phones(config: &Config, key: [u8; 32]) -> Option<Phones> {
    if config.phones.is_empty() || config.sip.phones_from.is_empty() && config.sip.trusted.is_empty() {
        return None;
    }
    let account = |phone: &crate::config::Phone| {
        let secret =
            read(&phone.secret_file).inspect_err(|error| tracing::error!(phone = phone.key, %error, "this telephone cannot register"));
        Some(PhoneAccount {
            phone: phone.key.clone(),
            user: phone.user.clone(),
            secret: Pii::new(secret.ok()?),
            contacts_max: phone.contacts_max,
        })
    };
    Some(Phones {
        networks: config.sip.phones_from.iter().filter_map(|network| network.to_string().parse().ok()).collect(),
        realm: config.sip.realm.clone(),
        digest: config.sip.digest,
        key: Secret::new(key),
        accounts: config.phones.values().filter_map(account).collect(),
        expires_min_s: PHONE_EXPIRES_MIN_S,
        expires_max_s: PHONE_EXPIRES_MAX_S,
    })
}
