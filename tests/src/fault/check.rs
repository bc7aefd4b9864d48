//! Whether what was promised is there, and whether what is there is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use xunge_client_core::client::{ListQuery, Phone};
use xunge_client_core::doc::FieldDoc;
use xunge_client_core::model::{CaseId, PhotoHash};

use super::batches;
use super::promises::{Machine, Promise};
use super::world::{Harm, Trouble, World, broken};
use crate::sim::centre::Centre;

/// What people see in the end; equal to that of a run without a fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// Words and photos of each report on the phone, and whether something of it is unsent.
    phone: BTreeMap<String, (BTreeSet<PhotoHash>, bool)>,
    /// Words, photos and verbs of each case at the centre.
    centre: BTreeMap<String, (BTreeSet<PhotoHash>, Vec<String>)>,
    /// Cases, to see what stands twice under the same words.
    cases: (usize, usize),
    /// Photos that have bytes at the centre.
    photos: BTreeSet<PhotoHash>,
    /// Phones the centre knows, by name.
    devices: Vec<String>,
}

pub(super) fn hold(held: bool, harm: Harm, what: impl FnOnce() -> String) -> Result<(), Trouble> {
    if held { Ok(()) } else { Err(broken(harm, what())) }
}

fn corrupt(error: impl ToString) -> Trouble {
    broken(Harm::Corrupt, error.to_string())
}

/// Rows of a centre that nothing may take back.
const KEPT: [&str; 4] = [
    "SELECT 'change', hex(case_id), hex(hash) FROM change_row",
    "SELECT 'event', hex(case_id) || version, hex(hash) FROM case_event",
    "SELECT 'photo', hex(sha256), size_bytes || '' FROM blob",
    "SELECT 'device', id, user_id FROM (SELECT hex(id) AS id, user_id FROM device)",
];

/// What a centre holds and has answered for.
pub(super) fn holdings(centre: &Centre) -> BTreeSet<String> {
    let row = |row: &xunge_server::store::Row| {
        format!("{} {} {}", row.text(0).unwrap(), row.text(1).unwrap(), row.text(2).unwrap())
    };
    KEPT.iter().flat_map(|sql| centre.rows(sql, Vec::new())).map(|found| row(&found)).collect()
}

/// The same from a file.
fn holdings_of(copy: &Path) -> rusqlite::Result<BTreeSet<String>> {
    let copy = Connection::open(copy)?;
    let mut rows = BTreeSet::new();
    for sql in KEPT {
        let mut statement = copy.prepare(sql)?;
        let found = statement.query_map([], |row| {
            Ok(format!("{} {} {}", row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for row in found {
            rows.insert(row?);
        }
    }
    Ok(rows)
}

/// Pages, indexes and references of a database.
fn sound(path: &Path) -> Result<(), Trouble> {
    let look = Connection::open(path).map_err(corrupt)?;
    let found: String = look.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(corrupt)?;
    hold(found == "ok", Harm::Corrupt, || format!("{}: {found}", path.display()))?;
    let dangling = look.prepare("PRAGMA foreign_key_check").and_then(|mut it| it.exists([])).map_err(corrupt)?;
    hold(!dangling, Harm::Corrupt, || format!("{}: a row refers to nothing", path.display()))
}

impl World<'_> {
    /// Opens what lies on a machine and looks at every page, row and photo of it.
    pub(super) fn is_sound(&mut self, machine: Machine) -> Result<(), Trouble> {
        match machine {
            Machine::Phone if self.phone_folder().join("phone.db").exists() => {
                // The app opens it first: what SQLite repairs then must not be repaired by anybody else before.
                self.phone().map_err(unopened)?;
                sound(&self.phone_folder().join("phone.db"))?;
                photos_resolve(self.phone()?)
            }
            Machine::Centre if self.centre_folder().join("0.db").exists() => {
                let centre = self.centre().map_err(unopened)?;
                batches::are_whole(centre)?;
                let findings = centre.store().integrity_blocking().map_err(corrupt)?;
                hold(findings.is_empty(), Harm::Corrupt, || format!("{findings:?}"))?;
                let report = centre.verify();
                let first = report.differences.first();
                hold(report.ok, Harm::Corrupt, || format!("{} differences: {first:?}", report.differences.len()))
            }
            _ => Ok(()),
        }
    }

    /// Looks for everything a machine promised.
    pub(super) fn keeps_promises(&mut self, machine: Machine) -> Result<(), Trouble> {
        let promises: Vec<Promise> = self.promises.iter().filter(|it| it.machine() == machine).cloned().collect();
        promises.iter().try_for_each(|promise| self.check_one(promise))
    }

    fn check_one(&mut self, promise: &Promise) -> Result<(), Trouble> {
        match promise {
            Promise::Enrolled => {
                let there = self.phone_folder().join("phone.db").exists()
                    && self.phone()?.identity().is_ok_and(|it| it.device.is_some());
                hold(there, Harm::Lost, || "the phone is nobody's".to_owned())
            }
            Promise::Saved { case, words, photos } => {
                let known =
                    if self.phone_folder().join("phone.db").exists() { self.phone()?.case(*case).ok() } else { None };
                let facts = known.map(|known| known.facts);
                let kept = facts.as_ref().is_some_and(|facts| {
                    self.stand(words, &facts.description) && photos.iter().all(|photo| facts.photos.contains_key(photo))
                });
                hold(kept, Harm::Lost, || {
                    let found =
                        facts.as_ref().map(|facts| (facts.description.trim_end_matches('路'), facts.photos.len()));
                    format!("{case} `{}` with {} photos: {found:?}", words.trim_end_matches('路'), photos.len())
                })
            }
            Promise::Wiped => self.check_wiped(),
            Promise::Held(rows) => {
                let there = self.centre_folder().join("0.db").exists();
                let found = if there { holdings(self.centre()?) } else { BTreeSet::new() };
                let missing: Vec<_> = rows.difference(&found).collect();
                hold(missing.is_empty(), Harm::Lost, || format!("the centre lacks {missing:?}"))
            }
            Promise::BackedUp { copy, rows } => {
                let copy = self.centre_folder().join(copy);
                hold(copy.exists(), Harm::Lost, || "the backup is gone".to_owned())?;
                sound(&copy)?;
                let found = holdings_of(&copy).map_err(corrupt)?;
                hold(rows.is_subset(&found), Harm::Lost, || "the backup lacks rows".to_owned())
            }
        }
    }

    /// After a wipe nothing readable is left: no case, no photo, no words in any file.
    fn check_wiped(&mut self) -> Result<(), Trouble> {
        let marker = super::steps::MARKER.as_bytes();
        let mut folders = vec![self.phone_folder()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                let photo = entry.path().parent().is_some_and(|folder| folder.ends_with("photos"));
                let bytes = std::fs::read(entry.path()).map_err(corrupt)?;
                let words = bytes.windows(marker.len()).any(|window| window == marker);
                hold(!photo && !words, Harm::Lost, || format!("{} survived the wipe", entry.path().display()))?;
            }
        }
        Ok(())
    }

    /// What people see now.
    pub(super) fn end(&mut self) -> Result<End, Trouble> {
        let mut end = End::default();
        if self.phone_folder().join("phone.db").exists() {
            let phone = self.phone()?;
            for case in cases(phone)? {
                let known = phone.case(case).map_err(corrupt)?;
                let photos = known.facts.photos.keys().copied().collect();
                end.phone.insert(known.facts.description, (photos, known.item.unsent));
                end.cases.0 += 1;
            }
        }
        if self.centre_folder().join("0.db").exists() {
            let centre = self.centre()?;
            for case in centre.cases() {
                let of = || xunge_server::params![case.as_bytes()].to_vec();
                let doc = centre.rows("SELECT snapshot FROM doc WHERE case_id = ?1", of());
                let bytes = doc.first().map(|row| row.blob(0).unwrap().to_vec()).unwrap_or_default();
                let facts = FieldDoc::load(&bytes).map_err(corrupt)?.facts().0;
                let verbs = centre.rows("SELECT verb FROM case_event WHERE case_id = ?1 ORDER BY version", of());
                let verbs = verbs.iter().map(|row| row.text(0).unwrap().to_owned()).collect();
                end.centre.insert(facts.description, (facts.photos.keys().copied().collect(), verbs));
                end.cases.1 += 1;
            }
            let photos = centre.rows("SELECT sha256 FROM blob", Vec::new());
            let devices = centre.rows("SELECT name FROM device ORDER BY name", Vec::new());
            end.devices = devices.iter().map(|row| row.text(0).unwrap().to_owned()).collect();
            end.photos = photos.iter().map(|row| PhotoHash::from_bytes(row.array(0).unwrap())).collect();
        }
        Ok(end)
    }
}

fn unopened(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Told(what) => broken(Harm::Corrupt, format!("it does not open again: {what}")),
        other => other,
    }
}

pub(super) fn cases(phone: &Phone) -> Result<Vec<CaseId>, Trouble> {
    let (items, _) = phone.cases(&ListQuery { limit: 200, ..ListQuery::default() }).map_err(corrupt)?;
    Ok(items.into_iter().map(|item| item.id).collect())
}

/// A photo a report of this phone names has its bytes here.
fn photos_resolve(phone: &Phone) -> Result<(), Trouble> {
    for case in cases(phone)? {
        let known = phone.case(case).map_err(corrupt)?;
        for photo in known.photos.iter().filter(|photo| photo.state != "elsewhere") {
            let bytes = phone.photo(&photo.sha256).map_err(|error| broken(Harm::Lost, error.to_string()))?;
            hold(PhotoHash::of(&bytes) == photo.sha256, Harm::Corrupt, || format!("photo {}", photo.sha256))?;
        }
    }
    Ok(())
}
