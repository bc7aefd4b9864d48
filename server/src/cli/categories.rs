//! `categories`: the category trees as a file, also while the server runs; it reads them anew as soon as they changed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;
use xunge_client_core::model::{Millis, Sha256};
use xunge_client_core::workflow::deadline::Limits;

use super::Data;
use super::error::{CliError, said};
use super::exchanged::{self, summary};
use super::output::Output;
use crate::clock::Security;
use crate::config::Config;
use crate::domain::directory::trees::{self, Done, Outcome};
use crate::domain::timetables::Timetables;
use crate::reference::category_file;
use crate::reference::taxonomy::Category;
use crate::store::{Store, StoreError};

/// Print the category trees as a file, compare another one with them, and put it in force.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the trees in force as CSV.
    Export(Export),
    /// Print what a category file would change; ends with 1 if it can not be put in force.
    Check(One),
    /// Put a category file in force: all of it, or nothing.
    Apply(One),
}

#[derive(Debug, clap::Args)]
struct Export {
    #[command(flatten)]
    data: Data,
    /// Only this tree, for example xixia-2023.
    #[arg(long)]
    scheme: Option<String>,
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// The settings the server is started with, for the time limits they name; not needed without any.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The category file (docs/CATEGORY-FILE.md); it replaces the trees it names.
    file: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<ExitCode, CliError> {
    match &args.command {
        Command::Export(export) => print(export, output),
        Command::Check(one) => check(one, output),
        Command::Apply(one) => apply(one, output, Security.now()),
    }
}

fn print(args: &Export, output: &Output) -> Result<ExitCode, CliError> {
    let store = args.data.store()?;
    let mut rows = store.read_blocking::<_, StoreError, _>(|tx| Box::pin(trees::in_force(tx)))?;
    if let Some(scheme) = &args.scheme {
        rows.retain(|category| category.key.scheme == *scheme);
        if rows.is_empty() {
            return Err(CliError::failed(
                "unknown_scheme",
                scheme,
                said(format!("没有类别表“{scheme}”。"), format!("There is no tree `{scheme}`.")),
                said("不加 --scheme 可输出全部类别表。", "Without --scheme every tree is printed."),
            ));
        }
    }
    let csv = category_file::write(rows.iter());
    output.result(&json!({"categories": rows.len(), "csv": csv}), || csv.clone());
    Ok(ExitCode::SUCCESS)
}

/// The trees of the file, and the hash of its bytes.
fn read(one: &One) -> Result<(Arc<Vec<Category>>, Sha256), CliError> {
    let bytes = std::fs::read(&one.file).map_err(|cause| exchanged::unreadable("category_file", &one.file, &cause))?;
    let rows = category_file::read(&bytes).map_err(|problems| exchanged::problem(&problems))?;
    Ok((Arc::new(rows), Sha256::of(&bytes)))
}

/// The time limits the server goes by: those of its settings, or the edition over them.
fn limits(one: &One, store: &Store) -> Result<Limits, CliError> {
    let config = one.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    let timetables = Timetables::new(config.tables);
    let loaded = timetables.clone();
    store.read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { loaded.load(tx).await }))?;
    Ok(timetables.now().timetable.limits.clone())
}

fn check(one: &One, output: &Output) -> Result<ExitCode, CliError> {
    let (rows, sha256) = read(one)?;
    let store = one.data.store()?;
    let limits = limits(one, &store)?;
    let plan = store
        .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { trees::plan(tx, &rows, &limits).await }))?;
    output.result(&exchanged::document(&sha256, &plan), || exchanged::told(&plan));
    Ok(if plan.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn apply(one: &One, output: &Output, now: Millis) -> Result<ExitCode, CliError> {
    let (rows, sha256) = read(one)?;
    let store = one.data.store()?;
    let limits = limits(one, &store)?;
    let outcome = store.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { trees::apply(tx, "cli", &rows, &limits, &sha256, now).await })
    })?;
    match outcome {
        Outcome::Refused(plan) => return Err(exchanged::refused("categories_refused", &plan.refusals)),
        Outcome::Same => output.result(&json!({"changed": false}), exchanged::same),
        Outcome::Done(Done { numbers, version }) => {
            let document = json!({"changed": true, "numbers": numbers, "reference_version": version});
            output.result(&document, || format!("{}\n版本 version: {version}", summary(numbers)));
        }
    }
    Ok(ExitCode::SUCCESS)
}
