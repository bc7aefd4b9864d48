//! What commands say that compare a file with what is in force: `org` and `categories`, with one shape for programs.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use xunge_client_core::model::Sha256;

use super::error::{CliError, said};
use crate::domain::exchange::{Change, Difference, Numbers, Objection, Plan, Refusal};
use crate::reference::problem::Problem;

/// A file that can not be read.
pub(super) fn unreadable(code: &'static str, path: &Path, cause: &std::io::Error) -> CliError {
    let shown = path.display();
    CliError::failed(
        code,
        shown.to_string(),
        said(format!("无法读取 {shown}：{cause}"), format!("{shown} can not be read: {cause}.")),
        said("请检查路径和权限。", "Check the path and its permissions."),
    )
}

/// All that is wrong with a file at once: a city's export is repaired in one round.
pub(super) fn problem<P: Problem>(problems: &[P]) -> CliError {
    let Some(first) = problems.first() else { unreachable!("a refused file has at least one problem") };
    let lines = |text: fn(&P) -> String| problems.iter().map(text).collect::<Vec<_>>().join("\n");
    let mut ways: Vec<(&str, &str)> = Vec::new();
    for way in problems.iter().map(Problem::way_out) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let (en, zh): (Vec<_>, Vec<_>) = ways.into_iter().unzip();
    CliError::failed(
        first.code(),
        first.subject(),
        said(lines(Problem::zh), lines(ToString::to_string)),
        said(zh.join("；"), en.join("; ")),
    )
}

/// A plan for programs.
pub(super) fn document<W, O>(sha256: &Sha256, plan: &Plan<W, O>) -> Value
where
    W: Difference + Serialize,
    O: Objection<W> + Serialize,
{
    let refusal = |it: &Refusal<W, O>| {
        let mut value = serde_json::to_value(it).unwrap_or_default();
        value["message"] = it.to_string().into();
        value["hint"] = it.way_out().0.into();
        value
    };
    json!({
        "sha256": sha256.to_string(),
        "changes": plan.changes,
        "numbers": Numbers::of(&plan.changes),
        "refusals": plan.refusals.iter().map(refusal).collect::<Vec<_>>(),
    })
}

/// All reasons at once, each with its way out.
pub(super) fn refused<W: Difference, O: Objection<W>>(code: &'static str, refusals: &[Refusal<W, O>]) -> CliError {
    let lines = |line: fn(&Refusal<W, O>) -> String| refusals.iter().map(line).collect::<Vec<_>>().join("\n");
    let subject = refusals.first().map_or("", |refusal| refusal.code.as_str());
    CliError::failed(
        code,
        subject,
        said(
            lines(|it| format!("{} {}：{}。{}。", it.code, it.name, it.zh(), it.way_out().1)),
            lines(|it| format!("{} {}: {it}; {}.", it.code, it.name, it.way_out().0)),
        ),
        said("未作任何改动。", "Nothing was changed."),
    )
}

/// A plan for people.
pub(super) fn told<W: Difference, O: Objection<W>>(plan: &Plan<W, O>) -> String {
    let mut text = String::new();
    for Change { code, name, what, now, then } in &plan.changes {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let words = said(what.zh(), what.en()).pick();
        let _ = writeln!(text, "{code}\t{name}\t{words}\t{} -> {}", side(now), side(then));
    }
    for refusal in &plan.refusals {
        let (en, zh) = refusal.way_out();
        let words = said(format!("{}。{zh}。", refusal.zh()), format!("{refusal}; {en}.")).pick();
        let _ = writeln!(text, "!! {}\t{}\t{words}", refusal.code, refusal.name);
    }
    if plan.changes.is_empty() && plan.refusals.is_empty() {
        return said("与正在使用的完全相同。", "The same as what is in force.").pick();
    }
    text + &summary(Numbers::of(&plan.changes))
}

/// What is said of a file that is in force already.
pub(super) fn same() -> String {
    said("没有不同，未作改动。", "The same; nothing was done.").pick()
}

/// How much was or would be done.
pub(super) fn summary(Numbers { added, changed, removed }: Numbers) -> String {
    format!("新增 added: {added}\n改变 changed: {changed}\n移除 removed: {removed}")
}
