//! Reads a document into plain facts.
//!
//! Tolerant on purpose: a value of a wrong type is skipped, because a screen that shows the rest is worth
//! more than an error. The gate is where shape is enforced.

use std::collections::BTreeMap;

use automerge::{
    AutomergeError, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, ScalarValueRef, Value as LibraryValue, ValueRef,
};

use super::schema::{self, Container, Value};
use crate::model::{
    CategoryRef, Conflict, CoordSys, Facts, LocationSource, Millis, Mode, PhotoFact, PhotoHash, PhotoRole, Point,
    Remark,
};

/// The maps under a container's key, the winning one first.
///
/// There is usually one. Two writers who add the first photo without knowing of each other make two maps
/// under one key; readers union them, writers add to the winner, nothing is lost.
pub(super) fn containers<D: ReadDoc>(doc: &D, container: Container) -> Result<Vec<ObjId>, AutomergeError> {
    let values = doc.get_all(ROOT, container.name())?;
    let maps = values.into_iter().rev().filter(|(value, _)| matches!(value, LibraryValue::Object(ObjType::Map)));
    Ok(maps.map(|(_, id)| id).collect())
}

/// True if any of a container's maps has this entry.
pub(super) fn entry_exists<D: ReadDoc>(doc: &D, container: Container, key: &str) -> Result<bool, AutomergeError> {
    for map in containers(doc, container)? {
        if doc.get(&map, key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Entries of a container over all its maps, each key once.
pub(super) fn entries<D: ReadDoc>(doc: &D, container: Container) -> Result<BTreeMap<String, ObjId>, AutomergeError> {
    let mut found = BTreeMap::new();
    for map in containers(doc, container)? {
        for item in doc.map_range(&map, ..) {
            if matches!(item.value, ValueRef::Object(ObjType::Map)) {
                let id = item.id();
                found.entry(item.key.into_owned()).or_insert(id);
            }
        }
    }
    Ok(found)
}

/// The facts, and every register that holds concurrent values.
pub(super) fn facts<D: ReadDoc>(doc: &D) -> Result<(Facts, Vec<Conflict>), AutomergeError> {
    let mut facts = Facts::default();
    let mut conflicts = Vec::new();
    let (mut lon, mut lat) = (None, None);
    for item in doc.map_range(ROOT, ..) {
        let key = item.key.as_ref();
        if item.conflict && schema::register(key).is_some() {
            conflicts.extend(conflict(doc, key)?);
        }
        let Some(value) = plain(&item.value) else { continue };
        match (key, value) {
            (schema::LON_E6, Value::Int(number)) => lon = i32::try_from(number).ok(),
            (schema::LAT_E6, Value::Int(number)) => lat = i32::try_from(number).ok(),
            _ => set_register(&mut facts, key, value),
        }
    }
    facts.point = lon.zip(lat).map(|(lon_e6, lat_e6)| Point { lon_e6, lat_e6 });
    for (key, entry) in entries(doc, Container::Photos)? {
        facts.photos.extend(key.parse::<PhotoHash>().ok().zip(photo(doc, &entry)));
    }
    facts.remarks = remarks(doc, Container::Remarks)?;
    facts.supplements = remarks(doc, Container::Supplements)?;
    Ok((facts.said_once(), conflicts))
}

fn set_register(facts: &mut Facts, key: &str, value: Value<'_>) {
    match value {
        Value::Text(text) => match key {
            schema::CATEGORY_CLAIM => facts.category_claim = text.parse::<CategoryRef>().ok(),
            schema::DESCRIPTION => facts.description = text.to_owned(),
            schema::LOCATION_TEXT => facts.location_text = text.to_owned(),
            schema::COORD_SYS => facts.coord_sys = CoordSys::from_code(text),
            schema::LOCATION_SOURCE => facts.location_source = LocationSource::from_code(text),
            schema::GRID_CLAIM => facts.grid_claim = Some(text.to_owned()),
            schema::MODE_CLAIM => facts.mode_claim = Mode::from_code(text),
            schema::HANDLE_NOTE => facts.handle_note = text.to_owned(),
            _ => {}
        },
        Value::Int(number) => match key {
            schema::ACCURACY_M => facts.accuracy_m = u32::try_from(number).ok(),
            schema::FIX_AGE_S => facts.fix_age_s = u32::try_from(number).ok(),
            schema::DISCOVERED_AT => facts.discovered_at = Some(Millis(number)),
            schema::HANDLED_AT => facts.handled_at = Some(Millis(number)),
            _ => {}
        },
    }
}

/// Every concurrent value of a register, winner first; `None` if all writers wrote the same.
fn conflict<D: ReadDoc>(doc: &D, register: &str) -> Result<Option<Conflict>, AutomergeError> {
    let mut values: Vec<String> = Vec::new();
    for (value, _) in doc.get_all(ROOT, register)?.iter().rev() {
        let value = match value.as_scalar() {
            Some(ScalarValue::Str(text)) => text.to_string(),
            Some(ScalarValue::Int(number)) => number.to_string(),
            _ => continue,
        };
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Ok((values.len() > 1).then(|| Conflict { field: register.to_owned(), values }))
}

fn remarks<D: ReadDoc>(doc: &D, container: Container) -> Result<BTreeMap<String, Remark>, AutomergeError> {
    let entries = entries(doc, container)?;
    Ok(entries.into_iter().filter_map(|(key, entry)| Some((key, remark(doc, &entry)?))).collect())
}

fn remark<D: ReadDoc>(doc: &D, entry: &ObjId) -> Option<Remark> {
    let (mut text, mut at) = (None, None);
    for item in doc.map_range(entry, ..) {
        match (item.key.as_ref(), plain(&item.value)) {
            (schema::TEXT, Some(Value::Text(value))) => text = Some(value.to_owned()),
            (schema::AT, Some(Value::Int(value))) => at = Some(Millis(value)),
            _ => {}
        }
    }
    Some(Remark { text: text?, at: at? })
}

fn photo<D: ReadDoc>(doc: &D, entry: &ObjId) -> Option<PhotoFact> {
    let (mut role, mut mime, mut bytes, mut w, mut h, mut taken_at) = (None, None, None, None, None, None);
    for item in doc.map_range(entry, ..) {
        match (item.key.as_ref(), plain(&item.value)) {
            (schema::ROLE, Some(Value::Text(value))) => role = PhotoRole::from_code(value),
            (schema::MIME, Some(Value::Text(value))) => mime = Some(value.to_owned()),
            (schema::BYTES, Some(Value::Int(value))) => bytes = u64::try_from(value).ok(),
            (schema::WIDTH, Some(Value::Int(value))) => w = u32::try_from(value).ok(),
            (schema::HEIGHT, Some(Value::Int(value))) => h = u32::try_from(value).ok(),
            (schema::TAKEN_AT, Some(Value::Int(value))) => taken_at = Some(Millis(value)),
            _ => {}
        }
    }
    Some(PhotoFact { role: role?, mime: mime?, bytes: bytes?, w: w?, h: h?, taken_at })
}

/// A value as the schema knows it; `None` for maps and foreign scalars.
fn plain<'a>(value: &'a ValueRef<'_>) -> Option<Value<'a>> {
    match value {
        ValueRef::Scalar(ScalarValueRef::Str(text)) => Some(Value::Text(text)),
        ValueRef::Scalar(ScalarValueRef::Int(number)) => Some(Value::Int(*number)),
        _ => None,
    }
}
