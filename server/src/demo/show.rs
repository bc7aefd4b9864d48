//! What the demo says to people: Chinese tables, aligned although a Chinese character is two columns wide.

use std::fmt::Write;

use super::compare::Figures;
use super::run::{DemoReport, Running};

/// Name and value of one line of a table, if there is one.
type Cell = dyn Fn(&Figures, usize) -> Option<(String, String)>;

/// Published and counted figures side by side.
pub fn table(report: &DemoReport) -> String {
    let mut text = String::from("银川市西夏区 2023 年 11 月　　已公布 | 本系统统计\n\n");
    let rows = pairs(&report.published, &report.computed);
    let width = |column: fn(&Pair) -> &str| rows.iter().map(|row| columns(column(row))).max().unwrap_or(0);
    let (names, published) = (width(|row| &row.name), width(|row| &row.published));
    for row in &rows {
        if row.name.is_empty() {
            text.push('\n');
            continue;
        }
        let mark = if row.published == row.computed { "" } else { "  ≠" };
        let (name, value) = (padded(&row.name, names), padded(&row.published, published));
        let _ = writeln!(text, "  {name}  {value} | {}{mark}", row.computed);
    }
    let verdict = match report.differences.len() {
        0 => "全部一致".to_owned(),
        count => format!("有 {count} 处不一致"),
    };
    let cpu = report.cpu_seconds.map_or_else(String::new, |cpu| format!("，处理器 {cpu} 秒"));
    let _ = write!(
        text,
        "\n{verdict}。手机 {} 部，照片 {} 张，断线 {} 次，上行 {:.1} MB，落盘 {} 次，用时 {} 秒{cpu}。\n",
        report.phones,
        report.photos,
        report.cuts,
        report.bytes_up as f64 / 1e6,
        report.flushes,
        report.seconds,
    );
    text
}

/// Where the console is, and who may sign in.
pub fn people(running: &Running) -> String {
    let mut text = format!("\n控制台：{}/\n演示账号（仅限本机）：\n\n", running.stage.url());
    let users: Vec<_> =
        running.stage.people.users.iter().filter_map(|user| Some((user, user.password.as_deref()?))).collect();
    let width = users.iter().map(|(user, _)| columns(&user.user)).max().unwrap_or(0);
    let place = |user: &crate::cli::init::InitUser| {
        let unit = user.unit.as_ref().and_then(|unit| running.org.unit(&unit.parse().ok()?));
        let place = user.scope.parse().ok().and_then(|scope| running.org.place(&scope));
        unit.map(|unit| unit.name.clone()).or(place.map(|place| place.name.clone())).unwrap_or_default()
    };
    for (user, password) in users {
        let _ = writeln!(
            text,
            "  {}  {password}  {}  {}",
            padded(&user.user, width),
            padded(user.role.zh(), 10),
            place(user),
        );
    }
    text.push_str("\n手机仍在巡查，业务时间自 2023 年 12 月 1 日起继续。按 Ctrl-C 结束。\n");
    text
}

struct Pair {
    /// Empty for a blank line.
    name: String,
    published: String,
    computed: String,
}

fn pairs(published: &Figures, computed: &Figures) -> Vec<Pair> {
    let pair = |name: &str, published: String, computed: String| Pair { name: name.to_owned(), published, computed };
    let blank = || pair("", String::new(), String::new());
    let rate = |figures: &Figures| percent(figures.close_rate.as_ref());
    let mut rows = vec![
        pair("上报", published.reported.to_string(), computed.reported.to_string()),
        pair("自发自处", published.self_handled.to_string(), computed.self_handled.to_string()),
        pair("平台流转", published.forwarded.to_string(), computed.forwarded.to_string()),
        pair("办结", published.closed.to_string(), computed.closed.to_string()),
        pair("办结率", rate(published), rate(computed)),
        blank(),
    ];
    let category = |figures: &Figures, nth: usize| {
        let row = figures.categories.get(nth)?;
        let name = row.minor.as_ref().map_or_else(|| row.major.clone(), |minor| format!("　{minor}"));
        Some((name, format!("{} 件，环比 {}", row.count, percent(row.mom.as_ref()))))
    };
    let unit = |figures: &Figures, nth: usize| {
        let row = figures.units.get(nth)?;
        Some((row.unit.clone(), format!("上报 {} 作废 {} 立案 {}", row.reported, row.void, row.filed)))
    };
    let mut side_by_side = |length: usize, cell: &Cell| {
        for nth in 0..length {
            let (expected, found) = (cell(published, nth), cell(computed, nth));
            let same_name = match (&expected, &found) {
                (Some((one, _)), Some((other, _))) => one == other,
                _ => false,
            };
            let name = expected.as_ref().or(found.as_ref()).map(|(name, _)| name.clone()).unwrap_or_default();
            let computed = match found {
                Some((_, value)) if same_name => value,
                Some((other, value)) => format!("{} {value}", other.trim()),
                None => "-".to_owned(),
            };
            rows.push(pair(&name, expected.map_or_else(|| "-".to_owned(), |(_, value)| value), computed));
        }
    };
    side_by_side(published.categories.len().max(computed.categories.len()), &category);
    side_by_side(published.units.len().max(computed.units.len()), &unit);
    rows
}

fn percent(rate: Option<&String>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate}%"))
}

/// Columns of a terminal: everything from the CJK blocks on takes two.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| if letter >= '\u{1100}' { 2 } else { 1 }).sum()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::published::Published;

    fn report(change: impl Fn(&mut Figures)) -> DemoReport {
        let published = Figures::published(Published::november_2023());
        let mut computed = published.clone();
        change(&mut computed);
        let differences = super::super::compare::differences(&published, &computed);
        DemoReport {
            equal: differences.is_empty(),
            published,
            computed,
            differences,
            seconds: 61.5,
            cpu_seconds: Some(90.25),
            phases: Vec::new(),
            flushes: 1_000,
            phones: 40,
            photos: 16_000,
            bytes_up: 81_000_000,
            cuts: 120,
            listen: "127.0.0.1:1".to_owned(),
        }
    }

    #[test]
    fn equal_figures_are_shown_side_by_side_and_aligned() {
        let text = table(&report(|_| {}));
        assert!(text.contains("全部一致") && !text.contains('≠'), "{text}");
        for shown in ["8093", "99.64%", "环比 -4.43%", "兴泾镇人民政府", "断线 120 次", "81.0 MB"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        let bars: std::collections::BTreeSet<_> = text
            .lines()
            .filter(|line| line.starts_with("  "))
            .map(|line| columns(line.split('|').next().unwrap()))
            .collect();
        assert_eq!(bars.len(), 1, "{text}");
    }

    #[test]
    fn what_differs_is_marked() {
        let text = table(&report(|figures| {
            figures.reported -= 1;
            figures.units.swap(0, 1);
            figures.categories.pop();
        }));
        assert_eq!(text.matches('≠').count(), 4, "{text}");
        assert!(text.contains("处不一致"));
    }
}
