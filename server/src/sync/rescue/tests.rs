use bytes::Bytes;
use xunge_client_core::doc::Edit;
use xunge_client_core::model::{Facts, Mode};
use xunge_client_core::wire::{SyncUp, codec};
use xunge_client_core::workflow::{Payload, Verb};

use super::*;
use crate::auth::keys::Keys;
use crate::blobs::Blobs;
use crate::blobs::space::Space;
use crate::blobs::staging::Staging;
use crate::clock::Business;
use crate::domain::quarantine::{self, Kept};
use crate::sync::release::{ReleaseRefusal, release};
use crate::testing::{District, Phone, facts};

/// A district that takes bundles.
struct Site {
    district: District,
    uploads: Uploads,
    keys: Keys,
    phone: Phone,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let (district, folder) = (District::new().await, tempfile::tempdir().unwrap());
        let user = district.inspectors().await.remove(0);
        let phone = district.phone(&user).await;
        let staging = Staging::in_folder(folder.path()).unwrap();
        let (store, business) = (district.desk.services.store.clone(), Business::standing(district.now()));
        let uploads = Uploads::new(store, Blobs::in_memory(), staging, Space::of_share(|| 0.5), business);
        Self { district, uploads, keys: Keys::generate(), phone, _folder: folder }
    }

    fn bundle(&self, ups: &[SyncUp]) -> Bytes {
        let pages = ups.iter().map(|up| codec::pack(up).into()).collect();
        let contents = Contents { pages, photos: Vec::new() };
        let mut fill = |bytes: &mut [u8]| bytes.fill(7);
        let sealed = self.keys.sealing_public();
        Bundle::seal(&contents, self.phone.id, 1, &self.phone.key, &sealed, &mut fill).into()
    }

    async fn carry(&self, bundle: &Bytes) -> Result<Received, RescueRefusal> {
        receive(&self.district.desk, &self.uploads, self.keys.sealing_secret(), bundle.clone()).await
    }

    async fn put_aside(&self) -> Vec<Kept> {
        let store = &self.district.desk.services.store;
        store.read::<_, StoreError, _>(|tx| Box::pin(async move { quarantine::list(tx, None).await })).await.unwrap()
    }

    async fn release(&self) -> Result<Taken, ReleaseRefusal> {
        let id = self.put_aside().await[0].id;
        release(&self.district.desk, &self.uploads, self.keys.sealing_secret(), "admin", id).await
    }

    fn facts(&self, number: u64) -> Facts {
        facts(number, Mode::Forwarded, self.district.now())
    }

    async fn reported(&self) -> i64 {
        self.district.november(None).await.total.reported
    }
}

#[tokio::test]
async fn a_bundle_beyond_the_days_quota_stays_with_its_carrier_until_all_of_it_is_taken() {
    let mut site = Site::new().await;
    (0..302).for_each(|number| _ = site.phone.report(&site.facts(number)));
    let bundle = site.bundle(&[site.phone.up(site.district.now())]);
    for _ in 0..2 {
        let refusal = site.carry(&bundle).await.unwrap_err();
        let RescueRefusal::Sync(refusal) = refusal else { panic!("{refusal:?}") };
        assert_eq!((refusal.status(), refusal.code()), (429, QUOTA_CASES));
        assert_eq!(site.reported().await, 300, "what was taken counts, once");
    }
    site.district.advance_days(1);
    assert_eq!(site.carry(&bundle).await.unwrap(), Received::Applied { cases: 302, photos: 0 });
    assert_eq!(site.reported().await, 302);
}

#[tokio::test]
async fn a_released_bundle_is_removed_only_when_all_of_its_reports_are_taken() {
    let mut site = Site::new().await;
    (0..302).for_each(|number| _ = site.phone.report(&site.facts(number)));
    let up = site.phone.up(site.district.now());
    // One page that is taken in part, and one that is not taken at all.
    let (most, rest) = up.frames.split_at(301);
    let bundle = site.bundle(&[most, rest].map(|frames| SyncUp { frames: frames.to_vec(), ..up.clone() }));
    let device = site.phone.id;
    site.district
        .run("UPDATE device SET revoked_at = 1 WHERE id = ?1", crate::params![device.as_bytes()].to_vec())
        .await;
    assert_eq!(site.carry(&bundle).await.unwrap(), Received::PutAside);
    let refused = site.release().await.unwrap_err();
    assert!(matches!(refused, ReleaseRefusal::Quota), "{refused}");
    assert_eq!((site.reported().await, site.put_aside().await.len()), (300, 1), "the rest is still here");
    site.district.advance_days(1);
    let taken = site.release().await.unwrap();
    assert_eq!((taken.cases, taken.left), (302, None));
    assert_eq!((site.reported().await, site.put_aside().await.len()), (302, 0));
}

#[tokio::test]
async fn a_server_that_put_a_bundle_aside_verifies_and_notices_when_it_is_damaged() {
    let mut site = Site::new().await;
    site.phone.report(&site.facts(1));
    let bundle = site.bundle(&[site.phone.up(site.district.now())]);
    let device = site.phone.id;
    site.district
        .run("UPDATE device SET revoked_at = 1 WHERE id = ?1", crate::params![device.as_bytes()].to_vec())
        .await;
    assert_eq!(site.carry(&bundle).await.unwrap(), Received::PutAside);
    let report = site.district.verify().await;
    assert!(!report.differences.iter().any(|one| one.kind == "quarantine"), "{:?}", report.differences);
    assert_eq!(report.checked["quarantine"], 1);
    site.district.run("UPDATE quarantine SET bytes = CAST(bytes || x'00' AS BLOB)", Vec::new()).await;
    let report = site.district.verify().await;
    assert!(report.differences.iter().any(|one| one.kind == "quarantine"), "{:?}", report.differences);
}

#[tokio::test]
async fn a_bundle_whose_cases_the_server_lost_is_put_aside_until_they_are_there_again() {
    let mut site = Site::new().await;
    let case = site.phone.report(&site.facts(1));
    let first = site.phone.up(site.district.now());
    // The server was restored to before the report; the phone had heard that it was taken, and wrote on.
    let whole = site.bundle(std::slice::from_ref(&first));
    let mut heard = site.phone.clone();
    let held = heard.cases.get_mut(&case).unwrap();
    held.on_server.extend(held.doc.change_bodies_since(&[]).into_iter().map(|(hash, _)| hash));
    held.to_submit = false;
    heard.edit(case, &[Edit::Description("门口".to_owned())]);
    let later = site.bundle(&[SyncUp { epoch: 99, ..heard.up(site.district.now()) }]);
    assert_eq!(site.carry(&later).await.unwrap(), Received::PutAside);
    let kept = site.put_aside().await.remove(0);
    assert_eq!((kept.kind, &*kept.code), ("bundle", "incomplete"));
    assert!(matches!(site.release().await.unwrap_err(), ReleaseRefusal::Incomplete));
    assert_eq!(site.carry(&whole).await.unwrap(), Received::Applied { cases: 1, photos: 0 });
    assert_eq!(site.release().await.unwrap().left, None);
    assert_eq!(site.put_aside().await.len(), 0);
    let report = site.district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
}

#[tokio::test]
async fn a_request_about_a_case_the_server_lost_is_put_aside_and_decided_when_the_case_is_there_again() {
    let mut site = Site::new().await;
    let case = site.phone.report(&site.facts(1));
    let whole = site.bundle(&[site.phone.up(site.district.now())]);
    site.phone.ask(case, Verb::Withdraw, &Payload::default());
    // The phone had heard that the report was taken, and the server was restored to before it.
    let asked = SyncUp { frames: Vec::new(), ..site.phone.up(site.district.now()) };
    let request = site.bundle(&[asked]);
    assert_eq!(site.carry(&request).await.unwrap(), Received::PutAside);
    assert_eq!(&*site.put_aside().await.remove(0).code, "incomplete");
    assert_eq!(site.carry(&whole).await.unwrap(), Received::Applied { cases: 1, photos: 0 });
    assert_eq!(site.release().await.unwrap().left, None);
    assert_eq!(site.district.state(case).await, "void");
    assert_eq!(
        site.carry(&request).await.unwrap(),
        Received::Applied { cases: 0, photos: 0 },
        "a copy changes nothing"
    );
    assert_eq!(site.put_aside().await.len(), 0);
}
