//! What happens between power cuts: short stories of a phone and a centre, and what lies on the disks before each.

use std::path::Path;

use rusqlite::Connection;
use xunge_server::auth::keys::Keys;
use xunge_server::datadir::DataDir;
use xunge_server::store::Options;

use super::batches;
use super::image::Tree;
use super::steps::fixed;
use super::world::{Trouble, World, told};
use crate::ages::Program;
use crate::sim::centre;

/// A step and its name.
pub(super) type Step = (&'static str, fn(&mut World<'_>) -> Result<(), Trouble>);

/// A story.
#[derive(Clone, Copy)]
pub(super) struct Story {
    pub(super) name: &'static str,
    /// Puts on the disks what is there when it begins.
    pub(super) base: fn(&Path, u64) -> Result<(), Trouble>,
    /// How the centre opens its database.
    pub(super) opens: fn() -> Options,
    pub(super) steps: &'static [Step],
}

/// All of them.
pub(super) const ALL: &[Story] = &[
    Story {
        name: "first start",
        opens: centre::inline,
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
        opens: centre::inline,
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
        opens: centre::inline,
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
        opens: centre::inline,
        base: |folder, seed| {
            with_reports(folder, seed, true)?;
            make_old(folder)
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
        opens: centre::inline,
        base: |folder, seed| with_reports(folder, seed, true),
        steps: &[("a wipe", |world| world.wipe())],
    },
    Story {
        name: "photos",
        opens: centre::inline,
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
        opens: centre::inline,
        base: |folder, seed| with_reports(folder, seed, true),
        steps: &[
            ("a decision", |world| world.file("a")),
            ("a backup", |world| world.back_up()),
            ("a restart", |world| world.restart_centre()),
            ("a decision", |world| world.file("b")),
            ("a sync", |world| world.sync()),
        ],
    },
    Story {
        name: "at once",
        opens: batches::threads,
        base: |folder, seed| {
            let mut world = enrolled(folder, seed)?;
            world.restart_centre()?;
            world.stop();
            Ok(())
        },
        steps: &[
            ("several write at once", |world| world.write_at_once(0)),
            ("several more", |world| world.write_at_once(1)),
            ("a restart", |world| world.restart_centre()),
            ("several after it", |world| world.write_at_once(2)),
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

/// Puts databases of the very first version in the place of those of today.
fn make_old(folder: &Path) -> Result<(), Trouble> {
    for (program, name) in [(Program::Phone, "phone/phone.db"), (Program::Server, "centre/0.db")] {
        let (path, old) = (folder.join(name), folder.join("old.db"));
        program.age(&path, &old, 1, false).map_err(told)?;
        for rest in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.join(format!("{name}{rest}")));
        }
        std::fs::rename(&old, &path).map_err(told)?;
        let wal = Connection::open(&path).and_then(|it| it.execute_batch("PRAGMA journal_mode = WAL"));
        wal.map_err(told)?;
        let found = program.remembers(&path).map_err(told)?;
        if found != [1] {
            return Err(told(format!("{program:?} remembers {found:?}: not everything would be migrated")));
        }
    }
    Ok(())
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
