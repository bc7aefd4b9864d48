//! What HTTP answers when something is wrong: one error type, one table of statuses, two languages.
//!
//! Everything below the API has its own errors, rich and exact. Here each becomes one of the few a caller can act on,
//! as problem+json with a stable code. [`ApiError::code`], [`ApiError::status`] and the words are exhaustive matches:
//! a new kind of failure does not compile until somebody has decided what it means to a caller.

mod convert;
mod respond;
mod words;

use http::StatusCode;
use xunge_client_core::wire::Current;
use xunge_client_core::workflow::Refusal;

use crate::auth::proof::ProofError;
use crate::domain::uploads::UploadError;

pub use self::respond::{Language, localize};

/// A refused or failed request.
#[derive(Debug, Clone, PartialEq)]
pub enum ApiError {
    /// The body or a header is not what the route takes.
    Malformed {
        /// The member at fault, if one is.
        field: Option<String>,
        /// What is wrong, for programmers; English.
        why: String,
    },
    /// The route does not know this query parameter.
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A query or path parameter has no value the route takes.
    BadParameter {
        /// Its name.
        name: &'static str,
        /// What it takes, for programmers; English.
        expected: String,
    },
    /// The request has no `Idempotency-Key`, or one that is not 1 to 255 visible ASCII characters.
    IdempotencyKey,
    /// No bearer token.
    NotSignedIn,
    /// A bearer token this server did not issue, or not for this.
    TokenInvalid,
    /// A bearer token that is too old.
    TokenExpired,
    /// Wrong name or password.
    WrongCredentials,
    /// A password that somebody else gave; it has to be changed in the console first.
    PasswordOnce,
    /// A wrong, spent or expired enrolment code.
    EnrolCode,
    /// A device proof that is not accepted.
    Proof(ProofError),
    /// The role does not use this route.
    WrongRole,
    /// Nothing there, or nothing the caller may know of.
    NotFound,
    /// The case names the photo, its bytes have not arrived.
    PhotoNotHere,
    /// The photo is too large to be copied, or no picture.
    NoPreview,
    /// An upload was refused.
    Upload(UploadError),
    /// A client of the upload protocol that speaks another version, or does not say which.
    TusVersion,
    /// No route has this path.
    NoRoute,
    /// The route does not know this method.
    Method,
    /// The workflow said no.
    Refused(Refusal),
    /// The same `Idempotency-Key` came with another request.
    IdempotencyMismatch,
    /// The body is larger than the route takes.
    TooLarge {
        /// Bytes allowed.
        allowed: u64,
    },
    /// The body has another media type than the route takes.
    MediaType {
        /// The media type it takes.
        expected: &'static str,
    },
    /// A member has a value that is understood and not possible.
    Invalid {
        /// The member.
        field: String,
        /// Stable code of what is wrong with it.
        code: &'static str,
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
    /// The phone's program is too old for this server.
    VersionUnsupported {
        /// The version spoken here.
        supported: u16,
    },
    /// A phone used up a quota of the day.
    Quota {
        /// Stable code of which.
        code: &'static str,
        /// Seconds until it is worth trying again.
        retry_after_s: u32,
    },
    /// Too many tries or requests.
    TooMany {
        /// Seconds until the next is looked at.
        retry_after_s: u32,
    },
    /// The body did not arrive in time.
    Timeout,
    /// The server is overloaded, starting or stopping.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_s: u32,
    },
    /// The disk is too full to take more.
    DiskFull {
        /// Seconds until it is worth trying again.
        retry_after_s: u32,
    },
    /// A defect. The log has it under this number.
    Internal {
        /// What to look for in the log.
        id: String,
    },
}

impl ApiError {
    /// A malformed body or header.
    pub fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed { field: None, why: why.into() }
    }

    /// Logs a defect under a number of its own and hides it from the caller.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        let id = hex::encode(crate::entropy::fill::<6>());
        tracing::error!(error.id = %id, error.cause = %cause, "a request failed");
        Self::Internal { id }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::UnknownParameter { .. } => "unknown_parameter",
            Self::BadParameter { .. } => "bad_parameter",
            Self::IdempotencyKey => "idempotency_key_missing",
            Self::NotSignedIn => "not_signed_in",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::WrongCredentials => "wrong_credentials",
            Self::PasswordOnce => "password_once",
            Self::EnrolCode => "enrol_code_invalid",
            Self::Proof(refused) => refused.code(),
            Self::WrongRole => "wrong_role",
            Self::NotFound => "not_found",
            Self::PhotoNotHere => "photo_not_here",
            Self::NoPreview => "no_preview",
            Self::Upload(refused) => refused.code(),
            Self::TusVersion => "tus_version",
            Self::NoRoute => "no_such_route",
            Self::Method => "method_not_allowed",
            Self::Refused(refusal) => refusal.code(),
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::TooLarge { .. } => "too_large",
            Self::MediaType { .. } => "wrong_media_type",
            Self::Invalid { code, .. } => code,
            Self::VersionUnsupported { .. } => "version_unsupported",
            Self::Quota { code, .. } => code,
            Self::TooMany { .. } => "too_many_requests",
            Self::Timeout => "timeout",
            Self::Busy { .. } => "busy",
            Self::DiskFull { .. } => "disk_full",
            Self::Internal { .. } => "internal",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed { .. }
            | Self::UnknownParameter { .. }
            | Self::BadParameter { .. }
            | Self::IdempotencyKey => StatusCode::BAD_REQUEST,
            Self::NotSignedIn | Self::TokenInvalid | Self::TokenExpired | Self::WrongCredentials | Self::EnrolCode => {
                StatusCode::UNAUTHORIZED
            }
            Self::Proof(refused) => match refused {
                ProofError::UnknownDevice | ProofError::BadProof | ProofError::Replayed | ProofError::Cloned => {
                    StatusCode::UNAUTHORIZED
                }
                ProofError::Revoked | ProofError::UserDisabled => StatusCode::FORBIDDEN,
            },
            Self::WrongRole | Self::PasswordOnce => StatusCode::FORBIDDEN,
            Self::NotFound | Self::PhotoNotHere | Self::NoPreview | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Upload(refused) => upload_status(refused),
            Self::TusVersion => StatusCode::PRECONDITION_FAILED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused(refusal) => refused_status(refusal),
            Self::IdempotencyMismatch | Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::VersionUnsupported { .. } => StatusCode::UPGRADE_REQUIRED,
            Self::Quota { .. } | Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The member at fault, if one is.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Malformed { field, .. } => field.clone(),
            Self::UnknownParameter { name } => Some(name.clone()),
            Self::BadParameter { name, .. } => Some((*name).to_owned()),
            Self::IdempotencyKey | Self::IdempotencyMismatch => Some("Idempotency-Key".to_owned()),
            Self::Refused(refusal) => refusal.field().map(|member| member.to_string()),
            Self::Invalid { field, .. } => Some(field.clone()),
            _ => None,
        }
    }

    /// Where the case stands, for refusals that a fresh look resolves.
    pub fn current(&self) -> Option<Current> {
        let Self::Refused(refusal) = self else { return None };
        refusal.current().map(|(state, version)| Current { state: state.code().to_owned(), version })
    }

    /// Seconds to wait before trying again.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Quota { retry_after_s, .. }
            | Self::TooMany { retry_after_s }
            | Self::Busy { retry_after_s }
            | Self::DiskFull { retry_after_s } => Some(*retry_after_s),
            // Uploads under way end one by one, those given up after days.
            Self::Upload(UploadError::TooMany) => Some(600),
            _ => None,
        }
    }
}

/// What refused uploads mean in HTTP and tus: 409 go on elsewhere, 460 the bytes were damaged.
fn upload_status(refused: &UploadError) -> StatusCode {
    match refused {
        UploadError::NotFound => StatusCode::NOT_FOUND,
        UploadError::Offset { .. } | UploadError::Stored => StatusCode::CONFLICT,
        UploadError::Size { .. } | UploadError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        UploadError::Checksum | UploadError::Hash => StatusCode::from_u16(460).expect("three digits"),
        UploadError::TooMany => StatusCode::TOO_MANY_REQUESTS,
        UploadError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        UploadError::Store(_) | UploadError::Blob(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What the workflow's refusals mean in HTTP: who may not (403), not now (409), not like this (422).
fn refused_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::WrongRole { .. } | Refusal::NotYours | Refusal::Separation { .. } => StatusCode::FORBIDDEN,
        Refusal::WrongState { .. }
        | Refusal::StaleVersion { .. }
        | Refusal::NoAfterPhoto
        | Refusal::WrongClaim { .. }
        | Refusal::NoOpenAsk
        | Refusal::AskOpen
        | Refusal::NotChecked
        | Refusal::Suspended
        | Refusal::NotSuspended
        | Refusal::Deferred
        | Refusal::NotDeferred
        | Refusal::AppealOpen
        | Refusal::NoOpenAppeal => StatusCode::CONFLICT,
        Refusal::ReasonMissing | Refusal::Missing { .. } | Refusal::UnknownMember { .. } | Refusal::Invalid { .. } => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        // The server failed to give the case a number; that is not the caller's doing.
        Refusal::NoCaseNumber => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests;
