//! The one long-lived object.

use std::path::Path;
use std::sync::Arc;

use xunge_client_core::client::{self, Config, DataRules, ListQuery, PhoneError, PhotoInput};
use xunge_client_core::model::CaseId;

use crate::fault::PhoneFault;
use crate::listeners::{Bridge, NewsListener, SubscriptionHandle};
use crate::records::{
    CaseCard, CaseLine, DataPlan, Figures, Link, Report, RescueSummary, SignedIn, SyncSummary, Waiting,
};

/// A phone. Open it once per process and keep it; every call may be made from any thread.
///
/// Saving needs no network: when `report` or `submit` returns, the report is in the phone's database, flushed to disk.
#[derive(Debug, uniffi::Object)]
pub struct Xunge {
    inner: client::Xunge,
}

fn case_id(text: &str) -> Result<CaseId, PhoneFault> {
    text.parse().map_err(|_| PhoneError::BadId(text.to_owned()).into())
}

#[uniffi::export]
impl Xunge {
    /// Opens the phone whose data lie in `folder`, a private folder of the app; makes it if it is not there.
    ///
    /// `key` is for builds that encrypt their database; this one refuses it.
    #[uniffi::constructor]
    pub fn open(folder: String, key: Option<Vec<u8>>) -> Result<Arc<Self>, PhoneFault> {
        let inner = client::Xunge::open(Config::new(folder), key.as_deref())?;
        Ok(Arc::new(Self { inner }))
    }

    /// Binds the phone to a server and a user with a one-time code. Needs the network.
    pub fn enrol(
        &self,
        server: String,
        code: String,
        spki_pin: Option<String>,
    ) -> Result<Option<SignedIn>, PhoneFault> {
        let pin = spki_pin
            .map(|pin| pin.parse())
            .transpose()
            .map_err(|error| PhoneError::Invalid { field: "spki_pin", why: format!("{error}") })?;
        Ok(self.inner.enrol(&server, &code, pin)?.user.map(SignedIn::from))
    }

    /// The signed-in user, if there is one.
    pub fn user(&self) -> Result<Option<SignedIn>, PhoneFault> {
        Ok(self.inner.identity()?.user.map(SignedIn::from))
    }

    /// Saves a draft. Drafts never leave the phone.
    pub fn draft(&self, report: Report) -> Result<CaseLine, PhoneFault> {
        Ok(self.inner.draft(&report.into())?.into())
    }

    /// Changes what is given, of a draft or of a case that is not filed yet.
    pub fn update(&self, id: String, report: Report) -> Result<CaseLine, PhoneFault> {
        Ok(self.inner.update(case_id(&id)?, &report.into())?.into())
    }

    /// Takes in the photo at `path`; `after` tells that it shows the scene after handling.
    pub fn attach_photo(&self, id: String, path: String, after: bool) -> Result<CaseLine, PhoneFault> {
        let photo = if after { PhotoInput::after(path) } else { PhotoInput::before(path) };
        Ok(self.inner.attach_photo(case_id(&id)?, photo)?.into())
    }

    /// Reports a draft: it is sent as soon as there is a network.
    pub fn submit(&self, id: String) -> Result<CaseLine, PhoneFault> {
        Ok(self.inner.submit(case_id(&id)?)?.into())
    }

    /// Draft and submit in one, one flush to disk.
    pub fn report(&self, report: Report) -> Result<CaseLine, PhoneFault> {
        Ok(self.inner.report(&report.into())?.into())
    }

    /// Adds a remark to a case, at any time of its life.
    pub fn remark(&self, id: String, text: String) -> Result<CaseLine, PhoneFault> {
        Ok(self.inner.remark(case_id(&id)?, &text)?.into())
    }

    /// Cases on this phone, newest first, at most `limit` (0 for 50).
    pub fn cases(&self, limit: u32) -> Result<Vec<CaseLine>, PhoneFault> {
        let (items, _) = self.inner.cases(&ListQuery { limit, ..ListQuery::default() })?;
        Ok(items.into_iter().map(CaseLine::from).collect())
    }

    /// Everything the phone knows of a case.
    pub fn case_card(&self, id: String) -> Result<CaseCard, PhoneFault> {
        Ok(self.inner.case(case_id(&id)?)?.into())
    }

    /// Marks what needed the inspector's eye as seen. A case out of view leaves the phone afterwards.
    pub fn seen(&self, id: String) -> Result<(), PhoneFault> {
        Ok(self.inner.seen(case_id(&id)?)?)
    }

    /// What waits for the signed-in user.
    pub fn tasks(&self) -> Result<Vec<CaseLine>, PhoneFault> {
        Ok(self.inner.tasks()?.into_iter().map(|task| task.case.into()).collect())
    }

    /// The user's own figures between two local days (`2023-11-01`), both included.
    pub fn my_figures(&self, from: String, to: String) -> Result<Figures, PhoneFault> {
        let day = |field, text: &str| {
            text.parse().map_err(|error| PhoneFault::from(PhoneError::Invalid { field, why: format!("{error}") }))
        };
        Ok(self.inner.my_counts(day("from", &from)?, day("to", &to)?)?.into())
    }

    /// What is only on this phone.
    pub fn waiting(&self) -> Result<Waiting, PhoneFault> {
        Ok((&self.inner.status()?).into())
    }

    /// Syncs until drained or no progress, and tells what it did. Being offline is not an error.
    pub fn sync_now(&self) -> Result<SyncSummary, PhoneFault> {
        Ok(self.inner.sync_now()?.into())
    }

    /// Seals what is only on this phone into files at `out` (`out`, `out.2`, …) that anybody may carry and only the
    /// server can open. Nothing leaves the queue.
    pub fn rescue(&self, out: String) -> Result<RescueSummary, PhoneFault> {
        Ok(self.inner.rescue(Path::new(&out))?.into())
    }

    /// Brings a rescue file, of this phone or another, to the server at `url`.
    pub fn carry(&self, url: String, file: String) -> Result<(), PhoneFault> {
        Ok(self.inner.carry(&url, None, Path::new(&file))?)
    }

    /// The system says what the link is now. Call it at start and whenever it changes; until then nothing is held back.
    pub fn set_link(&self, link: Link) -> Result<(), PhoneFault> {
        Ok(self.inner.set_link(link.into())?)
    }

    /// What photos may use of mobile data, and what this month has used.
    pub fn data_plan(&self) -> Result<DataPlan, PhoneFault> {
        Ok(self.inner.data_plan()?.into())
    }

    /// Changes what photos may use of mobile data; `monthly_bytes` none for no limit.
    pub fn set_data_rules(
        &self,
        photos_on_wifi_only: bool,
        previews_on_mobile: bool,
        monthly_bytes: Option<u64>,
    ) -> Result<(), PhoneFault> {
        Ok(self.inner.set_data_rules(&DataRules { photos_on_wifi_only, previews_on_mobile, monthly_bytes })?)
    }

    /// Starts syncing by itself.
    pub fn start_background_sync(&self) -> Result<(), PhoneFault> {
        Ok(self.inner.start_background()?)
    }

    /// Stops syncing by itself. What is in the air may be sent again later; nothing is lost.
    pub fn stop_background_sync(&self) {
        self.inner.stop_background();
    }

    /// Calls `listener` with news until the handle is released.
    pub fn subscribe(&self, listener: Arc<dyn NewsListener>) -> Arc<SubscriptionHandle> {
        SubscriptionHandle::new(self.inner.subscribe(Arc::new(Bridge(listener))))
    }

    /// Call before the system suspends the app: finishes what is being written, within a second.
    pub fn on_background(&self) -> Result<(), PhoneFault> {
        Ok(self.inner.on_background()?)
    }

    /// Call when the app is in front again, or the network is back.
    pub fn on_foreground(&self) {
        self.inner.on_foreground();
    }

    /// What the flight recorder holds: one file for whoever looks into a sync that went wrong, at most 64 KiB. Times,
    /// sizes, counts and codes of the last syncs; no words, places, names, ids or keys.
    pub fn trace(&self) -> Vec<u8> {
        self.inner.trace()
    }

    /// Forgets everything. Refused while something is only on this phone, drafts and what was refused included, unless
    /// `force`.
    pub fn wipe(&self, force: bool) -> Result<(), PhoneFault> {
        Ok(self.inner.wipe(force)?)
    }
}
