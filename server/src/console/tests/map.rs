//! The map: who sees which part of it, where it leads, and what lies under it.

use axum::http::StatusCode;
use xunge_client_core::model::{Facts, Mode};

use super::office::{INSPECTOR, Office, REVIEWER};
use crate::config::Config;
use crate::console::lang::Lang;
use crate::console::words;
use crate::testing::facts;

#[tokio::test]
async fn a_map_leads_from_the_district_to_the_cases_themselves() {
    let office = Office::new().await;
    let case = office.simple(INSPECTOR, 1, Mode::SelfHandled).await;
    let now = office.app.services.business.now();
    let nowhere = Facts { point: None, ..facts(2, Mode::Forwarded, now) };
    office.report(INSPECTOR, &nowhere).await;
    let browser = office.browser("audit-1").await;
    let page = office.page(&browser, "/map").await;
    assert_eq!(page.all("polygon").count(), 144, "every grid is drawn");
    assert!(page.text_of("desc").contains("（1 件）"), "{}", page.text_of("desc"));
    assert!(page.text_of("th").contains("网格外"), "what lies nowhere is counted as that");
    let community = page.all("a").find(|it| it.attr("aria-label").ends_with("上报 1")).unwrap().attr("href").to_owned();
    assert!(community.contains("place="), "{community}");
    let page = office.page(&browser, &community).await;
    assert_eq!((page.all("polygon").count(), page.all("circle").count()), (4, 2), "a case and the legend's circle");
    let links: Vec<&str> = page.all("a").map(|it| it.attr("href")).collect();
    assert!(links.iter().filter(|href| **href == format!("/cases/{case}")).count() == 2, "a point and a row");
    assert!(page.text_of("nav").contains("西夏区"), "the way back up");
    let reviewer = office.browser(REVIEWER).await;
    assert_eq!(office.page(&reviewer, "/map").await.all("polygon").count(), 16, "a town office sees its own street");
    assert_eq!(office.get(&reviewer, "/map?place=640105001").await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.get(&browser, "/map?place=640105999").await.status, StatusCode::NOT_FOUND);
    let unit = office.browser("handle-huanwei").await;
    assert_eq!(office.get(&unit, "/map").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn in_the_first_week_map_and_overview_show_the_month_before_unless_nothing_was_reported_in_it() {
    for reported_before in [true, false] {
        let office = Office::new().await;
        if reported_before {
            office.simple(INSPECTOR, 1, Mode::SelfHandled).await;
        }
        let clock = &office.app.services.business;
        let this = clock.now().local_day().month().next();
        clock.advance(this.first().start().0 - clock.now().0 + 86_400_000);
        office.simple(INSPECTOR, 2, Mode::SelfHandled).await;
        let browser = office.browser("audit-1").await;
        let month = words::month(Lang::Zh, if reported_before { this.previous() } else { this });
        for path in ["/", "/map"] {
            let heading = office.page(&browser, path).await.text_of("h1");
            assert!(heading.contains(&month), "{path}: {heading}");
        }
        let asked = office.page(&browser, &format!("/map?month={}", this.next())).await.text_of("h1");
        assert!(asked.contains(&words::month(Lang::Zh, this.next())), "who asks for a month gets it: {asked}");
    }
}

#[tokio::test]
async fn a_base_map_comes_from_this_site_and_to_people_of_the_office_only() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("12/3254")).unwrap();
    std::fs::write(folder.path().join("12/3254/1577.png"), b"a tile").unwrap();
    let config = Config {
        base_map_folder: Some(folder.path().to_owned()),
        base_map_note: Some("审图号：示例".to_owned()),
        ..Config::default()
    };
    let office = Office::with(config).await;
    let browser = office.browser(REVIEWER).await;
    let page = office.page(&browser, "/map").await;
    let tiles: Vec<&str> = page.all("image").map(|it| it.attr("href")).collect();
    assert!(!tiles.is_empty() && tiles.iter().all(|href| href.starts_with("/console/tiles/")), "{tiles:?}");
    assert!(page.text_of("p").contains("审图号"));
    let tile = office.get(&browser, "/console/tiles/12/3254/1577").await;
    assert_eq!(
        (tile.status, &tile.body[..], &tile.headers["content-type"]),
        (StatusCode::OK, &b"a tile"[..], &"image/png".parse().unwrap())
    );
    assert_eq!(office.get(&browser, "/console/tiles/12/3254/1578").await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.get(&browser, "/console/tiles/12/../1577").await.status, StatusCode::BAD_REQUEST);
    let stranger = super::office::Browser::default();
    assert_eq!(office.get(&stranger, "/console/tiles/12/3254/1577").await.status, StatusCode::SEE_OTHER);
    let plain = Office::new().await;
    let page = plain.page(&plain.browser(REVIEWER).await, "/map").await;
    assert_eq!(page.all("image").count(), 0, "without a base map the grids stand alone");
}
