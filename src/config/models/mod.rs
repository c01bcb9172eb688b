//! Which models there are, which are installed, which are used, and how they get here.

mod choose;
mod fetch;
mod lock;
mod manifest;

pub use choose::{ChooseError, Chosen, Hardware, Pack, choose, fetch_folder, packs};
pub use fetch::{FetchError, Fetcher, Progress};
pub use lock::{Lock, LockError};
pub use manifest::{Manifest, ModelFile, Needs, PackEntry, Part};

#[cfg(test)]
mod tests;
