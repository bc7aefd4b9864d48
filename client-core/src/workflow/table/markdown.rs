//! Prints the table for people: `docs/workflow.md`, and the members per verb for the API page.

use std::fmt::{Display, Write};

use super::TABLE;
use crate::model::{Mode, Role};
use crate::workflow::codes::{CloseType, Level, Satisfaction, Source, Verdict, VoidReason};
use crate::workflow::member::Member;
use crate::workflow::refusal::{Refusal, Separation, Why};
use crate::workflow::rule::{Need, Only, Rule, To};
use crate::workflow::state::{Outcome, State, Verb};

/// The whole of `docs/workflow.md`, Chinese and English.
pub fn markdown() -> String {
    let mut out = String::from(
        "# 案件状态机 · The case state machine\n\n\
         由 `client-core/src/workflow` 生成，请勿手工修改。 Printed from `client-core/src/workflow`; a test compares it. \
         After a change of the table: `XUNGE_WRITE_DOCS=1 cargo test --release -p xunge-client-core printed_table`.\n",
    );
    states(&mut out);
    matrix(&mut out);
    verbs(&mut out);
    out.push_str("\n## 参数 · Members\n\n");
    out.push_str(&members_markdown());
    refusals(&mut out);
    out
}

/// Which payload members each verb takes, then how each member is written and which codes there are.
pub fn members_markdown() -> String {
    let mut out = String::new();
    row(&mut out, ["动作 verb", "必填 required", "可填 optional", "服务器填 filled in by the server"]);
    row(&mut out, ["---"; 4]);
    for rule in TABLE {
        let listed = |need| Member::ALL.iter().filter(move |member| rule.need(**member) == Some(need));
        let cells = [Need::Required, Need::Optional, Need::Server].map(|need| codes(listed(need)));
        let [required, optional, server] = cells;
        row(&mut out, [format!("`{}`", rule.verb), required, optional, server]);
    }
    out.push('\n');
    row(&mut out, ["参数 member", "中文", "写法 form"]);
    row(&mut out, ["---"; 3]);
    for member in Member::ALL {
        row(&mut out, [&format!("`{member}`"), member.zh(), member.form()]);
    }
    out.push('\n');
    row(&mut out, ["代码 codes", ""]);
    row(&mut out, ["---"; 2]);
    let void = VoidReason::ALL.iter().map(|code| (code.code(), code.zh()));
    row(&mut out, ["`reason` (`void`)".to_owned(), named(void)]);
    row(&mut out, ["`verdict`".to_owned(), named(Verdict::ALL.iter().map(|code| (code.code(), code.zh())))]);
    row(&mut out, ["`outcome`".to_owned(), named(Satisfaction::ALL.iter().map(|code| (code.code(), code.zh())))]);
    row(&mut out, ["`level`".to_owned(), named(Level::ALL.iter().map(|code| (code.code(), code.zh())))]);
    row(&mut out, ["`mode`".to_owned(), named(Mode::ALL.iter().map(|code| (code.code(), code.zh())))]);
    row(&mut out, ["`source`".to_owned(), named(Source::ALL.iter().map(|code| (code.code(), code.zh())))]);
    row(&mut out, ["`close_type`".to_owned(), named(CloseType::ALL.iter().map(|code| (code.code(), code.zh())))]);
    out
}

fn states(out: &mut String) {
    out.push_str("\n## 状态 · States\n\n");
    row(out, ["代码 state", "中文", "计入 counted as"]);
    row(out, ["---"; 3]);
    for state in State::ALL {
        let outcome = match state {
            State::Reported | State::Verifying => Outcome::Pending,
            State::Closed => Outcome::CaseClosed,
            State::Void => Outcome::Void,
            _ => Outcome::Filed,
        };
        row(out, [format!("`{state}`"), state.zh().to_owned(), format!("`{outcome}` {}", outcome.zh())]);
    }
    out.push_str(
        "\n上报 = 作废 + 立案 + 待审核；立案 = 已立案 + 已结案；办结 = 已结案 + 作废。 \
         reported = void + filed + pending; filed (立案) = open + closed; closed (办结) = closed + void.\n",
    );
}

/// Verbs down, states across: where the verb leads, `·` for the same state, blank for refused.
fn matrix(out: &mut String) {
    out.push_str("\n## 转移 · Transitions\n\n行为动作，列为当前状态，格为目标状态；`·` 状态不变，空白拒绝。 ");
    out.push_str(
        "Rows are verbs, columns the state a case is in, cells where it goes; `·` stays, blank is refused.\n\n",
    );
    let mut head = vec!["动作 verb".to_owned(), "(new)".to_owned()];
    head.extend(State::ALL.iter().map(ToString::to_string));
    row(out, &head);
    row(out, head.iter().map(|_| "---"));
    for rule in TABLE {
        let mut cells = vec![format!("`{}`", rule.verb)];
        cells.push(if rule.creates { State::Reported.to_string() } else { String::new() });
        cells.extend(State::ALL.iter().map(|from| cell(rule, *from)));
        row(out, &cells);
    }
}

fn cell(rule: &Rule, from: State) -> String {
    if !rule.from.contains(&from) {
        return String::new();
    }
    match rule.to {
        To::Same => "·".to_owned(),
        to => to.targets(from).iter().map(State::to_string).collect::<Vec<_>>().join(" / "),
    }
}

fn verbs(out: &mut String) {
    out.push_str("\n## 动作 · Verbs\n\n手机可发出的请求标 ☎。 What a phone may ask is marked ☎.\n\n");
    row(out, ["动作 verb", "中文", "岗位 roles", "限定 only", "说明", "notes"]);
    row(out, ["---"; 6]);
    for rule in TABLE {
        let phone = if rule.is_request() { " ☎" } else { "" };
        let roles = named(rule.roles.iter().map(|role: &Role| (role.code(), role.zh())));
        row(
            out,
            [
                format!("`{}`{phone}", rule.verb),
                rule.verb.zh().to_owned(),
                roles,
                limits(rule),
                rule.note_zh.to_owned(),
                rule.note_en.to_owned(),
            ],
        );
    }
    out.push_str(
        "\n回避 Separation: 上报人不得审批本人上报的案件，处置单位不得核查本单位处置的案件。 Who reported a case does not \
         decide on it; the unit that handled it does not recheck it.\n",
    );
}

fn limits(rule: &Rule) -> String {
    let mut limits = Vec::new();
    limits.extend(match rule.only {
        Only::Anyone => None,
        Only::Reporter => Some("上报人或接手人 the reporter or the colleague it was handed to"),
        Only::Assignee => Some("任务承接人 the task's inspector"),
        Only::Handler => Some("承办单位 the unit that has the case"),
        Only::Holder => {
            Some("上报人、接手人或任务承接人 the reporter, the colleague it was handed to, the task's inspector")
        }
    });
    limits.extend(match rule.apart {
        None => None,
        Some(Separation::Reporter) => Some("非上报人 not the reporter"),
        Some(Separation::Handler) => Some("非处置单位 not the unit that handled it"),
    });
    limits.extend(rule.numbered.then_some("发案卷号 gives the case number"));
    limits.join("；")
}

fn refusals(out: &mut String) {
    out.push_str(
        "\n## 拒绝 · Refusals\n\n检查顺序：岗位、状态、版本、必填、多余项、归属、回避、未决事项、取值、照片。 ",
    );
    out.push_str(
        "Checked in this order: role, state, version, required members, members not taken, whose case it is, ",
    );
    out.push_str("separation of duties, what is open on the case, values, photos. Texts show an example.\n\n");
    row(out, ["代码 code", "中文", "English", "出路", "way out"]);
    row(out, ["---"; 5]);
    for refusal in examples() {
        row(
            out,
            [&format!("`{}`", refusal.code()), &refusal.zh(), &refusal.en(), refusal.hint_zh(), refusal.hint_en()],
        );
    }
    out.push('\n');
    row(out, ["`invalid`: why", "中文", "English"]);
    row(out, ["---"; 3]);
    for why in Why::ALL {
        row(out, [&format!("`{why}`"), why.zh(), why.en()]);
    }
}

/// One of each refusal.
pub(in crate::workflow) fn examples() -> Vec<Refusal> {
    vec![
        Refusal::WrongRole { verb: Verb::Void, role: Role::Inspector },
        Refusal::WrongState { verb: Verb::File, state: Some(State::Void), version: 2 },
        Refusal::StaleVersion { state: Some(State::Filed), version: 2 },
        Refusal::ReasonMissing,
        Refusal::Missing { field: Member::DueAt },
        Refusal::UnknownMember { field: Member::Handler },
        Refusal::Invalid { field: Member::DueAt, why: Why::NotInFuture },
        Refusal::NotYours,
        Refusal::Separation { rule: Separation::Reporter },
        Refusal::NoAfterPhoto,
        Refusal::WrongClaim { claim: Mode::Forwarded },
        Refusal::NoOpenAsk,
        Refusal::AskOpen,
        Refusal::NotChecked,
        Refusal::Suspended,
        Refusal::NotSuspended,
        Refusal::Deferred,
        Refusal::NotDeferred,
        Refusal::AppealOpen,
        Refusal::NoOpenAppeal,
        Refusal::NoCaseNumber,
    ]
}

fn codes<'a>(members: impl Iterator<Item = &'a Member>) -> String {
    members.map(|member| format!("`{member}`")).collect::<Vec<_>>().join(", ")
}

fn named<'a>(codes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    codes.map(|(code, zh)| format!("`{code}` {zh}")).collect::<Vec<_>>().join(", ")
}

fn row<T: Display>(out: &mut String, cells: impl IntoIterator<Item = T>) {
    for cell in cells {
        write!(out, "| {cell} ").expect("writing to a String can not fail");
    }
    out.push_str("|\n");
}
