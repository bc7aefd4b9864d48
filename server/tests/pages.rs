//! Parts of `docs/API.md` are printed from tables. After a change of one: `XUNGE_WRITE_DOCS=1 cargo test --release
//! -p xunge-server --test main pages`.

use std::path::Path;

use xunge_client_core::model::Role;
use xunge_client_core::workflow::table::members_markdown;
use xunge_server::auth::permission::{TABLE, Who};

/// The page with the text between two marks replaced.
fn with_part(page: &str, name: &str, part: &str) -> String {
    let (before, rest) = page.split_once(&format!("<!-- {name}:")).unwrap();
    let (mark, rest) = rest.split_once("-->\n").unwrap();
    let (_, after) = rest.split_once(&format!("<!-- /{name} -->")).unwrap();
    format!("{before}<!-- {name}:{mark}-->\n\n{}\n\n<!-- /{name} -->{after}", part.trim())
}

fn routes() -> String {
    let mut out = String::from("| route | who |\n|---|---|\n");
    for rule in TABLE {
        let who = match rule.who {
            Who::Anyone => "anyone, without signing in".to_owned(),
            Who::Device => "a phone, proven by the request itself".to_owned(),
            Who::Roles(roles) if roles.len() == Role::ALL.len() => "everybody".to_owned(),
            Who::Roles(roles) => roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", "),
            Who::Uploader => "everybody; a phone's upload token too".to_owned(),
        };
        out += &format!("| `{} {}` | {who} |\n", rule.method, rule.path);
    }
    out
}

#[test]
fn the_api_page_is_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let printed = with_part(&with_part(&page, "routes", &routes()), "verbs", &members_markdown());
    if std::env::var_os("XUNGE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &printed).unwrap();
        return;
    }
    assert!(page == printed, "docs/API.md is not what the tables print; pages.rs says how to print it");
}
