//! The one file that names the ciphers: keys derived from the master key, and texts sealed with a key per call (XChaCha20-Poly1305).

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{MasterKey, StoreError};
use crate::base::{Secret, entropy};

const NONCE_BYTES: usize = 24;

/// A key that seals.
#[derive(Clone, Debug)]
pub(super) struct SealKey(Secret<[u8; 32]>);

impl SealKey {
    /// The key that `purpose` gets from the master key (HKDF with SHA-256, RFC 5869).
    pub(super) fn derived(master: &MasterKey, purpose: &str) -> Result<Self, StoreError> {
        let mut key = [0; 32];
        let expanded = hkdf::Hkdf::<sha2::Sha256>::new(Some(b"nightbell"), master.0.expose()).expand(purpose.as_bytes(), &mut key);
        expanded.map_err(|_| StoreError::Damaged("a key that cannot be derived"))?;
        Ok(Self(Secret::new(key)))
    }

    /// A new random key.
    pub(super) fn random() -> Result<Self, StoreError> {
        Ok(Self(Secret::new(entropy::bytes()?)))
    }

    /// The key itself, for the one place that hands it to SQLCipher.
    pub(super) const fn secret(&self) -> &Secret<[u8; 32]> {
        &self.0
    }

    /// Seals `plain` so that it opens only under the same `label` (which says what and where it is).
    pub(super) fn seal(&self, label: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = entropy::bytes::<NONCE_BYTES>()?;
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: label.as_bytes() });
        let sealed = sealed.map_err(|_| StoreError::Damaged("a text that cannot be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`SealKey::seal`] made.
    pub(super) fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(StoreError::Damaged("a sealed text that is too short"))?;
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: label.as_bytes() });
        opened.map_err(|_| StoreError::Damaged("a sealed text that does not open"))
    }

    /// This key, sealed with `under`.
    pub(super) fn wrapped(&self, under: &Self, label: &str) -> Result<Vec<u8>, StoreError> {
        under.seal(label, self.0.expose())
    }

    /// The key inside what [`SealKey::wrapped`] made.
    pub(super) fn unwrapped(under: &Self, label: &str, wrapped: &[u8]) -> Result<Self, StoreError> {
        let plain = under.open(label, wrapped)?;
        let key = plain.try_into().map_err(|_| StoreError::Damaged("a key of a wrong length"))?;
        Ok(Self(Secret::new(key)))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_only_with_its_key_and_under_its_label() {
        let key = SealKey::derived(&MasterKey::new([1; 32]), "here").unwrap();
        let other = SealKey::derived(&MasterKey::new([1; 32]), "there").unwrap();
        let sealed = key.seal("turn 1", b"three thirty").unwrap();
        assert_eq!(key.open("turn 1", &sealed).unwrap(), b"three thirty");
        assert!(key.open("turn 2", &sealed).is_err());
        assert!(other.open("turn 1", &sealed).is_err());
        assert!(key.open("turn 1", &sealed[..10]).is_err());
    }
}
