//! `org`: another org tree, also while the server runs; it reads the tree anew as soon as it changed.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::{Value, json};
use xunge_client_core::model::{Millis, Sha256};

use super::Data;
use super::error::{CliError, said};
use super::init;
use super::output::Output;
use crate::clock::Security;
use crate::domain::directory::changes::{Change, Numbers};
use crate::domain::directory::exchange::{self, Done, Outcome, Plan};
use crate::domain::directory::refusal::Refusal;
use crate::reference::org::Org;
use crate::reference::org_file::OrgFile;
use crate::store::StoreError;

/// Compare an org file with what is there, and put it in force.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what an org file would change; ends with 1 if it can not be put in force.
    Check(One),
    /// Put an org file in force: all of it, or nothing.
    Apply(One),
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// The org file (docs/ORG-FILE.md); its users are not looked at.
    file: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<ExitCode, CliError> {
    match &args.command {
        Command::Check(one) => check(one, output),
        Command::Apply(one) => apply(one, output, Security.now()),
    }
}

/// The tree of the file, and the hash of its bytes.
fn read(one: &One) -> Result<(Arc<Org>, Sha256), CliError> {
    let text = init::read(&one.file)?;
    let org = OrgFile::tree(&text).map_err(|problems| init::problem(&problems))?;
    Ok((Arc::new(org), Sha256::of(text.as_bytes())))
}

fn check(one: &One, output: &Output) -> Result<ExitCode, CliError> {
    let (org, sha256) = read(one)?;
    let plan = one
        .data
        .store()?
        .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { exchange::plan(tx, &org).await }))?;
    let document = json!({
        "sha256": sha256.to_string(),
        "changes": plan.changes,
        "numbers": Numbers::of(&plan.changes),
        "refusals": plan.refusals.iter().map(refusal).collect::<Vec<_>>(),
    });
    output.result(&document, || told(&plan));
    Ok(if plan.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn apply(one: &One, output: &Output, now: Millis) -> Result<ExitCode, CliError> {
    let (org, sha256) = read(one)?;
    let outcome = one.data.store()?.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { exchange::apply(tx, "cli", &org, &sha256, now).await })
    })?;
    match outcome {
        Outcome::Refused(plan) => return Err(refused(&plan.refusals)),
        Outcome::Same => {
            output.result(&json!({"changed": false}), || {
                said("没有不同，未作改动。", "The same; nothing was done.").pick()
            });
        }
        Outcome::Done(Done { numbers, rules, version }) => {
            let document = json!({"changed": true, "numbers": numbers, "rules": rules, "reference_version": version});
            output.result(&document, || format!("{}\n规则 rules: {rules}\n版本 version: {version}", summary(numbers)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// All reasons at once, each with its way out.
fn refused(refusals: &[Refusal]) -> CliError {
    let lines = |line: fn(&Refusal) -> String| refusals.iter().map(line).collect::<Vec<_>>().join("\n");
    let subject = refusals.first().map_or("", |refusal| refusal.code.as_str());
    CliError::failed(
        "org_refused",
        subject,
        said(
            lines(|it| format!("{} {}：{}。{}。", it.code, it.name, it.zh(), it.way_out().1)),
            lines(|it| format!("{} {}: {it}; {}.", it.code, it.name, it.way_out().0)),
        ),
        said("未作任何改动。", "Nothing was changed."),
    )
}

fn refusal(refusal: &Refusal) -> Value {
    let mut value = serde_json::to_value(refusal).unwrap_or_default();
    let (way, _) = refusal.way_out();
    value["message"] = refusal.to_string().into();
    value["hint"] = way.into();
    value
}

fn told(plan: &Plan) -> String {
    let mut text = String::new();
    for Change { code, name, what, now, then } in &plan.changes {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let words = said(what.zh(), what.en()).pick();
        let _ = writeln!(text, "{code}\t{name}\t{words}\t{} -> {}", side(now), side(then));
    }
    for refusal in &plan.refusals {
        let (en, zh) = refusal.way_out();
        let words = said(format!("{}。{zh}。", refusal.zh()), format!("{refusal}; {en}.")).pick();
        let _ = writeln!(text, "!! {}\t{}\t{words}", refusal.code, refusal.name);
    }
    if plan.changes.is_empty() && plan.refusals.is_empty() {
        return said("与正在使用的完全相同。", "The same as what is in force.").pick();
    }
    text + &summary(Numbers::of(&plan.changes))
}

fn summary(Numbers { added, changed, removed }: Numbers) -> String {
    format!("新增 added: {added}\n改变 changed: {changed}\n移除 removed: {removed}")
}
