//! Why something can not be done, in a stable code, in Chinese and English, and with a way out.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::member::Member;
use super::state::{State, Verb};
use crate::model::{Mode, Role, coded};

coded! {
    /// What is wrong with a member's value.
    Why {
        /// Longer than its limit.
        TooLong = "too_long", "过长";
        /// A code this member does not know, or not with this verb.
        UnknownCode = "unknown_code", "代码无效";
        /// A number or a list outside its limits.
        OutOfRange = "out_of_range", "超出范围";
        /// Has to lie in the future.
        NotInFuture = "not_in_future", "须晚于当前时间";
        /// Has to be later than the deadline in force.
        NotLater = "not_later", "须晚于现有期限";
        /// What was asked for is already so.
        AlreadySo = "already_so", "与现状相同";
        /// The case itself.
        Itself = "itself", "不能是案件本身";
        /// Not the kind of org code this member takes.
        WrongKind = "wrong_kind", "编码类型不符";
    }
}

impl Why {
    /// In English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::TooLong => "is too long",
            Self::UnknownCode => "is a code that is not known here",
            Self::OutOfRange => "is out of range",
            Self::NotInFuture => "has to lie in the future",
            Self::NotLater => "has to be later than the deadline in force",
            Self::AlreadySo => "is already so",
            Self::Itself => "is the case itself",
            Self::WrongKind => "is the wrong kind of code",
        }
    }
}

coded! {
    /// Which separation of duties forbids it.
    Separation {
        /// Whoever reported a case may not decide on it.
        Reporter = "reporter", "上报人不得审批本人上报的案件";
        /// The unit that handled a case may not recheck it.
        Handler = "handler", "处置单位不得核查本单位处置的案件";
    }
}

/// Why [`decide`](super::decide) said no. Serialised with its code in the member `code`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[error("{}", self.en())]
pub enum Refusal {
    /// The role does not do this.
    WrongRole {
        /// What was tried.
        verb: Verb,
        /// By whom.
        role: Role,
    },
    /// The verb does nothing from where the case stands.
    WrongState {
        /// What was tried.
        verb: Verb,
        /// Where the case stands; `None` if there is no such case.
        state: Option<State>,
        /// Its version, 0 if there is none.
        version: u32,
    },
    /// The actor judged an older version.
    StaleVersion {
        /// Where the case stands.
        state: Option<State>,
        /// Its version.
        version: u32,
    },
    /// A reason is required.
    ReasonMissing,
    /// A member is required.
    Missing {
        /// Which.
        field: Member,
    },
    /// The verb does not take this member.
    UnknownMember {
        /// Which.
        field: Member,
    },
    /// The member's value can not be.
    Invalid {
        /// Which.
        field: Member,
        /// What is wrong with it.
        why: Why,
    },
    /// The case or task belongs to someone else.
    NotYours,
    /// Separation of duties.
    Separation {
        /// Which rule.
        rule: Separation,
    },
    /// A self-handled report without its after photo can not be approved.
    NoAfterPhoto,
    /// The verb does not fit the claimed mode.
    WrongClaim {
        /// The claim.
        claim: Mode,
    },
    /// There is no such open question of the unit.
    NoOpenAsk,
    /// A question of the unit is still open.
    AskOpen,
    /// No recheck was passed since the feedback.
    NotChecked,
    /// The case is suspended.
    Suspended,
    /// The case is not suspended.
    NotSuspended,
    /// The case is deferred.
    Deferred,
    /// The case is not deferred.
    NotDeferred,
    /// An appeal is already open.
    AppealOpen,
    /// No appeal is open.
    NoOpenAppeal,
    /// The caller reserved no case number.
    NoCaseNumber,
}

impl Refusal {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongRole { .. } => "wrong_role",
            Self::WrongState { .. } => "wrong_state",
            Self::StaleVersion { .. } => "stale_version",
            Self::ReasonMissing => "reason_missing",
            Self::Missing { .. } => "missing",
            Self::UnknownMember { .. } => "unknown_member",
            Self::Invalid { .. } => "invalid",
            Self::NotYours => "not_yours",
            Self::Separation { .. } => "separation",
            Self::NoAfterPhoto => "no_after_photo",
            Self::WrongClaim { .. } => "wrong_claim",
            Self::NoOpenAsk => "no_open_ask",
            Self::AskOpen => "ask_open",
            Self::NotChecked => "not_checked",
            Self::Suspended => "suspended",
            Self::NotSuspended => "not_suspended",
            Self::Deferred => "deferred",
            Self::NotDeferred => "not_deferred",
            Self::AppealOpen => "appeal_open",
            Self::NoOpenAppeal => "no_open_appeal",
            Self::NoCaseNumber => "no_case_number",
        }
    }

    /// The member it is about, if one.
    pub const fn field(&self) -> Option<Member> {
        match self {
            Self::ReasonMissing => Some(Member::Reason),
            Self::Missing { field } | Self::UnknownMember { field } | Self::Invalid { field, .. } => Some(*field),
            Self::NoCaseNumber => Some(Member::CaseNo),
            _ => None,
        }
    }

    /// Where the case stands, for refusals that a fresh look resolves.
    pub const fn current(&self) -> Option<(State, u32)> {
        match self {
            Self::WrongState { state: Some(state), version, .. }
            | Self::StaleVersion { state: Some(state), version } => Some((*state, *version)),
            _ => None,
        }
    }

    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::WrongRole { verb, role } => format!("{}不能执行“{}”。", role.zh(), verb.zh()),
            Self::WrongState { verb, state: Some(state), .. } => {
                format!("案件当前为“{}”，不能执行“{}”。", state.zh(), verb.zh())
            }
            Self::WrongState { verb, state: None, .. } => format!("案件不存在，不能执行“{}”。", verb.zh()),
            Self::StaleVersion { version, .. } => format!("案件已有更新（当前版本 {version}），您看到的不是最新内容。"),
            Self::ReasonMissing => "请填写理由。".into(),
            Self::Missing { field } => format!("缺少“{}”。", field.zh()),
            Self::UnknownMember { field } => format!("此操作不使用“{}”。", field.zh()),
            Self::Invalid { field, why } => format!("“{}”{}。", field.zh(), why.zh()),
            Self::NotYours => "该案件或任务不在您名下。".into(),
            Self::Separation { rule } => format!("{}。", rule.zh()),
            Self::NoAfterPhoto => "处置后照片尚未上传，不能通过自处审核。".into(),
            Self::WrongClaim { claim } => format!("案件申报为“{}”，不适用此操作。", claim.zh()),
            Self::NoOpenAsk => "没有待审批的此类申请。".into(),
            Self::AskOpen => "已有申请待审批。".into(),
            Self::NotChecked => "反馈后尚未核查通过，不能结案。".into(),
            Self::Suspended => "案件已挂账。".into(),
            Self::NotSuspended => "案件未挂账。".into(),
            Self::Deferred => "案件已缓办。".into(),
            Self::NotDeferred => "案件未缓办。".into(),
            Self::AppealOpen => "已有申诉待答复。".into(),
            Self::NoOpenAppeal => "没有待答复的申诉。".into(),
            Self::NoCaseNumber => "未能取得案卷号。".into(),
        }
    }

    /// What is wrong, in English.
    pub fn en(&self) -> String {
        match self {
            Self::WrongRole { verb, role } => format!("the role {role} does not {verb}"),
            Self::WrongState { verb, state: Some(state), .. } => format!("a case that is {state} does not take {verb}"),
            Self::WrongState { verb, state: None, .. } => format!("there is no case to {verb}"),
            Self::StaleVersion { version, .. } => format!("the case is at version {version} by now"),
            Self::ReasonMissing => "a reason is required".into(),
            Self::Missing { field } => format!("`{field}` is required"),
            Self::UnknownMember { field } => format!("this verb does not take `{field}`"),
            Self::Invalid { field, why } => format!("`{field}` {}", why.en()),
            Self::NotYours => "this case or task is not yours".into(),
            Self::Separation { rule: Separation::Reporter } => "who reported a case may not decide on it".into(),
            Self::Separation { rule: Separation::Handler } => "the unit that handled a case may not recheck it".into(),
            Self::NoAfterPhoto => "the after photo has not arrived".into(),
            Self::WrongClaim { claim } => format!("the report claims to be {claim}"),
            Self::NoOpenAsk => "no such question of the unit is open".into(),
            Self::AskOpen => "a question of the unit is still open".into(),
            Self::NotChecked => "no recheck was passed since the feedback".into(),
            Self::Suspended => "the case is suspended".into(),
            Self::NotSuspended => "the case is not suspended".into(),
            Self::Deferred => "the case is deferred".into(),
            Self::NotDeferred => "the case is not deferred".into(),
            Self::AppealOpen => "an appeal is already open".into(),
            Self::NoOpenAppeal => "no appeal is open".into(),
            Self::NoCaseNumber => "no case number could be had".into(),
        }
    }

    /// A way out, in Chinese.
    pub const fn hint_zh(&self) -> &'static str {
        match self {
            Self::WrongRole { .. } => "请由有权限的岗位办理。",
            Self::WrongState { .. } | Self::StaleVersion { .. } => "请刷新案件，按当前状态重新办理。",
            Self::ReasonMissing | Self::Missing { .. } => "补填后重新提交。",
            Self::UnknownMember { .. } => "去掉该项后重新提交。",
            Self::Invalid { .. } => "更正该项后重新提交。",
            Self::NotYours => "请由上报人、任务承接人或承办单位办理；需要时先办理交接。",
            Self::Separation { .. } => "请由其他人员或单位办理。",
            Self::NoAfterPhoto => "等待照片上传，或退回补充，或按平台流转立案。",
            Self::WrongClaim { claim: Mode::SelfHandled } => "请审核自处，或按平台流转立案。",
            Self::WrongClaim { claim: Mode::Forwarded } => "请立案派遣，或由上报人申请变更处置方式。",
            Self::NoOpenAsk => "请刷新案件；该申请可能已答复或因签收、反馈而失效。",
            Self::AskOpen => "请等待值班长答复。",
            Self::NotChecked => "请派发核查；核查不通过请返工；值班长可对未核查的案件免核结案。",
            Self::Suspended => "请值班长先恢复处置。",
            Self::Deferred => "请值班长先取消缓办。",
            Self::NotSuspended | Self::NotDeferred => "无需办理。",
            Self::AppealOpen => "请等待值班长答复。",
            Self::NoOpenAppeal => "无需答复。",
            Self::NoCaseNumber => "请稍后重试；仍失败请联系管理员。",
        }
    }

    /// A way out, in English.
    pub const fn hint_en(&self) -> &'static str {
        match self {
            Self::WrongRole { .. } => "ask someone whose role may do this",
            Self::WrongState { .. } | Self::StaleVersion { .. } => "read the case again and decide on what it is now",
            Self::ReasonMissing | Self::Missing { .. } => "fill it in and send again",
            Self::UnknownMember { .. } => "leave it out and send again",
            Self::Invalid { .. } => "correct it and send again",
            Self::NotYours => "the reporter, the task's inspector or the case's unit may; a handover passes it on",
            Self::Separation { .. } => "someone else, or another unit, has to do this",
            Self::NoAfterPhoto => "wait for the photo, send the report back, or file it as forwarded",
            Self::WrongClaim { claim: Mode::SelfHandled } => "approve it as self-handled, or file it as forwarded",
            Self::WrongClaim { claim: Mode::Forwarded } => "file it, or let the reporter ask for the other mode",
            Self::NoOpenAsk => "read the case again: it may be answered, or signing or feedback has ended it",
            Self::AskOpen => "wait for the duty leader's answer",
            Self::NotChecked => {
                "send a check; after a failed one ask for rework; the duty leader may exempt an unchecked case"
            }
            Self::Suspended => "the duty leader has to resume it first",
            Self::Deferred => "the duty leader has to undefer it first",
            Self::NotSuspended | Self::NotDeferred => "nothing to do",
            Self::AppealOpen => "wait for the duty leader's answer",
            Self::NoOpenAppeal => "nothing to answer",
            Self::NoCaseNumber => "try again; if it stays so, tell the administrator",
        }
    }
}
