//! Clock, randomness and photo files that a test decides.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xunge_client_core::model::{Millis, PhotoHash};
use xunge_client_core::platform::{Clock, Entropy, FileError, Files, Now};

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(super) struct HandClock {
    mono_ms: AtomicU64,
    wall: Mutex<i64>,
}

impl HandClock {
    /// Noon of 15 November 2023 in Yinchuan.
    pub(super) fn new() -> Self {
        Self { mono_ms: AtomicU64::new(0), wall: Mutex::new(1_700_020_800_000) }
    }

    pub(super) fn advance(&self, ms: u64) {
        self.mono_ms.fetch_add(ms, Ordering::Relaxed);
        *self.wall.lock().unwrap() += ms as i64;
    }

    pub(super) fn now_wall(&self) -> Millis {
        self.now().wall
    }

    /// Someone sets the phone's clock; timers do not notice.
    pub(super) fn set_wall(&self, at: i64) {
        *self.wall.lock().unwrap() = at;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Now {
        Now { wall: Millis(*self.wall.lock().unwrap()), mono_ms: self.mono_ms.load(Ordering::Relaxed) }
    }
}

/// The same numbers for the same seed (splitmix64).
#[derive(Debug)]
pub(super) struct Seeded(AtomicU64);

impl Seeded {
    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    pub(super) fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// Photo files in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryFiles {
    files: Mutex<BTreeMap<PhotoHash, Vec<u8>>>,
    locked: AtomicBool,
}

impl MemoryFiles {
    /// Bit-rot.
    pub(super) fn overwrite(&self, photo: &PhotoHash, bytes: &[u8]) {
        self.files.lock().unwrap().insert(*photo, bytes.to_vec());
    }

    /// The system gives out no file while the phone is locked.
    pub(super) fn lock(&self, locked: bool) {
        self.locked.store(locked, Ordering::Relaxed);
    }
}

impl Files for MemoryFiles {
    fn save(&self, photos: &[(PhotoHash, &[u8])]) -> Result<(), FileError> {
        self.files.lock().unwrap().extend(photos.iter().map(|(photo, bytes)| (*photo, bytes.to_vec())));
        Ok(())
    }

    fn read_at(&self, photo: &PhotoHash, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        if self.locked.load(Ordering::Relaxed) {
            return Err(FileError::Other { path: photo.to_string(), reason: "locked".to_owned() });
        }
        let files = self.files.lock().unwrap();
        let bytes = files.get(photo).ok_or_else(|| FileError::Missing(photo.to_string()))?;
        let from = (offset as usize).min(bytes.len());
        Ok(bytes[from..from.saturating_add(length).min(bytes.len())].to_vec())
    }

    fn remove(&self, photo: &PhotoHash) -> Result<(), FileError> {
        self.files.lock().unwrap().remove(photo);
        Ok(())
    }

    fn list_settled(&self) -> Result<Vec<PhotoHash>, FileError> {
        Ok(self.files.lock().unwrap().keys().copied().collect())
    }

    fn remove_all(&self) -> Result<(), FileError> {
        self.files.lock().unwrap().clear();
        Ok(())
    }

    fn read_chosen(&self, path: &str, _: u64) -> Result<Vec<u8>, FileError> {
        Err(FileError::Missing(path.to_owned()))
    }
}
