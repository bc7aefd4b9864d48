//! Named places where a test lets the process die: one on each arrow of the order in which things become durable.
//!
//! With feature `testing`, `XUNGE_FAILPOINT=server.sync.committed` in the environment ends the process there as a kill
//! would: no destructor runs, nothing is flushed or said. `server.sync.committed:3` lets it pass twice before. Without
//! the feature [`reach`] is empty, so a binary built for use has none of it.

/// A place between two things of which the first is durable, or about to be, and the second is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Phone: a photo's bytes are written beside its name and flushed, the rename is to come.
    PhonePhotoFlushed,
    /// Phone: the photos of a report have their names, the flush of their folder is to come.
    PhonePhotosRenamed,
    /// Phone: the photos of a report are durable, no row names them yet.
    PhonePhotosSaved,
    /// Phone: a report is committed, the screen has not said so.
    PhoneReportSaved,
    /// Phone: what is to be sent is written down as sent, nothing of it has left.
    PhoneSyncPersisted,
    /// Phone: an answer is here, nothing of it is written.
    PhoneSyncAnswered,
    /// Phone: an answer is written, nobody has been told.
    PhoneSyncApplied,
    /// Phone: the server says that it has a photo, the phone has not noted it.
    PhonePhotoAnswered,
    /// Server: a request has been read.
    ServerSyncReceived,
    /// Server: its changes are judged, the transaction is to come.
    ServerSyncJudged,
    /// Server: everything is written inside the transaction, which is not committed.
    ServerSyncWritten,
    /// Server: it is committed, the answer is not made yet.
    ServerSyncCommitted,
    /// Server: the answer is ready and not sent.
    ServerSyncAnswering,
    /// Server: the last byte of a photo is in the staging folder.
    ServerPhotoStaged,
    /// Server: its bytes have the hash that was announced, none of them is flushed.
    ServerPhotoVerified,
    /// Server: a photo's file is flushed under its staging name.
    ServerPhotoFlushed,
    /// Server: it has its name in the waiting room, the flush of that folder is to come.
    ServerPhotoRenamed,
    /// Server: its name in the waiting room is durable, readers do not see it.
    ServerPhotoKept,
    /// Server: it is where readers look, no row names it.
    ServerPhotoStored,
    /// Server: its rows are committed, the answer is not sent.
    ServerPhotoRecorded,
}

impl At {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::PhonePhotoFlushed,
        Self::PhonePhotosRenamed,
        Self::PhonePhotosSaved,
        Self::PhoneReportSaved,
        Self::PhoneSyncPersisted,
        Self::PhoneSyncAnswered,
        Self::PhoneSyncApplied,
        Self::PhonePhotoAnswered,
        Self::ServerSyncReceived,
        Self::ServerSyncJudged,
        Self::ServerSyncWritten,
        Self::ServerSyncCommitted,
        Self::ServerSyncAnswering,
        Self::ServerPhotoStaged,
        Self::ServerPhotoVerified,
        Self::ServerPhotoFlushed,
        Self::ServerPhotoRenamed,
        Self::ServerPhotoKept,
        Self::ServerPhotoStored,
        Self::ServerPhotoRecorded,
    ];

    /// What `XUNGE_FAILPOINT` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhonePhotoFlushed => "phone.photo.flushed",
            Self::PhonePhotosRenamed => "phone.photos.renamed",
            Self::PhonePhotosSaved => "phone.photos.saved",
            Self::PhoneReportSaved => "phone.report.saved",
            Self::PhoneSyncPersisted => "phone.sync.persisted",
            Self::PhoneSyncAnswered => "phone.sync.answered",
            Self::PhoneSyncApplied => "phone.sync.applied",
            Self::PhonePhotoAnswered => "phone.photo.answered",
            Self::ServerSyncReceived => "server.sync.received",
            Self::ServerSyncJudged => "server.sync.judged",
            Self::ServerSyncWritten => "server.sync.written",
            Self::ServerSyncCommitted => "server.sync.committed",
            Self::ServerSyncAnswering => "server.sync.answering",
            Self::ServerPhotoStaged => "server.photo.staged",
            Self::ServerPhotoVerified => "server.photo.verified",
            Self::ServerPhotoFlushed => "server.photo.flushed",
            Self::ServerPhotoRenamed => "server.photo.renamed",
            Self::ServerPhotoKept => "server.photo.kept",
            Self::ServerPhotoStored => "server.photo.stored",
            Self::ServerPhotoRecorded => "server.photo.recorded",
        }
    }
}

/// Ends the process if the environment names this point.
#[cfg(feature = "testing")]
pub fn reach(point: At) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ARMED: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let wish = std::env::var("XUNGE_FAILPOINT").ok()?;
        let (name, times) = wish.split_once(':').unwrap_or((&wish, "1"));
        Some((name.to_owned(), AtomicU32::new(times.parse().unwrap_or(1))))
    });
    if let Some((name, left)) = armed
        && name == point.name()
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        std::process::abort();
    }
}

/// Nothing: the feature `testing` is off.
#[cfg(not(feature = "testing"))]
#[inline(always)]
pub fn reach(_: At) {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = At::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), At::ALL.len());
    }
}
