//! Log lines on stderr. Fields are dotted and stable; no names, phone numbers or exact places are ever logged.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

use crate::config::LogFormat;

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("log_filter `{0}` is not a filter like `info,xunge_server=debug`")]
    Filter(String),
    /// Somebody else installed a logger in this process.
    #[error(transparent)]
    Installed(#[from] TryInitError),
}

/// Starts logging for the whole process.
pub fn start(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let parsed = EnvFilter::try_new(filter).map_err(|_| TelemetryError::Filter(filter.to_owned()))?;
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(parsed).with_target(true);
    match format {
        LogFormat::Text => lines.with_ansi(false).finish().try_init()?,
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}
