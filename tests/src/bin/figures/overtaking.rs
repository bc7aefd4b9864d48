//! A report saved while two photos are on their way over the weak link: when its text is confirmed, beside the same on
//! the link at rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use xunge_client_core::client::{Config, Notice, Phone, PhotoInput, PhotoSource, ReportInput};
use xunge_client_core::model::{CaseId, PhotoRole};
use xunge_tests::link::{Link, Weather};
use xunge_tests::process::Server;
use xunge_tests::scene::Scene;

use super::Tier;
use super::figure::Figure;
use super::photos::input;

/// Bytes of photos that have gone before the first text: both are on their way then, and no preview is any more.
const UNDER_WAY: u64 = 40_000;
/// After which nothing comes any more.
const PATIENCE: Duration = Duration::from_secs(300);

/// A phone in the background, what it tells, and what went of it.
struct Patrol<'p> {
    phone: &'p Phone,
    link: &'p Link,
    heard: UnboundedReceiver<Notice>,
    photos_sent: u32,
}

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let tries = tier.pick(1, 3, 10) as usize;
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let link = Link::open(server.address().parse().unwrap(), Weather::default()).await;
    let (_, inspector) = scene.pair();
    let phone = Phone::open(Config::new(scene.folder.path().join("phone"))).unwrap();
    phone.enrol(&link.url(), inspector["enrol_code"].as_str().unwrap(), None).await.unwrap();
    phone.sync().await.unwrap();
    link.renew(Weather::WEAK);
    let (tell, heard) = unbounded_channel();
    let _subscription = phone.subscribe(Arc::new(move |notice: &Notice| drop(tell.send(notice.clone()))));
    phone.start_background().unwrap();
    let mut patrol = Patrol { phone: &phone, link: &link, heard, photos_sent: 0 };

    let mut idle = vec![];
    for number in 0..tries {
        idle.push(patrol.text(number).await);
    }
    let (mut busy, mut waited) = (vec![], 0);
    for number in 0..tries {
        let pictures = [1, 2].map(|half| {
            let seed = number as u8 * 2 + half;
            let file = scene.photo(&format!("{seed}.jpg"), seed, 1_600, 1_200);
            let source = PhotoSource::Path(file.to_str().unwrap().to_owned());
            PhotoInput { role: PhotoRole::Before, source }
        });
        patrol.photos(pictures.into(), 1_000 + number).await;
        let before = patrol.photos_sent;
        busy.push(patrol.text(2_000 + number).await);
        waited += u64::from(patrol.photos_sent > before);
        patrol.drained().await;
    }
    phone.stop_background();
    assert_eq!(server.stop(), Some(0));
    let (idle, busy) = (median(idle), median(busy));
    vec![
        Figure::promise("text: reports that waited for the end of a photo", tries as u64, tries as u64, waited),
        Figure::note("text: seconds until confirmed, idle link / two photos going", format!("{idle:.2} / {busy:.2}")),
        Figure::note("text: beside two photos against the idle link", format!("{:.2} x", busy / idle)),
    ]
}

impl Patrol<'_> {
    /// Saves a report in words; the seconds until the phone shows it as being on the server.
    async fn text(&mut self, number: usize) -> f64 {
        let began = Instant::now();
        let case = self.phone.report(&input(number)).unwrap().id;
        self.until(|patrol, notice| patrol.changes(notice, case) && patrol.is_on_server(case)).await;
        began.elapsed().as_secs_f64()
    }

    /// Saves a report with photos; comes back when its text is confirmed and the photos are on their way.
    async fn photos(&mut self, photos: Vec<PhotoInput>, number: usize) {
        let report = ReportInput { photos, ..input(number) };
        let case = self.phone.report(&report).unwrap().id;
        self.until(|patrol, notice| patrol.changes(notice, case) && patrol.is_on_server(case)).await;
        let goal = self.carried() + UNDER_WAY;
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        let deadline = Instant::now() + PATIENCE;
        while self.carried() < goal {
            assert!(Instant::now() < deadline, "the photos do not move");
            looks.tick().await;
        }
    }

    async fn drained(&mut self) {
        let waits = |phone: &Phone| phone.unsent().is_ok_and(|unsent| unsent.cases + unsent.photos > 0);
        if waits(self.phone) {
            self.until(|patrol, _| !waits(patrol.phone)).await;
        }
    }

    /// Listens until what is told is it.
    async fn until(&mut self, is_it: impl Fn(&Self, &Notice) -> bool) {
        loop {
            let notice = timeout(PATIENCE, self.heard.recv()).await.expect("news in time").expect("the phone lives");
            self.photos_sent += u32::from(matches!(notice, Notice::PhotoSent(_)));
            if is_it(self, &notice) {
                return;
            }
        }
    }

    fn changes(&self, notice: &Notice, case: CaseId) -> bool {
        matches!(notice, Notice::CasesChanged(cases) if cases.contains(&case))
    }

    fn is_on_server(&self, case: CaseId) -> bool {
        self.phone.status().unwrap().items.iter().any(|item| item.id == case && item.on_server)
    }

    fn carried(&self) -> u64 {
        self.link.carried.up.load(Ordering::Relaxed)
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
