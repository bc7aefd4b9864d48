//! Phones of this process: real ones, many of them, whose waits cost no time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::runtime::Handle;
use xunge_client_core::client::{
    Clock, Config, Listener, Notice, Now, Parts, Phone, PhotoInput, PhotoSource, Place, ReportInput,
};
use xunge_client_core::driver::host::SystemClock;
use xunge_client_core::model::{CaseId, Mode, PhotoRole, Sha256};
use xunge_client_core::transport::Patience;

use crate::scene::Scene;
use crate::tap::Tap;
use crate::workload::Dice;

/// A clock that leaps with each look, so that a wait is over when it begins.
#[derive(Debug)]
pub struct HastyClock {
    true_clock: SystemClock,
    leap_ms: u64,
    leapt_ms: AtomicU64,
}

impl HastyClock {
    /// Leaps of 20 s: longer than a wait inside a run somebody waits for, and an upload token lives for 30 looks.
    pub fn for_runs() -> Parts {
        Self::parts(20_000)
    }

    /// Leaps of 80 s, longer than any back-off: for links that fail for ever.
    pub fn for_misery() -> Parts {
        Self::parts(80_000)
    }

    fn parts(leap_ms: u64) -> Parts {
        let clock = Self { true_clock: SystemClock::start(), leap_ms, leapt_ms: AtomicU64::new(0) };
        Parts { clock: Arc::new(clock), ..Parts::default() }
    }
}

impl Clock for HastyClock {
    fn now(&self) -> Now {
        let now = self.true_clock.now();
        Now { mono_ms: now.mono_ms + self.leapt_ms.fetch_add(self.leap_ms, Ordering::Relaxed), ..now }
    }
}

/// A true clock that leaps to the end of a wait as soon as the phone says that it waits: no wait costs time, and no
/// answer comes late by it.
#[derive(Debug)]
pub struct WaitlessClock {
    true_clock: SystemClock,
    leapt_ms: AtomicU64,
}

impl WaitlessClock {
    /// The clock; it has to hear what its phone tells.
    pub fn start() -> Arc<Self> {
        Arc::new(Self { true_clock: SystemClock::start(), leapt_ms: AtomicU64::new(0) })
    }
}

impl Clock for WaitlessClock {
    fn now(&self) -> Now {
        let now = self.true_clock.now();
        Now { mono_ms: now.mono_ms + self.leapt_ms.load(Ordering::Relaxed), ..now }
    }
}

impl Listener for WaitlessClock {
    fn on_notice(&self, notice: &Notice) {
        if let Notice::Waiting { until_ms } = notice {
            let wait = until_ms.saturating_sub(self.now().mono_ms);
            self.leapt_ms.fetch_add(wait, Ordering::Relaxed);
        }
    }
}

/// Phones that are opened and enrolled side by side; more would take the threads their databases need.
const SIDE_BY_SIDE: usize = 64;

/// Opens and enrols `count` phones of the given users, with `waiting` reports on each that the server does not have.
pub async fn muster(
    scene: &Scene,
    url: &str,
    users: &[&Value],
    count: usize,
    (parts, seed): (fn() -> Parts, u64),
    waiting: usize,
) -> Vec<Member> {
    let codes = scene.codes(users, count);
    let mut members = Vec::with_capacity(count);
    for (chunk, codes) in codes.chunks(SIDE_BY_SIDE).enumerate() {
        let lanes = codes.iter().enumerate().map(|(at, code)| {
            let number = chunk * SIDE_BY_SIDE + at;
            let folder = scene.folder.path().join(format!("phone-{number}"));
            let (url, code) = (url.to_owned(), code.clone());
            tokio::task::spawn_blocking(move || {
                let mut member = Member::open_on(&folder, parts(), Tap::default(), seed + number as u64);
                Handle::current().block_on(member.enrol(&url, &code));
                for _ in 0..waiting {
                    member.report(false);
                }
                member
            })
        });
        for lane in lanes.collect::<Vec<_>>() {
            members.push(lane.await.expect("a phone opens and enrols"));
        }
    }
    members
}

/// A phone that can be closed and opened again, and what it promised.
#[derive(Debug)]
pub struct Member {
    /// The phone.
    pub phone: Phone,
    /// Reports it showed as saved.
    pub saved: BTreeSet<CaseId>,
    /// What it sent and heard.
    pub tap: Tap,
    /// Its folder.
    pub folder: PathBuf,
    dice: Dice,
}

impl Member {
    /// Opens a phone in `folder`; `seed` decides what it reports.
    pub fn open_on(folder: &Path, parts: Parts, tap: Tap, seed: u64) -> Self {
        let parts = Parts { dialer: Some(tap.dialer(Patience::default())), ..parts };
        let phone = Phone::with_parts(Config::new(folder), parts).expect("a phone opens");
        Self { phone, saved: BTreeSet::new(), tap, folder: folder.to_owned(), dice: Dice::new(seed) }
    }

    /// Enrols, again and again if the answer gets lost.
    pub async fn enrol(&self, url: &str, code: &str) {
        for _ in 0..20 {
            if self.phone.enrol(url, code, None).await.is_ok() {
                return;
            }
        }
        panic!("{code} does not enrol at {url}");
    }

    /// Reports something, with a small photo if `photo`; it is among the saved from now on.
    pub fn report(&mut self, photo: bool) -> CaseId {
        let number = self.dice.roll();
        let photos = if photo { vec![picture(number)] } else { vec![] };
        let id = self.phone.report(&ReportInput { photos, ..words(number) }).expect("a report is saved").id;
        self.saved.insert(id);
        id
    }

    /// True so often in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.dice.chance(per_mille)
    }

    /// Syncs until nothing waits; answers in how many runs, or `None` if `most` were not enough.
    pub async fn drain(&self, most: u32) -> Option<u32> {
        for run in 1..=most {
            if self.phone.sync().await.is_ok_and(|report| report.drained) {
                return Some(run);
            }
        }
        None
    }
}

/// A forwarded report; `number` makes it unlike others.
///
/// Its place is in no grid: a report in one would be for every phone of that grid as well, thousands of them for each.
pub fn words(number: u64) -> ReportInput {
    ReportInput {
        category: Some("暴露垃圾".to_owned()),
        text: Some(format!("第{number}处堆放杂物,影响通行,请安排清理")),
        place: Some(Place::pin(100.00 + (number % 997) as f64 * 1e-5, 30.00)),
        mode: Some(Mode::Forwarded),
        ..ReportInput::default()
    }
}

/// Some hundred characters no compressor makes much smaller, so that a few hundred texts need several pages.
pub fn hard_to_compress(number: u64) -> String {
    (0u64..8).map(|part| Sha256::of(&[number.to_be_bytes(), part.to_be_bytes()].concat()).to_string()).collect()
}

/// A small photo unlike others.
pub fn picture(number: u64) -> PhotoInput {
    let mut jpeg = vec![];
    let pixels: Vec<u8> =
        (0u64..48 * 36 * 3).map(|at| (number.rotate_left((at % 61) as u32) ^ (at / 144)) as u8 & 0x7f).collect();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    encoder.encode(&pixels, 48, 36, jpeg_encoder::ColorType::Rgb).expect("a picture is encoded");
    PhotoInput { role: PhotoRole::Before, source: PhotoSource::Bytes(jpeg) }
}
