//! What a form or an address carries: names and values as they came, kept so that nothing typed is lost.

use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use xunge_client_core::model::OrgCode;

/// Names with their values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sent(pub(crate) Vec<(String, String)>);

impl Sent {
    /// The first value of a name without the blanks around it; empty if it is absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// The same, `None` if there is nothing.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// The value as something with a text form: `Ok(None)` if nothing was given, `Err` if it is not that.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, T::Err> {
        self.given(name).map(str::parse).transpose()
    }

    /// An org code, if there is one.
    pub(crate) fn org(&self, name: &str) -> Option<OrgCode> {
        self.parsed(name).ok().flatten()
    }

    /// What an address of ours carries.
    pub(crate) fn of_link(link: &str) -> Self {
        link.split_once('?').and_then(|(_, query)| Self::read(query.as_bytes())).unwrap_or_default()
    }

    /// Reads `a=1&b=2`, percent-decoded; nothing at all if it is malformed.
    fn read(text: &[u8]) -> Option<Self> {
        let uri = format!("/?{}", std::str::from_utf8(text).ok()?).parse().ok()?;
        Query::try_from_uri(&uri).ok().map(|Query(pairs)| Self(pairs))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Sent {
    type Rejection = std::convert::Infallible;

    /// The query of the address; a malformed one counts as none.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Query::try_from_uri(&parts.uri).map(|Query(pairs)| Self(pairs)).unwrap_or_default())
    }
}

/// What a POST carries; empty if it can not be read, and then it has no token either.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentForm(pub(crate) Sent);

impl<S: Send + Sync> FromRequest<S> for SentForm {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let form = Form::from_request(request, state).await;
        Ok(Self(form.map(|Form(pairs)| Sent(pairs)).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_as_they_were_typed() {
        let sent = Sent::read("a=1&text=%E5%9E%83%E5%9C%BE+%26%3Cb%3E%0D%0A&a=2&empty=".as_bytes()).unwrap();
        assert_eq!((sent.get("a"), sent.get("text"), sent.get("empty"), sent.get("b")), ("1", "垃圾 &<b>", "", ""));
        assert_eq!(sent.parsed::<u32>("a"), Ok(Some(1)));
        assert!(sent.parsed::<u32>("text").is_err());
        assert_eq!(sent.parsed::<u32>("empty"), Ok(None));
    }

    #[tokio::test]
    async fn a_form_may_be_as_large_as_its_page_takes() {
        let table = "a,b\r\n".repeat(50_000);
        let request = Request::post("/x").header("content-type", "application/x-www-form-urlencoded");
        let body = format!("do=apply&text={}", table.replace("\r\n", "%0D%0A"));
        let SentForm(sent) = SentForm::from_request(request.body(body.into()).unwrap(), &()).await.unwrap();
        assert_eq!((sent.get("do"), sent.get("text")), ("apply", table.trim()));
    }

    #[test]
    fn what_is_no_form_is_an_empty_one() {
        for body in [&b"\xff\xfe"[..], b"\0", b"a"] {
            assert_eq!(Sent::read(body).unwrap_or_default().get("a"), "", "{body:?}");
        }
        assert_eq!(Sent::read(b"a=%ff").unwrap().get("a"), "\u{fffd}", "bytes that are no text show as such");
    }
}
