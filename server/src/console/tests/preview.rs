//! Not a test: serves the console over the planned November, so that people can look at the pages they change.
//!
//! `XUNGE_PREVIEW=127.0.0.1:8090 cargo test --release -p xunge-server --lib console::tests::preview -- --ignored`
//! prints what to log in with and runs until it is stopped.

use std::collections::BTreeMap;

use xunge_client_core::model::{CaseId, CoordSys, Facts, LocationSource, PhotoFact, PhotoHash, PhotoRole};
use xunge_client_core::photo::synthetic::{self, Moment};

use super::office::{Office, PASSWORD, REVIEWER};
use crate::demo::plan::{CasePlan, DemoPlan, PhotoPlan};
use crate::domain::commands;
use crate::domain::editions::{self, EditionFigures, NewEdition};
use crate::params;
use crate::reference::published::Published;
use crate::reference::xixia;
use crate::store::StoreError;
use crate::testing::Phone;

/// Photos of the newest cases only: a month of pictures takes longer to draw than to look at.
const WITH_PICTURES: usize = 260;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "serves pages for people until it is stopped"]
async fn a_month_to_look_at() {
    let listen =
        std::env::var("XUNGE_PREVIEW").expect("XUNGE_PREVIEW says where to listen, for example 127.0.0.1:8090");
    let office = Office::new().await;
    let org = xixia::org_file().validate().unwrap();
    let plan = DemoPlan::new(Published::november_2023(), &org, 40, 7).unwrap();
    replay(&office, &plan).await;
    publish_october(&office, &plan).await;
    office
        .district
        .run(
            "UPDATE user_account SET password_hash = (SELECT password_hash FROM user_account WHERE id = ?1)
             WHERE role <> 'inspector'",
            params![REVIEWER].to_vec(),
        )
        .await;
    office
        .district
        .run(
            "UPDATE device SET last_seen_at = ?1 - (rowid % 40) * 3600000, waiting_cases = rowid % 5 / 3,
             waiting_photos = rowid % 7 / 5 * 3",
            params![office.app.services.security.now().0].to_vec(),
        )
        .await;
    let listener = tokio::net::TcpListener::bind(&listen).await.unwrap();
    println!("http://{} audit-1, {REVIEWER} and all others: {PASSWORD}", listener.local_addr().unwrap());
    axum::serve(listener, crate::api::router(office.app.clone())).await.unwrap();
}

/// Every report and every act of the plan, straight through the domain.
async fn replay(office: &Office, plan: &DemoPlan) {
    let mut phones: BTreeMap<usize, Phone> = BTreeMap::new();
    for (index, phone) in plan.phones.iter().enumerate() {
        assert!(!phone.extra, "forty phones belong to the example's own inspectors");
        phones.insert(index, office.district.phone(&phone.user.user).await);
    }
    let mut ids: BTreeMap<usize, CaseId> = BTreeMap::new();
    let first_drawn = plan.cases.len().saturating_sub(WITH_PICTURES);
    let business = office.app.services.business.clone();
    for round in plan.rounds() {
        business.set(round.begins);
        for (phone, cases) in &round.syncs {
            let phone = phones.get_mut(phone).unwrap();
            for index in cases {
                ids.insert(*index, phone.report(&facts(&plan.cases[*index], *index >= first_drawn)));
            }
            phone.drain(&office.district).await;
            for index in cases {
                let decided = !plan.cases[*index].steps.is_empty();
                if *index >= first_drawn {
                    draw(office, &plan.cases[*index]).await;
                }
                if decided || *index % 3 != 0 {
                    office.district.photos_arrive(ids[index]).await;
                }
            }
        }
        for (case, step) in round.acts {
            let step = &plan.cases[case].steps[step];
            business.set(step.at);
            let id = ids[&case];
            let photo = step.act.photo().map(|seed| PhotoHash::of(&seed.to_be_bytes()));
            if let Some(hash) = photo {
                let sql = "INSERT INTO photo (case_id, sha256, district, role, mime, size_bytes, width, height,
                    announced_at, present) VALUES (?1, ?2, '640105', 'check', 'image/jpeg', 9000, 320, 240, 0, 1)";
                office.district.run(sql, params![id.as_bytes(), hash.as_bytes()].to_vec()).await;
            }
            let viewer = office.district.viewer(&step.user).await;
            let command = step.act.command(photo.into_iter().collect());
            commands::act(&office.app.services, &viewer, id, command).await.unwrap();
        }
    }
    business.set(plan.month.next().first().start().plus_ms(9 * 3_600_000));
}

fn facts(case: &CasePlan, drawn: bool) -> Facts {
    let photo = |photo: &PhotoPlan| {
        let bytes = if drawn { picture(photo) } else { photo.seed.to_be_bytes().to_vec() };
        let (w, h) = (320, 240);
        let fact = PhotoFact {
            role: photo.role,
            mime: "image/jpeg".into(),
            bytes: bytes.len() as u64,
            w,
            h,
            taken_at: Some(photo.taken_at),
        };
        (PhotoHash::of(&bytes), fact)
    };
    Facts {
        category_claim: Some(case.category_claim.clone()),
        description: case.description.clone(),
        location_text: case.location_text.clone(),
        point: Some(case.point),
        accuracy_m: Some(case.accuracy_m),
        coord_sys: Some(CoordSys::Wgs84),
        location_source: Some(LocationSource::Gps),
        grid_claim: Some(case.grid.to_string()),
        mode_claim: Some(case.mode_claim),
        handle_note: case.handle_note.clone().unwrap_or_default(),
        discovered_at: Some(case.discovered_at),
        handled_at: case.handled_at,
        photos: case.photos.iter().map(photo).collect(),
        ..Facts::default()
    }
}

fn picture(photo: &PhotoPlan) -> Vec<u8> {
    let moment = if photo.role == PhotoRole::After { Moment::After } else { Moment::Before };
    synthetic::jpeg(photo.seed, moment, 320, 240)
}

async fn draw(office: &Office, case: &CasePlan) {
    for photo in &case.photos {
        let bytes = picture(photo);
        let hash = PhotoHash::of(&bytes);
        let staged = office.app.data.root().join(format!("staged-{hash}"));
        std::fs::write(&staged, bytes).unwrap();
        office.app.blobs.put_verified(hash, staged).await.unwrap();
    }
}

async fn publish_october(office: &Office, plan: &DemoPlan) {
    let previous = plan.previous.clone();
    let now = office.app.services.business.now();
    office
        .app
        .services
        .store
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let categories = previous.categories.iter().map(|(key, n)| (key.to_string(), *n as i64)).collect();
                let figures = EditionFigures { categories, ..EditionFigures::default() };
                let new = NewEdition {
                    template: previous.template,
                    scope: &previous.scope,
                    period: previous.period,
                    as_of: now,
                    signer: "centre",
                    figures: &figures,
                };
                editions::publish(tx, &new, now).await
            })
        })
        .await
        .unwrap();
}
