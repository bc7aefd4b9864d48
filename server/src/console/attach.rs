//! Forms that bring photos (反馈照片, 登记): the photos are stored first, then the form is like any other.
//!
//! A form that is refused afterwards comes back naming the photos by their hashes, so nobody sends them twice.

use axum::body::Bytes;
use axum::extract::{Path, Request};
use axum::response::Response;
use tokio::sync::Semaphore;
use xunge_client_core::photo;
use xunge_client_core::workflow::Member;

use super::act;
use super::fault::Fault;
use super::multipart;
use super::sent::{Sent, SentForm};
use super::visit::Visit;
use crate::domain::uploads::{Owner, UploadError};

/// Most bytes of such a form: a handful of photos of a recent phone. More are sent in several feedbacks or by tus.
pub(crate) const MAX_BYTES: usize = 24 << 20;
/// Such forms in memory at once.
static ROOM: Semaphore = Semaphore::const_new(4);
/// Bytes that tell what a file is.
const HEAD: usize = 512;

/// `POST /cases/{id}/act/photos`.
pub(crate) async fn post(visit: Visit, path: Path<String>, request: Request) -> Response {
    match form(&visit, request).await {
        Ok(form) => act::post(visit, path, form).await,
        Err(fault) => visit.answer(Err(fault)),
    }
}

/// Reads such a form and stores its photos; `photos` then names all of them, and has a word that is no name for each
/// file that is no photo.
pub(crate) async fn form(visit: &Visit, request: Request) -> Result<SentForm, Fault> {
    let Ok(_room) = ROOM.acquire().await else { return Err(Fault::Busy) };
    let (Sent(words), files) = multipart::take(request).await.ok_or(Fault::BadRequest)?;
    let is_known = |(name, _): &(String, String)| name == Member::Photos.code();
    let (known, words): (Vec<_>, Vec<_>) = words.into_iter().partition(is_known);
    let mut form = SentForm(Sent(words));
    // Before anything is stored.
    visit.admit(&form)?;
    let mut photos: Vec<String> = known.into_iter().map(|(_, hashes)| hashes).collect();
    for file in files {
        photos.push(store(visit, file.bytes).await?);
    }
    form.0.0.push((Member::Photos.code().to_owned(), photos.join(" ")));
    Ok(form)
}

/// The name of a photo that is stored now; for what is no photo a word that is no name, which the form then reports.
async fn store(visit: &Visit, bytes: Bytes) -> Result<String, Fault> {
    if photo::media_type(&bytes[..bytes.len().min(HEAD)]).is_err() {
        return Ok("?".to_owned());
    }
    let owner = Owner::User(visit.viewer.user.clone());
    match visit.app.uploads.store_whole(&owner, bytes).await {
        Ok(hash) => Ok(hash.to_string()),
        Err(UploadError::DiskFull) => Err(Fault::Full),
        Err(UploadError::TooMany) => Err(Fault::Busy),
        Err(failed) => Err(Fault::broken(&failed)),
    }
}
