//! The centre: the real domain of the server on SQLite, called without HTTP, on the simulator's thread.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use crypto_box::SecretKey;
use ed25519_dalek::VerifyingKey;
use xunge_client_core::doc::FieldDoc;
use xunge_client_core::model::{CaseId, DeviceId, Millis, OrgCode, PhotoHash, Sha256};
use xunge_client_core::sync::{Response, Upload, UploadEnd};
use xunge_client_core::wire::{Problem, Proof};
use xunge_server::auth::enrol::{self, EnrolError, Joining};
use xunge_server::auth::proof::{self, Device};
use xunge_server::blobs::Blobs;
use xunge_server::blobs::space::Space;
use xunge_server::blobs::staging::Staging;
use xunge_server::clock::Business;
use xunge_server::domain::accounts::{self, AddError, Change, Profile};
use xunge_server::domain::cases;
use xunge_server::domain::commands::{self, CommandError, Reply, Wish};
use xunge_server::domain::directory::Shared;
use xunge_server::domain::directory::install::install;
use xunge_server::domain::ledger::{self, Case};
use xunge_server::domain::people::Viewer;
use xunge_server::domain::phones;
use xunge_server::domain::services::Services;
use xunge_server::domain::uploads::{Begin, Owner, UploadError, Uploads};
use xunge_server::domain::verify::{self, Report};
use xunge_server::params;
use xunge_server::reference::org::Org;
use xunge_server::reference::taxonomy::Taxonomy;
use xunge_server::reference::xixia;
use xunge_server::store::{Options, Row, Store, StoreError, Value};
use xunge_server::sync::rescue::{self, Received, RescueRefusal};
use xunge_server::sync::{self, SyncDesk, UploadTokens};

use super::misfortune::{self, Disk};

/// A district with its org tree, made once for all runs.
struct Template {
    database: Vec<u8>,
    org: Org,
}

/// Tables that say something of cases, whole and in a fixed order.
const STATE: [(&str, &str); 13] = [
    ("case_row", "SELECT * FROM case_row ORDER BY 1, 2"),
    ("case_event", "SELECT * FROM case_event ORDER BY 1, 2"),
    ("change_row", "SELECT * FROM change_row ORDER BY 1, 2, 3"),
    ("doc", "SELECT * FROM doc ORDER BY 1"),
    ("request_log", "SELECT * FROM request_log ORDER BY 1"),
    ("quarantine", "SELECT * FROM quarantine ORDER BY 1"),
    ("feed", "SELECT * FROM feed ORDER BY 1, 2, 3"),
    ("feed_audience", "SELECT * FROM feed_audience ORDER BY 1, 2, 3"),
    ("count_day", "SELECT * FROM count_day ORDER BY 1, 2, 3, 4, 5, 6"),
    ("photo", "SELECT * FROM photo ORDER BY 1, 2, 3"),
    ("actor", "SELECT * FROM actor ORDER BY 1"),
    ("case_gram", "SELECT * FROM case_gram ORDER BY 1, 2"),
    ("audit", "SELECT * FROM audit ORDER BY 1"),
];

/// Who administers, in the audit log.
const ADMIN: &str = "admin";
/// What opens rescue bundles.
const RESCUE_KEY: [u8; 32] = [5; 32];

/// What rescue bundles are sealed to.
pub(super) fn rescue_key() -> [u8; 32] {
    *SecretKey::from_bytes(RESCUE_KEY).public_key().as_bytes()
}

/// The centre, running.
pub(crate) struct Centre {
    folder: PathBuf,
    /// Which file is in use; restoring begins another one.
    generation: u32,
    clock: Business,
    desk: SyncDesk,
    uploads: Uploads,
    blobs: Blobs,
    staging: Staging,
    pub(super) epoch: u64,
    runtime: tokio::runtime::Runtime,
}

/// Hands out upload tokens that tests can read.
struct PlainTokens;

impl UploadTokens for PlainTokens {
    fn issue(&self, device: &Device, _: Millis) -> String {
        format!("{} {}", device.id, device.user)
    }
}

impl fmt::Debug for Centre {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Centre").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("template.db");
        let org = xixia::org_file().validate().unwrap();
        fill(&path, &org).unwrap();
        Template { database: std::fs::read(&path).unwrap(), org }
    })
}

fn fill(path: &Path, org: &Org) -> Result<(), StoreError> {
    let (store, org) = (Store::open(path, &inline())?, org.clone());
    store.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { install(tx, &org, Taxonomy::builtin(), 1, Millis(0)).await })
    })?;
    store.close_blocking()
}

/// Makes the example's database at `path`, step by step as an installation does.
pub(crate) fn set_up(path: &Path) -> Result<(), StoreError> {
    fill(path, org())
}

/// Without threads: everything happens on the thread that asks.
pub(crate) fn inline() -> Options {
    Options { inline: true, ..Options::default() }
}

/// A fresh database of the example district.
pub(crate) fn example_database() -> &'static [u8] {
    &template().database
}

/// The org tree every run has.
pub(crate) fn org() -> &'static Org {
    &template().org
}

impl Centre {
    pub(crate) fn new(folder: &Path, start: Millis) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join("0.db");
        std::fs::write(&path, &template().database).unwrap();
        let clock = Business::standing(start);
        let (blobs, staging) = (Blobs::in_memory(), Staging::in_folder(folder).unwrap());
        Self::over(folder, clock, blobs, staging, &inline()).unwrap()
    }

    /// The centre whose database lies in a folder; it keeps its photos there too.
    pub(crate) fn in_folder(folder: &Path, now: Millis, options: &Options) -> Result<Self, String> {
        let blobs = Blobs::in_folder(folder).map_err(|error| error.to_string())?;
        let staging = Staging::in_folder(folder).map_err(|error| error.to_string())?;
        Self::over(folder, Business::standing(now), blobs, staging, options).map_err(|error| error.to_string())
    }

    fn over(
        folder: &Path,
        clock: Business,
        blobs: Blobs,
        staging: Staging,
        options: &Options,
    ) -> Result<Self, StoreError> {
        let store = Store::open(&folder.join("0.db"), options)?;
        let (desk, uploads) = over(store, &clock, &blobs, &staging)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Ok(Self { folder: folder.into(), generation: 0, clock, desk, uploads, blobs, staging, epoch: 1, runtime })
    }

    /// Another centre on a copy of this one's database, at the same moment; it shares the photos.
    pub(super) fn twin(&self) -> Self {
        let folder = self.folder.join("twin");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        self.store().backup_blocking(&folder.join("0.db")).unwrap();
        let now = Business::standing(self.clock.now());
        Self::over(&folder, now, self.blobs.clone(), self.staging.clone(), &inline()).unwrap()
    }

    /// Uploads, for what no phone asks.
    pub(crate) fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// Photos as bytes.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Waits for something of the server's.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn set_time(&self, now: Millis) {
        self.clock.set(now);
    }

    pub(crate) fn store(&self) -> &Store {
        &self.desk.services.store
    }

    /// The org tree as the running server holds it.
    pub(super) fn directory(&self) -> &Shared {
        &self.desk.services.directory
    }

    // ---------------------------------------------------------------- what phones ask

    pub(crate) fn sync(&self, body: &[u8]) -> Response {
        match self.runtime.block_on(sync::handle(&self.desk, body)) {
            Ok(body) => Response { status: 200, retry_after_ms: None, body },
            Err(refused) => {
                let retry_after_ms = refused.retry_after_s().map(|seconds| u64::from(seconds) * 1_000);
                problem(refused.status(), refused.code(), retry_after_ms)
            }
        }
    }

    /// `POST /v1/rescue` with what a phone sealed and somebody carried here.
    pub(super) fn carried(&self, bundle: Vec<u8>) -> Result<Received, RescueRefusal> {
        self.wait(rescue::receive(&self.desk, &self.uploads, RESCUE_KEY, bundle.into()))
    }

    /// `POST /v1/auth/token` with a device proof; the token is good for reference data only.
    pub(crate) fn token(&self, body: &[u8]) -> Response {
        let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let device: Option<DeviceId> = asked["device"].as_str().and_then(|text| text.parse().ok());
        let mut signature = [0; 64];
        let signed = hex::decode_to_slice(asked["signature"].as_str().unwrap_or_default(), &mut signature).is_ok();
        let (Some(device), Some(counter), true) = (device, asked["counter"].as_u64(), signed) else {
            return problem(400, "malformed", None);
        };
        let now = self.clock.now();
        let checked = self.store().write_blocking::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let body = Sha256::of(b"");
                let proof = Proof { method: "POST", path: "/v1/auth/token", body, device, counter };
                proof::check(tx, &proof, &signature, now).await
            })
        });
        match checked {
            Err(_) => problem(500, "internal", None),
            Ok(Ok(_)) => ok(br#"{"access_token":"t","token_type":"Bearer","expires_in":600}"#),
            Ok(Err(refused)) => problem(401, refused.code(), None),
        }
    }

    pub(crate) fn bundle() -> Response {
        ok(br#"{"version":1,"taxonomy":[],"grids":[],"void_reasons":[],"units":[]}"#)
    }

    /// `PATCH` of a photo of which `bytes` arrived.
    pub(crate) fn patch(&self, upload: &Upload, bytes: Vec<u8>, cut: bool) -> UploadEnd {
        let answered = |status, code: &str, offset| {
            let response = if status < 300 { ok(b"") } else { problem(status, code, None) };
            UploadEnd::Answered { response: Response { status, ..response }, offset }
        };
        let Some(owner) = self.owner_of(&upload.token) else { return answered(401, "unauthorized", None) };
        let Ok(target) = upload.location.trim_start_matches("/v1/photos/").parse() else {
            return answered(404, "upload_not_found", None);
        };
        let pieces: Vec<Result<Bytes, ()>> =
            std::iter::once(Ok(Bytes::from(bytes))).chain(cut.then_some(Err(()))).collect();
        let body = futures_of(pieces);
        match self.runtime.block_on(self.uploads.append(&owner, target, upload.offset, body, None)) {
            Ok(progress) => answered(204, "", Some(progress.offset)),
            Err(UploadError::Offset { expected }) => answered(409, "upload_offset", Some(expected)),
            Err(error @ (UploadError::Checksum | UploadError::Hash)) => answered(460, error.code(), None),
            Err(error @ UploadError::NotFound) => answered(404, error.code(), None),
            Err(error @ (UploadError::Size { .. } | UploadError::TooLong { .. })) => answered(413, error.code(), None),
            Err(error) => answered(500, error.code(), None),
        }
    }

    fn owner_of(&self, token: &str) -> Option<Owner> {
        let (device, user) = token.split_once(' ')?;
        let device: DeviceId = device.parse().ok()?;
        let sql = "SELECT 1 FROM device WHERE id = ?1 AND revoked_at IS NULL AND cloned_at IS NULL";
        let good = !self.rows(sql, params![device.as_bytes()].to_vec()).is_empty();
        good.then(|| Owner::Device { device, user: user.to_owned() })
    }

    /// An administrator gives a user a code, and a phone joins with it; on a disk that may fail. Its id comes from the
    /// caller, so that a run repeats, and so does the code: it is the id.
    pub(crate) fn join(&self, device: DeviceId, key: &VerifyingKey, user: &str) -> Result<(), EnrolError> {
        let (user, now, code) = (user.to_owned(), self.clock.now(), hex::encode(device.as_bytes()));
        let joining = Joining { code: code.clone(), public_key: key.to_bytes(), name: "sim".to_owned() };
        self.store().write_blocking(move |tx| {
            Box::pin(async move {
                phones::add_code(tx, ADMIN, &user, &code, now).await?;
                let (joined, _) = enrol::join(tx, &joining, device, now).await?;
                assert_eq!(joined, device);
                Ok(())
            })
        })
    }

    /// An administrator shuts a phone out; false if the centre knows none.
    pub(super) fn revoke(&self, device: DeviceId) -> bool {
        let now = self.clock.now();
        self.store()
            .write_blocking::<_, StoreError, _>(move |tx| {
                Box::pin(async move { phones::revoke(tx, ADMIN, device, now).await })
            })
            .unwrap()
    }

    /// An administrator gives somebody other grids, in the unit and the place they lie in.
    pub(super) fn move_to(&self, user: &str, of: &Viewer, grids: Vec<OrgCode>) -> Change {
        let (user, of, now) = (user.to_owned(), of.clone(), self.clock.now());
        self.store()
            .write_blocking::<_, AddError, _>(move |tx| {
                Box::pin(async move {
                    let moved = |now: Profile| Profile { grids, unit: of.unit, scope: of.scope, ..now };
                    accounts::change(tx, ADMIN, &user, moved, now).await
                })
            })
            .unwrap()
    }

    // ---------------------------------------------------------------- what offices do

    pub(crate) fn viewer(&self, user: &str) -> Viewer {
        let user = user.to_owned();
        let load = self
            .store()
            .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { Viewer::load(tx, &user).await }));
        load.unwrap().unwrap()
    }

    pub(crate) fn case(&self, id: CaseId) -> Option<Case> {
        self.store()
            .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { ledger::load(tx, id).await }))
            .unwrap()
    }

    pub(crate) fn execute(&self, viewer: &Viewer, wish: Wish) -> Result<Reply, CommandError> {
        self.runtime.block_on(commands::execute(&self.desk.services, viewer, wish))
    }

    /// Someone at an office uploads a photo whole.
    pub(super) fn office_photo(&self, user: &str, bytes: &[u8]) -> PhotoHash {
        let (hash, owner) = (PhotoHash::of(bytes), Owner::User(user.to_owned()));
        let begin = Begin {
            length: bytes.len() as u64,
            sha256: Some(hash),
            fresh: xunge_client_core::model::Ulid::from_bytes([0; 16]),
        };
        let begun = self.runtime.block_on(self.uploads.begin(&owner, begin)).unwrap();
        if !begun.complete {
            let body = futures_of(vec![Ok::<_, ()>(Bytes::copy_from_slice(bytes))]);
            self.runtime.block_on(self.uploads.append(&owner, begun.target, begun.offset, body, None)).unwrap();
        }
        hash
    }

    // ---------------------------------------------------------------- looking inside

    pub(crate) fn verify(&self) -> Report {
        self.runtime.block_on(verify::verify(self.store(), &self.blobs)).unwrap()
    }

    pub(crate) fn rows(&self, sql: &'static str, params: Vec<Value>) -> Vec<Row> {
        self.store()
            .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query(sql, &params).await }))
            .unwrap()
    }

    pub(crate) fn has(&self, sql: &'static str, params: Vec<Value>) -> bool {
        !self.rows(sql, params).is_empty()
    }

    pub(super) fn run(&self, sql: &'static str, params: Vec<Value>) {
        self.try_run(sql, params).unwrap();
    }

    fn try_run(&self, sql: &'static str, params: Vec<Value>) -> Result<(), StoreError> {
        self.store()
            .write_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { tx.execute(sql, &params).await }))
            .map(drop)
    }

    /// True if the facts of a case contain these words.
    pub(super) fn says(&self, case: CaseId, words: &str) -> bool {
        let rows = self.rows("SELECT snapshot FROM doc WHERE case_id = ?1", params![case.as_bytes()].to_vec());
        let doc = rows.first().map(|row| FieldDoc::load(row.blob(0).unwrap()).expect("it reloads"));
        let facts = doc.map(|doc| doc.facts().0).unwrap_or_default();
        facts.remarks.values().chain(facts.supplements.values()).any(|remark| remark.text.contains(words))
    }

    /// A hash of each table that says something of cases.
    pub(super) fn state(&self) -> BTreeMap<&'static str, Sha256> {
        let hash = |(table, sql)| (table, Sha256::of(format!("{:?}", self.rows(sql, Vec::new())).as_bytes()));
        STATE.into_iter().map(hash).collect()
    }

    /// Every case, in the order of their ids.
    pub(crate) fn cases(&self) -> Vec<CaseId> {
        let rows = self.rows("SELECT id FROM case_row ORDER BY id", Vec::new());
        rows.iter().map(|row| CaseId::from_bytes(row.array(0).unwrap())).collect()
    }

    // ---------------------------------------------------------------- what befalls it

    /// The process dies and starts again on what was durable.
    pub(super) fn restart(&mut self) {
        self.reopen(&self.path());
    }

    /// Writes a backup; answers where.
    pub(super) fn back_up(&self, number: usize) -> PathBuf {
        let path = self.folder.join(format!("backup-{number}.db"));
        self.store().backup_blocking(&path).unwrap();
        path
    }

    /// Puts a backup in the place of the database. Photos are never restored to an older state.
    pub(super) fn restore(&mut self, backup: &Path) {
        self.generation += 1;
        let path = self.path();
        std::fs::copy(backup, &path).unwrap();
        self.reopen(&path);
        self.epoch += 1;
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'server_epoch'";
        self.run(sql, params![self.epoch.to_string()].to_vec());
    }

    /// Its database, byte by byte.
    pub(super) fn disk(&self) -> Disk {
        misfortune::read(&self.path())
    }

    /// The machine starts again on this.
    pub(super) fn start_on(&mut self, (database, log): &Disk) {
        self.generation += 1;
        let path = self.path();
        std::fs::write(&path, database).unwrap();
        std::fs::write(misfortune::log_of(&path), log).unwrap();
        self.reopen(&path);
    }

    /// Uploads under way and how much of them is here, in the order of their names.
    pub(super) fn staged(&self) -> BTreeMap<PathBuf, u64> {
        let folder = std::fs::read_dir(self.folder.join("staging")).unwrap();
        let files = folder.map(|entry| entry.unwrap());
        files.map(|entry| (entry.path(), entry.metadata().unwrap().len())).collect()
    }

    /// Where its database lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.db", self.generation))
    }

    fn reopen(&mut self, path: &Path) {
        let store = Store::open(path, &inline()).unwrap();
        (self.desk, self.uploads) = over(store, &self.clock, &self.blobs, &self.staging).unwrap();
    }
}

fn over(store: Store, clock: &Business, blobs: &Blobs, staging: &Staging) -> Result<(SyncDesk, Uploads), StoreError> {
    cases::fill_blocking(&store)?;
    let services = Services::inline(store.clone(), clock.clone());
    let room = Space::of_share(|| 1.0);
    let uploads = Uploads::new(store, blobs.clone(), staging.clone(), room, clock.clone());
    let desk = SyncDesk { services, photos: Arc::new(uploads.clone()), tokens: Arc::new(PlainTokens) };
    Ok((desk, uploads))
}

/// An answer of the server's own words.
pub(crate) fn problem(status: u16, code: &str, retry_after_ms: Option<u64>) -> Response {
    let problem = Problem {
        kind: format!("/problems/{code}"),
        title: code.to_owned(),
        status,
        code: code.to_owned(),
        detail: code.to_owned(),
        field: None,
        current: None,
    };
    Response { status, retry_after_ms, body: serde_json::to_vec(&problem).unwrap() }
}

fn ok(body: &[u8]) -> Response {
    Response { status: 200, retry_after_ms: None, body: body.to_vec() }
}

fn futures_of<E: Send + 'static>(
    pieces: Vec<Result<Bytes, E>>,
) -> impl futures::Stream<Item = Result<Bytes, E>> + Send + 'static {
    futures::stream::iter(pieces)
}
