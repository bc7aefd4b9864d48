//! What an actor could do now: the buttons of the console, the actions of the phone.

use super::command::Actor;
use super::ledger::Ledger;
use super::rule::Rule;
use super::standing;
use super::state::Verb;
use super::table::TABLE;

/// The verbs this actor could use on the case as it is (`None`: no case yet), in the table's order.
///
/// Says nothing about the payload or about photos that have not arrived; [`decide`](super::decide) does.
pub fn offers(ledger: Option<&Ledger>, actor: &Actor) -> Vec<Verb> {
    let passes = |rule: &&Rule| {
        standing::role(rule, actor)
            .and_then(|()| standing::state(rule, ledger))
            .and_then(|()| standing::case(rule, ledger, actor))
            .is_ok()
    };
    TABLE.iter().filter(passes).map(|rule| rule.verb).collect()
}
