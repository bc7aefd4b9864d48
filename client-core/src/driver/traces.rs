//! The flight recorder's file: beside the database, of every process that ran on it, at most 64 KiB.

use std::path::PathBuf;

use super::core::Core;
use crate::sync::trace::TraceFile;

/// A loop that nobody waits for writes so often.
const HOURLY_MS: u64 = 3_600_000;

/// Where traces go. Nothing is flushed and nothing depends on it: a file that is cut off is begun anew.
#[derive(Debug)]
pub(super) struct Traces {
    path: PathBuf,
    /// Segments of before this one.
    before: TraceFile,
    written_ms: u64,
}

impl Traces {
    pub(super) fn at(path: PathBuf) -> Self {
        let before = std::fs::read(&path).ok().and_then(|bytes| TraceFile::read(&bytes).ok());
        Self { path, before: before.unwrap_or_default(), written_ms: 0 }
    }

    /// Writes what the recorder of `core` holds.
    pub(super) fn write(&mut self, core: &mut Core, now_ms: u64) {
        let (segment, begins_anew) = core.trace();
        let file = self.before.with(segment);
        let _ = std::fs::write(&self.path, file.to_bytes());
        if begins_anew {
            self.before = file;
        }
        self.written_ms = now_ms;
    }

    /// The same, unless it was done within the hour.
    pub(super) fn write_hourly(&mut self, core: &mut Core, now_ms: u64) {
        if now_ms.saturating_sub(self.written_ms) >= HOURLY_MS {
            self.write(core, now_ms);
        }
    }
}
