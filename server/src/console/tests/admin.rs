//! The administration: who may, what is done, what is shown once, and what the audit log says of it.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xunge_client_core::model::{Mode, Sha256};
use xunge_client_core::workflow::{Payload, Verb};

use super::html::Html;
use super::office::{Answer, Browser, HOST, INSPECTOR, Office, REVIEWER, with};
use crate::reference::org_file::OrgFile;
use crate::reference::xixia;

const PAGES: [&str; 10] = [
    "/admin",
    "/admin/users",
    "/admin/users/new",
    "/admin/users/review-ninghua-1",
    "/admin/org",
    "/admin/categories",
    "/admin/reasons",
    "/admin/limits",
    "/admin/rules",
    "/admin/quarantine",
];

async fn actions(office: &Office, subject: &str) -> Vec<(String, String)> {
    let sql = "SELECT actor, action FROM audit WHERE subject = ?1 ORDER BY seq";
    let rows = office.district.rows_with(sql, vec![subject.into()]).await;
    rows.iter().map(|row| (row.text(0).unwrap().to_owned(), row.text(1).unwrap().to_owned())).collect()
}

fn secret(page: &Html) -> String {
    let (index, _) = page.elements.iter().enumerate().find(|(_, it)| it.attr("class") == "shown").expect("a secret");
    page.elements.iter().enumerate().find(|(it, _)| page.is_in(*it, index)).unwrap().1.text.clone()
}

/// Puts the cookies of an answer into a browser.
fn kept(browser: &Browser, answer: &Answer) -> Browser {
    let mut browser = browser.clone();
    for cookie in answer.headers.get_all(header::SET_COOKIE) {
        let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        browser.cookies.retain(|(known, _)| known != name);
        browser.cookies.push((name.to_owned(), value.to_owned()));
    }
    browser
}

#[tokio::test]
async fn only_administrators_get_in_and_only_auditors_read_the_log_beside_them() {
    let office = Office::new().await;
    for user in [REVIEWER, "leader-1", "dispatch-1", "hotline-1", "audit-1", "handle-huanwei"] {
        let browser = office.browser(user).await;
        for path in PAGES {
            assert_eq!(office.get(&browser, path).await.status, StatusCode::FORBIDDEN, "{user} {path}");
        }
        let token = vec![("token".to_owned(), browser.csrf.clone()), ("do".to_owned(), "set".to_owned())];
        for path in
            ["/admin/users/new", "/admin/users/insp-ninghua-1/disable", "/admin/rules", "/admin/reasons", "/admin/org"]
        {
            assert_eq!(office.post(&browser, path, &token).await.status, StatusCode::FORBIDDEN, "{user} {path}");
        }
        let reads = office.get(&browser, "/admin/audit").await.status;
        assert_eq!(reads == StatusCode::OK, user == "audit-1", "{user}");
        let page = office.page(&browser, "/cases").await;
        assert!(!page.source.contains("href=\"/admin\""), "{user}");
    }
    let browser = office.browser("admin").await;
    assert!(office.page(&browser, "/cases").await.source.contains("href=\"/admin\""));
    for path in PAGES {
        office.page(&browser, path).await;
    }
}

#[tokio::test]
async fn a_new_user_gets_a_password_once_and_has_to_choose_another_first() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let form = office.page(&admin, "/admin/users/new").await.form("/admin/users/new");
    let wanted = [("user", "review-new"), ("name", "马小兰"), ("role", "town_office")];
    let form = with(form, &wanted);
    // Without its unit the form comes back with what was typed.
    let answer = office.post(&admin, "/admin/users/new", &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("refused");
    assert!(page.text_of("p").contains("必须有单位") && page.source.contains("value=\"马小兰\""));
    let form = with(page.form("/admin/users/new"), &[("unit", "U640105005")]);
    let answer = office.post(&admin, "/admin/users/new", &form).await;
    assert_eq!(answer.status, StatusCode::OK);
    let password = secret(&answer.page("the new user"));
    assert_eq!(office.post(&admin, "/admin/users/new", &form).await.status, StatusCode::UNPROCESSABLE_ENTITY, "taken");
    let page = office.page(&admin, "/admin/users/review-new").await;
    assert!(!page.source.contains(&password), "shown once");
    assert!(page.source.contains("宁华路街道") && page.source.contains("未改一次性密码"));

    // The first page of theirs is the one where a password is chosen.
    let user = office.browser("review-new").await;
    for path in ["/", "/review", "/cases", "/phones"] {
        assert_eq!(office.get(&user, path).await.location(), "/password", "{path}");
    }
    let form = office.page(&user, "/password").await.form("/password");
    let own = "贺兰山下有一个新来的人";
    for (fields, wrong) in [
        ([("current", "不是"), ("new", own), ("again", own)], "不对"),
        ([("current", &password), ("new", own), ("again", "别的")], "不一样"),
        ([("current", &password), ("new", "short"), ("again", "short")], "太短"),
        ([("current", &password), ("new", &password), ("again", &password)], "不能与现在的相同"),
    ] {
        let answer = office.post(&user, "/password", &with(form.clone(), &fields)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.page(wrong).text_of("p").contains(wrong), "{wrong}");
    }
    let fields = [("current", password.as_str()), ("new", own), ("again", own)];
    let answer = office.post(&user, "/password", &with(form, &fields)).await;
    assert_eq!(answer.location(), "/");
    assert!(office.get(&user, "/cases").await.location().starts_with("/login"), "the old session is over");
    office.page(&kept(&user, &answer), "/review").await;
    let expected = ["user.added", "login.failed", "login.done", "user.password"];
    let done = actions(&office, "review-new").await;
    assert_eq!(done.iter().map(|(_, action)| action.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!((done[0].0.as_str(), done[3].0.as_str()), ("admin", "review-new"));
}

#[tokio::test]
async fn an_inspector_gets_a_code_and_a_disabled_user_nothing() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let path = format!("/admin/users/{INSPECTOR}");
    let page = office.page(&admin, &path).await;
    assert!(page.source.contains("宁华路第一社区第一网格"), "the grids by name");
    let form = page.form(&format!("{path}/code"));
    let answer = office.post(&admin, &format!("{path}/code"), &form).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(secret(&answer.page("code")).len(), "XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX".len());

    let form = page.form(&format!("{path}/disable"));
    let unsure: Vec<_> = form.iter().filter(|(name, _)| name != "sure").cloned().collect();
    let answer = office.post(&admin, &format!("{path}/disable"), &unsure).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "not without the box");
    let sure = with(form, &[("sure", "yes")]);
    assert_eq!(office.post(&admin, &format!("{path}/disable"), &sure).await.location(), path);
    let page = office.page(&admin, &path).await;
    assert!(page.text_of("dd").contains("已停用") && !page.source.contains(&format!("{path}/code")));
    let form = page.form(&format!("{path}/enable"));
    office.post(&admin, &format!("{path}/enable"), &form).await.location();
    let own = office.post(&admin, "/admin/users/admin/disable", &sure).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody shuts themselves out");
    let done = actions(&office, INSPECTOR).await;
    let expected = ["device.code", "user.disabled", "user.enabled"].map(|it| ("admin".to_owned(), it.to_owned()));
    assert_eq!(done, expected);
}

#[tokio::test]
async fn a_user_is_changed_on_the_page_and_what_was_typed_wrong_stays_in_its_field() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let path = format!("/admin/users/{INSPECTOR}");
    let action = format!("{path}/change");
    let form = office.page(&admin, &path).await.form(&action);
    let before = form.iter().find(|(name, _)| name == "grids").unwrap().1.clone();
    let walked: Vec<_> = office.district.viewer(INSPECTOR).await.grids.iter().map(ToString::to_string).collect();
    assert_eq!(before, walked.join(" "), "the present ones are filled in");
    for (typed, problem) in [
        ("640105005001001 马", "编码无法识别"),
        ("640106001001001", "不在您的管辖范围内"),
        ("640105005001999", "没有编码 640105005001999"),
        ("640105001001001", "不是该用户所在镇街的单元网格"),
        ("", "至少要有一个网格"),
        (&before, "没有改动"),
    ] {
        let answer = office.post(&admin, &action, &with(form.clone(), &[("grids", typed)])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        let page = answer.page(problem);
        let kept = page.form(&action);
        assert!(kept.contains(&("grids".to_owned(), typed.to_owned())), "{typed}: {kept:?}");
        assert!(page.source.contains(problem), "{typed}");
    }
    assert!(actions(&office, INSPECTOR).await.is_empty());
    let other = with(form.clone(), &[("grids", "640105005002002，640105005002001")]);
    assert_eq!(office.post(&admin, &action, &other).await.location(), path);
    let page = office.page(&admin, &path).await;
    assert!(page.form(&action).contains(&("grids".to_owned(), "640105005002001 640105005002002".to_owned())));
    assert_eq!(actions(&office, INSPECTOR).await, [("admin".to_owned(), "user.changed".to_owned())]);
    assert!(office.page(&admin, "/admin/audit").await.source.contains("更改信息"));
    // A reviewer moves to another street: what they see follows the unit, and they have no grids to be asked for.
    let office_user = format!("/admin/users/{REVIEWER}");
    let change = format!("{office_user}/change");
    let theirs = office.page(&admin, &office_user).await.form(&change);
    assert!(theirs.contains(&("scope".to_owned(), String::new())) && theirs.iter().all(|(name, _)| name != "grids"));
    let moved = with(theirs, &[("unit", "U640105001")]);
    assert_eq!(office.post(&admin, &change, &moved).await.location(), office_user);
    assert_eq!(office.district.viewer(REVIEWER).await.scope.as_str(), "640105001");
    // Nobody's own, nobody outside the administrator's part of the tree, and nothing by others.
    let own = office.post(&admin, "/admin/users/admin/change", &moved).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!office.page(&admin, "/admin/users/admin").await.source.contains("/change"));
    let reviewer = office.browser(REVIEWER).await;
    let theirs = with(form.clone(), &[("token", &reviewer.csrf)]);
    assert_eq!(office.post(&reviewer, &action, &theirs).await.status, StatusCode::FORBIDDEN);
    office.district.run("UPDATE user_account SET scope = '640105001' WHERE id = 'admin'", vec![]).await;
    for (field, value) in [("unit", "U640105005"), ("scope", "640105")] {
        let outside = office.post(&admin, &change, &with(moved.clone(), &[(field, value)])).await;
        assert!(outside.page("outside").source.contains("不在您的管辖范围内"), "{field}");
    }
    office.district.run("UPDATE user_account SET scope = '640106' WHERE id = ?1", vec![INSPECTOR.into()]).await;
    assert_eq!(office.post(&admin, &action, &form).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_log_out_by_the_administrator_ends_every_page() {
    let office = Office::new().await;
    let (admin, reviewer) = (office.browser("admin").await, office.browser(REVIEWER).await);
    let path = format!("/admin/users/{REVIEWER}");
    let form = office.page(&admin, &path).await.form(&format!("{path}/logout"));
    office.post(&admin, &format!("{path}/logout"), &form).await.location();
    assert!(office.get(&reviewer, "/review").await.location().starts_with("/login"));
    let form = office.page(&admin, &path).await.form(&format!("{path}/password"));
    let page = office.post(&admin, &format!("{path}/password"), &form).await.page("password");
    assert!(secret(&page).len() > 10);
    let again = office.browser(REVIEWER).await;
    assert_eq!(office.get(&again, "/review").await.location(), "/password");
}

#[tokio::test]
async fn a_user_outside_the_administrator_s_part_of_the_tree_is_not_there() {
    let office = Office::new().await;
    let sql = "UPDATE user_account SET scope = '640106' WHERE id = 'audit-1'";
    office.district.run(sql, vec![]).await;
    let admin = office.browser("admin").await;
    assert_eq!(office.get(&admin, "/admin/users/audit-1").await.status, StatusCode::NOT_FOUND);
    let token = vec![("token".to_owned(), admin.csrf.clone()), ("sure".to_owned(), "yes".to_owned())];
    for what in ["disable", "password", "logout"] {
        let answer = office.post(&admin, &format!("/admin/users/audit-1/{what}"), &token).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}");
    }
    assert!(!office.page(&admin, "/admin/users?role=auditor").await.source.contains("audit-1"));
    let form = office.page(&admin, "/admin/users/new").await.form("/admin/users/new");
    for scope in ["640106", "640100", "U640106-HW"] {
        let form = with(form.clone(), &[("user", "x-1"), ("name", "某"), ("role", "admin"), ("scope", scope)]);
        let answer = office.post(&admin, "/admin/users/new", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{scope}");
    }
}

#[tokio::test]
async fn a_phone_is_shut_out_after_a_second_look_and_says_what_is_on_it() {
    let office = Office::new().await;
    let case = office
        .report(INSPECTOR, &crate::testing::facts(1, Mode::SelfHandled, office.app.services.business.now()))
        .await;
    let admin = office.browser("admin").await;
    let list = office.page(&admin, "/phones").await;
    let path = list.all("a").find(|it| it.attr("href").starts_with("/admin/phones/")).unwrap().attr("href").to_owned();
    let page = office.page(&admin, &path).await;
    assert!(page.source.contains(&format!("/cases/{case}")), "the case whose photos are still on it");
    assert!(page.text_of("dd").contains("没有未传"), "it says of nothing that it waits");
    // It says that two reports wait, the older one for three days.
    let since = office.app.services.security.now().plus_ms(-3 * 86_400_000 - 60_000);
    let sql = "UPDATE device SET waiting_cases = 2, waiting_since = ?1";
    office.district.run(sql, crate::params![since.0].to_vec()).await;
    for path in ["/phones", "/phones?show=waiting", &path, &format!("/admin/users/{INSPECTOR}")] {
        let page = office.page(&admin, path).await;
        assert!(page.source.contains("最早留存") && page.source.contains("3 天前"), "{path}");
    }
    let english = Browser { language: "en", ..admin.clone() };
    assert!(office.page(&english, "/phones").await.source.contains("Oldest since"));
    office.district.run("UPDATE device SET waiting_since = NULL", Vec::new()).await;
    assert!(office.page(&admin, "/phones").await.source.contains("手机没有说"));
    let page = office.page(&admin, &path).await;
    let form = page.form(&path);
    let unsure: Vec<_> = form.iter().filter(|(name, _)| name != "sure").cloned().collect();
    assert_eq!(office.post(&admin, &path, &unsure).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(office.post(&admin, &path, &with(form, &[("sure", "yes")])).await.location(), path);
    let page = office.page(&admin, &path).await;
    assert!(page.text_of("dd").contains("已停用") && page.all("form").all(|it| it.attr("action") != path));
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(actions(&office, id).await, [("admin".to_owned(), "device.revoked".to_owned())]);
}

#[tokio::test]
async fn rules_are_saved_changed_and_removed() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let page = office.page(&admin, "/admin/rules").await;
    // The forms of a row come before the one that adds.
    let add = |page: &Html| {
        let last = page.elements.iter().rposition(|it| it.name == "form").unwrap();
        let names = ["token", "do", "category", "prefix", "grid", "unit"];
        let of = |name: &str| {
            let found = page
                .elements
                .iter()
                .enumerate()
                .find(|(it, field)| page.is_in(*it, last) && field.attr("name") == name);
            found.map_or("", |(_, field)| field.attr("value")).to_owned()
        };
        names.map(|name| (name.to_owned(), of(name))).to_vec()
    };
    let form = add(&page);
    let save = async |values: &[(&str, &str)]| office.post(&admin, "/admin/rules", &with(form.clone(), values)).await;
    let answer = save(&[("category", "xixia-2023:event:XX02"), ("grid", "640105101"), ("unit", "U640105-YL")]).await;
    assert_eq!(answer.location(), "/admin/rules");
    let page = office.page(&admin, "/admin/rules").await;
    assert!(page.text_of("th").contains("市容环卫 × 镇北堡镇"), "{}", page.text_of("th"));
    save(&[("category", "xixia-2023:event:XX02"), ("grid", "640105101"), ("unit", "U640105-HW")]).await.location();
    save(&[("prefix", "gb47678.5-2026:event:06"), ("unit", "U640105-HW")]).await.location();
    for wrong in [
        [("prefix", "gb47678"), ("unit", "U640105-HW"), ("grid", "")],
        [("prefix", ""), ("unit", "U640105-HW"), ("grid", "640106")],
        [("prefix", ""), ("unit", ""), ("grid", "")],
        [("prefix", ""), ("unit", "U640105005"), ("grid", "")],
    ] {
        assert_eq!(save(&wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
    }
    let rules = office.district.rows("SELECT unit FROM dispatch_rule WHERE grid = '640105101'").await;
    assert_eq!(rules.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["U640105-HW"]);
    let remove = with(form.clone(), &[("do", "remove"), ("category", "xixia-2023:event:XX02"), ("grid", "640105101")]);
    office.post(&admin, "/admin/rules", &remove).await.location();
    assert_eq!(office.district.rows("SELECT 1 FROM dispatch_rule WHERE grid = '640105101'").await.len(), 0);
    let done: Vec<_> = actions(&office, "640105").await.into_iter().map(|(_, action)| action).collect();
    let expected = ["dispatch_rule.set", "dispatch_rule.set", "dispatch_rule.set", "dispatch_rule.removed"];
    assert_eq!(done, expected);
}

#[tokio::test]
async fn a_retired_reason_is_not_offered_and_a_new_one_is() {
    let office = Office::new().await;
    let case = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let (admin, reviewer) = (office.browser("admin").await, office.browser(REVIEWER).await);
    let send = async |values: &[(&str, &str)]| {
        let form = with(vec![("token".to_owned(), admin.csrf.clone())], values);
        office.post(&admin, "/admin/reasons", &form).await
    };
    send(&[("do", "retire"), ("key", "test")]).await.location();
    send(&[("do", "add"), ("zh", "历史遗留问题"), ("en", "old matter")]).await.location();
    assert_eq!(
        send(&[("do", "add"), ("zh", "历史遗留问题"), ("en", "x")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(send(&[("do", "retire"), ("key", "other")]).await.status, StatusCode::BAD_REQUEST);
    assert!(office.page(&admin, "/admin/reasons").await.text_of("td").contains("已停用"));
    let page = office.page(&reviewer, "/review").await;
    assert!(!page.source.contains("void-reason-test") && page.text_of("label").contains("历史遗留问题"));
    let english = Browser { language: "en", ..reviewer.clone() };
    assert!(office.page(&english, "/review").await.text_of("label").contains("old matter"));
    let form = with(page.form("void"), &[("reason", "own-001")]);
    office.post(&reviewer, &format!("/cases/{case}/act"), &form).await.location();
    let reason = Payload { reason: Some("own-001".to_owned()), ..Payload::default() };
    office.district.act(REVIEWER, case, Verb::Void, reason).await.unwrap();
    let ledger = office.district.ledger(case).await;
    assert_eq!(ledger.void_text.as_deref(), Some("历史遗留问题"));
}

/// Sends a table as a file.
async fn upload(office: &Office, browser: &Browser, text: &str) -> Answer {
    upload_to(office, browser, "/admin/limits", &[("table", "limits"), ("text", "")], text).await
}

/// Sends a file to be checked.
pub(super) async fn upload_to(
    office: &Office,
    browser: &Browser,
    path: &str,
    words: &[(&str, &str)],
    text: &str,
) -> Answer {
    let mut body = String::new();
    for (name, value) in [("token", browser.csrf.as_str()), ("do", "check")].iter().chain(words) {
        body += &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += &format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\表\\limits-2027.csv\"\r\n\r\n{text}\r\n--b--\r\n"
    );
    let request = Office::request(browser, Method::POST, path)
        .header("origin", format!("http://{HOST}"))
        .header("content-type", "multipart/form-data; boundary=b");
    office.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_table_of_limits_is_checked_put_in_force_and_taken_back() {
    let office = Office::new().await;
    let case = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let admin = office.browser("admin").await;
    let due = async || {
        let page = office.page(&office.browser(REVIEWER).await, &format!("/cases/{case}")).await;
        page.text_of("dd")
    };
    let before = due().await;
    assert!(office.page(&admin, "/admin/limits").await.text_of("dd").contains("服务器文件 time_limits_example.csv"));
    let broken = upload(&office, &admin, "clock,category,level,org,value,unit\nreview,,,,soon,minute\n").await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(broken.page("broken").text_of("strong").contains("line: 2"));
    let text = "clock,category,level,org,value,unit\nreview,,,,30,minute\n";
    let page = upload(&office, &admin, text).await.page("checked");
    assert!(page.text_of("td").contains("30 分钟") && page.text_of("h2").contains("处不同"));
    assert_eq!(due().await, before, "nothing is in force yet");
    assert_eq!(office.district.count("timetable_edition").await, 0);
    let form = page.form("/admin/limits");
    assert_eq!(office.post(&admin, "/admin/limits", &form).await.location(), "/admin/limits");
    assert_ne!(due().await, before, "the clocks of a case follow at once");
    let page = office.page(&admin, "/admin/limits").await;
    assert!(page.text_of("dd").contains("第 1 版，limits-2027.csv，admin"), "{}", page.text_of("dd"));
    let back = with(vec![("token".to_owned(), admin.csrf.clone())], &[("do", "back"), ("table", "limits")]);
    office.post(&admin, "/admin/limits", &back).await.location();
    assert_eq!(due().await, before);
    assert_eq!(actions(&office, "limits").await.len(), 2);
}

/// The example's tree, changed, as the text of a file; with line ends of another system.
fn tree(change: impl FnOnce(&mut OrgFile)) -> String {
    let mut file = xixia::org_file();
    file.users.clear();
    change(&mut file);
    serde_json::to_string_pretty(&file).unwrap().replace('\n', "\r\n")
}

#[tokio::test]
async fn another_org_file_is_checked_and_put_in_force_as_it_was_sent() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let check = async |text: &str| upload_to(&office, &admin, "/admin/org", &[], text).await;
    assert!(office.page(&admin, "/admin/org").await.text_of("h2").contains("核对新文件"));
    for (text, why) in [
        ("", "请选择一个文件"),
        ("{}", "这个文件不能用：第 1 行"),
        (&tree(|file| file.places[1].name.clear()), "没有名称。请补充名称。"),
    ] {
        let answer = check(text).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.page(why).text_of("strong").contains(why), "{why}");
    }
    let page = check(&tree(|_| {})).await.page("the same");
    assert!(page.text_of("p").contains("完全相同") && !page.source.contains("value=\"apply\""));

    let next = tree(|file| {
        let street = file.places.iter_mut().find(|place| place.code == "640105005").unwrap();
        street.name = "宁华街道".to_owned();
    });
    assert!(next.len() > 65_536, "larger than an address may be");
    let page = check(&next).await.page("checked");
    assert!(page.text_of("td").contains("宁华街道") && page.text_of("h2").contains("新增 0 个，改变 1 个，移除 0 个"));
    assert_eq!(actions(&office, "640105").await, [], "nothing is in force yet");
    let english = Browser { language: "en", ..admin.clone() };
    let other = upload_to(&office, &english, "/admin/org", &[], &next).await.page("in English");
    assert!(other.text_of("h2").contains("0 added, 1 changed, 0 removed"));
    let form = page.form("/admin/org");
    let stranger = with(form.clone(), &[("token", "x")]);
    assert_eq!(office.post(&admin, "/admin/org", &stranger).await.status, StatusCode::FORBIDDEN);
    assert_eq!(office.post(&admin, "/admin/org", &form).await.location(), "/admin/org");
    assert!(office.page(&admin, "/admin/org").await.text_of("a").contains("宁华街道"), "at once");
    assert_eq!(actions(&office, "640105").await, [("admin".to_owned(), "org.applied".to_owned())]);
    let detail = office.district.rows("SELECT detail FROM audit WHERE action = 'org.applied'").await;
    let sha256 = Sha256::of(next.as_bytes()).to_string();
    assert!(detail[0].text(0).unwrap().contains(&sha256), "of the bytes that were sent");
    let again = office.post(&admin, "/admin/org", &form).await;
    assert!(again.page("twice").text_of("p").contains("完全相同"));
    assert_eq!(actions(&office, "640105").await.len(), 1);
}

#[tokio::test]
async fn an_org_file_that_breaks_counts_or_rights_is_refused_with_the_way_out() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let case = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let grid = office.district.ledger(case).await.grid.unwrap().to_string();
    let text = tree(|file| file.places.retain(|place| place.code != grid));
    let answer = upload_to(&office, &admin, "/admin/org", &[], &text).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("refused");
    assert!(page.text_of("strong").contains("不能启用：有 1 处") && page.text_of("td").contains("请保留在文件中"));
    assert!(page.text_of("td").contains("账号") && !page.source.contains("value=\"apply\""));
    assert!(page.text_of("button").contains("核对新文件"), "and the next file can follow");
    let file = URL_SAFE_NO_PAD.encode(&text);
    let form = [("token", admin.csrf.as_str()), ("do", "apply"), ("file", file.as_str())];
    let answer = office.post(&admin, "/admin/org", &with(Vec::new(), &form)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "whatever was checked before");
    assert_eq!(actions(&office, "640105").await, []);
    // Whoever keeps a street does not exchange the tree of a district.
    office.district.run("UPDATE user_account SET scope = '640105005' WHERE id = 'admin'", vec![]).await;
    let page = office.page(&admin, "/admin/org").await;
    assert!(!page.text_of("h2").contains("核对新文件"));
    let answer = office.post(&admin, "/admin/org", &with(Vec::new(), &form)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_in_quarantine_is_looked_at_and_dropped_with_a_reason() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    assert!(office.page(&admin, "/admin/quarantine").await.source.contains("隔离区是空的"));
    let sql = "INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
        VALUES (?1, ?1, 'insp-ninghua-1', ?1, ?2, 'text_too_long', 'description', x'3c623e', 0)";
    office.district.run(sql, vec![[7; 16].to_vec().into(), [7; 32].to_vec().into()]).await;
    let page = office.page(&admin, "/admin/quarantine").await;
    let path =
        page.all("a").find(|it| it.attr("href").starts_with("/admin/quarantine/")).unwrap().attr("href").to_owned();
    let page = office.page(&admin, &path).await;
    assert!(!page.source.contains("value=\"release\""), "a refused change can not be let in");
    let bytes = office.get(&admin, &format!("{path}/bytes")).await;
    assert_eq!(
        (bytes.body.as_slice(), &bytes.headers[header::CONTENT_TYPE]),
        (&b"<b>"[..], &"application/octet-stream".parse().unwrap())
    );
    assert!(bytes.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    let form = page.form(&path);
    assert_eq!(office.post(&admin, &path, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Whoever keeps another street sees nothing of it.
    office.district.run("UPDATE user_account SET scope = '640105001' WHERE id = 'admin'", vec![]).await;
    assert!(office.page(&admin, "/admin/quarantine").await.source.contains("隔离区是空的"));
    for path in [path.clone(), format!("{path}/bytes")] {
        assert_eq!(office.get(&admin, &path).await.status, StatusCode::NOT_FOUND);
    }
    let filled = with(form.clone(), &[("why", "测试数据")]);
    assert_eq!(office.post(&admin, &path, &filled).await.status, StatusCode::NOT_FOUND);
    office.district.run("UPDATE user_account SET scope = '640105' WHERE id = 'admin'", vec![]).await;
    office.post(&admin, &path, &filled).await.location();
    assert_eq!(office.district.count("quarantine").await, 0);
    let detail = office.district.rows("SELECT actor, detail FROM audit WHERE action = 'quarantine.dropped'").await;
    assert_eq!(detail[0].text(0), Ok("admin"));
    assert!(detail[0].text(1).unwrap().contains("测试数据"));
}

#[tokio::test]
async fn a_long_quarantine_is_read_page_by_page() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let sql = "INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
        VALUES (?1, ?1, 'insp-ninghua-1', ?1, ?2, 'malformed', NULL, x'3c', ?3)";
    for number in 0..230_u8 {
        let name = vec![number; 16].into();
        let values = vec![name, vec![number; 32].into(), i64::from(number / 3).into()];
        office.district.run(sql, values).await;
    }
    let (mut here, mut rows) = ("/admin/quarantine".to_owned(), Vec::new());
    loop {
        let page = office.page(&admin, &here).await;
        rows.push(page.all("tr").count() - 1);
        let next = page.all("a").find(|it| it.attr("href").starts_with("/admin/quarantine?after="));
        let Some(next) = next else { break };
        here = next.attr("href").to_owned();
    }
    assert_eq!(rows, [100, 100, 30]);
}

#[tokio::test]
async fn what_holds_for_the_district_is_changed_by_those_who_answer_for_all_of_it() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    for path in ["/admin/limits", "/admin/reasons", "/admin/rules"] {
        let form = office.page(&admin, path).await.form(path);
        office.district.run("UPDATE user_account SET scope = '640105005' WHERE id = 'admin'", vec![]).await;
        let page = office.page(&admin, path).await;
        assert!(!page.source.contains(&format!("action=\"{path}\"")), "{path} can be looked at");
        assert_eq!(office.post(&admin, path, &form).await.status, StatusCode::FORBIDDEN, "{path}");
        office.district.run("UPDATE user_account SET scope = '640105' WHERE id = 'admin'", vec![]).await;
    }
}

#[tokio::test]
async fn the_log_is_filtered_paged_and_checked() {
    let office = Office::new().await;
    for number in 0..4 {
        let case = office.simple(INSPECTOR, number, Mode::Forwarded).await;
        office.district.act(REVIEWER, case, Verb::File, Payload::default()).await.unwrap();
    }
    let auditor = office.browser("audit-1").await;
    let page = office.page(&auditor, "/admin/audit").await;
    assert!(page.text_of("td").contains("立案") && page.text_of("td").contains("上报"));
    let page = office.page(&auditor, &format!("/admin/audit?actor={REVIEWER}&action=case.file")).await;
    assert_eq!(page.all("tr").count(), 5, "four lines below their heads");
    assert!(office.page(&auditor, "/admin/audit?from=2030-01-01").await.source.contains("没有符合条件的记录"));
    let form = page.form("/admin/audit/check");
    let answer = office.post(&auditor, "/admin/audit/check", &form).await;
    assert!(answer.page("checked").text_of("p").contains("完好，没有被改动"));
    office.district.run("DROP TRIGGER audit_no_update", vec![]).await;
    office.district.run("UPDATE audit SET actor = 'somebody' WHERE seq = 3", vec![]).await;
    let answer = office.post(&auditor, "/admin/audit/check", &form).await;
    assert!(answer.page("broken").text_of("strong").contains("第 3 行起对不上"));
}
