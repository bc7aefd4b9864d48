//! `quarantine`: what was put aside, also while the server runs.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use xunge_client_core::model::{DeviceId, Ulid};

use super::Data;
use super::error::{CliError, said};
use super::output::Output;
use crate::app::App;
use crate::clock::{Business, Security};
use crate::config::Config;
use crate::datadir::DataDir;
use crate::domain::quarantine::{self, Kept};
use crate::store::StoreError;
use crate::sync::release::{ReleaseRefusal, release};
use crate::sync::rescue::Taken;

/// List, look at, release and drop what was put aside.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List refused changes and the bundles of phones that were shut out.
    List(List),
    /// Write the bytes of one into a file.
    Show(Show),
    /// Take a bundle in as its phone's user sent it, and remove it here.
    Release(One),
    /// Remove one for good; its phone's quota becomes free.
    Drop(Drop),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    data: Data,
    /// Only what came from this phone.
    #[arg(long)]
    device: Option<DeviceId>,
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// Its id, from `quarantine list`.
    id: Ulid,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    one: One,
    /// Where to; an existing file is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Drop {
    #[command(flatten)]
    one: One,
    /// Why, for the audit log.
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    match &args.command {
        Command::List(wanted) => list(wanted, output),
        Command::Show(wanted) => show(wanted, output),
        Command::Release(wanted) => let_in(wanted, output),
        Command::Drop(wanted) => drop_one(wanted, output),
    }
}

fn list(wanted: &List, output: &Output) -> Result<(), CliError> {
    let device = wanted.device;
    let kept = wanted.data.store()?.read_blocking::<Vec<Kept>, StoreError, _>(move |tx| {
        Box::pin(async move { quarantine::list(tx, device).await })
    })?;
    output.result(&json!({"quarantine": kept}), || {
        let mut text = String::new();
        for one in &kept {
            let case = one.case.map_or("-".to_owned(), |case| case.to_string());
            let (at, field) = (one.at.local_text(), one.field.as_deref().unwrap_or("-"));
            let _ = writeln!(
                text,
                "{}\t{at}\t{}\t{}\t{}\t{case}\t{}\t{field}\t{}",
                one.id, one.kind, one.device, one.user, one.code, one.bytes
            );
        }
        text
    });
    Ok(())
}

fn show(wanted: &Show, output: &Output) -> Result<(), CliError> {
    let id = wanted.one.id;
    let found = wanted
        .one
        .data
        .store()?
        .read_blocking::<_, StoreError, _>(move |tx| Box::pin(async move { quarantine::find(tx, id).await }))?;
    let (kept, bytes) = found.ok_or_else(|| unknown(id))?;
    let path = wanted.out.display().to_string();
    let written =
        std::fs::File::create_new(&wanted.out).and_then(|mut file| std::io::Write::write_all(&mut file, &bytes));
    written.map_err(|cause| {
        let words = said(format!("{path}:{cause}"), format!("{path}: {cause}"));
        CliError::failed("io", &path, words, said("请换一个文件名。", "Choose another file."))
    })?;
    output.result(&json!({"kept": kept, "file": path}), || format!("{path}\t{} B", bytes.len()));
    Ok(())
}

fn let_in(wanted: &One, output: &Output) -> Result<(), CliError> {
    let id = wanted.id;
    let app = App::open(DataDir::open(&wanted.data.data)?, Config::default(), Business::real())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|cause| {
        let words = said(cause.to_string(), cause.to_string());
        CliError::failed("runtime", "", words, said("请重试。", "Try again."))
    })?;
    let Taken { cases, photos, .. } = runtime.block_on(async {
        let taken = release(&app.sync, &app.uploads, app.keys.sealing_secret(), "cli", id).await;
        app.close().await?;
        taken.map_err(|refusal| refused(id, &refusal))
    })?;
    output.result(&json!({"id": id.to_string(), "released": true, "cases": cases, "photos": photos}), || {
        format!("{id}\t已放行 released\t{cases} 件案件 cases\t{photos} 张照片 photos")
    });
    Ok(())
}

fn drop_one(wanted: &Drop, output: &Output) -> Result<(), CliError> {
    let (id, reason, now) = (wanted.one.id, wanted.reason.clone(), Security.now());
    let known = wanted.one.data.store()?.write_blocking::<bool, StoreError, _>(move |tx| {
        Box::pin(async move { quarantine::remove(tx, "cli", id, "quarantine.dropped", &reason, now).await })
    })?;
    if !known {
        return Err(unknown(id));
    }
    output.result(&json!({"id": id.to_string(), "dropped": true}), || format!("{id}\t已删除 dropped"));
    Ok(())
}

fn unknown(id: Ulid) -> CliError {
    CliError::failed(
        "unknown_quarantine",
        id.to_string(),
        said(format!("隔离区没有 {id}。"), format!("There is nothing called {id} in quarantine.")),
        said("用 quarantine list 查看全部内容。", "See `quarantine list`."),
    )
}

fn refused(id: Ulid, refusal: &ReleaseRefusal) -> CliError {
    match refusal {
        ReleaseRefusal::Unknown => unknown(id),
        ReleaseRefusal::NotABundle => CliError::failed(
            "not_a_bundle",
            id.to_string(),
            said(format!("{id} 是被拒绝的修改，不是救援包。"), format!("{id} is a refused change, not a bundle.")),
            said(
                "用 quarantine show 取出内容，或用 quarantine drop 删除。",
                "Look at it with `quarantine show`, or remove it with `quarantine drop`.",
            ),
        ),
        other => CliError::failed(
            "release_failed",
            id.to_string(),
            said(format!("{id} 未能放行:{other}"), format!("{id} could not be released: {other}")),
            said("它仍在隔离区，可稍后再试。", "It is still in quarantine; try again later."),
        ),
    }
}
