//! Why something can not be done, in a stable code, in Chinese and English, and with a way out.

mod words;

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
        /// Not given to anything new any more.
        Retired = "retired", "已停用";
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
            Self::Retired => "is not in use any more",
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
}
