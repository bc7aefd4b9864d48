//! What waits for units, dispatchers and duty leaders, and how it is done from there.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::photo::synthetic::{self, Moment};
use xunge_client_core::workflow::{Level, Payload, Verb};

use super::html::Html;
use super::office::{INSPECTOR, Office, REVIEWER, with};
use crate::domain::desk::MOST;
use crate::testing::facts;

const UNIT: &str = "U640105-HW";
const HANDLER: &str = "handle-huanwei";
const HOUR: i64 = 3_600_000;

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A filed case.
async fn filed(office: &Office, number: u64) -> CaseId {
    let case = office.simple(INSPECTOR, number, Mode::Forwarded).await;
    office.district.act(REVIEWER, case, Verb::File, Payload::default()).await.unwrap();
    case
}

/// A case that was dispatched, to be handled within so many hours.
async fn dispatched(office: &Office, number: u64, hours: i64) -> CaseId {
    let case = filed(office, number).await;
    let due_at = Some(office.app.services.business.now().plus_ms(hours * HOUR));
    let handler = Some(UNIT.parse().unwrap());
    let payload = Payload { handler, due_at, level: Some(Level::Normal), ..Payload::default() };
    office.district.act("dispatch-1", case, Verb::Dispatch, payload).await.unwrap();
    case
}

/// Headings of the sections that have cases, with the cases below each, in their order.
fn shown(page: &Html) -> Vec<(String, Vec<CaseId>)> {
    let mut sections: Vec<(String, Vec<CaseId>)> = Vec::new();
    for element in &page.elements {
        match element.name.as_str() {
            "h2" => sections.push((element.text.split_whitespace().next().unwrap().to_owned(), Vec::new())),
            "a" if element.attr("class") == "name" && element.attr("href") != "/password" => {
                let id = element.attr("href").strip_prefix("/cases/").unwrap().parse().unwrap();
                sections.last_mut().unwrap().1.push(id);
            }
            _ => {}
        }
    }
    sections.retain(|(_, cases)| !cases.is_empty());
    sections
}

/// Makes further reports of an inspector, and a copy of everything decided on a case of each; gives their number.
async fn copies(office: &Office, case: CaseId, wanted: u64) -> usize {
    let district = &office.district;
    let mut phone = district.phone("insp-huaiyuan-1").await;
    for number in 0..wanted {
        phone.report(&facts(number, Mode::Forwarded, district.now()));
    }
    phone.drain(district).await;
    let sql = "UPDATE case_row SET (state, handler, due_at, deadline_at, appealed_at, ledger) =
        (SELECT b.state, b.handler, b.due_at, b.deadline_at, b.appealed_at, b.ledger FROM case_row AS b WHERE b.id = ?1)
        WHERE reporter = 'insp-huaiyuan-1'";
    district.run(sql, vec![case.as_bytes().to_vec().into()]).await as usize
}

#[tokio::test]
async fn a_unit_sees_what_it_has_to_do_the_most_urgent_first() {
    let office = Office::new().await;
    let mut cases = Vec::new();
    for (number, hours) in [30, 200, 100, 50, 60, 70].into_iter().enumerate() {
        cases.push(dispatched(&office, number as u64, hours).await);
    }
    let due_at = Some(office.app.services.business.now().plus_ms(300 * HOUR));
    let act = |user: &'static str, case, verb, payload| office.district.act(user, case, verb, payload);
    for case in &cases[1..] {
        act(HANDLER, *case, Verb::Sign, Payload::default()).await.unwrap();
    }
    act(HANDLER, cases[3], Verb::AskExtend, Payload { reason: text("吊车未到"), due_at, ..Payload::default() })
        .await
        .unwrap();
    act(
        "leader-1",
        cases[4],
        Verb::Suspend,
        Payload {
            reason: text("冬季不能施工"),
            review_date: Some(office.app.services.business.now().plus_ms(90 * 24 * HOUR).local_day()),
            ..Payload::default()
        },
    )
    .await
    .unwrap();
    let other = dispatched(&office, 90, 10).await;
    office
        .district
        .run("UPDATE case_row SET handler = 'U640105-SZ' WHERE id = ?1", vec![other.as_bytes().to_vec().into()])
        .await;
    let browser = office.browser(HANDLER).await;
    let page = office.page(&browser, "/desk").await;
    assert_eq!(
        shown(&page),
        [
            ("待签收".to_owned(), vec![cases[0]]),
            ("处置中".to_owned(), vec![cases[5], cases[2], cases[1]]),
            ("已申请，等待值班长答复".to_owned(), vec![cases[3]]),
            ("挂账、缓办".to_owned(), vec![cases[4]]),
        ],
        "by deadline, another unit's case is not here"
    );
    assert!(page.source.contains("吊车未到") && page.source.contains("冬季不能施工"));
    // Ten days later some are late: those are named and come first.
    office.app.services.business.advance(10 * 24 * HOUR);
    let page = office.page(&browser, "/desk").await;
    assert!(page.text_of("span").contains("已超期 5 件"), "{}", page.text_of("span"));
    assert_eq!(shown(&page)[3].1, [cases[4]], "what is suspended is not late");
}

#[tokio::test]
async fn a_unit_signs_and_feeds_back_with_photos_and_does_it_again_when_told_to() {
    let office = Office::new().await;
    let case = dispatched(&office, 1, 48).await;
    let browser = office.browser(HANDLER).await;
    let path = format!("/cases/{case}");
    let form = office.page(&browser, &path).await.form("sign");
    assert_eq!(office.post(&browser, &format!("{path}/act"), &form).await.location(), path);

    let page = office.page(&browser, &path).await;
    let form = with(page.form("feedback"), &[("note", "已清运 <两> 车")]);
    let action = format!("{path}/act/photos");
    assert!(page.all("form").any(|it| it.attr("action") == action && it.attr("enctype") == "multipart/form-data"));
    let photos = [synthetic::jpeg(1, Moment::After, 320, 240), synthetic::jpeg(2, Moment::After, 320, 240)];

    let stored = office.district.count("blob").await;
    // Without a photo, with something that is none, and with a form of somebody else nothing happens.
    let answer = office.send_photos(&browser, &action, &form, &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = office.send_photos(&browser, &action, &form, &[b"MZ not a photo".to_vec()]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stolen = with(form.clone(), &[("token", &"x".repeat(43))]);
    assert_eq!(office.send_photos(&browser, &action, &stolen, &photos).await.status, StatusCode::FORBIDDEN);
    assert_eq!(office.district.count("blob").await, stored, "nothing was stored");
    assert_eq!(office.district.state(case).await, "handling");

    // A form that misses its words keeps the photos that came with it.
    let wordless = with(form.clone(), &[("note", "")]);
    let answer = office.send_photos(&browser, &action, &wordless, &photos[..1]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("feedback without words");
    assert!(page.text_of("p").contains("已收到 1 张"), "{}", page.text_of("p"));
    let form = with(page.form("feedback"), &[("note", "已清运 <两> 车")]);
    assert_eq!(office.send_photos(&browser, &action, &form, &photos[1..]).await.location(), path);
    assert_eq!(office.district.state(case).await, "handled");
    let page = office.page(&browser, &path).await;
    assert_eq!(page.all("img").filter(|it| it.attr("alt").starts_with("处置反馈")).count(), 2, "both photos");
    assert_eq!(shown(&office.page(&browser, "/desk").await), []);

    // Sent back for rework it returns under a heading of its own.
    let rework = Payload { reason: text("西侧还有残留"), ..Payload::default() };
    office.district.act(REVIEWER, case, Verb::Rework, rework).await.unwrap();
    let page = office.page(&browser, "/desk").await;
    assert_eq!(shown(&page), [("返工".to_owned(), vec![case])]);
    assert!(page.source.contains("返工 1 次"));
}

#[tokio::test]
async fn a_unit_never_sees_how_to_reach_who_reported() {
    let office = Office::new().await;
    let case = dispatched(&office, 1, 48).await;
    let sql = "INSERT INTO case_contact (case_id, name, phone, remove_after) VALUES (?1, '马秀英', '13995001234', 0)";
    office.district.run(sql, vec![case.as_bytes().to_vec().into()]).await;
    let browser = office.browser(HANDLER).await;
    for path in ["/desk".to_owned(), format!("/cases/{case}"), "/cases".to_owned()] {
        let page = office.page(&browser, &path).await;
        assert!(!page.source.contains("马秀英") && !page.source.contains("1399500"), "{path}");
    }
    // Another unit's clerk does not see the case at all.
    let other = office.browser("handle-shizheng").await;
    assert_eq!(office.get(&other, &format!("/cases/{case}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_dispatcher_sees_which_unit_a_rule_names_and_why_and_may_choose_another() {
    let office = Office::new().await;
    let [case, other] = [filed(&office, 1).await, filed(&office, 2).await];
    let browser = office.browser("dispatch-1").await;
    let page = office.page(&browser, "/desk").await;
    assert_eq!(shown(&page), [("待派遣".to_owned(), vec![case, other])]);
    assert!(page.source.contains("建议：西夏区环境卫生管理所（派遣规则：暴露垃圾 × 全区）"), "{}", page.text_of("p"));

    let path = format!("/cases/{case}");
    let page = office.page(&browser, &path).await;
    assert!(page.text_of("p").contains("建议：西夏区环境卫生管理所（派遣规则：暴露垃圾 × 全区）。可以改派。"));
    let form = page.form("dispatch");
    let value = |name: &str| form.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(value("handler"), UNIT, "chosen already");
    assert!(!value("due_at").is_empty(), "with the deadline of its limits");
    office.post(&browser, &format!("{path}/act"), &with(form, &[("handler", "U640105-ZD")])).await.location();
    assert_eq!(office.district.ledger(case).await.handler.unwrap().as_str(), "U640105-ZD");

    // What the office named when it filed goes before the rule.
    let case = office.simple(INSPECTOR, 3, Mode::Forwarded).await;
    let named = Payload { handler: Some("U640105-SZ".parse().unwrap()), ..Payload::default() };
    office.district.act(REVIEWER, case, Verb::File, named).await.unwrap();
    let page = office.page(&browser, &format!("/cases/{case}")).await;
    assert!(page.text_of("p").contains("建议：西夏区市政设施管理所（镇街立案时提出）"));
    // Without a rule nothing is chosen.
    office.district.run("DELETE FROM dispatch_rule", vec![]).await;
    let page = office.page(&browser, &format!("/cases/{other}")).await;
    assert!(page.text_of("p").contains("没有派遣规则适用"));
    assert!(page.form("dispatch").contains(&("handler".to_owned(), String::new())));
}

#[tokio::test]
async fn a_leader_answers_what_units_ask_on_the_desk_itself() {
    let office = Office::new().await;
    let [returned, extended, refused] =
        [dispatched(&office, 1, 48).await, dispatched(&office, 2, 48).await, dispatched(&office, 3, 48).await];
    let due_at = Some(office.app.services.business.now().plus_ms(300 * HOUR));
    let district = &office.district;
    let ask = Payload { reason: text("不属本单位职责"), ..Payload::default() };
    district.act(HANDLER, returned, Verb::AskReturn, ask).await.unwrap();
    for case in [extended, refused] {
        district.act(HANDLER, case, Verb::Sign, Payload::default()).await.unwrap();
        let ask = Payload { reason: text("等待配件"), due_at, ..Payload::default() };
        district.act(HANDLER, case, Verb::AskExtend, ask).await.unwrap();
    }
    let browser = office.browser("leader-1").await;
    let page = office.page(&browser, "/desk").await;
    assert_eq!(
        shown(&page),
        [("申请退单".to_owned(), vec![returned]), ("申请延期".to_owned(), vec![extended, refused])]
    );
    assert!(page.source.contains("西夏区环境卫生管理所") && page.source.contains("等待配件"));
    let path = |case: CaseId| format!("/desk/{case}");
    let form = |page: &Html, case: CaseId, verb: &str| {
        let forms = page.elements.iter().filter(|it| it.attr("action") == path(case)).count();
        assert_eq!(forms, 2, "approve and refuse");
        let mut form = page.form(&path(case));
        form.iter_mut().find(|(name, _)| name == "verb").unwrap().1 = verb.to_owned();
        form
    };
    let answer = office.post(&browser, &path(returned), &form(&page, returned, "approve_return")).await;
    assert_eq!(answer.location(), "/desk");
    assert_eq!(district.state(returned).await, "filed");
    office.post(&browser, &path(extended), &form(&page, extended, "approve_extend")).await.location();
    assert_eq!(district.ledger(extended).await.due_at, due_at);
    // A refusal needs its reason; without one the case's page says so.
    let answer = office.post(&browser, &path(refused), &form(&page, refused, "refuse_extend")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let reason = with(form(&page, refused, "refuse_extend"), &[("reason", "配件昨日已到")]);
    assert_eq!(office.post(&browser, &path(refused), &reason).await.location(), "/desk");
    assert_eq!(shown(&office.page(&browser, "/desk").await), []);
}

#[tokio::test]
async fn a_leader_sees_what_reporters_object_to_and_answers_it_on_the_desk_itself() {
    let office = Office::new().await;
    let district = &office.district;
    let void = |text: &str| {
        let reason = Some("other".to_owned());
        Payload { reason, text: Some(text.to_owned()), ..Payload::default() }
    };
    let mut cases = Vec::new();
    for (number, words) in [(1, "重复"), (2, "误报"), (3, "写着 \"appeal\":{ 的一件，没有申诉")] {
        let case = office.simple(INSPECTOR, number, Mode::Forwarded).await;
        district.act(REVIEWER, case, Verb::Void, void(words)).await.unwrap();
        cases.push(case);
    }
    let closed = office.simple(INSPECTOR, 4, Mode::SelfHandled).await;
    district.act(REVIEWER, closed, Verb::ApproveSelfHandled, Payload::default()).await.unwrap();
    let browser = office.browser("leader-1").await;
    assert_eq!(shown(&office.page(&browser, "/desk").await), [], "void or closed is no question by itself");
    // The last report is the first that is objected to.
    for case in [closed, cases[1], cases[0]] {
        let words = Payload { text: Some(format!("照片已补拍 {case}")), ..Payload::default() };
        district.act(INSPECTOR, case, Verb::Appeal, words).await.unwrap();
        office.app.services.business.advance(HOUR);
    }
    let page = office.page(&browser, "/desk").await;
    assert_eq!(shown(&page), [("上报人申诉".to_owned(), vec![closed, cases[1], cases[0]])], "by the time they wait");
    let said = page.text_of("p");
    assert!(
        said.contains("作废原因：其他（误报） · 上报人申诉：照片已补拍") && said.contains("3 小时前申诉"),
        "{said}"
    );
    assert!(page.text_of("h2").contains("3 件"));
    // The link leads to exactly these.
    let link = page.all("a").find(|it| it.text.contains("全部申诉")).unwrap().attr("href").to_owned();
    assert_eq!(link, "/cases?appeal=open");
    let list = office.page(&browser, &link).await;
    let listed = list.all("a").filter_map(|it| it.attr("href").strip_prefix("/cases/")?.parse::<CaseId>().ok());
    assert_eq!(listed.collect::<Vec<_>>(), [closed, cases[1], cases[0]], "the newest report first");
    assert!(list.all("a").any(|it| it.attr("aria-current") == "page" && it.text == "待答复的申诉"));
    assert!(list.all("input").any(|it| it.attr("name") == "appeal" && it.attr("value") == "open"), "kept by the form");

    let answer = async |case: CaseId, verb: &str, member: &str| {
        let path = format!("/desk/{case}");
        let form = with(page.form(&path), &[("verb", verb), (member, "已与现场核对")]);
        office.post(&browser, &path, &form).await.location().to_owned()
    };
    assert_eq!(answer(cases[0], "uphold", "text").await, "/desk");
    assert_eq!(answer(cases[1], "reinstate", "reason").await, "/desk");
    assert_eq!(shown(&office.page(&browser, "/desk").await), [("上报人申诉".to_owned(), vec![closed])]);
    assert_eq!(answer(closed, "reopen", "reason").await, "/desk");
    assert_eq!(shown(&office.page(&browser, "/desk").await), []);
    assert_eq!([district.state(cases[0]).await, district.state(cases[1]).await], ["void", "reported"]);
}

#[tokio::test]
async fn a_unit_with_more_in_hand_than_is_listed_is_told_exactly_how_much_is_late() {
    let office = Office::new().await;
    let late = dispatched(&office, 1, 30).await;
    let later = dispatched(&office, 2, 20_000).await;
    office.district.act(HANDLER, later, Verb::Sign, Payload::default()).await.unwrap();
    let n = MOST + 5;
    assert_eq!(copies(&office, late, n as u64).await, n);
    office.app.services.business.advance(200 * HOUR);
    let browser = office.browser(HANDLER).await;
    let page = office.page(&browser, "/desk").await;
    assert!(page.source.contains(&format!("已超期 {} 件", n + 1)), "{}", page.text_of("p"));
    let listed: Vec<usize> = shown(&page).iter().map(|(_, cases)| cases.len()).collect();
    assert_eq!(listed, [MOST, 1], "the list is short, the number is not");
}

#[tokio::test]
async fn open_appeals_are_counted_exactly_and_found_however_many_there_are() {
    let office = Office::new().await;
    let district = &office.district;
    let browser = office.browser("leader-1").await;
    let page = office.page(&browser, "/desk").await;
    assert!(
        page.text_of("h2").contains("上报人申诉") && page.source.contains("没有待答复的申诉"),
        "also when there is none"
    );
    let case = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let void = Payload { reason: text("test"), ..Payload::default() };
    district.act(REVIEWER, case, Verb::Void, void).await.unwrap();
    let object = Payload { text: text("照片已补拍"), ..Payload::default() };
    district.act(INSPECTOR, case, Verb::Appeal, object).await.unwrap();
    let n = copies(&office, case, MOST as u64 + 3).await + 1;
    let page = office.page(&browser, "/desk").await;
    assert!(page.text_of("h2").contains(&format!("先列等得最久的 {MOST} 件，共 {n} 件")), "{}", page.text_of("h2"));
    assert_eq!(shown(&page)[0].1.len(), MOST);
    let (mut listed, mut next) = (BTreeSet::new(), Some("/cases?appeal=open".to_owned()));
    while let Some(href) = next {
        let list = office.page(&browser, &href).await;
        listed.extend(list.all("a").filter_map(|it| it.attr("href").strip_prefix("/cases/")?.parse::<CaseId>().ok()));
        next = list.all("a").find(|it| it.attr("rel") == "next").map(|it| it.attr("href").to_owned());
    }
    assert_eq!(listed.len(), n);
}

#[tokio::test]
async fn others_have_no_desk() {
    let office = Office::new().await;
    for user in [REVIEWER, "hotline-1", "audit-1", "admin"] {
        let browser = office.browser(user).await;
        assert_eq!(office.get(&browser, "/desk").await.status, StatusCode::FORBIDDEN, "{user}");
        assert!(!office.page(&browser, "/cases").await.source.contains("href=\"/desk\""), "{user}");
    }
}
