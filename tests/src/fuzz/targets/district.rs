//! A small district as the server of today has it: people, a phone, its reports, what an office decided.

use std::path::Path;

use ed25519_dalek::SigningKey;
use rusqlite::Connection;
use xunge_client_core::doc::testing::{Dice, Life};
use xunge_client_core::model::{CaseId, CategoryRef, DeviceId, Millis, Mode, Sha256};
use xunge_client_core::wire::{Envelope, Frame, SyncUp, codec};
use xunge_client_core::workflow::{Payload, Verb};
use xunge_server::domain::commands::{Key, Wish};
use xunge_server::params;

use crate::sim::centre::{self, Centre};

const NOW: Millis = Millis(1_700_000_000_000);
/// Reports.
const CASES: u8 = 8;
/// How many of them are filed; the next one is void.
const FILED: usize = 3;

/// Makes its database at `path`; the same at every call.
pub(super) fn fill(path: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("0.db");
    std::fs::write(&database, centre::example_database()).unwrap();
    let centre = Centre::in_folder(folder.path(), NOW, &centre::inline()).unwrap();
    report(&centre);
    decide(&centre);
    centre.store().close_blocking().unwrap();
    std::fs::copy(&database, path).unwrap();
    thin(path);
}

fn report(centre: &Centre) {
    let (device, key) = (DeviceId::from_bytes([7; 16]), SigningKey::from_bytes(&[5; 32]));
    let users = &centre::org().users;
    let inspector = users.iter().find(|user| user.user == "insp-xihuayuan-1").expect("the example has one");
    centre.join(device, &key.verifying_key(), &inspector.user).unwrap();
    let frames = (0..CASES).map(|number| {
        let changes = Life::new(&mut Dice::new(number.into())).doc.change_bodies_since(&[]);
        let changes = changes.into_iter().map(|(_, body)| body.into()).collect();
        Frame { case: CaseId::from_bytes([number; 16]), changes, submit: true }
    });
    let up = SyncUp { frames: frames.collect(), phone_time: NOW, ..SyncUp::default() };
    let envelope = Envelope::seal(codec::pack(&up), device, 1, &key);
    assert_eq!(centre.sync(&envelope.to_bytes()).status, 200);
}

fn decide(centre: &Centre) {
    let cases = centre.cases();
    assert!(cases.len() > FILED, "honest reports are taken");
    let category: Option<CategoryRef> = "xixia-2023:event:XX0201".parse().ok();
    for (number, case) in cases.into_iter().enumerate().take(FILED + 1) {
        let ledger = centre.case(case).expect("it was reported").ledger;
        let office = ledger.office.map(|office| office.as_str().to_owned()).unwrap_or_default();
        let sql = "SELECT MIN(id) FROM user_account WHERE unit = ?1 AND role = 'town_office'";
        let user = centre.rows(sql, params![&office].to_vec())[0].text(0).unwrap().to_owned();
        let (verb, payload) = match number {
            FILED => (Verb::Void, Payload { reason: Some("not_in_scope".to_owned()), ..Payload::default() }),
            _ => {
                (Verb::File, Payload { mode: Some(Mode::Forwarded), category: category.clone(), ..Payload::default() })
            }
        };
        let key = Key {
            key: format!("{number}"),
            route: format!("POST /v1/cases/{case}/events"),
            body: Sha256::of(&[number as u8]),
        };
        let wish = Wish { case, verb, expected_version: ledger.version, payload, key };
        centre.execute(&centre.viewer(&user), wish).unwrap();
    }
}

/// Takes out what would hide the rest, the trees of a whole district, and what is of this run only.
fn thin(path: &Path) {
    let thin = Connection::open(path).unwrap();
    let sql = "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;
        DELETE FROM taxonomy WHERE code NOT LIKE '%21';
        DELETE FROM user_account WHERE id NOT IN (SELECT id FROM user_account ORDER BY id LIMIT 20)
            AND id NOT IN (SELECT user_id FROM device) AND id NOT IN (SELECT actor FROM case_event);
        DELETE FROM user_grid WHERE user_id NOT IN (SELECT id FROM user_account);
        UPDATE org_node SET polygon = NULL;
        DELETE FROM org_node WHERE level = 'grid' AND code NOT IN (SELECT grid FROM case_row);
        UPDATE device SET last_seen_at = 0";
    thin.execute_batch(sql).unwrap();
}
