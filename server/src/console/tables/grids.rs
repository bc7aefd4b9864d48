//! Places of a month: each grid, and the places one step below the one that is looked at.

use std::collections::BTreeMap;

use xunge_client_core::model::{LocalMonth, OrgCode, OrgLevel};

use super::{FigureRow, FigureTable, Lists, Part, month_on_month};
use crate::console::choices;
use crate::console::visit::Visit;
use crate::domain::counts::Figures;
use crate::domain::counts::query::{Ask, By, Table, TableRow, table};
use crate::domain::directory::Directory;
use crate::store::{StoreError, Tx};

/// What a map can count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Metric {
    /// 上报.
    #[default]
    Reported,
    /// 自发自处.
    SelfHandled,
    /// 平台流转.
    Forwarded,
    /// 待审.
    Pending,
}

impl Metric {
    /// Every value.
    pub(crate) const ALL: [Self; 4] = [Self::Reported, Self::SelfHandled, Self::Forwarded, Self::Pending];

    /// Its code, also the key of its name among the figures.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::SelfHandled => "self_handled",
            Self::Forwarded => "forwarded",
            Self::Pending => "pending",
        }
    }

    /// The value with this code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.code() == code)
    }

    /// This figure.
    pub(crate) fn of(self, figures: &Figures) -> i64 {
        match self {
            Self::Reported => figures.reported,
            Self::SelfHandled => figures.self_handled,
            Self::Forwarded => figures.forwarded,
            Self::Pending => figures.pending,
        }
    }
}

/// The grids of a place in a month, the month before and the same month a year ago.
#[derive(Debug)]
pub(crate) struct Grids {
    now: Vec<TableRow>,
    before: BTreeMap<String, i64>,
    year: BTreeMap<String, i64>,
}

impl Grids {
    /// Asks for the grids below a place; of one reporting unit, or of all.
    pub(crate) async fn load(
        tx: &mut dyn Tx,
        directory: &Directory,
        place: &OrgCode,
        unit: Option<&OrgCode>,
        month: LocalMonth,
    ) -> Result<Self, StoreError> {
        let whole = matches!(place.level(), Some(OrgLevel::City | OrgLevel::District));
        let ask = |month: LocalMonth| Ask {
            scope: unit.unwrap_or(place).clone(),
            from: month.first(),
            to: month.last(),
            by: Some(By::Grid),
        };
        // Cases outside every grid belong to the district alone.
        let below = |row: &TableRow| match row.key.parse::<OrgCode>() {
            Ok(grid) => place.contains(&grid),
            Err(_) => whole,
        };
        let reported = |table: Table| -> BTreeMap<String, i64> {
            table.rows.into_iter().map(|row| (row.key, row.figures.reported)).collect()
        };
        let mut now = table(tx, directory, &ask(month)).await?.rows;
        now.retain(below);
        let before = reported(table(tx, directory, &ask(month.previous())).await?);
        let year = reported(table(tx, directory, &ask(super::year_before(month))).await?);
        Ok(Self { now, before, year })
    }

    /// Nothing was reported.
    pub(crate) fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    /// Each grid with reports, those outside every grid under the empty key.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &TableRow> {
        self.now.iter()
    }

    /// The figures of everything below a place, with what was reported a month and a year before.
    fn below(&self, place: &OrgCode) -> (Figures, i64, i64) {
        let prefix = place.prefix();
        let of = |list: &BTreeMap<String, i64>| -> i64 {
            list.iter().filter(|(key, _)| key.starts_with(prefix) && !key.is_empty()).map(|(_, n)| n).sum()
        };
        let rows = self.now.iter().filter(|row| row.key.starts_with(prefix) && !row.key.is_empty());
        let figures = rows.fold(Figures::default(), |sum, row| sum.plus(&row.figures));
        (figures, of(&self.before), of(&self.year))
    }
}

/// The places one step below `place`, most reports first; a grid alone shows itself.
pub(crate) fn places(
    visit: &Visit,
    lists: &Lists,
    place: &OrgCode,
    grids: &Grids,
    at: &dyn Fn(&OrgCode) -> String,
) -> FigureTable {
    let step = match place.level() {
        Some(OrgLevel::City) => OrgLevel::District,
        Some(OrgLevel::District) => OrgLevel::Street,
        Some(OrgLevel::Street) => OrgLevel::Community,
        _ => OrgLevel::Grid,
    };
    let is_child = |code: &&OrgCode| code.level() == Some(step) && place.contains(code);
    let children = visit.directory.places().map(|(code, _)| code).filter(is_child);
    let mut rows: Vec<Line> = children
        .map(|code| {
            let (figures, before, year) = grids.below(code);
            Line { key: code.to_string(), href: (code != place).then(|| at(code)), figures, before, year }
        })
        .collect();
    rows.extend(outside(grids));
    draw(visit, lists, place, visit.lang.word("level_below", level_code(step)), rows)
}

/// Every grid with reports, most first.
pub(crate) fn grids(
    visit: &Visit,
    lists: &Lists,
    place: &OrgCode,
    grids: &Grids,
    at: &dyn Fn(&OrgCode) -> String,
) -> FigureTable {
    let line = |row: &TableRow| {
        let code: OrgCode = row.key.parse().ok()?;
        let (figures, before, year) = grids.below(&code);
        Some(Line { key: row.key.clone(), href: Some(at(&code)), figures, before, year })
    };
    let mut rows: Vec<Line> = grids.rows().filter_map(line).collect();
    rows.extend(outside(grids));
    draw(visit, lists, place, visit.lang.word("level_below", level_code(OrgLevel::Grid)), rows)
}

fn level_code(level: OrgLevel) -> &'static str {
    match level {
        OrgLevel::City | OrgLevel::District => "district",
        OrgLevel::Street => "street",
        OrgLevel::Community => "community",
        OrgLevel::Grid => "grid",
    }
}

struct Line {
    /// Code of the place; empty outside every grid.
    key: String,
    href: Option<String>,
    figures: Figures,
    before: i64,
    year: i64,
}

fn outside(grids: &Grids) -> Option<Line> {
    let row = grids.rows().find(|row| row.key.is_empty())?;
    let of = |list: &BTreeMap<String, i64>| list.get("").copied().unwrap_or_default();
    Some(Line {
        key: String::new(),
        href: None,
        figures: row.figures.clone(),
        before: of(&grids.before),
        year: of(&grids.year),
    })
}

fn draw(visit: &Visit, lists: &Lists, place: &OrgCode, caption: String, mut rows: Vec<Line>) -> FigureTable {
    let lang = visit.lang;
    rows.retain(|line| line.figures.reported != 0 || line.before != 0 || line.year != 0);
    rows.sort_by_key(|line| std::cmp::Reverse(line.figures.reported));
    let cells = |figures: &Figures, before: i64, year: i64, more: &[(&str, &str)]| {
        let mut cells = vec![
            lists.cell(figures.reported, Part::All, more),
            month_on_month(lang, figures.reported, Some(before)),
            month_on_month(lang, figures.reported, Some(year)),
        ];
        cells.extend(lists.split(figures, more).into_iter().take(5));
        cells
    };
    let total = rows.iter().fold((Figures::default(), 0, 0), |(sum, before, year), line| {
        (sum.plus(&line.figures), before + line.before, year + line.year)
    });
    // Of a whole district the sum has the cases outside every grid too.
    let whole = matches!(place.level(), Some(OrgLevel::City | OrgLevel::District));
    let all = [("grid", place.as_str())];
    let row = |line: &Line| FigureRow {
        name: match line.key.as_str() {
            "" => lang.say("map.outside").to_owned(),
            code => choices::place(&visit.directory, code),
        },
        href: line.href.clone(),
        class: "",
        cells: match line.key.as_str() {
            "" => cells(&line.figures, line.before, line.year, &[("without", "grid")]),
            code => cells(&line.figures, line.before, line.year, &[("grid", code)]),
        },
    };
    let heads = [
        "map.place",
        "figure.reported",
        "figure.change",
        "figure.year",
        "figure.self_handled",
        "figure.forwarded",
        "figure.void",
        "figure.filed",
        "figure.pending",
    ];
    FigureTable {
        caption,
        class: "wide-table",
        heads: heads.map(|key| lang.say(key)).to_vec(),
        rows: rows.iter().map(row).collect(),
        total: Some(FigureRow {
            name: lang.say("figure.total").to_owned(),
            cells: cells(&total.0, total.1, total.2, if whole { &[] } else { &all }),
            ..FigureRow::default()
        }),
    }
}
