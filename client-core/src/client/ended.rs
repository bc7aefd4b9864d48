//! Why a sync ended before everything was sent, as an app shows it.

use super::words::Words;
use super::{Leave, Stop};

impl Stop {
    /// Stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Blocked { code } => code,
            _ => self.words().0,
        }
    }

    /// What happened, in Chinese.
    pub fn zh(&self) -> String {
        self.words().1
    }

    /// What happened, in English.
    pub fn en(&self) -> String {
        self.words().2
    }

    /// What to do, in Chinese.
    pub fn hint_zh(&self) -> &'static str {
        self.words().3
    }

    /// What to do, in English.
    pub fn hint_en(&self) -> &'static str {
        self.words().4
    }

    fn words(&self) -> Words {
        let say =
            |code, zh: &str, en: &str, hint_zh, hint_en| Words(code, zh.to_owned(), en.to_owned(), hint_zh, hint_en);
        match self {
            Self::NotEnrolled => say(
                "not_enrolled",
                "本机尚未绑定账号。",
                "the phone is not enrolled",
                "请用注册码绑定后再试。",
                "enrol with a one-time code first",
            ),
            Self::Offline => say(
                "offline",
                "暂时连不上服务器，内容都在手机里。",
                "the server can not be reached; everything is on the phone",
                "有网络时再同步。",
                "sync again when there is a network",
            ),
            Self::Busy { .. } => say(
                "server_busy",
                "服务器忙，内容都在手机里。",
                "the server is busy; everything is on the phone",
                "请稍后再试。",
                "sync again later",
            ),
            Self::Blocked { code } => Words(
                "blocked",
                format!("服务器拒绝本机（{code}），内容都在手机里。"),
                format!("the server takes nothing from this phone ({code}); everything is on it"),
                "请联系管理员。",
                "ask the administrator",
            ),
            Self::Held(leave) => Words(
                leave.code(),
                leave.zh().to_owned(),
                "photos wait as their rules say; everything else went".to_owned(),
                "照片规则可在流量设置中查看。",
                "`data` shows the rules for photos",
            ),
            Self::Stalled => say(
                "refused_items",
                "有内容未被接受。",
                "something was not taken",
                "请查看“需处理”。",
                "`list --attention` shows what",
            ),
            Self::Store(reason) if reason == Self::STORAGE_FULL => say(
                Self::STORAGE_FULL,
                "手机存储空间已满，未同步完；此前保存的内容不受影响。",
                "the phone's storage is full; what was saved before is safe",
                "请清理空间后再同步。",
                "free some space and sync again",
            ),
            Self::Store(reason) => Words(
                "store_failed",
                format!("本机数据库出错：{reason}"),
                format!("the phone's database failed: {reason}"),
                "请再次同步。",
                "sync again",
            ),
            Self::Halted => say("halted", "已停止。", "stopped", "可再次同步。", "sync again"),
        }
    }
}

impl Leave {
    /// Whether and why photos wait, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Send => "照片随时可传。",
            Self::WaitForWifi => "照片在等 Wi-Fi，文字已不受影响。",
            Self::BudgetUsed => "本月流量已用完，照片在等 Wi-Fi 或下个月。",
            Self::NoNetwork => "没有网络，照片在手机里。",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_database_has_a_code_of_its_own_and_a_full_one_says_what_to_do() {
        let failed = Stop::Store("the database failed: disk I/O error".to_owned());
        assert_eq!(failed.code(), "store_failed");
        assert!(failed.zh().ends_with("disk I/O error"), "{}", failed.zh());
        let full = Stop::from(crate::sync::StoreFailure::Full);
        assert_eq!((full.code(), full.hint_zh()), ("storage_full", "请清理空间后再同步。"));
        assert_eq!(Stop::Blocked { code: "device_revoked".to_owned() }.code(), "device_revoked");
    }
}
