//! SIGKILL of real phones and of the real server at random moments, again and again.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use xunge_client_core::model::CaseId;

use crate::ledger::{self, Tally};
use crate::process::{Phone, Server, case_id, json_of};
use crate::scene::Scene;
use crate::workload::Dice;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Killed {
    /// Kills of phones, while they reported or synced.
    pub phones: u64,
    /// Kills of the server.
    pub servers: u64,
    /// What was promised beside what is there.
    pub tally: Tally,
    /// Photos that never came.
    pub photos_missing: u64,
}

/// A process under test lives at most this long before it is killed, if it has not ended. A phone is through with a
/// report with a photo, or with a sync, in about half of it.
const PHONE_LIFE_MS: u64 = 150;
const SERVER_LIFE_MS: u64 = 250;

/// Kills until there were `wanted` kills, one in three of the server; then everything drains.
pub fn run(phones: usize, wanted: u64, seed: u64) -> Killed {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let address = server.address().to_owned();
    let users = scene.users("inspector");
    let members: Vec<Phone> =
        (0..phones).map(|number| scene.enrol(&server.url, users[number], &format!("phone-{number}"))).collect();
    let photos: Vec<_> = (0..8u8).map(|number| scene.photo(&format!("{number}.jpg"), number, 160, 120)).collect();
    let servers = wanted / 3;
    let (kills, saved) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    let (mut killed_servers, mut running) = (0, Some(server));
    std::thread::scope(|scope| {
        for (number, phone) in members.iter().enumerate() {
            let (kills, saved, photos) = (&kills, &saved, &photos);
            let mut dice = Dice::new(seed + 1 + number as u64);
            scope.spawn(move || {
                while kills.load(Ordering::Relaxed) < wanted - servers {
                    let photo = dice.chance(300).then(|| dice.pick(photos).as_path());
                    if let Some(id) = disturbed(phone, photo, &mut dice, kills) {
                        saved.lock().unwrap().insert(id);
                    }
                }
            });
        }
        let mut dice = Dice::new(seed);
        while kills.load(Ordering::Relaxed) < wanted - servers || killed_servers < servers {
            wait(Duration::from_millis(dice.below(SERVER_LIFE_MS)), || false);
            running.take().expect("it runs").kill();
            killed_servers += 1;
            running = Some(Server::start_on(&scene.data(), &address));
        }
    });
    let mut saved = saved.into_inner().unwrap();
    for phone in &members {
        phone.drain(20);
        // A report whose process was killed before it could say so may be saved all the same: the phone shows it.
        saved.extend(phone.cases());
    }
    assert_eq!(running.expect("it runs").stop(), Some(0));
    let data = scene.data();
    Killed {
        phones: kills.into_inner(),
        servers: killed_servers,
        tally: ledger::tally(&data, &saved),
        photos_missing: ledger::photos_missing(&data),
    }
}

/// One command of a phone that may be killed; the case it said was saved, if it did.
fn disturbed(phone: &Phone, photo: Option<&Path>, dice: &mut Dice, kills: &AtomicU64) -> Option<CaseId> {
    let reports = dice.chance(400);
    let text = format!("第{}处堆放杂物", dice.below(100_000));
    let mut args = vec![];
    if reports {
        args = vec!["--category", "暴露垃圾", "--lon", "106.10", "--lat", "38.50", "--forward", "--text", &text];
        args.extend(photo.iter().flat_map(|photo| ["--photo", photo.to_str().unwrap()]));
    }
    let mut child = phone.spawn(if reports { "report" } else { "sync" }, &args);
    let life = Duration::from_millis(dice.below(PHONE_LIFE_MS));
    wait(life, || child.try_wait().unwrap().is_some());
    kills.fetch_add(u64::from(kill(&mut child)), Ordering::Relaxed);
    let output = child.wait_with_output().unwrap();
    (reports && output.status.success()).then(|| case_id(&json_of(&output)))
}

/// Kills a process; true if it was alive until then.
fn kill(child: &mut Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().signal() == Some(9)
}

/// Waits until `done`, at most `limit`.
fn wait(limit: Duration, mut done: impl FnMut() -> bool) {
    let due = Instant::now() + limit;
    while Instant::now() < due && !done() {
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
