use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http_body_util::BodyExt;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use xunge_client_core::model::{DeviceId, PhotoHash};
use xunge_client_core::photo::synthetic::{self, Moment};

use super::*;
use crate::auth::keys::Keys;
use crate::auth::token::{Subject, Use};
use crate::clock::Business;
use crate::config::Config;
use crate::datadir::DataDir;
use crate::domain::directory::install::install;
use crate::params;
use crate::reference::{taxonomy::Taxonomy, xixia};
use crate::store::{Options, Store, StoreError};

/// A server with the example's users and one phone of its first inspector.
struct Bench {
    app: App,
    router: Router,
    inspector: String,
    admin: String,
    _folder: tempfile::TempDir,
}

const PHONE: DeviceId = DeviceId::from_bytes([7; 16]);

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(&folder.path().join("data")).unwrap();
        Keys::create(&data.keys()).unwrap();
        let store = Store::open(&data.database(), &Options { inline: true, ..Options::default() }).unwrap();
        let org = xixia::org_file().validate().unwrap();
        let users: Result<Vec<_>, StoreError> = store
            .write(move |tx| {
                Box::pin(async move {
                    install(tx, &org, Taxonomy::builtin(), 1, Millis(0)).await?;
                    let sql = "SELECT MIN(id) FROM user_account WHERE role IN ('inspector', 'admin') GROUP BY role ORDER BY role";
                    let users = tx.query(sql, params![]).await?;
                    tx.execute(
                        "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at)
                         VALUES (?1, ?2, ?3, ?4, 'phone', 0)",
                        params![PHONE.as_bytes(), users[1].text(0)?, [1; 32], Vec::new()],
                    )
                    .await?;
                    users.iter().map(|row| row.text(0).map(str::to_owned)).collect()
                })
            })
            .await;
        let users = users.unwrap();
        store.close().await.unwrap();
        let app = tokio::task::spawn_blocking(|| App::open(data, Config::default(), Business::real()))
            .await
            .unwrap()
            .unwrap();
        let router = crate::api::router(app.clone());
        Self { app, router, admin: users[0].clone(), inspector: users[1].clone(), _folder: folder }
    }

    /// A bearer token: of the phone for uploads only, or of the administrator for everything.
    fn token(&self, phone: bool) -> String {
        let (user, device, usage) = if phone {
            (self.inspector.clone(), Some(PHONE), Use::Upload)
        } else {
            (self.admin.clone(), None, Use::Api)
        };
        let subject = Subject { user, device, perm_version: 1, usage };
        format!("Bearer {}", self.app.tokens.issue(&subject, self.app.services.security.now()))
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send_as(&self.token(true), method, path, headers, body).await
    }

    async fn send_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(header::AUTHORIZATION, token);
        if !headers.iter().any(|(name, _)| *name == "tus-resumable") {
            request = request.header(TUS_RESUMABLE, VERSION);
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let problem = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let code = problem.and_then(|problem| Some(problem["code"].as_str()?.to_owned()));
        Answer { status: parts.status.as_u16(), headers: parts.headers, code }
    }

    async fn begin(&self, bytes: &[u8]) -> String {
        let metadata = format!("sha256 {}", STANDARD.encode(PhotoHash::of(bytes).to_string()));
        let headers = [("upload-length", &*bytes.len().to_string()), ("upload-metadata", &*metadata)];
        let answer = self.send("POST", "/v1/photos", &headers, Body::empty()).await;
        assert_eq!((answer.status, answer.header("upload-offset")), (201, "0"));
        answer.header("location").to_owned()
    }

    async fn append(&self, location: &str, offset: usize, bytes: &[u8], more: &[(&str, &str)]) -> Answer {
        let offset = offset.to_string();
        let headers = [&[("upload-offset", &*offset), ("content-type", OFFSET_STREAM)], more].concat();
        self.send("PATCH", location, &headers, bytes.to_vec()).await
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    code: Option<String>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.header("tus-resumable"), VERSION);
        (self.status, self.code.as_deref().unwrap_or_default())
    }
}

fn photo() -> Vec<u8> {
    synthetic::jpeg(5, Moment::After, 64, 48)
}

#[tokio::test]
async fn the_server_says_what_it_can_do_to_anybody() {
    let bench = Bench::new().await;
    let answer = bench.send_as("", "OPTIONS", "/v1/photos", &[("tus-resumable", "")], Body::empty()).await;
    assert_eq!((answer.status, answer.header("tus-version")), (204, "1.0.0"));
    assert_eq!(answer.header("tus-extension"), EXTENSIONS);
    assert_eq!(answer.header("tus-checksum-algorithm"), "sha1,sha256");
    assert_eq!(answer.header("tus-max-size"), uploads::MAX_BYTES.to_string());
}

#[tokio::test]
async fn a_photo_is_sent_in_two_pieces_and_stored() {
    let bench = Bench::new().await;
    let bytes = photo();
    let location = bench.begin(&bytes).await;
    assert_eq!(location, format!("/v1/photos/{}", PhotoHash::of(&bytes)));
    let first = bench.append(&location, 0, &bytes[..100], &[]).await;
    assert_eq!((first.status, first.header("upload-offset")), (204, "100"));
    assert!(first.header("upload-expires").ends_with(" GMT"));
    let names = ["content-length", "tus-resumable", "upload-expires", "upload-offset"];
    assert_eq!(first.names(), names, "a phone pays for every byte");

    let asked = bench.send("HEAD", &location, &[], Body::empty()).await;
    assert_eq!((asked.status, asked.header("upload-offset")), (200, "100"));
    assert_eq!(asked.header("upload-length"), bytes.len().to_string());
    assert_eq!(asked.header("cache-control"), "no-store");
    let names =
        ["cache-control", "content-length", "tus-resumable", "upload-expires", "upload-length", "upload-offset"];
    assert!(asked.names().iter().all(|name| names.contains(name)), "{:?}", asked.names());

    let last = bench.append(&location, 100, &bytes[100..], &[]).await;
    assert_eq!((last.status, last.header("upload-offset")), (204, &*bytes.len().to_string()));
    assert_eq!(bench.app.blobs.get(PhotoHash::of(&bytes)).await.unwrap(), bytes);
    let asked = bench.send("HEAD", &location, &[], Body::empty()).await;
    assert_eq!(asked.header("upload-offset"), bytes.len().to_string());
}

#[tokio::test]
async fn a_stock_client_with_only_a_token_creates_and_sends_in_one_request() {
    let bench = Bench::new().await;
    let bytes = photo();
    let headers =
        [("upload-length", &*bytes.len().to_string()), ("upload-metadata", ""), ("content-type", OFFSET_STREAM)];
    let token = bench.token(false);
    let answer = bench.send_as(&token, "POST", "/v1/photos", &headers, bytes.clone()).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (201, &*bytes.len().to_string()));
    let location = answer.header("location").to_owned();
    assert_eq!(location.len(), "/v1/photos/".len() + 26);
    assert_eq!(bench.app.blobs.get(PhotoHash::of(&bytes)).await.unwrap(), bytes);
    // Nobody else sees it.
    assert_eq!(bench.send("HEAD", &location, &[], Body::empty()).await.status, 404);
    assert_eq!(bench.send_as(&token, "HEAD", &location, &[], Body::empty()).await.status, 200);
}

#[tokio::test]
async fn each_mistake_has_its_status_and_says_how_to_go_on() {
    let bench = Bench::new().await;
    let bytes = photo();
    let location = bench.begin(&bytes).await;
    let wrong_place = bench.append(&location, 7, &bytes[7..], &[]).await;
    assert_eq!(wrong_place.refusal(), (409, "upload_offset"));
    assert_eq!(wrong_place.header("upload-offset"), "0");
    let sum = format!("sha1 {}", STANDARD.encode(Sha1::digest(b"other")));
    assert_eq!(
        bench.append(&location, 0, &bytes, &[("upload-checksum", &sum)]).await.refusal(),
        (460, "upload_checksum")
    );
    let more = [&bytes[..], b"!"].concat();
    assert_eq!(bench.append(&location, 0, &more, &[]).await.refusal(), (413, "upload_too_long"));
    let other = vec![9; bytes.len()];
    assert_eq!(bench.append(&location, 0, &other, &[]).await.refusal(), (460, "photo_hash"));
    let html = [("upload-offset", "0"), ("content-type", "text/html")];
    assert_eq!(bench.send("PATCH", &location, &html, bytes.clone()).await.refusal(), (415, "wrong_media_type"));
    for version in ["", "0.2.2"] {
        let headers = [("tus-resumable", version), ("upload-offset", "0"), ("content-type", OFFSET_STREAM)];
        let answer = bench.send("PATCH", &location, &headers, bytes.clone()).await;
        assert_eq!((answer.refusal(), answer.header("tus-version")), ((412, "tus_version"), "1.0.0"));
    }
    for (length, status, code) in
        [("0", 413, "photo_size"), ("99999999999", 413, "photo_size"), ("x", 400, "malformed")]
    {
        let answer = bench.send("POST", "/v1/photos", &[("upload-length", length)], Body::empty()).await;
        assert_eq!(answer.refusal(), (status, code));
    }
    for nowhere in ["/v1/photos/..%2f..%2fkeys", "/v1/photos/01HFU000000000000000000000"] {
        assert_eq!(bench.append(nowhere, 0, &bytes, &[]).await.refusal(), (404, "upload_not_found"));
    }
    // After all of that the upload stands where it stood.
    let sum = format!("sha256 {}", STANDARD.encode(Sha256::digest(&bytes)));
    assert_eq!(bench.append(&location, 0, &bytes, &[("upload-checksum", &sum)]).await.status, 204);
}

#[tokio::test]
async fn a_problem_in_english_still_says_where_the_upload_stands() {
    let bench = Bench::new().await;
    let location = bench.begin(&photo()).await;
    let answer = bench.append(&location, 3, b"x", &[("accept-language", "en")]).await;
    assert_eq!((answer.header("upload-offset"), answer.header("content-language")), ("0", "en"));
    assert_eq!(answer.refusal().0, 409);
}

#[tokio::test]
async fn an_upload_is_ended_by_its_owner_but_never_a_stored_photo() {
    let bench = Bench::new().await;
    let bytes = photo();
    let location = bench.begin(&bytes).await;
    bench.append(&location, 0, &bytes[..50], &[]).await;
    let stranger = bench.token(false);
    let refused = bench.send_as(&stranger, "DELETE", &location, &[], Body::empty()).await;
    assert_eq!(refused.refusal(), (404, "upload_not_found"));
    assert_eq!(bench.send("DELETE", &location, &[], Body::empty()).await.status, 204);
    assert_eq!(bench.send("HEAD", &location, &[], Body::empty()).await.status, 404);

    let location = bench.begin(&bytes).await;
    bench.append(&location, 0, &bytes, &[]).await;
    assert_eq!(bench.send("DELETE", &location, &[], Body::empty()).await.refusal(), (409, "photo_stored"));
}

#[tokio::test]
async fn a_client_that_can_only_post_says_which_method_it_means() {
    let bench = Bench::new().await;
    let bytes = photo();
    let location = bench.begin(&bytes).await;
    let patch = [("x-http-method-override", "PATCH"), ("upload-offset", "0"), ("content-type", OFFSET_STREAM)];
    assert_eq!(bench.send("POST", &location, &patch, bytes[..9].to_vec()).await.header("upload-offset"), "9");
    assert_eq!(bench.send("POST", &location, &[("x-http-method-override", "DELETE")], Body::empty()).await.status, 204);
    assert_eq!(bench.send("POST", &location, &[], Body::empty()).await.refusal(), (405, "method_not_allowed"));
}

#[tokio::test]
async fn a_link_that_breaks_keeps_what_it_brought() {
    let bench = Bench::new().await;
    let bytes = photo();
    let location = bench.begin(&bytes).await;
    let pieces =
        [Ok(Bytes::copy_from_slice(&bytes[..80])), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    let headers = [("upload-offset", "0"), ("content-type", OFFSET_STREAM)];
    bench.send("PATCH", &location, &headers, Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(bench.send("HEAD", &location, &[], Body::empty()).await.header("upload-offset"), "80");
}

#[tokio::test]
async fn without_a_token_nothing_begins() {
    let bench = Bench::new().await;
    let answer = bench.send_as("", "POST", "/v1/photos", &[("upload-length", "9")], Body::empty()).await;
    assert_eq!(answer.status, 401);
}
