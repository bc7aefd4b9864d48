//! Words for people: short, Chinese, what matters first.

use xunge_client_core::client::{CaseDetail, CaseItem, DataPlan, Notice, PhoneStatus, Rescued, SyncReport, Task};
use xunge_client_core::doc::gate::GateCode;
use xunge_client_core::workflow::State;

/// Where the phone stands.
pub(crate) fn status(status: &PhoneStatus) -> String {
    let user = status.phone.user.as_ref().map_or("未绑定", |user| &user.name);
    let last = match status.phone.last_sync.0 {
        0 => "从未同步".to_owned(),
        _ => format!("上次同步 {}", status.phone.last_sync.local_text()),
    };
    let mut lines =
        vec![format!("{user}　{last}　未上报 {} 件,未传照片 {} 张", status.unsent.cases, status.unsent.photos)];
    lines.extend(status.photos_held.map(|leave| leave.zh().to_owned()));
    lines.extend(status.phone.blocked.as_ref().map(|code| format!("服务器拒绝本机:{code}")));
    lines.extend(status.items.iter().map(|item| {
        let place = match (item.on_server, item.reviewed) {
            (_, true) => "已审核",
            (true, _) => "已到平台",
            _ => "已存手机",
        };
        format!("{}　{place}　照片 {}/{}", item.id, item.photos.sent, item.photos.total)
    }));
    lines.join("\n")
}

/// A page of cases.
pub(crate) fn list(items: &[CaseItem]) -> String {
    if items.is_empty() {
        return "没有案件".to_owned();
    }
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Tasks.
pub(crate) fn tasks(tasks: &[Task]) -> String {
    if tasks.is_empty() {
        return "没有待办".to_owned();
    }
    let one = |task: &Task| {
        let kind = match task.kind.as_str() {
            "verify" => "核实",
            "check" => "核查",
            _ => "补充",
        };
        let missing = task.missing.as_ref().map(|missing| format!("　需补充:{missing}")).unwrap_or_default();
        format!("【{kind}】{}{missing}", line(&task.case))
    };
    tasks.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// One case.
pub(crate) fn case(case: &CaseDetail) -> String {
    let mut lines = vec![line(&case.item)];
    let facts = &case.facts;
    lines.extend((!facts.location_text.is_empty()).then(|| format!("位置:{}", facts.location_text)));
    lines.extend(facts.point.map(|point| {
        let (lon, lat) = point.degrees();
        format!("坐标:{lon:.6}, {lat:.6}　网格:{}", facts.grid_claim.as_deref().unwrap_or("网格外"))
    }));
    lines.extend((!facts.handle_note.is_empty()).then(|| format!("处置:{}", facts.handle_note)));
    lines.extend(case.photos.iter().map(|photo| {
        let state = match photo.state.as_str() {
            "waiting" => "待传",
            "sent" => "已传",
            "refused" => "被拒",
            _ => "其他手机",
        };
        format!("照片 {} {state} {}", photo.role.zh(), photo.sha256)
    }));
    lines.extend(
        case.conflicts
            .iter()
            .map(|conflict| format!("两处填写不一致 {}:{}", conflict.field, conflict.values.join(" / "))),
    );
    if let Some(ledger) = &case.ledger {
        lines.extend(ledger.case_no.as_ref().map(|number| format!("案卷号:{number}")));
        lines.extend(ledger.void_reason.map(|reason| {
            let words = ledger.void_text.as_ref().map(|text| format!("（{text}）")).unwrap_or_default();
            format!("作废原因:{}{words}", reason.zh())
        }));
        lines.extend(ledger.needs_more.as_ref().map(|missing| format!("需补充:{missing}")));
    }
    lines
        .extend(facts.remarks.values().chain(facts.supplements.values()).map(|remark| format!("备注:{}", remark.text)));
    lines.extend(case.refused.iter().map(|one| format!("未被接收:{}({})", one.text, code(&one.code))));
    lines.extend((!case.offers.is_empty()).then(|| {
        let verbs: Vec<&str> = case.offers.iter().map(|verb| verb.zh()).collect();
        format!("可申请:{}", verbs.join("、"))
    }));
    lines.join("\n")
}

/// What a run did.
pub(crate) fn report(report: &SyncReport) -> String {
    let sent = format!("上报 {} 件,照片 {} 张,收到 {} 条", report.cases_sent, report.photos_sent, report.received);
    let left = match (report.cases_waiting, report.photos_waiting) {
        (0, 0) => String::new(),
        (cases, photos) => format!(";手机上还有 {cases} 件、照片 {photos} 张"),
    };
    let refused: String = report.refused.iter().map(|one| format!("\n{} {}", one.case, code(&one.code))).collect();
    let stop = report.stop.as_ref().map(|why| format!("\n{}{}", why.zh(), why.hint_zh())).unwrap_or_default();
    format!("{sent}{left}{refused}{stop}")
}

/// What photos may use of mobile data.
pub(crate) fn data(plan: &DataPlan) -> String {
    let yes = |on: bool| if on { "是" } else { "否" };
    let mega = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let most = plan.rules.monthly_bytes.map_or("不限".to_owned(), mega);
    format!(
        "照片仅用 Wi-Fi:{};预览可用流量:{};每月上限:{most};本月已用:{}",
        yes(plan.rules.photos_on_wifi_only),
        yes(plan.rules.previews_on_mobile),
        mega(plan.used)
    )
}

/// News worth a line.
pub(crate) fn notice(notice: &Notice) -> Option<String> {
    match notice {
        Notice::CasesChanged(cases) => Some(format!("{} 件有更新", cases.len())),
        Notice::Refused(all) => {
            Some(all.iter().map(|one| format!("{} {}", one.case, code(&one.code))).collect::<Vec<_>>().join("\n"))
        }
        Notice::PhotoSent(photo) => Some(format!("照片已传 {photo}")),
        Notice::Drained => Some("全部已到平台".to_owned()),
        Notice::Blocked { code } => Some(format!("服务器拒绝本机:{code}")),
        Notice::ReferenceChanged | Notice::Waiting { .. } => None,
    }
}

fn line(item: &CaseItem) -> String {
    let state = match item.state.as_str() {
        "draft" => "草稿",
        "submitted" => "待上报",
        other => State::from_code(other).map_or(other, |state| state.zh()),
    };
    let mode = item.mode.map_or("", |mode| mode.zh());
    let category = item.category_name.clone().or(item.category.as_ref().map(|category| category.code.clone()));
    let attention = item.attention.as_ref().map(|found| format!("　!{}", code(found))).unwrap_or_default();
    let unsent = if item.unsent { "　未上报完" } else { "" };
    format!("{}　{state}　{mode}　{}　{}{unsent}{attention}", item.id, category.unwrap_or_default(), item.text)
}

/// A server's code in words, where we know it.
fn code(code: &str) -> &str {
    match GateCode::from_code(code) {
        Some(known) => known.zh(),
        None => code,
    }
}

/// What a rescue wrote.
pub(crate) fn rescued(done: &Rescued) -> String {
    if done.files.is_empty() {
        return "没有待上报的内容,未写文件".to_owned();
    }
    let files: Vec<String> = done.files.iter().map(|file| file.display().to_string()).collect();
    let lost = match done.unreadable {
        0 => String::new(),
        some => format!(",{some} 张照片的文件已损坏,未能写入"),
    };
    format!("{} 件、{} 项请求、{} 张照片已密封:{}{lost}", done.cases, done.requests, done.photos, files.join(" "))
}
