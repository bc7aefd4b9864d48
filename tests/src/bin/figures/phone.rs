//! What a phone's own work costs: flushes and processor time of saving a report, the first page of many cases.
//!
//! The lower bound comes from the same run: the same facts as one JSON row in a bare SQLite file with the phone's
//! settings, one transaction each. The phone is offline: the server only enrols it.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use xunge_client_core::client::{Config, ListQuery, Phone, PhotoInput, PhotoSource, ReportInput};
use xunge_client_core::model::PhotoRole;
use xunge_client_core::photo::synthetic::{Moment, jpeg};
use xunge_tests::cpu;
use xunge_tests::fault::{Watched, fast_folder};
use xunge_tests::process::Server;
use xunge_tests::scene::Scene;

use super::figure::{Figure, grouped};
use super::photos::input;
use super::{Tier, intake};

/// Reports of each kind whose flushes are counted.
const COUNTED: usize = 100;
/// Reports whose processor time is taken together: one alone is too short for a clock.
const TIMED: usize = 200;
/// Looks at the first page.
const LOOKS: u32 = 200;

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (watched, fast) = (Watched::new(), fast_folder());
    let counted = joined(&scene, &server.url, &watched.folder().join("phone")).await;
    let timed = joined(&scene, &server.url, &scene.folder.path().join("phone")).await;
    let full = fast.path().join("phone");
    drop(joined(&scene, &server.url, &full).await);
    assert_eq!(server.stop(), Some(0));
    tokio::task::block_in_place(|| {
        let mut figures = flushes(&watched, &counted);
        figures.extend(saving(&timed, scene.folder.path()));
        figures.extend(listing(&full, tier.pick(1_000, 10_000, 10_000) as usize));
        figures.extend(intake::measure(tier.pick(2, 5, 10) as u32));
        figures
    })
}

/// A phone that has joined and runs nothing in the background.
async fn joined(scene: &Scene, url: &str, folder: &Path) -> Phone {
    let phone = Phone::open(Config::new(folder)).unwrap();
    phone.enrol(url, &scene.code(scene.pair().1), None).await.unwrap();
    phone.sync().await.unwrap();
    drop(phone);
    Phone::open(Config::new(folder)).unwrap()
}

fn flushes(watched: &Watched, phone: &Phone) -> Vec<Figure> {
    let save = |number: usize, photos: usize| {
        // Each photo is another one: the same bytes would be one file.
        let photo = |of: usize| {
            let bytes = jpeg((number * 10 + of) as u64, Moment::Before, 320, 240);
            PhotoInput { role: PhotoRole::Before, source: PhotoSource::Bytes(bytes) }
        };
        let report = ReportInput { photos: (0..photos).map(photo).collect(), ..input(number) };
        watched.flushes(|| phone.report(&report).unwrap()).0
    };
    // The folder of the photos is made by the first of them.
    save(0, 1);
    let kinds = [0, 1, 2].map(|photos| {
        let counts: Vec<u64> = (1..=COUNTED).map(|number| save(number, photos)).collect();
        (photos, counts)
    });
    let bare = Bare::open(&watched.folder().join("bare.db"));
    let (bare, ()) = watched.flushes(|| (0..COUNTED).for_each(|number| bare.save(number, "{}")));
    let all: u64 = kinds[0].1.iter().sum();
    let mut figures: Vec<Figure> = kinds
        .into_iter()
        .map(|(photos, counts)| {
            let with = ["in words", "with a photo", "with two photos"][photos];
            Figure::at_most(
                format!("phone: flushes of a report {with}, usually"),
                usual(counts) as f64,
                1.0 + 2.0 * photos as f64,
                "",
            )
        })
        .collect();
    // Now and then SQLite moves its log into the file.
    let name = format!("phone: flushes of {COUNTED} reports in words / {COUNTED} bare rows");
    figures.push(Figure::note(name, format!("{all} / {bare}")));
    figures
}

/// The median.
fn usual(mut counts: Vec<u64>) -> u64 {
    counts.sort_unstable();
    counts[counts.len() / 2]
}

fn saving(phone: &Phone, folder: &Path) -> Vec<Figure> {
    let save = |number| phone.report(&input(number)).unwrap().id;
    (0..20).for_each(|number| _ = save(number));
    let (ours, cases) = taken(|| (0..TIMED).map(|number| save(20 + number)).collect::<Vec<_>>());
    let rows: Vec<String> =
        cases.iter().map(|case| serde_json::to_string(&phone.case(*case).unwrap().facts).unwrap()).collect();
    let bare = Bare::open(&folder.join("bare.db"));
    let (least, ()) = taken(|| rows.iter().enumerate().for_each(|(number, row)| bare.save(number, row)));
    let each = |all: Duration| all.as_secs_f64() * 1_000.0 / TIMED as f64;
    vec![
        Figure::at_most("phone: CPU of saving a report in words", each(ours), 3.0, "ms"),
        Figure::note("phone: CPU of the same as a bare row / ours against it", {
            format!("{:.3} ms / {:.1} x", each(least), each(ours) / each(least))
        }),
    ]
}

fn listing(folder: &Path, cases: usize) -> Vec<Figure> {
    let phone = Phone::open(Config::new(folder)).unwrap();
    (0..cases).for_each(|number| drop(phone.report(&input(number)).unwrap()));
    drop(phone);
    let cold = Instant::now();
    let phone = Phone::open(Config::new(folder)).unwrap();
    let (page, next) = phone.cases(&ListQuery::default()).unwrap();
    let cold = cold.elapsed();
    assert!(page.len() == 50 && next.is_some(), "a page of {}", page.len());
    let (ours, ()) = taken(|| (0..LOOKS).for_each(|_| drop(phone.cases(&ListQuery::default()).unwrap())));

    let rows: Vec<String> =
        page.iter().map(|case| serde_json::to_string(&phone.case(case.id).unwrap().facts).unwrap()).collect();
    let bare = Bare::open(&folder.join("bare.db"));
    bare.fill(cases, &rows);
    let (least, ()) = taken(|| (0..LOOKS).for_each(|_| assert_eq!(bare.page(), 50)));
    let each = |all: Duration| all.as_secs_f64() * 1_000.0 / f64::from(LOOKS);
    let many = grouped(cases as u64);
    vec![
        Figure::at_most(format!("phone: first page of {many} cases, CPU"), each(ours), 10.0, "ms"),
        Figure::note("phone: CPU of 50 bare rows, parsed / ours against it", {
            format!("{:.3} ms / {:.1} x", each(least), each(ours) / each(least))
        }),
        Figure::note(format!("phone: opened with {many} cases and the first page shown"), {
            format!("{:.1} ms", cold.as_secs_f64() * 1_000.0)
        }),
    ]
}

/// What this thread was on a processor for.
fn taken<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = cpu::of_thread();
    let answer = work();
    (cpu::of_thread() - before, answer)
}

/// The least that keeps a report: a row of JSON in a file with the phone's settings.
struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection.pragma_update(None, "secure_delete", "FAST").unwrap();
        connection.execute_batch("CREATE TABLE report (number INTEGER PRIMARY KEY, facts TEXT NOT NULL)").unwrap();
        Self(connection)
    }

    /// One row in one transaction.
    fn save(&self, number: usize, facts: &str) {
        let mut insert = self.0.prepare_cached("INSERT INTO report (number, facts) VALUES (?1, ?2)").unwrap();
        insert.execute((number as i64, facts)).unwrap();
    }

    fn fill(&self, count: usize, rows: &[String]) {
        self.0.execute_batch("BEGIN").unwrap();
        (0..count).for_each(|number| self.save(number, &rows[number % rows.len()]));
        self.0.execute_batch("COMMIT").unwrap();
    }

    /// How many reports the newest page has, each read and parsed.
    fn page(&self) -> usize {
        let mut select = self.0.prepare_cached("SELECT facts FROM report ORDER BY number DESC LIMIT 50").unwrap();
        let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.filter(|row| serde_json::from_str::<serde_json::Value>(row.as_ref().unwrap()).is_ok()).count()
    }
}
