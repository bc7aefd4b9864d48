//! The stream that says when to ask again.

use std::time::Duration;

use axum::body::Body;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::json;
use xunge_client_core::model::CaseId;
use xunge_server::domain::feed::audience::Audience;
use xunge_server::domain::feed::{self, Entry, Kind};
use xunge_server::store::StoreError;
use xunge_server::streams::PER_PERSON;

use crate::phone::{Phone, litter};
use crate::site::Site;

const PATH: &str = "/v1/events/stream";

/// A stream as a program reads it.
struct Stream(Body);

impl Stream {
    async fn open(site: &Site, user: &str) -> Self {
        let answer = site.open(PATH, Some(&site.token(user).await)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self(answer.into_body())
    }

    /// The next piece; none at the end.
    async fn piece(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.0.frame()).await.expect("something comes");
        Some(String::from_utf8(frame?.unwrap().into_data().unwrap().to_vec()).unwrap())
    }

    /// The position of the next event, which says nothing else.
    async fn position(&mut self) -> i64 {
        loop {
            let piece = self.piece().await.expect("the stream goes on");
            if piece == ":\n\n" {
                continue;
            }
            let event = piece.trim_start_matches("retry: 5000\n");
            let position: i64 = event.lines().nth(1).unwrap().trim_start_matches("id: ").parse().unwrap();
            let all = format!("event: moved\nid: {position}\ndata: {{\"position\":{position}}}\n\n");
            assert_eq!(event, all, "a position and nothing else");
            return position;
        }
    }
}

/// A report from a phone; gives its case.
async fn report(site: &Site, number: u8) -> CaseId {
    let mut phone = Phone::join(site, if number == 1 { "insp-1" } else { "insp-2" }, number).await;
    let case = phone.report(number, &litter(&[number; 40]));
    phone.sync(site).await;
    case
}

async fn append_elsewhere(site: &Site, district: &'static str) {
    let entry = Entry {
        case: CaseId::from_bytes([9; 16]),
        kind: Kind::Ledger,
        event: Some((1, [0; 32])),
        changes: Vec::new(),
        origin: None,
        audience: Audience::default(),
    };
    let appended = site
        .app
        .services
        .store
        .write::<_, StoreError, _>(move |tx| Box::pin(async move { feed::append(tx, district, &[entry]).await }));
    appended.await.unwrap();
}

#[tokio::test]
async fn an_event_follows_a_push_and_a_decision() {
    let site = Site::new().await;
    let mut stream = Stream::open(&site, "review-1").await;
    let start = stream.position().await;
    let case = report(&site, 1).await;
    let pushed = stream.position().await;
    assert!(pushed > start);
    let act = json!({"verb": "void", "expected_version": 1, "reason": "test"});
    let path = format!("/v1/cases/{case}/events");
    let token = site.token("review-1").await;
    let answer = site.post_with(&path, Some(&token), &[("idempotency-key", "one")], &act).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.code());
    assert!(stream.position().await > pushed);
}

#[tokio::test]
async fn what_happens_in_another_district_is_not_told() {
    let site = Site::new().await;
    let mut stream = Stream::open(&site, "leader-1").await;
    let start = stream.position().await;
    append_elsewhere(&site, "640199").await;
    assert_eq!(stream.position().await, start + 1);
    append_elsewhere(&site, "640999").await;
    append_elsewhere(&site, "640199").await;
    assert_eq!(stream.position().await, start + 2, "one event for two commits");
}

#[tokio::test]
async fn many_commits_are_told_in_few_events_and_the_newest_is_always_told() {
    let site = Site::new().await;
    let mut stream = Stream::open(&site, "leader-1").await;
    let start = stream.position().await;
    for _ in 0..200 {
        append_elsewhere(&site, "640199").await;
    }
    // Nobody read meanwhile: what was missed is not kept, only where it stands now.
    let mut events = 0;
    loop {
        events += 1;
        if stream.position().await == start + 200 {
            break;
        }
    }
    assert!(events < 50, "{events} events");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let site = Site::new().await;
    let mut stream = Stream::open(&site, "leader-1").await;
    stream.position().await;
    site.app.stopping.cancel();
    assert_eq!(stream.piece().await, None);
}

#[tokio::test]
async fn a_person_has_eight_streams_and_a_phone_none() {
    let site = Site::new().await;
    let token = site.token("leader-1").await;
    let mut open = Vec::new();
    for _ in 0..PER_PERSON {
        open.push(Stream::open(&site, "leader-1").await);
    }
    let refused = site.get(PATH, Some(&token)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert!(refused.headers.contains_key("retry-after"));
    open.pop();
    Stream::open(&site, "leader-1").await.position().await;
    Stream::open(&site, "review-1").await.position().await;
    let phone = site.get(PATH, Some(&site.token("insp-1").await)).await;
    assert_eq!(phone.status, StatusCode::FORBIDDEN);
    // A token in the address is none.
    assert_eq!(site.get(&format!("{PATH}?access_token={token}"), None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get(&format!("{PATH}?access_token={token}"), Some(&token)).await.status, StatusCode::BAD_REQUEST);
}
