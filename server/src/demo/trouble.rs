//! What can end a demo early.

use thiserror::Error;

use super::check::Difference;
use super::error::PlanError;

/// Why the demo could not be carried out. What it had made stays in its data folder.
#[derive(Debug, Error)]
pub enum DemoError {
    /// Demo accounts are printed on the screen; they must not be reachable from elsewhere.
    #[error("the demo listens on loopback only, not on {asked}")]
    NotLoopback {
        /// The address asked for.
        asked: String,
    },
    /// The address can not be bound, or a file can not be written.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// No plan can be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan itself does not meet the report.
    #[error("the plan misses {} published figures, first {} {}: {} instead of {}",
        .0.len(), .0[0].kind, .0[0].subject, .0[0].found, .0[0].expected)]
    PlanOff(Vec<Difference>),
    /// The installation could not be made or opened.
    #[error("setting up: {0}")]
    Setup(String),
    /// A phone did not do what the plan asks.
    #[error("phone of {user}: {why}")]
    Phone {
        /// Its inspector.
        user: String,
        /// What went wrong.
        why: String,
    },
    /// An office was not answered as the plan asks.
    #[error("{user}: {what}: {status} {code}")]
    Office {
        /// Who asked.
        user: String,
        /// What was asked.
        what: String,
        /// HTTP status; 0 without an answer.
        status: u16,
        /// The server's code, or what the connection said.
        code: String,
    },
}

impl DemoError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotLoopback { .. } => "demo_not_loopback",
            Self::Io { .. } => "demo_io",
            Self::Plan(error) => error.code(),
            Self::PlanOff(_) => "demo_plan_off",
            Self::Setup(_) => "demo_setup",
            Self::Phone { .. } => "demo_phone",
            Self::Office { .. } => "demo_office",
        }
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotLoopback { asked } => format!("演示账号只在本机开放，不能监听 {asked}"),
            Self::Io { what, cause } => format!("{what}：{cause}"),
            Self::Plan(error) => error.zh(),
            Self::PlanOff(differences) => format!("演示计划与已公布数据有 {} 处不符", differences.len()),
            Self::Setup(why) => format!("演示环境未能建立：{why}"),
            Self::Phone { user, why } => format!("网格员 {user} 的手机未按计划完成：{why}"),
            Self::Office { user, what, status, code } => format!("{user} 的操作 {what} 未成功：{status} {code}"),
        }
    }

    /// The way out, English and Chinese.
    pub const fn way_out(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotLoopback { .. } => (
                "use 127.0.0.1:PORT; for others, use `init` and `serve`",
                "请使用 127.0.0.1:端口；对外服务请用 init 和 serve",
            ),
            Self::Io { .. } => ("choose another folder or port, or make room", "请换一个目录或端口，或清理磁盘空间"),
            Self::Plan(error) => error.way_out(),
            Self::PlanOff(_) => ("report this with the seed and the number of phones", "请连同种子和手机数一并反馈"),
            Self::Setup(_) => ("choose an empty folder", "请选择空目录"),
            Self::Phone { .. } | Self::Office { .. } => {
                ("run it again with --data and look at the log", "请加 --data 重新运行并查看日志")
            }
        }
    }

    /// True for what the caller asked wrongly, exit code 2.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::NotLoopback { .. } | Self::Plan(PlanError::TooFewPhones { .. }))
    }
}
