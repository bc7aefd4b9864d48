//! The category trees as a file, and what becomes of a category that is retired.

use axum::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xunge_client_core::model::{Facts, Mode, Sha256};

use super::admin::upload_to;
use super::office::{Browser, INSPECTOR, Office, REVIEWER, with};
use crate::testing::{LITTER, facts};

const PAGE: &str = "/admin/categories";
const TREE: &str = "/admin/categories.csv?scheme=xixia-2023";

/// The district's own tree as it is downloaded.
async fn downloaded(office: &Office, browser: &Browser) -> String {
    let answer = office.get(browser, TREE).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert!(answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    answer.text()
}

/// The line of a category, with `retired` set.
fn retiring(text: &str, code: &str) -> String {
    let line = text.lines().find(|line| line.contains(&format!(",{code},"))).unwrap();
    text.replace(line, &format!("{}yes", line.trim_end().strip_suffix("no").unwrap()))
}

async fn applied(office: &Office) -> Vec<String> {
    let rows = office.district.rows("SELECT subject, detail FROM audit WHERE action = 'categories.applied'").await;
    rows.iter().map(|row| format!("{} {}", row.text(0).unwrap(), row.text(1).unwrap())).collect()
}

#[tokio::test]
async fn another_category_file_is_checked_and_put_in_force_as_it_was_sent() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    let check = async |text: &str| upload_to(&office, &admin, PAGE, &[], text).await;
    let page = office.page(&admin, PAGE).await;
    assert!(page.text_of("h2").contains("核对新文件") && page.source.contains(&format!("href=\"{TREE}\"")));
    assert!(page.text_of("option").contains("xixia-2023 · 事件（"), "{}", page.text_of("option"));
    let text = downloaded(&office, &admin).await;
    assert!(text.starts_with("\u{feff}scheme,kind,code,") && !text.contains("gb47678"));
    assert!(office.get(&admin, "/admin/categories.csv").await.text().contains("gb47678.5-2026,part,01001,"));
    assert_eq!(office.get(&admin, "/admin/categories.csv?scheme=x").await.status, StatusCode::NOT_FOUND);
    for (text, why) in [
        ("", "请选择一个文件"),
        ("scheme\n", "第 1 行 kind 列缺少此列。请补充该列。"),
        (&*text.replace(",XX0205,", ",XX 205,"), "第 15 行 code 列“XX 205”不是有效的代码。请使用字母"),
    ] {
        let answer = check(text).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.page(why).text_of("strong").contains(why), "{why}");
    }
    let page = check(&text).await.page("the same");
    assert!(page.text_of("p").contains("完全相同") && !page.source.contains("value=\"apply\""));

    // With the line ends of another system, as a spreadsheet saves it.
    let next = retiring(&text, "XX0205").replace('\n', "\r\n");
    let page = check(&next).await.page("checked");
    assert!(page.all("a").any(|it| it.attr("href") == "#tools") && page.source.contains("id=\"tools\""));
    assert!(page.text_of("td").contains("使用中") && page.text_of("td").contains("已停用"));
    assert!(page.text_of("td").contains("停用") && page.text_of("h2").contains("新增 0 个，改变 1 个，移除 0 个"));
    assert_eq!(applied(&office).await, [""; 0], "nothing is in force yet");
    let english = Browser { language: "en", ..admin.clone() };
    let other = upload_to(&office, &english, PAGE, &[], &next).await.page("in English");
    assert!(other.text_of("h2").contains("0 added, 1 changed, 0 removed"));
    let form = page.form(PAGE);
    let stranger = with(form.clone(), &[("token", "x")]);
    assert_eq!(office.post(&admin, PAGE, &stranger).await.status, StatusCode::FORBIDDEN);
    assert_eq!(office.post(&admin, PAGE, &form).await.location(), PAGE);
    assert!(office.page(&admin, PAGE).await.text_of("td").contains("已停用"), "at once");
    let log = applied(&office).await;
    assert!(log[0].starts_with("xixia-2023 ") && log[0].contains(&Sha256::of(next.as_bytes()).to_string()), "{log:?}");
    assert!(office.page(&admin, "/admin/audit").await.source.contains("启用新类别表"));
    assert!(office.post(&admin, PAGE, &form).await.page("twice").text_of("p").contains("完全相同"));
    assert_eq!(applied(&office).await.len(), 1);
}

#[tokio::test]
async fn a_category_file_that_breaks_figures_is_refused_with_the_way_out() {
    let office = Office::new().await;
    let admin = office.browser("admin").await;
    office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let text = downloaded(&office, &admin).await;
    let line = text.lines().find(|line| line.contains(",XX0201,")).unwrap();
    let text = text.replace(&format!("{line}\n"), "");
    let answer = upload_to(&office, &admin, PAGE, &[], &text).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("refused");
    assert!(page.text_of("strong").contains("不能启用：有 1 处") && page.text_of("td").contains("retired 写 yes"));
    assert!(page.text_of("td").contains("派遣规则、案件") && !page.source.contains("value=\"apply\""));
    let file = URL_SAFE_NO_PAD.encode(&text);
    let form = with(Vec::new(), &[("token", admin.csrf.as_str()), ("do", "apply"), ("file", file.as_str())]);
    assert_eq!(office.post(&admin, PAGE, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(applied(&office).await, [""; 0]);
    for user in [REVIEWER, "audit-1"] {
        let other = office.browser(user).await;
        assert_eq!(office.get(&other, TREE).await.status, StatusCode::FORBIDDEN, "{user}");
        let form = with(form.clone(), &[("token", other.csrf.as_str())]);
        assert_eq!(office.post(&other, PAGE, &form).await.status, StatusCode::FORBIDDEN, "{user}");
    }
    // Whoever keeps a street reads the trees of the district and does not exchange them.
    office.district.run("UPDATE user_account SET scope = '640105005' WHERE id = 'admin'", vec![]).await;
    assert!(!office.page(&admin, PAGE).await.text_of("h2").contains("核对新文件"));
    assert_eq!(office.post(&admin, PAGE, &form).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_retired_category_is_not_offered_for_new_cases_and_still_found_and_counted() {
    let office = Office::new().await;
    let (admin, reviewer, hotline) =
        (office.browser("admin").await, office.browser(REVIEWER).await, office.browser("hotline-1").await);
    let litter = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let sweeping = Some("xixia-2023:event:XX0202".parse().unwrap());
    let now = office.app.services.business.now();
    let other = office.report(INSPECTOR, &Facts { category_claim: sweeping, ..facts(2, Mode::Forwarded, now) }).await;
    let register = async || {
        let address = office.get(&hotline, "/register").await.location().to_owned();
        office.page(&hotline, &address).await
    };
    let offered = format!("value=\"{LITTER}\"");
    let before = register().await;
    assert!(before.source.contains(&offered));
    let next = retiring(&downloaded(&office, &admin).await, "XX0201");
    let form = upload_to(&office, &admin, PAGE, &[], &next).await.page("checked").form(PAGE);
    office.post(&admin, PAGE, &form).await.location();

    assert!(!register().await.source.contains(&offered));
    // Whoever had the form open is told at the field, with what was typed.
    let typed = [("category", LITTER), ("description", "路口有垃圾"), ("grid", "640105005001001")];
    let answer = office.send_photos(&hotline, "/register", &with(before.form("/register"), &typed), &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("retired meanwhile");
    assert!(page.source.contains("此类别已停用") && page.source.contains("路口有垃圾"));
    let file_form = async |case| {
        let page = office.page(&reviewer, &format!("/cases/{case}")).await;
        let form = page.form("file");
        (form.into_iter().find(|(name, _)| name == "category").unwrap().1, page.source.contains(&offered))
    };
    assert_eq!(file_form(litter).await, (LITTER.to_owned(), true), "it stays what it is");
    assert_eq!(file_form(other).await, ("xixia-2023:event:XX0202".to_owned(), false));
    // Phones that have not heard of it go on reporting; lists and figures have all of them under its name.
    let late = office.simple(INSPECTOR, 3, Mode::Forwarded).await;
    let list = office.page(&reviewer, &format!("/cases?category={LITTER}")).await;
    assert!(list.source.contains(&offered), "the filter offers it");
    for (case, listed) in [(litter, true), (late, true), (other, false)] {
        assert_eq!(list.source.contains(&format!("/cases/{case}")), listed, "{case}");
    }
    assert!(office.page(&admin, PAGE).await.text_of("td").contains("已停用"));
}
