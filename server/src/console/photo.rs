//! Photos of a case: where they stand on a page, and their bytes.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use xunge_client_core::model::{CaseId, Millis, Mode, PhotoHash, PhotoRole};

use super::fault::Fault;
use super::sent::Sent;
use super::visit::Visit;
use super::words;
use crate::blobs::derive::Size;
use crate::domain::cases::{self, CaseDetail, PhotoView};
use crate::domain::photos;

/// A place for a photo, filled or not.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    /// What it shows.
    pub(crate) label: String,
    /// The photo, if the case names one.
    pub(crate) photo: Option<Shown>,
    /// What stands there without one, or before its bytes arrived.
    pub(crate) missing: &'static str,
    /// What stands on a small picture that came ahead of it.
    pub(crate) early: &'static str,
    /// Its absence stands in the way of a decision.
    pub(crate) warn: bool,
}

/// A photo on a page.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Address of the copy for looking at.
    pub(crate) shown: String,
    /// Address of the copy to judge by.
    pub(crate) full: String,
    /// In words.
    pub(crate) alt: String,
    /// Below it.
    pub(crate) lines: Vec<String>,
    /// Its bytes are here.
    pub(crate) present: bool,
    /// They are not, but the small picture its phone sent ahead is.
    pub(crate) preview: bool,
    /// Pixels; 0 if nobody said.
    pub(crate) width: i64,
    /// Pixels; 0 if nobody said.
    pub(crate) height: i64,
}

/// The pair before and after, then all others.
pub(crate) fn slots(visit: &Visit, detail: &CaseDetail) -> (Vec<Slot>, Vec<Slot>) {
    let lang = visit.lang;
    let role = |role: PhotoRole| role.code();
    let mut list: Vec<&PhotoView> = detail.photo_list.iter().collect();
    list.sort_by_key(|photo| (photo.taken_at.unwrap_or(i64::MAX), photo.sha256));
    let mut take = |wanted: PhotoRole| {
        let place = list.iter().position(|photo| photo.role == wanted.code())?;
        Some(list.remove(place))
    };
    let (before, after) = (take(PhotoRole::Before), take(PhotoRole::After));
    let slot = |code: &str, photo: Option<&PhotoView>, missing, warn| Slot {
        label: lang.word("photo_role", code),
        photo: photo.map(|photo| shown(visit, detail, photo)),
        missing,
        early: lang.say("case.preview"),
        warn,
    };
    let arriving = lang.say("case.photo_missing");
    let claims_self = detail.ledger.counted_mode() == Mode::SelfHandled;
    let no_after = if claims_self { "case.no_after_self" } else { "case.no_after_forwarded" };
    let pair = vec![
        slot(role(PhotoRole::Before), before, before.map_or(lang.say("case.no_before"), |_| arriving), false),
        slot(role(PhotoRole::After), after, after.map_or(lang.say(no_after), |_| arriving), claims_self),
    ];
    let more = list.into_iter().map(|photo| slot(&photo.role, Some(photo), arriving, false)).collect();
    (pair, more)
}

fn shown(visit: &Visit, detail: &CaseDetail, photo: &PhotoView) -> Shown {
    let lang = visit.lang;
    let path = format!("/console/cases/{}/photos/{}", detail.item.id, photo.sha256);
    let role = lang.word("photo_role", &photo.role);
    let text = match detail.facts.description.as_str() {
        "" => detail.facts.location_text.as_str(),
        words => words,
    };
    let text: String = text.chars().take(60).collect();
    let mut lines = Vec::new();
    lines.extend(photo.taken_at.map(|at| lang.fill("case.taken", &[("at", &words::when(Millis(at), visit.now))])));
    if photo.w > 0 && photo.h > 0 {
        let size = [photo.w, photo.h, (photo.bytes + 999) / 1_000].map(|n| n.to_string());
        lines.push(lang.fill("case.size", &[("w", &size[0]), ("h", &size[1]), ("kb", &size[2])]));
    }
    if photo.preview {
        lines.insert(0, lang.say("case.preview_way").to_owned());
    }
    Shown {
        full: format!("{path}?size=full"),
        // What is judged is looked at in full; the small copies are for those beside the pair.
        shown: if photo.preview {
            format!("{path}?size=preview")
        } else if super::look::is_pair(&photo.role) {
            format!("{path}?size=full")
        } else {
            path
        },
        alt: lang.fill("case.photo_alt", &[("role", &role), ("text", &text)]),
        lines,
        present: photo.present,
        preview: photo.preview,
        width: photo.w,
        height: photo.h,
    }
}

/// `GET /console/cases/{id}/photos/{sha256}?size=thumb|full|preview`: the same scope as the case's page.
pub(crate) async fn get(visit: Visit, Path((id, hash)): Path<(String, String)>, query: Sent) -> Response {
    let answer = bytes(&visit, &id, &hash, query.get("size")).await;
    visit.answer(answer)
}

async fn bytes(visit: &Visit, id: &str, hash: &str, size: &str) -> Result<Response, Fault> {
    let id: CaseId = id.parse().map_err(|_| Fault::NotFound)?;
    let hash: PhotoHash = hash.parse().map_err(|_| Fault::NotFound)?;
    let (scope, viewer) = (visit.scope.clone(), visit.viewer.clone());
    let store = &visit.app.services.store;
    if size == "preview" {
        let found =
            store.read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(photos::find(tx, &scope, id, hash).await?) }));
        let early = found.await?.and_then(|photo| photo.preview).ok_or(Fault::NotFound)?;
        let copy = visit.app.copies.thumb_of(early.into()).await?.ok_or(Fault::NotFound)?;
        let headers = [(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "private, no-store")];
        return Ok((StatusCode::OK, headers, copy).into_response());
    }
    let case = store
        .read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(cases::detail(tx, &scope, &viewer, id).await?) }))
        .await?
        .ok_or(Fault::NotFound)?;
    if !case.photo_list.iter().any(|photo| photo.sha256 == hash && photo.present) {
        return Err(Fault::NotFound);
    }
    let size = if size == "full" { Size::Full } else { Size::Thumb };
    let copy = visit.app.copies.get(hash, size).await?.ok_or(Fault::NotFound)?;
    // Named by their hash, so they never change; an hour, because the computer may have another user tomorrow.
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, max-age=3600, immutable"),
        (header::CONTENT_DISPOSITION, "inline"),
    ];
    Ok((StatusCode::OK, headers, copy).into_response())
}
