//! What an operator sets: a TOML file and flags over it. Unknown keys are refused by name: a misspelt key that is
//! silently ignored is how a server ends up listening where nobody meant it to.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::timetables::{InForce, Source};
use crate::reference::timetable;

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
    /// Working hours as spans like `08:30-12:00`; the built-in ones if left out.
    pub working_hours: Vec<String>,
    /// A CSV file of holidays and of weekend days that are worked; the built-in one if left out.
    pub calendar: Option<PathBuf>,
    /// A CSV file of time limits; the built-in example if left out.
    pub time_limits: Option<PathBuf>,
    /// Address of the tiles under the console's map, on this very site: `/basemap/{z}/{x}/{y}.png`.
    pub base_map: Option<String>,
    /// A folder of tiles, `z/x/y.png` in it, that this server gives out itself; goes before `base_map`.
    pub base_map_folder: Option<PathBuf>,
    /// Whose map it is and its approval number (审图号), printed under it.
    pub base_map_note: Option<String>,
    /// What working hours, calendar and limits give, once read.
    #[serde(skip)]
    pub tables: InForce,
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
            working_hours: Vec::new(),
            calendar: None,
            time_limits: None,
            tables: InForce::default(),
            base_map: None,
            base_map_folder: None,
            base_map_note: None,
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
        let named = |what| ConfigError::Content { path: path.to_owned(), what };
        let mut config = Self::parse(&read(path)?).map_err(named)?;
        let beside = |file: &Option<PathBuf>| {
            let file = file.as_ref().map(|file| path.parent().unwrap_or(Path::new("")).join(file));
            file.map(|file| Ok::<_, ConfigError>((file.display().to_string(), read(&file)?))).transpose()
        };
        config.base_map_folder =
            config.base_map_folder.map(|folder| path.parent().unwrap_or(Path::new("")).join(folder));
        let (calendar, limits) = (beside(&config.calendar)?, beside(&config.time_limits)?);
        let source = |own: Option<(String, String)>, (name, text): (&str, &str)| match own {
            Some((name, text)) => Source::file(&name, &text),
            None => Source::file(name, text),
        };
        let (calendar, limits) = (source(calendar, timetable::CALENDAR), source(limits, timetable::LIMITS));
        let in_force = InForce::of(&config.working_hours, calendar, limits);
        config.tables = in_force.map_err(|error| named(error.to_string()))?;
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(url) = &config.public_url
            && !url.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some())
        {
            return Err(format!("public_url `{url}` is not an address like https://grid.example.gov.cn"));
        }
        if let Some(address) = &config.base_map
            && !(address.starts_with('/')
                && !address.starts_with("//")
                && ["{z}", "{x}", "{y}"].iter().all(|part| address.contains(part)))
        {
            return Err(format!(
                "base_map `{address}` is not an address of this site like /basemap/{{z}}/{{x}}/{{y}}.png"
            ));
        }
        if config.max_connections == 0 {
            return Err("max_connections has to be at least 1".to_owned());
        }
        Ok(config)
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|cause| ConfigError::Io { path: path.to_owned(), cause })
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
    fn working_time_and_limits_come_from_files_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let path = folder.path().join("xunge.toml");
        write("xunge.toml", "working_hours = ['09:00-17:00']\ncalendar = 'days.csv'\ntime_limits = 'limits.csv'");
        let missing = Config::read(&path).unwrap_err().to_string();
        assert!(missing.contains("days.csv"), "{missing}");
        write("days.csv", "date,kind,name\n2026-11-30,holiday,建县日\n");
        write("limits.csv", "clock,category,level,org,value,unit\nreview,,,,0x,minute\n");
        let broken = Config::read(&path).unwrap_err().to_string();
        assert!(broken.contains("limits.csv") && broken.contains("line: 2"), "{broken}");
        write("limits.csv", "clock,category,level,org,value,unit\nreview,,,,10,minute\n");
        let timetable = Config::read(&path).unwrap().tables.timetable;
        assert_eq!((timetable.calendar.minutes_a_day(), timetable.limits.rules().len()), (480, 1));
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
            ("base_map = 'https://tiles.example/{z}/{x}/{y}.png'", "base_map"),
            ("base_map = '//tiles.example/{z}/{x}/{y}.png'", "base_map"),
            ("base_map = '/basemap/{z}/{x}.png'", "base_map"),
        ] {
            let refused = Config::parse(text).unwrap_err();
            assert!(refused.contains(named), "{text}: {refused}");
        }
    }
}
