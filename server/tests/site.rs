//! An installation in a folder of its own, and requests to it without a socket.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use xunge_client_core::model::{DeviceId, Millis, Role};
use xunge_server::api;
use xunge_server::app::App;
use xunge_server::auth::token::{Subject, Use};
use xunge_server::auth::{account, device};
use xunge_server::cli::init::{InitReport, init};
use xunge_server::clock::{Business, Security};
use xunge_server::config::Config;
use xunge_server::datadir::DataDir;
use xunge_server::reference::org_file::OrgFile;
use xunge_server::store::StoreError;

/// Noon of 6 November 2023 in Yinchuan: where the business clock of every site stands.
pub(crate) const NOON: Millis = Millis(1_699_243_200_000);

/// Hashing the passwords of an office takes a while by design, so one folder is made and copied.
static TEMPLATE: LazyLock<(tempfile::TempDir, InitReport)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let file = OrgFile::from_json(include_str!("../../docs/examples/org.json")).unwrap();
    let report = init(&folder.path().join("data"), &file.validate().unwrap(), Security.now()).unwrap();
    (folder, report)
});

/// One installation.
pub(crate) struct Site {
    pub(crate) app: App,
    router: Router,
    _folder: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The code of the problem, empty for an answer that is none.
    pub(crate) fn code(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Site {
    /// A fresh installation of the documented example.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&TEMPLATE.0.path().join("data"), &folder.path().join("data"));
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        let open = move || App::open(data, Config::default(), Business::standing(NOON)).unwrap();
        let app = tokio::task::spawn_blocking(open).await.unwrap();
        Self { router: api::router(app.clone()), app, _folder: folder }
    }

    /// What `init` said about a user.
    pub(crate) fn secret(user: &str) -> String {
        let user = TEMPLATE.1.users.iter().find(|known| known.user == user).unwrap();
        user.password.clone().or(user.enrol_code.clone()).unwrap()
    }

    /// A user of each role.
    pub(crate) fn users() -> Vec<(Role, &'static str)> {
        vec![
            (Role::Inspector, "insp-1"),
            (Role::TownOffice, "review-1"),
            (Role::Dispatcher, "dispatch-1"),
            (Role::HandlingUnit, "handle-1"),
            (Role::DutyLeader, "leader-1"),
            (Role::Hotline, "hotline-1"),
            (Role::Auditor, "audit-1"),
            (Role::Admin, "admin"),
        ]
    }

    /// A good token of this user, as a log-in gives it.
    pub(crate) async fn token(&self, user: &str) -> String {
        self.token_with(user, |subject| subject).await
    }

    /// A token of this user with something about it changed.
    pub(crate) async fn token_with(&self, user: &str, change: impl FnOnce(Subject) -> Subject) -> String {
        let id = user.to_owned();
        let account = self
            .app
            .services
            .store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { account::find(tx, &id).await }));
        let perm_version = account.await.unwrap().unwrap().perm_version;
        let subject = Subject { user: user.to_owned(), device: None, perm_version, usage: Use::Api };
        self.app.tokens.issue(&change(subject), Security.now())
    }

    /// Closes or opens an account, as the command line does.
    pub(crate) async fn set_disabled(&self, user: &'static str, at: Option<Millis>) {
        let done =
            self.app.services.store.write::<_, StoreError, _>(move |tx| Box::pin(account::set_disabled(tx, user, at)));
        assert!(done.await.unwrap());
    }

    /// Makes every phone have joined so many milliseconds earlier.
    pub(crate) async fn backdate_phones(&self, ms: i64) {
        let sql = "UPDATE device SET enrolled_at = enrolled_at - ?1";
        let store = &self.app.services.store;
        let done =
            store.write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.execute(sql, &[ms.into()]).await }));
        assert!(done.await.unwrap() > 0);
    }

    /// Shuts a phone out, as the command line does.
    pub(crate) async fn revoke(&self, id: DeviceId) {
        let done = self.app.services.store.write::<_, StoreError, _>(move |tx| Box::pin(device::revoke(tx, id, NOON)));
        assert!(done.await.unwrap());
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send(request(Method::GET, path, token, &[]).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.post_with(path, token, &[], body).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let request = request(Method::POST, path, token, headers).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// An answer whose body is still to come.
    pub(crate) async fn open(&self, path: &str, token: Option<&str>) -> axum::response::Response {
        let request = request(Method::GET, path, token, &[]).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // A stream has no end to wait for.
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Vec::new() } else { body.collect().await.unwrap().to_bytes().to_vec() };
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// A request without its body.
pub(crate) fn request(
    method: Method,
    path: &str,
    token: Option<&str>,
    headers: &[(&str, &str)],
) -> http::request::Builder {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
