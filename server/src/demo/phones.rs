//! The phones: each a whole client-core phone with its own folder, key, clock and breaking link.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use xunge_client_core::client::{
    Clock, Config, Notice, Now, Parts, Phone, PhoneError, PhotoInput, PhotoSource, Place, ReportInput, Subscription,
    SyncReport,
};
use xunge_client_core::driver::dial::AnyTransport;
use xunge_client_core::model::{CaseId, CoordSys, LocationSource, Millis, PhotoRole};
use xunge_client_core::transport::{HttpTransport, Patience, tcp};
use xunge_client_core::workflow::{Payload, Verb};

use super::link::{Breaks, Link};
use super::picture;
use super::plan::CasePlan;
use super::trouble::DemoError;

/// How often a run is begun anew before a phone counts as stuck. A run itself outlives several cuts.
const RUNS: u32 = 30;

/// One inspector's phone.
pub(super) struct DemoPhone {
    user: String,
    phone: Arc<Phone>,
    clock: Arc<PlanClock>,
    breaks: Arc<Breaks>,
    /// One for enrolment, one for everything after it.
    transports: Arc<Mutex<Vec<Arc<dyn AnyTransport>>>>,
    photos: AtomicU64,
    _listener: Subscription,
}

/// The wall clock stands where the plan puts it; the monotonic one is real.
struct PlanClock {
    wall: AtomicI64,
    began: Instant,
}

impl Clock for PlanClock {
    fn now(&self) -> Now {
        let wall = Millis(self.wall.load(Ordering::Relaxed));
        Now { wall, mono_ms: self.began.elapsed().as_millis() as u64 }
    }
}

impl DemoPhone {
    /// Opens a new phone in `folder`; `number` names the breaks of its link.
    #[allow(clippy::disallowed_methods, reason = "back-off and timeouts of a phone run in real time")]
    pub(super) fn open(folder: &Path, user: &str, seed: u64, number: usize) -> Result<Self, DemoError> {
        let clock = Arc::new(PlanClock { wall: AtomicI64::new(0), began: Instant::now() });
        let breaks = Breaks::new(seed, number);
        let transports: Arc<Mutex<Vec<Arc<dyn AnyTransport>>>> = Arc::default();
        let (opened, its_breaks) = (transports.clone(), breaks.clone());
        let parts = Parts {
            clock: clock.clone(),
            dialer: Some(Arc::new(move |url, pin| {
                let patience = Patience::default();
                let link = Link::new(tcp(patience), its_breaks.clone());
                let transport: Arc<dyn AnyTransport> = Arc::new(HttpTransport::new(url, link, pin, patience)?);
                opened.lock().unwrap_or_else(PoisonError::into_inner).push(transport.clone());
                Ok(transport)
            })),
            ..Parts::default()
        };
        let phone = Phone::with_parts(Config::new(folder), parts).map_err(|error| trouble(user, &error))?;
        let phone = Arc::new(phone);
        let listener = phone.subscribe(Arc::new(comes_back(Arc::downgrade(&phone), breaks.clone())));
        let photos = AtomicU64::new(0);
        Ok(Self { user: user.to_owned(), phone, clock, breaks, transports, photos, _listener: listener })
    }

    /// Binds the phone to its inspector; the link may break here too, so it is tried again.
    ///
    /// All phones of the demo share one address, whose tries are limited: who is asked to wait, waits.
    pub(super) async fn enrol(&self, url: &str, code: &str, at: Millis) -> Result<(), DemoError> {
        self.clock.wall.store(at.0, Ordering::Relaxed);
        let mut tried = 0;
        loop {
            match self.phone.enrol(url, code, None).await {
                Ok(_) => return Ok(()),
                Err(PhoneError::Network(_)) if tried < RUNS => {}
                Err(PhoneError::Server { retry_after_ms: Some(wait), .. }) if tried < RUNS => {
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                Err(error) => return Err(trouble(&self.user, &error)),
            }
            tried += 1;
        }
    }

    /// Reports a case, offline: saved on the phone when it returns. Blocks.
    pub(super) fn report(&self, case: &CasePlan) -> Result<CaseId, DemoError> {
        let saved_at = case.handled_at.unwrap_or(case.discovered_at).plus_ms(45_000);
        self.clock.wall.store(saved_at.0, Ordering::Relaxed);
        let photos = case.photos.iter().enumerate().map(|(nth, photo)| PhotoInput {
            role: photo.role,
            source: PhotoSource::Bytes(picture::of_report(case, nth)),
        });
        let (lon, lat) = case.point.degrees();
        let place = Place {
            accuracy_m: Some(case.accuracy_m),
            fix_age_s: Some(0),
            source: LocationSource::Gps,
            system: CoordSys::Wgs84,
            ..Place::pin(lon, lat)
        };
        let input = ReportInput {
            category: Some(case.category_claim.to_string()),
            text: Some(case.description.clone()),
            place: Some(place),
            location_text: Some(case.location_text.clone()),
            mode: Some(case.mode_claim),
            handle_note: case.handle_note.clone(),
            discovered_at: Some(case.discovered_at),
            handled_at: case.handled_at,
            photos: photos.collect(),
        };
        let saved = self.phone.report(&input).map_err(|error| trouble(&self.user, &error))?;
        Ok(saved.id)
    }

    /// Answers a recheck task with a photo of the scene. Blocks.
    pub(super) fn reply(&self, case: CaseId, payload: Payload, photo: u64, at: Millis) -> Result<(), DemoError> {
        self.clock.wall.store(at.0, Ordering::Relaxed);
        let source = PhotoSource::Bytes(picture::of_scene(photo, at));
        let photo = PhotoInput { role: PhotoRole::Check, source };
        let asked = self.phone.request(case, Verb::CheckReply, payload, &[photo]);
        asked.map(drop).map_err(|error| trouble(&self.user, &error))
    }

    /// Syncs until nothing waits on the phone, however often the link breaks.
    pub(super) async fn sync(&self, at: Millis) -> Result<(), DemoError> {
        self.clock.wall.store(at.0, Ordering::Relaxed);
        let mut last = None;
        for _ in 0..RUNS {
            let report = self.phone.sync().await.map_err(|error| trouble(&self.user, &error))?;
            self.photos.fetch_add(report.photos_sent.into(), Ordering::Relaxed);
            if let Some(refused) = report.refused.first() {
                let why = format!("case {} was refused: {} {:?}", refused.case, refused.code, refused.field);
                return Err(DemoError::Phone { user: self.user.clone(), why });
            }
            if report.drained {
                return Ok(());
            }
            last = Some(report);
        }
        Err(DemoError::Phone { user: self.user.clone(), why: stuck(last.as_ref()) })
    }

    /// Connections of this phone that broke.
    pub(super) fn cuts(&self) -> u64 {
        self.breaks.cuts()
    }

    /// Photos the server confirmed.
    pub(super) fn photos(&self) -> u64 {
        self.photos.load(Ordering::Relaxed)
    }

    /// Bytes this phone sent, headers and repeats included.
    pub(super) fn bytes_up(&self) -> u64 {
        let transports = self.transports.lock().unwrap_or_else(PoisonError::into_inner);
        transports.iter().map(|transport| transport.traffic().up).sum()
    }
}

/// Tells a phone that waits after a cut that the network is back: on loopback it is.
///
/// Only after a cut: where the server asked to wait, the phone waits.
fn comes_back(phone: Weak<Phone>, breaks: Arc<Breaks>) -> impl Fn(&Notice) + Send + Sync {
    let known = AtomicU64::new(0);
    move |notice| {
        if let Notice::Waiting { .. } = notice {
            let cuts = breaks.cuts();
            if known.swap(cuts, Ordering::Relaxed) != cuts
                && let Some(phone) = phone.upgrade()
            {
                phone.on_foreground();
            }
        }
    }
}

fn trouble(user: &str, error: &PhoneError) -> DemoError {
    DemoError::Phone { user: user.to_owned(), why: error.en() }
}

fn stuck(last: Option<&SyncReport>) -> String {
    last.map_or_else(String::new, |report| {
        format!("{} cases and {} photos stay on it: {:?}", report.cases_waiting, report.photos_waiting, report.stop)
    })
}
