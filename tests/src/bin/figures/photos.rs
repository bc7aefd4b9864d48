//! Photos and text over a weak link that breaks again and again, beside the same link unbroken in the same run.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use xunge_client_core::client::{Config, Phone, PhotoInput, PhotoSource, Place, ReportInput};
use xunge_client_core::model::{Mode, PhotoRole};
use xunge_tests::fleet::hard_to_compress;
use xunge_tests::link::{Link, Weather};
use xunge_tests::process::Server;
use xunge_tests::scene::Scene;

use super::figure::Figure;

/// Reports, each with a photo before and one after.
const REPORTS: u8 = 6;
/// Reports of the text lane: nearly what a phone may report in a day.
const TEXTS: usize = 290;
/// Runs after which a phone counts as stuck; each of them outlives several cuts.
const RUNS: u32 = 60;

/// What it took to get everything across.
struct Trip {
    up: f64,
    seconds: f64,
    cuts: u64,
    drained: bool,
}

pub(crate) async fn measure() -> Vec<Figure> {
    let calm = photos(Weather::WEAK).await;
    let torn = photos(Weather { cut_after: Some(Duration::from_secs(30)), ..Weather::WEAK }).await;
    let text = texts(Weather { cut_after: Some(Duration::from_secs(5)), ..Weather::WEAK }).await;
    let resent = (torn.up / calm.up - 1.0) * 100.0;
    vec![
        Figure::note("photos: uncut, bytes up / seconds", format!("{} / {:.0}", calm.up, calm.seconds)),
        Figure::note("photos: a cut every 30 s, bytes up / cuts", format!("{} / {}", torn.up, torn.cuts)),
        Figure::at_least("photos: a cut every 30 s, all finish", f64::from(u8::from(torn.drained)), 1.0, "")
            .beside("none of 6 in 420 s", "yes, 1.8 x the bytes"),
        Figure::at_most("photos: sent more than uncut, headers included", resent, 2.0, "%"),
        Figure::at_most("photos: time against uncut", torn.seconds / calm.seconds, 1.1, "x"),
        Figure::at_least("text: a cut every 5 s, finishes", f64::from(u8::from(text.drained)), 1.0, ""),
        Figure::note("text: 290 long reports, bytes up / seconds / cuts", {
            format!("{} / {:.0} / {}", text.up, text.seconds, text.cuts)
        }),
    ]
}

async fn photos(weather: Weather) -> Trip {
    let scene = Scene::new();
    let pictures: Vec<Vec<u8>> = (0..2 * REPORTS)
        .map(|number| std::fs::read(scene.photo(&format!("{number}.jpg"), number + 1, 1_600, 1_200)).unwrap())
        .collect();
    trip(&scene, weather, |phone| {
        for pair in pictures.chunks(2) {
            let photo = |role, bytes: &Vec<u8>| PhotoInput { role, source: PhotoSource::Bytes(bytes.clone()) };
            let photos = vec![photo(PhotoRole::Before, &pair[0]), photo(PhotoRole::After, &pair[1])];
            phone.report(&ReportInput { mode: Some(Mode::SelfHandled), photos, ..input(0) }).unwrap();
        }
    })
    .await
}

async fn texts(weather: Weather) -> Trip {
    trip(&Scene::new(), weather, |phone| {
        for number in 0..TEXTS {
            phone.report(&input(number)).unwrap();
        }
    })
    .await
}

/// A long report in words.
pub(super) fn input(number: usize) -> ReportInput {
    ReportInput {
        category: Some("暴露垃圾".to_owned()),
        text: Some(format!("第{number}处有暴露垃圾。{}", hard_to_compress(number as u64))),
        place: Some(Place::pin(106.10 + number as f64 * 1e-5, 38.50)),
        mode: Some(Mode::Forwarded),
        ..ReportInput::default()
    }
}

/// Enrols on a fine link, reports offline, then syncs in `weather` until nothing waits.
async fn trip(scene: &Scene, weather: Weather, report: impl FnOnce(&Phone)) -> Trip {
    let server = Server::start(&scene.data());
    let link = Link::open(server.address().parse().unwrap(), Weather::default()).await;
    let (_, inspector) = scene.pair();
    let folder = scene.folder.path().join("phone");
    let phone = Phone::open(Config::new(&folder)).unwrap();
    phone.enrol(&link.url(), inspector["enrol_code"].as_str().unwrap(), None).await.unwrap();
    phone.sync().await.unwrap();
    report(&phone);
    drop(phone);

    link.set(weather);
    let phone = Phone::open(Config::new(&folder)).unwrap();
    let (before, start) = (link.carried.up.load(Ordering::Relaxed), Instant::now());
    let mut drained = false;
    for _ in 0..RUNS {
        let report = phone.sync().await.unwrap();
        assert!(report.refused.is_empty(), "{:?}", report.refused.first());
        drained = report.drained;
        if drained {
            break;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let up = (link.carried.up.load(Ordering::Relaxed) - before) as f64;
    drop(phone);
    assert_eq!(server.stop(), Some(0));
    Trip { up, seconds, cuts: link.carried.cuts.load(Ordering::Relaxed), drained }
}
