//! Names of the payload's members, for the table, for refusals and for the API page.

use serde::{Deserialize, Serialize};

use crate::model::coded;

coded! {
    /// A member of [`Payload`](super::Payload), by its JSON name.
    Member {
        /// Final category.
        Category = "category", "类别";
        /// Mode.
        Mode = "mode", "处置方式";
        /// Handling unit.
        Handler = "handler", "处置单位";
        /// Time-limit level.
        Level = "level", "时限级别";
        /// Deadline.
        DueAt = "due_at", "处置截止时间";
        /// Why.
        Reason = "reason", "理由";
        /// Words to a person.
        Text = "text", "文字说明";
        /// Words for the file.
        Note = "note", "处置说明";
        /// Evidence.
        Photos = "photos", "照片";
        /// What an inspector found.
        Verdict = "verdict", "结论";
        /// What has to be added.
        Missing = "missing", "需补充内容";
        /// The case this one repeats.
        MasterCaseId = "master_case_id", "主案件";
        /// Who gets a task or the case.
        Assignee = "assignee", "接收人";
        /// Step of an urge.
        UrgeLevel = "urge_level", "督办级别";
        /// When to look again.
        ReviewDate = "review_date", "复查日期";
        /// What the caller said.
        Outcome = "outcome", "回访结果";
        /// Case number.
        CaseNo = "case_no", "案卷号";
        /// Facts of an office-born case.
        Facts = "facts", "登记内容";
        /// Claimed mode.
        ModeClaim = "mode_claim", "申报的处置方式";
        /// Claimed category.
        CategoryClaim = "category_claim", "申报的类别";
        /// Cell grid.
        Grid = "grid", "单元网格";
        /// Reporting unit.
        Unit = "unit", "上报单位";
        /// Reviewing office.
        Office = "office", "审核镇街";
        /// Source.
        Source = "source", "问题来源";
        /// When it was found.
        DiscoveredAt = "discovered_at", "发现时间";
        /// Oddities.
        Flags = "flags", "提示标记";
        /// Who reported.
        Reporter = "reporter", "上报人";
    }
}

impl Member {
    /// How the value is written in JSON.
    pub const fn form(self) -> &'static str {
        match self {
            Self::Category | Self::CategoryClaim => "`scheme:kind:code`",
            Self::Mode | Self::ModeClaim => "`self_handled` \\| `forwarded`",
            Self::Handler | Self::Unit => "unit code",
            Self::Level => "`normal` \\| `urgent`",
            Self::DueAt | Self::DiscoveredAt => "Unix milliseconds",
            Self::Reason => "text; a void reason code with `void`",
            Self::Text | Self::Note | Self::Missing => "text, at most 2,000 characters",
            Self::Photos => "list of SHA-256 in hex, 1 to 9",
            Self::Verdict => "`real` \\| `not_found` \\| `duplicate`; `pass` \\| `fail`",
            Self::MasterCaseId => "case id",
            Self::Assignee | Self::Reporter => "user name",
            Self::UrgeLevel => "1 to 4",
            Self::ReviewDate => "day, `2023-11-30`",
            Self::Outcome => "`very_satisfied` \\| `satisfied` \\| `neutral` \\| `dissatisfied` \\| `unreachable`",
            Self::CaseNo => "text",
            Self::Facts => "object of facts",
            Self::Grid => "15 digits",
            Self::Office => "org code",
            Self::Source => "source code",
            Self::Flags => "list of text",
        }
    }
}
