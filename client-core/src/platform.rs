//! What a phone needs from the machine it runs on: time, randomness, photo files.
//!
//! Engine, store and facade reach the outside world only through these traits, so that a test can turn the clock and
//! a browser can put photos elsewhere. `driver::host` implements them for everything that has `std`.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::model::{Millis, PhotoHash};

/// The two times a phone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// The wall clock, as wrong as its owner set it: recorded, never used for order or timers.
    pub wall: Millis,
    /// Milliseconds of a clock that only runs forward, from any origin: for back-off and timeouts.
    pub mono_ms: u64,
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Both clocks at this moment.
    fn now(&self) -> Now;
}

/// Gives random bytes fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// An array of random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Why a photo file could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// No room left on the phone.
    #[error("the phone's storage is full")]
    Full,
    /// There is no such file.
    #[error("{0} does not exist")]
    Missing(String),
    /// The file is larger than the caller takes.
    #[error("the file has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Anything else the system said.
    #[error("{path}: {reason}")]
    Other {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Photo bytes, beside the database and named by hash.
///
/// Bytes come before rows: a photo is durable here before any transaction names it, so a crash between the two
/// leaves a file nobody names, never a name without its file.
pub trait Files: Send + Sync {
    /// Makes all of them durable: each file flushed, renamed into place, the folder flushed once.
    fn save(&self, photos: &[(PhotoHash, &[u8])]) -> Result<(), FileError>;

    /// Reads up to `length` bytes from `offset`; fewer at the end, none behind it.
    fn read_at(&self, photo: &PhotoHash, offset: u64, length: usize) -> Result<Vec<u8>, FileError>;

    /// Forgets a photo; one that is not there is no error.
    fn remove(&self, photo: &PhotoHash) -> Result<(), FileError>;

    /// Photos whose file nobody has touched for an hour, to find the ones no row names.
    fn list_settled(&self) -> Result<Vec<PhotoHash>, FileError>;

    /// Removes what a crash left half written, once nobody has touched it for an hour.
    fn remove_parts(&self) -> Result<(), FileError> {
        Ok(())
    }

    /// Removes settled photos that are not `named`: their report was never saved. Answers how many.
    fn sweep(&self, named: &BTreeSet<PhotoHash>) -> Result<usize, FileError> {
        self.remove_parts()?;
        let orphans: Vec<_> = self.list_settled()?.into_iter().filter(|photo| !named.contains(photo)).collect();
        orphans.iter().try_for_each(|photo| self.remove(photo))?;
        Ok(orphans.len())
    }

    /// Forgets every photo.
    fn remove_all(&self) -> Result<(), FileError>;

    /// Reads a file the user chose, refusing more than `limit` bytes before reading them.
    fn read_chosen(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError>;
}
