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

/// What is never logged unless the operator names it. Automerge opens a span with formatted fields for every column of
/// every change it reads: written nowhere, but a tenth of the server's time under load.
const SILENT: &str = "automerge=off";

/// Starts logging for the whole process.
pub fn start(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let parsed = parse(filter)?;
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(parsed).with_target(true);
    match format {
        LogFormat::Text => lines.with_ansi(false).finish().try_init()?,
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}

/// Of two directives for one target the later one counts.
fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(format!("{SILENT},{filter}")).map_err(|_| TelemetryError::Filter(filter.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_library_is_silent_unless_it_is_named() {
        let shown = |filter| parse(filter).unwrap().to_string();
        assert!(shown("info").contains("automerge=off"), "{}", shown("info"));
        assert!(shown("info,automerge=debug").contains("automerge=debug"));
        assert!(!shown("info,automerge=debug").contains("automerge=off"));
        assert!(parse("xunge_server=loud").is_err());
    }
}
