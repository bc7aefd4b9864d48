//! What another org file would change (组织树核对): what an administrator sees before it is put in force. Compares only.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde::Serialize;
use xunge_client_core::model::{OrgCode, Polygon};

use super::{Directory, Place, Unit};
use crate::domain::exchange::{self, Difference};
use crate::reference::org::{self, Org};

/// The code of the change of [`What::MapNote`], which is about no place and no unit.
pub const MAP_NOTE: &str = "map_note";

/// In what a place or unit differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new.
    Added,
    /// The file no longer has it.
    Removed,
    /// Its name.
    Name,
    /// Its outline; now and then are numbers of corners.
    Outline,
    /// The place above.
    Parent,
    /// The district of a unit.
    District,
    /// The street of a unit.
    Street,
    /// The kind of a unit.
    Kind,
    /// The words under every map.
    MapNote,
}

impl Difference for What {
    const ADDED: Self = Self::Added;
    const REMOVED: Self = Self::Removed;

    fn zh(self) -> &'static str {
        match self {
            Self::Added => "新增",
            Self::Removed => "文件中已没有",
            Self::Name => "名称",
            Self::Outline => "边界",
            Self::Parent => "上级",
            Self::District => "所属区",
            Self::Street => "所属街道",
            Self::Kind => "种类",
            Self::MapNote => "地图说明",
        }
    }

    fn en(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "no longer in the file",
            Self::Name => "name",
            Self::Outline => "outline",
            Self::Parent => "parent",
            Self::District => "district",
            Self::Street => "street",
            Self::Kind => "kind",
            Self::MapNote => "map note",
        }
    }
}

/// One difference of a place or unit, or of [`MAP_NOTE`].
pub type Change = exchange::Change<What>;

/// Every difference: places from above to below, those that go, then units, then the map note.
pub fn changes(now: &Directory, map_note: &str, then: &Org) -> Vec<Change> {
    let mut found = Vec::new();
    for place in &then.places {
        match now.place(&place.code) {
            None => found.push(Change::added(place.code.as_str(), &place.name)),
            Some(old) => of_place(old, place, &mut found),
        }
    }
    let kept: BTreeSet<&OrgCode> = then.places.iter().map(|place| &place.code).collect();
    let gone = now.places().filter(|(code, _)| !kept.contains(code));
    found.extend(gone.map(|(code, place)| Change::removed(code.as_str(), &place.name)));
    for unit in &then.units {
        match now.unit(&unit.code) {
            None => found.push(Change::added(unit.code.as_str(), &unit.name)),
            Some(old) => of_unit(old, unit, &mut found),
        }
    }
    let kept: BTreeSet<&OrgCode> = then.units.iter().map(|unit| &unit.code).collect();
    let gone = now.units().filter(|(code, _)| !kept.contains(code));
    found.extend(gone.map(|(code, unit)| Change::removed(code.as_str(), &unit.name)));
    if map_note != then.map_note {
        let words = |note: &str| (!note.is_empty()).then(|| note.to_owned());
        found.push(change(MAP_NOTE, "", What::MapNote, words(map_note), words(&then.map_note)));
    }
    found
}

fn of_place(old: &Place, new: &org::Place, found: &mut Vec<Change>) {
    let mut differs = |what, now, then| found.push(change(new.code.as_str(), &new.name, what, now, then));
    if old.name != new.name {
        differs(What::Name, Some(old.name.clone()), Some(new.name.clone()));
    }
    if old.parent != new.parent {
        differs(What::Parent, text(old.parent.as_ref()), text(new.parent.as_ref()));
    }
    if old.polygon != new.polygon {
        let corners = |polygon: Option<&Polygon>| polygon.map(|polygon| polygon.0.len().to_string());
        differs(What::Outline, corners(old.polygon.as_ref()), corners(new.polygon.as_ref()));
    }
}

fn of_unit(old: &Unit, new: &org::Unit, found: &mut Vec<Change>) {
    let mut differs = |what, now, then| found.push(change(new.code.as_str(), &new.name, what, now, then));
    if old.name != new.name {
        differs(What::Name, Some(old.name.clone()), Some(new.name.clone()));
    }
    if old.kind != new.kind {
        differs(What::Kind, Some(old.kind.code().to_owned()), Some(new.kind.code().to_owned()));
    }
    if old.district != new.district {
        differs(What::District, text(Some(&old.district)), text(Some(&new.district)));
    }
    if old.street != new.street {
        differs(What::Street, text(old.street.as_ref()), text(new.street.as_ref()));
    }
}

fn text(value: Option<&impl Display>) -> Option<String> {
    value.map(ToString::to_string)
}

fn change(code: &str, name: &str, what: What, now: Option<String>, then: Option<String>) -> Change {
    Change { code: code.to_owned(), name: name.to_owned(), what, now, then }
}
