//! Approving several self-handled reports at once.

use axum::http::StatusCode;
use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{Payload, Verb};

use super::html::Html;
use super::office::{Browser, INSPECTOR, Office, REVIEWER, STRANGER};
use crate::console::bulk::MOST;

/// Three self-handled reports, the last one without its after photo, and a forwarded one.
async fn scene() -> (Office, Browser, Vec<CaseId>) {
    let office = Office::new().await;
    let mut cases = Vec::new();
    for number in 0..2 {
        cases.push(office.simple(INSPECTOR, number, Mode::SelfHandled).await);
    }
    let facts = crate::testing::facts(2, Mode::SelfHandled, office.app.services.business.now());
    cases.push(office.report(INSPECTOR, &facts).await);
    cases.push(office.simple(INSPECTOR, 3, Mode::Forwarded).await);
    let browser = office.browser(REVIEWER).await;
    (office, browser, cases)
}

fn boxes(page: &Html) -> Vec<(CaseId, bool)> {
    let boxes = page.all("input").filter(|it| it.attr("type") == "checkbox");
    boxes.map(|it| (it.attr("value").parse().unwrap(), it.has("checked"))).collect()
}

fn preview(cases: &[CaseId]) -> String {
    let query: Vec<String> = cases.iter().map(|case| format!("case={case}")).collect();
    format!("/review/bulk/preview?{}", query.join("&"))
}

fn outcomes(page: &Html) -> Vec<String> {
    let of = |it: &&super::html::Element| it.name == "p" && ["good", "bad"].contains(&it.attr("class"));
    page.elements.iter().filter(of).map(|it| it.text.trim().to_owned()).collect()
}

#[tokio::test]
async fn what_can_be_approved_is_offered_chosen_previewed_and_approved_each_by_itself() {
    let (office, browser, cases) = scene().await;
    let page = office.page(&browser, "/review/bulk").await;
    assert_eq!(boxes(&page), [(cases[0], false), (cases[1], false)], "the others can not be approved");
    let page = office.page(&browser, "/review/bulk?all=1").await;
    assert_eq!(boxes(&page), [(cases[0], true), (cases[1], true)]);
    let page = office.page(&browser, &preview(&cases[..2])).await;
    assert!(page.text_of("h1").contains("通过 2 件"));
    assert!(outcomes(&page)[0].contains("计入自发自处，类别 暴露垃圾"), "{:?}", outcomes(&page));
    assert_eq!(page.all("img").count(), 4, "before and after of each");
    let answer = office.post(&browser, "/review/bulk", &page.form("/review/bulk")).await;
    let result = answer.page("result");
    assert!(result.text_of("h1").contains("已通过 2 件，未通过 0 件"));
    for case in &cases[..2] {
        assert_eq!((office.district.state(*case).await.as_str(), office.district.version(*case).await), ("closed", 2));
    }
    // Sent twice: done once, answered twice.
    let again = office.post(&browser, "/review/bulk", &page.form("/review/bulk")).await.page("again");
    assert!(again.text_of("h1").contains("已通过 2 件"));
    assert_eq!(office.district.version(cases[0]).await, 2);
    assert!(office.page(&browser, "/review/bulk").await.text_of("strong").contains("没有可以批量通过"));
}

#[tokio::test]
async fn what_can_not_be_approved_is_named_with_the_reason_and_the_others_are() {
    let (office, browser, cases) = scene().await;
    let nobody = CaseId::from_bytes([9; 16]);
    let page = office.page(&browser, &preview(&[&cases[..], &[nobody]].concat())).await;
    let said = outcomes(&page);
    assert_eq!(said.len(), 5);
    assert!(
        said[2].contains("处置后照片尚未到达") && said[3].contains("平台流转") && said[4].contains("不存在"),
        "{said:?}"
    );
    let form = page.form("/review/bulk");
    assert_eq!(form.iter().filter(|(name, _)| name == "case").count(), 2);
    // A colleague decides between preview and approval; the rest of the form is forged.
    let void = Payload { reason: Some("test".into()), ..Payload::default() };
    office.district.act("review-ninghua-2", cases[0], Verb::Void, void).await.unwrap();
    let mut forged = form.clone();
    forged.push(("case".into(), format!("{}.1", cases[2])));
    forged.push(("case".into(), format!("{nobody}.1")));
    let result = office.post(&browser, "/review/bulk", &forged).await.page("result");
    assert!(result.text_of("h1").contains("已通过 1 件，未通过 3 件"));
    let said = outcomes(&result);
    assert!(said[0].contains("已由他人办理（已作废）"), "{said:?}");
    assert!(said[1] == "已通过" && said[2].contains("处置后照片尚未上传") && said[3].contains("不存在"), "{said:?}");
    assert_eq!(office.district.state(cases[1]).await, "closed");
}

#[tokio::test]
async fn nobody_approves_their_own_report_or_another_office_s() {
    let (office, browser, cases) = scene().await;
    office.district.run("UPDATE case_row SET reporter = 'review-ninghua-1'", vec![]).await;
    let own = "UPDATE case_row SET ledger = replace(ledger, 'insp-ninghua-1', 'review-ninghua-1')";
    office.district.run(own, vec![]).await;
    assert_eq!(boxes(&office.page(&browser, "/review/bulk").await), []);
    let said = outcomes(&office.page(&browser, &preview(&cases[..1])).await);
    assert!(said[0].contains("本人上报"), "{said:?}");
    let form = [("token".to_owned(), browser.csrf.clone()), ("case".to_owned(), format!("{}.1", cases[0]))];
    let result = office.post(&browser, "/review/bulk", &form).await.page("own");
    assert!(outcomes(&result)[0].contains("不得审批本人上报"), "{:?}", outcomes(&result));
    let stranger = office.browser(STRANGER).await;
    assert!(outcomes(&office.page(&stranger, &preview(&cases[..1])).await)[0].contains("不存在"));
    let leader = office.browser("leader-1").await;
    assert_eq!(office.get(&leader, "/review/bulk").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn more_than_fifty_are_never_approved_at_once() {
    let (office, browser, cases) = scene().await;
    let many: Vec<CaseId> = (0..=MOST as u8).map(|n| CaseId::from_bytes([n; 16])).collect();
    let page = office.page(&browser, &preview(&many)).await;
    assert!(page.text_of("p").contains("一次最多 50 件"));
    assert_eq!(outcomes(&page).len(), MOST);
    let form = |count: usize| {
        let cases = std::iter::repeat_n(("case".to_owned(), format!("{}.1", cases[0])), count);
        std::iter::once(("token".to_owned(), browser.csrf.clone())).chain(cases).collect::<Vec<_>>()
    };
    assert_eq!(office.post(&browser, "/review/bulk", &form(MOST + 1)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(office.post(&browser, "/review/bulk", &form(0)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(office.district.state(cases[0]).await, "reported");
    assert!(office.page(&browser, "/review/bulk/preview").await.text_of("p").contains("没有选中案件"));
}
