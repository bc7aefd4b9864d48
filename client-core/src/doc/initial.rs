//! The first change of a document: its whole state in one batch.
//!
//! The library can write an initial value in one splice, in an order of its own (breadth first, keys
//! sorted). That takes 19 µs for a typical report where sixteen single puts take 119 µs, and nearly every
//! change a server sees is a first one. So a first change has exactly one spelling: this one.

use std::collections::BTreeMap;

use automerge::hydrate::{Map, MapValue, Value};
use automerge::{Automerge, AutomergeError, ScalarValue};

use super::field_doc::from_library;
use crate::model::ChangeHash;

/// The value a first change writes, as the library takes it.
#[derive(Debug, Default)]
pub(super) struct InitialState {
    root: Map,
}

impl InitialState {
    /// Sets or clears a register; the last edit of a draft wins.
    pub(super) fn set(&mut self, key: &str, value: Option<ScalarValue>) {
        match value {
            Some(scalar) => drop(self.root.insert(key.to_owned(), plain(scalar))),
            None => drop(self.root.remove(key)),
        }
    }

    /// Adds an entry unless it is there.
    pub(super) fn add_entry<'a>(
        &mut self,
        container: &str,
        key: &str,
        fields: impl Iterator<Item = (&'a str, ScalarValue)>,
    ) {
        let entries = self.root.entry(container.to_owned()).or_insert_with(|| nested(Map::default()));
        if let Value::Map(entries) = &mut entries.value {
            entries.entry(key.to_owned()).or_insert_with(|| {
                let mut entry = Map::default();
                entry.extend(fields.map(|(name, value)| (name.to_owned(), plain(value))));
                nested(entry)
            });
        }
    }

    /// Rebuilds the value from operations in the order they were made: maps before what is in them.
    ///
    /// `ops` are `(the map written to, key, what)`; maps are named by the operation that made them, the
    /// root by `None`. Operations on maps that are not there are dropped: the hash will tell.
    pub(super) fn from_ops<Id: Ord>(ops: impl DoubleEndedIterator<Item = (Option<Id>, String, Made<Id>)>) -> Self {
        let mut root = Map::default();
        let mut contents: BTreeMap<Id, Map> = BTreeMap::new();
        // Backwards every map is complete when its maker comes up.
        for (object, key, made) in ops.rev() {
            let value = match made {
                Made::Scalar(scalar) => plain(scalar),
                Made::Map(id) => nested(contents.remove(&id).unwrap_or_default()),
            };
            let into = match object {
                None => &mut root,
                Some(id) => contents.entry(id).or_default(),
            };
            into.insert(key, value);
        }
        Self { root }
    }

    /// Writes the value into an empty document as one change; `None` if there is nothing to write.
    ///
    /// The document's actor must be set.
    pub(super) fn write(&self, empty: &mut Automerge) -> Result<Option<ChangeHash>, AutomergeError> {
        empty.init_from_hydrate(&self.root)?;
        Ok(empty.get_heads().first().copied().map(from_library))
    }

    /// How many operations [`InitialState::write`] makes.
    pub(super) fn op_count(&self) -> u64 {
        count(&self.root)
    }
}

/// What an operation of a first change makes.
pub(super) enum Made<Id> {
    Scalar(ScalarValue),
    /// A map, named by this operation.
    Map(Id),
}

fn count(map: &Map) -> u64 {
    let nested = map.values().map(|item| match &item.value {
        Value::Map(inner) => count(inner),
        _ => 0,
    });
    map.len() as u64 + nested.sum::<u64>()
}

fn plain(scalar: ScalarValue) -> MapValue {
    MapValue { value: Value::Scalar(scalar), conflict: false }
}

fn nested(map: Map) -> MapValue {
    MapValue { value: Value::Map(map), conflict: false }
}
