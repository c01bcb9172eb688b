//! The one file that names `ureq`: fetches models, resumes what was cut, and puts nothing under its final name that was not checked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choose::sum_of;
use super::{Lock, LockError, ModelFile};
use crate::base::sha256;

/// A model has at most this many bytes, whatever a server says. More: refused.
const MODEL_BYTES_MAX: u64 = 64 << 30;
/// How often a connection that was cut is taken up again, each time only if it brought something.
const TRIES_MAX: u32 = 5;
/// What one request may take before its first byte.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// What one piece may take.
const PIECE_WITHIN: Duration = Duration::from_mins(1);

/// Why a model was not fetched. The file is not there then, or is the one that was there before.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server refused.
    #[error("{address}: refused with status {status}")]
    Refused {
        /// What was asked for.
        address: String,
        /// What it answered.
        status: u16,
    },
    /// The server was not reached, or the connection was cut too often.
    #[error("{address}: {why}; what arrived is kept, run the same command again to go on")]
    Network {
        /// What was asked for.
        address: String,
        /// What happened.
        why: String,
    },
    /// What arrived is not what the manifest names.
    #[error("{address}: the file has digest {found}, and {expected} was expected; it was thrown away")]
    WrongDigest {
        /// What was asked for.
        address: String,
        /// The digest of what arrived.
        found: String,
        /// The digest it should have.
        expected: String,
    },
    /// What arrives is longer than it should be.
    #[error("{address}: the server sends {found} bytes, and {expected} were expected; it was thrown away")]
    WrongLength {
        /// What was asked for.
        address: String,
        /// What it sends.
        found: u64,
        /// What was expected.
        expected: u64,
    },
    /// Nobody says what the digest should be.
    #[error("{address}: neither the manifest nor the server states a digest, so the file cannot be checked; it was thrown away")]
    NoDigest {
        /// What was asked for.
        address: String,
    },
    /// The file has no address: it comes with Nightbell.
    #[error("{0} comes with Nightbell and is not fetched")]
    NoAddress(String),
    /// A file could not be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock file could not be used.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// What is told while a file arrives.
pub trait Progress {
    /// `file` has `done` bytes of `total` (where that is known).
    fn at(&mut self, file: &str, done: u64, total: Option<u64>);
}

impl Progress for () {
    fn at(&mut self, _: &str, _: u64, _: Option<u64>) {}
}

/// Fetches files over HTTP.
pub struct Fetcher {
    agent: ureq::Agent,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

/// What a server answered.
struct Answer {
    body: ureq::Body,
    /// Where in the file it begins.
    from: u64,
    total: Option<u64>,
}

impl Fetcher {
    /// A fetcher with deadlines on everything.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_resolve(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(ANSWER_WITHIN))
            .timeout_per_read(Some(PIECE_WITHIN))
            .save_redirect_history(false)
            .user_agent(concat!("nightbell/", env!("CARGO_PKG_VERSION")));
        Self { agent: config.build().into() }
    }

    /// Fetches `file` into `folder`; true when it was not there already. What arrives is first called `NAME.part`, and renamed only when its digest is right.
    pub fn fetch(&self, file: &ModelFile, folder: &Path, lock: &mut Lock, progress: &mut dyn Progress) -> Result<bool, FetchError> {
        let address = file.address.as_deref().ok_or_else(|| FetchError::NoAddress(file.file.clone()))?;
        let known = file.sum().or_else(|| lock.sum(address));
        let path = folder.join(&file.file);
        let trouble = |source| FetchError::File { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(trouble)?;
        if known.is_some_and(|known| sum_of(&path).is_ok_and(|found| found == known)) {
            return Ok(false);
        }
        let part = folder.join(format!("{}.part", file.file));
        self.pieces(file, address, &part, progress)?;
        let found = sum_of(&part).map_err(trouble)?;
        let refuse = |error| {
            // Gone, so that the next try does not go on from it.
            let _ = fs::remove_file(&part);
            Err(error)
        };
        match known.or_else(|| self.stated(address)) {
            None => return refuse(FetchError::NoDigest { address: address.to_owned() }),
            Some(expected) if expected != found => {
                let (found, expected) = (sha256::hex(&found), sha256::hex(&expected));
                return refuse(FetchError::WrongDigest { address: address.to_owned(), found, expected });
            }
            Some(sum) if known.is_none() => lock.pin(address, &sum)?,
            Some(_) => {}
        }
        fs::rename(&part, &path).and_then(|()| File::open(folder)?.sync_all()).map_err(trouble)?;
        Ok(true)
    }

    /// Brings `part` to its full length.
    fn pieces(&self, file: &ModelFile, address: &str, part: &Path, progress: &mut dyn Progress) -> Result<(), FetchError> {
        let (mut tries, mut last) = (0, String::new());
        while tries < TRIES_MAX {
            let have = fs::metadata(part).map_or(0, |found| found.len());
            if file.bytes.is_some_and(|bytes| bytes == have) {
                return Ok(());
            }
            let answer = match self.ask(address, have) {
                Ok(Some(answer)) => answer,
                // There is nothing after what is here; the digest will tell.
                Ok(None) if have > 0 => return Ok(()),
                Ok(None) => return Err(FetchError::Refused { address: address.to_owned(), status: 416 }),
                Err(Trouble::Refused(status)) => return Err(FetchError::Refused { address: address.to_owned(), status }),
                Err(Trouble::Network(why)) => return Err(FetchError::Network { address: address.to_owned(), why }),
            };
            let most = file.bytes.unwrap_or(MODEL_BYTES_MAX);
            if let Some(found) = answer.total.filter(|total| file.bytes.map_or(*total > most, |bytes| *total != bytes)) {
                let _ = fs::remove_file(part);
                return Err(FetchError::WrongLength { address: address.to_owned(), found, expected: most });
            }
            let total = answer.total;
            match take(answer, part, most, &mut |done| progress.at(&file.file, done, total)) {
                Ok(()) if total.is_none_or(|total| fs::metadata(part).is_ok_and(|found| found.len() == total)) => return Ok(()),
                Ok(()) => "the connection was cut".clone_into(&mut last),
                Err(Piece::Disk(source)) => return Err(FetchError::File { path: part.to_owned(), source }),
                Err(Piece::Network(why)) => last = why,
                Err(Piece::TooLong) => {
                    let _ = fs::remove_file(part);
                    return Err(FetchError::WrongLength { address: address.to_owned(), found: most.saturating_add(1), expected: most });
                }
            }
            let gained = fs::metadata(part).map_or(0, |found| found.len()) > have;
            tries = if gained { 1 } else { tries + 1 };
        }
        Err(FetchError::Network { address: address.to_owned(), why: last })
    }

    /// The digest that the hub states for a large file: in the answer that sends us on to the file itself, so that is not followed.
    fn stated(&self, address: &str) -> Option<sha256::Sum> {
        let answer = self.agent.head(address).config().max_redirects(0).max_redirects_will_error(false).build().call().ok()?;
        let tag = answer.headers().get("X-Linked-Etag")?.to_str().ok()?;
        sha256::from_hex(tag.trim_matches('"'))
    }

    /// Asks for the file from `from` on; none when it ends there.
    fn ask(&self, address: &str, from: u64) -> Result<Option<Answer>, Trouble> {
        let mut request = self.agent.get(address).header("Accept-Encoding", "identity");
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let answer = request.call().map_err(|error| Trouble::Network(error.to_string()))?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let length: Option<u64> = header("Content-Length").and_then(|length| length.parse().ok());
        let (from, total) = match answer.status().as_u16() {
            200 => (0, length),
            206 => (from, header("Content-Range").and_then(|range| range.rsplit_once('/')?.1.parse().ok())),
            416 => return Ok(None),
            status => return Err(Trouble::Refused(status)),
        };
        Ok(Some(Answer { body: answer.into_body(), from, total }))
    }
}

enum Trouble {
    Refused(u16),
    Network(String),
}

enum Piece {
    Disk(io::Error),
    Network(String),
    TooLong,
}

/// Writes what arrives behind what is there (or over it, when the server began anew).
fn take(answer: Answer, part: &Path, most: u64, progress: &mut dyn FnMut(u64)) -> Result<(), Piece> {
    let mut file = OpenOptions::new().create(true).append(true).open(part).map_err(Piece::Disk)?;
    file.set_len(answer.from).map_err(Piece::Disk)?;
    let mut body = answer.body.into_with_config().limit(u64::MAX).reader();
    let (mut done, mut piece) = (answer.from, vec![0; 256 << 10]);
    let ended = loop {
        let count = match body.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Err(Piece::Network(error.to_string())),
        };
        done += count as u64;
        if done > most {
            break Err(Piece::TooLong);
        }
        file.write_all(piece.get(..count).unwrap_or_default()).map_err(Piece::Disk)?;
        progress(done);
    };
    file.sync_all().map_err(Piece::Disk)?;
    ended
}
