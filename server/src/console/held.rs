//! The bar of one's own voids that may still be taken back, and the form that does it.
//!
//! The bar stands on the review and case pages and works without script. With script it counts down, is announced
//! politely, goes away when nothing can be taken back any more, and has a key.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::header;
use axum::response::Response;
use xunge_client_core::model::CaseId;

use super::choices;
use super::fault::Fault;
use super::flash::{Flash, short};
use super::lang::Lang;
use super::link;
use super::page::{Notice, Page, go};
use super::sent::SentForm;
use super::visit::Visit;
use super::words;
use crate::domain::held::{self, HOLD_MS, Held};

/// A void of one's own that may be taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeldRow {
    /// What was voided.
    pub(crate) words: String,
    /// Address of the case.
    pub(crate) href: String,
    /// Where the form goes.
    pub(crate) action: String,
    /// Where to go on: the page the bar stands on.
    pub(crate) back: String,
    /// Seconds that are left.
    pub(crate) seconds: i64,
}

/// What a page has to know of held voids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    /// All of them, by case.
    pub(crate) cases: BTreeMap<CaseId, Held>,
    told: Vec<Notice>,
}

/// Reads what waits. What came to nothing is told by the page that asks here, and then forgotten.
pub(crate) async fn waiting(visit: &Visit) -> Result<Waiting, Fault> {
    let (user, services) = (visit.viewer.user.clone(), &visit.app.services);
    let read = services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move { Ok((held::all(tx).await?, held::to_tell(tx, &user).await?)) })
    });
    let (all, dropped) = read.await?;
    let told = dropped.iter().map(|case| told(visit.lang, *case)).collect();
    if !dropped.is_empty() {
        held::told(services, &visit.viewer.user, dropped).await?;
    }
    Ok(Waiting { cases: all.into_iter().map(|held| (held.case, held)).collect(), told })
}

fn told(lang: Lang, case: CaseId) -> Notice {
    Notice {
        tone: "bad",
        text: lang.fill("held.dropped", &[("case", &short(case))]),
        way: lang.say("held.dropped_way").to_owned(),
        link: Some((format!("/cases/{case}"), lang.say("stale.to_case").to_owned())),
    }
}

impl Waiting {
    /// How many are this person's.
    pub(crate) fn own(&self, user: &str) -> i64 {
        self.cases.values().filter(|held| held.user == user).count() as i64
    }

    /// The page with the bar.
    pub(crate) fn on(&self, visit: &Visit, page: Page) -> Page {
        let own = self.cases.values().filter(|held| held.user == visit.viewer.user);
        let mut rows: Vec<HeldRow> = own.map(|held| row(visit, held)).collect();
        // The newest first: it is the one that was a slip.
        rows.sort_by_key(|row| std::cmp::Reverse(row.seconds));
        Page { held: rows, told: self.told.clone(), ..page }
    }
}

/// What a colleague voided and may still take back: words and the address of the case.
pub(crate) fn of_colleague(visit: &Visit, held: &Held) -> (String, String) {
    let (category, number) = named(visit, held);
    let at = words::when(held.due_at.plus_ms(-HOLD_MS), visit.now);
    let members = [("who", &*held.name), ("at", &at), ("category", &category), ("case", &number)];
    (visit.lang.fill("held.colleague", &members), format!("/cases/{}", held.case))
}

/// Category and number of the case.
fn named(visit: &Visit, held: &Held) -> (String, String) {
    let category = match held.category.as_str() {
        "" => visit.lang.say("overview.no_category").to_owned(),
        key => choices::name(&visit.directory, key),
    };
    (category, held.case_no.clone().unwrap_or_else(|| short(held.case)))
}

fn row(visit: &Visit, held: &Held) -> HeldRow {
    let (category, number) = named(visit, held);
    HeldRow {
        words: visit.lang.fill("held.own", &[("category", &category), ("case", &number)]),
        href: format!("/cases/{}", held.case),
        action: format!("/cases/{}/take-back", held.case),
        back: visit.here.clone(),
        seconds: held.seconds_left(visit.now),
    }
}

/// What is said on the case itself, to everybody.
pub(crate) fn said(visit: &Visit, held: &Held) -> String {
    match held.seconds_left(visit.now) {
        0 => visit.lang.fill("held.now", &[("who", &held.name)]),
        n => visit.lang.fill("held.soon", &[("who", &held.name), ("n", &n.to_string())]),
    }
}

/// `POST /cases/{id}/take-back`.
pub(crate) async fn take_back(visit: Visit, Path(id): Path<String>, form: SentForm) -> Response {
    let answer = back(&visit, &id, form).await;
    visit.answer(answer)
}

async fn back(visit: &Visit, id: &str, form: SentForm) -> Result<Response, Fault> {
    visit.admit(&form)?;
    let case: CaseId = id.parse().map_err(|_| Fault::NotFound)?;
    let taken = held::take_back(&visit.app.services, &visit.viewer.user, case).await?;
    let flash = if taken { Flash::TakenBack { case } } else { Flash::TooLate { case } };
    let mut answer = go(link::back(form.0.get("back")));
    answer.headers_mut().append(header::SET_COOKIE, flash.cookie());
    Ok(answer)
}
