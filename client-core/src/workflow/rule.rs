//! The columns of the table: what one row says about its verb.

use super::ledger::Ledger;
use super::member::Member;
use super::refusal::Separation;
use super::state::{State, Verb};
use super::table::TABLE;
use crate::model::Role;

/// The state a verb leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The state it came from.
    Same,
    /// Always this one.
    State(State),
    /// Closed cases that a unit had go back to `handling`, all others to `reported`.
    Reopened,
    /// The state before the case became void.
    BeforeVoid,
}

impl To {
    /// Every state it can lead to from `from`.
    pub fn targets(self, from: State) -> &'static [State] {
        match self {
            Self::Same => {
                let index = State::ALL.iter().position(|state| *state == from).expect("ALL lists every state");
                &State::ALL[index..=index]
            }
            Self::State(state) => {
                let index = State::ALL.iter().position(|other| *other == state).expect("ALL lists every state");
                &State::ALL[index..=index]
            }
            Self::Reopened => &[State::Reported, State::Handling],
            Self::BeforeVoid => Rule::of(Verb::Void).from,
        }
    }
}

/// Who, among those with the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Anyone whose scope has the case.
    Anyone,
    /// The user who reported it, or whom it was handed to since.
    Reporter,
    /// The user with the open task.
    Assignee,
    /// Members of the unit that has the case.
    Handler,
    /// The reporter, whom it was handed to, the user with the open task; office roles always.
    Holder,
}

/// Who gives a member, and whether it must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The actor, always.
    Required,
    /// The actor, or the default the notes name.
    Optional,
    /// Only the server, from what it knows; refused when it comes from outside.
    Server,
}

/// One verb: from where to where, who may, with which members.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The verb.
    pub verb: Verb,
    /// True if the verb creates the case.
    pub creates: bool,
    /// States it starts from.
    pub from: &'static [State],
    /// Where it leads.
    pub to: To,
    /// Roles that may.
    pub roles: &'static [Role],
    /// Who among them.
    pub only: Only,
    /// Separation of duties that applies.
    pub apart: Option<Separation>,
    /// True if it gives the case its number when it has none.
    pub numbered: bool,
    required: &'static [Member],
    optional: &'static [Member],
    server: &'static [Member],
    /// What the row can not say, in Chinese.
    pub note_zh: &'static str,
    /// What the row can not say, in English.
    pub note_en: &'static str,
}

impl Rule {
    /// The row of a verb.
    pub fn of(verb: Verb) -> &'static Self {
        TABLE.iter().find(|rule| rule.verb == verb).expect("a test finds one row for every verb")
    }

    /// True for what a phone may ask.
    pub const fn is_request(&self) -> bool {
        self.verb.is_request()
    }

    /// Members that must be there.
    pub const fn required(&self) -> &'static [Member] {
        self.required
    }

    /// Members that may be there.
    pub const fn optional(&self) -> &'static [Member] {
        self.optional
    }

    /// Members only the server fills in.
    pub const fn server(&self) -> &'static [Member] {
        self.server
    }

    /// How the verb takes a member; `None` if it does not.
    pub fn need(&self, member: Member) -> Option<Need> {
        let listed = |members: &[Member]| members.contains(&member);
        match () {
            () if listed(self.required) => Some(Need::Required),
            () if listed(self.optional) => Some(Need::Optional),
            () if listed(self.server) => Some(Need::Server),
            () => None,
        }
    }

    /// True if the verb does something from where the case stands; `None` for no case yet.
    pub fn starts_from(&self, state: Option<State>) -> bool {
        state.map_or(self.creates, |state| self.from.contains(&state))
    }

    /// Where the verb leads this case; `None` for no case yet.
    pub fn target(&self, ledger: Option<&Ledger>) -> State {
        let Some(ledger) = ledger else { return State::Reported };
        match self.to {
            To::Same => ledger.state,
            To::State(state) => state,
            To::Reopened if ledger.handler.is_some() => State::Handling,
            To::Reopened => State::Reported,
            To::BeforeVoid => ledger.state_before_void.unwrap_or(State::Reported),
        }
    }

    pub(super) const fn row(verb: Verb, from: &'static [State], to: To, roles: &'static [Role]) -> Self {
        Self {
            verb,
            creates: false,
            from,
            to,
            roles,
            only: Only::Anyone,
            apart: None,
            numbered: false,
            required: &[],
            optional: &[],
            server: &[],
            note_zh: "",
            note_en: "",
        }
    }

    pub(super) const fn creates(self) -> Self {
        Self { creates: true, ..self }
    }

    pub(super) const fn only(self, only: Only) -> Self {
        Self { only, ..self }
    }

    pub(super) const fn apart(self, rule: Separation) -> Self {
        Self { apart: Some(rule), ..self }
    }

    pub(super) const fn gives_number(self) -> Self {
        Self { numbered: true, ..self }
    }

    pub(super) const fn needs(self, required: &'static [Member]) -> Self {
        Self { required, ..self }
    }

    pub(super) const fn takes(self, optional: &'static [Member]) -> Self {
        Self { optional, ..self }
    }

    pub(super) const fn server_fills(self, server: &'static [Member]) -> Self {
        Self { server, ..self }
    }

    pub(super) const fn note(self, note_zh: &'static str, note_en: &'static str) -> Self {
        Self { note_zh, note_en, ..self }
    }
}
