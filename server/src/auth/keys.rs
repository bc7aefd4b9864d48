//! The two keys of a server, as files beside the database.
//!
//! The signing key proves to phones that a decision or a wipe order is this server's, and signs access tokens. The
//! sealing key lets a phone encrypt a rescue bundle (救援包) that only this server can open. They are files and not
//! rows, so that a copy of the database alone impersonates nobody.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

use crate::entropy;

const SIGNING: &str = "signing.key";
const SEALING: &str = "sealing.key";

/// Why the keys can not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Reading or writing a key file failed.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The file does not hold 64 hex digits.
    #[error("{path} is not a key file")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read the file.
    #[error("{path} can be read by others (mode {mode:o})")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// The keys of one installation.
#[derive(Clone)]
pub struct Keys {
    signing: SigningKey,
    sealing: SigningKey,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keys").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Keys {
    /// Draws new keys and writes them into `folder`, which must exist; refuses to overwrite a key.
    ///
    /// The files are readable by their owner alone and on the disk when this returns.
    pub fn create(folder: &Path) -> Result<Self, KeyError> {
        let keys = Self::generate();
        write(&folder.join(SIGNING), &keys.signing)?;
        write(&folder.join(SEALING), &keys.sealing)?;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|cause| KeyError::Io { path: folder.to_owned(), cause })?;
        Ok(keys)
    }

    /// Reads the keys of an installation.
    pub fn load(folder: &Path) -> Result<Self, KeyError> {
        Ok(Self { signing: read(&folder.join(SIGNING))?, sealing: read(&folder.join(SEALING))? })
    }

    /// Keys that exist in memory only, for tests and simulators.
    pub fn generate() -> Self {
        let draw = || SigningKey::from_bytes(&entropy::fill());
        Self { signing: draw(), sealing: draw() }
    }

    /// The key that signs tokens and what phones must be able to trust.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The public half of the signing key, 32 bytes; phones pin it.
    pub fn signing_public(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    /// The public half of the sealing key as an X25519 point, 32 bytes; phones encrypt to it.
    pub fn sealing_public(&self) -> [u8; 32] {
        self.sealing.verifying_key().to_montgomery().to_bytes()
    }

    /// The X25519 scalar that opens what was sealed to [`Keys::sealing_public`].
    pub fn sealing_secret(&self) -> [u8; 32] {
        self.sealing.to_scalar_bytes()
    }

    /// A short name of the signing key, 16 hex digits.
    pub fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.signing_public())[..8])
    }
}

fn write(path: &Path, key: &SigningKey) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = format!("{}\n", hex::encode(key.to_bytes()));
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|cause| KeyError::Io { path: path.to_owned(), cause })
}

fn read(path: &Path) -> Result<SigningKey, KeyError> {
    let failed = |cause| KeyError::Io { path: path.to_owned(), cause };
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).map_err(failed)?.permissions());
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode: mode & 0o777 });
        }
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim_end(), &mut secret).map_err(|_| KeyError::Damaged { path: path.to_owned() })?;
    // 32 zero bytes are what a disk that lost its write leaves behind.
    if secret == [0; 32] {
        return Err(KeyError::Damaged { path: path.to_owned() });
    }
    Ok(SigningKey::from_bytes(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_files_and_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let made = Keys::create(folder.path()).unwrap();
        let read = Keys::load(folder.path()).unwrap();
        assert_eq!(made.signing_public(), read.signing_public());
        assert_eq!(made.sealing_public(), read.sealing_public());
        assert_ne!(read.signing_public(), read.sealing_public());
        assert!(matches!(Keys::create(folder.path()), Err(KeyError::Io { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Keys::create(folder.path()).unwrap();
        let path = folder.path().join(SIGNING);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Keys::load(folder.path()), Err(KeyError::Open { mode: 0o640, .. })));
    }

    #[test]
    fn a_damaged_or_empty_key_is_refused() {
        for text in ["", "zz", "00", &"0".repeat(64)] {
            let folder = tempfile::tempdir().unwrap();
            Keys::create(folder.path()).unwrap();
            fs::write(folder.path().join(SEALING), text).unwrap();
            assert!(matches!(Keys::load(folder.path()), Err(KeyError::Damaged { .. })), "{text:?}");
        }
    }

    #[test]
    fn debug_output_does_not_show_a_secret() {
        let keys = Keys::generate();
        let shown = format!("{keys:?}");
        assert!(!shown.contains(&hex::encode(keys.signing().to_bytes())) && shown.contains(&keys.id()));
    }
}
