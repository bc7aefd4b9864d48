//! What a phone may write: paths, types, lengths, and entries that are written once.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, AutomergeError, ReadDoc};

use super::body::{Action, Body, Op, OpId, Scalar};
use super::code::GateCode;
use super::replay::object_id;
use super::{Refusal, Stage};
use crate::doc::read;
use crate::doc::schema::{self, Container, Field, Value};

/// Checks every operation of `body` against the document it builds on; answers which fields it touches.
pub(super) fn check(at_deps: &Automerge, body: &Body<'_>, stage: Stage) -> Result<BTreeSet<&'static str>, Refusal> {
    let mut checker = Checker { at_deps, body, stage, places: BTreeMap::new(), touched: BTreeSet::new() };
    for (counter, op) in (body.start_op..).zip(&body.ops) {
        checker.op(counter, op)?;
    }
    checker.finish()
}

/// A map inside the document, known by what it is for.
enum Place {
    Container(Container),
    /// An entry this change makes, with the fields it has so far.
    Entry {
        container: Container,
        fields: Vec<&'static str>,
    },
}

struct Checker<'a> {
    at_deps: &'a Automerge,
    body: &'a Body<'a>,
    stage: Stage,
    /// Maps met so far: made by this change, or found in the document.
    places: BTreeMap<OpId, Place>,
    touched: BTreeSet<&'static str>,
}

impl Checker<'_> {
    fn op(&mut self, counter: u64, op: &Op<'_>) -> Result<(), Refusal> {
        let Some(object) = op.object else { return self.root_op(counter, op) };
        self.find(object)?;
        let made = OpId { counter, actor: self.body.actor };
        match self.places.get_mut(&object) {
            Some(Place::Container(container)) => {
                let container = *container;
                let entry = new_entry(self.at_deps, container, op)?;
                self.places.insert(made, entry);
                self.touched.insert(container.name());
                Ok(())
            }
            Some(Place::Entry { container, fields }) => {
                fields.push(entry_field(*container, op, fields)?);
                Ok(())
            }
            None => Err(Refusal::at(GateCode::ForbiddenPath, op.key)),
        }
    }

    fn root_op(&mut self, counter: u64, op: &Op<'_>) -> Result<(), Refusal> {
        if let Some(field) = schema::register(op.key) {
            return self.register(field, op);
        }
        if op.key == schema::VERSION_KEY {
            return self.version(op);
        }
        let container = Container::from_name(op.key).ok_or_else(|| Refusal::at(GateCode::ForbiddenPath, op.key))?;
        self.refuse_if_sealed(container == Container::Supplements, container.name())?;
        let is_new = self.containers(container)?.is_empty() && !self.touched.contains(container.name());
        if op.action != Action::MakeMap || !is_new {
            return Err(Refusal::at(GateCode::ForbiddenPath, op.key));
        }
        self.places.insert(OpId { counter, actor: self.body.actor }, Place::Container(container));
        self.touched.insert(container.name());
        Ok(())
    }

    fn register(&mut self, field: &'static Field, op: &Op<'_>) -> Result<(), Refusal> {
        self.refuse_if_sealed(false, field.name)?;
        match op.action {
            Action::Put(scalar) if allows(field, scalar) => {}
            Action::Delete => {}
            _ => return Err(Refusal::at(GateCode::BadValue, field.name)),
        }
        self.touched.insert(field.name);
        Ok(())
    }

    /// The first change of a document must carry the version mark, no other may.
    fn version(&self, op: &Op<'_>) -> Result<(), Refusal> {
        match op.action {
            Action::Put(Scalar::Int(schema::VERSION)) if self.body.deps.is_empty() => Ok(()),
            Action::Put(_) if self.body.deps.is_empty() => Err(Refusal::at(GateCode::BadValue, op.key)),
            _ => Err(Refusal::at(GateCode::ForbiddenPath, op.key)),
        }
    }

    fn refuse_if_sealed(&self, is_supplement: bool, field: &str) -> Result<(), Refusal> {
        if self.stage == Stage::Sealed && !is_supplement {
            return Err(Refusal::at(GateCode::FieldFrozen, field));
        }
        Ok(())
    }

    /// Looks up a map that this change did not make: it must be one of the three containers.
    fn find(&mut self, object: OpId) -> Result<(), Refusal> {
        if self.places.contains_key(&object) {
            return Ok(());
        }
        let id = object_id(object);
        for container in Container::ALL {
            if self.containers(container)?.contains(&id) {
                self.refuse_if_sealed(container == Container::Supplements, container.name())?;
                self.places.insert(object, Place::Container(container));
                return Ok(());
            }
        }
        let is_an_entry = self.at_deps.object_type(&id).is_ok();
        Err(Refusal::new(if is_an_entry { GateCode::EntryExists } else { GateCode::ForbiddenPath }))
    }

    fn containers(&self, container: Container) -> Result<Vec<automerge::ObjId>, Refusal> {
        Ok(read::containers(self.at_deps, container)?)
    }

    fn finish(self) -> Result<BTreeSet<&'static str>, Refusal> {
        let first_without_version =
            self.body.deps.is_empty() && !self.body.ops.iter().any(|op| op.key == schema::VERSION_KEY);
        if first_without_version {
            return Err(Refusal::at(GateCode::BadValue, schema::VERSION_KEY));
        }
        for place in self.places.values() {
            if let Place::Entry { container, fields } = place {
                let required = &container.fields()[..container.required()];
                if !required.iter().all(|field| fields.contains(&field.name)) {
                    return Err(Refusal::at(GateCode::IncompleteEntry, container.name()));
                }
            }
        }
        Ok(self.touched)
    }
}

fn new_entry(at_deps: &Automerge, container: Container, op: &Op<'_>) -> Result<Place, Refusal> {
    if op.action != Action::MakeMap {
        let code = if container.allows_key(op.key) { GateCode::EntryExists } else { GateCode::ForbiddenPath };
        return Err(Refusal::at(code, container.name()));
    }
    if !container.allows_key(op.key) {
        return Err(Refusal::at(GateCode::ForbiddenPath, container.name()));
    }
    // A change that makes one key twice replaces its own map, which `replaces` shows.
    if !op.replaces.is_empty() || read::entry_exists(at_deps, container, op.key)? {
        return Err(Refusal::at(GateCode::EntryExists, container.name()));
    }
    Ok(Place::Entry { container, fields: Vec::new() })
}

fn entry_field(container: Container, op: &Op<'_>, fields: &[&'static str]) -> Result<&'static str, Refusal> {
    let field = container.fields().iter().find(|field| field.name == op.key);
    let field = field.ok_or_else(|| Refusal::at(GateCode::ForbiddenPath, container.name()))?;
    match op.action {
        Action::Put(_) if fields.contains(&field.name) => Err(Refusal::at(GateCode::EntryExists, container.name())),
        Action::Put(scalar) if allows(field, scalar) => Ok(field.name),
        _ => Err(Refusal::at(GateCode::BadValue, container.name())),
    }
}

fn allows(field: &Field, scalar: Scalar<'_>) -> bool {
    match scalar {
        Scalar::Text(text) => field.rule.allows(Value::Text(text)),
        Scalar::Int(number) => field.rule.allows(Value::Int(number)),
        Scalar::Foreign => false,
    }
}

impl From<AutomergeError> for Refusal {
    fn from(_: AutomergeError) -> Self {
        Self::new(GateCode::LibraryFault)
    }
}
