//! What came since a page was drawn.

use axum::http::StatusCode;
use xunge_client_core::model::Mode;

use super::office::{INSPECTOR, Office, REVIEWER};

#[tokio::test]
async fn pages_name_where_to_ask_and_hear_what_came_since() {
    let office = Office::new().await;
    office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let browser = office.browser(REVIEWER).await;
    for path in ["/review", "/", "/map"] {
        let page = office.page(&browser, path).await;
        let live = page.all("div").filter(|it| it.attributes.contains_key("data-live")).count();
        assert_eq!(live, usize::from(path != "/review"), "{path}: the part that is drawn anew");
        assert!(page.all("p").any(|it| it.attr("data-stream") == "/console/watch/stream"), "{path}");
    }
    let now = office.app.services.business.now();
    for page in ["review", "overview"] {
        let ask = |since: i64| format!("/console/watch/news?page={page}&since={since}");
        assert_eq!(office.get(&browser, &ask(now.0)).await.text(), "", "nothing came");
        let said = office.get(&browser, &ask(now.0 - 1)).await;
        assert_eq!(said.status, StatusCode::OK);
        assert!(said.text().contains("新到 1 件"), "{}", said.text());
    }
    // Another town's reviewer hears nothing of it.
    let stranger = office.browser(super::office::STRANGER).await;
    let ask = format!("/console/watch/news?page=review&since={}", now.0 - 1);
    assert_eq!(office.get(&stranger, &ask).await.text(), "");
    assert_eq!(office.get(&browser, "/console/watch/news?page=review").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_preview_is_shown_and_named_until_the_photo_is_here() {
    let office = Office::new().await;
    let facts = crate::testing::facts(1, Mode::Forwarded, office.app.services.business.now());
    let case = office.report(INSPECTOR, &facts).await;
    let browser = office.browser(REVIEWER).await;
    let (photo, _) = facts.photos.first_key_value().unwrap();
    let address = format!("/console/cases/{case}/photos/{photo}?size=preview");
    assert_eq!(office.get(&browser, &address).await.status, StatusCode::NOT_FOUND);

    let small =
        xunge_client_core::photo::synthetic::jpeg(1, xunge_client_core::photo::synthetic::Moment::Before, 160, 120);
    let sql = "INSERT INTO photo_preview (device, photo, sha256, size_bytes, at, bytes)
        SELECT device, sha256, ?2, length(?3), 0, ?3 FROM photo WHERE sha256 = ?1";
    let name = xunge_client_core::model::PhotoHash::of(&small);
    office.district.run(sql, crate::params![photo.as_bytes(), name.as_bytes(), small].to_vec()).await;
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("p").contains("预览"));
    assert!(office.page(&browser, "/cases").await.text_of("td").contains("0/1"), "it is not counted");
    let shown = office.get(&browser, &address).await;
    assert_eq!((shown.status, &shown.headers["content-type"]), (StatusCode::OK, &"image/jpeg".parse().unwrap()));
    assert_eq!(shown.headers["cache-control"], "private, no-store");
    let stranger = office.browser(super::office::STRANGER).await;
    assert_eq!(office.get(&stranger, &address).await.status, StatusCode::NOT_FOUND);
}
