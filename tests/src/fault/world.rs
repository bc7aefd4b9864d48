//! A phone and a centre in one folder, opened when something needs them: the real ones, on files.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use xunge_client_core::client::{Config, Parts, Phone};
use xunge_client_core::driver::Listeners;
use xunge_client_core::driver::core::{Core, Outside};
use xunge_client_core::driver::host::{PhotoFolder, make_folder};
use xunge_client_core::model::{DeviceId, LocalDay, Millis, Ulid};
use xunge_client_core::platform::{Clock, Entropy, Files, random};
use xunge_client_core::store::Store;
use xunge_client_core::sync::{Engine, Event, Identity, OutboundKind, Reason, Settings, Summary, Upload, UploadEnd};
use xunge_server::reference::org::User;
use xunge_server::store::Options;

use super::disk::Disk;
use super::image::{Sum, Tree};
use super::promises::{Promise, Promises};
use crate::sim::centre::{self, Centre};
use crate::sim::machine::{PhoneClock, Seeded, Time};
use crate::sim::phone::enrolment;

/// What a phone sends of a photo at once.
const PATCH_BYTES: usize = 512 << 10;
/// Answers after which a run that does not end is called endless.
const PATIENCE: u32 = 100;

/// Why a step did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Somebody was told that it failed.
    Told(String),
    /// Something that may never be.
    Broken(Broken),
    /// None: what follows was told before, from the same disk and to its right end.
    Known,
}

/// A promise that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which kind.
    pub harm: Harm,
    /// What is wrong.
    pub what: String,
}

/// What became of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Something that was acknowledged is gone.
    Lost,
    /// A file, a row or a sum is not sound.
    Corrupt,
    /// The end is another one than without the fault: doubled, missing, stuck.
    Other,
}

/// A world while its programs run.
pub(super) struct World<'d> {
    folder: PathBuf,
    disk: Option<&'d Disk>,
    /// Where nothing ran in this world.
    pub(super) rests: BTreeSet<Sum>,
    /// Where nothing ran in worlds that came to their right end.
    pub(super) known: Option<&'d RefCell<BTreeSet<Sum>>>,
    /// The step that is being told.
    pub(super) step: usize,
    /// How the centre opens its database.
    opens: Options,
    pub(super) seed: u64,
    pub(super) promises: Promises,
    entropy: Arc<Seeded>,
    clock: Arc<PhoneClock>,
    phone: Option<Phone>,
    core: Option<Core>,
    centre: Option<Centre>,
}

/// When all of it happens.
pub(super) fn noon() -> Millis {
    LocalDay::new(2023, 11, 1).expect("a day").start().plus_ms(12 * 3_600_000)
}

/// Whose phone it is.
pub(super) fn inspector() -> User {
    let users = &centre::org().users;
    users.iter().find(|user| user.user == "insp-xihuayuan-1").expect("the example has one").clone()
}

pub(super) fn told(error: impl ToString) -> Trouble {
    Trouble::Told(error.to_string())
}

pub(super) fn broken(harm: Harm, what: impl Into<String>) -> Trouble {
    Trouble::Broken(Broken { harm, what: what.into() })
}

impl<'d> World<'d> {
    /// A world in a folder. `life` tells processes apart that start from the same files.
    pub(super) fn new(folder: &Path, seed: u64, life: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            disk: None,
            rests: BTreeSet::new(),
            known: None,
            step: 0,
            opens: centre::inline(),
            seed,
            promises: Promises::default(),
            entropy: Arc::new(Seeded::new(seed ^ (life << 40))),
            clock: Arc::new(PhoneClock::new(Time::at(noon()))),
            phone: None,
            core: None,
            centre: None,
        }
    }

    /// A world on a disk that writes down what happens.
    pub(super) fn on(disk: &'d Disk, seed: u64) -> Self {
        Self { disk: Some(disk), ..Self::new(disk.root(), seed, 0) }
    }

    /// The same with a centre that opens its database like this.
    pub(super) fn opening(self, opens: Options) -> Self {
        Self { opens, ..self }
    }

    pub(super) fn phone_folder(&self) -> PathBuf {
        self.folder.join("phone")
    }

    pub(super) fn centre_folder(&self) -> PathBuf {
        self.folder.join("centre")
    }

    /// Notes what somebody was promised at this moment.
    pub(super) fn promise(&mut self, promise: Promise) {
        let position = self.disk.map_or(usize::MAX, Disk::position);
        self.promises.add(position, promise);
    }

    /// All processes end, without a word to anybody.
    pub(super) fn stop(&mut self) {
        if let Some(centre) = self.centre.as_ref().filter(|_| !self.opens.inline) {
            // Its threads would go on for a moment. A centre that was closed before says so.
            let _ = centre.store().close_blocking();
        }
        (self.phone, self.core, self.centre) = (None, None, None);
    }

    /// Says that nothing runs: what follows depends on the files, the promises, the dice and the step, and on nothing
    /// else. [`Trouble::Known`] if another world came to its right end from the same.
    pub(super) fn at_rest(&mut self) -> Result<(), Trouble> {
        let Some(known) = self.known else { return Ok(()) };
        self.stop();
        let tree = Tree::read(&self.folder).map_err(told)?;
        let rest = tree.sum(&format!("{} {} {:?}", self.step, self.entropy.state(), self.promises));
        if known.borrow().contains(&rest) {
            return Err(Trouble::Known);
        }
        self.rests.insert(rest);
        Ok(())
    }

    /// The app, for what a person does.
    pub(super) fn phone(&mut self) -> Result<&Phone, Trouble> {
        if self.phone.is_none() {
            let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (self.clock.clone(), self.entropy.clone());
            let parts = Parts { clock, entropy, ..Parts::default() };
            self.phone = Some(Phone::with_parts(Config::new(self.phone_folder()), parts).map_err(told)?);
        }
        Ok(self.phone.as_ref().expect("just opened"))
    }

    /// The engine over the phone's database, for what the app does by itself.
    fn core(&mut self) -> Result<&mut Core, Trouble> {
        if self.core.is_none() {
            let store = self.phone_store()?;
            let phone = store.phone().map_err(told)?;
            let seed = store.key_seed().map_err(told)?;
            let identity =
                phone.device.zip(seed).map(|(device, seed)| Identity { device, key: SigningKey::from_bytes(&seed) });
            let engine = Engine::new(identity, Settings::default());
            let core = Core::new(engine, store, self.clock.clone(), self.entropy.clone(), Listeners::default());
            self.core = Some(core);
        }
        Ok(self.core.as_mut().expect("just opened"))
    }

    fn phone_store(&self) -> Result<Arc<Store>, Trouble> {
        let database = self.phone_folder().join("phone.db");
        Ok(Arc::new(Store::open(&database, self.entropy.clone()).map_err(told)?))
    }

    /// The centre.
    pub(super) fn centre(&mut self) -> Result<&Centre, Trouble> {
        if self.centre.is_none() {
            self.centre = Some(Centre::in_folder(&self.centre_folder(), noon(), &self.opens).map_err(told)?);
        }
        Ok(self.centre.as_ref().expect("just opened"))
    }

    /// Ten bytes nobody had before.
    pub(super) fn fresh(&self) -> Ulid {
        Ulid::from_parts(noon(), random(self.entropy.as_ref()))
    }

    /// The phone joins: its folder, its database, its key, the centre's row, the answer.
    pub(super) fn enrol(&mut self) -> Result<(), Trouble> {
        make_folder(&self.phone_folder()).map_err(told)?;
        let store = self.phone_store()?;
        if store.phone().map_err(told)?.device.is_none() {
            let key = SigningKey::from_bytes(&store.seed_for_code("the first code").map_err(told)?);
            // The same code, the same device: an answer that was lost is asked for again.
            let device = DeviceId::from_bytes(key.verifying_key().to_bytes()[..16].try_into().expect("sixteen bytes"));
            let known = xunge_server::params![device.as_bytes()].to_vec();
            let centre = self.centre()?;
            if !centre.has("SELECT 1 FROM device WHERE id = ?1", known) {
                centre.join(device, &key.verifying_key(), &inspector().user).map_err(told)?;
            }
            store.enrolled(&enrolment(device, &inspector(), 1)).map_err(told)?;
        }
        self.promise(Promise::Enrolled);
        self.hold()
    }

    /// Syncs until nothing waits on either side, photos included.
    pub(super) fn sync(&mut self) -> Result<(), Trouble> {
        self.centre()?;
        let mut left = VecDeque::from(self.core()?.step(Event::Wake(Reason::Asked)));
        let (mut done, mut waits): (Option<Summary>, bool) = (None, false);
        let mut answers = 0;
        while let Some(outside) = left.pop_front() {
            let event = match outside {
                Outside::Send(outbound) => {
                    let centre = self.centre()?;
                    let response = match outbound.kind {
                        OutboundKind::Sync => centre.sync(&outbound.body),
                        OutboundKind::Token => centre.token(&outbound.body),
                        OutboundKind::Reference => Centre::bundle(),
                    };
                    Event::Answered { exchange: outbound.exchange, response }
                }
                Outside::Upload { upload, preview } => {
                    Event::Uploaded { item: upload.item, end: self.upload(&upload, preview)? }
                }
                Outside::Sleep { .. } => {
                    waits = true;
                    continue;
                }
                Outside::Finish(summary) => {
                    done = Some(*summary);
                    continue;
                }
            };
            self.hold()?;
            answers += 1;
            if answers > PATIENCE {
                return Err(broken(Harm::Other, "a run that does not end"));
            }
            left.extend(self.core()?.step(event));
        }
        match done {
            Some(summary) if summary.drained && summary.refused.is_empty() => Ok(()),
            Some(summary) => Err(told(format!("not drained: {:?} {:?}", summary.stop, summary.refused))),
            None if waits => Err(told("the phone waits before it tries again")),
            None => Err(broken(Harm::Other, "a run that was asked for and never ended")),
        }
    }

    /// Sends a photo or a preview: the first time half of it, because the link breaks.
    fn upload(&mut self, upload: &Upload, preview: Option<Vec<u8>>) -> Result<UploadEnd, Trouble> {
        let files = PhotoFolder::new(self.phone_folder().join("photos"));
        let bytes = match preview {
            Some(whole) => whole.get(upload.offset as usize..).unwrap_or_default().to_vec(),
            None => match files.read_at(&upload.item.photo(), upload.offset, PATCH_BYTES) {
                Ok(bytes) => bytes,
                Err(error) => return Ok(UploadEnd::unread(&error)),
            },
        };
        let cut = upload.offset == 0 && bytes.len() > 1;
        let some = if cut { bytes.len() / 2 } else { bytes.len() };
        Ok(self.centre()?.patch(upload, bytes[..some].to_vec(), cut))
    }

    /// Notes what the centre holds, because somebody was answered.
    pub(super) fn hold(&mut self) -> Result<(), Trouble> {
        let holdings = super::check::holdings(self.centre()?);
        self.promise(Promise::Held(holdings));
        Ok(())
    }
}
