//! Small closed sets that payloads and ledgers use.

use serde::{Deserialize, Serialize};

use crate::model::coded;

coded! {
    /// Time-limit level (时限级别).
    Level {
        /// Clocks run in working minutes.
        Normal = "normal", "一般";
        /// 急要件: clocks run day and night.
        Urgent = "urgent", "紧急";
    }
}

coded! {
    /// What an inspector found at the scene, on a verify or a check task.
    Verdict {
        /// Verify: the problem is there.
        Real = "real", "属实";
        /// Verify: nothing there.
        NotFound = "not_found", "未发现";
        /// Verify: already reported.
        Duplicate = "duplicate", "重复";
        /// Check: the problem is solved.
        Pass = "pass", "核查通过";
        /// Check: it is not.
        Fail = "fail", "核查不通过";
    }
}

coded! {
    /// Why a report is void (作废原因).
    VoidReason {
        /// Already reported; `master_case_id` may name the other case.
        Duplicate = "duplicate", "重复上报";
        /// Not a matter of city management.
        NotInScope = "not_in_scope", "不属受理范围";
        /// It is not so (虚报).
        FalseReport = "false_report", "虚假上报";
        /// Photos or words do not show the problem.
        InsufficientEvidence = "insufficient_evidence", "证据不足";
        /// Outside the area.
        WrongArea = "wrong_area", "不属辖区";
        /// A trial report.
        Test = "test", "测试数据";
        /// Taken back by its reporter; only the verb `withdraw` gives this reason.
        Withdrawn = "withdrawn", "上报人撤回";
        /// Anything else; `text` says what.
        Other = "other", "其他";
    }
}

coded! {
    /// How a case ended (结案方式).
    CloseType {
        /// Fixed by its reporter, approved by the office.
        SelfHandled = "self_handled", "自处结案";
        /// Handled by a unit.
        Normal = "normal", "正常结案";
        /// Answered by the hotline.
        DirectAnswer = "direct_answer", "直接答复";
        /// Joined to the case it repeats.
        DuplicateMerged = "duplicate_merged", "合并结案";
    }
}

coded! {
    /// What a caller said at the revisit (回访结果). Unreachable callers are not rated.
    Satisfaction {
        /// Very satisfied.
        VerySatisfied = "very_satisfied", "非常满意";
        /// Satisfied.
        Satisfied = "satisfied", "满意";
        /// Neither.
        Neutral = "neutral", "一般";
        /// Dissatisfied; the duty leader may reopen the case.
        Dissatisfied = "dissatisfied", "不满意";
        /// Nobody answered.
        Unreachable = "unreachable", "无法联系";
    }
}

coded! {
    /// Where a report came from (问题来源).
    Source {
        /// An inspector on patrol.
        Inspector = "inspector", "网格员上报";
        /// The 12345 hotline.
        Hotline12345 = "hotline_12345", "12345热线";
        /// The citizens' app.
        CitizenApp = "citizen_app", "市民APP";
        /// A WeChat service account.
        WechatAccount = "wechat_account", "微信公众号";
        /// A WeChat group.
        WechatGroup = "wechat_group", "微信群";
        /// Weibo.
        Weibo = "weibo", "微博";
        /// A web site.
        Website = "website", "网站";
        /// Someone watching video.
        Video = "video", "视频采集";
        /// A program watching video.
        AiAlert = "ai_alert", "智能识别";
        /// Tower cameras that look for fire.
        FireTower = "fire_tower", "铁塔火情监控";
        /// A sensor.
        Sensor = "sensor", "物联感知";
        /// A leader's order.
        LeaderAssigned = "leader_assigned", "领导交办";
        /// Newspapers, television.
        Media = "media", "媒体曝光";
        /// A petition.
        Petition = "petition", "信访";
        /// Handed down by the province.
        ProvincePlatform = "province_platform", "省级平台";
        /// Handed over by another platform.
        PeerPlatform = "peer_platform", "同级平台";
        /// A special collection.
        Campaign = "campaign", "专项普查";
    }
}

coded! {
    /// What a unit waits to have decided.
    AskKind {
        /// To give the case back.
        Return = "return", "退单";
        /// To have more time.
        Extend = "extend", "延期";
    }
}

coded! {
    /// What an inspector is sent out for.
    TaskKind {
        /// Whether the problem is real.
        Verify = "verify", "核实";
        /// Whether it is solved.
        Check = "check", "核查";
    }
}
