//! An installation in a folder of its own, with scripted phones and browsers without a screen.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tower::ServiceExt;
use xunge_client_core::model::{CaseId, Facts, LocalDay, Millis, Mode, PhotoHash};
use xunge_client_core::photo::synthetic::{self, Moment};

use super::html::Html;
use crate::app::App;
use crate::auth::keys::Keys;
use crate::auth::{account, password};
use crate::clock::Business;
use crate::config::Config;
use crate::console::{link, session};
use crate::datadir::DataDir;
use crate::domain::directory::install::install;
use crate::params;
use crate::reference::{taxonomy::Taxonomy, xixia};
use crate::store::{Options, Store, StoreError};
use crate::testing::{District, facts};

pub(super) const PASSWORD: &str = "贺兰山下的蓝马鸡叫了";
pub(super) const HOST: &str = "127.0.0.1:8080";
/// A reviewer, an inspector of the same town, and a reviewer of another.
pub(super) const REVIEWER: &str = "review-ninghua-1";
pub(super) const INSPECTOR: &str = "insp-ninghua-1";
pub(super) const STRANGER: &str = "review-huaiyuan-1";

/// An installation.
pub(super) struct Office {
    pub(super) app: App,
    pub(super) district: District,
    router: Router,
    _folder: tempfile::TempDir,
}

/// Somebody's browser: cookies and the language it prefers.
#[derive(Debug, Clone, Default)]
pub(super) struct Browser {
    pub(super) cookies: Vec<(String, String)>,
    pub(super) csrf: String,
    pub(super) language: &'static str,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The page, after every rule was checked on it.
    pub(super) fn page(&self, what: &str) -> Html {
        let html = Html::read(&self.text());
        html.check(what);
        html
    }

    pub(super) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", String::from_utf8_lossy(&self.body));
        self.headers[header::LOCATION].to_str().unwrap()
    }
}

impl Office {
    /// The example district on 15 November 2023, noon, without a single report.
    pub(super) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// The same with settings of its own.
    pub(super) async fn with(config: Config) -> Self {
        static HASH: LazyLock<String> = LazyLock::new(|| password::hash(PASSWORD));
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(&folder.path().join("data")).unwrap();
        Keys::create(&data.keys()).unwrap();
        let noon = LocalDay::new(2023, 11, 15).unwrap().start().plus_ms(12 * 3_600_000);
        let org = Arc::new(xixia::org_file().validate().unwrap());
        let store = Store::open(&data.database(), &Options::default()).unwrap();
        store
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    install(tx, &org, Taxonomy::builtin(), 1, Millis(0)).await?;
                    account::set_password(tx, REVIEWER, &HASH).await
                })
            })
            .await
            .unwrap();
        store.close().await.unwrap();
        let app = tokio::task::spawn_blocking(move || App::open(data, config, Business::standing(noon)).unwrap())
            .await
            .unwrap();
        let district = District::of(app.services.clone());
        Self { router: crate::console::router(app.clone()), district, app, _folder: folder }
    }

    /// A browser in which `user` is logged in.
    pub(super) async fn browser(&self, user: &str) -> Browser {
        let (user, now) = (user.to_owned(), self.app.services.security.now());
        let (token, csrf) = self
            .app
            .services
            .store
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    let begun = session::begin(tx, &user, now).await?;
                    let found = session::find(tx, &begun.token, now).await?.unwrap();
                    Ok((begun.token, found.csrf))
                })
            })
            .await
            .unwrap();
        Browser { cookies: vec![("__Host-xunge".to_owned(), token)], csrf, language: "zh-CN" }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) fn request(browser: &Browser, method: Method, path: &str) -> http::request::Builder {
        let mut cookies = String::new();
        for (name, value) in &browser.cookies {
            cookies += &format!("{}{name}={value}", if cookies.is_empty() { "" } else { "; " });
        }
        let mut builder =
            Request::builder().method(method).uri(path).header("host", HOST).header("accept", "text/html");
        if !browser.language.is_empty() {
            builder = builder.header("accept-language", browser.language);
        }
        if !cookies.is_empty() {
            builder = builder.header("cookie", cookies);
        }
        builder
    }

    pub(super) async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.send(Self::request(browser, Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// A page that must be there.
    pub(super) async fn page(&self, browser: &Browser, path: &str) -> Html {
        let answer = self.get(browser, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.page(path)
    }

    /// Sends a form as a browser of this site does.
    pub(super) async fn post(&self, browser: &Browser, path: &str, fields: &[(String, String)]) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", link::encode(name), link::encode(value))).collect();
        let request = Self::request(browser, Method::POST, path)
            .header("origin", format!("http://{HOST}"))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    /// Sends a form with photos as a browser does.
    pub(super) async fn send_photos(
        &self,
        browser: &Browser,
        path: &str,
        fields: &[(String, String)],
        photos: &[Vec<u8>],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields.iter().filter(|(name, _)| name != "file") {
            body.extend(
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
            );
        }
        for photo in photos {
            let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"1.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n";
            body.extend(head.as_bytes());
            body.extend(photo);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        let request = Self::request(browser, Method::POST, path)
            .header("origin", format!("http://{HOST}"))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "multipart/form-data; boundary=b");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Reports a case from a new phone of this user.
    pub(super) async fn report(&self, user: &str, facts: &Facts) -> CaseId {
        let mut phone = self.district.phone(user).await;
        let case = phone.report(facts);
        phone.drain(&self.district).await;
        case
    }

    /// A plain report of the inspector, `number` telling it from others; its photos have arrived.
    pub(super) async fn simple(&self, user: &str, number: u64, mode: Mode) -> CaseId {
        let case = self.report(user, &facts(number, mode, self.app.services.business.now())).await;
        self.district.photos_arrive(case).await;
        case
    }

    /// A real photo, stored and named by a case, as if a phone had sent it.
    pub(super) async fn photo(&self, case: CaseId, seed: u64, role: &str) -> PhotoHash {
        let moment = if role == "after" { Moment::After } else { Moment::Before };
        let bytes = synthetic::jpeg(seed, moment, 640, 480);
        let hash = PhotoHash::of(&bytes);
        let staged = self.app.data.root().join(format!("staged-{hash}"));
        let size = bytes.len() as i64;
        std::fs::write(&staged, bytes).unwrap();
        self.app.blobs.put_verified(hash, staged).await.unwrap();
        let sql = "INSERT INTO photo (case_id, sha256, district, role, mime, size_bytes, width, height, taken_at,
            announced_at, present) VALUES (?1, ?2, '640105', ?3, 'image/jpeg', ?4, 640, 480, ?5, 0, 1)";
        let now = self.app.services.business.now();
        let params = params![case.as_bytes(), hash.as_bytes(), role, size, now.0].to_vec();
        self.district.run(sql, params).await;
        hash
    }
}

/// The form with some of its values replaced.
pub(super) fn with(mut form: Vec<(String, String)>, values: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in values {
        match form.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = (*value).to_owned(),
            None => form.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    form
}
