//! Turns an [`ApiError`] into a response, in the language the request asks for.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use xunge_client_core::wire::Problem;

use super::ApiError;

/// The languages problems are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Chinese, unless English is asked for.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language `Accept-Language` prefers; Chinese if it names neither.
    pub fn of(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let weight = |language: &str| wanted.split(',').filter_map(|item| quality(item, language)).max().unwrap_or(0);
        if weight("en") > weight("zh") { Self::En } else { Self::Zh }
    }

    pub(super) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    fn tag(self) -> &'static str {
        self.pick("zh-CN", "en")
    }
}

/// The weight of one item of `Accept-Language` in thousandths, if it is about this language.
fn quality(item: &str, language: &str) -> Option<u32> {
    let (tag, weight) = item.trim().split_once(';').unwrap_or((item.trim(), "q=1"));
    let about = tag.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(language))
        && matches!(tag.as_bytes().get(2), None | Some(b'-'));
    let weight: f64 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    about.then_some((weight.clamp(0.0, 1.0) * 1_000.0) as u32)
}

impl ApiError {
    /// The body of the answer.
    pub fn problem(&self, language: Language) -> Problem {
        Problem {
            kind: format!("/problems/{}", self.code()),
            title: self.title(language).to_owned(),
            status: self.status().as_u16(),
            code: self.code().to_owned(),
            detail: self.detail(language),
            field: self.field(),
            current: self.current(),
        }
    }

    /// The whole answer.
    pub fn answer(&self, language: Language) -> Response {
        let body = serde_json::to_vec(&self.problem(language)).expect("a problem is always JSON");
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(self, Self::TooLarge { .. } | Self::Timeout) {
            // The rest of the body is not read, so the connection ends here; unsaid, the next request on it would be lost.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for ApiError {
    /// Answers in Chinese and leaves the error beside the body for [`localize`].
    fn into_response(self) -> Response {
        let mut response = self.answer(Language::default());
        response.extensions_mut().insert(self);
        response
    }
}

/// Layer around every route: tells a problem again in the language the request asked for.
pub async fn localize(request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ApiError>() {
        Some(error) if language != Language::default() => {
            let told = error.answer(language);
            // Headers that layers inside added stay; those about the body are the new body's.
            let (mut parts, _) = response.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            for (name, value) in told.headers() {
                parts.headers.insert(name, value.clone());
            }
            Response::from_parts(parts, told.into_body())
        }
        _ => response,
    }
}
