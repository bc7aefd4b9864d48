use axum::response::IntoResponse;
use http::{HeaderMap, HeaderValue, header};
use xunge_client_core::model::Role;
use xunge_client_core::workflow::{State, Verb};

use super::*;
use crate::domain::uploads::UploadError;

/// One of each kind; `match` in the functions above is what keeps this list's kinds complete.
fn one_of_each() -> Vec<ApiError> {
    let mut all = vec![
        ApiError::malformed("x"),
        ApiError::UnknownParameter { name: "colour".into() },
        ApiError::BadParameter { name: "from", expected: "a day like 2023-11-30".into() },
        ApiError::IdempotencyKey,
        ApiError::NotSignedIn,
        ApiError::TokenInvalid,
        ApiError::TokenExpired,
        ApiError::WrongCredentials,
        ApiError::PasswordOnce,
        ApiError::EnrolCode,
        ApiError::WrongRole,
        ApiError::NotFound,
        ApiError::PhotoNotHere,
        ApiError::NoPreview,
        ApiError::Upload(UploadError::Hash),
        ApiError::TusVersion,
        ApiError::NoRoute,
        ApiError::Method,
        ApiError::Refused(Refusal::ReasonMissing),
        ApiError::Refused(Refusal::WrongState { verb: Verb::File, state: Some(State::Void), version: 4 }),
        ApiError::Refused(Refusal::WrongRole { verb: Verb::File, role: Role::Inspector }),
        ApiError::IdempotencyMismatch,
        ApiError::TooLarge { allowed: 10 },
        ApiError::MediaType { expected: "application/json" },
        ApiError::Invalid { field: "name".into(), code: "name_invalid", zh: "名称。".into(), en: "Name.".into() },
        ApiError::VersionUnsupported { supported: 1 },
        ApiError::Quota { code: "quota_cases", retry_after_s: 600 },
        ApiError::TooMany { retry_after_s: 60 },
        ApiError::Timeout,
        ApiError::Busy { retry_after_s: 5 },
        ApiError::DiskFull { retry_after_s: 300 },
        ApiError::Internal { id: "abc".into() },
    ];
    all.extend(
        [
            ProofError::UnknownDevice,
            ProofError::BadProof,
            ProofError::Replayed,
            ProofError::Cloned,
            ProofError::Revoked,
            ProofError::UserDisabled,
        ]
        .map(ApiError::Proof),
    );
    all
}

#[test]
fn every_problem_speaks_both_languages_and_has_a_code() {
    for error in one_of_each() {
        let (zh, en) = (error.problem(Language::Zh), error.problem(Language::En));
        assert_eq!((zh.status, &zh.code, &zh.kind), (en.status, &en.code, &en.kind));
        assert!(zh.status >= 400 && zh.kind == format!("/problems/{}", zh.code));
        assert!(zh.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", zh.code);
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese(&zh.title) && chinese(&zh.detail), "{zh:?}");
        assert!(!chinese(&en.title) && !chinese(&en.detail) && en.detail.ends_with('.'), "{en:?}");
    }
}

#[test]
fn a_case_that_moved_on_tells_where_it_stands() {
    let moved = ApiError::Refused(Refusal::StaleVersion { state: Some(State::Filed), version: 7 });
    let problem = moved.problem(Language::Zh);
    assert_eq!((problem.status, problem.code.as_str()), (409, "stale_version"));
    assert_eq!(problem.current, Some(Current { state: "filed".into(), version: 7 }));
    assert_eq!(ApiError::Refused(Refusal::ReasonMissing).problem(Language::Zh).field.as_deref(), Some("reason"));
    assert_eq!(ApiError::Refused(Refusal::ReasonMissing).status(), 422);
}

#[test]
fn answers_carry_the_headers_their_status_needs() {
    for error in one_of_each() {
        let response = error.clone().into_response();
        let has = |name| response.headers().contains_key(name);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(has(header::WWW_AUTHENTICATE), response.status() == 401, "{error:?}");
        assert_eq!(has(header::RETRY_AFTER), [429, 503, 507].contains(&response.status().as_u16()), "{error:?}");
    }
}

#[test]
fn english_is_spoken_when_it_is_preferred_to_chinese() {
    let of = |wanted: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(wanted));
        Language::of(&headers)
    };
    for wanted in ["en", "en-GB", "EN", "de, en;q=0.5", "zh;q=0.4, en;q=0.5", "en-US,en;q=0.9"] {
        assert_eq!(of(wanted), Language::En, "{wanted}");
    }
    for wanted in ["", "zh", "zh-CN,zh;q=0.9,en;q=0.8", "de", "*", "enochian", "en;q=x", "en;q=0", "zh,en", ";;,,q="] {
        assert_eq!(of(wanted), Language::Zh, "{wanted}");
    }
    assert_eq!(Language::of(&HeaderMap::new()), Language::Zh);
}

#[test]
fn a_body_that_is_not_read_to_its_end_ends_the_connection() {
    let ends = |error: ApiError| error.answer(Language::Zh).headers().get("connection").is_some();
    assert!(ends(ApiError::TooLarge { allowed: 1 }) && ends(ApiError::Timeout));
    assert!(!ends(ApiError::NotFound));
}
