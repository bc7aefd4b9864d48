//! An administrator's day in a real browser, with script off: users, phones, tables, the log. And every page of it on
//! every screen.

use serde_json::{Value, json};
use xunge_server::reference::org_file::OrgFile;
use xunge_server::reference::taxonomy::{Category, Taxonomy, XIXIA};
use xunge_server::reference::{category_file, xixia};
use xunge_tests::browser::{Browser, Script, story};
use xunge_tests::process::Phone;

use super::Office;
use super::pages::Round;

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_adds_a_user_a_phone_and_a_rule_and_reads_it_all_in_the_log() {
    let office = Office::open();
    office.report(1, "暴露垃圾", "一处垃圾", false);
    office.phone.drain(3);
    let admin = office.somebody("admin");
    let site = office.server.url.clone();
    let phone = Phone { store: office.scene.folder.path().join("second-phone") };
    let server = office.server.url.clone();
    story("an_administrators_day", &site, Script::Off, |browser| async move {
        browser.log_in(&admin).await;
        browser.click(".tabs a[href='/admin']").await;
        browser.says("h1", "管理").await;
        let password = adds_a_reviewer(&browser).await;
        joins_a_phone(&browser, &phone, &server).await;
        saves_a_rule(&browser).await;
        browser.click(".places a[href='/admin/audit']").await;
        let log = browser.texts(".kept tbody td:nth-child(3)").await;
        for action in ["保存派遣规则", "停用手机", "手机登记", "发登记码", "添加用户", "登录"] {
            assert!(log.iter().any(|it| it == action), "{action} in {log:?}");
        }
        browser.click("form[action='/admin/audit/check'] button").await;
        browser.says(".intro", "完好，没有被改动").await;
        browser.click(".who form button").await;
        chooses_a_password(&browser, &password).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "the browser complained");
    })
    .await;
}

async fn adds_a_reviewer(browser: &Browser) -> String {
    browser.open_path("/admin/users/new").await;
    browser.write("#f-user", "review-new").await;
    browser.write("#f-name", "马小兰").await;
    browser.choose("#f-role", "town_office").await;
    browser.choose("#f-unit", "U640105005").await;
    browser.click(".tools form button").await;
    browser.says(".secret h2", "review-new 的一次性密码").await;
    browser.text(".secret code").await
}

async fn joins_a_phone(browser: &Browser, phone: &Phone, server: &str) {
    browser.open_path("/admin/users?name=ninghua&role=inspector").await;
    browser.click(".kept tbody th a").await;
    browser.click("details:has(form[action$='/code']) > summary").await;
    browser.click("form[action$='/code'] button").await;
    browser.says(".secret h2", "手机登记码").await;
    let code = browser.text(".secret code").await;
    phone.run("enrol", &["--server", server, "--code", &code]);
    browser.open_path("/admin/users?name=ninghua&role=inspector").await;
    browser.click(".kept tbody th a").await;
    browser.click("#phones-h ~ .scroll a").await;
    browser.says("h1", "").await;
    browser.click("details:has(input[name=sure]) > summary").await;
    browser.click("#f-sure").await;
    browser.click("details[open] form button").await;
    browser.says(".notice.good", "审计日志").await;
    browser.says("dd", "已停用").await;
}

async fn saves_a_rule(browser: &Browser) {
    browser.click(".places a[href='/admin/rules']").await;
    browser.choose("#f-category", "xixia-2023:event:XX02").await;
    browser.choose("#f-grid", "640105101").await;
    browser.choose("#f-unit", "U640105-YL").await;
    browser.click(".tools form button").await;
    browser.says(".notice.good", "审计日志").await;
    browser.says(".kept th", "市容环卫 × 镇北堡镇").await;
}

async fn chooses_a_password(browser: &Browser, password: &str) {
    browser.open_path("/login").await;
    browser.write("#user", "review-new").await;
    browser.write("#password", password).await;
    browser.click("main form button").await;
    browser.says("h1", "修改密码").await;
    browser.open_path("/review").await;
    browser.says("h1", "修改密码").await;
    browser.write("#f-current", password).await;
    browser.write("#f-new", "贺兰山下有一个新来的人").await;
    browser.write("#f-again", "贺兰山下有一个新来的人").await;
    browser.click("main form button").await;
    browser.says(".notice.good", "已办理").await;
    browser.open_path("/review").await;
    browser.says("h1", "待审核").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_desk_and_every_page_of_the_administration_fits_every_screen_and_has_no_barrier() {
    let office = Office::open();
    let long = "小区北门外人行道上堆放建筑垃圾约三立方米，占用盲道，行人须绕行机动车道；已通知物业，物业称系二楼住户装修所留。";
    for number in 0..12 {
        let category = if number % 4 == 0 { "占道无照经营" } else { "暴露垃圾" };
        office.report(number, category, if number % 3 == 0 { long } else { "垃圾约两平方米" }, false);
    }
    office.phone.drain(3);
    let api = office.api(&office.reviewer).await;
    let handlers = office.scene.users("handling_unit");
    let handler = (*handlers.iter().find(|it| it["unit"] == "U640105-HW").unwrap()).clone();
    let (dispatcher, leader) = (office.somebody("dispatcher"), office.somebody("duty_leader"));
    let (sends, handles) = (office.api(&dispatcher).await, office.api(&handler).await);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let listed = api.get_json("/v1/cases?state=reported&limit=20").await;
    let ids: Vec<String> =
        listed["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let done = async |who: &xunge_tests::http::Api, case: &str, version: u32, mut event: Value| {
        event["expected_version"] = json!(version);
        let key = format!("{case}-{version}");
        let answer = who.event(case, &key, &event).await;
        assert_eq!(answer.status, 201, "{event}: {}", String::from_utf8_lossy(&answer.body));
    };
    for (index, case) in ids.iter().enumerate() {
        done(&api, case, 1, json!({"verb": "file", "level": if index == 2 { "urgent" } else { "normal" }})).await;
        if index < 4 {
            continue;
        }
        let due = now + (index as i64 - 3) * 3 * 3_600_000;
        let dispatch = json!({"verb": "dispatch", "handler": "U640105-HW", "due_at": due, "level": "normal"});
        done(&sends, case, 2, dispatch).await;
        match index {
            6 => {
                done(
                    &handles,
                    case,
                    3,
                    json!({"verb": "ask_return", "reason": "不属本单位职责，现场为市政井盖周边，建议派市政设施管理所"}),
                )
                .await
            }
            7..=9 => {
                done(&handles, case, 3, json!({"verb": "sign"})).await;
                if index == 8 {
                    let ask = json!({"verb": "ask_extend", "reason": "吊车检修", "due_at": due + 86_400_000});
                    done(&handles, case, 4, ask).await;
                }
            }
            _ => {}
        }
    }
    let admin = office.somebody("admin");
    let reviewer = office.reviewer.clone();
    let inspector = reviewer["user"].as_str().unwrap().replace("review", "insp");
    let site = office.server.url.clone();
    story("every_desk_and_admin_page", &site, Script::On, |browser| async move {
        let mut round = Round::new(&browser);
        browser.log_in(&handler).await;
        round.page("desk-unit", "/desk").await;
        round.page("case-unit", &format!("/cases/{}", ids[7])).await;
        browser.look("document.querySelectorAll('details').forEach(it => it.open = true)").await;
        round.look("case-unit-unfolded").await;
        browser.click(".who form button").await;
        browser.log_in(&dispatcher).await;
        round.page("desk-dispatcher", "/desk").await;
        round.page("case-suggested", &format!("/cases/{}", ids[0])).await;
        browser.look("document.querySelectorAll('details').forEach(it => it.open = true)").await;
        round.look("case-suggested-unfolded").await;
        browser.click(".who form button").await;
        browser.log_in(&leader).await;
        round.page("desk-leader", "/desk").await;
        browser.look("document.querySelectorAll('details').forEach(it => { it.name = ''; it.open = true })").await;
        round.look("desk-leader-unfolded").await;
        round.page("password", "/password").await;
        browser.click(".who form button").await;
        browser.log_in(&admin).await;
        for (name, path) in [
            ("admin", "/admin"),
            ("admin-users", "/admin/users"),
            ("admin-users-none", "/admin/users?name=nobody"),
            ("admin-user-new", "/admin/users/new"),
            ("admin-org", "/admin/org"),
            ("admin-org-street", "/admin/org?at=640105005"),
            ("admin-categories", "/admin/categories"),
            ("admin-reasons", "/admin/reasons"),
            ("admin-limits", "/admin/limits"),
            ("admin-rules", "/admin/rules"),
            ("admin-quarantine", "/admin/quarantine"),
            ("admin-audit", "/admin/audit"),
            ("admin-audit-none", "/admin/audit?from=2040-01-01"),
            ("admin-phones", "/phones"),
        ] {
            round.page(name, path).await;
        }
        round.page("admin-user", &format!("/admin/users/{inspector}")).await;
        browser.click("details:has(form[action$='/code']) > summary").await;
        browser.click("form[action$='/code'] button").await;
        browser.see(".secret").await;
        round.look("admin-user-code").await;
        browser.open_path("/phones").await;
        browser.click(".cases tbody th a").await;
        browser.see(".places").await;
        round.look("admin-phone").await;
        browser.open_path("/admin/limits").await;
        let table = "clock,category,level,org,value,unit\nreview,,,,45,minute\nsign,,,,1,work_hour\n";
        browser.look(&format!("document.getElementById('f-text').value = {}", json!(table))).await;
        browser.click("form[enctype] button").await;
        browser.says("h2", "处不同").await;
        round.look("admin-limits-checked").await;
        org_file(&browser, &mut round).await;
        category_file(&browser, &mut round).await;
        browser.open_path("/console/language/en?back=/admin/users/new").await;
        round.look("admin-user-new-english").await;
        assert!(round.found.is_empty(), "{:#?}", round.found);
    })
    .await;
}

/// Another org file: one that would rename a street, and one that would take a grid away which people walk.
async fn org_file(browser: &Browser, round: &mut Round) {
    let text = |change: &dyn Fn(&mut OrgFile)| {
        let mut file = xixia::org_file();
        change(&mut file);
        serde_json::to_string(&file).unwrap()
    };
    let renamed = text(&|file| file.places.iter_mut().for_each(|place| place.name += "（新）"));
    let without = text(&|file| drop(file.places.pop()));
    checked(browser, round, "admin-org-checked", "/admin/org", &renamed, "新增 0 个").await;
    checked(browser, round, "admin-org-refused", "/admin/org", &without, "不能启用的原因").await;
}

/// Another category file: one that would retire a category, and one that would take one away which a rule names.
async fn category_file(browser: &Browser, round: &mut Round) {
    let text = |change: &dyn Fn(&mut Vec<Category>)| {
        let mut rows: Vec<Category> = Taxonomy::builtin().scheme(XIXIA).cloned().collect();
        change(&mut rows);
        category_file::write(rows.iter())
    };
    let retired =
        text(&|rows| rows.iter_mut().filter(|row| row.key.code == "XX0205").for_each(|row| row.retired = true));
    let without = text(&|rows| rows.retain(|row| row.key.code != "XX0201"));
    let page = "/admin/categories";
    checked(browser, round, "admin-categories-checked", page, &retired, "新增 0 个，改变 1 个").await;
    checked(browser, round, "admin-categories-refused", page, &without, "不能启用的原因").await;
}

/// Sends a file to be checked and looks at the page that answers.
async fn checked(browser: &Browser, round: &mut Round, name: &str, page: &str, text: &str, said: &str) {
    browser.open_path(page).await;
    let chosen = "const it = new DataTransfer(); it.items.add(new File([text], 'next'));
        document.getElementById('f-file').files = it.files;";
    browser.look(&format!("(() => {{ const text = {}; {chosen} }})()", json!(text))).await;
    browser.click("form[enctype] button").await;
    browser.says("h2", said).await;
    round.look(name).await;
}
