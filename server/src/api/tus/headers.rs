//! The headers of tus 1.0.0, read strictly: a number with a plus sign or a second header is no number.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use xunge_client_core::model::PhotoHash;

use crate::blobs::staging::Checksum;
use crate::error::ApiError;

/// The only version spoken here.
pub(super) const VERSION: &str = "1.0.0";
/// What a body of photo bytes is called.
pub(super) const OFFSET_STREAM: &str = "application/offset+octet-stream";
/// The check sums a request may carry.
pub(super) const ALGORITHMS: &str = "sha1,sha256";

pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// Refuses a client that speaks another version, or does not say which.
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    match one(headers, &TUS_RESUMABLE)? {
        Some(VERSION) => Ok(()),
        _ => Err(ApiError::TusVersion),
    }
}

/// The size of the photo to come.
pub(super) fn length(headers: &HeaderMap) -> Result<u64, ApiError> {
    if headers.contains_key(UPLOAD_DEFER_LENGTH) {
        return Err(malformed(&UPLOAD_DEFER_LENGTH, "the length has to be known at creation"));
    }
    number(headers, &UPLOAD_LENGTH)
}

/// Where the bytes of this request begin.
pub(super) fn offset(headers: &HeaderMap) -> Result<u64, ApiError> {
    number(headers, &UPLOAD_OFFSET)
}

/// The SHA-256 from `Upload-Metadata`, if the client tells it: key `sha256`, value 64 hex digits in base 64.
///
/// Other keys (`filename`, `filetype`) are allowed and ignored: names and types that clients claim are never used.
pub(super) fn sha256(headers: &HeaderMap) -> Result<Option<PhotoHash>, ApiError> {
    let Some(metadata) = one(headers, &UPLOAD_METADATA)? else { return Ok(None) };
    let mut found = None;
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if key != "sha256" {
            continue;
        }
        let hash = STANDARD.decode(value.trim()).ok().and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        let hash = hash.ok_or_else(|| malformed(&UPLOAD_METADATA, "sha256 takes 64 hex digits in base 64"))?;
        if found.replace(hash).is_some() {
            return Err(malformed(&UPLOAD_METADATA, "sha256 is given twice"));
        }
    }
    Ok(found)
}

/// The check sum the client states over the body of this request.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, ApiError> {
    let Some(stated) = one(headers, &UPLOAD_CHECKSUM)? else { return Ok(None) };
    let wrong = || malformed(&UPLOAD_CHECKSUM, "takes `sha1` or `sha256`, a space, and the sum in base 64");
    let (algorithm, sum) = stated.split_once(' ').ok_or_else(wrong)?;
    let sum = STANDARD.decode(sum.trim()).map_err(|_| wrong())?;
    let checksum = match algorithm {
        "sha1" => sum.try_into().ok().map(Checksum::Sha1),
        "sha256" => sum.try_into().ok().map(Checksum::Sha256),
        _ => None,
    };
    checksum.map(Some).ok_or_else(wrong)
}

/// The method meant by a client that can only send POST.
pub(super) fn method_override(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    one(headers, &METHOD_OVERRIDE)
}

/// The value of a header that comes at most once.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value.trim())),
        _ => Err(malformed(name, "comes once and in ASCII")),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ApiError> {
    let value = one(headers, name)?.unwrap_or_default();
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| digits);
    number.ok_or_else(|| malformed(name, "takes a number of bytes"))
}

fn malformed(name: &HeaderName, why: &str) -> ApiError {
    ApiError::Malformed { field: Some(name.to_string()), why: format!("{name} {why}") }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_number_is_digits_and_comes_once() {
        assert_eq!(offset(&with(&UPLOAD_OFFSET, &["120"])), Ok(120));
        for bad in [&["+1"][..], &["-1"], &["1.0"], &[""], &["1", "1"], &["99999999999999999999"], &[]] {
            assert!(offset(&with(&UPLOAD_OFFSET, bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn metadata_may_be_missing_empty_or_full_of_other_keys() {
        let hash = PhotoHash::of(b"x");
        let told = STANDARD.encode(hash.to_string());
        assert_eq!(sha256(&HeaderMap::new()), Ok(None));
        assert_eq!(sha256(&with(&UPLOAD_METADATA, &[""])), Ok(None));
        assert_eq!(sha256(&with(&UPLOAD_METADATA, &["filename d29ybGQ=,is_confidential"])), Ok(None));
        assert_eq!(sha256(&with(&UPLOAD_METADATA, &[&format!("filename eA==, sha256 {told}")])), Ok(Some(hash)));
        for bad in ["sha256", "sha256 !!", "sha256 eA==", &format!("sha256 {told},sha256 {told}")] {
            assert!(sha256(&with(&UPLOAD_METADATA, &[bad])).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_check_sum_names_its_algorithm_and_has_its_length() {
        let sum = STANDARD.encode([7; 20]);
        assert_eq!(checksum(&with(&UPLOAD_CHECKSUM, &[&format!("sha1 {sum}")])), Ok(Some(Checksum::Sha1([7; 20]))));
        assert_eq!(checksum(&HeaderMap::new()), Ok(None));
        for bad in [format!("md5 {sum}"), format!("sha256 {sum}"), "sha1".to_owned(), sum] {
            assert!(checksum(&with(&UPLOAD_CHECKSUM, &[&bad])).is_err(), "{bad}");
        }
    }
}
