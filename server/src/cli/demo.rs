//! `demo`: the published month, replayed. Exit code 1 if a figure differs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::{CliError, said};
use super::output::{self, Output};
use crate::config::LogFormat;
use crate::demo::run::{Folder, Options, Progress, replay};
use crate::demo::show;
use crate::demo::trouble::DemoError;
use crate::telemetry;

/// Replay 西夏区, November 2023, through real phones, and hold the figures against the published report.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop after the figures; otherwise the console stays up until a signal.
    #[arg(long)]
    exit: bool,
    /// A data folder to make and keep, new or empty; otherwise a temporary one that is removed at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen; loopback only. Port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many phones report.
    #[arg(long, value_name = "N", default_value_t = 40)]
    phones: usize,
    /// Which month that gives these figures is played.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<ExitCode, CliError> {
    telemetry::start(LogFormat::Text, "warn")?;
    let folder = Folder::new(args.data.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| DemoError::Io { what: "runtime".to_owned(), cause })?;
    let done = runtime.block_on(demo(args, &folder, output));
    // Waits for whoever still writes: then the folder can go.
    drop(runtime);
    drop(folder);
    done
}

async fn demo(args: &Args, folder: &Folder, output: &Output) -> Result<ExitCode, CliError> {
    let stop = stopped_by_signals()?;
    let options = Options { listen: args.listen, phones: args.phones, seed: args.seed };
    let (report, running) = tokio::select! {
        done = replay(&options, folder, |progress| output::note(&told(progress))) => done?,
        () = stop.cancelled() => return Ok(ExitCode::FAILURE),
    };
    output.result(&report, || show::table(&report));
    if !args.exit {
        output::note(&show::people(&running));
        running.patrol(&stop).await;
    }
    running.close().await?;
    Ok(if report.equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stopped_by_signals() -> Result<CancellationToken, DemoError> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut heard = signal(kind).map_err(|cause| DemoError::Io { what: "signal".to_owned(), cause })?;
        let stop = stop.clone();
        tokio::spawn(async move {
            heard.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

fn told(progress: Progress) -> String {
    match progress {
        Progress::Serving(listen) => format!("服务器已在 http://{listen} 启动，手机正在注册"),
        Progress::Day { at, received } => format!("{}  已上报 {received} 件", at.local_day()),
        Progress::Counting => "本月结束，正在统计".to_owned(),
    }
}

impl From<DemoError> for CliError {
    fn from(error: DemoError) -> Self {
        let (hint_en, hint_zh) = error.way_out();
        let subject = match &error {
            DemoError::NotLoopback { asked } => asked.clone(),
            DemoError::Io { what, .. } => what.clone(),
            DemoError::Phone { user, .. } | DemoError::Office { user, .. } => user.clone(),
            DemoError::Plan(_) | DemoError::PlanOff(_) | DemoError::Setup(_) => String::new(),
        };
        let make = if error.is_usage() { Self::misuse } else { Self::failed };
        make(error.code(), subject, said(error.zh(), error.to_string()), said(hint_zh, hint_en))
    }
}
