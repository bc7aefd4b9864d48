//! Where a case stands, what may be done to it, and how it is counted.

use serde::{Deserialize, Serialize};

use crate::model::coded;

coded! {
    /// A state of the case (案件状态). Drafts are not here: they never leave the phone.
    State {
        /// Received, waiting for the office to review it.
        Reported = "reported", "待审核";
        /// With an inspector, who looks whether the problem is real.
        Verifying = "verifying", "待核实";
        /// Accepted with a case number, waiting to be sent to a unit.
        Filed = "filed", "待派遣";
        /// Sent to a unit that has not signed for it.
        Dispatched = "dispatched", "待签收";
        /// The unit works on it.
        Handling = "handling", "处置中";
        /// The unit says it is done; the office looks at that.
        Handled = "handled", "待核查";
        /// With an inspector, who looks at the scene again.
        Rechecking = "rechecking", "核查中";
        /// Done.
        Closed = "closed", "已结案";
        /// Judged not to be a case.
        Void = "void", "已作废";
    }
}

impl State {
    /// True once nothing more is expected to happen: 结案 or 作废.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Void)
    }
}

coded! {
    /// What can be done to a case. One row each in [`super::TABLE`].
    Verb {
        /// Reports a problem; again, after the office sent it back.
        Submit = "submit", "上报";
        /// Sends an inspector to see whether the problem is real.
        VerifySend = "verify_send", "核实派发";
        /// What that inspector found.
        VerifyReply = "verify_reply", "核实回复";
        /// Accepts the report as a case for a unit.
        File = "file", "立案";
        /// Accepts that the reporter fixed it on the spot: filed and closed at once.
        ApproveSelfHandled = "approve_self_handled", "自处审核通过";
        /// Judges that it is no case.
        Void = "void", "作废";
        /// Asks the reporter for what is missing.
        SendBack = "send_back", "退回补充";
        /// Sends the case to a unit with a deadline.
        Dispatch = "dispatch", "派遣";
        /// The unit takes the case.
        Sign = "sign", "签收";
        /// The unit says the case is not its duty.
        AskReturn = "ask_return", "申请退单";
        /// The case goes back to be sent elsewhere.
        ApproveReturn = "approve_return", "批准退单";
        /// The unit keeps the case.
        RefuseReturn = "refuse_return", "驳回退单";
        /// The unit asks for more time.
        AskExtend = "ask_extend", "申请延期";
        /// The deadline moves.
        ApproveExtend = "approve_extend", "批准延期";
        /// The deadline stays.
        RefuseExtend = "refuse_extend", "驳回延期";
        /// Stops the clock: it can not be done now (season, no conditions).
        Suspend = "suspend", "挂账";
        /// Starts the clock again.
        Resume = "resume", "恢复处置";
        /// Takes the case out of the rates of what is due.
        Defer = "defer", "缓办";
        /// Puts it back.
        Undefer = "undefer", "取消缓办";
        /// The unit says it is done.
        Feedback = "feedback", "反馈";
        /// Sends an inspector to look at the handled scene.
        CheckSend = "check_send", "核查派发";
        /// What that inspector found.
        CheckReply = "check_reply", "核查回复";
        /// The unit has to do it again.
        Rework = "rework", "返工";
        /// Ends the case.
        Close = "close", "结案";
        /// The hotline answers the caller; nobody has to go out.
        Answer = "answer", "直接答复";
        /// Presses for progress, in four steps.
        Urge = "urge", "催办";
        /// Joins the report to an earlier one of the same problem.
        MergeDuplicate = "merge_duplicate", "合并重复";
        /// Asks the caller whether they are satisfied.
        Revisit = "revisit", "回访";
        /// Takes up a closed case again.
        Reopen = "reopen", "重开";
        /// Takes back a void.
        Reinstate = "reinstate", "撤销作废";
        /// Answers an appeal: the decision stands.
        Uphold = "uphold", "维持原决定";
        /// The reporter takes the report back before anyone worked on it.
        Withdraw = "withdraw", "撤回";
        /// The reporter objects to a decision.
        Appeal = "appeal", "申诉";
        /// The reporter wants the other mode (自发自处 / 平台流转).
        RouteChange = "route_change", "变更处置方式";
        /// Gives the case, or the open task on it, to a colleague.
        Handover = "handover", "交接";
    }
}

impl Verb {
    /// True for what a phone may ask; everything else is done at a desk.
    pub const fn is_request(self) -> bool {
        matches!(
            self,
            Self::Submit
                | Self::Withdraw
                | Self::RouteChange
                | Self::VerifyReply
                | Self::CheckReply
                | Self::Handover
                | Self::Appeal
        )
    }
}

coded! {
    /// How a case is counted. Each received case is in exactly one.
    ///
    /// The published figures follow: `void` = Void, `pending` = Pending, `filed` (立案) = Filed + CaseClosed,
    /// `case_closed` (结案) = CaseClosed, `closed` (办结) = CaseClosed + Void, `reported` = all four.
    Outcome {
        /// Received, not yet filed or void.
        Pending = "pending", "待审核";
        /// Filed and still open.
        Filed = "filed", "已立案";
        /// Filed and closed.
        CaseClosed = "case_closed", "已结案";
        /// Void, whether it had been filed or not.
        Void = "void", "作废";
    }
}
