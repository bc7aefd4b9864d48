//! What the sync handler needs of its surroundings.

use std::sync::Arc;

use xunge_client_core::model::Millis;
use xunge_client_core::wire::{PhotoOffer, PhotoOffset};

use crate::auth::proof::Device;
use crate::auth::token::{Subject, Tokens, Use};
use crate::domain::services::Services;
use crate::domain::uploads::{Owner, UploadError, Uploads};
use crate::store::BoxFuture;

/// Where photos are uploaded to.
pub trait PhotoDesk: Send + Sync {
    /// Tells how far each offered photo got, and where its rest goes.
    fn offered<'t>(
        &'t self,
        device: &'t Device,
        offers: &'t [PhotoOffer],
    ) -> BoxFuture<'t, Result<Vec<PhotoOffset>, UploadError>>;
}

impl PhotoDesk for Uploads {
    fn offered<'t>(
        &'t self,
        device: &'t Device,
        offers: &'t [PhotoOffer],
    ) -> BoxFuture<'t, Result<Vec<PhotoOffset>, UploadError>> {
        Box::pin(async move {
            let owner = Owner::Device { device: device.id, user: device.user.clone() };
            Uploads::offered(self, &owner, offers).await
        })
    }
}

/// Who hands out the short-lived right to upload.
pub trait UploadTokens: Send + Sync {
    /// A bearer token for this phone's uploads.
    fn issue(&self, device: &Device, now: Millis) -> String;
}

impl UploadTokens for Tokens {
    fn issue(&self, device: &Device, now: Millis) -> String {
        let subject = Subject {
            user: device.user.clone(),
            device: Some(device.id),
            perm_version: device.perm_version,
            usage: Use::Upload,
        };
        Tokens::issue(self, &subject, now)
    }
}

/// Everything [`super::handle`] works with; cheap to clone.
#[derive(Clone)]
pub struct SyncDesk {
    /// The rules of the trade.
    pub services: Services,
    /// Photo uploads.
    pub photos: Arc<dyn PhotoDesk>,
    /// Upload tokens.
    pub tokens: Arc<dyn UploadTokens>,
}

impl std::fmt::Debug for SyncDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncDesk").field("services", &self.services).finish_non_exhaustive()
    }
}
