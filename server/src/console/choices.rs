//! What one can choose from: categories, units, modes, states.

use std::collections::BTreeMap;

use xunge_client_core::model::{CategoryRef, Mode, OrgCode};
use xunge_client_core::workflow::State;

use super::field::{Choice, Group};
use super::lang::Lang;
use crate::domain::directory::{Category, Directory};
use crate::reference::org::UnitKind;

/// Choices without a heading.
pub(crate) fn ungrouped(choices: Vec<Choice>) -> Group {
    Group { label: String::new(), choices }
}

/// "All of them", then both modes.
pub(crate) fn modes(lang: Lang, all: &str, current: &str) -> Vec<Group> {
    let mode = |mode: &Mode| Choice::new(mode.code(), lang.word("mode", mode.code()), current);
    let first = Choice::new("", all, current);
    vec![ungrouped(std::iter::once(first).chain(Mode::ALL.iter().map(mode)).collect())]
}

/// The states counted as `outcome`, comma-separated, as the list's `state` takes them.
pub(crate) fn states_of(outcome: &str) -> Option<String> {
    let among = |state: &State| match outcome {
        "pending" => matches!(state, State::Reported | State::Verifying),
        "filed" => !matches!(state, State::Reported | State::Verifying | State::Void),
        "closed" => state.is_final(),
        _ => false,
    };
    let states: Vec<&str> = State::ALL.iter().filter(|state| among(state)).map(|state| state.code()).collect();
    (!states.is_empty()).then(|| states.join(","))
}

/// All states, the sets behind the published figures, then each state.
pub(crate) fn states(lang: Lang, current: &str) -> Vec<Group> {
    let sets = ["pending", "filed", "closed"]
        .into_iter()
        .filter_map(|outcome| Some(Choice::new(states_of(outcome)?, lang.word("outcome", outcome), current)));
    let each = State::ALL.iter().map(|state| Choice::new(state.code(), lang.word("state", state.code()), current));
    let first = Choice::new("", lang.say("list.any_state"), current);
    let mut choices: Vec<Choice> = std::iter::once(first).chain(sets).chain(each).collect();
    if !current.is_empty() && !choices.iter().any(|choice| choice.chosen) {
        let label: Vec<String> = current.split(',').map(|state| lang.word("state", state)).collect();
        choices.push(Choice::new(current, label.join("、"), current));
    }
    vec![ungrouped(choices)]
}

/// Units of a kind, or all, after `first`.
pub(crate) fn units(directory: &Directory, of: impl Fn(UnitKind) -> bool, first: Choice, current: &str) -> Vec<Group> {
    let listed = directory.units().filter(|(_, unit)| of(unit.kind));
    let choice = |code: &OrgCode, name: &str| Choice::new(code.as_str(), name, current);
    let choices = listed.map(|(code, unit)| choice(code, &unit.name));
    vec![ungrouped(std::iter::once(first).chain(choices).collect())]
}

/// Categories of a tree below their majors, after `first`. With `all`, as filters and rules want it, majors and retired
/// ones can be chosen too; without, what a case can be put under, and `current` whatever it is.
///
/// One tree only, mostly the one the district reports in: others would only make a long list longer.
pub(crate) fn categories(
    directory: &Directory,
    scheme: &str,
    first: Option<Choice>,
    all: bool,
    current: &str,
) -> Vec<Group> {
    let of_tree = || directory.categories().filter(|(key, _)| key.scheme == scheme);
    let offered = |category: &Category| all || !category.retired;
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for (key, category) in of_tree().filter(|(_, category)| category.parent.is_none()) {
        let mut group = Group { label: category.name.clone(), choices: Vec::new() };
        if all {
            group.choices.push(choice(key, category, current));
        }
        groups.insert(&key.code, group);
    }
    for (key, category) in of_tree().filter(|(_, category)| offered(category)) {
        if let Some(group) = category.parent.as_deref().and_then(|parent| groups.get_mut(parent)) {
            group.choices.push(choice(key, category, current));
        }
    }
    let mut list: Vec<Group> = groups.into_values().filter(|group| !group.choices.is_empty()).collect();
    let known = list.iter().flat_map(|group| &group.choices).any(|choice| choice.chosen);
    let mut top: Vec<Choice> = first.into_iter().collect();
    if !current.is_empty() && !known {
        top.push(Choice::new(current, name(directory, current), current));
    }
    if !top.is_empty() {
        list.insert(0, ungrouped(top));
    }
    list
}

fn choice(key: &CategoryRef, category: &Category, current: &str) -> Choice {
    Choice::new(key.to_string(), &*category.name, current)
}

/// A category and, if it is a major, the minors below it: what a number beside a major counts.
pub(crate) fn with_minors(directory: &Directory, key: &CategoryRef) -> Vec<CategoryRef> {
    let mut keys = directory.minors(key);
    if !keys.contains(key) {
        keys.push(key.clone());
    }
    keys
}

/// The name of a category; its key if nobody knows it.
pub(crate) fn name(directory: &Directory, key: &str) -> String {
    let known = key.parse().ok().and_then(|key: CategoryRef| directory.category(&key));
    known.map_or_else(|| key.to_owned(), |category| category.name.clone())
}

/// The name of a place or unit; its code if nobody knows it.
pub(crate) fn place(directory: &Directory, code: &str) -> String {
    match directory.name_of(code) {
        "" => code.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_of_states_are_those_the_figures_count() {
        // A case whose state is in the set is counted so, given that filing sets `filed_at` and nothing before it does.
        assert_eq!(states_of("pending").as_deref(), Some("reported,verifying"));
        assert_eq!(states_of("closed").as_deref(), Some("closed,void"));
        let filed = states_of("filed").unwrap();
        let all: Vec<&str> = filed.split(',').chain(["reported", "verifying", "void"]).collect();
        assert_eq!(all.len(), State::ALL.len(), "reported = filed + pending + void");
    }
}
