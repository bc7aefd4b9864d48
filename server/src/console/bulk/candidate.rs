//! Whether a case can be approved together with others, and how it is shown on the way.

use xunge_client_core::model::{CaseId, Millis, PhotoRole};
use xunge_client_core::workflow::{State, Verb};

use crate::console::choices;
use crate::console::fault::Fault;
use crate::console::flash::short;
use crate::console::lang::Lang;
use crate::console::visit::Visit;
use crate::console::words;
use crate::domain::cases::{self, CaseDetail};
use crate::domain::held::{self, Held};
use crate::domain::references;

/// One case on any of the three pages.
#[derive(Debug, Clone, Default)]
pub(crate) struct BulkRow {
    /// Id of the case.
    pub(crate) id: String,
    /// As the approving form sends it: id and version seen. Empty where there is nothing to approve.
    pub(crate) value: String,
    /// It is chosen.
    pub(crate) chosen: bool,
    /// Address of its page.
    pub(crate) href: String,
    /// Its number, or the end of its id.
    pub(crate) no: String,
    /// Name of its category.
    pub(crate) category: String,
    /// When it was received.
    pub(crate) line: String,
    /// What the reporter wrote.
    pub(crate) text: String,
    /// Address and words of the photos before and after.
    pub(crate) photos: Vec<(String, String)>,
    /// What is to be known before.
    pub(crate) notes: Vec<String>,
    /// What will happen, or happened.
    pub(crate) outcome: String,
    /// That is, or was, its approval.
    pub(crate) good: bool,
}

/// A case with what decides whether it can be approved.
pub(super) struct Candidate {
    pub(super) detail: CaseDetail,
    after_is_here: bool,
    held: Option<Held>,
}

/// The first `most` of these that could be approved now.
pub(super) async fn candidates(visit: &Visit, ids: &[CaseId], most: usize) -> Result<Vec<Candidate>, Fault> {
    let mut found = all_of(visit, ids, most).await?;
    found.retain(|it| it.obstacle(visit).is_none());
    Ok(found)
}

/// Reads cases; those that are not there or not to be seen are left out. Stops after `most` that could be approved.
pub(super) async fn all_of(visit: &Visit, ids: &[CaseId], most: usize) -> Result<Vec<Candidate>, Fault> {
    let (scope, viewer, ids) = (visit.scope.clone(), visit.viewer.clone(), ids.to_vec());
    let read = visit.app.services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move {
            let (mut found, mut good) = (Vec::new(), 0);
            for id in ids {
                let Some(detail) = cases::detail(tx, &scope, &viewer, id).await? else { continue };
                let after_is_here = references::after_photo_present(tx, id).await?;
                let held = held::of_case(tx, id).await?;
                good += usize::from(after_is_here && detail.offers.contains(&Verb::ApproveSelfHandled));
                found.push(Candidate { detail, after_is_here, held });
                if good == most {
                    break;
                }
            }
            Ok(found)
        })
    });
    read.await
}

impl Candidate {
    /// Why it can not be approved.
    pub(super) fn obstacle(&self, visit: &Visit) -> Option<String> {
        let (lang, item) = (visit.lang, &self.detail.item);
        if let Some(held) = &self.held {
            return Some(lang.fill("bulk.held", &[("who", &held.name)]));
        }
        if item.state != State::Reported.code() {
            return Some(lang.fill("bulk.moved", &[("state", &lang.word("state", &item.state))]));
        }
        if item.reporter == visit.viewer.user {
            return Some(lang.say("bulk.own").to_owned());
        }
        if !self.detail.offers.contains(&Verb::ApproveSelfHandled) {
            return Some(lang.say("review.claim_forwarded").to_owned());
        }
        (!self.after_is_here).then(|| lang.say("bulk.no_photo").to_owned())
    }

    /// What speaks against approving it unseen.
    pub(super) fn odd(&self, visit: &Visit) -> Vec<String> {
        let (lang, item) = (visit.lang, &self.detail.item);
        let mut notes: Vec<String> = item.flags.iter().map(|flag| lang.word("flag", flag)).collect();
        if !self.detail.conflicts.is_empty() {
            notes.push(lang.say("case.conflicts").to_owned());
        }
        if item.photos.present < item.photos.expected {
            notes.push(words::photos(lang, item.photos));
        }
        notes.extend(
            visit
                .desks
                .other(item.id, &visit.viewer.user, visit.now)
                .map(|it| lang.fill("review.colleague", &[("who", &it.name), ("n", &it.minutes_left.to_string())])),
        );
        notes
    }

    pub(super) fn category(&self, visit: &Visit) -> String {
        match self.detail.item.category.as_deref() {
            Some(key) => choices::name(&visit.directory, key),
            None => visit.lang.say("overview.no_category").to_owned(),
        }
    }

    pub(super) fn row(&self, visit: &Visit) -> BulkRow {
        let (lang, item, detail) = (visit.lang, &self.detail.item, &self.detail);
        let received = Millis(item.received_at);
        let no = item.case_no.clone().unwrap_or_else(|| short(item.id));
        let photo = |role: &PhotoRole| {
            let photo = detail.photo_list.iter().find(|it| it.role == role.code() && it.present)?;
            let alt = lang.fill("bulk.photo", &[("no", &no), ("role", &lang.word("photo_role", role.code()))]);
            Some((format!("/console/cases/{}/photos/{}", item.id, photo.sha256), alt))
        };
        BulkRow {
            id: item.id.to_string(),
            value: format!("{}.{}", item.id, item.version),
            href: format!("/cases/{}", item.id),
            category: self.category(visit),
            line: lang.fill("review.received", &[("at", &words::when(received, visit.now))]),
            text: detail.facts.description.clone(),
            photos: [PhotoRole::Before, PhotoRole::After].iter().filter_map(photo).collect(),
            notes: self.odd(visit),
            no,
            ..BulkRow::default()
        }
    }
}

/// A case that is not there, or not to be seen.
pub(super) fn missing(lang: Lang, id: CaseId) -> BulkRow {
    let outcome = lang.fill("bulk.not", &[("why", lang.say("bulk.gone"))]);
    BulkRow { id: id.to_string(), no: short(id), href: format!("/cases/{id}"), outcome, ..BulkRow::default() }
}
