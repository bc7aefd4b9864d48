//! What a refusal says to people, and the way out it shows them.

use super::{Refusal, Separation};
use crate::model::Mode;

impl Refusal {
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
