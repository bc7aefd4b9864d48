//! The committed page is the table.

use std::path::Path;

use super::table::{markdown, members_markdown};
use super::*;

#[test]
fn the_committed_page_is_the_printed_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/workflow.md");
    if std::env::var_os("XUNGE_WRITE_DOCS").is_some() {
        std::fs::write(&path, markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == markdown(), "docs/workflow.md is not what the table prints; the page says how to print it");
}

#[test]
fn the_page_names_every_verb_state_member_and_refusal() {
    let page = markdown();
    let mut names: Vec<&str> = Verb::ALL.iter().map(|verb| verb.code()).collect();
    names.extend(State::ALL.iter().map(|state| state.code()));
    names.extend(Member::ALL.iter().map(|member| member.code()));
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    assert!(page.contains(&members_markdown()));
    for line in page.lines().filter(|line| line.starts_with("| `dispatch` | `handler`")) {
        assert_eq!(line, "| `dispatch` | `handler`, `level`, `due_at` | `note` |  |");
    }
}

#[test]
fn a_refusal_is_sent_under_its_code_and_read_back() {
    let examples = table::examples();
    for refusal in &examples {
        let json = serde_json::to_value(refusal).unwrap();
        assert_eq!(json["code"], refusal.code());
        assert_eq!(serde_json::from_value::<Refusal>(json).unwrap(), *refusal);
        for text in [refusal.zh(), refusal.en(), refusal.hint_zh().into(), refusal.hint_en().into()] {
            assert!(!text.is_empty());
        }
    }
    let mut codes: Vec<&str> = examples.iter().map(Refusal::code).collect();
    codes.dedup();
    assert_eq!(codes.len(), examples.len());
}
