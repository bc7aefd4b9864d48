//! Query parameters, strictly: each is taken by name, and what is left over is refused by name.
//!
//! A misspelt `form=` that is silently ignored shows the figures of all time under the heading of a month.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use http::Uri;
use http::request::Parts;
use xunge_client_core::model::{LocalDay, OrgCode};

use crate::error::ApiError;

/// The query of a request, until everything in it was taken.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::of(&parts.uri)
    }
}

impl Params {
    /// Reads the query of an address.
    pub(super) fn of(uri: &Uri) -> Result<Self, ApiError> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
        let Query(pairs) = query.map_err(|error| ApiError::malformed(error.to_string()))?;
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(ApiError::Malformed { field: Some(shown(name)), why: "the parameter is repeated".into() });
            }
        }
        Ok(Self(pairs))
    }

    /// Takes a parameter; one without a value counts as left out.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1).filter(|value| !value.is_empty())
    }

    /// Takes a parameter of a type that reads itself.
    pub(super) fn parse<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Result<Option<T>, ApiError> {
        self.with(name, expected, |text| text.parse().ok())
    }

    /// Takes a parameter that `read` understands.
    pub(super) fn with<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(&text).map(Some).ok_or_else(|| ApiError::BadParameter { name, expected: expected.to_owned() })
    }

    /// Takes a local day.
    pub(super) fn day(&mut self, name: &'static str) -> Result<Option<LocalDay>, ApiError> {
        self.parse(name, "a day like 2023-11-30")
    }

    /// Takes a place or unit.
    pub(super) fn org(&mut self, name: &'static str) -> Result<Option<OrgCode>, ApiError> {
        self.parse(name, "an org code: 6, 9, 12 or 15 digits, or a unit code")
    }

    /// Refuses whatever nobody took.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(ApiError::UnknownParameter { name: shown(&name) }),
            None => Ok(()),
        }
    }
}

/// A stranger's text, cut to what an answer may carry.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn params(query: &str) -> Result<Params, ApiError> {
        let request = http::Request::builder().uri(format!("/x?{query}")).body(()).unwrap();
        Params::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn what_nobody_took_is_refused_by_name() {
        let mut params = params("from=2023-11-01&form=2023-11-30").await.unwrap();
        assert_eq!(params.day("from").unwrap().map(|day| day.to_string()).as_deref(), Some("2023-11-01"));
        assert_eq!(params.finish(), Err(ApiError::UnknownParameter { name: "form".into() }));
    }

    #[tokio::test]
    async fn a_bad_value_is_refused_with_what_was_expected() {
        let mut params = params("to=2023-02-30&scope=here").await.unwrap();
        assert!(matches!(params.day("to"), Err(ApiError::BadParameter { name: "to", .. })));
        assert!(matches!(params.org("scope"), Err(ApiError::BadParameter { name: "scope", .. })));
    }

    #[tokio::test]
    async fn an_empty_value_is_none_and_a_repeated_name_is_refused() {
        let mut empty = params("q=&mode").await.unwrap();
        assert_eq!((empty.text("q"), empty.text("mode"), empty.text("unit")), (None, None, None));
        assert_eq!(empty.finish(), Ok(()));
        assert!(matches!(params("q=1&q=2").await, Err(ApiError::Malformed { field: Some(_), .. })));
    }
}
