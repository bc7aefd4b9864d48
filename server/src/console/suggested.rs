//! Which unit a case should go to, in words: a suggestion, and why.

use super::choices;
use super::visit::Visit;
use crate::domain::dispatch::{Suggestion, Why};

/// The sentence below the choice of a unit.
pub(crate) fn words(visit: &Visit, suggestion: Option<&Suggestion>) -> String {
    let lang = visit.lang;
    let Some(suggestion) = suggestion else { return lang.say("dispatch.none").to_owned() };
    let unit = choices::place(&visit.directory, suggestion.unit.as_str());
    match &suggestion.by {
        Why::Office => lang.fill("dispatch.by_office", &[("unit", &unit)]),
        Why::Rule { category, grid } => {
            lang.fill("dispatch.by_rule", &[("unit", &unit), ("rule", &rule(visit, category, grid))])
        }
    }
}

/// What a rule says, shortest: `市容环卫 × 镇北堡镇`.
pub(crate) fn rule(visit: &Visit, category: &str, grid: &str) -> String {
    let lang = visit.lang;
    let category = match category {
        "" => lang.say("dispatch.any_category").to_owned(),
        key => choices::name(&visit.directory, key),
    };
    let grid = match grid {
        "" => lang.say("dispatch.any_place").to_owned(),
        code => choices::place(&visit.directory, code),
    };
    format!("{category} × {grid}")
}
