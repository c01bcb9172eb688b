//! Clauses once spoken, on disk: a greeting is computed once in the life of a box. A file a clause, named by what makes its sound; when the folder
//! grows beyond its bound, the files used longest ago go first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::Digest;

use super::worker::hex;

/// The ending of the files, which hold 16-bit little-endian samples.
const ENDING: &str = "pcm";

/// The folder of phrases.
pub struct PhraseCache {
    folder: PathBuf,
    bytes_max: u64,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    /// (size, last use) by name.
    known: BTreeMap<String, (u64, u64)>,
    bytes: u64,
    uses: u64,
}

impl PhraseCache {
    /// Opens `folder`, making it when it is not there.
    pub fn open(folder: &Path, bytes_max: u64) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut found: Vec<(std::time::SystemTime, String, u64)> = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                let about = entry.metadata()?;
                found.push((about.modified()?, entry.file_name().to_string_lossy().into_owned(), about.len()));
            } else {
                // Half-written by a process that ended; an error means that it is gone already.
                let _ = std::fs::remove_file(path);
            }
        }
        found.sort();
        let mut files = Files::default();
        for (_, name, size) in found {
            files.add(name, size);
        }
        let cache = Self { folder: folder.to_owned(), bytes_max, files: Mutex::new(files) };
        cache.shrink(&mut cache.lock());
        Ok(cache)
    }

    /// The sound named by `parts`, if it was kept.
    pub fn get(&self, parts: &[&[u8]]) -> Option<Vec<i16>> {
        let name = name_of(parts);
        {
            let files = &mut *self.lock();
            files.uses += 1;
            let uses = files.uses;
            files.known.get_mut(&name)?.1 = uses;
        }
        let bytes = std::fs::read(self.folder.join(&name)).ok()?;
        let (pairs, _) = bytes.as_chunks::<2>();
        Some(pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect())
    }

    /// Keeps a sound. A full disk only means that it will be computed again.
    pub fn put(&self, parts: &[&[u8]], sound: &[i16]) {
        let name = name_of(parts);
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > self.bytes_max / 8 {
            return;
        }
        // Written beside and renamed, so that a power cut leaves a whole file or none. Two threads may write the same sound.
        let half = self.folder.join(format!("{name}.{:?}.half", std::thread::current().id()));
        let written = std::fs::write(&half, &bytes).and_then(|()| std::fs::rename(&half, self.folder.join(&name)));
        if written.is_ok() {
            let files = &mut *self.lock();
            files.add(name, size);
            self.shrink(files);
        }
    }

    fn shrink(&self, files: &mut Files) {
        while files.bytes > self.bytes_max {
            let Some(name) = files.known.iter().min_by_key(|(_, (_, used))| *used).map(|(name, _)| name.clone()) else { break };
            files.remove(&name);
            // An error means that it is gone already.
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn add(&mut self, name: String, size: u64) {
        self.remove(&name);
        self.uses += 1;
        self.bytes += size;
        self.known.insert(name, (size, self.uses));
    }

    fn remove(&mut self, name: &str) {
        if let Some((size, _)) = self.known.remove(name) {
            self.bytes -= size;
        }
    }
}

/// SHA-256 of the parts, each with its length before it, so that no two lists of parts are one.
fn name_of(parts: &[&[u8]]) -> String {
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    format!("{}.{ENDING}", hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_the_folder_stays_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PhraseCache::open(folder.path(), 80_000).unwrap();
        let sound = vec![7_i16; 4_000];
        for number in 0_u8..10 {
            cache.put(&[b"voice", &[number]], &sound);
            assert_eq!(cache.get(&[b"voice", &[0]]).as_deref(), Some(sound.as_slice()), "the first is used again and again, and stays");
        }
        cache.put(&[b"voice", &[99]], &sound);
        assert_eq!(cache.get(&[b"voice", &[1]]), None, "the one used longest ago went");
        let again = PhraseCache::open(folder.path(), 80_000).unwrap();
        assert_eq!(again.get(&[b"voice", &[99]]).as_deref(), Some(sound.as_slice()));
        assert_eq!(again.get(&[b"voice9", &[9]]), None);
        let bytes: u64 = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes <= 80_000, "{bytes}");
    }
}
