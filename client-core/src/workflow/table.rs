//! The transition table: one row per verb. `decide` asks it, `docs/workflow.md` is printed from it.

mod markdown;

#[cfg(test)]
pub(super) use markdown::examples;
pub use markdown::{markdown, members_markdown};

use Member as M;
use Role as R;
use State as S;

use super::member::Member;
use super::refusal::Separation;
use super::rule::{Only, Rule, To};
use super::state::{State, Verb};
use crate::model::Role;

const VOIDABLE: &[State] = &[S::Reported, S::Verifying, S::Filed];
const OPEN: &[State] = &[S::Reported, S::Verifying, S::Filed, S::Dispatched, S::Handling, S::Handled, S::Rechecking];

/// All verbs, in the order a case meets them.
pub const TABLE: &[Rule] = &[
    Rule::row(Verb::Submit, &[S::Reported], To::Same, &[R::Inspector, R::Hotline])
        .creates()
        .only(Only::Reporter)
        .takes(&[M::ModeClaim, M::CategoryClaim, M::DiscoveredAt, M::Facts, M::Text])
        .server_fills(&[M::Source, M::Unit, M::Office, M::Grid, M::Flags, M::Reporter])
        .note(
            "新建案件，版本 1；未申报处置方式按平台流转，来源按角色。`facts` 仅限并且必须由话务登记填写。\
             已有案件仅在退回补充后可由上报人再次上报（`text` 说明补充内容），接收时间、上报单位、来源和登记内容不变。",
            "Creates the case at version 1; without a claimed mode it is forwarded, the source follows the role. Only the \
             hotline gives `facts`, and must. An existing case takes it only after `send_back`, from its reporter \
             (`text` says what was added); time of receipt, reporting unit, source and facts stay.",
        ),
    Rule::row(Verb::VerifySend, &[S::Reported], To::State(S::Verifying), &[R::TownOffice])
        .needs(&[M::Assignee])
        .takes(&[M::Text])
        .note("公众、媒体和智能识别来源立案前现场核实。", "Reports of the public and of machines are seen on site before filing."),
    Rule::row(Verb::VerifyReply, &[S::Verifying], To::State(S::Reported), &[R::Inspector])
        .only(Only::Assignee)
        .needs(&[M::Verdict, M::Photos])
        .takes(&[M::Text])
        .note(
            "结论为属实、未发现或重复；照片按哈希列出，字节可稍后到达。",
            "Verdict real, not_found or duplicate. Photos are named by hash; their bytes may come later.",
        ),
    Rule::row(Verb::File, &[S::Reported], To::State(S::Filed), &[R::TownOffice])
        .apart(Separation::Reporter)
        .gives_number()
        .takes(&[M::Category, M::Mode, M::Level, M::Handler, M::Grid])
        .server_fills(&[M::CaseNo])
        .note(
            "处置方式定为平台流转；申报为自发自处的须写明 `mode:\"forwarded\"`。类别默认为申报类别，级别默认为一般。\
             处置单位只是建议。",
            "Decides mode forwarded; a self-handled claim needs `mode:\"forwarded\"` spelt out. Category defaults to the \
             claim, level to normal. The handler is a suggestion.",
        ),
    Rule::row(Verb::ApproveSelfHandled, &[S::Reported], To::State(S::Closed), &[R::TownOffice])
        .apart(Separation::Reporter)
        .gives_number()
        .takes(&[M::Category, M::Grid, M::Note])
        .server_fills(&[M::CaseNo, M::Mode])
        .note(
            "仅限申报为自发自处且处置后照片已到达的案件；立案时间等于结案时间，不进入派遣。",
            "Only for self-handled claims whose after photo has arrived; filed_at = closed_at, never dispatched.",
        ),
    Rule::row(Verb::Void, VOIDABLE, To::State(S::Void), &[R::TownOffice])
        .apart(Separation::Reporter)
        .needs(&[M::Reason])
        .takes(&[M::Text, M::MasterCaseId])
        .note(
            "理由为作废原因代码；“其他”须填文字说明；“上报人撤回”只由撤回产生。处置方式不变。",
            "Reason is a void reason code; `other` needs text; `withdrawn` comes only from `withdraw`. The mode stays.",
        ),
    Rule::row(Verb::SendBack, &[S::Reported], To::Same, &[R::TownOffice])
        .needs(&[M::Missing])
        .note("案件标记为需补充，上报人补充后再次上报。", "Marks the case; its reporter adds what is missing and submits again."),
    Rule::row(Verb::Dispatch, &[S::Filed], To::State(S::Dispatched), &[R::Dispatcher])
        .needs(&[M::Handler, M::DueAt, M::Level])
        .takes(&[M::Note])
        .note("签收和处置时钟开始。", "Starts the clocks `sign` and `handle`."),
    Rule::row(Verb::Sign, &[S::Dispatched], To::State(S::Handling), &[R::HandlingUnit])
        .only(Only::Handler)
        .note("签收即接受，未答复的退单申请随之失效。", "Signing accepts the case and ends an open ask to return it."),
    Rule::row(Verb::AskReturn, &[S::Dispatched], To::Same, &[R::HandlingUnit])
        .only(Only::Handler)
        .needs(&[M::Reason])
        .note("首接负责：批准前案件仍由首接单位负责。", "First receiver: the unit keeps the case until the return is approved."),
    Rule::row(Verb::ApproveReturn, &[S::Dispatched], To::State(S::Filed), &[R::DutyLeader])
        .takes(&[M::Note])
        .note("案件待重新派遣，期限重新确定。", "The case waits to be sent elsewhere, with a new deadline."),
    Rule::row(Verb::RefuseReturn, &[S::Dispatched], To::Same, &[R::DutyLeader])
        .needs(&[M::Reason])
        .server_fills(&[M::DueAt])
        .note("期限按待审批的时长顺延。", "The deadline moves by the time the answer took."),
    Rule::row(Verb::AskExtend, &[S::Handling], To::Same, &[R::HandlingUnit])
        .only(Only::Handler)
        .needs(&[M::Reason, M::DueAt])
        .takes(&[M::Text])
        .note(
            "新期限须晚于现有期限；第二次申请须附文字申请。挂账期间不受理。",
            "The new deadline is later than the one in force; a second extension needs the application in `text`. \
             Not while suspended.",
        ),
    Rule::row(Verb::ApproveExtend, &[S::Handling], To::Same, &[R::DutyLeader])
        .takes(&[M::DueAt, M::Note])
        .note("期限默认为申请的期限；原始期限保留。", "The deadline defaults to the one asked for; the original one is kept."),
    Rule::row(Verb::RefuseExtend, &[S::Handling], To::Same, &[R::DutyLeader]).needs(&[M::Reason]),
    Rule::row(Verb::Suspend, &[S::Handling], To::Same, &[R::DutyLeader])
        .needs(&[M::Reason, M::ReviewDate])
        .note(
            "计时暂停；未答复的延期申请失效。不与缓办并用。",
            "Stops the clock and ends an open ask for an extension. Not together with `defer`.",
        ),
    Rule::row(Verb::Resume, &[S::Handling], To::Same, &[R::DutyLeader])
        .takes(&[M::DueAt, M::Note])
        .note("期限默认按挂账时长顺延，原始期限同样顺延。", "The deadline moves by the time suspended unless given; the original one moves too."),
    Rule::row(Verb::Defer, &[S::Handling], To::Same, &[R::DutyLeader])
        .needs(&[M::Reason])
        .takes(&[M::ReviewDate])
        .note(
            "不计入应结案；可以提前反馈，标记保留到结案之后。",
            "Leaves the due denominator; the unit may still feed back early, and the mark stays on the closed case.",
        ),
    Rule::row(Verb::Undefer, &[S::Handling], To::Same, &[R::DutyLeader]).takes(&[M::DueAt, M::Note]),
    Rule::row(Verb::Feedback, &[S::Handling], To::State(S::Handled), &[R::HandlingUnit])
        .only(Only::Handler)
        .needs(&[M::Note, M::Photos])
        .note(
            "挂账期间须先恢复。未答复的延期申请失效。",
            "Not while suspended: resume first. Ends an open ask for an extension.",
        ),
    Rule::row(Verb::CheckSend, &[S::Handled], To::State(S::Rechecking), &[R::TownOffice])
        .needs(&[M::Assignee])
        .takes(&[M::Text]),
    Rule::row(Verb::CheckReply, &[S::Rechecking], To::State(S::Handled), &[R::Inspector])
        .only(Only::Assignee)
        .apart(Separation::Handler)
        .needs(&[M::Verdict, M::Photos])
        .takes(&[M::Text])
        .note("结论为通过或不通过。", "Verdict pass or fail."),
    Rule::row(Verb::Rework, &[S::Handled, S::Rechecking], To::State(S::Handling), &[R::TownOffice, R::DutyLeader])
        .needs(&[M::Reason])
        .takes(&[M::Photos, M::DueAt])
        .note("期限不变，除非给出新期限；未完成的核查任务取消。", "The deadline stays unless a new one is given; an open check task ends."),
    Rule::row(Verb::Close, &[S::Handled], To::State(S::Closed), &[R::TownOffice, R::DutyLeader])
        .apart(Separation::Reporter)
        .takes(&[M::Note])
        .note(
            "须反馈后核查通过；值班长可对未核查的案件免核结案，核查不通过的只能返工或再核查，处置单位人员不得免核。",
            "Needs a recheck passed since the feedback. The duty leader may exempt an unchecked case (not one whose check \
             failed, and not for the leader's own unit).",
        ),
    Rule::row(Verb::Answer, &[S::Reported], To::State(S::Closed), &[R::Hotline])
        .gives_number()
        .needs(&[M::Text])
        .takes(&[M::Category])
        .server_fills(&[M::CaseNo, M::Mode])
        .note(
            "不适用于申报为自发自处的案件；立案时间等于结案时间，处置方式为申报的方式。登记人可以直接答复。",
            "Not for self-handled claims; filed_at = closed_at, mode as claimed. Who took the call may answer it.",
        ),
    Rule::row(Verb::Urge, OPEN, To::Same, &[R::TownOffice, R::Dispatcher, R::DutyLeader])
        .needs(&[M::UrgeLevel, M::Text])
        .note("1 催办、2 督办、3 通报、4 约谈；案件显示最高一级。", "1 催办, 2 督办, 3 通报, 4 约谈; the case shows the highest so far."),
    Rule::row(Verb::MergeDuplicate, &[S::Reported], To::State(S::Closed), &[R::TownOffice])
        .apart(Separation::Reporter)
        .gives_number()
        .needs(&[M::MasterCaseId])
        .takes(&[M::Category, M::Note])
        .server_fills(&[M::CaseNo, M::Mode])
        .note(
            "立案时间等于结案时间，处置方式为申报的方式。",
            "filed_at = closed_at, mode as claimed.",
        ),
    Rule::row(Verb::Revisit, &[S::Closed], To::Same, &[R::Hotline])
        .needs(&[M::Outcome])
        .takes(&[M::Text])
        .note("不满意的可由值班长重开。", "After `dissatisfied` the duty leader may reopen."),
    Rule::row(Verb::Reopen, &[S::Closed], To::Reopened, &[R::DutyLeader])
        .needs(&[M::Reason])
        .takes(&[M::DueAt])
        .note(
            "由单位处置过的案件回到处置中；其余（自处、直接答复、合并）回到待审核，立案时间和处置方式待重新决定，案卷号保留。",
            "A case that a unit handled goes back to `handling`; self-handled, answered and merged ones to `reported`, where \
             filing and mode are open again. The case number stays.",
        ),
    Rule::row(Verb::Reinstate, &[S::Void], To::BeforeVoid, &[R::DutyLeader])
        .apart(Separation::Reporter)
        .needs(&[M::Reason])
        .note("回到作废前的状态，包括当时的核实任务；答复未决的申诉。", "Back to the state before, with the task open then; answers an open appeal."),
    Rule::row(Verb::Uphold, &[S::Closed, S::Void], To::Same, &[R::DutyLeader])
        .apart(Separation::Reporter)
        .needs(&[M::Text])
        .note("答复未决的申诉：原决定不变。", "Answers an open appeal: the decision stands."),
    Rule::row(Verb::Withdraw, &[S::Reported], To::State(S::Void), &[R::Inspector])
        .only(Only::Reporter)
        .takes(&[M::Text])
        .server_fills(&[M::Reason])
        .note("仅在版本 1，即无人办理过时。", "Only at version 1: nobody has done anything yet."),
    Rule::row(Verb::Appeal, &[S::Closed, S::Void], To::Same, &[R::Inspector])
        .only(Only::Reporter)
        .needs(&[M::Text])
        .takes(&[M::Photos])
        .note("由值班长撤销作废、重开或维持原决定。", "The duty leader reinstates, reopens or upholds."),
    Rule::row(Verb::RouteChange, OPEN, To::Same, &[R::Inspector])
        .only(Only::Reporter)
        .needs(&[M::Mode])
        .takes(&[M::Reason])
        .note(
            "立案前改变申报的处置方式；立案后只作为意见记录，处置方式和统计不变。",
            "Before filing it changes the claim; afterwards it is recorded as a wish and changes neither mode nor counts.",
        ),
    Rule::row(Verb::Handover, OPEN, To::Same, &[R::Inspector, R::TownOffice])
        .only(Only::Holder)
        .needs(&[M::Assignee])
        .takes(&[M::Reason])
        .note(
            "移交本人的未完成任务；上报人或持有人同时移交案件。镇街移交未完成的任务，没有任务时移交案件。",
            "Moves the actor's open task; from the reporter or holder also the case. An office moves the open task, or the \
             case if there is none.",
        ),
];
