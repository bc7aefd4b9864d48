//! Every operation of a story, in every way it can go wrong.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::check::End;
use super::disk::{Disk, Failure};
use super::image::{Change, Entry, FileId, Image, Sum, Tree};
use super::loss::Loss;
use super::promises::{Machine, Promises};
use super::stories::Story;
use super::world::{Broken, Harm, Trouble, World, broken};
use super::{Fault, Found, Tally};
use crate::workload::Dice;

/// A story as it goes when nothing fails.
pub(super) struct Script {
    story: Story,
    seed: u64,
    base: Image,
    changes: Vec<Change>,
    /// Where each step begins.
    starts: Vec<usize>,
    promises: Promises,
    end: End,
    /// Operations tried, those included that changed nothing; true for one that needs room.
    tried: Vec<bool>,
    sides: Sides,
    /// What crashes have left so far.
    left: RefCell<BTreeSet<Sum>>,
    /// Where nothing ran before the right end: what is told from there again shows nothing new.
    known: RefCell<BTreeSet<Sum>>,
    /// Runs that came to such a place.
    joined: Cell<u64>,
}

/// Different disks that a crash at one operation is to leave.
const LEFT: u64 = 3;
/// The life after a crash. It has dice of its own: a phone that starts again must not draw what it drew before.
const SECOND: u64 = 2;

/// A folder in memory, where there is one: a test of durability needs no durable disk.
pub fn fast_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("room for a folder")
}

impl Script {
    /// Plays the story once and writes it down.
    pub(super) fn write(story: Story, seed: u64) -> Self {
        let folder = fast_folder();
        let base = Image::settled(story.begin(seed));
        let disk = Disk::attach(folder.path(), &base).expect("room for a disk");
        let mut world = World::on(&disk, seed).opening((story.opens)());
        let mut starts = Vec::new();
        for (name, step) in story.steps {
            starts.push(disk.position());
            if let Err(trouble) = step(&mut world) {
                panic!("{}, {name}: {trouble:?}", story.name);
            }
        }
        let (changes, tried) = (disk.changes(), disk.tried());
        // If anything went past the layer, the record is worth nothing.
        let mut played = base.clone();
        changes.iter().for_each(|change| played.apply(change));
        let real = Tree::read(disk.root()).expect("a folder of ours");
        assert!(played.now.listing() == real.listing(), "{}: the record and the disk differ", story.name);
        let end = world.end().expect("nothing failed");
        let promises = std::mem::take(&mut world.promises);
        world.stop();
        let sides = Sides::of(&base, &changes);
        let (left, known, joined) = (RefCell::default(), RefCell::default(), Cell::default());
        Self { story, seed, base, changes, starts, promises, end, tried, sides, left, known, joined }
    }

    /// Stops a machine at each operation, or at every so manieth, in each way, and recovers.
    pub(super) fn crash_everywhere(&self, every: u64, tally: &mut Tally) {
        let mut image = self.base.clone();
        for at in 0..=self.changes.len() {
            if at > 0 {
                image.apply(&self.changes[at - 1]);
            }
            if !(at as u64 + self.seed).is_multiple_of(every) {
                continue;
            }
            let (machine, dying) = self.dying(&image, at);
            *tally.points.entry(self.story.name).or_default().entry(machine.folder()).or_default() += 1;
            let mut different = 0;
            for loss in Loss::ALL {
                if different == LEFT || (loss != Loss::Stop && dying.waiting.is_empty()) {
                    break;
                }
                let tree = self.left(&dying, at, loss);
                if self.is_new(machine, &tree, at) {
                    different += 1;
                    tally.recovered(self.fault(at as u64, loss.name()), self.crash(machine, &tree, at));
                }
            }
            tally.alike += LEFT - different;
        }
    }

    /// The operations around one, for a person who looks for the cause.
    pub(super) fn around(&self, at: u64) -> String {
        let (from, to) = (at.saturating_sub(6) as usize, (at as usize + 4).min(self.changes.len()));
        let line = |(index, change): (usize, &Change)| match change {
            Change::Write { file, at, bytes } => format!("{index} write {} {at}+{}", self.sides.0[file], bytes.len()),
            other => match other.file() {
                Some(file) => format!("{index} {other:?} {}", self.sides.0[&file]),
                None => format!("{index} {other:?}"),
            },
        };
        let lines: Vec<String> =
            self.changes[from..to].iter().enumerate().map(|(n, it)| line((from + n, it))).collect();
        lines.join("\n")
    }

    /// Does one fault again.
    pub(super) fn again(&self, at: u64, how: &str) -> Result<(), Broken> {
        let Some(loss) = Loss::ALL.into_iter().find(|loss| loss.name() == how) else {
            return self.live_on(if how == "eio" { Failure::Once { at } } else { Failure::Full { from: at } });
        };
        let (mut image, at) = (self.base.clone(), at as usize);
        self.changes[..at].iter().for_each(|change| image.apply(change));
        let (machine, dying) = self.dying(&image, at);
        self.crash(machine, &self.left(&dying, at, loss), at)
    }

    fn fault(&self, at: u64, how: &'static str) -> Fault {
        Fault { story: self.story.name, seed: self.seed, at, how }
    }

    /// The machine whose operation is under way at a moment, and the disks of both; the other machine lives on.
    fn dying(&self, image: &Image, at: usize) -> (Machine, Image) {
        let machine = self.sides.machine(&self.changes[at.min(self.changes.len() - 1)]);
        let mut dying = image.clone();
        dying.settle_except(machine.folder());
        (machine, dying)
    }

    /// What a loss leaves.
    fn left(&self, dying: &Image, at: usize, loss: Loss) -> Tree {
        let again = if let Loss::Torn(again) = loss { u64::from(again) } else { 0 };
        dying.after(loss, &mut Dice::new(self.seed ^ ((at as u64) << 20) ^ (again << 56)))
    }

    /// False if another crash left the same, with as much promised: it would be recovered from in the same way.
    fn is_new(&self, machine: Machine, tree: &Tree, at: usize) -> bool {
        let promised = self.promises.until(at).count();
        self.left.borrow_mut().insert(tree.sum(&format!("{machine:?} {promised} {}", self.step(at))))
    }

    /// The step that is under way at an operation.
    fn step(&self, at: usize) -> usize {
        self.starts.iter().rposition(|start| *start <= at).unwrap_or(0)
    }

    fn crash(&self, machine: Machine, tree: &Tree, at: usize) -> Result<(), Broken> {
        let folder = fast_folder();
        tree.write_to(folder.path()).expect("room for a disk");
        caught(|| self.recover(folder.path(), machine, at))
    }

    /// Starts again on what is left, checks, and tells the rest of the story.
    fn recover(&self, root: &Path, machine: Machine, at: usize) -> Result<(), Trouble> {
        let mut world = self.again_on(root);
        world.promises = self.promises.until(at);
        world.known = Some(&self.known);
        world.is_sound(machine)?;
        world.keeps_promises(machine)?;
        for (index, (name, step)) in self.story.steps.iter().enumerate().skip(self.step(at)) {
            world.step = index;
            match step(&mut world) {
                Err(Trouble::Known) => return self.join(),
                other => other.map_err(|trouble| unexpected(name, trouble))?,
            }
        }
        self.compare(&mut world)?;
        world.stop();
        self.known.borrow_mut().append(&mut world.rests);
        Ok(())
    }

    /// The life after a crash.
    fn again_on<'w>(&self, root: &Path) -> World<'w> {
        World::new(root, self.seed, SECOND).opening((self.story.opens)())
    }

    /// The rest was told before.
    fn join(&self) -> Result<(), Trouble> {
        self.joined.set(self.joined.get() + 1);
        Ok(())
    }

    /// How many runs came to where another had come to its right end from, and ended there.
    pub(super) fn joined(&self) -> u64 {
        self.joined.get()
    }

    fn compare(&self, world: &mut World<'_>) -> Result<(), Trouble> {
        for machine in Machine::ALL {
            world.is_sound(machine)?;
            world.keeps_promises(machine)?;
        }
        let end = world.end()?;
        if end == self.end { Ok(()) } else { Err(broken(Harm::Other, format!("{end:?} instead of {:?}", self.end))) }
    }

    /// Lets each operation, or every so manieth, fail under programs that live on.
    pub(super) fn fail_everywhere(&self, every: u64, tally: &mut Tally) {
        let tried = (0..).zip(&self.tried).filter(|(at, _)| (at + self.seed).is_multiple_of(every));
        for (at, needs_room) in tried {
            tally.failed(self.fault(at, "eio"), self.live_on(Failure::Once { at }));
            if *needs_room {
                tally.failed(self.fault(at, "full"), self.live_on(Failure::Full { from: at }));
            } else {
                // It succeeds on a full disk too: the same as a disk that is full from the next operation on.
                tally.alike += 1;
            }
        }
    }

    fn live_on(&self, failure: Failure) -> Result<(), Broken> {
        caught(|| self.play_on(failure))
    }

    /// Plays the story on a disk that fails; the disk is well again when somebody is told, and in the end the power fails.
    fn play_on(&self, failure: Failure) -> Result<(), Trouble> {
        let folder = fast_folder();
        let disk = Disk::attach(folder.path(), &self.base).expect("room for a disk");
        disk.fail(failure);
        let mut world = World::on(&disk, self.seed).opening((self.story.opens)());
        for (name, step) in self.story.steps {
            match step(&mut world) {
                Ok(()) => {}
                Err(Trouble::Told(why)) => {
                    if disk.heal() == 0 {
                        return Err(broken(Harm::Other, format!("{name} failed by itself: {why}")));
                    }
                    Machine::ALL.into_iter().try_for_each(|machine| world.keeps_promises(machine))?;
                    step(&mut world).map_err(|trouble| unexpected(name, trouble))?;
                }
                Err(broken) => return Err(broken),
            }
        }
        disk.heal();
        // What was acknowledged after the failure has to be on the disk too.
        let mut image = self.base.clone();
        disk.changes().iter().for_each(|change| image.apply(change));
        let promises = std::mem::take(&mut world.promises);
        world.stop();
        drop(disk);
        let tree = image.after(Loss::Drop, &mut Dice::new(0));
        let end = tree.sum(&format!("the end {:?}", promises.iter().collect::<Vec<_>>()));
        if self.known.borrow().contains(&end) {
            return self.join();
        }
        let root = folder.path().join("recovery");
        std::fs::create_dir(&root).expect("a new folder");
        tree.write_to(&root).expect("room for a disk");
        let mut world = self.again_on(&root);
        world.promises = promises;
        self.compare(&mut world)?;
        world.stop();
        self.known.borrow_mut().insert(end);
        Ok(())
    }
}

fn unexpected(step: &str, trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Told(why) => broken(Harm::Other, format!("`{step}` fails for good: {why}")),
        Trouble::Broken(found) => broken(found.harm, format!("`{step}`: {}", found.what)),
        Trouble::Known => Trouble::Known,
    }
}

/// A panic is the worst way to tell somebody.
fn caught(work: impl FnOnce() -> Result<(), Trouble>) -> Result<(), Broken> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Trouble::Known)) => unreachable!("only a recovery knows of others, and joins them"),
        Ok(Err(Trouble::Broken(found))) => Err(found),
        Ok(Err(Trouble::Told(what))) => Err(Broken { harm: Harm::Other, what }),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(Broken { harm: Harm::Other, what: format!("a panic: {}", text.unwrap_or_default()) })
        }
    }
}

/// Which machine a change is on.
struct Sides(BTreeMap<FileId, String>);

impl Sides {
    fn of(base: &Image, changes: &[Change]) -> Self {
        let old = base.now.names.iter().filter_map(|(path, entry)| match entry {
            Entry::File(file) => Some((*file, path.clone())),
            Entry::Folder => None,
        });
        let new = changes.iter().filter_map(|change| match change {
            Change::Create { path, file } => Some((*file, path.clone())),
            _ => None,
        });
        Self(old.chain(new).collect())
    }

    fn machine(&self, change: &Change) -> Machine {
        let path = change.path().or_else(|| self.0.get(&change.file()?).map(String::as_str));
        // The root itself is where a folder of either was just made.
        let phone = path.is_some_and(|path| path.starts_with(Machine::Phone.folder()));
        if phone { Machine::Phone } else { Machine::Centre }
    }
}

impl Tally {
    fn recovered(&mut self, fault: Fault, outcome: Result<(), Broken>) {
        *self.recoveries.entry(fault.how).or_default() += 1;
        self.note(fault, outcome);
    }

    fn failed(&mut self, fault: Fault, outcome: Result<(), Broken>) {
        *self.failures.entry(fault.how).or_default() += 1;
        self.note(fault, outcome);
    }

    fn note(&mut self, fault: Fault, outcome: Result<(), Broken>) {
        if let Err(broken) = outcome {
            self.found.push(Found { fault, broken });
        }
    }
}
