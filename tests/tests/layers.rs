//! Who may use whom (docs/ARCHITECTURE.md), read from the `use` lines and paths of the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|_| panic!("{} exists", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "{} has sources", folder.display());
    files
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Code without comments and strings' surroundings: enough to see which modules are named.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Files below `folder` that name any of `forbidden`, except those whose path contains one of `but`.
fn offenders(folder: &str, forbidden: &[&str], but: &[&str]) -> Vec<String> {
    sources(&workspace().join(folder))
        .into_iter()
        .filter(|path| !but.iter().any(|but| path.to_string_lossy().contains(but)))
        .flat_map(|path| {
            let code = code(&path);
            let shown = path.strip_prefix(workspace()).unwrap().display().to_string();
            forbidden
                .iter()
                .filter(|word| code.contains(**word))
                .map(|word| format!("{shown}: {word}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[track_caller]
fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_doc_module_names_automerge() {
    none(offenders("client-core/src", &["automerge::"], &["/doc/"]));
    none(offenders("server/src", &["automerge::"], &[]));
    none(offenders("mobile-bindings/src", &["automerge::"], &[]));
}

#[test]
fn only_the_stores_name_the_database_driver() {
    none(offenders("client-core/src", &["rusqlite::"], &["/store/"]));
    none(offenders("server/src", &["rusqlite::"], &["/store/"]));
}

#[test]
fn only_the_bindings_name_uniffi() {
    none(offenders("client-core/src", &["uniffi::"], &[]));
    none(offenders("server/src", &["uniffi::"], &[]));
}

#[test]
fn pure_modules_do_no_input_or_output() {
    let outside =
        ["std::fs", "std::net", "std::thread", "SystemTime", "Instant::now", "tokio::", "rusqlite::", "getrandom"];
    for folder in ["model", "workflow", "wire", "sync"] {
        none(offenders(&format!("client-core/src/{folder}"), &outside, &["/tests", "/golden.rs"]));
    }
    none(offenders("client-core/src/doc", &outside, &["/tests", "/testing"]));
}

#[test]
fn the_phones_store_and_facade_keep_the_door_open_for_a_browser() {
    let outside = ["std::net", "std::thread", "tokio::", "hyper::"];
    none(offenders("client-core/src/store", &outside, &["/tests"]));
    none(offenders("client-core/src/photo", &outside, &["/tests"]));
}

#[test]
fn the_domain_runs_without_axum() {
    none(offenders("server/src/domain", &["axum::", "crate::api", "crate::console"], &[]));
    none(offenders("server/src/store", &["axum::", "crate::domain", "crate::api"], &[]));
}

#[test]
fn nothing_depends_on_the_test_programs() {
    for package in ["client-core", "server", "mobile-bindings"] {
        let manifest = fs::read_to_string(workspace().join(package).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("xunge-tests"), "{package}");
    }
}
