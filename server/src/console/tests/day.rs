//! A reviewer's own day, and the order of the queue.

use axum::http::StatusCode;
use xunge_client_core::model::Mode;
use xunge_client_core::workflow::{Payload, Verb};

use super::html::Html;
use super::office::{INSPECTOR, Office, REVIEWER};
use crate::testing::facts;

/// The figures of the page: label and value.
fn figures(page: &Html) -> Vec<(String, String)> {
    let of = |name: &'static str| page.elements.iter().filter(move |it| it.name == name && it.attr("class") != "note");
    let labels = of("dt").map(|it| it.text.trim().to_owned());
    labels.zip(of("dd").map(|it| it.text.trim().to_owned())).collect()
}

#[tokio::test]
async fn the_day_counts_what_its_reader_decided_and_every_number_opens_what_it_counts() {
    let office = Office::new().await;
    let mut cases = Vec::new();
    for number in 0..6 {
        let mode = if number < 3 { Mode::SelfHandled } else { Mode::Forwarded };
        cases.push(office.simple(INSPECTOR, number, mode).await);
    }
    let clock = &office.app.services.business;
    let reason = |text: &str| Payload { reason: Some(text.to_owned()), ..Payload::default() };
    let act = async |user: &str, case: usize, verb: Verb, payload: Payload| {
        clock.advance(600_000);
        office.district.act(user, cases[case], verb, payload).await.unwrap();
    };
    act(REVIEWER, 0, Verb::ApproveSelfHandled, Payload::default()).await;
    act(REVIEWER, 1, Verb::ApproveSelfHandled, Payload::default()).await;
    act(REVIEWER, 3, Verb::File, Payload::default()).await;
    act("review-ninghua-2", 4, Verb::Void, reason("test")).await;
    act(REVIEWER, 5, Verb::SendBack, Payload { missing: Some("补拍".into()), ..Payload::default() }).await;
    let urge = Payload { urge_level: Some(1), text: Some("请尽快".into()), ..Payload::default() };
    act(REVIEWER, 3, Verb::Urge, urge).await;

    let browser = office.browser(REVIEWER).await;
    let page = office.page(&browser, "/review/day").await;
    let found = figures(&page);
    for (label, value) in [
        ("已审核", "4"),
        ("立案", "1"),
        ("自处审核通过", "2"),
        ("作废", "0"),
        ("退回补充", "1"),
        ("决定用时中位数", "20 分钟"),
        ("本镇街待审", "1"),
        ("最早一件已等", "60 分钟"),
        ("审核超期", "0"),
    ] {
        assert!(found.contains(&(label.to_owned(), value.to_owned())), "{label} {value} in {found:?}");
    }
    let numbers: Vec<_> = page.all("a").filter(|it| it.attr("href").starts_with("/review/day")).collect();
    assert_eq!(numbers.len(), 4, "a zero leads nowhere");
    for number in numbers {
        let listed = office.page(&browser, number.attr("href")).await;
        let rows = listed.all("tr").count() - 1;
        assert_eq!(rows.to_string(), number.text.trim(), "{}", number.attr("href"));
    }
    clock.advance(2 * 86_400_000);
    let page = office.page(&browser, "/review/day").await;
    assert!(figures(&page).contains(&("已审核".to_owned(), "0".to_owned())), "another day");
    assert!(figures(&page).contains(&("审核超期".to_owned(), "1".to_owned())));
    assert!(office.page(&browser, "/review").await.text_of("span").contains("审核超期 1 件"));
    let leader = office.browser("leader-1").await;
    assert_eq!(office.get(&leader, "/review/day").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_long_queue_says_how_long_it_is_and_of_how_many_its_order_is() {
    let office = Office::new().await;
    for part in [0..150, 150..203] {
        let mut phone = office.district.phone(INSPECTOR).await;
        for number in part {
            phone.report(&facts(number, Mode::Forwarded, office.app.services.business.now()));
        }
        phone.drain(&office.district).await;
    }
    let browser = office.browser(REVIEWER).await;
    let said = office.page(&browser, "/review").await.text_of("p");
    assert!(said.contains("待审 203 件") && said.contains("先审最早的 200 件，共 203 件"), "{said}");
    let day = office.page(&browser, "/review/day").await;
    assert!(
        day.text_of("dd").contains("203")
            && day.text_of("dd").contains("全部待审案件中；最早的 200 件里的排在队列最前"),
        "{}",
        day.text_of("dd")
    );
    // What is left once the first are done needs no such words.
    office
        .district
        .run("UPDATE case_row SET state = 'void' WHERE id IN (SELECT id FROM case_row ORDER BY id LIMIT 9)", vec![])
        .await;
    let said = office.page(&browser, "/review").await.text_of("p");
    assert!(!said.contains("先审最早的"), "{said}");
}
