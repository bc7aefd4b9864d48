//! The projection of a case's events: everything the office decided, in one row.

use serde::{Deserialize, Serialize};

use super::codes::{AskKind, CloseType, Level, Satisfaction, Source, TaskKind, Verdict, VoidReason};
use super::state::{Outcome, State};
use crate::model::{CaseId, CategoryRef, LocalDay, Millis, Mode, OrgCode, Role};

/// A unit's open question to the duty leader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Return or extension.
    pub kind: AskKind,
    /// Why.
    pub reason: String,
    /// The deadline asked for, with an extension.
    pub due_at: Option<Millis>,
    /// Since when; a return stops the handling clock while it is open.
    pub at: Millis,
    /// User who asked.
    pub by: String,
}

/// What an inspector was sent out for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Verify or check.
    pub kind: TaskKind,
    /// The inspector.
    pub assignee: String,
    /// Since when.
    pub since: Millis,
}

/// 挂账 or 缓办 lying over the state `handling`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Millis,
    /// When to look again.
    pub review_date: Option<LocalDay>,
}

/// An objection the duty leader has not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// What the reporter says.
    pub text: String,
    /// When.
    pub at: Millis,
    /// Who.
    pub by: String,
}

/// A wish for the other mode that came after filing. It changes no count; the office reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteWish {
    /// The mode wished for.
    pub mode: Mode,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Millis,
    /// Who.
    pub by: String,
}

/// A case's decisions, folded from its events by [`super::apply`]. Phones receive it read-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Where the case stands.
    pub state: State,
    /// Number of events so far.
    pub version: u32,
    /// 案卷号, once filed; kept when the case is void or reopened.
    pub case_no: Option<String>,
    /// Where the report came from.
    pub source: Source,
    /// User who reported.
    pub reporter: String,
    /// Reporting unit.
    pub unit: Option<OrgCode>,
    /// Reviewing office.
    pub office: Option<OrgCode>,
    /// Cell grid; the office may correct it when it decides.
    pub grid: Option<OrgCode>,
    /// Mode as claimed.
    pub mode_claim: Mode,
    /// Mode as decided.
    pub mode: Option<Mode>,
    /// Category as claimed.
    pub category_claim: Option<CategoryRef>,
    /// Category as decided.
    pub category: Option<CategoryRef>,
    /// Time-limit level.
    pub level: Level,
    /// Unit the office thinks should handle it; only `dispatch` gives the case to a unit.
    pub handler_suggested: Option<OrgCode>,
    /// Unit that has the case.
    pub handler: Option<OrgCode>,
    /// Unit that fed back last; it may not recheck.
    pub handled_by: Option<OrgCode>,
    /// When the server received the report; decides the period.
    pub received_at: Millis,
    /// When the problem was found, by the reporter's clock.
    pub discovered_at: Option<Millis>,
    /// When it was filed.
    pub filed_at: Option<Millis>,
    /// When it was sent to the unit that has it.
    pub dispatched_at: Option<Millis>,
    /// When that unit signed.
    pub signed_at: Option<Millis>,
    /// When the unit fed back.
    pub handled_at: Option<Millis>,
    /// When the last recheck since then was answered.
    pub checked_at: Option<Millis>,
    /// When it was closed.
    pub closed_at: Option<Millis>,
    /// Deadline in force.
    pub due_at: Option<Millis>,
    /// Deadline without extensions (pauses do move it), for the extension-blind rate.
    pub due_at_original: Option<Millis>,
    /// Why it is void.
    pub void_reason: Option<VoidReason>,
    /// The same in words.
    pub void_text: Option<String>,
    /// When it became void.
    pub void_at: Option<Millis>,
    /// User who voided or withdrew it.
    pub void_by: Option<String>,
    /// The state `reinstate` goes back to.
    pub state_before_void: Option<State>,
    /// The task that was open then.
    pub task_before_void: Option<Task>,
    /// How it ended.
    pub close_type: Option<CloseType>,
    /// Words at the end: a note, the hotline's answer.
    pub close_note: Option<String>,
    /// The case this one repeats.
    pub master_case_id: Option<CaseId>,
    /// What the reporter has to add.
    pub needs_more: Option<String>,
    /// 挂账.
    pub suspended: Option<Overlay>,
    /// 缓办; stays on the closed case, which its rates need.
    pub deferred: Option<Overlay>,
    /// Extensions granted.
    pub extension_count: u32,
    /// Times it had to be done again.
    pub rework_count: u32,
    /// Returns granted.
    pub return_count: u32,
    /// Times it was reopened.
    pub reopen_count: u32,
    /// Times it was urged.
    pub urge_count: u32,
    /// Highest step of an urge so far, 0 for none.
    pub urge_level: u8,
    /// What the unit waits to have decided.
    pub ask: Option<Ask>,
    /// What an inspector was sent out for.
    pub task: Option<Task>,
    /// What the last verify task found.
    pub verify_verdict: Option<Verdict>,
    /// What the last recheck since the feedback found.
    pub check_verdict: Option<Verdict>,
    /// Colleague the case was handed to; may write its facts beside the reporter.
    pub holder: Option<String>,
    /// Open objection.
    pub appeal: Option<Appeal>,
    /// Open wish for the other mode.
    pub route_wish: Option<RouteWish>,
    /// What the caller said at the last revisit.
    pub satisfaction: Option<Satisfaction>,
    /// What looked odd on arrival.
    pub flags: Vec<String>,
}

impl Ledger {
    /// The mode this case is counted under: decided, until then claimed.
    pub fn counted_mode(&self) -> Mode {
        self.mode.unwrap_or(self.mode_claim)
    }

    /// The category this case is counted under: decided, until then claimed.
    pub fn counted_category(&self) -> Option<&CategoryRef> {
        self.category.as_ref().or(self.category_claim.as_ref())
    }

    /// How this case is counted.
    pub fn outcome(&self) -> Outcome {
        match self.state {
            State::Void => Outcome::Void,
            State::Closed => Outcome::CaseClosed,
            _ if self.filed_at.is_some() => Outcome::Filed,
            _ => Outcome::Pending,
        }
    }

    /// True once closed or void.
    pub fn is_final(&self) -> bool {
        self.state.is_final()
    }

    /// True for who may write the case's field document: its reporter, its holder, whoever has its open task.
    pub fn may_write_facts(&self, user: &str) -> bool {
        self.is_owned_by(user) || self.is_assigned_to(user)
    }

    /// True for its reporter and for the colleague it was handed to.
    pub fn is_owned_by(&self, user: &str) -> bool {
        self.reporter == user || self.holder.as_deref() == Some(user)
    }

    /// What a handover by this user moves: (the open task, the case).
    pub(super) fn handed_over_by(&self, role: Role, user: &str) -> (bool, bool) {
        if role == Role::Inspector {
            (self.is_assigned_to(user), self.is_owned_by(user))
        } else {
            (self.task.is_some(), self.task.is_none())
        }
    }

    /// True if `user` has the open task.
    pub fn is_assigned_to(&self, user: &str) -> bool {
        self.task.as_ref().is_some_and(|task| task.assignee == user)
    }
}
