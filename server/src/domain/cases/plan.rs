//! Chooses what leads a list: the narrowest thing asked for.
//!
//! How narrow something is, is looked up where the list begins: the index is walked for [`ENOUGH`] rows, and the days
//! they span say how many there are to a day. Statistics of an engine would say what is usual and not what is asked for.

use xunge_client_core::model::OrgCode;
use xunge_client_core::workflow::State;

use super::lead::{Condition, Lead};
use super::list::{Cursor, Filter, Order, Without};
use super::query::Query;
use super::search::{Words, first_at};
use crate::domain::scope::{Branch, Column, Scope};
use crate::params;
use crate::store::{StoreError, Tx, Value};

/// Rows that are looked at to see how wide a lead is: about 0.05 ms.
const ENOUGH: u64 = 500;
/// So few that looking for fewer costs more than it gains.
const FEW: u64 = 100;
/// Pairs of words that are checked before a case is looked up; the text decides anyway.
const CHECKED_PAIRS: usize = 4;

/// The statements of a list, to be merged.
pub(super) struct Plan {
    pub(super) queries: Vec<Query>,
    /// Rows that were looked at to choose.
    pub(super) examined: u64,
}

/// Leads of which each gives a stream; together they hold everything the list can show.
struct Candidate {
    leads: Vec<Lead>,
    /// What it makes sure of, so that nobody has to check it.
    settles: Settles,
}

/// What a lead makes sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settles {
    Scope,
    States,
    Categories,
    Unit,
    Handler,
    Place,
    Reporter,
    /// Words are only candidates.
    Pair,
    Nothing,
}

impl Plan {
    /// Plans a list.
    pub(super) async fn make(
        tx: &mut dyn Tx,
        scope: &Scope,
        district: &str,
        filter: &Filter,
    ) -> Result<Self, StoreError> {
        let words = Words::read(filter.q.as_deref().unwrap_or_default());
        let after = match filter.after {
            Some(after) if !words.words.is_empty() && filter.order != Order::Deadline => {
                Some(ordinal_of(tx, after, filter.order).await?)
            }
            _ => None,
        };
        let candidates = candidates(scope, district, filter, &words);
        let Choice { best, examined, densities } = narrowest(tx, &candidates, filter).await?;
        let others = other_pairs(&candidates, best, &densities);
        let Some(Candidate { leads, settles }) = candidates.into_iter().nth(best) else {
            return Ok(Self { queries: Vec::new(), examined });
        };
        let mut conditions = Vec::new();
        if settles == Settles::Pair {
            conditions.extend(others.into_iter().map(Condition::HasPair));
        }
        conditions.extend(checks(scope, district, filter, &words, settles));
        let queries = leads.into_iter().map(|lead| Query::new(lead, conditions.clone(), filter, after)).collect();
        Ok(Self { queries, examined })
    }
}

/// The ordinal behind which the next page begins.
async fn ordinal_of(tx: &mut dyn Tx, after: Cursor, order: Order) -> Result<i64, StoreError> {
    let sql = "SELECT ordinal FROM case_row WHERE id = ?1 AND received_at = ?2";
    let row = tx.query_opt(sql, params![after.id.as_bytes(), after.at]).await?;
    // A cursor that nobody was given begins with its instant.
    let made_up = if order == Order::NewestFirst {
        first_at(after.at.saturating_add(1))
    } else {
        first_at(after.at).saturating_sub(1)
    };
    row.map_or(Ok(made_up), |row| row.int(0))
}

/// Which candidate is narrowest.
struct Choice {
    best: usize,
    /// Rows that were looked at to see it.
    examined: u64,
    /// Rows to a day of each candidate that was looked at.
    densities: Vec<f64>,
}

/// The pairs beside the one that leads, rarest first: the first that is not there saves a look at the case.
fn other_pairs(candidates: &[Candidate], best: usize, densities: &[f64]) -> Vec<String> {
    let density = |index: usize| densities.get(index).copied().unwrap_or(f64::INFINITY);
    let mut pairs: Vec<(f64, &str)> = candidates
        .iter()
        .enumerate()
        .filter(|(index, candidate)| *index != best && candidate.settles == Settles::Pair)
        .flat_map(|(index, candidate)| {
            candidate.leads.iter().filter_map(move |lead| Some((density(index), lead.as_pair()?)))
        })
        .collect();
    pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    pairs.into_iter().take(CHECKED_PAIRS).map(|(_, pair)| pair.to_owned()).collect()
}

/// Looks at the candidates until one is narrow enough.
async fn narrowest(tx: &mut dyn Tx, candidates: &[Candidate], filter: &Filter) -> Result<Choice, StoreError> {
    let (mut best, mut least, mut examined) = (0, f64::INFINITY, 0);
    let mut densities = Vec::with_capacity(candidates.len());
    if candidates.len() < 2 {
        return Ok(Choice { best, examined, densities });
    }
    // From the beginning of the list and not of the page: all its pages are led by the same, and in one order.
    let filter = &Filter { after: None, ..filter.clone() };
    for (index, candidate) in candidates.iter().enumerate() {
        let (mut rows, mut density) = (0, 0.0);
        for lead in &candidate.leads {
            let width = Query::new(lead.clone(), Vec::new(), filter, None).width(tx, ENOUGH).await?;
            rows += width.rows;
            density += width.density;
            if density >= least {
                break;
            }
        }
        examined += rows;
        densities.push(density);
        if density < least {
            (best, least) = (index, density);
        }
        if rows < FEW && density <= least {
            break;
        }
    }
    Ok(Choice { best, examined, densities })
}

/// Everything that could lead, most promising first; at least the scope itself.
fn candidates(scope: &Scope, district: &str, filter: &Filter, words: &Words) -> Vec<Candidate> {
    if filter.order == Order::Deadline {
        return vec![by_deadline(scope, district, filter)];
    }
    if filter.appealed {
        // Few have an open appeal, however many were decided.
        let leads = districts(scope, district).iter().map(|district| Lead::appeals(district)).collect();
        return vec![Candidate { leads, settles: Settles::Nothing }];
    }
    let mut found = Vec::new();
    let mut add = |leads: Vec<Lead>, settles| found.push(Candidate { leads, settles });
    let code = |code: &OrgCode| Value::from(code.as_str());
    let districts = districts(scope, district);
    let in_each = |column: &'static str, values: &[String]| -> Vec<Lead> {
        let lead = |district: &String, value: &String| Lead::in_district(district, column, Value::from(value));
        values.iter().flat_map(|value| districts.iter().map(move |district| lead(district, value))).collect()
    };
    let states: Vec<String> = filter.states.iter().map(|state| state.code().to_owned()).collect();
    if !states.is_empty() {
        add(in_each("state", &states), Settles::States);
    } else if filter.due.is_some() {
        // Only these have a deadline that runs.
        let running = [State::Dispatched, State::Handling].map(|state| state.code().to_owned());
        add(in_each("state", &running), Settles::Nothing);
    }
    if let Some(place) = &filter.grid {
        add(vec![Lead::place(place)], Settles::Place);
    }
    // Any one pair gives candidates; looking tells which is rarest.
    words.pairs.iter().for_each(|pair| add(vec![Lead::pair(pair)], Settles::Pair));
    if let Some(unit) = &filter.handler {
        add(vec![Lead::column("handler", code(unit))], Settles::Handler);
    }
    if let Some(user) = &filter.reporter {
        add(vec![Lead::column("reporter", Value::from(user))], Settles::Reporter);
    }
    if !filter.categories.is_empty() {
        let keys: Vec<String> = filter.categories.iter().map(ToString::to_string).collect();
        add(in_each("category", &keys), Settles::Categories);
    }
    if let Some(unit) = &filter.unit {
        add(vec![Lead::column("unit", code(unit))], Settles::Unit);
    }
    for without in &filter.without {
        let nothing = Value::from("");
        let leads = match without {
            Without::Category => in_each("category", &[String::new()]),
            _ => vec![Lead::column(without.code(), nothing)],
        };
        add(leads, Settles::Nothing);
    }
    let lead = |branch: &Branch| match (branch.column, branch.value.parse()) {
        (Column::Community, Ok(place)) => Lead::place(&place),
        (column, _) => Lead::column(column.name(), Value::from(&branch.value)),
    };
    add(scope.branches().iter().map(lead).collect(), Settles::Scope);
    if words.pairs.is_empty() {
        words.letters.iter().for_each(|letter| add(vec![Lead::letter(letter)], Settles::Nothing));
    }
    found
}

/// Few cases have a deadline that runs: the district's, or those of one office or handler.
fn by_deadline(scope: &Scope, district: &str, filter: &Filter) -> Candidate {
    let own = match scope.branches() {
        [Branch { column: Column::Office, value }] => Some(("office", value.clone())),
        [Branch { column: Column::Handler, value }] => Some(("handler", value.clone())),
        _ => None,
    };
    let asked = filter.handler.as_ref().map(|unit| ("handler", unit.to_string()));
    let leads = match own.or(asked) {
        Some((column, value)) => vec![Lead::column(column, Value::from(value))],
        None => {
            let each = |district: &String| Lead::column("district", Value::from(district));
            districts(scope, district).iter().map(each).collect()
        }
    };
    Candidate { leads, settles: Settles::Nothing }
}

/// The districts a list can reach into.
fn districts(scope: &Scope, own: &str) -> Vec<String> {
    let of_scope = scope.branches().iter().filter(|branch| branch.column == Column::District);
    let named: Vec<String> = of_scope.map(|branch| branch.value.clone()).collect();
    if named.is_empty() { vec![own.to_owned()] } else { named }
}

/// What is to be checked on each row.
fn checks(scope: &Scope, district: &str, filter: &Filter, words: &Words, settles: Settles) -> Vec<Condition> {
    let mut all = Vec::new();
    let open = |of: Settles| settles != of;
    let whole = |branch: &Branch| branch.column == Column::District;
    // States and categories are read by the districts of the scope; who sees nothing is not among them.
    let by_district = matches!(settles, Settles::States | Settles::Categories);
    let of_districts = !scope.branches().is_empty() && scope.branches().iter().all(whole);
    if open(Settles::Scope) && !(by_district && of_districts) {
        let branches = scope.branches().iter().map(|branch| (branch.column.name(), Value::from(&branch.value)));
        all.push(Condition::AnyOf(branches.collect()));
    }
    if !scope.branches().iter().any(whole) && !by_district {
        all.push(Condition::In("district", vec![Value::from(district)]));
    }
    let mut same = |of: Settles, column: &'static str, values: Vec<Value>| {
        if open(of) && !values.is_empty() {
            all.push(Condition::In(column, values));
        }
    };
    let code = |code: &OrgCode| Value::from(code.as_str());
    same(Settles::States, "state", filter.states.iter().map(|state| Value::from(state.code())).collect());
    same(Settles::Categories, "category", filter.categories.iter().map(|key| Value::from(key.to_string())).collect());
    same(Settles::Unit, "unit", filter.unit.iter().map(code).collect());
    same(Settles::Handler, "handler", filter.handler.iter().map(code).collect());
    same(Settles::Reporter, "reporter", filter.reporter.iter().map(Value::from).collect());
    all.extend(filter.grid.as_ref().filter(|_| open(Settles::Place)).map(Condition::below));
    let empty = |without: &Without| Condition::In(without.code(), vec![Value::from("")]);
    all.extend(filter.without.iter().map(empty));
    all.extend(filter.mode.map(Condition::Mode));
    all.extend(filter.sent_back.map(Condition::SentBack));
    all.extend(filter.appealed.then_some(Condition::Appealed));
    if filter.order == Order::Deadline {
        all.extend(filter.from.map(|day| Condition::ReceivedFrom(day.start().0)));
        all.extend(filter.to.map(|day| Condition::ReceivedBefore(day.end().0)));
    } else {
        all.extend(filter.due.map(|(from, to)| Condition::Deadline(from, to)));
    }
    all.extend(words.patterns().map(|(pattern, number)| Condition::Says(pattern, number)));
    all
}
