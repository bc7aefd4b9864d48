//! Reading bodies: size before buffering, progress instead of total time, JSON without surprises.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::auth::permission::Rule;
use crate::error::ApiError;

/// How long a body may stand still. A weak link is slow for minutes, a dead one for ever.
pub(super) const STANDSTILL: Duration = Duration::from_secs(30);

/// The bytes of a body, at most as many as the route's rule allows.
#[derive(Debug)]
pub(super) struct Raw(pub(super) Bytes);

/// A body of JSON, and its bytes for whoever hashes them. Unknown members are refused by the types themselves.
#[derive(Debug)]
pub(super) struct Json<T> {
    pub(super) value: T,
    pub(super) bytes: Bytes,
}

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let allowed = request.extensions().get::<&'static Rule>().map_or(0, |rule| rule.max_body);
        let too_large = || ApiError::TooLarge { allowed: allowed as u64 };
        let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let announced = announced.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
        if announced > allowed {
            return Err(too_large());
        }
        let mut body: Body = request.into_body();
        // Once and not by doubling, which would hold a body half as often again. Only what arrives is touched.
        let mut bytes = BytesMut::with_capacity(announced);
        loop {
            match tokio::time::timeout(STANDSTILL, body.frame()).await {
                Err(_) => return Err(ApiError::Timeout),
                Ok(None) => return Ok(Self(bytes.freeze())),
                Ok(Some(Err(_))) => return Err(ApiError::malformed("the body broke off")),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    if bytes.len() + data.len() > allowed {
                        return Err(too_large());
                    }
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        check_media_type(request.headers(), "application/json")?;
        let Raw(bytes) = Raw::from_request(request, state).await?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::Malformed { field: named_member(&error.to_string()), why: error.to_string() })?;
        Ok(Self { value, bytes })
    }
}

/// Refuses a body whose `Content-Type`, without its parameters, is not the expected one.
pub(super) fn check_media_type(headers: &HeaderMap, expected: &'static str) -> Result<(), ApiError> {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bare = stated.split(';').next().unwrap_or_default().trim();
    if bare.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(ApiError::MediaType { expected }) }
}

/// The member a serde message is about: the first word in backquotes of "unknown field" and "missing field".
fn named_member(message: &str) -> Option<String> {
    let about = ["unknown field `", "missing field `", "duplicate field `"];
    let rest = about.iter().find_map(|start| message.split_once(start).map(|(_, rest)| rest))?;
    rest.split_once('`').map(|(name, _)| name.chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_member_at_fault_is_taken_from_the_message() {
        #[derive(serde::Deserialize, Debug)]
        #[serde(deny_unknown_fields)]
        struct Form {
            #[allow(dead_code, reason = "only its name matters")]
            verb: String,
        }
        let named = |json: &str| named_member(&serde_json::from_str::<Form>(json).unwrap_err().to_string());
        assert_eq!(named(r#"{"verb":"file","colour":1}"#).as_deref(), Some("colour"));
        assert_eq!(named("{}").as_deref(), Some("verb"));
        assert_eq!(named(r#"{"verb":"a","verb":"b"}"#).as_deref(), Some("verb"));
        assert_eq!(named("{"), None);
    }
}
