//! What phones said of a case that does not fit together, in words: values written at once, and late edits.

use xunge_client_core::model::Millis;

use super::case::Loaded;
use super::choices;
use super::visit::Visit;
use super::words;
use crate::domain::disputes::LateEdit;

/// A register with more than one value.
#[derive(Debug, Clone)]
pub(crate) struct ConflictLook {
    /// Its name.
    pub(crate) field: String,
    /// The values, the one in force first.
    pub(crate) values: Vec<ValueLook>,
}

/// One of several values.
#[derive(Debug, Clone)]
pub(crate) struct ValueLook {
    /// The value.
    pub(crate) value: String,
    /// Who wrote it, and when it arrived; empty if nobody knows.
    pub(crate) by: String,
}

/// A register that was edited after the decision.
#[derive(Debug, Clone)]
pub(crate) struct LateLook {
    /// Its name.
    pub(crate) field: String,
    /// What was judged.
    pub(crate) judged: String,
    /// What it holds now.
    pub(crate) now: String,
}

/// Every register with more than one value.
pub(crate) fn conflicts(visit: &Visit, loaded: &Loaded) -> Vec<ConflictLook> {
    let each = |(field, values): (&String, &Vec<String>)| conflict(visit, loaded, field, values);
    loaded.detail.conflicts.iter().map(each).collect()
}

fn conflict(visit: &Visit, loaded: &Loaded, field: &str, values: &[String]) -> ConflictLook {
    let by = |value: &String| {
        let written = loaded.writers.iter().find(|it| it.register == field && it.value == *value)?;
        let (who, at) = (loaded.names.get(&written.user).unwrap_or(&written.user), words::when(written.at, visit.now));
        Some(visit.lang.fill("case.written", &[("who", who), ("at", &at)]))
    };
    let look =
        |value: &String| ValueLook { value: register_value(visit, field, value), by: by(value).unwrap_or_default() };
    ConflictLook { field: visit.lang.word("register", field), values: values.iter().map(look).collect() }
}

/// Every register that was edited after the decision.
pub(crate) fn late(visit: &Visit, loaded: &Loaded) -> Vec<LateLook> {
    let value = |register: &str, value: &Option<String>| match value {
        Some(value) => register_value(visit, register, value),
        None => visit.lang.say("app.none").to_owned(),
    };
    let look = |it: &LateEdit| LateLook {
        field: visit.lang.word("register", &it.register),
        judged: value(&it.register, &it.judged),
        now: value(&it.register, &it.now),
    };
    loaded.late.iter().map(look).collect()
}

/// A register's value as people read it.
fn register_value(visit: &Visit, field: &str, value: &str) -> String {
    let lang = visit.lang;
    let time = || value.parse().ok().map(|ms| words::when(Millis(ms), visit.now));
    let degrees = || value.parse::<f64>().ok().map(|e6| format!("{:.6}", e6 / 1e6));
    let known = match field {
        "category_claim" => Some(choices::name(&visit.directory, value)),
        "mode_claim" => Some(lang.word("mode", value)),
        "coord_sys" => Some(lang.word("coord_sys", value)),
        "location_source" => Some(lang.word("location_source", value)),
        "discovered_at" | "handled_at" => time(),
        "lon_e6" | "lat_e6" => degrees(),
        "grid_claim" => Some(choices::place(&visit.directory, value)),
        _ => None,
    };
    known.unwrap_or_else(|| value.to_owned())
}
