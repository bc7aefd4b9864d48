//! The machine under a simulated phone: clocks that jump, randomness from the seed, photo files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use xunge_client_core::model::{Millis, PhotoHash};
use xunge_client_core::platform::{Clock, Entropy, FileError, Files, Now};

use super::net::cut_at;

/// True time, shared by everyone: Unix milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn at(start: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(start.0)))
    }

    pub(super) fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }

    /// Moves on; never back.
    pub(super) fn reach(&self, at: Millis) {
        self.0.fetch_max(at.0, Ordering::Relaxed);
    }
}

/// A phone's two clocks: one as wrong as its owner set it, one that starts with the process.
#[derive(Debug)]
pub(crate) struct PhoneClock {
    time: Time,
    skew_ms: AtomicI64,
    started: AtomicI64,
}

impl PhoneClock {
    pub(crate) fn new(time: Time) -> Self {
        let started = AtomicI64::new(time.now().0);
        Self { time, skew_ms: AtomicI64::new(0), started }
    }

    /// Someone sets the wall clock this far from the truth.
    pub(super) fn set_skew(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::Relaxed);
    }

    /// A process starts: its monotonic clock begins anew.
    pub(super) fn start(&self) {
        self.started.store(self.time.now().0, Ordering::Relaxed);
    }

    /// The true time of a moment of this process's monotonic clock.
    pub(super) fn true_time(&self, mono_ms: u64) -> Millis {
        Millis(self.started.load(Ordering::Relaxed)).plus_ms(mono_ms as i64)
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> Now {
        let now = self.time.now();
        let mono_ms = now.0.saturating_sub(self.started.load(Ordering::Relaxed)).unsigned_abs();
        Now { wall: now.plus_ms(self.skew_ms.load(Ordering::Relaxed)), mono_ms }
    }
}

/// The same numbers for the same seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Seeded(AtomicU64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// All that the numbers to come depend on.
    pub(crate) fn state(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn next(&self) -> u64 {
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

/// Photo files of one phone.
#[derive(Debug, Default)]
pub(super) struct PhotoBox {
    files: Mutex<BTreeMap<PhotoHash, Vec<u8>>>,
    full: AtomicBool,
}

impl PhotoBox {
    /// A copy, as a cloned or restored phone has it.
    pub(super) fn copy(&self) -> Self {
        Self { files: Mutex::new(self.files.lock().unwrap().clone()), full: AtomicBool::new(false) }
    }

    /// There is no room for another photo, or there is again.
    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// Power fails: of photos nobody shows as saved, a file may be gone, be there in part or stay. `dice`: one number each.
    pub(super) fn tear(&self, saved: &BTreeSet<PhotoHash>, mut dice: impl FnMut() -> u64) {
        self.files.lock().unwrap().retain(|photo, bytes| {
            let dice = if saved.contains(photo) { 2 } else { dice() };
            if dice % 3 == 1 {
                bytes.truncate(cut_at(dice, bytes.len()));
            }
            dice % 3 > 0
        });
    }

    /// True if all bytes of a photo are here.
    pub(super) fn holds(&self, photo: &PhotoHash) -> bool {
        self.files.lock().unwrap().get(photo).is_some_and(|bytes| PhotoHash::of(bytes) == *photo)
    }
}

impl Files for PhotoBox {
    fn save(&self, photos: &[(PhotoHash, &[u8])]) -> Result<(), FileError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(FileError::Full);
        }
        self.files.lock().unwrap().extend(photos.iter().map(|(photo, bytes)| (*photo, bytes.to_vec())));
        Ok(())
    }

    fn read_at(&self, photo: &PhotoHash, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
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
