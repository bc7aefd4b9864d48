//! Why the gate refuses a change, in words a phone can show.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! gate_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $zh:literal, $en:literal;)+) => {
        /// Why a change was refused. The code is stable; the texts say what happened and what to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum GateCode {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl GateCode {
            /// Every code, in the order of definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, as stored and sent.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What happened and what to do, in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }

            /// What happened and what to do, in English.
            pub const fn en(self) -> &'static str {
                match self { $(Self::$variant => $en,)+ }
            }

            /// The value with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

gate_codes! {
    /// The body is over the byte limit.
    TooLarge = "too_large",
        "这次修改太大，请分几次保存后再同步。", "This change is too large; save it in smaller steps.";
    /// More changes for one case than one push may carry.
    TooManyChanges = "too_many_changes",
        "一次同步的修改过多，应用会合并后重发。", "Too many changes in one push; the app will combine and resend them.";
    /// Not the body of an uncompressed change, or a limit of the format is exceeded.
    Malformed = "malformed",
        "数据无法解析，内容已隔离保存；应用会重新生成后再发。",
        "The data cannot be parsed and is kept in quarantine; the app will rebuild and resend it.";
    /// The change carries an author, a commit time or a message.
    Metadata = "metadata",
        "修改带有不允许的附加信息，请升级应用后重试。",
        "The change carries metadata that is not allowed; update the app and try again.";
    /// The actor belongs to another device or user, or this number of its sequence is already used.
    ActorTaken = "actor_taken",
        "本机标识已被占用（可能来自备份或克隆），应用会换新标识后重发。",
        "This phone's writer id is taken (a restored or cloned phone?); the app will resend with a new one.";
    /// The sequence number does not follow the actor's last accepted change.
    BadSequence = "bad_sequence",
        "修改次序不连续，应用会重新整理后再发。", "The order of changes has a gap; the app will rebuild and resend them.";
    /// The first operation is numbered out of the allowed range.
    BadCounter = "bad_counter",
        "修改编号超出范围，应用会重新生成后再发。", "The change is numbered out of range; the app will rebuild and resend it.";
    /// It builds on a change that was refused.
    DependsOnRejected = "depends_on_rejected",
        "它依赖的前一次修改被拒绝，请先处理那一次。", "It builds on a change that was refused; settle that one first.";
    /// It writes something a field document does not have, or may not delete.
    ForbiddenPath = "forbidden_path",
        "该内容不允许由手机填写，请升级应用后重试。", "A phone may not write this; update the app and try again.";
    /// A value of the wrong type, length or range.
    BadValue = "bad_value",
        "填写的内容不符合要求，请修改后重新提交。", "A value is not valid; correct it and submit again.";
    /// A photo, remark or supplement that is already there; entries are written once.
    EntryExists = "entry_exists",
        "该条目已存在，不能改写；请另加一条。", "This entry exists and cannot be rewritten; add another one.";
    /// A photo, remark or supplement without all its fields.
    IncompleteEntry = "incomplete_entry",
        "条目不完整，请重新添加。", "The entry is incomplete; add it again.";
    /// More than nine photos.
    TooManyPhotos = "too_many_photos",
        "照片最多九张，请减少后重新提交。", "A case has at most nine photos; remove some and submit again.";
    /// The case is sealed: only supplements are taken.
    FieldFrozen = "field_frozen",
        "案件已归档，不能再改；可作为补充说明提交。", "The case is sealed; submit this as a supplement instead.";
    /// Too many edits side by side that do not know of each other.
    TooManyBranches = "too_many_branches",
        "同时未合并的修改过多，应用会合并后重发。", "Too many edits side by side; the app will combine and resend them.";
    /// The document reached its limit of changes or bytes.
    DocumentFull = "document_full",
        "该案件的记录已满，请另行上报。", "This case's document is full; report separately.";
    /// Our library would not have written these bytes.
    NotReproducible = "not_reproducible",
        "修改无法核对，内容已隔离保存；应用会重新生成后再发。",
        "The change cannot be verified and is kept in quarantine; the app will rebuild and resend it.";
    /// The library failed on this change; nothing of it was applied.
    LibraryFault = "library_fault",
        "处理该修改时出错，内容已隔离保存；应用会重新生成后再发。",
        "The change could not be processed and is kept in quarantine; the app will rebuild and resend it.";
}

impl fmt::Display for GateCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_snake_case_and_comes_back_from_its_text() {
        for code in GateCode::ALL {
            assert!(code.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert_eq!(GateCode::from_code(code.code()), Some(*code));
            assert!(!code.zh().is_empty() && !code.en().is_empty());
        }
    }
}
