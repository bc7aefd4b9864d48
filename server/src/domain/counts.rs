//! What each published number means. The only definition; pages, API and reports all ask here.
//!
//! A case received in a period stands in exactly one of eight cells: its mode (decided, until then claimed) and its
//! outcome. Every figure is a sum of cells, so the identities `reported = void + filed + pending` and
//! `reported = self_handled + forwarded` hold by construction and not by care.
//!
//! The period of a case is the Asia/Shanghai day of `received_at`, its unit the *reporting* unit. 办结 (`closed`) is
//! the final outcome, case closed **or** void: the published November figures force this (8,064 of 8,093 done while
//! six units alone void 61).

pub mod post;
pub mod query;
#[cfg(test)]
mod query_tests;
pub mod recount;

use serde::Serialize;
use xunge_client_core::model::{LocalDay, Mode};
use xunge_client_core::workflow::{Ledger, Outcome};

/// Digits of the code of a street or town, which the code of each of its grids begins with.
const STREET_DIGITS: usize = 9;

/// Cases by mode and outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells([i64; Cells::COLUMNS]);

impl Cells {
    /// Number of cells: two modes, four outcomes.
    pub const COLUMNS: usize = 8;

    /// Builds cells from their values in the order of the table's columns.
    pub fn from_columns(columns: [i64; Self::COLUMNS]) -> Self {
        Self(columns)
    }

    /// The values in the order of the table's columns.
    pub fn columns(&self) -> &[i64; Self::COLUMNS] {
        &self.0
    }

    /// One case in one cell.
    pub fn one(mode: Mode, outcome: Outcome) -> Self {
        let mut cells = Self::default();
        cells.0[Self::column(mode, outcome)] = 1;
        cells
    }

    /// Adds `sign` times another set of cases.
    pub fn add(&mut self, sign: i64, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(cell, n)| *cell += sign * n);
    }

    /// True if every cell is zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|n| *n == 0)
    }

    /// Only the cases of one mode.
    pub fn of_mode(&self, mode: Mode) -> Self {
        let mut cells = Self::default();
        for outcome in Outcome::ALL {
            let column = Self::column(mode, *outcome);
            cells.0[column] = self.0[column];
        }
        cells
    }

    fn column(mode: Mode, outcome: Outcome) -> usize {
        let first = match mode {
            Mode::SelfHandled => 0,
            Mode::Forwarded => 4,
        };
        first
            + match outcome {
                Outcome::Pending => 0,
                Outcome::Filed => 1,
                Outcome::CaseClosed => 2,
                Outcome::Void => 3,
            }
    }

    fn outcome(&self, outcome: Outcome) -> i64 {
        Mode::ALL.iter().map(|mode| self.0[Self::column(*mode, outcome)]).sum()
    }
}

/// The published figures of a set of cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// 上报: received in the period, void included.
    pub reported: i64,
    /// 自发自处.
    pub self_handled: i64,
    /// 平台流转.
    pub forwarded: i64,
    /// 作废.
    pub void: i64,
    /// 立案: has `filed_at` and is not void.
    pub filed: i64,
    /// Neither filed nor void.
    pub pending: i64,
    /// 办结: final outcome, closed or void.
    pub closed: i64,
    /// 结案: state closed alone.
    pub case_closed: i64,
    /// 办结率: `closed / reported` in percent with two decimals, half-up; none when nothing was reported.
    pub close_rate: Option<String>,
}

impl Figures {
    /// The figures of two sets of cases that have none in common.
    pub fn plus(&self, other: &Self) -> Self {
        let (reported, closed) = (self.reported + other.reported, self.closed + other.closed);
        Self {
            reported,
            self_handled: self.self_handled + other.self_handled,
            forwarded: self.forwarded + other.forwarded,
            void: self.void + other.void,
            filed: self.filed + other.filed,
            pending: self.pending + other.pending,
            closed,
            case_closed: self.case_closed + other.case_closed,
            close_rate: percent(closed, reported, 2),
        }
    }
}

impl From<&Cells> for Figures {
    fn from(cells: &Cells) -> Self {
        let [pending, open, case_closed, void] = [Outcome::Pending, Outcome::Filed, Outcome::CaseClosed, Outcome::Void]
            .map(|outcome| cells.outcome(outcome));
        let reported = cells.0.iter().sum();
        let self_handled = cells.of_mode(Mode::SelfHandled).0.iter().sum();
        let closed = case_closed + void;
        Self {
            reported,
            self_handled,
            forwarded: reported - self_handled,
            void,
            filed: open + case_closed,
            pending,
            closed,
            case_closed,
            close_rate: percent(closed, reported, 2),
        }
    }
}

/// Where a case is counted: one row of the counters and the cell in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The row.
    pub leaf: Leaf,
    /// The cell.
    pub cells: Cells,
}

/// The key of a counter row. An empty text is the residual: no grid, no unit, no category.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    /// Local day of receipt.
    pub day: LocalDay,
    /// Cell grid, 15 digits.
    pub grid: String,
    /// Reporting unit.
    pub unit: String,
    /// Category as `scheme:kind:code`.
    pub category: String,
}

impl Leaf {
    /// The street or town the grid lies in, as its digits say; the residual for the residual.
    pub fn street(&self) -> &str {
        self.grid.get(..STREET_DIGITS).unwrap_or(&self.grid)
    }
}

impl Standing {
    /// Where this case is counted now.
    pub fn of(ledger: &Ledger) -> Self {
        let code = |code: &Option<_>| code.as_ref().map(ToString::to_string).unwrap_or_default();
        Self {
            leaf: Leaf {
                day: ledger.received_at.local_day(),
                grid: code(&ledger.grid),
                unit: code(&ledger.unit),
                category: ledger.counted_category().map(ToString::to_string).unwrap_or_default(),
            },
            cells: Cells::one(ledger.counted_mode(), ledger.outcome()),
        }
    }
}

/// `part` of `whole` in percent, half-up, with `decimals` digits; none for an empty whole.
///
/// Integer arithmetic: 8,064 of 8,093 is `99.64`, never `99.63999`.
pub fn percent(part: i64, whole: i64, decimals: u32) -> Option<String> {
    (whole != 0).then(|| decimal(i128::from(part) * 100, i128::from(whole), decimals))
}

/// Change against the period before (环比) in percent, as printed: `-4.43`, `57.34`; none if there was nothing before.
pub fn change(now: i64, before: i64, decimals: u32) -> Option<String> {
    percent(now - before, before, decimals)
}

/// The quotient as a decimal, half-up by magnitude.
fn decimal(numerator: i128, denominator: i128, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals);
    let negative = (numerator < 0) != (denominator < 0);
    let (n, d) = (numerator.abs() * scale, denominator.abs());
    let rounded = (2 * n + d) / (2 * d);
    let sign = if negative && rounded != 0 { "-" } else { "" };
    match decimals {
        0 => format!("{sign}{rounded}"),
        _ => format!("{sign}{}.{:0width$}", rounded / scale, rounded % scale, width = decimals as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::published::Published;

    #[test]
    fn every_case_is_in_one_cell_and_the_identities_hold() {
        let mut cells = Cells::default();
        for (weight, (mode, outcome)) in
            (1..).zip(Mode::ALL.iter().flat_map(|mode| Outcome::ALL.iter().map(move |outcome| (*mode, *outcome))))
        {
            cells.add(weight, &Cells::one(mode, outcome));
        }
        let figures = Figures::from(&cells);
        assert_eq!(figures.reported, 36);
        assert_eq!(figures.reported, figures.void + figures.filed + figures.pending);
        assert_eq!(figures.reported, figures.self_handled + figures.forwarded);
        assert_eq!(figures.closed, figures.case_closed + figures.void);
    }

    #[test]
    fn the_published_headline_follows_from_its_cells() {
        let cells = Cells([0, 0, 7_329, 61, 9, 20, 674, 0]);
        let figures = Figures::from(&cells);
        assert_eq!((figures.reported, figures.self_handled, figures.forwarded), (8_093, 7_390, 703));
        assert_eq!((figures.closed, figures.close_rate.as_deref()), (8_064, Some("99.64")));
    }

    #[test]
    fn every_published_change_is_reproduced_to_its_last_digit() {
        let published = Published::november_2023();
        for row in &published.categories {
            let computed = change(row.count as i64, row.implied_prev_count as i64, 2);
            assert_eq!(computed.as_deref(), Some(row.mom.as_str()), "{} {:?}", row.major, row.minor);
        }
    }

    #[test]
    fn rates_round_half_up_and_have_no_denominator_of_zero() {
        assert_eq!(percent(1, 800, 2).as_deref(), Some("0.13"), "0.125 goes up");
        assert_eq!(percent(1, 3, 0).as_deref(), Some("33"));
        assert_eq!(percent(0, 0, 2), None);
        assert_eq!(change(0, 0, 2), None);
        assert_eq!(change(799, 800, 2).as_deref(), Some("-0.13"), "half-up by magnitude");
        assert_eq!(change(99_999, 100_000, 2).as_deref(), Some("0.00"), "no sign without a digit");
    }
}
