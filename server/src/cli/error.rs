//! What a command says when it fails: a code for programs, words and a way out for people, in their language.

use std::path::Path;

use crate::app::AppError;
use crate::auth::keys::KeyError;
use crate::auth::password::Weak;
use crate::config::ConfigError;
use crate::datadir::DataDirError;
use crate::store::StoreError;
use crate::telemetry::TelemetryError;

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    /// 1 for failed, 2 for used wrongly or not built.
    pub(crate) exit: u8,
    /// Stable code.
    pub(crate) code: &'static str,
    /// What went wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// What it is about: a path, a user, a flag.
    pub(crate) subject: String,
}

/// The same text in both languages; the environment decides which is printed.
pub(crate) struct Said {
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// Pairs a Chinese and an English text.
pub(crate) fn said(zh: impl Into<String>, en: impl Into<String>) -> Said {
    Said { zh: zh.into(), en: en.into() }
}

impl Said {
    /// The text in the reader's language.
    pub(crate) fn pick(self) -> String {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok());
        if locale.is_some_and(|locale| locale.starts_with("zh")) { self.zh } else { self.en }
    }
}

impl CliError {
    /// A failure: exit code 1.
    pub(crate) fn failed(code: &'static str, subject: impl Into<String>, message: Said, hint: Said) -> Self {
        Self { exit: 1, code, message: message.pick(), hint: hint.pick(), subject: subject.into() }
    }

    /// A misuse: exit code 2.
    pub(crate) fn misuse(code: &'static str, subject: impl Into<String>, message: Said, hint: Said) -> Self {
        Self { exit: 2, ..Self::failed(code, subject, message, hint) }
    }

    /// What the argument parser said.
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let hint = said("用 --help 查看用法。", "See --help.");
        Self::misuse("usage", "", said(text.clone(), text), hint)
    }

    /// A part that is named but does not exist yet.
    pub(crate) fn not_built_yet(part: &str, subject: &str) -> Self {
        Self::misuse(
            "not_built_yet",
            subject,
            said(format!("{part} 尚未实现。"), format!("{part} is not built yet.")),
            said("本版本请不要使用该部分；见 CHANGELOG。", "Do without it in this version; see CHANGELOG."),
        )
    }

    /// Nobody has this log-in name.
    pub(crate) fn no_such_user(user: &str) -> Self {
        Self::failed(
            "unknown_user",
            user,
            said(format!("没有用户“{user}”。"), format!("There is no user `{user}`.")),
            said("用 user list 查看全部用户。", "See `user list`."),
        )
    }

    fn io(subject: &Path, cause: &std::io::Error) -> Self {
        let path = subject.display();
        Self::failed(
            "io",
            path.to_string(),
            said(format!("{path}：{cause}"), format!("{path}: {cause}")),
            said("请检查路径、权限和剩余空间。", "Check the path, its permissions and the space left."),
        )
    }
}

impl From<DataDirError> for CliError {
    fn from(error: DataDirError) -> Self {
        match error {
            DataDirError::NotEmpty { path } => Self::failed(
                "data_dir_not_empty",
                path.display().to_string(),
                said(format!("目录 {} 不为空。", path.display()), format!("{} is not empty.", path.display())),
                said("请指定新的或空的目录。", "Name a new or empty folder."),
            ),
            DataDirError::NotInitialised { path } => Self::failed(
                "no_data_dir",
                path.display().to_string(),
                said(format!("{} 不是数据目录。", path.display()), format!("{} is no data folder.", path.display())),
                said("请先运行 xunge-server init。", "Run `xunge-server init` first."),
            ),
            DataDirError::InUse { path } => Self::failed(
                "data_dir_in_use",
                path.display().to_string(),
                said(
                    format!("另一个服务器正在使用 {}。", path.display()),
                    format!("Another server runs on {}.", path.display()),
                ),
                said("请先停止该服务器。", "Stop it first."),
            ),
            DataDirError::Io { path, cause } => Self::io(&path, &cause),
        }
    }
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Io { path, cause } => Self::io(&path, &cause),
            KeyError::Damaged { path } => Self::failed(
                "key_damaged",
                path.display().to_string(),
                said(
                    format!("{} 不是有效的密钥文件。", path.display()),
                    format!("{} is not a key file.", path.display()),
                ),
                said(
                    "请从备份恢复 keys 目录；更换密钥后所有手机都须重新注册。",
                    "Restore the folder `keys` from a backup; with new keys every phone has to enrol again.",
                ),
            ),
            KeyError::Open { path, mode } => Self::failed(
                "key_readable_by_others",
                path.display().to_string(),
                said(
                    format!("{} 可被其他用户读取（权限 {mode:o}）。", path.display()),
                    format!("{} can be read by others (mode {mode:o}).", path.display()),
                ),
                said("请执行 chmod 600。", "Run chmod 600 on it."),
            ),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::NewerSchema { .. } | StoreError::MigrationChanged { .. } => said(
                "请使用与数据库一致或更新的程序版本。",
                "Use the program version that wrote the database, or a newer one.",
            ),
            StoreError::Busy => said("请稍后重试。", "Try again later."),
            StoreError::Full => said("请清理磁盘。", "Make room on the disk."),
            _ => said("请重试；仍失败请从备份恢复。", "Try again; if it stays so, restore a backup."),
        };
        Self::failed("database", "", said(format!("数据库：{error}"), format!("The database: {error}.")), hint)
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Keys(error) => error.into(),
            AppError::Store(error) => error.into(),
            AppError::Blobs(error) => Self::failed(
                "photos",
                "",
                said(format!("照片存储：{error}"), format!("The photos: {error}.")),
                said("请检查数据目录的权限和剩余空间。", "Check the data folder's permissions and the space left."),
            ),
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Io { path, cause } => Self { exit: 2, ..Self::io(&path, &cause) },
            ConfigError::Content { path, what } => Self::misuse(
                "config",
                path.display().to_string(),
                said(format!("{}：{what}", path.display()), format!("{}: {what}", path.display())),
                said("请对照 docs/OPERATIONS.md 修改。", "Compare it with docs/OPERATIONS.md."),
            ),
        }
    }
}

impl From<TelemetryError> for CliError {
    fn from(error: TelemetryError) -> Self {
        let text = error.to_string();
        Self::misuse(
            "config",
            "log_filter",
            said(text.clone(), text),
            said("请更正 log_filter。", "Correct log_filter."),
        )
    }
}

impl From<Weak> for CliError {
    fn from(weak: Weak) -> Self {
        let zh = match weak {
            Weak::Short => "密码过短，至少 10 个字符。",
            Weak::Long => "密码过长，最多 128 个字符。",
            Weak::ContainsUser => "密码不得包含用户名。",
            Weak::Common => "密码过于常见。",
        };
        let hint =
            said("请使用更长的短语；不指定密码则自动生成。", "Use a longer phrase, or none to have one generated.");
        Self::failed("weak_password", "password", said(zh, format!("{weak}.")), hint)
    }
}
