//! `serve`: opens an installation and serves it until told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::{CliError, said};
use super::{Data, output};
use crate::app::App;
use crate::clock::Business;
use crate::config::Config;
use crate::datadir::DataDir;
use crate::{api, jobs, serve, telemetry};

/// Serve phones, offices and other systems.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: Data,
    /// Where to listen; port 0 takes any free one. Default 127.0.0.1:8080.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where to serve /metrics; nowhere if left out.
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
    /// How phones reach the server, for example https://grid.example.gov.cn.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A TOML file with settings; flags win over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let config = config(args)?;
    telemetry::start(config.log, &config.log_filter)?;
    let data = DataDir::open(&args.data.data)?;
    let _lock = data.lock()?;
    let app = App::open(data, config, Business::real())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| could_not("runtime", "", &cause))?;
    runtime.block_on(until_stopped(app))
}

fn config(args: &Args) -> Result<Config, CliError> {
    let mut config = args.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    config.listen = args.listen.unwrap_or(config.listen);
    config.metrics_listen = args.metrics_listen.or(config.metrics_listen);
    config.public_url = args.public_url.clone().or(config.public_url);
    Ok(config)
}

async fn until_stopped(app: App) -> Result<(), CliError> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(|cause| could_not("signal", "", &cause))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|cause| could_not("signal", "", &cause))?;
    let listener = bind(app.config.listen).await?;
    let address = listener.local_addr().map_err(|cause| could_not("listen", "", &cause))?;
    let metrics = match app.config.metrics_listen {
        Some(listen) => Some(bind(listen).await?),
        None => None,
    };
    output::line(&serde_json::json!({"listening": format!("http://{address}")}).to_string());
    tracing::info!(%address, district = %app.identity.district, "serving");
    let serving = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { serve::serve(&app, listener, api::router(app.clone()), stop).await }
    });
    let counting = metrics.map(|listener| {
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move { serve::serve(&app, listener, api::metrics_router(app.clone()), stop).await })
    });
    let working = tokio::spawn(jobs::run(app.clone(), stop.clone()));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    stop.cancel();
    let _ = serving.await;
    if let Some(counting) = counting {
        let _ = counting.await;
    }
    let _ = working.await;
    // Empties the log into the database file, so that a copy of the folder is whole.
    app.close().await?;
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).await.map_err(|cause| could_not("listen", &address.to_string(), &cause))
}

fn could_not(code: &'static str, subject: &str, cause: &std::io::Error) -> CliError {
    CliError::failed(
        code,
        subject,
        said(format!("无法启动（{subject}）：{cause}"), format!("The server can not start ({subject}): {cause}.")),
        said("请换一个地址或停止占用它的程序。", "Take another address or stop the program that uses it."),
    )
}
