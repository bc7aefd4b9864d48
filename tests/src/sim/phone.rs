//! A phone that can die: the real store on a real file, the real engine, and nothing else that survives.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use ed25519_dalek::SigningKey;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use xunge_client_core::client::Parts;
use xunge_client_core::driver::Listeners;
use xunge_client_core::driver::core::Core;
use xunge_client_core::model::{CaseId, DeviceId, Millis, OrgCode, PhotoHash};
use xunge_client_core::platform::{Clock, Entropy, Files, random};
use xunge_client_core::store::{Enrolment, ServerInfo, Store, StoreError, UserInfo};
use xunge_client_core::sync::{Engine, Identity, Settings};
use xunge_server::reference::org::User;

use super::centre::{self, Centre};
use super::machine::{PhoneClock, PhotoBox, Seeded, Time};
use super::misfortune::{self, Disk};
use crate::fault::room::{Short, Shortage};

/// A process of the app.
pub(super) struct Process {
    pub(super) store: Arc<Store>,
    pub(super) core: Core,
}

/// One phone in somebody's hand.
pub(super) struct SimPhone {
    /// Its place in the world; never reused.
    pub(super) name: usize,
    pub(super) user: User,
    pub(super) device: DeviceId,
    pub(super) clock: Arc<PhoneClock>,
    pub(super) files: Arc<PhotoBox>,
    pub(super) folder: PathBuf,
    pub(super) process: Option<Process>,
    /// Number of the process; what belongs to an older one reaches nobody.
    pub(super) life: u64,
    /// Effects after which the process dies.
    pub(super) dies_after: Option<u32>,
    pub(super) online: bool,
    pub(super) background: bool,
    /// Someone waits for a run to end.
    pub(super) asked: bool,
    /// Its last run left nothing behind.
    pub(super) drained: bool,
    /// The newest timer of its engine.
    pub(super) tick: u64,
    /// Its storage is full or fails, or soon will.
    pub(super) short: Option<Shortage>,
    entropy: Arc<Seeded>,
    /// Opened when it is first wanted; closed before the files are replaced.
    look: RefCell<Option<Rc<Connection>>>,
}

impl SimPhone {
    /// A new phone without anything on it.
    pub(super) fn new(name: usize, user: User, folder: PathBuf, time: Time, seed: u64) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let database = folder.join("phone.db");
        if !database.exists() {
            std::fs::write(database, blank()).unwrap();
        }
        let clock = Arc::new(PhoneClock::new(time));
        Self {
            name,
            user,
            device: DeviceId::from_bytes([0; 16]),
            clock,
            files: Arc::default(),
            folder,
            process: None,
            life: 0,
            dies_after: None,
            online: true,
            background: false,
            asked: false,
            drained: false,
            tick: 0,
            short: None,
            entropy: Arc::new(Seeded::new(seed)),
            look: RefCell::default(),
        }
    }

    /// A phone that has everything another one has: a clone, or what a backup brings back.
    pub(super) fn copy(&self, name: usize, folder: PathBuf, time: Time, seed: u64, from: &Path) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        copy_database(from, &folder);
        let mut phone = Self::new(name, self.user.clone(), folder, time, seed);
        phone.device = self.device;
        phone.files = Arc::new(self.files.copy());
        phone
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("phone.db")
    }

    /// Its database, byte by byte.
    pub(super) fn disk(&self) -> Disk {
        misfortune::read(&self.database())
    }

    /// Starts the app on what the phone holds.
    pub(super) fn start(&mut self) {
        let store = Arc::new(Store::open(&self.database(), self.entropy.clone()).unwrap());
        self.life += 1;
        self.clock.start();
        let core = self.core(&store);
        self.process = Some(Process { store, core });
        (self.background, self.asked) = (false, false);
    }

    /// What the app does when it leaves the screen: photo files whose report was never saved are removed, and the log
    /// moves into the database.
    pub(super) fn leave_the_screen(&self) -> Result<(), StoreError> {
        self.files.sweep(&self.store().named_photos()?).unwrap();
        self.store().checkpoint()
    }

    /// Photos that belong to something saved here.
    pub(super) fn named_photos(&self) -> BTreeSet<PhotoHash> {
        let look = self.look();
        let mut named = look.prepare_cached("SELECT DISTINCT sha256 FROM photo").unwrap();
        let rows = named.query_map([], |row| row.get(0).map(PhotoHash::from_bytes)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Leaves the database only so much, and no room for a photo.
    pub(super) fn run_short(&mut self, of: Short) {
        self.mend();
        self.files.set_full(true);
        self.short = Some(Shortage::begin(&self.folder, of));
    }

    /// True if a failure of the database is what its storage has to lead to.
    pub(super) fn excuses(&self, error: &StoreError) -> bool {
        match self.short.as_ref().map(Shortage::of) {
            Some(Short::OfRoom(_)) => matches!(error, StoreError::Full),
            Some(Short::OfLife(_)) => {
                let code = |error: &rusqlite::Error| error.sqlite_error_code();
                matches!(error, StoreError::Sqlite(cause) if code(cause) == Some(ErrorCode::SystemIoFailure))
            }
            None => false,
        }
    }

    /// There is room again, and the storage works.
    pub(super) fn mend(&mut self) {
        self.files.set_full(false);
        self.short = None;
    }

    /// The process ends, without a word to anybody.
    pub(super) fn die(&mut self) {
        self.process = None;
        self.look.take();
        self.life += 1;
        self.dies_after = None;
        (self.background, self.asked) = (false, false);
    }

    /// Enrols with a one-time code nobody used before, as a fresh device.
    pub(super) fn enrol(&mut self, centre: &Centre, code: &str) {
        let store = self.process.as_ref().expect("the app runs").store.clone();
        self.device = DeviceId::from_bytes(random(self.entropy.as_ref()));
        let key = SigningKey::from_bytes(&store.seed_for_code(code).unwrap());
        centre.join(self.device, &key.verifying_key(), &self.user.user).unwrap();
        let viewer = centre.viewer(&self.user.user);
        self.user = User { scope: viewer.scope, unit: viewer.unit, grids: viewer.grids, ..self.user.clone() };
        store.enrolled(&enrolment(self.device, &self.user, centre.epoch)).unwrap();
        self.life += 1;
        self.clock.start();
        let core = self.core(&store);
        self.process = Some(Process { store, core });
        (self.background, self.asked) = (false, false);
    }

    fn core(&self, store: &Arc<Store>) -> Core {
        let device = store.phone().unwrap().device;
        let seed = store.key_seed().unwrap();
        let identity = device.zip(seed).map(|(device, seed)| Identity { device, key: SigningKey::from_bytes(&seed) });
        let engine = Engine::new(identity, Settings { level: Some(1), ..Settings::default() });
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (self.clock.clone(), self.entropy.clone());
        Core::new(engine, store.clone(), clock, entropy, Listeners::default())
    }

    /// The machine, as another program on the phone has it.
    pub(super) fn parts(&self) -> Parts {
        let (clock, entropy, files) = (self.clock.clone(), self.entropy.clone(), self.files.clone());
        Parts { clock, entropy, files: Some(files), dialer: None }
    }

    pub(super) fn store(&self) -> &Store {
        &self.process.as_ref().expect("the app runs").store
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now().wall
    }

    /// Ten random bytes for an id.
    pub(super) fn ten(&self) -> [u8; 10] {
        random(self.entropy.as_ref())
    }

    pub(super) fn new_case(&self) -> CaseId {
        CaseId::from_parts(self.now(), self.ten())
    }

    /// True if somebody said this on the phone and it is still there, sent or not.
    pub(super) fn holds(&self, words: &str) -> bool {
        self.look().prepare_cached("SELECT 1 FROM intent WHERE instr(body, ?1) > 0").unwrap().exists([words]).unwrap()
    }

    /// The newest number this phone used for a request.
    pub(super) fn counter(&self) -> u64 {
        self.look().query_row("SELECT counter FROM phone", [], |row| row.get::<_, i64>(0)).unwrap() as u64
    }

    /// True if a photo of a case was saved here and is still known, sent, refused or neither.
    pub(super) fn holds_photo(&self, case: CaseId, photo: &PhotoHash) -> bool {
        let sql = "SELECT 1 FROM photo WHERE case_id = ?1 AND sha256 = ?2";
        self.look().prepare_cached(sql).unwrap().exists((case.as_bytes(), photo.as_bytes())).unwrap()
    }

    /// How often a case was acted on here; none if it is not here.
    pub(super) fn acts_on(&self, case: CaseId) -> Option<u32> {
        let sql = "SELECT (SELECT COUNT(*) FROM intent WHERE case_id = ?1) FROM case_local WHERE id = ?1";
        let look = self.look();
        let mut acts = look.prepare_cached(sql).unwrap();
        acts.query_row([case.as_bytes()], |row| row.get(0)).optional().unwrap()
    }

    /// The database as another program would read it.
    pub(super) fn look(&self) -> Rc<Connection> {
        let open = || {
            let look = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            look.set_prepared_statement_cache_capacity(64);
            Rc::new(look)
        };
        Rc::clone(self.look.borrow_mut().get_or_insert_with(open))
    }
}

/// The database of a phone out of the box, made once for all runs.
fn blank() -> &'static [u8] {
    static BLANK: OnceLock<Vec<u8>> = OnceLock::new();
    BLANK.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        let store = Store::open(&path, Arc::new(Seeded::new(0))).unwrap();
        store.checkpoint().unwrap();
        drop(store);
        std::fs::read(&path).unwrap()
    })
}

/// Copies a database with its log as it is at this moment.
pub(super) fn copy_database(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in ["phone.db", "phone.db-wal"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
    let _ = std::fs::remove_file(to.join("phone.db-shm"));
}

/// What a phone is told when it joins.
pub(crate) fn enrolment(device: DeviceId, user: &User, epoch: u64) -> Enrolment {
    let info = UserInfo {
        id: user.user.clone(),
        name: user.name.clone(),
        role: user.role,
        unit: user.unit.clone(),
        scope: Some(user.scope.clone()),
        grids: user.grids.iter().map(OrgCode::clone).collect(),
    };
    let server = ServerInfo {
        name: "sim".to_owned(),
        district: "640105".to_owned(),
        signing_key: "00".repeat(32),
        sealing_key: hex::encode(centre::rescue_key()),
    };
    Enrolment { device, url: "http://127.0.0.1:1".to_owned(), spki_pin: None, server, user: info, epoch }
}
