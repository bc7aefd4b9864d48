//! Uploads under way: one file for each, in a local folder.
//!
//! A phone in a basement sends 40 kB, the link breaks, it comes back and asks how far it got: the length of the file
//! is the answer. Nothing else remembers an offset, so losing the folder (or the last seconds of it in a power cut)
//! only means that some bytes are sent again.
//!
//! A broken link is often noticed by the phone long before the server: the new request finds the old one still
//! waiting for bytes. [`Staging::take`] therefore asks whoever holds the part to stop, and waits until it has written
//! what it got; only then is the offset true.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::spawn_blocking;
use xunge_client_core::model::PhotoHash;

use super::BlobError;

/// Bytes gathered before they are written: a small photo costs one write.
const BUFFER: usize = 128 << 10;

/// Names a part; made by whoever knows what belongs together, never by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartId(pub [u8; 16]);

/// The folder of unfinished uploads; clones share it.
#[derive(Clone, Debug)]
pub struct Staging {
    folder: Arc<Path>,
    slots: Arc<Mutex<BTreeMap<PartId, Arc<Slot>>>>,
}

/// Whose turn it is to write to a part.
#[derive(Debug)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Number of the newest visitor; an older one stops when it sees a newer.
    newest: watch::Sender<u64>,
}

/// How the bytes of one request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// All of them.
    Whole,
    /// The link broke, or a newer request for the same part came; what arrived is kept.
    Cut,
    /// More than the part may hold; nothing of this request is kept.
    TooLong,
    /// The check sum is another one; nothing of this request is kept.
    WrongChecksum,
}

/// A check sum a client states over the bytes of one request (tus extension `checksum`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-1; guards against broken networks, not against people. The SHA-256 of the whole photo does that.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

enum Running {
    Sha1(Sha1, [u8; 20]),
    Sha256(Sha256, [u8; 32]),
}

impl Running {
    fn new(checksum: Checksum) -> Self {
        match checksum {
            Checksum::Sha1(stated) => Self::Sha1(Sha1::new(), stated),
            Checksum::Sha256(stated) => Self::Sha256(Sha256::new(), stated),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher, _) => hasher.update(bytes),
            Self::Sha256(hasher, _) => hasher.update(bytes),
        }
    }

    fn holds(self) -> bool {
        match self {
            Self::Sha1(hasher, stated) => <[u8; 20]>::from(hasher.finalize()) == stated,
            Self::Sha256(hasher, stated) => <[u8; 32]>::from(hasher.finalize()) == stated,
        }
    }
}

impl Staging {
    /// Opens the folder of unfinished uploads below a data folder, and creates it if needed.
    pub fn in_folder(data: &Path) -> Result<Self, BlobError> {
        let folder: Arc<Path> = data.join("staging").into();
        fs::create_dir_all(&folder).map_err(BlobError::io("creating the upload folder"))?;
        Ok(Self { folder, slots: Arc::default() })
    }

    /// Takes a part for reading its length and writing to it; whoever held it stops and keeps what it got.
    pub async fn take(&self, id: PartId) -> Result<Part, BlobError> {
        let slot = Arc::clone(
            self.slots()
                .entry(id)
                .or_insert_with(|| Arc::new(Slot { turn: Arc::default(), newest: watch::Sender::new(0) })),
        );
        let mut number = 0;
        slot.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let newer = slot.newest.subscribe();
        let turn = Arc::clone(&slot.turn);
        let visit = Visit { staging: self.clone(), id, slot };
        let turn = turn.lock_owned().await;
        let path = self.path(id);
        let asked = path.clone();
        let length = on_disk("reading an upload", move || match fs::metadata(&asked) {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        })
        .await?;
        Ok(Part { _turn: turn, _visit: visit, number, newer, path, length, hashed: (length == 0).then(Sha256::new) })
    }

    /// Tells how many bytes of each part are here, without disturbing whoever writes to them.
    pub async fn lengths(&self, ids: Vec<PartId>) -> Result<Vec<u64>, BlobError> {
        let staging = self.clone();
        let length = move |id| fs::metadata(staging.path(id)).map_or(0, |found| found.len());
        on_disk("reading uploads", move || Ok(ids.into_iter().map(length).collect())).await
    }

    /// Removes parts nobody wrote to since `before` (by the disk's clock) and gives their number.
    pub async fn sweep(&self, before: std::time::SystemTime) -> Result<usize, BlobError> {
        let folder = Arc::clone(&self.folder);
        on_disk("sweeping old uploads", move || {
            let mut removed = 0;
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.metadata()?.modified()? < before {
                    fs::remove_file(entry.path())?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }

    fn path(&self, id: PartId) -> PathBuf {
        self.folder.join(hex::encode(id.0))
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<PartId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody holds a part or waits for it; the slot goes with the last of them.
#[derive(Debug)]
struct Visit {
    staging: Staging,
    id: PartId,
    slot: Arc<Slot>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut slots = self.staging.slots();
        // The map's and ours; everybody else who holds or waits has one more.
        if Arc::strong_count(&self.slot) == 2 {
            slots.remove(&self.id);
        }
    }
}

/// One unfinished upload, held by one request.
#[derive(Debug)]
pub struct Part {
    /// Given back before the visit ends.
    _turn: OwnedMutexGuard<()>,
    _visit: Visit,
    number: u64,
    newer: watch::Receiver<u64>,
    path: PathBuf,
    length: u64,
    /// Hash of all that is here, if this request brought all of it.
    hashed: Option<Sha256>,
}

impl Part {
    /// Bytes that are here; the offset at which the next request must begin.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends a request's bytes as they arrive, up to `limit` bytes in all.
    ///
    /// An error of `body` is a broken link, not an error of ours.
    pub async fn append<E>(
        &mut self,
        body: impl Stream<Item = Result<Bytes, E>> + Send,
        limit: u64,
        checksum: Option<Checksum>,
    ) -> Result<Arrival, BlobError> {
        let start = self.length;
        let mut checksum = checksum.map(Running::new);
        let mut buffer = Vec::new();
        let mut body = std::pin::pin!(body);
        let arrival = loop {
            let newer = self.newer.wait_for(|newest| *newest > self.number);
            let piece = tokio::select! {
                biased;
                _ = newer => break Arrival::Cut,
                piece = body.next() => piece,
            };
            match piece {
                None => break Arrival::Whole,
                Some(Err(_)) => break Arrival::Cut,
                Some(Ok(piece)) if self.length + (buffer.len() + piece.len()) as u64 > limit => break Arrival::TooLong,
                Some(Ok(piece)) => {
                    if let Some(running) = &mut checksum {
                        running.update(&piece);
                    }
                    buffer.extend_from_slice(&piece);
                }
            }
            if buffer.len() >= BUFFER {
                buffer = self.write(buffer).await?;
            }
        };
        // What came before a cut can not be checked, only the whole photo later.
        let holds = arrival != Arrival::Whole || checksum.is_none_or(Running::holds);
        let arrival = if holds { arrival } else { Arrival::WrongChecksum };
        match arrival {
            Arrival::Whole | Arrival::Cut => {
                self.write(buffer).await?;
            }
            Arrival::TooLong | Arrival::WrongChecksum => self.cut_back(start).await?,
        }
        Ok(arrival)
    }

    /// The SHA-256 of all bytes that are here.
    pub async fn hash(&mut self) -> Result<PhotoHash, BlobError> {
        if let Some(hasher) = &self.hashed {
            return Ok(PhotoHash::from_bytes(hasher.clone().finalize().into()));
        }
        let path = self.path.clone();
        let hash = on_disk("hashing an upload", move || {
            let mut hasher = Sha256::new();
            let mut file = File::open(path)?;
            let mut buffer = vec![0; BUFFER];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(hasher.finalize().into()),
                    read => hasher.update(&buffer[..read]),
                }
            }
        })
        .await?;
        Ok(PhotoHash::from_bytes(hash))
    }

    /// The first bytes, at most `count`.
    pub async fn head(&self, count: usize) -> Result<Vec<u8>, BlobError> {
        let path = self.path.clone();
        on_disk("reading an upload", move || {
            let mut head = Vec::with_capacity(count);
            File::open(path)?.take(count as u64).read_to_end(&mut head)?;
            Ok(head)
        })
        .await
    }

    /// The file, complete, for [`Blobs::put_verified`](super::Blobs::put_verified); the part stays taken meanwhile.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Throws away what is here.
    pub async fn discard(&mut self) -> Result<(), BlobError> {
        let path = self.path.clone();
        on_disk("removing an upload", move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await?;
        self.length = 0;
        self.hashed = Some(Sha256::new());
        Ok(())
    }

    /// Writes a buffer and hands it back empty.
    async fn write(&mut self, mut buffer: Vec<u8>) -> Result<Vec<u8>, BlobError> {
        if buffer.is_empty() {
            return Ok(buffer);
        }
        let (path, length, hashed) = (self.path.clone(), self.length, self.hashed.take());
        let (written, buffer, hashed) = on_disk("writing an upload", move || {
            let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
            if let Err(error) = file.write_all(&buffer) {
                // A full disk may have taken a part of it; the offset must not lie.
                file.set_len(length)?;
                return Err(error);
            }
            let hashed = hashed.map(|hasher| hasher.chain_update(&buffer));
            let written = buffer.len() as u64;
            buffer.clear();
            Ok((written, buffer, hashed))
        })
        .await?;
        self.length += written;
        self.hashed = hashed;
        Ok(buffer)
    }

    async fn cut_back(&mut self, length: u64) -> Result<(), BlobError> {
        if self.length == length {
            return Ok(());
        }
        if length == 0 {
            return self.discard().await;
        }
        let path = self.path.clone();
        on_disk("shortening an upload", move || fs::OpenOptions::new().write(true).open(path)?.set_len(length)).await?;
        self.length = length;
        self.hashed = None;
        Ok(())
    }
}

/// Runs disk work on a thread that may wait.
async fn on_disk<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let done = spawn_blocking(work).await;
    done.map_err(|_| BlobError::Closed)?.map_err(BlobError::io(what))
}
