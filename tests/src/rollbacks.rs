//! The server is put back to an older backup, again and again, with phones that have long heard "on the server".

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use xunge_client_core::client::Parts;
use xunge_client_core::model::CaseId;

use crate::fleet::{HastyClock, muster};
use crate::http::Api;
use crate::ledger::{self, Tally};
use crate::process::{Server, run_json};
use crate::scene::Scene;
use crate::workload::Dice;

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RolledBack {
    /// Backups put back.
    pub rollbacks: u64,
    /// Rounds since the oldest of them was made, at most. Backups of a past that was rolled back come back too.
    pub oldest: u64,
    /// Phones that needed more than two contacts to heal, over all rollbacks.
    pub slow: u64,
    /// Reports missing after a phone had healed, over all rollbacks.
    pub missing: u64,
    /// What was promised beside what is there in the end.
    pub tally: Tally,
    /// Photos that never came back.
    pub photos_missing: u64,
    /// Decisions made before a backup that are not in the ledger after it was put back.
    pub decisions_lost: u64,
}

/// Backups that are kept at once.
const KEPT: usize = 12;

/// Works, backs up and puts back `wanted` times with `phones` phones.
pub async fn run(phones: usize, wanted: u64, seed: u64) -> RolledBack {
    let scene = Scene::new();
    let mut server = Server::start(&scene.data());
    let address = server.address().to_owned();
    let pairs = scene.pairs();
    let mut dice = Dice::new(seed);
    let inspectors: Vec<&Value> = pairs.iter().map(|(_, inspector)| *inspector).collect();
    let by = (HastyClock::for_runs as fn() -> Parts, seed);
    let mut members = muster(&scene, &server.url, &inspectors, phones, by, 0).await;
    let mut backups: Vec<(u64, PathBuf, BTreeSet<CaseId>)> = vec![];
    let mut decided = BTreeSet::new();
    let mut result = RolledBack::default();
    for round in 0..wanted {
        for member in &mut members {
            for _ in 0..2 {
                if member.chance(400) {
                    let photo = member.chance(250);
                    member.report(photo);
                }
            }
            // Some are out of reach when the backup is made and when it is put back.
            if member.chance(800) {
                member.drain(4).await;
            }
        }
        decide(&server.url, pairs[0].0, &mut dice, &mut decided).await;
        let backup = scene.folder.path().join(format!("backup-{round}"));
        command(&scene, "backup", "--to", &backup);
        backups.push((round, backup, decided.clone()));
        if backups.len() > KEPT {
            let (_, path, _) = backups.remove(dice.below(KEPT as u64) as usize);
            std::fs::remove_dir_all(path).unwrap();
        }
        // Work after the backup: what the rollback takes away. A phone may bring 300 cases a day.
        for member in &mut members {
            if member.chance(400) {
                member.report(false);
            }
            member.drain(4).await;
        }
        assert_eq!(server.stop(), Some(0));
        let (made, backup, known) = dice.pick(&backups).clone();
        command(&scene, "restore", "--from", &backup);
        server = Server::start_on(&scene.data(), &address);
        result.rollbacks += 1;
        result.oldest = result.oldest.max(round - made);
        decided = known;
        let filed = ledger::count(&scene.data(), "SELECT COUNT(*) FROM case_event WHERE verb = 'file'");
        result.decisions_lost += (decided.len() as u64).abs_diff(filed);
        for member in &members {
            let contacts = member.drain(6).await;
            result.slow += u64::from(contacts.is_none_or(|contacts| contacts > 2));
        }
        let there = ledger::cases(&scene.data());
        result.missing += members.iter().flat_map(|member| member.saved.difference(&there)).count() as u64;
        remove_aside(&scene);
    }
    let saved: BTreeSet<_> = members.iter().flat_map(|member| member.saved.iter().copied()).collect();
    drop(members);
    assert_eq!(server.stop(), Some(0));
    let data = scene.data();
    RolledBack { tally: ledger::tally(&data, &saved), photos_missing: ledger::photos_missing(&data), ..result }
}

/// The office files a report or two.
async fn decide(url: &str, reviewer: &Value, dice: &mut Dice, decided: &mut BTreeSet<CaseId>) {
    let office = Api::sign_in(url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let waiting = office.get_json("/v1/cases?state=reported&limit=50").await;
    for case in waiting["items"].as_array().unwrap().iter().take(dice.below(3) as usize) {
        let id = case["id"].as_str().unwrap();
        let body = json!({"verb": "file", "expected_version": case["version"], "mode": "forwarded", "category": "xixia-2023:event:XX0201"});
        let answer = office.event(id, &format!("file-{id}-{}", dice.roll()), &body).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        decided.insert(id.parse().unwrap());
    }
}

fn command(scene: &Scene, what: &str, flag: &str, folder: &std::path::Path) {
    let data = scene.data();
    run_json("xunge-server", &[what, "--data", data.to_str().unwrap(), flag, folder.to_str().unwrap(), "--json"]);
}

/// Databases that were put aside; two hundred of them would fill a small disk.
fn remove_aside(scene: &Scene) {
    for entry in std::fs::read_dir(scene.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("xunge.db.before-")) {
            std::fs::remove_file(path).unwrap();
        }
    }
}
