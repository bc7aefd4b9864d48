//! New cases and updates per CPU-second of the server process, through the real endpoint with the gate, durable;
//! beside what Automerge alone and SQLite alone take for the same cases in the same run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use xunge_client_core::doc::{FieldDoc, first_change};
use xunge_client_core::model::ActorId;
use xunge_tests::cpu;
use xunge_tests::process::Server;
use xunge_tests::pusher::{self, Push, Pusher};
use xunge_tests::rush;
use xunge_tests::scene::Scene;
use xunge_tests::workload::{self, Reported};

use super::Tier;
use super::bare_rows::Kept;
use super::figure::Figure;

/// Devices that push at once.
const DEVICES: usize = 30;
/// Pushes per device; with [`CASES`] a push this stays below a device's daily quota of 300.
const PUSHES: usize = 5;
const CASES: usize = 50;
/// Reports that wait on each phone of the rush.
const WAITING: usize = 5;

struct Lane {
    device: Arc<Pusher>,
    new: Vec<Push>,
    updates: Vec<Push>,
}

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let mut figures = throughput().await;
    figures.extend(reconnect(tier).await);
    figures
}

/// Phones with five waiting reports each that come back in the same moment.
async fn reconnect(tier: Tier) -> Vec<Figure> {
    let phones = tier.pick(100, 300, 1_000);
    let rush = rush::run(phones as usize, WAITING).await;
    let reports = phones * WAITING as u64;
    let odd: u64 =
        rush.answers.iter().filter(|(status, _)| ![200, 204, 429, 503].contains(*status)).map(|(_, n)| n).sum();
    let asked: u64 = rush.answers.values().sum();
    let [half, most, longest] = rush.took.map(|took| took.as_millis());
    let answers: Vec<String> = rush.answers.iter().map(|(status, n)| format!("{n} x {status}")).collect();
    vec![
        Figure::promise("rush: phones not drained", phones, phones, rush.undrained),
        Figure::promise(
            "rush: reports lost, doubled or miscounted",
            rush.tally.saved,
            reports,
            rush.tally.lost + rush.tally.wrong,
        ),
        Figure::promise("rush: answers other than 200, 429 and 503", asked, phones, odd),
        Figure::note("rush: answers", answers.join(", ")),
        Figure::note("rush: answers to syncs, p50 / p99 / longest", format!("{half} / {most} / {longest} ms")),
        Figure::note(
            "rush: all drained after, wall / server CPU",
            format!("{:.1} / {:.1} s", rush.all.as_secs_f64(), rush.server_cpu_s),
        ),
        Figure::note("rush: server's peak memory", format!("{} MiB", rush.server_peak_bytes >> 20)),
    ]
}

async fn throughput() -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let mut lanes = vec![];
    for (index, user) in scene.users("inspector").into_iter().take(DEVICES).enumerate() {
        lanes.push(prepare(&server.url, user["enrol_code"].as_str().unwrap(), index as u64).await);
    }
    let total = (lanes.len() * PUSHES * CASES) as f64;
    let (mut new, mut updates) = (vec![], vec![]);
    for lane in lanes {
        new.push((lane.device.clone(), lane.new));
        updates.push((lane.device, lane.updates));
    }
    let database = scene.data().join("xunge.db");
    let (new_cpu, new_wall) = timed(&server, new).await;
    let first = Kept::read(&database);
    let (update_cpu, update_wall) = timed(&server, updates).await;
    let later = Kept::read(&database);
    assert_eq!(server.stop(), Some(0));
    let (bare_new, bare_updates) = bare();
    let per = |spent: Duration| total / spent.as_secs_f64();
    let (rows_new, rows_updates) = (per(first.written(CASES)), per(first.updated(&later, CASES)));
    vec![
        Figure::at_least("server: new cases (1 change) per CPU-second", total / new_cpu, 2_500.0, "/s"),
        Figure::at_least("server: updates (3 changes) per CPU-second", total / update_cpu, 1_200.0, "/s"),
        Figure::note(
            "server: the same per wall second",
            format!("{:.0} / {:.0}", total / new_wall, total / update_wall),
        ),
        Figure::note(
            "bare automerge, same run: new / 3-change merges per CPU-second",
            format!("{bare_new:.0} / {bare_updates:.0}"),
        ),
        Figure::note(
            "server against bare automerge",
            format!("{:.2} / {:.2} x", total / new_cpu / bare_new, total / update_cpu / bare_updates),
        ),
        Figure::note(
            "bare SQLite, same rows: new / updated cases per CPU-second",
            format!("{rows_new:.0} / {rows_updates:.0}"),
        ),
        Figure::note(
            "server against bare SQLite",
            format!("{:.2} / {:.2} x", total / new_cpu / rows_new, total / update_cpu / rows_updates),
        ),
    ]
}

async fn prepare(url: &str, code: &str, seed: u64) -> Lane {
    let device = Pusher::enrol(url, code, seed).await;
    device.begin().await;
    let cases = workload::cases(seed + 100, PUSHES * CASES);
    let (mut new, mut docs) = (vec![], vec![]);
    for chunk in cases.chunks(CASES) {
        let (push, made) = device.new_cases(chunk);
        new.push(push);
        docs.push(made);
    }
    let updates = cases.chunks(CASES).zip(&mut docs).map(|(chunk, docs)| device.updates(chunk, docs)).collect();
    Lane { device: Arc::new(device), new, updates }
}

async fn timed(server: &Server, lanes: Vec<(Arc<Pusher>, Vec<Push>)>) -> (f64, f64) {
    let (cpu, wall) = (server.cpu_seconds(), Instant::now());
    pusher::storm(lanes).await;
    (server.cpu_seconds() - cpu, wall.elapsed().as_secs_f64())
}

/// A case as automerge alone is given it: its first change, its snapshot, its three updates.
type Bare = (Vec<Vec<u8>>, Vec<u8>, Vec<Vec<u8>>);

/// What automerge alone takes for the same cases: load, apply, save, without gate, database or network.
fn bare() -> (f64, f64) {
    let actor = ActorId::from_bytes([3; 8]);
    let cases: Vec<Reported> = workload::cases(7, 1_000);
    let mut made: Vec<(FieldDoc, FieldDoc)> = cases
        .iter()
        .map(|case| {
            let first = first_change(actor, &case.states[0]).unwrap();
            let mut last = FieldDoc::load(&first.save()).unwrap();
            for step in case.states.windows(2) {
                last.edit(actor, &xunge_client_core::doc::Edit::between(&step[0], &step[1])).unwrap();
            }
            (first, last)
        })
        .collect();
    let chunks: Vec<Bare> =
        made.iter_mut().map(|(first, last)| (bodies(first, &[]), first.save(), bodies(last, &first.heads()))).collect();
    let start = cpu::seconds(None);
    for (new, _, _) in &chunks {
        merge(automerge::AutoCommit::new(), new);
    }
    let middle = cpu::seconds(None);
    for (_, snapshot, updates) in &chunks {
        merge(automerge::AutoCommit::load(snapshot).unwrap(), updates);
    }
    let end = cpu::seconds(None);
    let per = |seconds: f64| cases.len() as f64 / seconds.max(0.01);
    (per(middle - start), per(end - middle))
}

fn bodies(doc: &FieldDoc, have: &[xunge_client_core::model::ChangeHash]) -> Vec<Vec<u8>> {
    doc.change_bodies_since(have).into_iter().map(|(_, body)| xunge_client_core::doc::chunk::from_body(&body)).collect()
}

fn merge(mut doc: automerge::AutoCommit, chunks: &[Vec<u8>]) {
    let changes = chunks.iter().map(|chunk| automerge::Change::from_bytes(chunk.clone()).unwrap()).collect::<Vec<_>>();
    doc.apply_changes(changes).unwrap();
    assert!(!doc.save().is_empty());
}
