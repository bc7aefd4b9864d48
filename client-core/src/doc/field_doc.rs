//! The field document of one case.

use std::collections::BTreeMap;

use automerge::transaction::Transactable;
use automerge::{Automerge, AutomergeError, ReadDoc};

use super::gate::limits::{MAX_BODY_BYTES, MAX_OPS};
use super::gate::{GateCode, contained};
use super::{DocError, Edit, chunk, edit, read, schema};
use crate::model::{ActorId, ChangeHash, Conflict, Facts};

/// What the field states about one case: an Automerge document of plain registers and keyed entries.
///
/// An empty document has no changes; its first edit writes the version mark. Documents are cheap to
/// clone (a few microseconds), and every mutation happens on a clone that replaces the original only
/// when it succeeded: a panic inside the library can not leave half an edit behind.
#[derive(Debug, Clone)]
pub struct FieldDoc {
    pub(super) inner: Automerge,
    pub(super) history: History,
}

/// What identity checks need of a document's past, kept beside it so that no check walks the history.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Sequence number and hash of each actor's last change.
    tips: BTreeMap<ActorId, (u64, ChangeHash)>,
    changes: usize,
    max_op: u64,
}

/// The result of [`FieldDoc::rebase`].
#[derive(Debug)]
pub struct Rebased {
    /// The accepted document with the surviving edits on top.
    pub doc: FieldDoc,
    /// The one change that holds them; `None` if nothing was left to write.
    pub change: Option<ChangeHash>,
    /// Edits that could not be repeated, with the reason; show them to the inspector.
    pub dropped: Vec<(Edit, DocError)>,
}

impl FieldDoc {
    /// An empty document.
    pub fn new() -> Self {
        Self { inner: Automerge::new(), history: History::default() }
    }

    /// Reads a snapshot that our own side saved. Foreign bytes go through [`super::gate::admit`], never here.
    pub fn load(snapshot: &[u8]) -> Result<Self, DocError> {
        let unreadable = |reason: String| DocError::Unreadable(reason);
        let loaded = contained(|| {
            let inner = Automerge::load(snapshot).map_err(|error| error.to_string())?;
            let history = History::of(&inner).ok_or("a change of a foreign writer")?;
            Ok::<_, String>(Self { inner, history })
        });
        loaded.map_err(unreadable)?.map_err(unreadable)
    }

    /// The whole document as bytes for [`FieldDoc::load`], uncompressed: zstd around many does better.
    pub fn save(&self) -> Vec<u8> {
        self.inner.save_nocompress()
    }

    /// Hashes of the changes nothing builds on yet, sorted. Empty for an empty document.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.inner.get_heads().into_iter().map(from_library).collect()
    }

    /// The facts as plain data, and every register with concurrent values.
    pub fn facts(&self) -> (Facts, Vec<Conflict>) {
        read::facts(&self.inner).unwrap_or_default()
    }

    /// The facts as they were at `heads`, for showing what was edited after an office judged them.
    ///
    /// `None` if the document does not hold these changes.
    pub fn facts_at(&self, heads: &[ChangeHash]) -> Option<Facts> {
        let heads: Vec<_> = heads.iter().map(to_library).collect();
        let then = contained(|| self.inner.fork_at(&heads).ok()).ok().flatten()?;
        read::facts(&then).ok().map(|(facts, _)| facts)
    }

    /// Number of the highest operation; 0 for an empty document.
    pub fn max_op(&self) -> u64 {
        self.history.max_op
    }

    /// How many changes the document holds.
    pub fn change_count(&self) -> usize {
        self.history.changes
    }

    /// True if the document holds this change.
    pub fn knows(&self, hash: &ChangeHash) -> bool {
        self.inner.get_change_meta_by_hash(&to_library(hash)).is_some()
    }

    /// The sequence number of this actor's last change; 0 if it wrote none.
    pub fn actor_seq(&self, actor: &ActorId) -> u64 {
        self.history.tips.get(actor).map_or(0, |(seq, _)| *seq)
    }

    /// Every actor that wrote here.
    pub fn actors(&self) -> impl Iterator<Item = &ActorId> {
        self.history.tips.keys()
    }

    /// Bodies of all changes that `have` does not cover, each after those it builds on.
    ///
    /// Hashes this document does not know are ignored: the other side may be ahead.
    pub fn change_bodies_since(&self, have: &[ChangeHash]) -> Vec<(ChangeHash, Vec<u8>)> {
        let known: Vec<_> = have.iter().filter(|hash| self.knows(hash)).map(to_library).collect();
        let changes = self.inner.get_changes(&known);
        changes.iter().map(|change| (from_library(change.hash()), body_of(change))).collect()
    }

    /// The body of one change.
    pub fn change_body(&self, hash: &ChangeHash) -> Option<Vec<u8>> {
        self.inner.get_change_by_hash(&to_library(hash)).map(|change| body_of(&change))
    }

    /// Writes `edits` as exactly one change of `actor`, without commit time or message.
    ///
    /// `None` if they change nothing. An error leaves the document as it was; values that the gate would
    /// refuse are such errors, so what this writes is always accepted by a gate in the same stage.
    pub fn edit(&mut self, actor: ActorId, edits: &[Edit]) -> Result<Option<ChangeHash>, DocError> {
        edit::check_all(edits, MAX_BODY_BYTES, MAX_OPS)?;
        let mut next = self.clone();
        let hash = contained(|| next.write(actor, edits)).map_err(DocError::Library)??;
        if hash.is_some() {
            let photos = next.photo_count();
            // A document may hold more already: writers who did not know of each other. Whatever else is said goes on.
            if photos > Facts::MAX_PHOTOS && photos > self.photo_count() {
                return Err(too_many_photos());
            }
            *self = next;
        }
        Ok(hash)
    }

    /// How many photos the document names.
    pub fn photo_count(&self) -> usize {
        read::entries(&self.inner, schema::Container::Photos).map_or(0, |entries| entries.len())
    }

    /// Repeats `edits` on the document the server accepted, after it refused changes of this phone.
    ///
    /// `actor` must be new: the refused changes used up numbers of the old one. Edits that can not be
    /// written any more are dropped and reported, the others become one change.
    pub fn rebase(accepted: &Self, actor: ActorId, edits: &[Edit]) -> Result<Rebased, DocError> {
        let mut doc = accepted.clone();
        let (mut surviving, mut dropped) = (Vec::new(), Vec::new());
        for edit in edits {
            match edit.check() {
                Ok(()) => surviving.push(edit.clone()),
                Err(error) => dropped.push((edit.clone(), error)),
            }
        }
        let room = Facts::MAX_PHOTOS.saturating_sub(accepted.photo_count());
        let mut added = 0;
        surviving.retain(|edit| {
            let fits = !matches!(edit, Edit::AddPhoto(..)) || added < room;
            added += usize::from(matches!(edit, Edit::AddPhoto(..)));
            if !fits {
                dropped.push((edit.clone(), too_many_photos()));
            }
            fits
        });
        let change = doc.edit(actor, &surviving)?;
        Ok(Rebased { doc, change, dropped })
    }

    fn write(&mut self, actor: ActorId, edits: &[Edit]) -> Result<Option<ChangeHash>, DocError> {
        self.inner.set_actor(actor_to_library(&actor));
        let first = self.history.changes == 0;
        let written = if first { self.write_first(edits) } else { self.write_more(edits) };
        let (hash, ops) = written.map_err(|error| DocError::Library(error.to_string()))?;
        if let Some(hash) = hash {
            self.history.append(actor, hash, self.history.max_op + ops);
        }
        Ok(hash)
    }

    fn write_first(&mut self, edits: &[Edit]) -> Result<(Option<ChangeHash>, u64), AutomergeError> {
        let mut state = edit::initial_state(edits);
        if state.op_count() == 0 {
            return Ok((None, 0));
        }
        state.set(schema::VERSION_KEY, Some(schema::VERSION.into()));
        Ok((state.write(&mut self.inner)?, state.op_count()))
    }

    fn write_more(&mut self, edits: &[Edit]) -> Result<(Option<ChangeHash>, u64), AutomergeError> {
        let mut tx = self.inner.transaction();
        edit::write_all(&mut tx, edits)?;
        let ops = tx.pending_ops() as u64;
        Ok((tx.commit().0.map(from_library), ops))
    }
}

impl Default for FieldDoc {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes the whole state of a never-sent report as one change.
///
/// However often the inspector edited the draft, this is what travels: a quarter of the bytes of four
/// changes. Body and hash are `doc.change_bodies_since(&[])`. Facts that do not fit into one change (many
/// long remarks) are [`DocError::TooLarge`]: start with fewer and [`FieldDoc::edit`] the rest.
pub fn first_change(actor: ActorId, facts: &Facts) -> Result<FieldDoc, DocError> {
    let mut doc = FieldDoc::new();
    doc.edit(actor, &Edit::between(&Facts::default(), facts))?;
    Ok(doc)
}

impl History {
    /// Reads the past of a loaded document; `None` if an actor is not one of ours.
    fn of(doc: &Automerge) -> Option<Self> {
        let mut history = Self::default();
        for change in doc.get_changes_meta(&[]) {
            history.append(actor_from_library(&change.actor)?, from_library(change.hash), change.max_op);
        }
        Some(history)
    }

    /// Notes a change; an actor's changes come in the order of its sequence.
    pub(super) fn append(&mut self, actor: ActorId, hash: ChangeHash, max_op: u64) {
        let tip = self.tips.entry(actor).or_insert((0, hash));
        *tip = (tip.0 + 1, hash);
        self.changes += 1;
        self.max_op = self.max_op.max(max_op);
    }

    /// The actor's last change.
    pub(super) fn tip(&self, actor: &ActorId) -> Option<(u64, ChangeHash)> {
        self.tips.get(actor).copied()
    }
}

fn too_many_photos() -> DocError {
    DocError::Refused { field: schema::Container::Photos.name().to_owned(), code: GateCode::TooManyPhotos }
}

fn body_of(change: &automerge::Change) -> Vec<u8> {
    chunk::to_body(change.raw_bytes()).expect("raw_bytes() is an uncompressed change chunk").to_vec()
}

pub(super) fn to_library(hash: &ChangeHash) -> automerge::ChangeHash {
    automerge::ChangeHash(*hash.as_bytes())
}

pub(super) fn from_library(hash: automerge::ChangeHash) -> ChangeHash {
    ChangeHash::from_bytes(hash.0)
}

pub(super) fn actor_to_library(actor: &ActorId) -> automerge::ActorId {
    automerge::ActorId::from(*actor.as_bytes())
}

fn actor_from_library(actor: &automerge::ActorId) -> Option<ActorId> {
    ActorId::from_slice(actor.to_bytes())
}
