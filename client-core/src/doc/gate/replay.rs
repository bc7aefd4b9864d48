//! Repeats a change through the library's safe editing calls.
//!
//! The library writes its own change; only if that has the hash of the one received are both the same
//! bytes. Whatever a hostile change claims (numbers, predecessors, objects) then is what the library
//! itself would have written at that point, so it can be saved and loaded like any local edit.

use std::collections::BTreeMap;

use automerge::transaction::{Transactable, Transaction};
use automerge::{Automerge, AutomergeError, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};

use super::body::{Action, Body, Op, OpId, Scalar};
use crate::doc::field_doc::{actor_to_library, from_library};
use crate::doc::initial::{InitialState, Made};
use crate::model::ChangeHash;

/// Writes `body`'s operations into `doc` as one change and names it; `None` if there is no such change.
///
/// `doc` must stand at the change's dependencies, and must be thrown away unless the hash is right.
pub(super) fn replay(doc: &mut Automerge, body: &Body<'_>) -> Result<Option<ChangeHash>, AutomergeError> {
    doc.set_actor(actor_to_library(&body.actor));
    if body.deps.is_empty() { replay_first(doc, body) } else { replay_more(doc, body) }
}

fn replay_first(empty: &mut Automerge, body: &Body<'_>) -> Result<Option<ChangeHash>, AutomergeError> {
    if body.ops.iter().any(|op| op.action == Action::Delete) {
        return Ok(None);
    }
    let ops = (body.start_op..).zip(&body.ops).map(|(counter, op)| {
        let made = match op.action {
            Action::Put(scalar) => Made::Scalar(to_library(scalar)),
            Action::MakeMap | Action::Delete => Made::Map(OpId { counter, actor: body.actor }),
        };
        (op.object, op.key.to_owned(), made)
    });
    InitialState::from_ops(ops.collect::<Vec<_>>().into_iter()).write(empty)
}

fn replay_more(doc: &mut Automerge, body: &Body<'_>) -> Result<Option<ChangeHash>, AutomergeError> {
    let mut tx = doc.transaction();
    let mut made = BTreeMap::new();
    for (counter, op) in (body.start_op..).zip(&body.ops) {
        let object = match op.object {
            None => ROOT,
            Some(id) => made.get(&id).cloned().unwrap_or_else(|| object_id(id)),
        };
        match op.action {
            Action::MakeMap => {
                let map = tx.put_object(&object, op.key, ObjType::Map)?;
                made.insert(OpId { counter, actor: body.actor }, map);
            }
            Action::Put(scalar) => tx.put(&object, op.key, to_library(scalar))?,
            Action::Delete => match survivor(&tx, &object, op)? {
                Survivor::None => tx.delete(&object, op.key)?,
                Survivor::One(value) => tx.put(&object, op.key, value)?,
                Survivor::Several => return Ok(None),
            },
        }
    }
    Ok(tx.commit().0.map(from_library))
}

fn to_library(scalar: Scalar<'_>) -> ScalarValue {
    match scalar {
        Scalar::Text(text) => ScalarValue::Str(text.into()),
        Scalar::Int(number) => ScalarValue::Int(number),
        // The rules let none pass; a null would not give the same hash either.
        Scalar::Foreign => ScalarValue::Null,
    }
}

/// What a delete leaves visible under its key.
enum Survivor {
    None,
    One(ScalarValue),
    Several,
}

/// Finds out what an inspector did to cause this delete.
///
/// Setting a register to the value that already wins a conflict is written as a delete of the losers.
/// Refusing that was the one false alarm of the first gate (8 of 93,734 honest changes).
fn survivor(tx: &Transaction<'_>, object: &ObjId, op: &Op<'_>) -> Result<Survivor, AutomergeError> {
    let mut survivor = Survivor::None;
    for (value, id) in tx.get_all(object, op.key)? {
        if op.replaces.iter().any(|replaced| object_id(*replaced) == id) {
            continue;
        }
        survivor = match (survivor, value.into_scalar()) {
            (Survivor::None, Ok(scalar)) => Survivor::One(scalar),
            _ => return Ok(Survivor::Several),
        };
    }
    Ok(survivor)
}

/// The library's name of an object; its last part is only a hint, and the library checks it.
pub(super) fn object_id(id: OpId) -> ObjId {
    ObjId::Id(id.counter, actor_to_library(&id.actor), 0)
}
