//! What an operator sets: a TOML file and flags over it. Unknown keys are refused by name: a misspelt key that is
//! silently ignored is how a server ends up listening where nobody meant it to.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The settings of a running server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where phones, offices and programs connect; plain HTTP, TLS is the proxy's.
    pub listen: SocketAddr,
    /// Where `/metrics` is served; nowhere if left out.
    pub metrics_listen: Option<SocketAddr>,
    /// How phones reach the server, written into enrolment codes: `https://grid.example.gov.cn`.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Connections served at once.
    pub max_connections: usize,
    /// How log lines look.
    pub log: LogFormat,
    /// Which log lines are written, in the syntax of tracing's `EnvFilter`.
    pub log_filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            // A phone holds one connection; a city of 10,000 phones syncs in seconds each, not all at once.
            max_connections: 4_096,
            log: LogFormat::Text,
            log_filter: "info".to_owned(),
        }
    }
}

/// Why a configuration file is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can not be read.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A key is unknown or has a value it does not take.
    #[error("{path}: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Line, key and reason.
        what: String,
    },
}

impl Config {
    /// Reads a file; what it leaves out keeps its default.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Io { path: path.to_owned(), cause })?;
        Self::parse(&text).map_err(|what| ConfigError::Content { path: path.to_owned(), what })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(url) = &config.public_url
            && !url.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some())
        {
            return Err(format!("public_url `{url}` is not an address like https://grid.example.gov.cn"));
        }
        if config.max_connections == 0 {
            return Err("max_connections has to be at least 1".to_owned());
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn every_key_can_be_set() {
        let config = Config::parse(
            "listen = '0.0.0.0:80'\nmetrics_listen = '127.0.0.1:9090'\npublic_url = 'https://grid.example.gov.cn'\n\
             trusted_proxies = ['127.0.0.1', '::1']\nmax_connections = 10\nlog = 'json'\nlog_filter = 'warn'",
        )
        .unwrap();
        assert_eq!((config.listen.port(), config.trusted_proxies.len(), config.log), (80, 2, LogFormat::Json));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for (text, named) in [
            ("lisen = '127.0.0.1:80'", "lisen"),
            ("[tls]\ncert = 'x'", "tls"),
            ("listen = 'here'", "listen"),
            ("log = 'xml'", "log"),
            ("public_url = 'grid'", "public_url"),
            ("max_connections = 0", "max_connections"),
        ] {
            let refused = Config::parse(text).unwrap_err();
            assert!(refused.contains(named), "{text}: {refused}");
        }
    }
}
