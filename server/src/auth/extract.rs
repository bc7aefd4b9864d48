//! From a request to the person behind it.
//!
//! The token says who; what they may do is read from the account row at every request. That read costs microseconds
//! and makes "disabled" mean now, for a command line in another process as well.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, header};

use super::permission::{Rule, Who};
use super::token::{Subject, Use};
use super::{account, device};
use crate::app::App;
use crate::domain::people::Viewer;
use crate::error::ApiError;
use crate::store::StoreError;

/// The signed-in person of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who, with role, scope, unit, grids, and the phone if they speak through one.
    pub viewer: Viewer,
    /// `perm_version` of the account now.
    pub perm_version: i64,
    /// What the token may be used for.
    pub usage: Use,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Only a route that the table opens to strangers gets here without one, and such a route asks for none.
        parts.extensions.get().cloned().ok_or(ApiError::NotSignedIn)
    }
}

/// Layer of every route: lets through whom the route's rule allows, and tells the handler who it is.
pub(crate) async fn guard(
    State((app, rule)): State<(App, &'static Rule)>,
    mut request: Request,
    next: Next,
) -> Response {
    let allowed = match rule.who {
        Who::Anyone | Who::Device => return next.run(request).await,
        Who::Roles(roles) => authenticate(&app, request.headers()).await.and_then(|caller| match caller.usage {
            Use::Upload => Err(ApiError::TokenInvalid),
            Use::Api if roles.contains(&caller.viewer.role) => Ok(caller),
            Use::Api => Err(ApiError::WrongRole),
        }),
        Who::Uploader => authenticate(&app, request.headers()).await,
    };
    match allowed {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

/// The person whose bearer token the request carries.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let subject = app.tokens.verify(bearer(headers)?, app.services.security.now())?;
    app.services
        .store
        .read(move |tx| Box::pin(async move { caller(tx, subject).await }))
        .await?
        .ok_or(ApiError::TokenInvalid)
}

/// The account as it is now; none if it is closed, was changed since, or its phone was shut out.
async fn caller(tx: &mut dyn crate::store::Tx, subject: Subject) -> Result<Option<Caller>, StoreError> {
    let Some(account) = account::find(tx, &subject.user).await? else { return Ok(None) };
    if account.disabled_at.is_some() || account.perm_version != subject.perm_version {
        return Ok(None);
    }
    if let Some(id) = subject.device
        && !device::is_good(tx, id, &subject.user).await?
    {
        return Ok(None);
    }
    let viewer = Viewer {
        grids: account::grids(tx, &account.id).await?,
        user: account.id,
        name: account.name,
        role: account.role,
        scope: account.scope,
        unit: account.unit,
        device: subject.device,
    };
    Ok(Some(Caller { viewer, perm_version: account.perm_version, usage: subject.usage }))
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(ApiError::NotSignedIn) };
    let value = value.to_str().map_err(|_| ApiError::TokenInvalid)?;
    let (scheme, token) = value.split_once(' ').ok_or(ApiError::NotSignedIn)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(ApiError::NotSignedIn) }
}
