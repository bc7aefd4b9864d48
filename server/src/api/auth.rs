//! Signing in and enrolling.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xunge_client_core::model::{DeviceId, Sha256};
use xunge_client_core::wire::Proof;

use super::body;
use super::layers::Origin;
use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::{App, Identity};
use crate::auth::enrol::{self, EnrolError, Joining};
use crate::auth::token::{LIFETIME_S, Subject, Use};
use crate::auth::{account, proof};
use crate::entropy;
use crate::error::ApiError;

/// How somebody proves who they are.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "grant", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Grant {
    /// An office user, by password.
    Password {
        /// Log-in name.
        user: String,
        /// Password.
        password: String,
        /// Reserved for one-time passwords; no account asks for one yet.
        #[serde(default)]
        #[allow(dead_code, reason = "taken so that clients may already send it")]
        totp: Option<String>,
    },
    /// A phone, by a proof over `POST /v1/auth/token` with an empty body, in the counter sequence of its syncs.
    Device {
        /// Id of the phone.
        #[schema(value_type = String)]
        device: DeviceId,
        /// The phone's next counter.
        counter: u64,
        /// Ed25519 signature, 128 hex digits.
        signature: String,
    },
}

/// A bearer token.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds it lives.
    expires_in: i64,
}

/// Gives an access token for a password or a device proof.
#[utoipa::path(post, path = "/v1/auth/token", tag = "auth", request_body = Grant, responses(
    (status = 200, body = Token),
    (status = 401, description = "wrong_credentials, or a device proof that is not accepted", body = ProblemBody),
    (status = 403, description = "device_revoked, user_disabled or password_once", body = ProblemBody),
    (status = 429, description = "too many tries; Retry-After says how long", body = ProblemBody),
))]
pub(super) async fn token(
    State(app): State<App>,
    Origin(address): Origin,
    query: Params,
    grant: body::Json<Grant>,
) -> Result<Json<Token>, ApiError> {
    query.finish()?;
    let now = app.services.security.now();
    let subject = match grant.value {
        Grant::Password { user, password, .. } => {
            let account = app.desk.sign_in(&user, password, address, now).await?;
            if account.password_once {
                return Err(ApiError::PasswordOnce);
            }
            Subject { user: account.id, device: None, perm_version: account.perm_version, usage: Use::Api }
        }
        Grant::Device { device, counter, signature } => by_device(&app, device, counter, &signature).await?,
    };
    Ok(Json(Token { access_token: app.tokens.issue(&subject, now), token_type: "Bearer", expires_in: LIFETIME_S }))
}

async fn by_device(app: &App, device: DeviceId, counter: u64, signature: &str) -> Result<Subject, ApiError> {
    let signature: [u8; 64] = hex_bytes(signature, "signature")?;
    let now = app.services.security.now();
    let checked = app.services.store.write(move |tx| {
        Box::pin(async move {
            let body = Sha256::of(b"");
            let proof = Proof { method: "POST", path: "/v1/auth/token", body, device, counter };
            proof::check(tx, &proof, &signature, now).await
        })
    });
    let device = checked.await??;
    Ok(Subject { user: device.user, device: Some(device.id), perm_version: device.perm_version, usage: Use::Api })
}

/// What a phone sends to join.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Enrol {
    /// The one-time code as typed or scanned.
    code: String,
    /// The phone's Ed25519 public key, 64 hex digits.
    public_key: String,
    /// What its owner calls it, 1 to 64 characters.
    name: String,
}

/// A phone that joined.
#[derive(Serialize, ToSchema)]
pub(super) struct Enrolled {
    /// Id of the phone.
    device_id: String,
    user: EnrolledUser,
    /// The part of the tree the user sees.
    scope: String,
    server: ServerIdentity,
}

/// Whose phone it is.
#[derive(Serialize, ToSchema)]
pub(super) struct EnrolledUser {
    id: String,
    name: String,
    role: String,
    unit: Option<String>,
    scope: String,
    /// Grids patrolled, 15 digits each.
    grids: Vec<String>,
}

/// What a phone pins.
#[derive(Serialize, ToSchema)]
pub(super) struct ServerIdentity {
    /// Name of the district.
    name: String,
    /// Code of the district.
    district: String,
    /// Ed25519 public key, 64 hex digits.
    signing_key: String,
    /// X25519 public key, 64 hex digits.
    sealing_key: String,
    /// Changes when the server was restored from a backup.
    epoch: u64,
}

/// Makes a phone one of the server's. The same code and key again get the same answer.
#[utoipa::path(post, path = "/v1/auth/enrol", tag = "auth", request_body = Enrol, responses(
    (status = 200, body = Enrolled),
    (status = 401, description = "enrol_code_invalid: wrong, spent or expired", body = ProblemBody),
    (status = 422, description = "public_key_invalid or name_invalid", body = ProblemBody),
    (status = 429, description = "too many tries; Retry-After says how long", body = ProblemBody),
))]
pub(super) async fn enrol(
    State(app): State<App>,
    Origin(address): Origin,
    query: Params,
    form: body::Json<Enrol>,
) -> Result<Json<Enrolled>, ApiError> {
    query.finish()?;
    let now = app.services.security.now();
    let public_key = hex_bytes(&form.value.public_key, "public_key")?;
    let joining = Joining { code: form.value.code, public_key, name: form.value.name };
    app.desk.take_try(address, now)?;
    let fresh = DeviceId::from_parts(now, entropy::fill());
    let joined = app.services.store.write(move |tx| {
        Box::pin(async move {
            let (id, user) = enrol::join(tx, &joining, fresh, now).await?;
            let grids = account::grids(tx, &user.id).await?;
            // Read anew: a district may have been renamed since the server started.
            Ok::<_, EnrolError>((id, user, grids, Identity::read(tx).await?.name))
        })
    });
    let (id, user, grids, name) = joined.await?;
    app.desk.give_back(address);
    Ok(Json(Enrolled {
        device_id: id.to_string(),
        scope: user.scope.to_string(),
        user: EnrolledUser {
            id: user.id,
            name: user.name,
            role: user.role.code().to_owned(),
            unit: user.unit.map(|unit| unit.to_string()),
            scope: user.scope.to_string(),
            grids: grids.iter().map(ToString::to_string).collect(),
        },
        server: ServerIdentity {
            name,
            district: app.identity.district.clone(),
            signing_key: hex::encode(app.keys.signing_public()),
            sealing_key: hex::encode(app.keys.sealing_public()),
            epoch: app.identity.epoch,
        },
    }))
}

fn hex_bytes<const N: usize>(text: &str, field: &str) -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map(|()| bytes).map_err(|_| ApiError::Malformed {
        field: Some(field.to_owned()),
        why: format!("`{field}` has to be {} hex digits", 2 * N),
    })
}
