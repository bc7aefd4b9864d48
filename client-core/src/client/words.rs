//! What each error says to people.

use super::PhoneError;
use crate::platform::FileError;
use crate::store::{ActError, OnlyHere, StoreError};
use crate::transport::TransportError;
use crate::workflow::Refusal;

/// A refusal as people read it: what happened, then what to do.
pub(super) struct Words(
    pub(super) &'static str,
    pub(super) String,
    pub(super) String,
    pub(super) &'static str,
    pub(super) &'static str,
);

impl PhoneError {
    /// Code, Chinese, English, and the way out in both.
    pub(super) fn words(&self) -> Words {
        let en = self.to_string();
        let say = |code, zh: &str, hint_zh, hint_en| Words(code, zh.to_owned(), en.clone(), hint_zh, hint_en);
        match self {
            Self::NotEnrolled => {
                say("not_enrolled", "本机尚未绑定账号。", "请用注册码绑定后再试。", "enrol with a one-time code first")
            }
            Self::NotEncrypted => say(
                "not_encrypted",
                "此版本不支持加密存储。",
                "请使用带加密功能的版本，或不提供密钥。",
                "use a build with the feature `encrypted`, or give no key",
            ),
            Self::BadId(text) => Words(
                "bad_id",
                format!("“{text}”不是案件编号。"),
                en,
                "案件编号为 26 位字母数字，可用 list 查看。",
                "an id has 26 characters; `list` shows them",
            ),
            Self::UnknownCase(_) => say(
                "unknown_case",
                "本机没有这个案件。",
                "请用 list 查看本机案件，或同步后再试。",
                "`list` shows what is here; sync and try again",
            ),
            Self::Invalid { why, .. } => {
                Words("invalid", format!("填写有误：{why}"), en, "请改正后重试。", "correct it and try again")
            }
            Self::RetiredCategory(name) => Words(
                "retired_category",
                format!("类别“{name}”已停用。"),
                en,
                "请改用正在使用的类别。",
                "choose a category that is in use",
            ),
            Self::PhotoTwice => say(
                "photo_twice",
                "这张照片已在该案件中。",
                "处置前后请用两张不同的照片。",
                "take another photo for before and after",
            ),
            Self::Act(error) => act_words(error, en),
            Self::Photo(error) => Words("photo", error.zh(), error.en(), "原文件未改动。", "the file was not touched"),
            Self::File(error) => file_words(error, en),
            Self::Network(TransportError::Pin) => say(
                "server_not_trusted",
                "服务器证书与绑定时不一致。",
                "请换网络重试；仍不行请联系管理员。",
                "try another network, then ask the administrator",
            ),
            Self::Network(TransportError::Request(_)) => {
                say("bad_server", "服务器地址不可用。", "请检查地址，如 https://xunge.example。", "check the address")
            }
            Self::Network(_) => say(
                "offline",
                "暂时连不上服务器，内容都在本机。",
                "有网络后会自动继续，也可稍后手动同步。",
                "sync again when there is a network; nothing is lost",
            ),
            Self::Server { code, detail, .. } => server_words(code, detail, en),
            Self::Unsent(only_here) => Words(
                "unsent",
                format!("仅存于本机：{}。", only_here_zh(only_here)),
                en,
                "请先同步，并处理草稿和未被接收的内容；确认放弃再强制清除。",
                "sync first and look at drafts and at what was refused, or wipe by force to give them up",
            ),
            Self::Store(error) => store_words(error, en),
            Self::Ended => say("ended", "后台同步已中断。", "请重试。", "try again"),
        }
    }
}

fn only_here_zh(only_here: &OnlyHere) -> String {
    let words: [fn(u32) -> String; 5] = [
        |n| format!("未上传案件 {n} 个"),
        |n| format!("未上传照片 {n} 张"),
        |n| format!("草稿 {n} 份"),
        |n| format!("有未被接收且尚未查看的内容的案件 {n} 个"),
        |n| format!("未被接收的照片 {n} 张"),
    ];
    only_here.list(words, "、")
}

fn act_words(error: &ActError, en: String) -> Words {
    let say = |code, zh: &str, hint_zh, hint_en| Words(code, zh.to_owned(), en.clone(), hint_zh, hint_en);
    match error {
        ActError::AlreadySubmitted => say(
            "already_submitted",
            "该案件已上报。",
            "可用 edit 补充内容，或用 request 提出撤回。",
            "edit it, or ask to withdraw it",
        ),
        ActError::Incomplete(fields) => Words(
            "incomplete",
            format!("还缺少：{}。", fields.iter().map(|field| field_zh(field)).collect::<Vec<_>>().join("、")),
            en,
            "请补全后再上报。",
            "fill it in and submit again",
        ),
        ActError::Filed => {
            say("filed", "案件已立案或办结，原始内容不能再改。", "请用备注补充说明。", "add a remark instead")
        }
        ActError::NotYours => say(
            "not_yours",
            "该案件不在您名下。",
            "请由上报人或任务接收人操作。",
            "its reporter or the task's inspector may",
        ),
        ActError::PhotoStays => {
            say("photo_stays", "照片已发送，不能移除。", "请在备注中说明。", "explain it in a remark")
        }
        ActError::BadValue { field, code } => Words(
            code.code(),
            format!("“{}”：{}", field_zh(field), code.zh()),
            en,
            "请改正后重试。",
            "correct it and try again",
        ),
        ActError::Refused(refusal) => refusal_words(refusal),
        ActError::UnknownCase(_) | ActError::NotEnrolled | ActError::Store(_) => {
            say("internal", "操作未完成。", "请重试。", "try again")
        }
    }
}

fn refusal_words(refusal: &Refusal) -> Words {
    Words(refusal.code(), refusal.zh(), refusal.en(), refusal.hint_zh(), refusal.hint_en())
}

fn file_words(error: &FileError, en: String) -> Words {
    let say = |code, zh: &str, hint_zh, hint_en| Words(code, zh.to_owned(), en.clone(), hint_zh, hint_en);
    match error {
        FileError::Full => say(
            "storage_full",
            "手机存储空间已满，本次未保存。",
            "请清理空间后重试；此前保存的内容不受影响。",
            "free some space and try again; what was saved before is safe",
        ),
        FileError::Missing(_) => say("no_such_file", "找不到文件。", "请检查路径。", "check the path"),
        FileError::TooLarge { .. } => say(
            "photo_file_too_large",
            "照片文件太大。",
            "请调低相机分辨率后重新拍摄。",
            "lower the camera's resolution and take it again",
        ),
        FileError::Other { .. } => say("file_failed", "文件读写失败。", "请重试。", "try again"),
    }
}

fn server_words(code: &str, detail: &str, en: String) -> Words {
    match code {
        "enrol_code_invalid" => Words(
            "enrol_code_invalid",
            "注册码无效、已使用或已过期。".to_owned(),
            en,
            "请向管理员索取新的注册码。",
            "ask the administrator for a new code",
        ),
        _ => Words(
            "server",
            format!("服务器拒绝：{detail}"),
            en,
            "请稍后再试，或联系管理员。",
            "try later or ask the administrator",
        ),
    }
}

fn store_words(error: &StoreError, en: String) -> Words {
    let say = |code, zh: &str, hint_zh, hint_en| Words(code, zh.to_owned(), en.clone(), hint_zh, hint_en);
    match error {
        StoreError::TooNew { .. } | StoreError::ForeignMigration { .. } => say(
            "store_too_new",
            "本机数据由更新版本的应用写入。",
            "请升级应用；数据未改动。",
            "update the app; the data was not touched",
        ),
        StoreError::OtherUser { .. } => say(
            "other_user",
            "本机存有其他账号的案件。",
            "请先同步并清除，或换一个存储目录。",
            "sync and wipe first, or use another folder",
        ),
        StoreError::Full => file_words(&FileError::Full, en),
        StoreError::Busy | StoreError::Moved => {
            say("store_busy", "本机数据库正忙。", "请稍后重试。", "try again in a moment")
        }
        StoreError::Damaged(_) => say(
            "store_damaged",
            "本机数据库已损坏。",
            "请勿卸载应用，联系管理员导出数据。",
            "do not remove the app; ask the administrator to rescue the data",
        ),
        StoreError::Sqlite(_) => say("store_failed", "本机数据库出错。", "请重试。", "try again"),
    }
}

/// The Chinese name of a field, for sentences.
fn field_zh(field: &str) -> &str {
    match field {
        "category" | "category_claim" => "类别",
        "mode" | "mode_claim" => "处置方式",
        "location" | "location_text" => "位置",
        "text" | "description" => "问题描述",
        "handle_note" => "处置说明",
        "photos" => "照片",
        "remarks" => "备注",
        "supplements" => "补充说明",
        other => other,
    }
}
