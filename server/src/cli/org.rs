//! `org`: another org tree, also while the server runs; it reads the tree anew as soon as it changed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;
use xunge_client_core::model::{Millis, Sha256};

use super::Data;
use super::error::CliError;
use super::exchanged::{self, summary};
use super::init;
use super::output::Output;
use crate::clock::Security;
use crate::domain::directory::exchange::{self, Done, Outcome};
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
    let org = OrgFile::tree(&text).map_err(|problems| exchanged::problem(&problems))?;
    Ok((Arc::new(org), Sha256::of(text.as_bytes())))
}

fn check(one: &One, output: &Output) -> Result<ExitCode, CliError> {
    let (org, sha256) = read(one)?;
    let plan = one
        .data
        .store()?
        .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { exchange::plan(tx, &org).await }))?;
    output.result(&exchanged::document(&sha256, &plan), || exchanged::told(&plan));
    Ok(if plan.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn apply(one: &One, output: &Output, now: Millis) -> Result<ExitCode, CliError> {
    let (org, sha256) = read(one)?;
    let outcome = one.data.store()?.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { exchange::apply(tx, "cli", &org, &sha256, now).await })
    })?;
    match outcome {
        Outcome::Refused(plan) => return Err(exchanged::refused("org_refused", &plan.refusals)),
        Outcome::Same => output.result(&json!({"changed": false}), exchanged::same),
        Outcome::Done(Done { numbers, rules, version }) => {
            let document = json!({"changed": true, "numbers": numbers, "rules": rules, "reference_version": version});
            output.result(&document, || format!("{}\n规则 rules: {rules}\n版本 version: {version}", summary(numbers)));
        }
    }
    Ok(ExitCode::SUCCESS)
}
