//! The members a command may carry: one flat record, so that forms, JSON and the table speak of the same names.

use serde::{Deserialize, Serialize};

use super::codes::{Level, Satisfaction, Source, Verdict};
use super::member::Member;
use crate::model::{CaseId, CategoryRef, Facts, LocalDay, Millis, Mode, OrgCode, PhotoHash};

/// What a command says beside its verb. Which verb takes which member is in [`super::TABLE`].
///
/// In an [`Event`](super::Event) the same record is normalised: what was decided, with defaults filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payload {
    /// Final category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryRef>,
    /// Decided mode; with `route_change` the mode asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Handling unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<OrgCode>,
    /// Time-limit level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Millis>,
    /// Why: a [`VoidReason`](super::VoidReason) code with `void`, words elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Words to a person: an answer, an appeal, the text of an urge, what `other` means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Words for the file: how it was handled, a closing note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Evidence by hash, at most 9.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoHash>,
    /// What an inspector found at the scene.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What the reporter has to add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// The case this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_case_id: Option<CaseId>,
    /// The inspector (user name) a task or the case goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// 1 催办, 2 督办, 3 通报, 4 约谈.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urge_level: Option<u8>,
    /// When a suspended or deferred case is looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_date: Option<LocalDay>,
    /// What the caller said at the revisit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Satisfaction>,
    /// Case number issued by this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_no: Option<String>,
    /// What an office-born case is about; immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<Facts>>,
    /// Mode as the reporter claims it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode_claim: Option<Mode>,
    /// Category as the reporter claims it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_claim: Option<CategoryRef>,
    /// Cell grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<OrgCode>,
    /// Reporting unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<OrgCode>,
    /// Reviewing office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office: Option<OrgCode>,
    /// Where the report came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// When the problem was found, by the reporter's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovered_at: Option<Millis>,
    /// What looked odd on arrival; flags warn, they never refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The user who reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporter: Option<String>,
}

impl Payload {
    /// True if the member was given. An empty list is not given; a blank text is (and fails its check later).
    pub fn has(&self, member: Member) -> bool {
        match member {
            Member::Category => self.category.is_some(),
            Member::Mode => self.mode.is_some(),
            Member::Handler => self.handler.is_some(),
            Member::Level => self.level.is_some(),
            Member::DueAt => self.due_at.is_some(),
            Member::Reason => self.reason.is_some(),
            Member::Text => self.text.is_some(),
            Member::Note => self.note.is_some(),
            Member::Photos => !self.photos.is_empty(),
            Member::Verdict => self.verdict.is_some(),
            Member::Missing => self.missing.is_some(),
            Member::MasterCaseId => self.master_case_id.is_some(),
            Member::Assignee => self.assignee.is_some(),
            Member::UrgeLevel => self.urge_level.is_some(),
            Member::ReviewDate => self.review_date.is_some(),
            Member::Outcome => self.outcome.is_some(),
            Member::CaseNo => self.case_no.is_some(),
            Member::Facts => self.facts.is_some(),
            Member::ModeClaim => self.mode_claim.is_some(),
            Member::CategoryClaim => self.category_claim.is_some(),
            Member::Grid => self.grid.is_some(),
            Member::Unit => self.unit.is_some(),
            Member::Office => self.office.is_some(),
            Member::Source => self.source.is_some(),
            Member::DiscoveredAt => self.discovered_at.is_some(),
            Member::Flags => !self.flags.is_empty(),
            Member::Reporter => self.reporter.is_some(),
        }
    }

    /// The text of a member that is words; `None` for members of other types and absent ones.
    pub(super) fn words(&self, member: Member) -> Option<&str> {
        match member {
            Member::Reason => self.reason.as_deref(),
            Member::Text => self.text.as_deref(),
            Member::Note => self.note.as_deref(),
            Member::Missing => self.missing.as_deref(),
            Member::Assignee => self.assignee.as_deref(),
            Member::Reporter => self.reporter.as_deref(),
            _ => None,
        }
    }
}
