//! The only file that asks the operating system for randomness: keys, and the seeds that pure modules are given.

/// The operating system gave no randomness; nothing that needs a key can go on.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct NoEntropy;

/// `N` bytes that nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// A number to tell neighbours apart and to seed machines with.
pub fn number() -> Result<u64, NoEntropy> {
    bytes().map(u64::from_le_bytes)
}
