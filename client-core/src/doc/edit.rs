//! Typed edits: what an inspector does to the facts, and how it is written into the document.
//!
//! A draft keeps its edits as data; nothing of it is a change until the report is sent or the case has
//! been sent before. So a value typed five times travels once.

use std::borrow::Cow;

use automerge::transaction::{Transactable, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ScalarValue};
use serde::{Deserialize, Serialize};

use super::DocError;
use super::gate::GateCode;
use super::initial::InitialState;
use super::read;
use super::schema::{self, Container, Field, Value};
use crate::model::{CategoryRef, CoordSys, Facts, LocationSource, Millis, Mode, PhotoFact, PhotoHash, Point, Remark};

/// One edit of the facts. `None` or an empty text clears a register; entries can only be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// Sets the category the inspector chose.
    CategoryClaim(Option<CategoryRef>),
    /// Sets the description, at most 2,000 characters.
    Description(String),
    /// Sets the place in words, at most 256 characters.
    LocationText(String),
    /// Sets longitude and latitude together.
    Point(Option<Point>),
    /// Sets the radius of the fix in metres.
    AccuracyM(Option<u32>),
    /// Sets the system the point is stated in.
    CoordSys(Option<CoordSys>),
    /// Sets where the point came from.
    LocationSource(Option<LocationSource>),
    /// Sets the age of the fix in seconds.
    FixAgeS(Option<u32>),
    /// Sets the grid the phone believes it is in, up to 15 digits.
    GridClaim(Option<String>),
    /// Sets self-handled or forwarded, as claimed.
    ModeClaim(Option<Mode>),
    /// Sets how it was fixed, at most 2,000 characters.
    HandleNote(String),
    /// Sets when the problem was found.
    DiscoveredAt(Option<Millis>),
    /// Sets when it was fixed.
    HandledAt(Option<Millis>),
    /// Adds a photo; nothing happens if the case names it already.
    AddPhoto(PhotoHash, PhotoFact),
    /// Adds a remark under a ULID; nothing happens if it is there already.
    AddRemark(String, Remark),
    /// Adds a supplement under a ULID; the only edit a sealed case takes.
    AddSupplement(String, Remark),
}

/// A value on its way into the document.
enum Stored<'a> {
    Text(Cow<'a, str>),
    Int(i64),
}

/// What an edit comes down to.
enum Write<'a> {
    Register(&'static str, Option<Stored<'a>>),
    Entry(Container, Cow<'a, str>, Vec<(&'static str, Stored<'a>)>),
}

impl Stored<'_> {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Int(number) => Value::Int(*number),
        }
    }

    fn to_scalar(&self) -> ScalarValue {
        match self {
            Self::Text(text) => ScalarValue::Str(text.as_ref().into()),
            Self::Int(number) => ScalarValue::Int(*number),
        }
    }

    fn text_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Int(_) => 10,
        }
    }
}

fn text(text: &str) -> Option<Stored<'_>> {
    (!text.is_empty()).then_some(Stored::Text(Cow::Borrowed(text)))
}

fn code(code: &'static str) -> Stored<'static> {
    Stored::Text(Cow::Borrowed(code))
}

fn int(number: impl Into<i64>) -> Stored<'static> {
    Stored::Int(number.into())
}

impl Edit {
    /// The edits that lead from `before` to `after`; entries that `after` lacks stay, they can not be removed.
    pub fn between(before: &Facts, after: &Facts) -> Vec<Self> {
        let mut edits = Vec::new();
        macro_rules! changed {
            ($($register:ident => $edit:ident),+) => {
                $(if before.$register != after.$register {
                    edits.push(Self::$edit(after.$register.clone()));
                })+
            };
        }
        changed!(
            category_claim => CategoryClaim, mode_claim => ModeClaim, coord_sys => CoordSys,
            location_source => LocationSource, grid_claim => GridClaim, point => Point,
            accuracy_m => AccuracyM, fix_age_s => FixAgeS, discovered_at => DiscoveredAt,
            handled_at => HandledAt, description => Description, location_text => LocationText,
            handle_note => HandleNote
        );
        let is_new = |known: bool| !known;
        let photos = after.photos.iter().filter(|(hash, _)| is_new(before.photos.contains_key(hash)));
        edits.extend(photos.map(|(hash, photo)| Self::AddPhoto(*hash, photo.clone())));
        let remarks = after.remarks.iter().filter(|(id, _)| is_new(before.remarks.contains_key(*id)));
        edits.extend(remarks.map(|(id, remark)| Self::AddRemark(id.clone(), remark.clone())));
        let supplements = after.supplements.iter().filter(|(id, _)| is_new(before.supplements.contains_key(*id)));
        edits.extend(supplements.map(|(id, remark)| Self::AddSupplement(id.clone(), remark.clone())));
        edits
    }

    /// Applies this edit to plain facts, as a draft shows them before anything is a change.
    pub fn apply_to(&self, facts: &mut Facts) {
        match self.clone() {
            Self::CategoryClaim(value) => facts.category_claim = value,
            Self::Description(value) => facts.description = value,
            Self::LocationText(value) => facts.location_text = value,
            Self::Point(value) => facts.point = value,
            Self::AccuracyM(value) => facts.accuracy_m = value,
            Self::CoordSys(value) => facts.coord_sys = value,
            Self::LocationSource(value) => facts.location_source = value,
            Self::FixAgeS(value) => facts.fix_age_s = value,
            Self::GridClaim(value) => facts.grid_claim = value,
            Self::ModeClaim(value) => facts.mode_claim = value,
            Self::HandleNote(value) => facts.handle_note = value,
            Self::DiscoveredAt(value) => facts.discovered_at = value,
            Self::HandledAt(value) => facts.handled_at = value,
            Self::AddPhoto(hash, photo) => drop(facts.photos.entry(hash).or_insert(photo)),
            Self::AddRemark(id, remark) => drop(facts.remarks.entry(id).or_insert(remark)),
            // The words of a remark that came too late stay under its id: if it was in time after all, it is said.
            Self::AddSupplement(id, _) if facts.remarks.contains_key(&id) => {}
            Self::AddSupplement(id, remark) => drop(facts.supplements.entry(id).or_insert(remark)),
        }
    }

    /// Finds out whether the gate would take this edit's values, before anything is written.
    pub fn check(&self) -> Result<(), DocError> {
        for write in self.writes() {
            write.check()?;
        }
        Ok(())
    }

    /// True if a sealed case takes this edit.
    pub fn is_supplement(&self) -> bool {
        matches!(self, Self::AddSupplement(..))
    }

    fn writes(&self) -> Vec<Write<'_>> {
        use schema as s;
        let one = |name, value| vec![Write::Register(name, value)];
        match self {
            Self::CategoryClaim(value) => {
                one(s::CATEGORY_CLAIM, value.as_ref().map(|category| Stored::Text(category.to_string().into())))
            }
            Self::Description(value) => one(s::DESCRIPTION, text(value)),
            Self::LocationText(value) => one(s::LOCATION_TEXT, text(value)),
            Self::Point(value) => vec![
                Write::Register(s::LON_E6, value.map(|point| int(point.lon_e6))),
                Write::Register(s::LAT_E6, value.map(|point| int(point.lat_e6))),
            ],
            Self::AccuracyM(value) => one(s::ACCURACY_M, value.map(int)),
            Self::CoordSys(value) => one(s::COORD_SYS, value.map(|system| code(system.code()))),
            Self::LocationSource(value) => one(s::LOCATION_SOURCE, value.map(|source| code(source.code()))),
            Self::FixAgeS(value) => one(s::FIX_AGE_S, value.map(int)),
            Self::GridClaim(value) => one(s::GRID_CLAIM, value.as_deref().and_then(text)),
            Self::ModeClaim(value) => one(s::MODE_CLAIM, value.map(|mode| code(mode.code()))),
            Self::HandleNote(value) => one(s::HANDLE_NOTE, text(value)),
            Self::DiscoveredAt(value) => one(s::DISCOVERED_AT, value.map(|at| int(at.0))),
            Self::HandledAt(value) => one(s::HANDLED_AT, value.map(|at| int(at.0))),
            Self::AddPhoto(hash, photo) => {
                vec![Write::Entry(Container::Photos, hash.to_string().into(), photo_fields(photo))]
            }
            Self::AddRemark(id, remark) => {
                vec![Write::Entry(Container::Remarks, id.into(), remark_fields(remark))]
            }
            Self::AddSupplement(id, remark) => {
                vec![Write::Entry(Container::Supplements, id.into(), remark_fields(remark))]
            }
        }
    }
}

fn photo_fields(photo: &PhotoFact) -> Vec<(&'static str, Stored<'_>)> {
    let mut fields = vec![
        (schema::ROLE, code(photo.role.code())),
        (schema::MIME, Stored::Text(Cow::Borrowed(&photo.mime))),
        (schema::BYTES, Stored::Int(i64::try_from(photo.bytes).unwrap_or(i64::MAX))),
        (schema::WIDTH, int(photo.w)),
        (schema::HEIGHT, int(photo.h)),
    ];
    fields.extend(photo.taken_at.map(|at| (schema::TAKEN_AT, int(at.0))));
    fields
}

fn remark_fields(remark: &Remark) -> Vec<(&'static str, Stored<'_>)> {
    vec![(schema::TEXT, Stored::Text(Cow::Borrowed(&remark.text))), (schema::AT, int(remark.at.0))]
}

impl Write<'_> {
    fn check(&self) -> Result<(), DocError> {
        let refused = |name: &str, code| DocError::Refused { field: name.to_owned(), code };
        match self {
            Self::Register(_, None) => Ok(()),
            Self::Register(name, Some(value)) => {
                let field = schema::register(name).expect("writes() names registers of the schema");
                allowed(field, value).map_err(|code| refused(name, code))
            }
            Self::Entry(container, key, values) => {
                let keyed = if container.allows_key(key) { Ok(()) } else { Err(GateCode::ForbiddenPath) };
                let fields = values.iter().map(|(name, value)| {
                    let field = container.fields().iter().find(|field| field.name == *name);
                    allowed(field.expect("writes() names fields of the schema"), value)
                });
                keyed.and(fields.collect()).map_err(|code| refused(container.name(), code))
            }
        }
    }

    /// An upper bound of the bytes and operations this adds to a change.
    fn cost(&self) -> (usize, usize) {
        // Key, meta, length and op columns of one operation; a replaced value names its actor and counter.
        const PER_OP: usize = 48;
        match self {
            Self::Register(_, value) => (PER_OP + value.as_ref().map_or(0, Stored::text_bytes), 1),
            Self::Entry(_, key, values) => {
                let text: usize = values.iter().map(|(_, value)| value.text_bytes()).sum();
                let ops = values.len() + 2;
                (ops * PER_OP + key.len() + text, ops)
            }
        }
    }

    fn perform(&self, tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
        match self {
            Self::Register(name, Some(value)) => tx.put(ROOT, *name, value.to_scalar()),
            // Deleting what is not there writes nothing.
            Self::Register(name, None) => tx.delete(ROOT, *name),
            Self::Entry(container, key, values) => {
                if read::entry_exists(tx, *container, key)? {
                    return Ok(());
                }
                let map = match read::containers(tx, *container)?.into_iter().next() {
                    Some(map) => map,
                    None => tx.put_object(ROOT, container.name(), ObjType::Map)?,
                };
                let entry: ObjId = tx.put_object(&map, key.as_ref(), ObjType::Map)?;
                values.iter().try_for_each(|(name, value)| tx.put(&entry, *name, value.to_scalar()))
            }
        }
    }
}

fn allowed(field: &Field, value: &Stored<'_>) -> Result<(), GateCode> {
    schema::check(field, value.as_value())
}

/// Writes `edits` into an open transaction of a document that has changes already.
pub(super) fn write_all(tx: &mut Transaction<'_>, edits: &[Edit]) -> Result<(), AutomergeError> {
    for edit in edits {
        for write in edit.writes() {
            write.perform(tx)?;
        }
    }
    Ok(())
}

/// What `edits` make of an empty document.
pub(super) fn initial_state(edits: &[Edit]) -> InitialState {
    let mut state = InitialState::default();
    for write in edits.iter().flat_map(Edit::writes) {
        match write {
            Write::Register(name, value) => state.set(name, value.map(|value| value.to_scalar())),
            Write::Entry(container, key, values) => {
                let fields = values.iter().map(|(name, value)| (*name, value.to_scalar()));
                state.add_entry(container.name(), &key, fields);
            }
        }
    }
    state
}

/// Checks values, and that one change can hold all of `edits`.
pub(super) fn check_all(edits: &[Edit], max_bytes: usize, max_ops: usize) -> Result<(), DocError> {
    let (mut bytes, mut ops) = (0, 0);
    for write in edits.iter().flat_map(Edit::writes) {
        write.check()?;
        let (more_bytes, more_ops) = write.cost();
        bytes += more_bytes;
        ops += more_ops;
    }
    if bytes > max_bytes || ops > max_ops { Err(DocError::TooLarge) } else { Ok(()) }
}
