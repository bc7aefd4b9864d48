//! A disk as a story about it tells: what programs see, and what would be left if the power failed now.
//!
//! Both are kept: contents and names as they are, contents and names that were flushed, and in between, in order, what
//! was written and not flushed. Flushing a file says nothing about its name; flushing a folder says nothing about
//! what is in the files. A rename is one change: nothing that is flushed may lose the file between two folders.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// A file, whatever it is called.
pub(super) type FileId = u32;

/// A change of a disk. Paths are relative to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A new empty file.
    Create { path: String, file: FileId },
    /// Bytes into a file.
    Write { file: FileId, at: u64, bytes: Arc<[u8]> },
    /// A file gets another length.
    Cut { file: FileId, length: u64 },
    /// What was written to a file is durable.
    Sync { file: FileId },
    /// Flushing failed: what was written stays visible, and no later flush brings it to the disk.
    SyncFailed { file: FileId },
    /// Names in a folder are durable.
    SyncFolder { path: String },
    /// Flushing names failed: a journal keeps them and brings them with the next flush of anything, or stops for good.
    SyncFolderFailed { path: String },
    /// A name takes the place of another.
    Rename { from: String, to: String },
    /// A second name.
    Link { from: String, to: String },
    /// A name goes, or an empty folder.
    Remove { path: String },
    /// A new folder.
    Folder { path: String },
}

impl Change {
    /// A path the change concerns, if it has one: files have it from their creation.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::Create { path, .. }
            | Self::SyncFolder { path }
            | Self::SyncFolderFailed { path }
            | Self::Remove { path }
            | Self::Folder { path } => Some(path),
            Self::Rename { to, .. } | Self::Link { to, .. } => Some(to),
            Self::Write { .. } | Self::Cut { .. } | Self::Sync { .. } | Self::SyncFailed { .. } => None,
        }
    }

    /// The file whose contents the change concerns.
    pub(super) fn file(&self) -> Option<FileId> {
        match self {
            Self::Write { file, .. } | Self::Cut { file, .. } | Self::Sync { file } | Self::SyncFailed { file } => {
                Some(*file)
            }
            _ => None,
        }
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(FileId),
    Folder,
}

/// Names by path, and what is in the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) names: BTreeMap<String, Entry>,
    pub(super) contents: BTreeMap<FileId, Vec<u8>>,
}

/// Tells disks apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sum([u8; 32]);

/// Something written and not flushed.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    /// Of a file: `Write` or `Cut`; `lost` if flushing it failed.
    Content { change: Change, lost: bool },
    /// Of folders: a name that comes, a name that goes, or both at once.
    Names { comes: Option<(String, Entry)>, goes: Option<String> },
}

/// A disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) now: Tree,
    pub(super) safe: Tree,
    pub(super) waiting: Vec<Waiting>,
    /// Folders whose flush failed and is made up for by the next one.
    owed: Vec<String>,
}

/// The folder a path lies in; the root is the empty path.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Tree {
    /// Reads a folder of the real disk.
    pub(super) fn read(root: &Path) -> std::io::Result<Self> {
        let mut tree = Self::default();
        tree.add(root, "")?;
        Ok(tree)
    }

    fn add(&mut self, folder: &Path, path: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string().expect("names of ours are UTF-8");
            if is_scratch(&name) {
                continue;
            }
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            if entry.file_type()?.is_dir() {
                self.names.insert(path.clone(), Entry::Folder);
                self.add(&entry.path(), &path)?;
            } else {
                let file = self.contents.len() as FileId;
                self.contents.insert(file, std::fs::read(entry.path())?);
                self.names.insert(path, Entry::File(file));
            }
        }
        Ok(())
    }

    /// The names with what is behind them; two trees that look alike to a program have the same.
    pub(super) fn listing(&self) -> BTreeMap<&str, Option<&[u8]>> {
        let content = |entry: &Entry| match entry {
            Entry::File(file) => Some(self.contents[file].as_slice()),
            Entry::Folder => None,
        };
        self.names.iter().map(|(path, entry)| (path.as_str(), content(entry))).collect()
    }

    /// A sum over all names and contents, and over what else matters to `context`.
    pub(super) fn sum(&self, context: &str) -> Sum {
        let mut sum = Sha256::new();
        let mut add = |kind: u8, bytes: &[u8]| {
            sum.update([kind]);
            sum.update(bytes.len().to_le_bytes());
            sum.update(bytes);
        };
        add(0, context.as_bytes());
        for (path, content) in self.listing() {
            add(1, path.as_bytes());
            if let Some(content) = content {
                add(2, content);
            }
        }
        Sum(sum.finalize().into())
    }

    fn is_there(&self, folder: &str) -> bool {
        folder.is_empty() || (self.names.get(folder) == Some(&Entry::Folder) && self.is_there(folder_of(folder)))
    }

    /// Writes the tree out below `root`, which is empty. What lies in a folder that was lost is lost.
    pub(super) fn write_to(&self, root: &Path) -> std::io::Result<()> {
        let mut first: BTreeMap<FileId, &str> = BTreeMap::new();
        for (path, entry) in &self.names {
            if !self.is_there(folder_of(path)) {
                continue;
            }
            match entry {
                Entry::Folder => std::fs::create_dir(root.join(path))?,
                Entry::File(file) => match first.get(file) {
                    Some(known) => std::fs::hard_link(root.join(known), root.join(path))?,
                    None => {
                        std::fs::write(root.join(path), &self.contents[file])?;
                        first.insert(*file, path);
                    }
                },
            }
        }
        Ok(())
    }
}

/// SQLite's shared memory is made anew by whoever opens the database first; it is no part of what must survive.
pub(super) fn is_scratch(path: &str) -> bool {
    path.ends_with("-shm")
}

/// Carries out a change of contents.
pub(super) fn change_content(contents: &mut BTreeMap<FileId, Vec<u8>>, change: &Change) {
    match change {
        Change::Write { file, at, bytes } => {
            let content = contents.entry(*file).or_default();
            let at = *at as usize;
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[at..at + bytes.len()].copy_from_slice(bytes);
        }
        Change::Cut { file, length } => contents.entry(*file).or_default().resize(*length as usize, 0),
        other => unreachable!("{other:?} changes no content"),
    }
}

impl Image {
    /// A disk on which everything that is there was flushed long ago.
    pub(super) fn settled(tree: Tree) -> Self {
        Self { now: tree.clone(), safe: tree, ..Self::default() }
    }

    /// Carries out a change.
    pub(super) fn apply(&mut self, change: &Change) {
        if matches!(change, Change::Sync { .. } | Change::SyncFolder { .. }) {
            std::mem::take(&mut self.owed).iter().for_each(|folder| self.flush_folder(folder));
        }
        match change {
            Change::Create { path, file } => {
                self.now.contents.insert(*file, Vec::new());
                self.safe.contents.insert(*file, Vec::new());
                self.rename(None, Some((path.clone(), Entry::File(*file))));
            }
            Change::Write { .. } | Change::Cut { .. } => {
                change_content(&mut self.now.contents, change);
                self.waiting.push(Waiting::Content { change: change.clone(), lost: false });
            }
            Change::Sync { file } => self.flush(*file),
            Change::SyncFailed { file } => {
                for waiting in &mut self.waiting {
                    if let Waiting::Content { change, lost } = waiting {
                        *lost |= change.file() == Some(*file);
                    }
                }
            }
            Change::SyncFolder { path } => self.flush_folder(path),
            Change::SyncFolderFailed { path } => self.owed.push(path.clone()),
            Change::Rename { from, to } => {
                let entry = self.now.names[from];
                self.rename(Some(from.clone()), Some((to.clone(), entry)));
            }
            Change::Link { from, to } => {
                let entry = self.now.names[from];
                self.rename(None, Some((to.clone(), entry)));
            }
            Change::Remove { path } => self.rename(Some(path.clone()), None),
            Change::Folder { path } => self.rename(None, Some((path.clone(), Entry::Folder))),
        }
    }

    fn rename(&mut self, goes: Option<String>, comes: Option<(String, Entry)>) {
        change_names(&mut self.now, &goes, &comes);
        self.waiting.push(Waiting::Names { comes, goes });
    }

    fn flush(&mut self, file: FileId) {
        let safe = &mut self.safe.contents;
        self.waiting.retain(|waiting| match waiting {
            Waiting::Content { change, lost: false } if change.file() == Some(file) => {
                change_content(safe, change);
                false
            }
            _ => true,
        });
    }

    fn flush_folder(&mut self, folder: &str) {
        let safe = &mut self.safe;
        self.waiting.retain_mut(|waiting| {
            let Waiting::Names { comes, goes } = waiting else { return true };
            let leaves = goes.as_deref().is_some_and(|path| folder_of(path) == folder);
            let arrives = comes.as_ref().is_some_and(|(path, _)| folder_of(path) == folder);
            // A name that goes takes its new place with it; a name that comes may still have its old one.
            let came = if leaves || arrives { comes.take() } else { None };
            let went = if leaves { goes.take() } else { None };
            change_names(safe, &went, &came);
            comes.is_some() || goes.is_some()
        });
    }
}

/// Carries out a change of names.
pub(super) fn change_names(tree: &mut Tree, goes: &Option<String>, comes: &Option<(String, Entry)>) {
    if let Some(path) = goes
        && tree.names.remove(path) == Some(Entry::Folder)
    {
        // What a program removed from it before may not have been flushed away, but goes with it.
        let below = format!("{path}/");
        tree.names.retain(|name, _| !name.starts_with(&below));
    }
    if let Some((path, entry)) = comes {
        tree.names.insert(path.clone(), *entry);
    }
}

impl Image {
    /// Flushes everything outside one folder of the root: that is another machine, and it lives on.
    pub(super) fn settle_except(&mut self, folder: &str) {
        let below = |path: &str| path.split('/').next() == Some(folder);
        let ours: std::collections::BTreeSet<FileId> = self
            .now
            .names
            .iter()
            .chain(&self.safe.names)
            .filter(|(path, _)| below(path))
            .filter_map(|(_, entry)| if let Entry::File(file) = entry { Some(*file) } else { None })
            .collect();
        let safe = &mut self.safe;
        self.waiting.retain(|waiting| match waiting {
            Waiting::Content { change, .. } if change.file().is_some_and(|file| ours.contains(&file)) => true,
            Waiting::Content { change, .. } => {
                change_content(&mut safe.contents, change);
                false
            }
            Waiting::Names { comes, goes } => {
                let path = comes.as_ref().map(|(path, _)| path).or(goes.as_ref());
                let stays = path.is_some_and(|path| below(path));
                if !stays {
                    change_names(safe, goes, comes);
                }
                stays
            }
        });
    }
}
