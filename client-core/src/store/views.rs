//! What reading answers: plain data for screens.

use serde::Serialize;

use crate::model::{CaseId, CategoryRef, Conflict, Facts, IntentId, Millis, Mode, PhotoHash, PhotoRole};
use crate::workflow::{Ledger, Verb};

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseItem {
    /// The case.
    pub id: CaseId,
    /// `draft`, `submitted` (not on the server yet), or the ledger's state.
    pub state: String,
    /// Decided, until then claimed.
    pub mode: Option<Mode>,
    /// Decided, until then claimed.
    pub category: Option<CategoryRef>,
    /// Its name, if the reference data has it.
    pub category_name: Option<String>,
    /// The description.
    pub text: String,
    /// When it was made, by the phone's clock.
    pub created_at: Millis,
    /// When it was submitted here.
    pub submitted_at: Option<Millis>,
    /// 案卷号.
    pub case_no: Option<String>,
    /// Ledger version, 0 while the server has not confirmed it.
    pub version: u32,
    /// True while something of it is only on this phone.
    pub unsent: bool,
    /// True after an answer whose digest covers everything of it.
    pub on_server: bool,
    /// True once the office decided on it.
    pub reviewed: bool,
    /// Photos its facts name.
    pub photos: usize,
    /// Those of them that this phone sends.
    pub own_photos: Counted,
    /// Deadline in force.
    pub due_at: Option<Millis>,
    /// Why it is void.
    pub void_reason: Option<String>,
    /// Code of what the inspector has to look at.
    pub attention: Option<String>,
    /// The field at fault.
    pub attention_field: Option<String>,
}

/// Which cases to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only those that wait for the inspector's eye.
    pub attention: bool,
    /// Only drafts, or only what is none.
    pub drafts: Option<bool>,
    /// Only those reported by the signed-in user.
    pub mine: bool,
    /// After this position, as the page before said.
    pub after: Option<i64>,
    /// Most lines; 0 means 50.
    pub limit: u32,
}

/// A case with everything the phone knows.
#[derive(Debug, Clone)]
pub struct CaseDetail {
    /// Its line.
    pub item: CaseItem,
    /// What the field saw, unsent edits included.
    pub facts: Facts,
    /// Registers that several people set without knowing of each other.
    pub conflicts: Vec<Conflict>,
    /// What the office decided; none before the server confirmed the case.
    pub ledger: Option<Ledger>,
    /// Photos and how far each got.
    pub photos: Vec<PhotoStatus>,
    /// What was asked of the ledger, oldest first.
    pub requests: Vec<RequestStatus>,
    /// What the signed-in user could ask now.
    pub offers: Vec<Verb>,
    /// How often its facts were edited here, the first draft included.
    pub edits: u32,
    /// What was written here and not taken, oldest first. It stays readable as long as the case is on the phone.
    pub refused: Vec<RefusedWords>,
}

/// Something written or photographed on this phone that the server did not take, as a person would say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedWords {
    /// What was written; of a photo, what it shows.
    pub text: String,
    /// When, by the phone's clock.
    pub at: Millis,
    /// Why it was not taken.
    pub code: String,
}

/// A photo of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhotoStatus {
    /// Its name.
    pub sha256: PhotoHash,
    /// What it shows.
    pub role: PhotoRole,
    /// Its size.
    pub bytes: u64,
    /// Bytes the server confirmed; the size for photos of other phones.
    pub sent: u64,
    /// `waiting`, `sent`, `refused`, or `elsewhere` for a photo of another phone.
    pub state: String,
    /// Why it was refused.
    pub code: Option<String>,
}

/// Something asked of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestStatus {
    /// Its name.
    pub intent: IntentId,
    /// What was asked.
    pub verb: String,
    /// When, by the phone's clock.
    pub at: Millis,
    /// `pending`, `accepted` or `refused`.
    pub state: String,
    /// Why it was refused.
    pub code: Option<String>,
    /// The member at fault.
    pub field: Option<String>,
}

/// Something that waits for the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// `verify`, `check`, or `complete` for a report the office sent back.
    pub kind: String,
    /// What the office wants.
    pub missing: Option<String>,
    /// The case.
    #[serde(flatten)]
    pub case: CaseItem,
}

/// Where a case of this phone is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusItem {
    /// The case.
    pub id: CaseId,
    /// Always true: it is saved here.
    pub on_phone: bool,
    /// True after an answer whose digest covers everything of it.
    pub on_server: bool,
    /// True once the office decided on it.
    pub reviewed: bool,
    /// Its photos.
    pub photos: Counted,
}

/// Photos of a case, and how many of them are on the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// All.
    pub total: u32,
    /// Fully sent.
    pub sent: u32,
}

/// What is only on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unsent {
    /// Cases.
    pub cases: u32,
    /// Photos.
    pub photos: u32,
}

/// What would be lost with this phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OnlyHere {
    /// Cases with something the server has not confirmed.
    pub cases: u32,
    /// Photos that wait.
    pub photos: u32,
    /// Drafts.
    pub drafts: u32,
    /// Cases with words that were refused and not looked at since.
    pub refused_words: u32,
    /// Photos that were refused.
    pub refused_photos: u32,
}

impl OnlyHere {
    /// True if all of it is elsewhere.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What there is of it in the words for so many cases, photos, drafts, cases with refused words, refused photos.
    pub fn list(&self, words: [fn(u32) -> String; 5], between: &str) -> String {
        let counts = [self.cases, self.photos, self.drafts, self.refused_words, self.refused_photos];
        let some = counts.into_iter().zip(words).filter(|(count, _)| *count > 0);
        some.map(|(count, word)| word(count)).collect::<Vec<_>>().join(between)
    }
}

impl std::fmt::Display for OnlyHere {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: [fn(u32) -> String; 5] = [
            |n| format!("{n} cases"),
            |n| format!("{n} photos"),
            |n| format!("{n} drafts"),
            |n| format!("{n} cases with refused words that were not read"),
            |n| format!("{n} refused photos"),
        ];
        out.write_str(&self.list(words, ", "))
    }
}

/// How the signed-in user's reports of a period stand, as this phone knows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MyCounts {
    /// Reports, the void ones included.
    pub reported: u32,
    /// Of these fixed on the spot.
    pub self_handled: u32,
    /// Of these forwarded.
    pub forwarded: u32,
    /// Void.
    pub void: u32,
    /// Filed, closed ones included.
    pub filed: u32,
    /// Not decided yet.
    pub pending: u32,
    /// Closed.
    pub case_closed: u32,
    /// Not on the server yet; part of `pending`.
    pub unsent: u32,
}

impl MyCounts {
    pub(super) fn add(&mut self, mode: Option<&str>, outcome: &str, n: u32) {
        self.reported += n;
        match mode {
            Some("self_handled") => self.self_handled += n,
            _ => self.forwarded += n,
        }
        match outcome {
            "void" => self.void += n,
            "filed" => self.filed += n,
            "case_closed" => {
                self.filed += n;
                self.case_closed += n;
            }
            "unsent" => {
                self.pending += n;
                self.unsent += n;
            }
            _ => self.pending += n,
        }
    }
}
