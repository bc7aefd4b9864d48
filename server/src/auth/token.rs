//! Access tokens: EdDSA JWTs of ten minutes, for the JSON API, photos and console programs.
//!
//! A token says who it is for and when the permissions it was issued under were last changed (`perm_ver`); what the
//! bearer may do is read from the account at every request, so disabling an account acts at once and a stolen token
//! of a disabled account is worth nothing.
//!
//! A token is accepted only with the exact header this server writes, which ends every trick with `alg`, `kid`, `jku`,
//! `jwk`, `x5c` or `crit` before any of it is parsed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use xunge_client_core::model::{DeviceId, Millis};

use super::{eddsa, keys::Keys};
use crate::entropy;

/// Seconds a token lives.
pub const LIFETIME_S: i64 = 600;
/// Seconds by which two servers' clocks may differ.
const LEEWAY_S: i64 = 30;
const AUDIENCE: &str = "xunge";
const TYPE: &str = "at+jwt";
/// Longest token that is looked at; ours have about 500 bytes.
const MAX_BYTES: usize = 2_048;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Every route its bearer's role allows.
    Api,
    /// Sending photos only; what a sync answer hands to a phone.
    Upload,
}

/// Whom a token is made out to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The user's id.
    pub user: String,
    /// The phone that asked for it, if one did.
    pub device: Option<DeviceId>,
    /// `perm_version` of the account when it was issued.
    pub perm_version: i64,
    /// What it may be used for.
    pub usage: Use,
}

/// Why a token is not accepted. Told to the log; the caller hears 401 whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Forged, damaged, or of another server.
    #[error("the token was not issued by this server")]
    Invalid,
    /// Older than its lifetime.
    #[error("the token has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    perm_ver: i64,
    #[serde(rename = "use")]
    usage: Use,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    did: Option<DeviceId>,
}

/// Issues and checks the tokens of one server.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    header: Header,
    header_text: String,
    issuer: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tokens").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens signed with `keys` in the name of `issuer`, for example `xunge:640105`.
    pub fn new(keys: &Keys, issuer: String) -> Self {
        eddsa::install();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.id());
        let header_json = serde_json::to_vec(&header).expect("a header of three texts is always JSON");
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[AUDIENCE]);
        // Times are checked below against the clock that was asked for; the library would ask the host by itself.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            encoding: eddsa::encoding_key(keys.signing()),
            decoding: eddsa::decoding_key(&keys.signing().verifying_key()),
            validation,
            header_text: URL_SAFE_NO_PAD.encode(header_json),
            header,
            issuer,
        }
    }

    /// Makes a token that is good for [`LIFETIME_S`] from `now`, by the security clock.
    pub fn issue(&self, subject: &Subject, now: Millis) -> String {
        let now = now.0.div_euclid(1_000);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: subject.user.clone(),
            jti: hex::encode(entropy::fill::<16>()),
            iat: now,
            nbf: now,
            exp: now + LIFETIME_S,
            perm_ver: subject.perm_version,
            usage: subject.usage,
            did: subject.device,
        };
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).expect("signing memory with a checked key works")
    }

    /// Checks a token and gives whom it is made out to.
    pub fn verify(&self, token: &str, now: Millis) -> Result<Subject, TokenError> {
        let header = token.split('.').next().unwrap_or_default();
        if token.len() > MAX_BYTES || header != self.header_text {
            return Err(TokenError::Invalid);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let now = now.0.div_euclid(1_000);
        let ours = claims.exp.checked_sub(claims.iat) == Some(LIFETIME_S) && claims.nbf == claims.iat;
        if !ours || claims.nbf > now + LEEWAY_S {
            return Err(TokenError::Invalid);
        }
        if claims.exp + LEEWAY_S <= now {
            return Err(TokenError::Expired);
        }
        Ok(Subject { user: claims.sub, device: claims.did, perm_version: claims.perm_ver, usage: claims.usage })
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
