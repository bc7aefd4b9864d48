//! A small district for tests: a server in memory, scripted phones, offices.

mod phone;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use xunge_client_core::model::{
    CaseId, CategoryRef, DeviceId, Facts, LocalDay, Millis, Mode, PhotoHash, Point, Sha256,
};
use xunge_client_core::model::{PhotoFact, PhotoRole};
use xunge_client_core::wire::{PhotoOffer, PhotoOffset};
use xunge_client_core::workflow::{Ledger, Payload, Verb};

pub(crate) use phone::Phone;

use crate::auth::proof::Device;
use crate::blobs::Blobs;
use crate::clock::Business;
use crate::domain::commands::{self, CommandError, Key, Reply, Wish};
use crate::domain::counts::query::{self, Ask, By, Table};
use crate::domain::directory::Directory;
use crate::domain::directory::install::install;
use crate::domain::ledger;
use crate::domain::people::Viewer;
use crate::domain::services::Services;
use crate::domain::uploads::UploadError;
use crate::domain::verify::{self, Report};
use crate::params;
use crate::reference::{taxonomy::Taxonomy, xixia};
use crate::store::{BoxFuture, Row, Store, StoreError, Value};
use crate::sync::{PhotoDesk, SyncDesk, UploadTokens};

/// The district of the example.
pub(crate) const DISTRICT: &str = "640105";
/// A category of the district's tree.
pub(crate) const LITTER: &str = "xixia-2023:event:XX0201";

/// A server in memory with the example district.
pub(crate) struct District {
    pub(crate) desk: SyncDesk,
    pub(crate) blobs: Blobs,
    folder: tempfile::TempDir,
    made: std::cell::Cell<u64>,
}

thread_local! {
    /// Bytes of the photos that [`facts`] named.
    static PHOTOS: RefCell<BTreeMap<PhotoHash, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Answers that no photo has arrived yet.
struct NoPhotos;

impl PhotoDesk for NoPhotos {
    fn offered<'t>(
        &'t self,
        _: &'t Device,
        offers: &'t [PhotoOffer],
    ) -> BoxFuture<'t, Result<Vec<PhotoOffset>, UploadError>> {
        let nothing = |offer: &PhotoOffer| PhotoOffset {
            sha256: offer.sha256,
            offset: 0,
            location: Some(format!("/v1/photos/{}", offer.sha256)),
            of: offer.of,
        };
        Box::pin(async move { Ok(offers.iter().map(nothing).collect()) })
    }
}

impl UploadTokens for NoPhotos {
    fn issue(&self, device: &Device, _: Millis) -> String {
        format!("token of {}", device.id)
    }
}

impl District {
    pub(crate) async fn new() -> Self {
        Self::over(Store::in_memory().unwrap()).await
    }

    pub(crate) async fn over(store: Store) -> Self {
        let start = LocalDay::new(2023, 11, 1).unwrap().start().plus_ms(9 * 3_600_000);
        let services = Services::inline(store, Business::standing(start));
        let org = Arc::new(xixia::org_file().validate().unwrap());
        services
            .store
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { install(tx, &org, Taxonomy::builtin(), 1, Millis(0)).await })
            })
            .await
            .unwrap();
        let desk = SyncDesk { services, photos: Arc::new(NoPhotos), tokens: Arc::new(NoPhotos) };
        let folder = tempfile::tempdir().unwrap();
        Self { desk, blobs: Blobs::in_memory(), folder, made: 0.into() }
    }

    /// The district of an installation that is already there.
    pub(crate) fn of(services: Services) -> Self {
        let desk = SyncDesk { services, photos: Arc::new(NoPhotos), tokens: Arc::new(NoPhotos) };
        let folder = tempfile::tempdir().unwrap();
        Self { desk, blobs: Blobs::in_memory(), folder, made: 0.into() }
    }

    pub(crate) fn now(&self) -> Millis {
        self.desk.services.business.now()
    }

    pub(crate) fn advance_days(&self, days: i64) {
        self.desk.services.business.advance(days * 86_400_000);
    }

    /// A number never given before.
    pub(crate) fn fresh(&self) -> u64 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }

    /// A new phone of this user.
    pub(crate) async fn phone(&self, user: &str) -> Phone {
        let number = self.fresh();
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        let (id, key) = (DeviceId::from_bytes(bytes), SigningKey::from_bytes(Sha256::of(&bytes).as_bytes()));
        let public = key.verifying_key().to_bytes();
        let (user_id, sql) = (
            user.to_owned(),
            "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at)
             VALUES (?1, ?2, ?3, x'', 'test', 0)",
        );
        self.run(sql, params![id.as_bytes(), &user_id, &public].to_vec()).await;
        Phone::new(user, id, key, number)
    }

    /// Inspectors of the example, by user name.
    pub(crate) async fn inspectors(&self) -> Vec<String> {
        let rows = self.rows("SELECT id FROM user_account WHERE role = 'inspector' ORDER BY id").await;
        rows.iter().map(|row| row.text(0).unwrap().to_owned()).collect()
    }

    pub(crate) async fn viewer(&self, user: &str) -> Viewer {
        let user = user.to_owned();
        let load = self
            .desk
            .services
            .store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { Viewer::load(tx, &user).await }));
        load.await.unwrap().unwrap()
    }

    /// A reviewer of the office that reviews this case.
    pub(crate) async fn reviewer_of(&self, case: CaseId) -> String {
        let sql = "SELECT u.id FROM user_account u JOIN case_row c ON c.office = u.unit
            WHERE c.id = ?1 AND u.role = 'town_office' ORDER BY u.id";
        self.rows_with(sql, params![case.as_bytes()].to_vec()).await[0].text(0).unwrap().to_owned()
    }

    /// Does a verb as this user, on the version that is there.
    pub(crate) async fn act(
        &self,
        user: &str,
        case: CaseId,
        verb: Verb,
        payload: Payload,
    ) -> Result<Reply, CommandError> {
        let version = self.version(case).await;
        let key = format!("key-{}", self.fresh());
        self.act_with(user, case, verb, payload, version, &key).await
    }

    pub(crate) async fn act_with(
        &self,
        user: &str,
        case: CaseId,
        verb: Verb,
        payload: Payload,
        expected_version: u32,
        key: &str,
    ) -> Result<Reply, CommandError> {
        let viewer = self.viewer(user).await;
        let body =
            Sha256::of(format!("{verb}{expected_version}{}", serde_json::to_string(&payload).unwrap()).as_bytes());
        let key = Key { key: key.to_owned(), route: format!("POST /v1/cases/{case}/events"), body };
        commands::execute(&self.desk.services, &viewer, Wish { case, verb, expected_version, payload, key }).await
    }

    pub(crate) async fn version(&self, case: CaseId) -> u32 {
        let sql = "SELECT version FROM case_row WHERE id = ?1";
        let rows = self.rows_with(sql, params![case.as_bytes()].to_vec()).await;
        rows.first().map_or(0, |row| row.int(0).unwrap() as u32)
    }

    pub(crate) async fn state(&self, case: CaseId) -> String {
        let sql = "SELECT state FROM case_row WHERE id = ?1";
        self.rows_with(sql, params![case.as_bytes()].to_vec()).await[0].text(0).unwrap().to_owned()
    }

    pub(crate) async fn ledger(&self, case: CaseId) -> Ledger {
        let store = &self.desk.services.store;
        let found = store.read::<_, StoreError, _>(move |tx| Box::pin(async move { ledger::load(tx, case).await }));
        found.await.unwrap().expect("the case is there").ledger
    }

    /// Org tree and category trees.
    pub(crate) async fn directory(&self) -> Arc<Directory> {
        let shared = self.desk.services.directory.clone();
        let store = &self.desk.services.store;
        store.read::<_, StoreError, _>(move |tx| Box::pin(async move { shared.get(tx).await })).await.unwrap()
    }

    /// Lets the bytes of all photos of a case arrive.
    pub(crate) async fn photos_arrive(&self, case: CaseId) {
        let sql = "SELECT sha256, device FROM photo WHERE case_id = ?1 AND present = 0";
        for row in self.rows_with(sql, params![case.as_bytes()].to_vec()).await {
            let hash = PhotoHash::from_bytes(row.array(0).unwrap());
            let bytes = PHOTOS.with_borrow(|photos| photos[&hash].clone());
            self.blob_arrives(&bytes, row.blob(1).unwrap()).await;
        }
        let sql = "UPDATE photo SET present = 1 WHERE case_id = ?1";
        self.run(sql, params![case.as_bytes()].to_vec()).await;
        let sql = "UPDATE case_row SET photos_present = photos_expected WHERE id = ?1";
        self.run(sql, params![case.as_bytes()].to_vec()).await;
    }

    /// Stores bytes that this owner sent.
    pub(crate) async fn blob_arrives(&self, bytes: &[u8], owner: &[u8]) -> PhotoHash {
        let hash = PhotoHash::of(bytes);
        let staged = self.folder.path().join(hash.to_string());
        std::fs::write(&staged, bytes).unwrap();
        self.blobs.put_verified(hash, staged).await.unwrap();
        let sql = "INSERT INTO blob (sha256, size_bytes, mime, stored_at) VALUES (?1, ?2, 'image/jpeg', 0)
            ON CONFLICT (sha256) DO NOTHING";
        self.run(sql, params![hash.as_bytes(), bytes.len() as i64].to_vec()).await;
        let sql =
            "INSERT INTO blob_owner (device, sha256, at) VALUES (?1, ?2, 0) ON CONFLICT (device, sha256) DO NOTHING";
        self.run(sql, params![owner, hash.as_bytes()].to_vec()).await;
        hash
    }

    /// Puts other bytes under a photo's name.
    pub(crate) async fn overwrite_blob(&self, hash: PhotoHash, bytes: &[u8]) {
        let staged = self.folder.path().join("other");
        std::fs::write(&staged, bytes).unwrap();
        self.blobs.put_verified(hash, staged).await.unwrap();
    }

    /// Verifies everything.
    pub(crate) async fn verify(&self) -> Report {
        verify::verify(&self.desk.services.store, &self.blobs).await.unwrap()
    }

    /// Figures of the whole district for November 2023.
    pub(crate) async fn november(&self, by: Option<By>) -> Table {
        let ask = Ask {
            scope: DISTRICT.parse().unwrap(),
            from: LocalDay::new(2023, 11, 1).unwrap(),
            to: LocalDay::new(2023, 11, 30).unwrap(),
            by,
        };
        self.counts(ask).await
    }

    pub(crate) async fn counts(&self, ask: Ask) -> Table {
        let shared = self.desk.services.directory.clone();
        let counted = self.desk.services.store.read::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let directory = shared.get(tx).await?;
                query::table(tx, &directory, &ask).await
            })
        });
        counted.await.unwrap()
    }

    pub(crate) async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.rows_with(sql, Vec::new()).await
    }

    pub(crate) async fn rows_with(&self, sql: &'static str, params: Vec<Value>) -> Vec<Row> {
        let read = self
            .desk
            .services
            .store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query(sql, &params).await }));
        read.await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &'static str, params: Vec<Value>) -> u64 {
        let write = self
            .desk
            .services
            .store
            .write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.execute(sql, &params).await }));
        write.await.unwrap()
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql: &'static str = format!("SELECT COUNT(*) FROM {table}").leak();
        self.rows(sql).await[0].int(0).unwrap()
    }

    /// Everything but what a request is allowed to leave behind: counters of proofs and times of contact.
    pub(crate) async fn fingerprint(&self) -> Vec<String> {
        let tables = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").await;
        let mut found = Vec::new();
        for table in tables {
            let name = table.text(0).unwrap().to_owned();
            if name == "device" || name == "device_heard" || name.starts_with("sqlite_") {
                continue;
            }
            let sql: &'static str = format!("SELECT * FROM {name}").leak();
            let rows = self.rows(sql).await;
            let mut rows: Vec<String> = rows.iter().map(|row| format!("{:?}", row.values())).collect();
            rows.sort();
            found.push(format!("{name}: {}", Sha256::of(rows.join("\n").as_bytes())));
        }
        found
    }
}

/// The steps in which the database would answer a statement.
pub(crate) async fn plan_of(store: &Store, sql: &str, params: Vec<Value>) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let read = store.read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query(&explain, &params).await }));
    read.await.unwrap().iter().map(|row| row.text(3).unwrap().to_owned()).collect()
}

/// Facts of a report: litter in the middle of the first grid, one photo before, one after if self-handled.
pub(crate) fn facts(number: u64, mode: Mode, at: Millis) -> Facts {
    let photo = |role: PhotoRole, salt: &str| {
        let bytes = format!("{number} {salt}").into_bytes();
        let (hash, size) = (PhotoHash::of(&bytes), bytes.len() as u64);
        PHOTOS.with_borrow_mut(|photos| photos.insert(hash, bytes));
        (hash, PhotoFact { role, mime: "image/jpeg".into(), bytes: size, w: 320, h: 240, taken_at: Some(at) })
    };
    let mut photos = vec![photo(PhotoRole::Before, "before")];
    if mode == Mode::SelfHandled {
        photos.push(photo(PhotoRole::After, "after"));
    }
    Facts {
        category_claim: Some(LITTER.parse::<CategoryRef>().unwrap()),
        description: format!("Litter number {number} by the gate"),
        point: Some(Point { lon_e6: 106_010_000 + (number % 50) as i32 * 3_000, lat_e6: 38_620_000 }),
        mode_claim: Some(mode),
        discovered_at: Some(at),
        photos: photos.into_iter().collect(),
        ..Facts::default()
    }
}
