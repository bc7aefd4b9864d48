//! Writes the commit into the programs of this package, so that a figure names what was measured, wherever and
//! whenever the program runs: `XUNGE_COMMIT`, the full hash, with a `+` if something outside `docs/` was changed, or
//! `unknown` without git.

use std::process::Command;

fn main() {
    // What the figures measure. Only where one of these changes are these programs built anew anyway.
    for source in ["build.rs", "Cargo.toml", "src", "../client-core", "../server", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={source}");
    }
    // Written at every commit and checkout. Packages of other folders do not listen.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    println!("cargo::rustc-env=XUNGE_COMMIT={}", commit().unwrap_or_else(|| "unknown".to_owned()));
}

fn commit() -> Option<String> {
    // Sources unpacked inside another project's checkout have no commit of their own.
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    let head = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--", ":(top)", ":(top,exclude)docs"])?;
    Some(if changed.is_empty() { head } else { format!("{head}+") })
}

/// What git says in this folder; `None` if it is not there or refuses.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
