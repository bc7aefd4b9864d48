//! What happens between power cuts: short stories of a phone and a centre, and what lies on the disks before each.

use std::path::Path;

use rusqlite::Connection;
use xunge_server::auth::keys::Keys;
use xunge_server::datadir::DataDir;

use super::image::Tree;
use super::steps::fixed;
use super::world::{Trouble, World, told};
use crate::sim::centre;

/// A step and its name.
pub(super) type Step = (&'static str, fn(&mut World<'_>) -> Result<(), Trouble>);

/// A story.
#[derive(Clone, Copy)]
pub(super) struct Story {
    pub(super) name: &'static str,
    /// Puts on the disks what is there when it begins.
    pub(super) base: fn(&Path, u64) -> Result<(), Trouble>,
    pub(super) steps: &'static [Step],
}

/// All of them.
pub(super) const ALL: &[Story] = &[
    Story {
        name: "first start",
        base: |_, _| Ok(()),
        steps: &[
            ("the centre is set up", set_up),
            ("the phone joins", |world| world.enrol()),
            ("a report", |world| world.report_in_words("a")),
            ("a sync", |world| world.sync()),
        ],
    },
    Story {
        name: "offline",
        base: |folder, seed| without_centre(folder, seed),
        steps: &[
            ("a report with photos", |world| world.report_with_photos("a")),
            ("a correction", |world| world.correct("a", 1)),
            ("a report in words", |world| world.report_in_words("b")),
            ("a photo more", |world| world.attach("b")),
            ("to the background", |world| world.background()),
            ("a correction", |world| world.correct("b", 1)),
        ],
    },
    Story {
        name: "sync",
        base: |folder, seed| with_reports(folder, seed, false),
        steps: &[
            ("a sync with photos", |world| world.sync()),
            ("a decision", |world| world.file("a")),
            ("a correction", |world| world.correct("b", 1)),
            ("a sync", |world| world.sync()),
        ],
    },
    Story {
        name: "old databases",
        base: |folder, seed| {
            with_reports(folder, seed, true)?;
            make_old(folder).map_err(told)
        },
        steps: &[
            ("the app is updated", |world| world.phone().map(drop)),
            ("the centre is updated", |world| world.centre().map(drop)),
            ("a correction", |world| world.correct("a", 1)),
            ("a sync", |world| world.sync()),
        ],
    },
    Story {
        name: "wipe",
        base: |folder, seed| with_reports(folder, seed, true),
        steps: &[("a wipe", |world| world.wipe())],
    },
    Story {
        name: "photos",
        base: |folder, seed| with_reports(folder, seed, true),
        steps: &[
            ("a photo of an office", |world| world.office_photo("x", "dispatch-1")),
            ("the same from another", |world| world.office_photo("x", "leader-1")),
            ("a sweep", |world| world.sweep()),
            ("another photo", |world| world.office_photo("y", "leader-1")),
        ],
    },
    Story {
        name: "upkeep",
        base: |folder, seed| with_reports(folder, seed, true),
        steps: &[
            ("a decision", |world| world.file("a")),
            ("a backup", |world| world.back_up()),
            ("a restart", |world| world.restart_centre()),
            ("a decision", |world| world.file("b")),
            ("a sync", |world| world.sync()),
        ],
    },
];

/// From nothing to an installation. Half of one is thrown away: nobody was told that it is there.
fn set_up(world: &mut World<'_>) -> Result<(), Trouble> {
    // Whoever looked at the half of it still has it open.
    world.stop();
    let folder = world.centre_folder();
    let _ = std::fs::remove_dir_all(&folder);
    world.at_rest()?;
    let data = DataDir::create(&folder).map_err(told)?;
    Keys::create(&data.keys()).map_err(told)?;
    centre::set_up(&folder.join("0.db")).map_err(told)?;
    world.hold()
}

/// A centre and a phone that has joined it.
fn enrolled(folder: &Path, seed: u64) -> Result<World<'static>, Trouble> {
    let mut world = World::new(folder, seed, 1);
    std::fs::create_dir_all(world.centre_folder()).map_err(told)?;
    std::fs::write(world.centre_folder().join("0.db"), centre::example_database()).map_err(told)?;
    world.enrol()?;
    world.sync()?;
    Ok(world)
}

fn without_centre(folder: &Path, seed: u64) -> Result<(), Trouble> {
    let mut world = enrolled(folder, seed)?;
    world.stop();
    std::fs::remove_dir_all(world.centre_folder()).map_err(told)
}

/// Two reports, one with photos, sent or not.
fn with_reports(folder: &Path, seed: u64, sent: bool) -> Result<(), Trouble> {
    let mut world = enrolled(folder, seed)?;
    world.report_with_photos("a")?;
    world.report_in_words("b")?;
    // Some contents have more reports than the story speaks of.
    for name in &["c", "d"][..fixed(seed, "more") as usize % 3] {
        world.report_in_words(name)?;
    }
    if sent {
        world.sync()?;
    }
    world.restart_centre()?;
    world.stop();
    Ok(())
}

/// Takes back what the newer migrations did.
fn make_old(folder: &Path) -> rusqlite::Result<()> {
    Connection::open(folder.join("phone/phone.db"))?.execute_batch(
        "DROP INDEX case_gone; ALTER TABLE case_local DROP COLUMN gone; ALTER TABLE phone DROP COLUMN heard;
         DROP TABLE preview_out; DELETE FROM migration WHERE number IN (2, 3, 4); PRAGMA user_version = 1;
         PRAGMA journal_mode = WAL",
    )?;
    Connection::open(folder.join("centre/0.db"))?.execute_batch(
        "DROP INDEX case_event_desk; DROP TABLE device_heard; DROP TABLE photo_preview; DROP TABLE dispatch_rule;
         DROP TABLE held_void; DROP TABLE dropped_void; DROP INDEX case_row_nearby; DROP INDEX case_row_master;
         ALTER TABLE case_row DROP COLUMN master_case;
         DROP INDEX case_row_ordinal; DROP INDEX case_row_deadline; DROP INDEX case_row_deadline_office;
         DROP INDEX case_row_deadline_handler; ALTER TABLE case_row DROP COLUMN ordinal;
         ALTER TABLE case_row DROP COLUMN deadline_at; DROP TABLE case_gram; DROP TABLE tally_grid; DROP TABLE tally_unit;
         DROP TABLE saved_filter; DROP TABLE tally_street; DROP TABLE tally_map_day; DROP TABLE tally_map_month;
         DROP INDEX case_row_appeal; ALTER TABLE case_row DROP COLUMN appealed_at;
         ALTER TABLE taxonomy DROP COLUMN retired; DROP INDEX external_ref_case; DROP INDEX external_ref_number;
         ALTER TABLE device DROP COLUMN waiting_since; DROP TABLE device_view; DROP INDEX quarantine_at;
         ALTER TABLE user_account DROP COLUMN password_once; DROP INDEX audit_actor; DROP TABLE timetable_edition;
         DELETE FROM schema_version WHERE version > 1",
    )
}

impl Story {
    /// What lies on the disks when it begins.
    pub(super) fn begin(&self, seed: u64) -> Tree {
        let folder = super::run::fast_folder();
        if let Err(trouble) = (self.base)(folder.path(), seed) {
            panic!("{} can not begin: {trouble:?}", self.name);
        }
        Tree::read(folder.path()).expect("a folder of ours")
    }
}
