//! A whole city on one thread: real phones, the real server, a network, disks and clocks that fail by the dice.
//!
//! One number decides everything that happens in a run, so a run repeats exactly and a failure has an address.
//! The phones are the store and engine of `client-core` on real database files in memory, the centre is the server's
//! domain with its SQLite; only HTTP, threads and real time are missing. A run:
//!
//! ```text
//! step 1..n   someone reports, edits, asks, syncs; an office decides; something breaks       (safety is checked)
//! heal        the network is fine, whoever was shut out enrols again, every queue has to drain  (liveness)
//! end         everything is compared: phones with the centre, the centre with its own ledger
//! ```
//!
//! | module | what it gives |
//! |---|---|
//! | `world` | time, the loop that delivers parcels, phones taking steps |
//! | `net` | parcels and the weather |
//! | `machine`, `phone` | the machine under a phone, and its processes |
//! | `centre`, `vault` | the server's domain without HTTP, and its photos |
//! | `field`, `office`, `sweeps` | what inspectors, offices and the centre itself do |
//! | `nemesis`, `misfortune`, `shortage`, `outage` | what goes wrong |
//! | `rescue` | what somebody carries from a phone to the centre in a file |
//! | `promises`, `copies` | everything a screen ever showed as saved; who goes on under one name |
//! | `checks` | the invariants |
//!
//! What is checked, by the names of `docs/TESTING.md`: nothing saved is lost, nothing is counted twice, what a phone
//! shows as "on the server" is there, versions never go back, counts equal a recount of the ledger, every chain and
//! hash holds, queues drain, and phones and centre end with equal documents and ledgers.

pub(crate) mod centre;
mod checks;
mod copies;
mod field;
mod heal;
pub(crate) mod machine;
mod misfortune;
mod nemesis;
mod net;
mod office;
mod outage;
pub(crate) mod phone;
mod promises;
mod rescue;
mod shortage;
mod sweeps;
mod trace;
mod vault;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::Serialize;

use self::world::World;

/// How large a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Phones at the beginning.
    pub phones: usize,
    /// Steps before everything heals.
    pub steps: u32,
    /// What phones hold rots as well.
    pub rot: bool,
}

impl Default for Scale {
    fn default() -> Self {
        Self { phones: 12, steps: 300, rot: false }
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// After how many steps.
    pub step: u32,
    /// Which invariant.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, invariant, found } = self;
        writeln!(out, "seed {seed}, step {step}: {invariant}: {found}")?;
        write!(out, "again: figures -- sim --seeds {seed}..{} --trace", seed + 1)
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Runs.
    pub seeds: u64,
    /// Steps taken.
    pub steps: u64,
    /// Cases the centre held at the end.
    pub cases: u64,
    /// Ledger events at the end.
    pub events: u64,
    /// Requests that reached the centre.
    pub requests: u64,
    /// Previews that went ahead of their photos.
    pub previews: u64,
    /// Photos that were shown as saved and are still expected at the end.
    pub photos: u64,
    /// Uploads and photos without a row that the centre's sweeps removed.
    pub swept: u64,
    /// Requests that were made once more at the end.
    pub again: u64,
    /// Copies of phones that the centre noticed, and what it took for one.
    pub copies: u64,
    /// Rescue bundles the centre took in.
    pub bundles: u64,
    /// Power cuts of the centre in the middle of its work.
    pub outages: u64,
    /// Processes of phones that died.
    pub crashes: u64,
    /// Other misfortunes: restored, cloned and revoked phones, a restored centre, clocks set wrong.
    pub misfortunes: u64,
    /// Simulated phone-hours: phones times time.
    pub phone_hours: u64,
    /// Most rounds of syncing any run needed after it healed.
    pub rounds: u64,
    /// Hash of the trace of the last run.
    pub hash: String,
}

impl Stats {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.cases += other.cases;
        self.events += other.events;
        self.requests += other.requests;
        self.previews += other.previews;
        self.photos += other.photos;
        self.swept += other.swept;
        self.again += other.again;
        self.copies += other.copies;
        self.bundles += other.bundles;
        self.outages += other.outages;
        self.crashes += other.crashes;
        self.misfortunes += other.misfortunes;
        self.phone_hours += other.phone_hours;
        self.rounds = self.rounds.max(other.rounds);
        self.hash.clone_from(&other.hash);
    }
}

/// Runs one seed.
///
/// # Errors
/// The first invariant that does not hold; a panic of the code under test is one.
pub fn run(seed: u64, scale: Scale, trace: bool) -> Result<Stats, Box<Violation>> {
    let folder = tempfile::Builder::new().prefix("xunge-sim").tempdir_in(memory()).unwrap();
    let mut world = World::new(seed, scale, folder.path(), trace);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    if trace && !matches!(lived, Ok(Ok(()))) {
        println!("the databases stay in {}", folder.keep().display());
    }
    let failed = |invariant, found| Box::new(Violation { seed, step: world.step, invariant, found });
    match lived {
        Ok(Ok(())) => Ok(world.stats()),
        Ok(Err(broken)) => Err(failed(broken.invariant, broken.found)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(failed("nothing panics", text.unwrap_or_default()))
        }
    }
}

/// A folder in memory where there is one: a run flushes thousands of times.
fn memory() -> &'static Path {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { shared } else { Path::new("/tmp") }
}

/// An invariant that does not hold, before it is known where.
#[derive(Debug)]
struct Broken {
    invariant: &'static str,
    found: String,
}

type Held = Result<(), Broken>;

/// Demands that something holds.
fn hold(holds: bool, invariant: &'static str, found: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(Broken { invariant, found: found() }) }
}
