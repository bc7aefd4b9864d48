//! The statements of a list: one per branch of the scope, wanted state and wanted category, each led by one index.

use xunge_client_core::model::{CaseId, CategoryRef, Mode, OrgCode};
use xunge_client_core::workflow::State;

use super::ITEM_COLUMNS;
use super::list::{Cursor, Filter, Order};
use crate::domain::scope::{Branch, Column, Scope};
use crate::store::Value;

/// Cases of one branch a search for words looks through per page: about 10 ms.
const SCANNED: i64 = 5_000;

/// The statement for one branch, one state and one category.
pub(super) struct Query {
    conditions: Vec<(Condition, Value)>,
}

/// What a condition compares; `driving` ones may use their index.
#[derive(Clone, Copy, PartialEq)]
struct Condition {
    subject: Subject,
    driving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Subject {
    Is(Column),
    State { open: bool },
    Category,
}

impl Subject {
    /// How few cases have one value of this, fewest first. Orders of magnitude for a district with a million cases.
    fn rank(self) -> u32 {
        match self {
            Self::Is(Column::Task | Column::Holder) => 0,
            Self::State { open: true } => 1,
            Self::Is(Column::Grid) => 2,
            Self::Is(Column::Handler) => 3,
            Self::Is(Column::Reporter) => 4,
            Self::Category => 5,
            Self::Is(Column::Unit) => 6,
            Self::Is(Column::Office) => 7,
            Self::Is(Column::Street) => 8,
            Self::State { open: false } => 9,
            Self::Is(Column::District) => 10,
            // Has no index; the street above it drives.
            Self::Is(Column::Community) => 11,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Is(column) => column.name(),
            Self::State { .. } => "state",
            Self::Category => "category",
        }
    }
}

impl Query {
    /// One query for each branch, wanted state and wanted category.
    pub(super) fn all(scope: &Scope, district: &str, filter: &Filter) -> Vec<Self> {
        let states: Vec<Option<State>> = match filter.states.as_slice() {
            [] => vec![None],
            states => states.iter().copied().map(Some).collect(),
        };
        let categories: Vec<Option<&CategoryRef>> = match filter.categories.as_slice() {
            [] => vec![None],
            categories => categories.iter().map(Some).collect(),
        };
        let mut queries = Vec::with_capacity(scope.branches().len() * states.len() * categories.len());
        for branch in scope.branches() {
            for state in &states {
                queries
                    .extend(categories.iter().map(|category| Self::new(branch, district, *state, *category, filter)));
            }
        }
        queries
    }

    fn new(
        branch: &Branch,
        district: &str,
        state: Option<State>,
        category: Option<&CategoryRef>,
        filter: &Filter,
    ) -> Self {
        let mut wanted = vec![(Subject::Is(branch.column), Value::from(&branch.value))];
        if branch.column == Column::Community {
            wanted.push((Subject::Is(Column::Street), Value::from(branch.value.get(..9).unwrap_or_default())));
        }
        if branch.column != Column::District {
            wanted.push((Subject::Is(Column::District), Value::from(district)));
        }
        let code = |code: &OrgCode| Value::from(code.as_str());
        wanted.extend(filter.unit.as_ref().map(|it| (Subject::Is(Column::Unit), code(it))));
        wanted.extend(filter.handler.as_ref().map(|it| (Subject::Is(Column::Handler), code(it))));
        wanted.extend(filter.grid.as_ref().map(|it| (Subject::Is(Column::Grid), code(it))));
        wanted.extend(category.map(|it| (Subject::Category, Value::from(it.to_string()))));
        let open = state.is_some_and(|state| !state.is_final());
        wanted.extend(state.map(|state| (Subject::State { open }, Value::from(state.code()))));
        let best = wanted.iter().map(|(subject, _)| *subject).min_by_key(|subject| subject.rank());
        // State and category are indexed together with the district.
        let with_district = matches!(best, Some(Subject::State { .. } | Subject::Category));
        let drives =
            |subject: Subject| Some(subject) == best || (with_district && subject == Subject::Is(Column::District));
        let conditions = wanted
            .into_iter()
            .map(|(subject, value)| (Condition { subject, driving: drives(subject) }, value))
            .collect();
        Self { conditions }
    }

    /// The statement's text; `end` asks for the key at which a search for words stops instead of the matches.
    pub(super) fn sql(&self, filter: &Filter, end: bool) -> String {
        let mut conditions = String::new();
        for (index, (condition, _)) in self.conditions.iter().enumerate() {
            let column = condition.subject.column();
            let mark = index + FIXED + 1;
            let and = if index == 0 { "" } else { " AND " };
            // COALESCE hides a column from its index, on every engine.
            conditions += &match condition.driving {
                // Their indexes begin with the district, as the one of all cases does, and SQLite takes both for
                // equally good: a word to its planner. An engine with statistics of its own does without.
                true if matches!(condition.subject, Subject::State { .. } | Subject::Category) => {
                    format!("{and}unlikely({column} = ?{mark})")
                }
                true => format!("{and}{column} = ?{mark}"),
                false => format!("{and}COALESCE({column}, '') = ?{mark}"),
            };
        }
        // One bound on each side and no more: with two on the side of the cursor SQLite read the whole district for
        // fifty open cases (28 ms instead of 0.3 ms at eight thousand cases, and growing with them).
        let (beyond, until, order) = match filter.order {
            Order::NewestFirst => ("<", ">=", "ORDER BY received_at DESC, id DESC"),
            Order::OldestFirst => (">", "<", "ORDER BY received_at, id"),
        };
        let rows = format!(
            "FROM case_row WHERE {conditions} AND received_at {until} ?1
             AND (received_at, id) {beyond} (?2, ?3) AND (?4 = '' OR COALESCE(mode, mode_claim) = ?4)
             AND (?7 < 0 OR sent_back = ?7) {order}"
        );
        match (filter.q.is_some(), end) {
            (false, _) => format!("SELECT {ITEM_COLUMNS} {rows} LIMIT ?5"),
            (true, true) => format!("SELECT received_at, id {rows} LIMIT 1 OFFSET {}", SCANNED - 1),
            (true, false) => format!(
                "SELECT {ITEM_COLUMNS} FROM (SELECT {ITEM_COLUMNS} {rows} LIMIT {SCANNED}) AS found
                 WHERE text LIKE ?6 ESCAPE '\\' {order} LIMIT ?5"
            ),
        }
    }

    pub(super) fn params(&self, filter: &Filter) -> Vec<Value> {
        let from = filter.from.map_or(i64::MIN, |day| day.start().0);
        let to = filter.to.map_or(i64::MAX, |day| day.end().0);
        let key = |received_at, byte| Cursor { received_at, id: CaseId::from_bytes([byte; 16]) };
        // The first day is a place to begin behind, like the end of the page before: whichever is further on.
        let (after, until) = match filter.order {
            Order::NewestFirst => (filter.after.map_or(key(to, 0), |after| after.min(key(to, 0))), from),
            Order::OldestFirst => {
                let before = key(from.saturating_sub(1), 0xff);
                (filter.after.map_or(before, |after| after.max(before)), to)
            }
        };
        let mut params = vec![
            Value::from(until),
            Value::from(after.received_at),
            Value::from(after.id.as_bytes()),
            Value::from(filter.mode.map_or("", Mode::code)),
            Value::from(filter.limit as i64 + 1),
            Value::from(pattern(filter.q.as_deref().unwrap_or_default())),
            Value::from(filter.sent_back.map_or(-1, i64::from)),
        ];
        params.extend(self.conditions.iter().map(|(_, value)| value.clone()));
        params
    }
}

/// Parameters that every statement has before those of its conditions.
const FIXED: usize = 7;

/// The words as a pattern in which their own wildcards mean themselves.
fn pattern(words: &str) -> String {
    let mut pattern = String::from("%");
    for c in words.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
