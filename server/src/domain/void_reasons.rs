//! Why a report may be void (作废原因), as a district has it: the fixed reasons less those it retired, and its own.
//!
//! The fixed ones are codes of the workflow, which every phone and every figure knows. A reason of the district's own
//! is recorded as "other" with its words, so that cases of ten years stay countable by one set of codes. A retired
//! reason is offered and taken no more; old cases keep it.

use serde::{Deserialize, Serialize};
use xunge_client_core::model::Millis;
use xunge_client_core::workflow::{Command, Verb, VoidReason};

use super::audit;
use super::directory::version;
use crate::params;
use crate::store::{StoreError, Tx};

/// Kind of its rows in `reference`.
const KIND: &str = "void_reason";
/// Begins the key of a district's own reason.
const OWN: &str = "own-";
/// Most characters of a reason: a line of a form.
pub const MAX_CHARS: usize = 40;

/// What is stored of a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    zh: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    en: String,
    retired_at: Option<Millis>,
}

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What forms send: the code of the workflow, or `own-N`.
    pub key: String,
    /// In Chinese.
    pub zh: String,
    /// In English; of a fixed one empty, pages have their own words for it.
    pub en: String,
    /// Since when it is offered no more.
    pub retired_at: Option<Millis>,
}

impl Reason {
    /// True for one of the district's own.
    pub fn is_own(&self) -> bool {
        self.key.starts_with(OWN)
    }

    /// True if it may be retired: "other" carries the district's own, "withdrawn" is nobody's choice.
    pub fn may_retire(&self) -> bool {
        ![VoidReason::Other.code(), VoidReason::Withdrawn.code()].contains(&self.key.as_str())
    }
}

/// All reasons of an installation, "other" last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidReasons(Vec<Reason>);

impl Default for VoidReasons {
    fn default() -> Self {
        let fixed = |reason: &VoidReason| Reason {
            key: reason.code().to_owned(),
            zh: reason.zh().to_owned(),
            en: String::new(),
            retired_at: None,
        };
        Self(VoidReason::ALL.iter().filter(|reason| **reason != VoidReason::Withdrawn).map(fixed).collect())
    }
}

impl VoidReasons {
    /// Reads what the district changed.
    pub async fn load(tx: &mut dyn Tx) -> Result<Self, StoreError> {
        let mut reasons = Self::default();
        for row in tx.query("SELECT key, body FROM reference WHERE kind = ?1 ORDER BY key", params![KIND]).await? {
            let body: Body = serde_json::from_str(row.text(1)?)
                .map_err(|_| StoreError::Check { what: "reference.void_reason".to_owned() })?;
            let key = row.text(0)?;
            match reasons.0.iter_mut().find(|reason| reason.key == key) {
                Some(fixed) => fixed.retired_at = body.retired_at,
                None => {
                    let own = Reason { key: key.to_owned(), zh: body.zh, en: body.en, retired_at: body.retired_at };
                    let last = reasons.0.len().saturating_sub(1);
                    reasons.0.insert(last, own);
                }
            }
        }
        Ok(reasons)
    }

    /// Every reason, those that were retired too.
    pub fn all(&self) -> &[Reason] {
        &self.0
    }

    /// The reasons that may be given now.
    pub fn offered(&self) -> impl Iterator<Item = &Reason> {
        self.0.iter().filter(|reason| reason.retired_at.is_none())
    }

    /// True if a reason may not be given any more.
    pub fn is_retired(&self, key: &str) -> bool {
        self.0.iter().any(|reason| reason.key == key && reason.retired_at.is_some())
    }

    /// A void for a reason of the district's own as the ledger records it: "other", in that reason's words.
    pub fn settled(&self, command: &Command) -> Option<Command> {
        let key = command.payload.reason.as_deref().filter(|_| command.verb == Verb::Void)?;
        let own = self.offered().find(|reason| reason.is_own() && reason.key == key)?;
        let mut settled = command.clone();
        settled.payload.reason = Some(VoidReason::Other.code().to_owned());
        settled.payload.text = Some(match &command.payload.text {
            Some(text) => format!("{}：{text}", own.zh),
            None => own.zh.clone(),
        });
        Some(settled)
    }
}

/// Why a reason is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonProblem {
    /// The Chinese words are empty, longer than [`MAX_CHARS`], or there already.
    Zh,
    /// The English words are empty or longer than [`MAX_CHARS`].
    En,
}

/// Checks the words of a new reason.
///
/// # Errors
/// [`ReasonProblem`], the first found.
pub fn check(reasons: &VoidReasons, zh: &str, en: &str) -> Result<(), ReasonProblem> {
    let good = |words: &str| (1..=MAX_CHARS).contains(&words.chars().count()) && !words.chars().any(char::is_control);
    if !good(zh) || reasons.0.iter().any(|reason| reason.zh == zh) {
        return Err(ReasonProblem::Zh);
    }
    if good(en) { Ok(()) } else { Err(ReasonProblem::En) }
}

/// Adds a reason of the district's own; answers its key.
pub async fn add(tx: &mut dyn Tx, by: &str, zh: &str, en: &str, now: Millis) -> Result<String, StoreError> {
    let number = VoidReasons::load(tx).await?.0.iter().filter(|reason| reason.is_own()).count() + 1;
    let key = format!("{OWN}{number:03}");
    let body = Body { zh: zh.to_owned(), en: en.to_owned(), retired_at: None };
    put(tx, by, &key, &body, "void_reason.added", now).await?;
    Ok(key)
}

/// Retires a reason, or takes it back into use; false if there is none or it may not be retired.
pub async fn set_retired(tx: &mut dyn Tx, by: &str, key: &str, retired: bool, now: Millis) -> Result<bool, StoreError> {
    let known = VoidReasons::load(tx).await?.0.into_iter().find(|reason| reason.key == key && reason.may_retire());
    let Some(reason) = known else { return Ok(false) };
    let words = |words: String| if reason.key.starts_with(OWN) { words } else { String::new() };
    let body = Body { zh: words(reason.zh.clone()), en: reason.en.clone(), retired_at: retired.then_some(now) };
    let action = if retired { "void_reason.retired" } else { "void_reason.restored" };
    put(tx, by, key, &body, action, now).await?;
    Ok(true)
}

/// Writes a row and moves the version by which everybody notices.
async fn put(tx: &mut dyn Tx, by: &str, key: &str, body: &Body, action: &str, now: Millis) -> Result<(), StoreError> {
    let json = serde_json::to_string(body).expect("a reason is plain data");
    let version = version::next(tx).await? as i64;
    tx.execute(
        "INSERT INTO reference (kind, key, version, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, key) DO UPDATE SET version = excluded.version, body = excluded.body",
        params![KIND, key, version, &json],
    )
    .await?;
    audit::append(tx, &audit::Entry { at: now, actor: by, action, subject: key, detail: &json }).await
}

#[cfg(test)]
mod tests {
    use xunge_client_core::model::Mode;
    use xunge_client_core::workflow::{Member, Payload, Refusal, Why};

    use super::*;
    use crate::domain::commands::CommandError;
    use crate::testing::{District, facts};

    async fn write(district: &District, key: &'static str, retired: bool) -> bool {
        let store = &district.desk.services.store;
        let done = store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { set_retired(tx, "admin", key, retired, Millis(1)).await })
        });
        done.await.unwrap()
    }

    #[tokio::test]
    async fn a_retired_reason_is_taken_no_more_and_old_cases_keep_it() {
        let district = District::new().await;
        let mut phone = district.phone("insp-ninghua-1").await;
        let cases: Vec<_> = (0..3).map(|n| phone.report(&facts(n, Mode::Forwarded, district.now()))).collect();
        phone.drain(&district).await;
        let void = |reason: &str| Payload { reason: Some(reason.to_owned()), ..Payload::default() };
        let act = async |case, reason| district.act("review-ninghua-1", case, Verb::Void, void(reason)).await;
        act(cases[0], "test").await.unwrap();
        assert!(write(&district, "test", true).await);
        let refused = act(cases[1], "test").await.unwrap_err();
        let unknown = Refusal::Invalid { field: Member::Reason, why: Why::UnknownCode };
        assert!(matches!(&refused, CommandError::Refused(refusal) if *refusal == unknown), "{refused:?}");
        assert_eq!(district.ledger(cases[0]).await.void_reason, Some(VoidReason::Test));
        assert!(district.verify().await.differences.is_empty());
        assert!(write(&district, "test", false).await, "and back");
        act(cases[1], "test").await.unwrap();
        for key in ["other", "withdrawn", "nonsense"] {
            assert!(!write(&district, key, true).await, "{key}");
        }
    }

    #[tokio::test]
    async fn a_reason_of_the_district_s_own_is_recorded_as_other_in_its_words() {
        let district = District::new().await;
        let mut phone = district.phone("insp-ninghua-1").await;
        let cases: Vec<_> = (0..3).map(|n| phone.report(&facts(n, Mode::Forwarded, district.now()))).collect();
        phone.drain(&district).await;
        let store = &district.desk.services.store;
        let key = store
            .write::<_, StoreError, _>(|tx| {
                Box::pin(async move { add(tx, "admin", "历史遗留问题", "old matter", Millis(1)).await })
            })
            .await
            .unwrap();
        assert_eq!(key, "own-001");
        let void = |text: Option<&str>| Payload {
            reason: Some("own-001".to_owned()),
            text: text.map(str::to_owned),
            ..Payload::default()
        };
        for (case, text, expected) in
            [(cases[0], None, "历史遗留问题"), (cases[1], Some("2019 年已移交"), "历史遗留问题：2019 年已移交")]
        {
            district.act("review-ninghua-1", case, Verb::Void, void(text)).await.unwrap();
            let ledger = district.ledger(case).await;
            assert_eq!((ledger.void_reason, ledger.void_text.as_deref()), (Some(VoidReason::Other), Some(expected)));
        }
        write(&district, "own-001", true).await;
        assert!(district.act("review-ninghua-1", cases[2], Verb::Void, void(None)).await.is_err(), "retired");
        let reasons = district.directory().await.void_reasons().clone();
        assert_eq!(reasons.all().last().unwrap().key, "other");
        assert_eq!(check(&reasons, "历史遗留问题", "x"), Err(ReasonProblem::Zh), "there already");
        assert_eq!(check(&reasons, "", "x"), Err(ReasonProblem::Zh));
        assert_eq!(check(&reasons, "新", ""), Err(ReasonProblem::En));
        assert_eq!(check(&reasons, "新", "new"), Ok(()));
    }
}
